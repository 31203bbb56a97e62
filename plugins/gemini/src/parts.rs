//! One part of the contract as one of the wire's (<https://ai.google.dev/api/caching#Part>).
//!
//! A signature came on a part and goes back on that part, unchanged. What else a part had besides the contract's
//! members came to the host in `replay.data`, and is put back over it; an opaque part's data is the whole part.

use aimu_sdk::json::call_arguments;
use aimu_sdk::media::{base64, essence};
use aimu_sdk::{
    Failure, Media, MediaKind, MediaSource, Part, PartContent, Reasoning, Replay, ToolCall, ToolOutput,
    ToolResult, json,
};
use serde_json::{Map, Value, json};

/// The part on the wire; `None` for one that says nothing, which the API would refuse. Results of tools are written by
/// [`response`].
pub(crate) fn part(part: &Part, warnings: &mut Vec<String>) -> Result<Option<Value>, Failure> {
    let (data, synthetic) = replayed(part.replay.as_ref())?;
    let signature = part.replay.as_ref().and_then(|replay| replay.signature.as_deref());
    let mut wire = match &part.content {
        PartContent::Text(text) | PartContent::Refusal(text) => {
            // An empty one that is signed is a part of the model's turn like any other.
            if text.is_empty() && signature.is_none() && data.is_empty() {
                return Ok(None);
            }
            json!({ "text": text })
        }
        PartContent::Reasoning(Reasoning::Text(text) | Reasoning::Summary(text)) => {
            if text.is_empty() && signature.is_none() {
                return Ok(None);
            }
            json!({ "text": text, "thought": true })
        }
        // Nothing of Gemini's is like it.
        PartContent::Reasoning(Reasoning::Redacted(_)) => return Ok(None),
        PartContent::Media(media) => blob(media)?,
        // What Google ran goes back as it came; what another ran is no part of this API.
        PartContent::ToolCall(call) if call.server_executed => {
            if data.is_empty() {
                return Ok(None);
            }
            json!({})
        }
        PartContent::ToolCall(call) => function_call(call, synthetic, warnings),
        PartContent::ToolResult(_) => return Ok(None),
        PartContent::Opaque(opaque) => json::parse(&opaque.data, "an opaque part")?,
    };
    if let Value::Object(members) = &mut wire {
        for (name, value) in data {
            match (members.get_mut(&name), value) {
                // Members beside those of the contract, as of a call.
                (Some(Value::Object(have)), Value::Object(more)) => have.extend(more),
                (_, value) => drop(members.insert(name, value)),
            }
        }
        if let Some(signature) = signature {
            members.insert("thoughtSignature".into(), signature.into());
        }
    }
    json::merge_extra(&mut wire, part.extra.as_deref(), "a part")?;
    Ok(Some(wire))
}

/// The members that are put back over the part, and whether the host made up the call's id.
fn replayed(replay: Option<&Replay>) -> Result<(Map<String, Value>, bool), Failure> {
    match replay.and_then(|replay| replay.data.as_deref()) {
        None => Ok((Map::new(), false)),
        Some(data) => match json::parse(data, "a part's replay data")? {
            Value::Object(mut members) => {
                let synthetic = members.shift_remove("id_synthetic").is_some();
                Ok((members, synthetic))
            }
            _ => Err(Failure::invalid("a part's replay data must be a JSON object")),
        },
    }
}

/// Whether a call's id was made up, so that neither it nor its result's goes out.
pub(crate) fn has_synthetic_id(part: &Part) -> bool {
    replayed(part.replay.as_ref()).is_ok_and(|(_, synthetic)| synthetic)
}

fn function_call(call: &ToolCall, synthetic: bool, warnings: &mut Vec<String>) -> Value {
    let args = call_arguments(call, warnings);
    let mut wire = Map::new();
    if !synthetic && !call.id.is_empty() {
        wire.insert("id".into(), call.id.as_str().into());
    }
    wire.insert("name".into(), call.name.as_str().into());
    wire.insert("args".into(), args);
    json!({ "functionCall": wire })
}

/// A tool's result, and the media that have no place in it on models that take none there.
pub(crate) struct Response {
    /// The part.
    pub(crate) part: Value,
    /// Parts to show beside it.
    pub(crate) beside: Vec<Value>,
}

/// A tool's result (<https://ai.google.dev/api/caching#FunctionResponse>): an object, whose members `output` and
/// `error` the API names.
pub(crate) fn response(
    part: &Part,
    result: &ToolResult,
    synthetic: bool,
    media_inside: bool,
) -> Result<Response, Failure> {
    let mut outputs = Vec::new();
    let mut media = Vec::new();
    for output in &result.output {
        match output {
            ToolOutput::Text(text) => outputs.push(Value::String(text.clone())),
            ToolOutput::Json(text) => outputs.push(json::parse(text, "a tool's result")?),
            ToolOutput::Media(one) => media.push(blob(one)?),
        }
    }
    let mut wire = Map::new();
    if !synthetic && !result.call_id.is_empty() {
        wire.insert("id".into(), result.call_id.as_str().into());
    }
    wire.insert("name".into(), result.name.as_str().into());
    let member = if result.is_error { "error" } else { "output" };
    let single = if outputs.len() == 1 { outputs.pop() } else { None };
    let response = match single {
        Some(object @ Value::Object(_)) => object,
        Some(value) => json!({ member: value }),
        None if outputs.is_empty() && !media.is_empty() => json!({}),
        None if outputs.is_empty() => json!({ member: "" }),
        None => json!({ member: outputs }),
    };
    wire.insert("response".into(), response);
    let mut beside = Vec::new();
    if media_inside && !media.is_empty() {
        wire.insert("parts".into(), media.into());
    } else if !media.is_empty() {
        beside.push(json!({ "text": format!("What the function {} returned:", result.name) }));
        beside.extend(media);
    }
    let mut wire = json!({ "functionResponse": wire });
    json::merge_extra(&mut wire, part.extra.as_deref(), "a part")?;
    Ok(Response { part: wire, beside })
}

/// `inlineData` or `fileData` (<https://ai.google.dev/gemini-api/docs/file-input-methods>).
fn blob(media: &Media) -> Result<Value, Failure> {
    let mime = essence(&media.mime_type);
    Ok(match &media.source {
        MediaSource::Bytes(bytes) => {
            let mime = match (mime.as_str(), media.kind) {
                ("", MediaKind::Document) => "text/plain",
                ("", _) => {
                    return Err(Failure::invalid("Gemini needs to be told the type of each medium"));
                }
                (mime, _) => mime,
            };
            json!({ "inlineData": { "mimeType": mime, "data": base64(bytes) } })
        }
        MediaSource::Url(uri) => file(uri, &mime),
        // The id of a file is the end of its address, and the API takes the whole only.
        MediaSource::FileId(id) if id.contains("://") => file(id, &mime),
        MediaSource::FileId(id) => {
            let id = id.strip_prefix("files/").unwrap_or(id);
            file(&format!("https://generativelanguage.googleapis.com/v1beta/files/{id}"), &mime)
        }
    })
}

fn file(uri: &str, mime: &str) -> Value {
    let mut file = json!({ "fileUri": uri });
    if !mime.is_empty() {
        file["mimeType"] = mime.into();
    }
    json!({ "fileData": file })
}
