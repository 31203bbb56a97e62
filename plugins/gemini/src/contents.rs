//! The conversation as `systemInstruction` and `contents`
//! (<https://ai.google.dev/api/caching#Content>): system messages are lifted, empty parts are dropped, and neighbours
//! of one role are one turn. A message that says nothing keeps its turn on the Gemini API, which takes an empty text;
//! Vertex AI refuses one, so there it is left out. Results of functions are a turn of their own: there must be as many as there were calls,
//! and what a user says is none of them.

use std::collections::HashSet;

use aimu_sdk::{Failure, Message, PartContent, Role, json};
use serde_json::{Value, json};

use crate::catalog::Known;
use crate::endpoint::Service;
use crate::parts;

/// What the API takes for a signature where there is none, because another model made the call
/// (<https://ai.google.dev/gemini-api/docs/thought-signatures#faqs>): the words `context_engineering_is_the_way_to_go`,
/// in base64 as every signature is.
const UNSIGNED: &str = "Y29udGV4dF9lbmdpbmVlcmluZ19pc190aGVfd2F5X3RvX2dv";

/// A conversation in the wire's form.
#[derive(Debug, Default)]
pub(crate) struct Conversation {
    /// The parts of `systemInstruction`.
    pub(crate) system: Vec<Value>,
    /// The `contents`.
    pub(crate) contents: Vec<Value>,
}

/// Who has a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Speaker {
    User,
    Model,
    Functions,
}

/// One turn before it is written.
struct Turn {
    speaker: Speaker,
    parts: Vec<Value>,
    extra: Option<String>,
}

/// Converts the conversation for a model.
pub(crate) fn convert(
    messages: &[Message],
    model: &Known,
    service: Service,
    warnings: &mut Vec<String>,
) -> Result<Conversation, Failure> {
    let synthetic = synthetic_ids(messages);
    let mut system = Vec::new();
    let mut turns: Vec<Turn> = Vec::new();
    // Media of results wait until all results of a turn are there, which must not be parted.
    let mut beside = Vec::new();
    for message in messages {
        let speaker = match message.role {
            Role::System | Role::User => Speaker::User,
            Role::Assistant => Speaker::Model,
            Role::Tool => Speaker::Functions,
        };
        if speaker != Speaker::Functions {
            add(&mut turns, Turn { speaker: Speaker::User, parts: std::mem::take(&mut beside), extra: None });
        }
        let mut wire = Vec::new();
        for part in &message.parts {
            match &part.content {
                PartContent::ToolResult(result) => {
                    let made_up = synthetic.contains(result.call_id.as_str());
                    let response = parts::response(part, result, made_up, model.is_third_generation())?;
                    wire.push(response.part);
                    beside.extend(response.beside);
                }
                _ => wire.extend(parts::part(part, warnings)?),
            }
        }
        if message.role == Role::System {
            system.extend(wire);
            continue;
        }
        if wire.is_empty() && speaker != Speaker::Functions && service == Service::Gemini {
            wire.push(json!({ "text": "" }));
        }
        if speaker == Speaker::Model && model.is_third_generation() {
            sign(&mut wire);
        }
        add(&mut turns, Turn { speaker, parts: wire, extra: wire_extra(message)? });
    }
    add(&mut turns, Turn { speaker: Speaker::User, parts: beside, extra: None });
    let contents = turns.into_iter().map(write).collect::<Result<_, _>>()?;
    Ok(Conversation { system, contents })
}

fn add(turns: &mut Vec<Turn>, turn: Turn) {
    match turns.last_mut() {
        _ if turn.parts.is_empty() => {}
        Some(last) if last.speaker == turn.speaker && last.extra == turn.extra => {
            last.parts.extend(turn.parts);
        }
        _ => turns.push(turn),
    }
}

fn write(turn: Turn) -> Result<Value, Failure> {
    let role = if turn.speaker == Speaker::Model { "model" } else { "user" };
    let mut content = json!({ "role": role, "parts": turn.parts });
    json::merge_extra(&mut content, turn.extra.as_deref(), "a message")?;
    Ok(content)
}

/// The ids that the host made up for calls that came without one.
fn synthetic_ids(messages: &[Message]) -> HashSet<&str> {
    let parts = messages.iter().flat_map(|message| &message.parts);
    parts
        .filter_map(|part| match &part.content {
            PartContent::ToolCall(call) if parts::has_synthetic_id(part) => Some(call.id.as_str()),
            _ => None,
        })
        .collect()
}

/// The first call of each turn must be signed. One that another model made is not, and is said to be so.
fn sign(parts: &mut [Value]) {
    let first = parts.iter_mut().find(|part| part.get("functionCall").is_some());
    if let Some(Value::Object(part)) = first {
        part.entry("thoughtSignature").or_insert_with(|| UNSIGNED.into());
    }
}

/// The message's own members. Names and continued turns are forms of other wires: the API refuses what it does not
/// know, and continues a last turn of the model by itself.
fn wire_extra(message: &Message) -> Result<Option<String>, Failure> {
    let Some(text) = &message.extra else { return Ok(None) };
    match json::parse(text, "`extra` of a message")? {
        Value::Object(mut extra) => {
            for name in ["name", "prefix", "phase", "audio"] {
                extra.shift_remove(name);
            }
            Ok((!extra.is_empty()).then(|| Value::Object(extra).to_string()))
        }
        _ => Err(Failure::invalid("`extra` of a message must be a JSON object")),
    }
}
