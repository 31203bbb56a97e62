//! OpenAI-format messages → the contract's messages.

use super::fields::{Fields, invalid, sort_of};
use super::{media, reasoning, write};
use crate::model::{Message, Part, PartContent, Replay, Result, Role, ToolCall, ToolOutput, ToolResult};
use serde_json::{Map, Value, json};
use std::borrow::Borrow;
use std::collections::HashMap;

/// Members of a message that go out again as the provider's own message form has them.
const PASSED_ON: &[&str] = &["name", "prefix", "phase", "audio"];

/// Members that answers of other tools carry and that mean nothing as input.
const IGNORED: &[&str] = &["annotations", "function_call", "content_filter_results"];

/// A conversation in OpenAI format as the contract's messages, in order.
///
/// # Errors
/// `invalid-request`, with the place (`messages[3].content[0]`), what is wrong there and what is accepted.
pub(crate) fn messages<V: Borrow<Value>>(history: impl IntoIterator<Item = V>) -> Result<Vec<Message>> {
    let mut names = HashMap::new();
    let mut read = Vec::new();
    for (index, value) in history.into_iter().enumerate() {
        let message = read_message(value.borrow(), &format!("messages[{index}]"), &names)?;
        for part in &message.parts {
            if let PartContent::ToolCall(call) = &part.content {
                names.insert(call.id.clone(), call.name.clone());
            }
        }
        read.push(message);
    }
    Ok(read)
}

/// One OpenAI-format message by itself: a tool's message has a name only if it says it.
///
/// # Errors
/// As [`messages`].
pub(crate) fn message(value: &Value) -> Result<Message> {
    read_message(value, "message", &HashMap::new())
}

fn read_message(value: &Value, path: &str, names: &HashMap<String, String>) -> Result<Message> {
    let fields = Fields::of(value, path)?;
    let common = ["role", "content", "cache_control"];
    let (role, own): (_, &[&str]) = match fields.required_text("role")? {
        // The contract has one sort of instructions; a provider that tells them apart names it by its own rules.
        "system" | "developer" => (Role::System, &[]),
        "user" => (Role::User, &[]),
        "assistant" => (Role::Assistant, &ASSISTANT),
        "tool" => (Role::Tool, &TOOL),
        other => {
            let what = format_args!("`{other}` is none of system, developer, user, assistant and tool");
            return Err(invalid(&fields.at("role"), what));
        }
    };
    let known: Vec<&str> = common.iter().chain(own).chain(PASSED_ON).chain(IGNORED).copied().collect();
    fields.only(&known)?;
    let mut parts = match role {
        Role::System | Role::User => match fields.get("content") {
            Some(content) => content_parts(content, &fields.at("content"))?,
            None => return Err(fields.missing("content", "a string or a list of parts")),
        },
        Role::Assistant => assistant(&fields)?,
        Role::Tool => vec![tool_result(&fields, names)?],
    };
    if let Some(last) = parts.last_mut() {
        cache_mark(&fields, last);
    }
    let mut passed_on = PASSED_ON.to_vec();
    passed_on.retain(|key| fields.has(key) && !(role == Role::Tool && *key == "name"));
    let extra: Map<_, _> =
        passed_on.iter().filter_map(|key| Some(((*key).to_owned(), fields.get(key)?.clone()))).collect();
    let origin = match fields.get("origin").filter(|_| role == Role::Assistant) {
        Some(origin) => Some(serde_json::from_value(origin.clone()).map_err(|error| {
            invalid(&fields.at("origin"), format_args!("must be {{\"provider\", \"model\"}}: {error}"))
        })?),
        None => None,
    };
    Ok(Message { role, parts, extra: (!extra.is_empty()).then_some(Value::Object(extra)), origin })
}

const ASSISTANT: [&str; 9] = [
    "tool_calls",
    "refusal",
    "reasoning",
    "reasoning_content",
    "reasoning_details",
    "thought_signature",
    "item_id",
    "parts",
    "origin",
];

const TOOL: [&str; 3] = ["tool_call_id", "raw_response", "is_error"];

fn assistant(fields: &Fields<'_>) -> Result<Vec<Part>> {
    if let Some(list) = fields.get("parts") {
        let parts: Vec<Part> = serde_json::from_value(list.clone())
            .map_err(|error| invalid(&fields.at("parts"), format_args!("is not a list of parts: {error}")))?;
        if write::agrees(&parts, fields) {
            return Ok(parts);
        }
    }
    let mut parts = reasoning::read_all(fields)?;
    if let Some(content) = fields.get("content") {
        parts.extend(content_parts(content, &fields.at("content"))?);
    }
    attach_replay(fields, &mut parts)?;
    if let Some(refusal) = fields.text("refusal")? {
        parts.push(PartContent::Refusal(refusal.to_owned()).into());
    }
    for (index, call) in fields.list("tool_calls")?.unwrap_or_default().iter().enumerate() {
        parts.push(tool_call(&Fields::of(call, format!("{}[{index}]", fields.at("tool_calls")))?)?);
    }
    Ok(parts)
}

/// A message's own `thought_signature` and `item_id` are its text's; without text, an empty one carries them.
fn attach_replay(fields: &Fields<'_>, parts: &mut Vec<Part>) -> Result<()> {
    let replay = replay_of(fields)?;
    if replay.is_none() {
        return Ok(());
    }
    match parts.iter_mut().rev().find(|part| matches!(part.content, PartContent::Text(_))) {
        Some(text) => text.replay = replay,
        None => parts.push(Part { replay, ..PartContent::Text(String::new()).into() }),
    }
    Ok(())
}

fn replay_of(fields: &Fields<'_>) -> Result<Option<Replay>> {
    let data = fields.flag("id_synthetic")?.filter(|synthetic| *synthetic).map(|_| synthetic_id());
    let replay = Replay {
        signature: fields.text("thought_signature")?.map(str::to_owned),
        item_id: fields.text("item_id")?.map(str::to_owned),
        data,
    };
    Ok(Some(replay).filter(|replay| *replay != Replay::default()))
}

/// The replay data of a call whose id the host made up, because the wire has none: such an id is not to be sent.
pub(crate) fn synthetic_id() -> Value {
    json!({"id_synthetic": true})
}

fn tool_call(fields: &Fields<'_>) -> Result<Part> {
    const KNOWN: [&str; 7] =
        ["id", "type", "index", "function", "thought_signature", "item_id", "id_synthetic"];
    if let Some(other) = fields.text("type")?.filter(|kind| *kind != "function") {
        return Err(invalid(
            &fields.at("type"),
            format_args!("`{other}` is not accepted; only `function` is"),
        ));
    }
    let function =
        fields.object("function")?.ok_or_else(|| fields.missing("function", "an object with `name`"))?;
    function.only(&["name", "arguments"])?;
    // Verbatim: the model's own text is the truth, and a provider's cache and signature may depend on each space.
    let arguments = match function.get("arguments") {
        None => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(value @ Value::Object(_)) => value.to_string(),
        Some(other) => {
            let what = format_args!("must be a string of JSON or an object, not {}", sort_of(other));
            return Err(invalid(&function.at("arguments"), what));
        }
    };
    let call = ToolCall {
        id: fields.required_text("id")?.to_owned(),
        name: function.required_text("name")?.to_owned(),
        arguments,
        server_executed: false,
    };
    let mut part = Part { replay: replay_of(fields)?, ..PartContent::ToolCall(call).into() };
    keep_others(fields, &KNOWN, &mut part);
    Ok(part)
}

fn tool_result(fields: &Fields<'_>, names: &HashMap<String, String>) -> Result<Part> {
    let call_id = fields.required_text("tool_call_id")?.to_owned();
    let name =
        fields.text("name")?.map(str::to_owned).or_else(|| names.get(&call_id).cloned()).unwrap_or_default();
    let mut part: Part = PartContent::Text(String::new()).into();
    let mut output = Vec::new();
    if let Some(content) = fields.get("content") {
        let path = fields.at("content");
        for (index, piece) in content_parts(content, &path)?.into_iter().enumerate() {
            // The result is one part, so its pieces' marks are its own.
            part.cache_here |= piece.cache_here;
            let mut extra = piece.extra;
            let is_json =
                extra.as_mut().and_then(Value::as_object_mut).and_then(|extra| extra.remove("json"));
            part.extra = merged(part.extra.take(), extra);
            output.push(match piece.content {
                PartContent::Text(text) if is_json == Some(Value::Bool(true)) => {
                    ToolOutput::Json(serde_json::from_str(&text).map_err(|error| {
                        invalid(&format!("{path}[{index}].text"), format_args!("is not JSON: {error}"))
                    })?)
                }
                PartContent::Text(text) => ToolOutput::Text(text),
                PartContent::Media(media) => ToolOutput::Media(media),
                _ => {
                    return Err(invalid(&format!("{path}[{index}]"), "a tool's result is text or media"));
                }
            });
        }
    }
    if let Some(raw) = fields.get("raw_response") {
        // The object says all that the text says, in the form that the wire had.
        output.retain(|piece| matches!(piece, ToolOutput::Media(_)));
        output.insert(0, ToolOutput::Json(raw.clone()));
    }
    let is_error = fields.flag("is_error")?.unwrap_or_default();
    part.content = PartContent::ToolResult(ToolResult { call_id, name, output, is_error });
    Ok(part)
}

/// The parts of a message's `content`: a string or a list.
///
/// # Errors
/// As [`messages`].
pub(super) fn content_parts(content: &Value, path: &str) -> Result<Vec<Part>> {
    match content {
        Value::String(text) => Ok(vec![PartContent::Text(text.clone()).into()]),
        Value::Array(list) => list
            .iter()
            .enumerate()
            .map(|(index, part)| content_part(part, &format!("{path}[{index}]")))
            .collect(),
        other => {
            Err(invalid(path, format_args!("must be a string or a list of parts, not {}", sort_of(other))))
        }
    }
}

fn content_part(value: &Value, path: &str) -> Result<Part> {
    if let Value::String(text) = value {
        return Ok(PartContent::Text(text.clone()).into());
    }
    let fields = Fields::of(value, path)?;
    let kind = fields.required_text("type")?;
    let (content, took): (PartContent, &[&str]) = match kind {
        "text" => (PartContent::Text(fields.required_text("text")?.to_owned()), &["text"]),
        "refusal" => (PartContent::Refusal(fields.required_text("refusal")?.to_owned()), &["refusal"]),
        _ => match media::read(&fields, kind)? {
            Some((media, took)) => (PartContent::Media(media), took),
            None => {
                let what = format_args!(
                    "`{kind}` is not a part that is known here. Accepted: text, image_url, input_audio, file, \
                     document_url, video_url, refusal"
                );
                return Err(invalid(&fields.at("type"), what));
            }
        },
    };
    let mut part = Part { replay: replay_of(&fields)?, ..content.into() };
    let mut known = vec!["type", "cache_control", "thought_signature", "item_id", "id_synthetic"];
    known.extend(took);
    keep_others(&fields, &known, &mut part);
    cache_mark(&fields, &mut part);
    Ok(part)
}

/// Members that have no field here are the provider's own.
fn keep_others(fields: &Fields<'_>, known: &[&str], part: &mut Part) {
    let others = fields.others(known);
    if !others.is_empty() {
        part.extra = merged(part.extra.take(), Some(Value::Object(others)));
    }
}

/// `cache_control` is the mark to cache up to here; what it says beyond that goes out as it is.
pub(crate) fn cache_extra(mark: &Value) -> Option<Value> {
    (*mark != json!({"type": "ephemeral"})).then(|| json!({"cache_control": mark}))
}

fn cache_mark(fields: &Fields<'_>, part: &mut Part) {
    if let Some(mark) = fields.get("cache_control") {
        part.cache_here = true;
        part.extra = merged(part.extra.take(), cache_extra(mark));
    }
}

fn merged(first: Option<Value>, second: Option<Value>) -> Option<Value> {
    let both = [first, second].into_iter().flatten().filter_map(|value| match value {
        Value::Object(map) => Some(map),
        _ => None,
    });
    let all: Map<_, _> = both.flatten().collect();
    (!all.is_empty()).then_some(Value::Object(all))
}

#[cfg(test)]
mod tests;
