//! The conversation as items.
//!
//! Problem: an item goes back whole, but the contract has it as one or several parts. Decision: parts of one message
//! item share its id; a reasoning item is in the first of its parts; what an item says besides is in `replay.data`.
//!
//! Source: <https://platform.openai.com/docs/guides/conversation-state>.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::super::content::extend;
use super::super::quirks::{Quirks, ReasoningBack};
use super::content;
use crate::json::{merge, merge_extra, parse};
use crate::media::base64;
use crate::{
    ChatRequest, Context, Failure, Media, MediaSource, Message, Part, PartContent, Reasoning, Replay, Role,
    ToolCall, ToolOutput, ToolResult,
};

/// Members of a text part's `replay.data`: those of its message, and those of its block.
pub(super) const OF_ITEM: &str = "item";
pub(super) const OF_BLOCK: &str = "part";

/// Writes items.
pub(super) struct Input<'a> {
    ctx: &'a Context,
    request: &'a ChatRequest,
    quirks: &'a Quirks,
    /// The server keeps nothing: reasoning goes back encrypted or not at all.
    stateless: bool,
    warnings: &'a mut Vec<String>,
    out: Vec<Value>,
    /// The message that grows.
    open: Option<Open>,
    /// Calls that are no function calls, by their ids: their results have a type of their own.
    kinds: HashMap<String, String>,
    /// The id of the reasoning item that was written last.
    reasoned: Option<String>,
}

/// A message that is being put together.
#[derive(Default)]
struct Open {
    id: Option<String>,
    members: Map<String, Value>,
    blocks: Vec<Value>,
}

impl<'a> Input<'a> {
    pub(super) fn new(
        ctx: &'a Context,
        request: &'a ChatRequest,
        quirks: &'a Quirks,
        stateless: bool,
        warnings: &'a mut Vec<String>,
    ) -> Self {
        Self {
            ctx,
            request,
            quirks,
            stateless,
            warnings,
            out: Vec::with_capacity(request.messages.len()),
            open: None,
            kinds: HashMap::new(),
            reasoned: None,
        }
    }

    /// The instructions, if they go apart, and the items.
    pub(super) fn write(mut self) -> Result<(Option<String>, Vec<Value>), Failure> {
        let mut messages = self.request.messages.as_slice();
        let mut instructions = None;
        if let Some((first, rest)) = messages.split_first()
            && self.quirks.responses.instructions
            && let Some(text) = instructions_of(first)
        {
            (instructions, messages) = (Some(text), rest);
        }
        for message in messages {
            match message.role {
                Role::Assistant => self.assistant(message)?,
                Role::System | Role::User | Role::Tool => self.given(message)?,
            }
        }
        Ok((instructions, self.out))
    }

    /// What is no answer: messages and results.
    fn given(&mut self, message: &Message) -> Result<(), Failure> {
        let role = match message.role {
            Role::System => self.quirks.system_role.as_str(),
            _ => "user",
        };
        let extra = message.extra.as_deref();
        for part in &message.parts {
            match &part.content {
                PartContent::ToolResult(result) => {
                    self.flush(role, extra)?;
                    self.result(result, part)?;
                }
                PartContent::Opaque(opaque) if !content::is_block(&opaque.kind) => {
                    self.flush(role, extra)?;
                    self.out.push(parse(&opaque.data, "an opaque part")?);
                }
                _ => {
                    let block = content::block(part, self.quirks, self.warnings)?;
                    self.open.get_or_insert_default().blocks.extend(block);
                }
            }
        }
        self.flush(role, extra)
    }

    fn flush(&mut self, role: &str, extra: Option<&str>) -> Result<(), Failure> {
        let Some(open) = self.open.take() else { return Ok(()) };
        let mut item = match open.id {
            // An answer's own form: with an id, all of it is wanted.
            Some(id) => json!({
                "type": "message", "id": id, "role": role, "status": "completed", "content": open.blocks,
            }),
            None => json!({"type": "message", "role": role, "content": content::of_blocks(open.blocks)}),
        };
        merge(&mut item, open.members.into());
        merge_extra(&mut item, extra, "a message")?;
        self.out.push(item);
        Ok(())
    }

    fn result(&mut self, result: &ToolResult, part: &Part) -> Result<(), Failure> {
        let mut blocks = Vec::with_capacity(result.output.len());
        for output in &result.output {
            match output {
                ToolOutput::Text(text) | ToolOutput::Json(text) => {
                    blocks.push(json!({"type": "input_text", "text": text}));
                }
                ToolOutput::Media(media) => blocks.extend(content::media(media, self.warnings)),
            }
        }
        if let Some(last) = blocks.last_mut() {
            extend(last, part, self.quirks)?;
        }
        let texts: Option<Vec<&str>> = blocks.iter().map(content::plain_text).collect();
        let joined = texts.map(|texts| texts.join("\n"));
        let kind = match self.kinds.get(&result.call_id) {
            Some(kind) => format!("{kind}_output"),
            None => "function_call_output".into(),
        };
        let output = joined.map_or_else(|| blocks.into(), Value::from);
        self.out.push(json!({"type": kind, "call_id": result.call_id, "output": output}));
        Ok(())
    }

    fn assistant(&mut self, message: &Message) -> Result<(), Failure> {
        // Ids and encrypted reasoning are a model's own: another one refuses them.
        let own = message.origin.as_ref().is_none_or(|origin| {
            origin.provider == self.ctx.instance && same_model(&origin.model, &self.request.model)
        });
        let extra = message.extra.as_deref();
        for part in &message.parts {
            let replay = part.replay.as_ref().filter(|_| own);
            match &part.content {
                PartContent::Text(text) => {
                    let block = json!({"type": "output_text", "text": text});
                    self.said(block, text.is_empty(), part, replay, extra)?;
                }
                PartContent::Refusal(text) => {
                    let block = json!({"type": "refusal", "refusal": text});
                    self.said(block, text.is_empty(), part, replay, extra)?;
                }
                _ => {
                    self.flush("assistant", extra)?;
                    self.item(part, replay, own)?;
                }
            }
        }
        self.flush("assistant", extra)
    }

    /// Text or a refusal: a block of a message.
    fn said(
        &mut self,
        mut block: Value,
        empty: bool,
        part: &Part,
        replay: Option<&Replay>,
        extra: Option<&str>,
    ) -> Result<(), Failure> {
        let id = replay.and_then(|replay| replay.item_id.as_deref());
        if empty && id.is_none() {
            return Ok(());
        }
        if self.open.as_ref().is_some_and(|open| open.id.as_deref() != id) {
            self.flush("assistant", extra)?;
        }
        let open = self.open.get_or_insert_default();
        open.id = id.map(str::to_owned);
        if id.is_some() {
            let rest = whole_block(&block);
            merge(&mut block, rest);
        }
        if let Some(Value::Object(mut data)) = data_of(replay)? {
            if let Some(Value::Object(members)) = data.remove(OF_ITEM) {
                open.members.extend(members);
            }
            merge(&mut block, data.remove(OF_BLOCK).unwrap_or_else(|| json!({})));
        }
        extend(&mut block, part, self.quirks)?;
        open.blocks.push(block);
        Ok(())
    }

    /// What is an item by itself.
    fn item(&mut self, part: &Part, replay: Option<&Replay>, own: bool) -> Result<(), Failure> {
        match &part.content {
            PartContent::Reasoning(reasoning) => self.reasoning(reasoning, replay)?,
            PartContent::ToolCall(call) => self.call(call, part, replay)?,
            PartContent::Media(media) => match data_of(replay)? {
                Some(item) => self.out.push(generated(media, item)),
                None => self.warnings.push("a medium that the assistant made is not sent".into()),
            },
            PartContent::Opaque(opaque) if own => {
                let item = parse(&opaque.data, "a replayed part")?;
                // Members of a chat completion's message are not items.
                if item.get("type").is_some() && self.is_whole(&item) {
                    self.out.push(item);
                }
            }
            PartContent::ToolResult(result) => self.result(result, part)?,
            PartContent::Opaque(_) | PartContent::Text(_) | PartContent::Refusal(_) => {}
        }
        Ok(())
    }

    /// Whether the server can take an item: without its store, reasoning must be encrypted.
    fn is_whole(&mut self, item: &Value) -> bool {
        let lost = self.stateless
            && item.get("type").is_some_and(|kind| kind == "reasoning")
            && item.get("encrypted_content").is_none_or(Value::is_null)
            && item.get("content").is_none_or(|content| !has_items(content));
        if lost {
            let warning = "reasoning that only the server's store has is not sent: ask for \
                           `reasoning.encrypted_content`";
            self.warnings.push(warning.into());
        }
        !lost
    }

    fn reasoning(&mut self, reasoning: &Reasoning, replay: Option<&Replay>) -> Result<(), Failure> {
        if let Some(item) = data_of(replay)? {
            if item.get("type").is_some_and(|kind| kind == "reasoning") && self.is_whole(&item) {
                self.reasoned = item.get("id").and_then(Value::as_str).map(str::to_owned);
                self.out.push(item);
            }
            return Ok(());
        }
        let id = replay.and_then(|replay| replay.item_id.as_deref());
        if id.is_some() && id == self.reasoned.as_deref() {
            // Another part of the item that has just gone.
            return Ok(());
        }
        let encrypted = match reasoning {
            Reasoning::Redacted(data) => Some(data.as_str()),
            _ => replay.and_then(|replay| replay.signature.as_deref()),
        };
        let back = self.quirks.reasoning_back != ReasoningBack::Drop;
        let item = match (reasoning, id, encrypted) {
            (_, None, None) if !back => return Ok(()),
            (Reasoning::Summary(text), ..) => {
                json!({"type": "reasoning", "summary": [{"type": "summary_text", "text": text}]})
            }
            (Reasoning::Text(text), ..) => json!({
                "type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": text}],
            }),
            (Reasoning::Redacted(_), ..) => json!({"type": "reasoning", "summary": []}),
        };
        let mut item = item;
        merge(&mut item, json!({"id": id, "encrypted_content": encrypted}));
        if back || self.is_whole(&item) {
            self.out.push(item);
        }
        Ok(())
    }

    fn call(&mut self, call: &ToolCall, part: &Part, replay: Option<&Replay>) -> Result<(), Failure> {
        let data = data_of(replay)?;
        if call.server_executed {
            self.out.extend(data);
            return Ok(());
        }
        let kind = data.as_ref().and_then(|data| data.get("type")).and_then(Value::as_str);
        let mut item = match kind {
            Some(kind @ "custom_tool_call") => {
                self.kinds.insert(call.id.clone(), kind.to_owned());
                json!({"type": kind, "call_id": call.id, "name": call.name, "input": call.arguments})
            }
            _ => {
                let arguments = if call.arguments.is_empty() { "{}" } else { &call.arguments };
                json!({
                    "type": "function_call", "call_id": call.id, "name": call.name, "arguments": arguments,
                })
            }
        };
        if let Some(Value::Object(mut members)) = data {
            // The host's own mark, which is not for the wire.
            members.shift_remove("id_synthetic");
            members.shift_remove("type");
            merge(&mut item, members.into());
        }
        merge(&mut item, json!({"id": replay.and_then(|replay| replay.item_id.as_deref())}));
        merge_extra(&mut item, part.extra.as_deref(), "a tool call")?;
        self.out.push(item);
        Ok(())
    }
}

/// The text of a message that can go as `instructions`: a system message that says nothing but text.
fn instructions_of(message: &Message) -> Option<String> {
    if message.role != Role::System || message.extra.is_some() {
        return None;
    }
    let text = |part: &'_ Part| match &part.content {
        PartContent::Text(text) if part.extra.is_none() => Some(text.clone()),
        _ => None,
    };
    let texts: Option<Vec<String>> = message.parts.iter().map(text).collect();
    texts.map(|texts| texts.join("\n\n"))
}

/// Whether an answer's model is the one that is asked: services name a snapshot where an alias was asked for.
fn same_model(origin: &str, asked: &str) -> bool {
    let snapshot = |id: &str, of: &str| id.strip_prefix(of).is_some_and(|rest| rest.starts_with("-20"));
    origin == asked || snapshot(origin, asked) || snapshot(asked, origin)
}

fn data_of(replay: Option<&Replay>) -> Result<Option<Value>, Failure> {
    let data = replay.and_then(|replay| replay.data.as_deref());
    data.map(|data| parse(data, "a replayed part")).transpose()
}

/// What an answer's block has besides: beside an id the server wants all of it.
fn whole_block(block: &Value) -> Value {
    match block.get("type").and_then(Value::as_str) {
        Some("output_text") => json!({"annotations": []}),
        _ => json!({}),
    }
}

fn has_items(list: &Value) -> bool {
    list.as_array().is_some_and(|list| !list.is_empty())
}

/// The call that generated an image, with the image in its place again.
fn generated(media: &Media, mut item: Value) -> Value {
    if let MediaSource::Bytes(bytes) = &media.source {
        merge(&mut item, json!({"result": base64(bytes)}));
    }
    item
}
