//! The conversation as `system` and `messages`
//! (<https://docs.aws.amazon.com/bedrock/latest/userguide/conversation-inference-call.html>): system messages are lifted,
//! results of tools are the user's, empty parts and messages are dropped, and neighbours of one role are one message,
//! since the API wants roles to alternate. Marks for the cache are blocks of their own.

use aimu_sdk::{Failure, Message, Role, json};
use serde_json::{Value, json};

use crate::blocks::{self, Context, cache_point};

/// A conversation in the wire's form.
#[derive(Debug, Default)]
pub(crate) struct Conversation {
    /// The blocks of `system`.
    pub(crate) system: Vec<Value>,
    /// The `messages`.
    pub(crate) messages: Vec<Value>,
}

/// One message before it is written.
struct Turn {
    role: &'static str,
    blocks: Vec<Value>,
    extra: Option<String>,
}

/// Converts the conversation for a model.
pub(crate) fn convert(messages: &[Message], context: &mut Context<'_>) -> Result<Conversation, Failure> {
    let mut system = Vec::new();
    let mut turns: Vec<Turn> = Vec::new();
    // Media of results wait until all results of a turn are there.
    let mut behind = Vec::new();
    for message in messages {
        if message.role != Role::Tool {
            add(&mut turns, Turn { role: "user", blocks: std::mem::take(&mut behind), extra: None });
        }
        let (here, late) = blocks_of(message, context)?;
        behind.extend(late);
        let role = match message.role {
            Role::System => {
                system.extend(here);
                continue;
            }
            Role::User | Role::Tool => "user",
            Role::Assistant => "assistant",
        };
        add(&mut turns, Turn { role, blocks: here, extra: wire_extra(message)? });
    }
    add(&mut turns, Turn { role: "user", blocks: behind, extra: None });
    if let Some(last) = turns.last_mut() {
        trim_prefix(last);
    }
    let messages = turns.into_iter().map(write).collect::<Result<_, _>>()?;
    Ok(Conversation { system, messages })
}

fn add(turns: &mut Vec<Turn>, turn: Turn) {
    match turns.last_mut() {
        _ if turn.blocks.is_empty() => {}
        Some(last) if last.role == turn.role && last.extra == turn.extra => last.blocks.extend(turn.blocks),
        _ => turns.push(turn),
    }
}

fn write(turn: Turn) -> Result<Value, Failure> {
    let mut message = json!({ "role": turn.role, "content": turn.blocks });
    json::merge_extra(&mut message, turn.extra.as_deref(), "a message")?;
    Ok(message)
}

/// The blocks of a message, and those that must wait.
fn blocks_of(message: &Message, context: &mut Context<'_>) -> Result<(Vec<Value>, Vec<Value>), Failure> {
    let (mut here, mut behind) = (Vec::new(), Vec::new());
    for part in &message.parts {
        let made = blocks::blocks(part, context)?;
        here.extend(made.here);
        behind.extend(made.behind);
        // A point with nothing before it marks nothing, and a second one nothing more.
        let Some(last) = here.last() else { continue };
        if !part.cache_here || last.get("cachePoint").is_some() {
            continue;
        }
        // A point is refused right behind a document or a video.
        if last.get("document").is_some() || last.get("video").is_some() {
            here.push(json!({ "text": "\n" }));
        }
        here.push(cache_point(part.extra.as_deref()));
    }
    Ok((here, behind))
}

/// The message's own members. Names and continued turns are forms of other wires, which the API refuses; a last turn of
/// the assistant is continued by itself where the model can.
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

/// Claude refuses an assistant's last turn that ends in white space.
fn trim_prefix(turn: &mut Turn) {
    if turn.role == "assistant"
        && let Some(Value::String(text)) = turn.blocks.last_mut().and_then(|block| block.get_mut("text"))
    {
        text.truncate(text.trim_end().len());
    }
}
