//! What is asked of a model that is really there, step by step, over a model string.
//!
//! A model answers as it likes, so each step asks for something of which one word can be known, and that can't be
//! guessed: what was said before, what only a tool knows, what only a picture shows.

use super::picture;
use aimu_host::{
    Answer, Attachment, CallOptions, Capability, Chunk, Client, Failure, FailureKind, Host, ResponseFormat,
    SchemaFormat, Tool, ToolDefinition, UserMessage,
};
use futures::StreamExt;
use serde_json::{Value, json};
use std::pin::pin;

/// What came of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Passed,
    /// It can't be asked of this model, and why.
    Skipped(String),
    Failed(String),
}

/// The steps, in order.
pub const STEPS: [&str; 5] = ["conversation", "streaming", "tools", "image", "structured output"];

/// Rounds of tool calls before the answer must come: some models look things up twice.
const ROUNDS: usize = 3;

/// Runs the steps. Without a conversation there are no others: a missing key or server would be told five times.
pub async fn run(host: &Host, model: &str) -> Vec<(&'static str, Outcome)> {
    let mut outcomes = Vec::new();
    for step in STEPS {
        outcomes.push((step, outcome(host, model, step).await));
        if matches!(outcomes.as_slice(), [(_, Outcome::Failed(_))]) {
            break;
        }
    }
    outcomes
}

async fn outcome(host: &Host, model: &str, step: &str) -> Outcome {
    let client = match host.client(model).await {
        Ok(client) => client,
        Err(failure) => return Outcome::Failed(told(failure)),
    };
    if let Some(why) = lack(&client, step) {
        return Outcome::Skipped(why);
    }
    let done = match step {
        "conversation" => remembers(client).await,
        "streaming" => streams(client).await,
        "tools" => calls_a_tool(client).await,
        "image" => sees(client).await,
        _ => answers_in_a_form(client).await,
    };
    done.map_or_else(Outcome::Failed, |()| Outcome::Passed)
}

/// Why a step can't be asked of a model.
fn lack(client: &Client, step: &str) -> Option<String> {
    let (needed, flag) = match step {
        "tools" => (Capability::Tools, "tools"),
        "image" => (Capability::Vision, "vision"),
        "structured output" => (Capability::StructuredOutput, "structured"),
        _ => return None,
    };
    match client.can(needed) {
        Some(true) => None,
        Some(false) => Some(format!("the catalogue says that {} has no {needed}", client.model())),
        None => Some(format!(
            "no catalogue knows whether {model} has {needed}; `--live '{model};{flag}'` says that it has",
            model = client.model()
        )),
    }
}

/// A failure, with what to do where the host can't know it.
pub fn told(failure: Failure) -> String {
    let hint = match failure.kind {
        FailureKind::Network | FailureKind::Timeout => {
            " (start its server, or name another: `--live PROVIDER:MODEL@URL`)"
        }
        _ => "",
    };
    format!("{}{hint}", failure.message)
}

/// Numbers may be written with separators.
fn says(answer: &Answer, word: &str) -> Result<(), String> {
    let letters =
        |text: &str| text.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect::<String>();
    if letters(&answer.text).contains(&letters(word)) {
        return Ok(());
    }
    Err(format!("{word:?} is not in the answer {:?} (it ended with {:?})", answer.text, answer.finish))
}

async fn remembers(mut client: Client) -> Result<(), String> {
    const NUMBER: &str = "7421";
    client.set_system(Some("You answer as briefly as you can.".to_owned()));
    client.chat(format!("My favourite number is {NUMBER}. Answer with OK.")).await.map_err(told)?;
    let question = "What is my favourite number? Answer with the number alone.";
    let answer = client.chat(question).await.map_err(told)?;
    says(&answer, NUMBER)?;
    let roles: Vec<&str> = client.history().iter().filter_map(|message| message["role"].as_str()).collect();
    if roles == ["system", "user", "assistant", "user", "assistant"] {
        return Ok(());
    }
    Err(format!("the history holds {roles:?}"))
}

async fn streams(mut client: Client) -> Result<(), String> {
    // Long enough for services that send some fifty words at a time.
    let prompt = "Write the numbers from 1 to 120 as digits, parted by blanks, and nothing else.";
    let mut chunks = pin!(client.chat(prompt).stream().map_err(told)?.chunks());
    let (mut text, mut pieces) = (String::new(), 0);
    let mut answer = None;
    while let Some(chunk) = chunks.next().await {
        match chunk.map_err(told)? {
            Chunk::Generating(more) => {
                text += &more;
                pieces += 1;
            }
            Chunk::Done(whole) => answer = Some(whole),
            _ => {}
        }
    }
    let answer = answer.ok_or("the stream ended without its answer")?;
    says(&answer, "120")?;
    if text != answer.text {
        return Err(format!("the pieces are {text:?}, and the answer is {:?}", answer.text));
    }
    // How large they are is the service's affair.
    if pieces < 2 { Err("the answer came in one piece".to_owned()) } else { Ok(()) }
}

async fn calls_a_tool(mut client: Client) -> Result<(), String> {
    const TOOL: &str = "look_up_code";
    const CODE: &str = "58213";
    client.defaults_mut().tools = Some(vec![Tool::Function(ToolDefinition {
        name: TOOL.to_owned(),
        description: "Looks up the code of a box by the box's name.".to_owned(),
        parameters: json!({
            "type": "object", "properties": { "box": { "type": "string" } }, "required": ["box"],
            "additionalProperties": false,
        }),
        strict: None,
        cache_here: false,
        extra: None,
    })]);
    let prompt = "What is the code of the box `north`? Look it up with the tool, then tell me the code.";
    let mut answer = client.chat(prompt).await.map_err(told)?;
    if answer.tool_calls.is_empty() {
        return Err(format!("no tool was called; the answer is {:?}", answer.text));
    }
    for _ in 0..ROUNDS {
        for call in &answer.tool_calls {
            let arguments: Value = serde_json::from_str(&call.arguments).unwrap_or_default();
            let named = arguments["box"].as_str().unwrap_or_default();
            if call.name != TOOL || !named.to_lowercase().contains("north") {
                return Err(format!("what was called is {} with {:?}", call.name, call.arguments));
            }
        }
        let result = |id: &str| json!({ "role": "tool", "tool_call_id": id, "content": CODE });
        let results: Vec<Value> = answer.tool_calls.iter().map(|call| result(&call.id)).collect();
        answer = client.chat_messages(results).await.map_err(told)?;
        if answer.tool_calls.is_empty() {
            break;
        }
    }
    says(&answer, CODE)
}

async fn sees(mut client: Client) -> Result<(), String> {
    let picture = Attachment::from_bytes(picture::png([255, 0, 0]), Some("colour.png")).map_err(told)?;
    let prompt = UserMessage::new("Which colour is this picture? Answer with one word.").attach(picture);
    says(&client.chat(prompt).await.map_err(told)?, "red")
}

async fn answers_in_a_form(mut client: Client) -> Result<(), String> {
    let schema = json!({
        "type": "object",
        "properties": { "name": { "type": "string" }, "age": { "type": "integer" } },
        "required": ["name", "age"],
        "additionalProperties": false,
    });
    let format = SchemaFormat { name: "person".to_owned(), schema, strict: true };
    let options = CallOptions { response_format: ResponseFormat::Schema(format), ..CallOptions::default() };
    let chat = client.chat("Ada is 36 years old. Give her name and age as JSON.").options(options);
    let answer = chat.await.map_err(told)?;
    match serde_json::from_str::<Value>(&answer.text) {
        Ok(value) if value == json!({ "name": "Ada", "age": 36 }) => Ok(()),
        _ => Err(format!("the answer is not in the form that was asked for: {:?}", answer.text)),
    }
}
