//! Requests and answers that no recorded case has, and the shapes of those that do.
#![allow(clippy::unwrap_used)]

mod answers;
mod requests;

use aimu_sdk::*;
use serde_json::{Value, json};

use super::*;

const THINKER: &str = "command-a-reasoning-08-2025";

const PLAIN: &str = "command-a-03-2025";

fn ask(model: &str, messages: Vec<Message>) -> ChatRequest {
    ChatRequest::new(model, messages)
}

fn wire(request: &ChatRequest) -> Value {
    let request::Body { body, warnings } = request::body(request).unwrap();
    assert_eq!(warnings, Vec::<String>::new());
    body
}

fn replayed(content: PartContent, data: Value) -> Part {
    let replay = Some(Replay { signature: None, item_id: None, data: Some(data.to_string()) });
    Part { replay, ..content.into() }
}

fn thought(text: &str) -> PartContent {
    PartContent::Reasoning(Reasoning::Text(text.into()))
}

fn call(id: &str, arguments: &str) -> Part {
    let call =
        ToolCall { id: id.into(), name: "f".into(), arguments: arguments.into(), server_executed: false };
    PartContent::ToolCall(call).into()
}

fn result(id: &str, output: Vec<ToolOutput>, is_error: bool) -> Message {
    let result = ToolResult { call_id: id.into(), name: "f".into(), output, is_error };
    Message::new(Role::Tool, vec![PartContent::ToolResult(result).into()])
}

fn media(kind: MediaKind, mime_type: &str, source: MediaSource) -> Media {
    Media {
        kind,
        mime_type: mime_type.into(),
        source,
        name: Some("a.txt".into()),
        detail: Some("low".into()),
    }
}

fn png() -> Media {
    media(MediaKind::Image, "image/png", MediaSource::Bytes(vec![0, 255, 1]))
}

fn note() -> Media {
    media(MediaKind::Document, "text/plain", MediaSource::Bytes(b"hi".to_vec()))
}

fn function(name: &str, strict: Option<bool>) -> Tool {
    Tool::Function(ToolDefinition {
        name: name.into(),
        description: String::new(),
        parameters: String::new(),
        strict,
        cache_here: false,
        extra: None,
    })
}

fn thinking(mode: ThinkingMode, effort: Option<&str>, budget_tokens: Option<u32>) -> Option<Thinking> {
    Some(Thinking { mode, effort: effort.map(Into::into), budget_tokens, summary: None })
}
