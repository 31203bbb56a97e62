//! One part of the contract as a content block (<https://platform.claude.com/docs/en/api/messages/create>).
//!
//! What a block had besides the contract's members came to the host in `replay.data`, and is put back over the block.
//! An opaque part's kind is its block's `type`, and its data the whole block.

use aimu_sdk::json::call_arguments;
use aimu_sdk::media::{base64, essence, is_text};
use aimu_sdk::{
    Failure, Media, MediaKind, MediaSource, Part, PartContent, Reasoning, Replay, ToolCall, ToolOutput,
    ToolResult, json,
};
use serde_json::{Map, Value, json};

/// The block of a part; `None` for one that says nothing, which the API would refuse.
pub(crate) fn block(part: &Part, warnings: &mut Vec<String>) -> Result<Option<Value>, Failure> {
    let data = replayed(part.replay.as_ref())?;
    let block = match &part.content {
        PartContent::Text(text) | PartContent::Refusal(text) => {
            // Refused whatever else the block says.
            if text.trim().is_empty() {
                return Ok(None);
            }
            json!({ "type": "text", "text": text })
        }
        PartContent::Reasoning(reasoning) => match thought(reasoning, part.replay.as_ref(), &data) {
            Some(block) => block,
            // Only a signed thought is accepted; an unsigned one came from elsewhere.
            None => return Ok(None),
        },
        PartContent::Media(media) => source_block(media)?,
        PartContent::ToolCall(call) => call_block(call, warnings),
        PartContent::ToolResult(result) => result_block(result)?,
        PartContent::Opaque(opaque) => json::parse(&opaque.data, "an opaque part")?,
    };
    let mut block = block;
    if let Value::Object(members) = &mut block {
        members.extend(data);
        // A breakpoint can't be on a thought; the one before it covers as much.
        if part.cache_here && !matches!(part.content, PartContent::Reasoning(_)) {
            members.insert("cache_control".into(), json!({ "type": "ephemeral" }));
        }
    }
    json::merge_extra(&mut block, part.extra.as_deref(), "a part")?;
    Ok(Some(block))
}

/// The members that are put back over the block.
fn replayed(replay: Option<&Replay>) -> Result<Map<String, Value>, Failure> {
    match replay.and_then(|replay| replay.data.as_deref()) {
        None => Ok(Map::new()),
        Some(data) => match json::parse(data, "a part's replay data")? {
            Value::Object(members) => Ok(members),
            _ => Err(Failure::invalid("a part's replay data must be a JSON object")),
        },
    }
}

fn thought(reasoning: &Reasoning, replay: Option<&Replay>, data: &Map<String, Value>) -> Option<Value> {
    match reasoning {
        Reasoning::Redacted(data) => Some(json!({ "type": "redacted_thinking", "data": data })),
        // A raw block brings all its members with it.
        Reasoning::Text(_) | Reasoning::Summary(_) if data.contains_key("type") => Some(json!({})),
        Reasoning::Text(text) | Reasoning::Summary(text) => {
            let signature = replay.and_then(|replay| replay.signature.as_deref())?;
            Some(json!({ "type": "thinking", "thinking": text, "signature": signature }))
        }
    }
}

fn call_block(call: &ToolCall, warnings: &mut Vec<String>) -> Value {
    let kind = if call.server_executed { "server_tool_use" } else { "tool_use" };
    let input = call_arguments(call, warnings);
    json!({ "type": kind, "id": call_id(&call.id), "name": call.name, "input": input })
}

fn result_block(result: &ToolResult) -> Result<Value, Failure> {
    let mut content = Vec::new();
    for output in &result.output {
        match output {
            ToolOutput::Text(text) | ToolOutput::Json(text) => {
                if !text.trim().is_empty() {
                    content.push(json!({ "type": "text", "text": text }));
                }
            }
            ToolOutput::Media(media) => content.push(source_block(media)?),
        }
    }
    let mut block = json!({ "type": "tool_result", "tool_use_id": call_id(&result.call_id) });
    if let Value::Object(members) = &mut block {
        if !content.is_empty() {
            members.insert("content".into(), content.into());
        }
        if result.is_error {
            members.insert("is_error".into(), true.into());
        }
    }
    Ok(block)
}

/// An id in the alphabet that the API takes. Calls of another provider may have ids of another.
fn call_id(id: &str) -> String {
    id.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' || c == '-' { c } else { '_' }).collect()
}

fn source_block(media: &Media) -> Result<Value, Failure> {
    let mime = essence(&media.mime_type);
    let kind = match media.kind {
        MediaKind::Image => "image",
        // A file at the provider may come as a document because nobody looked into it.
        MediaKind::Document if mime.starts_with("image/") => "image",
        MediaKind::Document => "document",
        MediaKind::Audio => return Err(Failure::unsupported("Claude takes no audio; send a transcript")),
        MediaKind::Video => {
            return Err(Failure::unsupported("Claude takes no video; send frames as images"));
        }
    };
    let source = match &media.source {
        MediaSource::Url(url) => json!({ "type": "url", "url": url }),
        MediaSource::FileId(id) => json!({ "type": "file", "file_id": id }),
        MediaSource::Bytes(bytes) if kind == "image" || mime == "application/pdf" => {
            json!({ "type": "base64", "media_type": mime, "data": base64(bytes) })
        }
        // Every kind of text goes as plain text: the API knows no other.
        MediaSource::Bytes(bytes) if is_text(&mime) => {
            let text = std::str::from_utf8(bytes)
                .map_err(|_| Failure::invalid(format!("the document of type {mime} is not UTF-8 text")))?;
            json!({ "type": "text", "media_type": "text/plain", "data": text })
        }
        MediaSource::Bytes(_) => {
            let message = format!("Claude takes PDF and text documents, not {mime}; convert it first");
            return Err(Failure::unsupported(message));
        }
    };
    let mut block = json!({ "type": kind, "source": source });
    if let (Value::Object(members), "document", Some(name)) = (&mut block, kind, &media.name) {
        members.insert("title".into(), name.as_str().into());
    }
    Ok(block)
}
