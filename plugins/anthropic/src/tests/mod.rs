//! Requests and answers that no recorded case has, and the shapes of those that do.
#![allow(clippy::unwrap_used)]

mod answers;
mod requests;
mod turns;

use aimu_sdk::*;
use serde_json::{Value, json};

use super::*;

fn user(text: &str) -> Message {
    Message::text(Role::User, text)
}

fn ask(messages: Vec<Message>) -> ChatRequest {
    ChatRequest { streaming: false, ..ChatRequest::new("claude-sonnet-4-5", messages) }
}

fn wire(request: &ChatRequest) -> Value {
    let request::Body { body, warnings } = request::body(request).unwrap();
    assert_eq!(warnings, Vec::<String>::new());
    body
}

fn text(text: &str) -> Value {
    json!({ "type": "text", "text": text })
}

fn part(content: PartContent) -> Part {
    content.into()
}

fn call(id: &str, name: &str, arguments: &str) -> Part {
    part(PartContent::ToolCall(ToolCall {
        id: id.into(),
        name: name.into(),
        arguments: arguments.into(),
        server_executed: false,
    }))
}

fn result(id: &str, output: Vec<ToolOutput>, is_error: bool) -> Message {
    let result = ToolResult { call_id: id.into(), name: "f".into(), output, is_error };
    Message::new(Role::Tool, vec![part(PartContent::ToolResult(result))])
}

fn media(kind: MediaKind, mime_type: &str, source: MediaSource) -> Media {
    Media { kind, mime_type: mime_type.into(), source, name: None, detail: None }
}

fn thinking(mode: ThinkingMode) -> Thinking {
    Thinking { mode, effort: None, budget_tokens: None, summary: None }
}

fn replay(signature: Option<&str>, data: Option<Value>) -> Option<Replay> {
    Some(Replay {
        signature: signature.map(str::to_owned),
        item_id: None,
        data: data.map(|data| data.to_string()),
    })
}

fn function(name: &str, parameters: &Value) -> ToolDefinition {
    ToolDefinition {
        name: name.into(),
        description: "d".into(),
        parameters: parameters.to_string(),
        strict: None,
        cache_here: false,
        extra: None,
    }
}
