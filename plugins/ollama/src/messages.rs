//! The conversation as `messages` (<https://docs.ollama.com/api/chat>): one text and a list of media each, thoughts and
//! calls beside them, and a message of its own for each result. A message that says nothing is left out.

use std::collections::HashSet;

use aimu_sdk::json::call_arguments;
use aimu_sdk::media::{base64, document_text};
use aimu_sdk::{
    Failure, Media, MediaKind, MediaSource, Message, Part, PartContent, Reasoning, Role, ToolCall,
    ToolOutput, ToolResult, json,
};
use serde_json::{Map, Value, json};

/// The kind of the opaque part that holds members of an answer's message which the contract has not.
pub(crate) const MESSAGE_MEMBERS: &str = "message";

/// Converts the conversation.
pub(crate) fn convert(messages: &[Message], warnings: &mut Vec<String>) -> Result<Vec<Value>, Failure> {
    let synthetic = synthetic_ids(messages);
    let mut wire = Vec::with_capacity(messages.len());
    for message in messages {
        // Results come first: nothing may stand between a turn's calls and their results.
        for part in &message.parts {
            if let PartContent::ToolResult(result) = &part.content {
                let made_up = synthetic.contains(result.call_id.as_str());
                let mut told = self::result(result, made_up)?;
                json::merge_extra(&mut told, part.extra.as_deref(), "a part")?;
                json::merge_extra(&mut told, message.extra.as_deref(), "a message")?;
                wire.push(told);
            }
        }
        let role = match message.role {
            Role::System => "system",
            Role::User => "user",
            Role::Assistant => "assistant",
            Role::Tool => continue,
        };
        if let Some(mut told) = self::message(role, message, &synthetic, warnings)? {
            json::merge_extra(&mut told, message.extra.as_deref(), "a message")?;
            wire.push(told);
        }
    }
    Ok(wire)
}

/// What a message says, as it is put together.
#[derive(Debug, Default)]
pub(crate) struct Said {
    texts: Vec<String>,
    /// Media in base64. Sounds are among them: the server looks at the bytes.
    pub(crate) images: Vec<Value>,
}

impl Said {
    /// More text.
    pub(crate) fn text(&mut self, text: &str) {
        if !text.is_empty() {
            self.texts.push(text.to_owned());
        }
    }

    /// A medium: text documents as text, images and sounds as bytes.
    pub(crate) fn media(&mut self, media: &Media) -> Result<(), Failure> {
        if let Some(text) = document_text(media) {
            self.texts.push(text);
            return Ok(());
        }
        match (&media.source, media.kind) {
            (MediaSource::Bytes(bytes), MediaKind::Image | MediaKind::Audio) => {
                self.images.push(base64(bytes).into());
                Ok(())
            }
            (MediaSource::Bytes(_), MediaKind::Document) => Err(Failure::unsupported(format!(
                "Ollama reads no documents of type {}, only text: convert it first",
                media.mime_type
            ))),
            (MediaSource::Bytes(_), MediaKind::Video) => {
                Err(Failure::unsupported("Ollama takes no videos: send frames as images"))
            }
            (MediaSource::Url(_) | MediaSource::FileId(_), _) => {
                Err(Failure::unsupported("Ollama takes media as bytes only, neither addresses nor ids"))
            }
        }
    }

    /// The texts as one, apart from each other.
    pub(crate) fn content(&self) -> String {
        self.texts.join("\n\n")
    }
}

fn message(
    role: &str,
    message: &Message,
    synthetic: &HashSet<&str>,
    warnings: &mut Vec<String>,
) -> Result<Option<Value>, Failure> {
    let mut said = Said::default();
    let mut thoughts = String::new();
    let mut calls = Vec::new();
    let mut members = Map::new();
    for part in &message.parts {
        match &part.content {
            PartContent::Text(text) | PartContent::Refusal(text) => said.text(text),
            PartContent::Reasoning(Reasoning::Text(text) | Reasoning::Summary(text)) => {
                thoughts.push_str(text);
            }
            PartContent::Media(media) => said.media(media)?,
            PartContent::ToolCall(call) if !call.server_executed => {
                calls.push(self::call(part, call, synthetic, warnings)?);
            }
            PartContent::Opaque(opaque) if opaque.kind == MESSAGE_MEMBERS => {
                if let Value::Object(own) = json::parse(&opaque.data, "an opaque part")? {
                    members.extend(own);
                }
            }
            // Results have messages of their own; of the others the API has nothing.
            PartContent::ToolResult(_)
            | PartContent::ToolCall(_)
            | PartContent::Reasoning(Reasoning::Redacted(_))
            | PartContent::Opaque(_) => {}
        }
        if let (Some(extra), false) = (&part.extra, matches!(part.content, PartContent::ToolResult(_))) {
            // There are no parts on this wire; what a caller adds to one is the message's.
            let mut own = Value::Object(members);
            json::merge_extra(&mut own, Some(extra), "a part")?;
            members = own.as_object_mut().map(std::mem::take).unwrap_or_default();
        }
    }
    let content = match message.role {
        // The pieces of an answer were one text.
        Role::Assistant => said.texts.concat(),
        _ => said.content(),
    };
    let nothing = content.is_empty() && thoughts.is_empty() && said.images.is_empty() && calls.is_empty();
    if nothing && members.is_empty() {
        return Ok(None);
    }
    let mut wire = Map::new();
    wire.insert("role".into(), role.into());
    wire.insert("content".into(), content.into());
    if !thoughts.is_empty() {
        wire.insert("thinking".into(), thoughts.into());
    }
    if !said.images.is_empty() {
        wire.insert("images".into(), said.images.into());
    }
    if !calls.is_empty() {
        wire.insert("tool_calls".into(), calls.into());
    }
    wire.extend(members);
    Ok(Some(Value::Object(wire)))
}

fn call(
    part: &Part,
    call: &ToolCall,
    synthetic: &HashSet<&str>,
    warnings: &mut Vec<String>,
) -> Result<Value, Failure> {
    let arguments = call_arguments(call, warnings);
    let mut wire = json!({ "type": "function", "function": { "name": call.name, "arguments": arguments } });
    if !call.id.is_empty() && !synthetic.contains(call.id.as_str()) {
        wire["id"] = call.id.as_str().into();
    }
    if let Some(data) = part.replay.as_ref().and_then(|replay| replay.data.as_deref()) {
        let mut data = json::parse(data, "a call's replay data")?;
        if let Some(members) = data.as_object_mut() {
            members.shift_remove("id_synthetic");
        }
        json::merge(&mut wire, data);
    }
    Ok(wire)
}

fn result(result: &ToolResult, made_up: bool) -> Result<Value, Failure> {
    let mut said = Said::default();
    for output in &result.output {
        match output {
            ToolOutput::Text(text) | ToolOutput::Json(text) => said.text(text),
            ToolOutput::Media(media) => said.media(media)?,
        }
    }
    let mut wire = json!({ "role": "tool", "content": said.content() });
    if !result.name.is_empty() {
        wire["tool_name"] = result.name.as_str().into();
    }
    if !made_up && !result.call_id.is_empty() {
        wire["tool_call_id"] = result.call_id.as_str().into();
    }
    if !said.images.is_empty() {
        wire["images"] = said.images.into();
    }
    Ok(wire)
}

/// The ids that the host made up for calls that came without one: older servers give none.
fn synthetic_ids(messages: &[Message]) -> HashSet<&str> {
    let made_up = |part: &Part| {
        let data = part.replay.as_ref().and_then(|replay| replay.data.as_deref());
        let data: Option<Value> = data.and_then(|data| serde_json::from_str(data).ok());
        data.is_some_and(|data| data.get("id_synthetic") == Some(&Value::Bool(true)))
    };
    let parts = messages.iter().flat_map(|message| &message.parts);
    parts
        .filter_map(|part| match &part.content {
            PartContent::ToolCall(call) if made_up(part) => Some(call.id.as_str()),
            _ => None,
        })
        .collect()
}
