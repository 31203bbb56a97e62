//! The conversation as `system` and `messages`: system messages are lifted unless the model takes them in place, tool results are the user's, what is empty
//! is dropped, and neighbours of one role are one turn.

use aimu_sdk::{Failure, Message, PartContent, Role, json};
use serde_json::{Map, Value, json};

use crate::blocks::block;
use crate::catalog::Model;

/// A conversation in the wire's form.
#[derive(Debug, Default)]
pub(crate) struct Conversation {
    /// The blocks of `system`.
    pub(crate) system: Vec<Value>,
    /// The `messages`.
    pub(crate) messages: Vec<Value>,
}

/// One turn before it is written.
struct Turn {
    role: &'static str,
    blocks: Vec<Value>,
    extra: Option<String>,
}

/// Converts the conversation for a model.
pub(crate) fn convert(
    messages: &[Message],
    model: Option<&Model>,
    warnings: &mut Vec<String>,
) -> Result<Conversation, Failure> {
    let anywhere = model.is_some_and(|model| model.system_anywhere);
    let mut system = Vec::new();
    let mut turns: Vec<Turn> = Vec::new();
    for message in messages {
        let blocks = blocks_of(message, warnings)?;
        let extra = wire_extra(message)?;
        // After the user's turn is the only place that the API takes.
        let fits = anywhere && turns.last().is_some_and(|last| last.role != "assistant");
        let role = match message.role {
            Role::System if fits || in_place(message, extra.as_ref()) => "system",
            Role::System => {
                system.extend(blocks);
                continue;
            }
            Role::User | Role::Tool => "user",
            Role::Assistant => "assistant",
        };
        if blocks.is_empty() {
            continue;
        }
        let extra = extra.map(|extra| Value::Object(extra).to_string());
        match turns.last_mut() {
            Some(last) if last.role == role && last.extra == extra => last.blocks.extend(blocks),
            _ => turns.push(Turn { role, blocks, extra }),
        }
    }
    if let Some(last) = turns.last_mut() {
        trim_prefix(last);
    }
    let messages = turns
        .into_iter()
        .map(|turn| {
            let mut message = json!({ "role": turn.role, "content": turn.blocks });
            json::merge_extra(&mut message, turn.extra.as_deref(), "a message")?;
            Ok(message)
        })
        .collect::<Result<_, Failure>>()?;
    Ok(Conversation { system, messages })
}

fn blocks_of(message: &Message, warnings: &mut Vec<String>) -> Result<Vec<Value>, Failure> {
    let mut blocks: Vec<Value> = Vec::new();
    for part in &message.parts {
        match block(part, warnings)? {
            Some(block) => blocks.push(block),
            // What is dropped leaves its hint to what came before it.
            None if part.cache_here => {
                if let Some(Value::Object(last)) = blocks.last_mut() {
                    last.entry("cache_control").or_insert_with(|| json!({ "type": "ephemeral" }));
                }
            }
            None => {}
        }
    }
    Ok(blocks)
}

/// The message's own members. `prefix` is not one of them here: a last turn of the assistant is always continued.
fn wire_extra(message: &Message) -> Result<Option<Map<String, Value>>, Failure> {
    let Some(text) = &message.extra else {
        return Ok(None);
    };
    match json::parse(text, "`extra` of a message")? {
        Value::Object(mut extra) => {
            extra.shift_remove("prefix");
            Ok((!extra.is_empty()).then_some(extra))
        }
        _ => Err(Failure::invalid("`extra` of a message must be a JSON object")),
    }
}

/// For a model of which it is not known that it takes system messages in the middle of a conversation
/// (<https://platform.claude.com/docs/en/build-with-claude/mid-conversation-system-messages>), one stays where it is if
/// it holds a block of its own (`tool_addition`), or if its `extra` says `"role": "system"`.
fn in_place(message: &Message, extra: Option<&Map<String, Value>>) -> bool {
    extra.is_some_and(|extra| extra.get("role").is_some_and(|role| role == "system"))
        || message.parts.iter().any(|part| matches!(part.content, PartContent::Opaque(_)))
}

/// The API refuses an assistant's last turn that ends in white space.
fn trim_prefix(turn: &mut Turn) {
    if turn.role == "assistant"
        && let Some(Value::String(text)) = turn.blocks.last_mut().and_then(|block| block.get_mut("text"))
    {
        text.truncate(text.trim_end().len());
    }
}
