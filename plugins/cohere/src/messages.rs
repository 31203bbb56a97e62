//! The conversation as `messages`, and the documents in it (<https://docs.cohere.com/reference/chat>).
//!
//! An assistant's message has its plan before its calls in a member of its own, `tool_plan`; so has it citations. A
//! message that says nothing is left out, as the API refuses it. Text documents become the request's `documents`,
//! where the model can cite them, or text where that can't be.

use aimu_sdk::json::{call_arguments, value};
use aimu_sdk::media::{document_text, url_of};
use aimu_sdk::{Failure, Media, MediaKind, Message, Part, PartContent, Reasoning, Role, ToolCall, json};
use serde_json::{Map, Value, json};

use crate::catalog::Model;
use crate::results;

/// The `type` in the replay data of reasoning that was the plan before tool calls. With its text beside it, it is a
/// block that a host can keep in one place.
pub(crate) const TOOL_PLAN: &str = "tool_plan";

/// A conversation in the wire's form.
#[derive(Debug, Default)]
pub(crate) struct Conversation {
    /// The `messages`.
    pub(crate) messages: Vec<Value>,
    /// The request's `documents`.
    pub(crate) documents: Vec<Value>,
}

/// Converts the conversation; `inline` keeps text documents in their messages.
pub(crate) fn convert(
    messages: &[Message],
    model: Option<&Model>,
    inline: bool,
    warnings: &mut Vec<String>,
) -> Result<Conversation, Failure> {
    let mut writer = Writer { model, inline, warnings, out: Conversation::default(), beside: Vec::new() };
    for message in messages {
        writer.results(message)?;
        match message.role {
            Role::Tool => {}
            Role::System => writer.said("system", message)?,
            Role::User => writer.said("user", message)?,
            Role::Assistant => writer.assistant(message)?,
        }
    }
    writer.show_beside();
    Ok(writer.out)
}

struct Writer<'a> {
    model: Option<&'a Model>,
    inline: bool,
    warnings: &'a mut Vec<String>,
    out: Conversation,
    /// Media of results, which the API takes in a user's message only. They wait until all results of a turn are there.
    beside: Vec<Value>,
}

impl Writer<'_> {
    fn push(&mut self, mut message: Value, extra: Option<&str>) -> Result<(), Failure> {
        if let Some(extra) = extra {
            let mut extra = json::parse(extra, "`extra` of a message")?;
            if let Value::Object(members) = &mut extra {
                // Forms of other wires; the API refuses what it does not know.
                for name in ["name", "prefix", "phase", "audio"] {
                    members.shift_remove(name);
                }
            }
            json::merge_extra(&mut message, Some(&extra.to_string()), "a message")?;
        }
        self.out.messages.push(message);
        Ok(())
    }

    fn results(&mut self, message: &Message) -> Result<(), Failure> {
        for part in &message.parts {
            if let PartContent::ToolResult(result) = &part.content {
                let results::Told { message: wire, images } = results::message(part, result)?;
                self.push(wire, message.extra.as_deref())?;
                if !images.is_empty() {
                    let whose = format!("What the function {} returned:", result.name);
                    self.beside.push(json!({ "type": "text", "text": whose }));
                    self.beside.extend(images);
                }
            }
        }
        Ok(())
    }

    fn show_beside(&mut self) {
        if !self.beside.is_empty() {
            let content = std::mem::take(&mut self.beside);
            self.out.messages.push(json!({ "role": "user", "content": content }));
        }
    }

    /// A system's or user's message.
    fn said(&mut self, role: &str, message: &Message) -> Result<(), Failure> {
        self.show_beside();
        let mut blocks = Vec::new();
        for part in &message.parts {
            if let Some(block) = self.block(part)? {
                blocks.push(block);
            }
        }
        if blocks.is_empty() {
            return Ok(());
        }
        self.push(json!({ "role": role, "content": of_blocks(blocks) }), message.extra.as_deref())
    }

    /// A part of a system's or user's message, or an assistant's text.
    fn block(&mut self, part: &Part) -> Result<Option<Value>, Failure> {
        let mut block = match &part.content {
            PartContent::Text(text) | PartContent::Refusal(text) => {
                if text.is_empty() {
                    return Ok(None);
                }
                let mut block = json!({ "type": "text", "text": text });
                put_back(&mut block, part);
                block
            }
            PartContent::Media(media) => match self.media(part, media)? {
                Some(block) => block,
                None => return Ok(None),
            },
            PartContent::Opaque(opaque) => json::parse(&opaque.data, "an opaque part")?,
            PartContent::Reasoning(_) | PartContent::ToolCall(_) | PartContent::ToolResult(_) => {
                return Ok(None);
            }
        };
        json::merge_extra(&mut block, part.extra.as_deref(), "a part")?;
        Ok(Some(block))
    }

    fn media(&mut self, part: &Part, media: &Media) -> Result<Option<Value>, Failure> {
        if let Some(text) = document_text(media) {
            if self.inline {
                return Ok(Some(json!({ "type": "text", "text": text })));
            }
            let mut document = document(media, self.out.documents.len());
            json::merge_extra(&mut document, part.extra.as_deref(), "a part")?;
            self.out.documents.push(document);
            return Ok(None);
        }
        if media.kind == MediaKind::Image {
            return image(media).map(Some);
        }
        Err(Failure::unsupported(format!(
            "Cohere takes images and text documents, nothing of type {}",
            media.mime_type
        )))
    }

    fn assistant(&mut self, message: &Message) -> Result<(), Failure> {
        self.show_beside();
        let mut content = Vec::new();
        let mut calls = Vec::new();
        let mut plan = String::new();
        let mut thoughts = String::new();
        let mut citations = Vec::new();
        for part in &message.parts {
            match &part.content {
                PartContent::Reasoning(Reasoning::Text(text) | Reasoning::Summary(text)) => {
                    if is_plan(part) {
                        plan.push_str(text);
                    } else if self.model.is_some_and(|model| !model.thinking) {
                        thoughts.push_str(text);
                    } else if !text.is_empty() {
                        let mut block = json!({ "type": "thinking", "thinking": text });
                        put_back(&mut block, part);
                        content.push(block);
                    }
                }
                PartContent::ToolCall(call) if !call.server_executed => {
                    calls.push(self::call(part, call, self.warnings)?);
                }
                PartContent::Text(_) => {
                    citations.extend(cited(part)?);
                    content.extend(self.block(part)?);
                }
                PartContent::Media(_) => {
                    self.warnings.push("a medium of the assistant's is not sent: Cohere takes none".into());
                }
                _ => content.extend(self.block(part)?),
            }
        }
        // A model that does not think takes no thoughts; what led another one to its calls is a plan all the same.
        if plan.is_empty() && !calls.is_empty() {
            plan = thoughts;
        }
        if content.is_empty() && calls.is_empty() {
            return Ok(());
        }
        let mut wire = Map::new();
        wire.insert("role".into(), "assistant".into());
        if !content.is_empty() {
            wire.insert("content".into(), of_blocks(content));
        }
        if !calls.is_empty() {
            wire.insert("tool_calls".into(), calls.into());
        }
        if !plan.is_empty() {
            wire.insert("tool_plan".into(), plan.into());
        }
        if !citations.is_empty() {
            wire.insert("citations".into(), citations.into());
        }
        self.push(Value::Object(wire), message.extra.as_deref())
    }
}

/// Blocks as a message's content: one that is plain text goes as a string.
fn of_blocks(mut blocks: Vec<Value>) -> Value {
    let plain = match blocks.as_slice() {
        [Value::Object(only)] => only.len() == 2 && only.get("type").is_some_and(|kind| kind == "text"),
        _ => false,
    };
    match blocks.first_mut().and_then(|only| only.get_mut("text")) {
        Some(text) if plain => text.take(),
        _ => blocks.into(),
    }
}

/// A text document for the model to cite (<https://docs.cohere.com/docs/retrieval-augmented-generation-rag>).
fn document(media: &Media, number: usize) -> Value {
    let mut data = Map::new();
    json::put(&mut data, "title", media.name.clone());
    if let aimu_sdk::MediaSource::Bytes(bytes) = &media.source {
        data.insert("text".into(), String::from_utf8_lossy(bytes).into());
    }
    json!({ "id": format!("document_{number}"), "data": data })
}

/// By its address, or whole in one (<https://docs.cohere.com/docs/image-inputs>).
pub(crate) fn image(media: &Media) -> Result<Value, Failure> {
    let Some(url) = url_of(media) else {
        return Err(Failure::unsupported(
            "Cohere has no store of files: send the image itself or its address",
        ));
    };
    let mut image = json!({ "url": url });
    if let Some(detail) = &media.detail {
        image["detail"] = detail.as_str().into();
    }
    Ok(json!({ "type": "image_url", "image_url": image }))
}

fn call(part: &Part, call: &ToolCall, warnings: &mut Vec<String>) -> Result<Value, Failure> {
    // Text here too: what reads as an object goes out verbatim.
    let arguments = match value(&call.arguments) {
        Ok(Value::Object(_)) => call.arguments.clone(),
        _ => call_arguments(call, warnings).to_string(),
    };
    let mut wire = json!({
        "id": call.id, "type": "function", "function": { "name": call.name, "arguments": arguments },
    });
    if let Some(data) = part.replay.as_ref().and_then(|replay| replay.data.as_deref()) {
        let mut data = json::parse(data, "a call's replay data")?;
        if let Some(members) = data.as_object_mut() {
            members.shift_remove("id_synthetic");
        }
        json::merge(&mut wire, data);
    }
    json::merge_extra(&mut wire, part.extra.as_deref(), "a part")?;
    Ok(wire)
}

fn replayed(part: &Part) -> Option<Value> {
    let data = part.replay.as_ref()?.data.as_deref()?;
    serde_json::from_str(data).ok()
}

/// What a block had besides; citations are the message's.
fn put_back(block: &mut Value, part: &Part) {
    if let Some(Value::Object(mut members)) = replayed(part) {
        members.shift_remove("citations");
        json::merge(block, Value::Object(members));
    }
}

/// Whether reasoning was the plan before tool calls.
fn is_plan(part: &Part) -> bool {
    replayed(part).is_some_and(|data| data.get("type").is_some_and(|kind| kind == TOOL_PLAN))
}

/// The citations that came with a text.
fn cited(part: &Part) -> Result<Vec<Value>, Failure> {
    match replayed(part).as_mut().and_then(|data| data.get_mut("citations")).map(Value::take) {
        Some(Value::Array(citations)) => Ok(citations),
        Some(_) => Err(Failure::invalid("the citations in a part's replay data must be a list")),
        None => Ok(Vec::new()),
    }
}
