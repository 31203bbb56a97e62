//! How one OpenAI-compatible server differs from the next: data, out of an instance's settings.
//!
//! Problem: brands agree on the shape and differ in names, in how thinking is switched, in what they reject.
//! Decision: each difference is a setting with a default that suits most servers, so that a brand is a few lines of
//! configuration. An empty string or an empty object stands for "there is no such thing": TOML has no null. What can
//! be seen in an answer is no setting: all the places of reasoning, usage and citations are read everywhere.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::responses::ResponsesQuirks;

/// The differences. The names in settings are those of the fields with `-` for `_`.
#[derive(Clone, Debug, PartialEq)]
pub struct Quirks {
    /// The API that is spoken.
    pub api: Api,
    /// Where chats go, below the base URL. May hold a query.
    pub chat_path: String,
    /// Where models are listed, below the base URL; empty where they are not.
    pub models_path: String,
    /// The role of system messages: `system`, `developer`, or `user` for models that know neither.
    pub system_role: String,
    /// Ask for usage in streams with `stream_options.include_usage`.
    pub stream_usage: bool,
    /// Wire names of parameters by their portable ones (`max-tokens = "max_completion_tokens"`); a name may be a path
    /// (`a.b`), and an empty one drops the parameter with a warning.
    pub parameters: Map<String, Value>,
    /// How thinking is controlled.
    pub thinking: ThinkingQuirks,
    /// How the assistant's reasoning goes back.
    pub reasoning_back: ReasoningBack,
    /// What a JSON Schema as response format becomes.
    pub structured_output: StructuredOutput,
    /// The word for "some tool must be called": `required`, or `any`.
    pub required_tool: String,
    /// What ids of tool calls must look like.
    pub tool_call_ids: ToolCallIds,
    /// Tool results may hold media. Elsewhere these follow in a user message.
    pub tool_media: bool,
    /// Parts and tools may carry `cache_control`.
    pub cache_control: bool,
    /// How documents are written.
    pub documents: Documents,
    /// How audio is written.
    pub audio: AudioForm,
    /// Reasoning in `<think>` tags at the start of the text.
    pub think_tags: ThinkTags,
    /// What is about the Responses API alone.
    pub responses: ResponsesQuirks,
    /// What is about embeddings alone.
    pub embeddings: EmbeddingsQuirks,
}

/// How embeddings are asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct EmbeddingsQuirks {
    /// Where they are asked for, below the base URL; empty where the server has none.
    pub path: String,
    /// The member that names the vectors' length; empty where it can't be chosen.
    pub dimensions: String,
    /// Merged into the request for a purpose, by the contract's word for it.
    pub purposes: Map<String, Value>,
    /// The most inputs of one request.
    pub batch: u32,
}

/// The API that is spoken. In catalogues it is read as `chat-completions` and `responses`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Api {
    /// <https://platform.openai.com/docs/api-reference/chat>
    ChatCompletions,
    /// <https://platform.openai.com/docs/api-reference/responses>
    Responses,
}

/// What goes out for the contract's `thinking`.
#[derive(Clone, Debug, PartialEq)]
pub struct ThinkingQuirks {
    /// Merged into the request when thinking is on.
    pub on: Map<String, Value>,
    /// Merged into the request when thinking is off; empty where it can't be turned off.
    pub off: Map<String, Value>,
    /// Path of the effort.
    pub effort: String,
    /// Path of the budget in tokens.
    pub budget: String,
    /// Path of the wish for a summary.
    pub summary: String,
}

/// How the assistant's reasoning goes back. What has a wire form of its own (`reasoning_details`, a thinking block)
/// goes back unchanged in any case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReasoningBack {
    /// Not at all.
    Drop,
    /// `{"type":"thinking"}` blocks in a list of content (Mistral).
    Blocks,
    /// `<think>` tags in front of the text.
    Tags,
    /// A member of the message: `reasoning_content`, `reasoning`.
    Member(String),
}

/// What a JSON Schema as response format becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StructuredOutput {
    /// `json_schema` with the schema.
    JsonSchema,
    /// `json_object` without it, and a warning.
    JsonObject,
}

/// What ids of tool calls must look like. Those of another provider's calls are replaced where they don't.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ToolCallIds {
    /// Anything.
    Any,
    /// At most 40 characters (OpenAI).
    Max40,
    /// Nine letters and digits (Mistral).
    Alphanumeric9,
}

/// How documents are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Documents {
    /// `file` parts (OpenAI, OpenRouter).
    File,
    /// `document_url` parts (Mistral).
    DocumentUrl,
}

/// How audio is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AudioForm {
    /// `input_audio` with data and format (OpenAI).
    Object,
    /// `input_audio` as base64 or URL (Mistral).
    String,
}

/// Reasoning in `<think>` tags. Once reasoning comes in a field of its own, tags are text like any other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ThinkTags {
    /// The model writes both tags.
    Model,
    /// The prompt's template has written the opening one.
    Prompt,
    /// Tags are text.
    Off,
}

impl Default for Quirks {
    fn default() -> Self {
        Self {
            api: Api::ChatCompletions,
            chat_path: "chat/completions".into(),
            models_path: "models".into(),
            system_role: "system".into(),
            stream_usage: true,
            parameters: Map::new(),
            thinking: ThinkingQuirks::default(),
            reasoning_back: ReasoningBack::Drop,
            structured_output: StructuredOutput::JsonSchema,
            required_tool: "required".into(),
            tool_call_ids: ToolCallIds::Any,
            tool_media: false,
            cache_control: false,
            documents: Documents::File,
            audio: AudioForm::Object,
            think_tags: ThinkTags::Model,
            responses: ResponsesQuirks::default(),
            embeddings: EmbeddingsQuirks::default(),
        }
    }
}

/// Inputs of one request unless a brand says otherwise. OpenAI takes 2,048, but the text of their vectors, one number a
/// line, and what it is read into would fill a component's memory.
const BATCH: u32 = 256;

impl Default for EmbeddingsQuirks {
    fn default() -> Self {
        Self {
            path: "embeddings".into(),
            dimensions: "dimensions".into(),
            purposes: Map::new(),
            batch: BATCH,
        }
    }
}

impl Default for ThinkingQuirks {
    fn default() -> Self {
        let mut off = Map::new();
        off.insert("reasoning_effort".into(), "none".into());
        Self {
            on: Map::new(),
            off,
            effort: "reasoning_effort".into(),
            budget: String::new(),
            summary: String::new(),
        }
    }
}

impl Quirks {
    /// The wire name of a parameter: as the settings rename it, else `usual`. `None`: it is not sent.
    #[must_use]
    pub fn wire_name<'q>(&'q self, portable: &str, usual: &'q str) -> Option<&'q str> {
        let name = self.parameters.get(portable).and_then(Value::as_str).unwrap_or(usual);
        (!name.is_empty()).then_some(name)
    }
}
