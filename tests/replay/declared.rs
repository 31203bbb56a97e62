//! What is known to differ, and why. A class or a count that grows fails.

use super::cases::Exchange;
use super::requests::Difference;
use super::requests::Kind::{self, Changed, Extra, Form, Missing};
use serde_json::{Map, Value};

/// A class of differences between the recorded requests of one wire format and ours.
#[derive(Debug)]
pub struct Class {
    /// A wire format, or one provider of it: `chat-completions`, `chat-completions/mistral`.
    pub wire: &'static str,
    pub kind: Kind,
    pub path: &'static str,
    /// In how many exchanges it is.
    pub count: usize,
    pub reason: &'static str,
}

const fn class(
    wire: &'static str,
    kind: Kind,
    path: &'static str,
    count: usize,
    reason: &'static str,
) -> Class {
    Class { wire, kind, path, count, reason }
}

/// The differences, by wire format.
pub const CLASSES: &[Class] = &[
    class("messages", Missing, "?beta", 132, "the recorded client's mark on its beta methods"),
    class("messages", Missing, "/messages[]/content[]/caller", 1, LOST),
    class(
        "converse",
        Extra,
        "/messages[]/content[]/toolResult/status",
        1,
        "the API's default, which the recorded client left out here and wrote elsewhere",
    ),
    class(
        "messages",
        Changed,
        "/messages[]/content[]/type",
        1,
        "an image by its id: the input does not say image",
    ),
    class("messages", Changed, "/messages[]/content[]/content[]/type", 1, "the same in a tool's result"),
    class("generate-content", Missing, "/systemInstruction/role", 163, "the API ignores it"),
    class("generate-content", Form, "/contents[]", 31, "neighbours of one role, where we send one turn"),
    class("generate-content", Form, "/tools[]/functionDeclarations/parameters", 103, "the older member"),
    class(
        "generate-content",
        Missing,
        "/tools[]/functionDeclarations/parameters",
        1,
        "two schemas, of one function",
    ),
    class("generate-content", Missing, "/contents[]/parts[]/fileData/mimeType", 3, LOST),
    class("generate-content", Missing, "/toolConfig/functionCallingConfig/allowedFunctionNames", 1, LOST),
    class("responses", Form, "/instructions", 5, "a system message, where we send `instructions`"),
    class("responses", Form, "/input[]", 4, "a turn that says nothing, which we leave out"),
    class("responses", Form, "/tools[]", 7, "functions after other tools: the input has two lists"),
    class("responses", Missing, "/tools[]/defer_loading", 9, LOST),
    class("responses", Missing, "/input[]/content[]/prompt_cache_breakpoint", 4, LOST),
    class(
        "responses",
        Changed,
        "/input[]/content[]/type",
        1,
        "an image by its id: the input does not say image",
    ),
    class("responses", Missing, "/input[]/content[]/detail", 1, "of the same image"),
    class(
        "responses",
        Changed,
        "/input[]/output[]/type",
        1,
        "an image by its id: the input does not say image",
    ),
    class("responses", Missing, "/input[]/output[]/detail", 1, "of the same image"),
    class("responses", Missing, "/text/format/description", 15, "the contract has it inside the schema"),
    class("responses", Changed, "/text/format/schema", 15, "the contract has its description inside"),
    class("chat-completions/openai", Missing, "/max_tokens", 62, OLDER),
    class("chat-completions/openai", Extra, "/max_completion_tokens", 62, OLDER),
    class("chat-completions/groq", Missing, "/max_tokens", 10, OLDER),
    class("chat-completions/groq", Extra, "/max_completion_tokens", 10, OLDER),
    class("chat-completions/openrouter", Missing, "/max_completion_tokens", 4, "the API takes both names"),
    class("chat-completions/openrouter", Extra, "/max_tokens", 4, "the API takes both names"),
    class("chat-completions", Extra, "/stream_options", 8, "we ask for usage in every stream"),
    class("chat-completions", Form, "/messages[]", 4, "a turn that says nothing, which we leave out"),
    class(
        "chat-completions/deepseek",
        Missing,
        "/messages[]/tool_calls[]/index",
        18,
        "the recorded client sends it",
    ),
    class("chat-completions/deepseek", Extra, "/thinking", 8, "the default, which we say beside an effort"),
    class("chat-completions/mistral", Changed, "/messages[]/tool_calls[]/id", 16, IDS),
    class("chat-completions/mistral", Changed, "/messages[]/tool_call_id", 16, IDS),
    class(
        "chat-completions/mistral",
        Changed,
        "/messages[]/content[]/thinking",
        1,
        "the input has it in one piece",
    ),
    class("chat-completions/huggingface", Extra, "/tool_choice/type", 1, "the recorded client leaves it out"),
    class("count-tokens", Missing, "?beta", 3, "the recorded client's mark on its beta methods"),
    class(
        "embeddings/gemini",
        Missing,
        "/requests[]/output_dimensionality",
        6,
        "the recorded client's own default; the input names none",
    ),
    class(
        "embeddings/gemini",
        Missing,
        "/requests[]/content/role",
        2,
        "the recorded client's own; embeddings have no roles",
    ),
    class(
        "embeddings/mistral",
        Changed,
        "/input",
        1,
        "more than the brand takes at once goes out in batches",
    ),
    class(
        "embeddings/cohere",
        Extra,
        "/embedding_types",
        5,
        "the first version has floats where none is named; the second wants it said",
    ),
];

/// The case was derived without it.
const LOST: &str = "the input does not say it";

const OLDER: &str = "the older name, which newer models refuse";

const IDS: &str = "the recorded ids are masked, and the API takes nine letters and digits";

/// The class of a difference, if it is declared.
pub fn class_of(exchange: &Exchange, difference: &Difference) -> Option<&'static Class> {
    let fits = |class: &&Class| {
        let (api, provider) = class.wire.split_once('/').unwrap_or((class.wire, &exchange.provider));
        api == exchange.api
            && provider == exchange.provider
            && class.kind == difference.kind
            && class.path == difference.path
    };
    CLASSES.iter().find(fits)
}

/// A case whose expectation was derived wrongly, and what the answer's raw bytes say instead.
pub struct Wrong {
    pub id: &'static str,
    /// Members of the expectation as they must be.
    pub right: &'static str,
    /// What the raw body holds.
    pub proof: &'static str,
    pub reason: &'static str,
}

pub const WRONG: &[Wrong] = &[
    Wrong {
        id: "xai-responses-response-identity-auth-rejection-classifies-with-contract-c3fa01@0",
        right: r#"{"error_kind": "authentication"}"#,
        proof: "Incorrect API key provided",
        reason: "the key is wrong, whatever the code and the status say",
    },
    Wrong {
        id: "snowflake-chat-completions-test-snowflake-test-snowflake-llama-1a3a0f@0",
        right: NOTHING,
        proof: ZEROED,
        reason: "all structures are there, and hold nothing",
    },
    Wrong {
        id: "snowflake-chat-completions-test-snowflake-test-snowflake-native-output-969aa6@0",
        right: NOTHING,
        proof: ZEROED,
        reason: "as above",
    },
    Wrong {
        id: "snowflake-chat-completions-test-snowflake-test-snowflake-thinking-09f66a@1",
        right: NOTHING,
        proof: ZEROED,
        reason: "as above",
    },
    Wrong {
        id: "snowflake-chat-completions-test-snowflake-test-snowflake-thinking-09f66a@0",
        right: r#"{
            "tool_calls": [{
                "id": "toolu_bdrk_01VmA9jmWpws4HgPqjhtGo6i", "name": "get_weather",
                "arguments": {"city": "Mexico City"}
            }],
            "audio": null, "logprobs": null
        }"#,
        proof: ZEROED,
        reason: "as above, beside one call that is one",
    },
    Wrong {
        id: "snowflake-chat-completions-test-snowflake-test-snowflake-model-streaming-c1721a@0",
        right: r#"{"logprobs": null}"#,
        proof: r#""logprobs":{"content":null,"refusal":null}"#,
        reason: "the structure is there, and holds nothing",
    },
    Wrong {
        id: "bedrock-converse-test-bedrock-test-bedrock-model-code-execution-tool-stream-d95b9b@0",
        right: r#"{"server_tools": [{"type": "server_tool_use", "name": "nova_code_interpreter"}, {"type": "toolResult"}]}"#,
        proof: r#""start":{"toolResult":{"status":"success""#,
        reason: "the tool's result is a block too, as in the answers that come whole",
    },
    Wrong {
        id: "groq-chat-completions-test-code-interpreter-9aeb5a@0",
        right: r#"{"server_tools": [{"type": "python", "name": null}]}"#,
        proof: r#""executed_tools":[{"index":0,"type":"python""#,
        reason: "a tool ran",
    },
    Wrong {
        id: "openrouter-chat-completions-test-openrouter-test-openrouter-file-annotation-2784ec@0",
        right: r#"{"citations": null}"#,
        proof: r#""type":"file"}]"#,
        reason: "the annotation is the file as it was read, and no source of the answer",
    },
];

const NOTHING: &str = r#"{"tool_calls": [], "audio": null, "logprobs": null}"#;

const ZEROED: &str = r#""function_call":{"arguments":"","name":""}"#;

/// The expectation of an exchange, and why it had to be put right.
pub fn expectation(exchange: &Exchange) -> (Value, Option<&'static str>) {
    let mut expect = exchange.expect.clone();
    let body = exchange.text();
    let entry = WRONG.iter().find(|entry| entry.id == exchange.id && body.contains(entry.proof));
    if let Some(entry) = entry {
        let right: Map<String, Value> = serde_json::from_str(entry.right).unwrap();
        for (name, value) in right {
            assert_ne!(expect[&name], value, "{}: {name} is right by now", entry.id);
            expect[name] = value;
        }
    }
    (expect, entry.map(|entry| entry.reason))
}

/// What the contract can't say is refused, before anything is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Refused {
    /// More than one choice: an answer is one.
    Choices,
    /// What makes no sense, and the service refused as well: a temperature in words, base64 that is none.
    Malformed,
}

/// By wire format, how many inputs are refused.
pub const REFUSED: &[(&str, Refused, usize)] = &[
    ("chat-completions", Refused::Choices, 19),
    ("chat-completions", Refused::Malformed, 2),
    ("generate-content", Refused::Choices, 1),
];
