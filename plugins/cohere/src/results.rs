//! What a tool returned, as a message (<https://docs.cohere.com/docs/tool-use-overview>): plain text as text, an object as
//! a document, whose members the model can cite.

use aimu_sdk::media::document_text;
use aimu_sdk::{Failure, MediaKind, Part, ToolOutput, ToolResult, json};
use serde_json::{Value, json};

use crate::messages::image;

/// A result in the wire's form.
#[derive(Debug)]
pub(crate) struct Told {
    /// The tool's message.
    pub(crate) message: Value,
    /// Images, for which it has no place.
    pub(crate) images: Vec<Value>,
}

/// Converts a result.
pub(crate) fn message(part: &Part, result: &ToolResult) -> Result<Told, Failure> {
    let mut images = Vec::new();
    let mut blocks = Vec::new();
    for output in &result.output {
        match output {
            ToolOutput::Text(text) if result.is_error => blocks.push(document(json!({ "error": text }))),
            ToolOutput::Text(text) => blocks.push(json!({ "type": "text", "text": text })),
            ToolOutput::Json(text) => blocks.push(match json::parse(text, "a tool's result")? {
                Value::Object(data) => document(Value::Object(data)),
                // The API calls text that it puts into a document so, too.
                value => document(json!({ "content": value })),
            }),
            ToolOutput::Media(media) => match document_text(media) {
                Some(text) => blocks.push(document(json!({ "title": media.name, "text": text }))),
                None if media.kind == MediaKind::Image => images.push(image(media)?),
                None => {
                    return Err(Failure::unsupported(format!(
                        "Cohere takes images and text documents, nothing of type {}",
                        media.mime_type
                    )));
                }
            },
        }
    }
    if let Some(first) = blocks.first_mut() {
        json::merge_extra(first, part.extra.as_deref(), "a part")?;
    }
    let content = match blocks.as_slice() {
        [] if images.is_empty() => "".into(),
        [] => "The result is in the next message.".into(),
        [only] if part.extra.is_none() && only.get("type").is_some_and(|kind| kind == "text") => {
            only.get("text").cloned().unwrap_or_default()
        }
        _ => blocks.into(),
    };
    let message = json!({ "role": "tool", "tool_call_id": result.call_id, "content": content });
    Ok(Told { message, images })
}

fn document(data: Value) -> Value {
    json!({ "type": "document", "document": { "data": data } })
}
