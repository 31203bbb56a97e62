//! One part of the contract as a content block
//! (<https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ContentBlock.html>): an object with one member,
//! which names its kind.
//!
//! What a block had besides the contract's members came to the host in `replay.data`, and is put back into the block.
//! An opaque part's kind is its block's member, and its data the whole block.

use aimu_sdk::json::call_arguments;
use aimu_sdk::{Failure, Part, PartContent, Reasoning, Replay, ToolCall, ToolOutput, ToolResult, json};
use serde_json::{Map, Value, json};

use crate::catalog::{Known, Maker};
use crate::media::{self, Names};

/// What a request's blocks share.
#[derive(Debug)]
pub(crate) struct Context<'a> {
    pub(crate) model: Known,
    pub(crate) names: Names,
    pub(crate) warnings: &'a mut Vec<String>,
}

/// The blocks that a part becomes: those in its place, and those that must wait behind all results of a turn.
#[derive(Debug, Default)]
pub(crate) struct Blocks {
    pub(crate) here: Vec<Value>,
    pub(crate) behind: Vec<Value>,
}

/// The blocks of a part; none for one that says nothing, which the API would refuse.
pub(crate) fn blocks(part: &Part, context: &mut Context<'_>) -> Result<Blocks, Failure> {
    let mut data = replayed(part.replay.as_ref())?;
    let mut behind = Vec::new();
    let mut block = match &part.content {
        PartContent::Text(text) | PartContent::Refusal(text) if data.contains_key("citations") => {
            json!({ "citationsContent": { "content": [{ "text": text }] } })
        }
        PartContent::Text(text) | PartContent::Refusal(text) => {
            if text.trim().is_empty() {
                return Ok(Blocks::default());
            }
            json!({ "text": text })
        }
        PartContent::Reasoning(reasoning) => match thought(reasoning, part.replay.as_ref(), &mut data) {
            Some(block) => block,
            // Only a signed thought is accepted; an unsigned one came from elsewhere, or is for display.
            None => return Ok(Blocks::default()),
        },
        PartContent::Media(media) => media::block(media, &mut context.names)?,
        PartContent::ToolCall(call) => call_block(call, context.warnings),
        PartContent::ToolResult(result) => result_block(result, context, &mut behind)?,
        PartContent::Opaque(opaque) => json::parse(&opaque.data, "an opaque part")?,
    };
    if let Some(Value::Object(inner)) = block.as_object_mut().and_then(|block| block.values_mut().next()) {
        inner.extend(data);
    }
    if let Some(extra) = &part.extra {
        merge_extra(&mut block, extra, "a part")?;
    }
    Ok(Blocks { here: vec![block], behind })
}

/// Merges members of a block's own: into what its kind holds, unless they name a kind themselves.
pub(crate) fn merge_extra(block: &mut Value, extra: &str, what: &str) -> Result<(), Failure> {
    let mut extra = match json::parse(extra, &format!("`extra` of {what}"))? {
        Value::Object(extra) => extra,
        _ => return Err(Failure::invalid(format!("`extra` of {what} must be a JSON object"))),
    };
    // The mark of another wire; what it says is in the cache point that follows.
    extra.shift_remove("cache_control");
    let kind = block.as_object().and_then(|block| block.keys().next()).cloned().unwrap_or_default();
    match block.get_mut(&kind) {
        Some(inner @ Value::Object(_)) if !extra.contains_key(&kind) => json::merge(inner, extra.into()),
        _ => json::merge(block, extra.into()),
    }
    Ok(())
}

/// The block that ends a cached prompt. Its lifetime is what `cache_control` says, as other wires have it.
pub(crate) fn cache_point(extra: Option<&str>) -> Value {
    let extra: Option<Value> = extra.and_then(|extra| serde_json::from_str(extra).ok());
    let ttl = extra.as_ref().and_then(|extra| extra.pointer("/cache_control/ttl"));
    let mut point = json!({ "type": "default" });
    if let Some(ttl) = ttl {
        point["ttl"] = ttl.clone();
    }
    json!({ "cachePoint": point })
}

/// The members that are put back into the block.
fn replayed(replay: Option<&Replay>) -> Result<Map<String, Value>, Failure> {
    match replay.and_then(|replay| replay.data.as_deref()) {
        None => Ok(Map::new()),
        Some(data) => match json::parse(data, "a part's replay data")? {
            Value::Object(mut members) => {
                // The host's own mark, on calls of wires without ids; here they are sent.
                members.shift_remove("id_synthetic");
                Ok(members)
            }
            _ => Err(Failure::invalid("a part's replay data must be a JSON object")),
        },
    }
}

fn thought(reasoning: &Reasoning, replay: Option<&Replay>, data: &mut Map<String, Value>) -> Option<Value> {
    // A raw block is whole.
    if let Some(raw) = data.shift_remove("reasoningContent") {
        return Some(json!({ "reasoningContent": raw }));
    }
    match reasoning {
        Reasoning::Redacted(data) => Some(json!({ "reasoningContent": { "redactedContent": data } })),
        Reasoning::Text(text) | Reasoning::Summary(text) => {
            let signature = replay.and_then(|replay| replay.signature.as_deref())?;
            Some(json!({ "reasoningContent": { "reasoningText": { "text": text, "signature": signature } } }))
        }
    }
}

fn call_block(call: &ToolCall, warnings: &mut Vec<String>) -> Value {
    let input = call_arguments(call, warnings);
    json!({ "toolUse": { "toolUseId": call_id(&call.id), "name": call.name, "input": input } })
}

fn result_block(
    result: &ToolResult,
    context: &mut Context<'_>,
    behind: &mut Vec<Value>,
) -> Result<Value, Failure> {
    let mut content = Vec::new();
    for output in &result.output {
        match output {
            ToolOutput::Json(text) => match json::parse(text, "a tool's result")? {
                value @ Value::Object(_) => content.push(json!({ "json": value })),
                // The wire has objects only.
                _ => content.push(json!({ "text": text })),
            },
            ToolOutput::Text(text) => {
                if !text.trim().is_empty() {
                    content.push(json!({ "text": text }));
                }
            }
            ToolOutput::Media(media) => {
                let block = media::block(media, &mut context.names)?;
                if fits_in_result(&block, context.model.maker) {
                    content.push(block);
                } else {
                    behind.push(block);
                }
            }
        }
    }
    if content.is_empty() && !behind.is_empty() {
        content.push(json!({ "text": "The result is attached." }));
    }
    let mut block = json!({ "toolUseId": call_id(&result.call_id), "content": content });
    // Writer's models know no status; the text says what went wrong.
    if context.model.maker != Maker::Writer {
        block["status"] = if result.is_error { "error".into() } else { "success".into() };
    }
    Ok(json!({ "toolResult": block }))
}

/// A result holds no sound, and with Nova neither documents nor videos: it calls them malformed.
fn fits_in_result(block: &Value, maker: Maker) -> bool {
    let is = |kind: &str| block.get(kind).is_some();
    !is("audio") && !(maker == Maker::Amazon && (is("document") || is("video")))
}

/// An id in the alphabet and of the length that the API takes
/// (<https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ToolUseBlock.html>). Calls of another provider
/// may have ids of another.
fn call_id(id: &str) -> String {
    id.chars()
        .take(64)
        .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ':') { c } else { '_' })
        .collect()
}
