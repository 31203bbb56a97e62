//! The conversation on the wire.
//!
//! Source: <https://platform.openai.com/docs/api-reference/chat/create#chat-create-messages>.

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use super::content;
use super::quirks::{Quirks, ReasoningBack, ToolCallIds};
use crate::json::{merge, merge_extra, parse};
use crate::{
    Context, Failure, MediaKind, Message, Part, PartContent, Reasoning, Replay, Role, ToolCall, ToolOutput,
    ToolResult,
};

/// The kind of an opaque part that holds members of an assistant's message.
pub(super) const MESSAGE_MEMBERS: &str = "message";

/// Writes messages.
pub(super) struct Messages<'a> {
    instance: &'a str,
    quirks: &'a Quirks,
    warnings: &'a mut Vec<String>,
    out: Vec<Value>,
    /// Media out of tool results, for a server that takes none there: they follow the results in a user message.
    left_over: Vec<Value>,
}

impl<'a> Messages<'a> {
    pub(super) fn new(ctx: &'a Context, quirks: &'a Quirks, warnings: &'a mut Vec<String>) -> Self {
        Self { instance: &ctx.instance, quirks, warnings, out: Vec::new(), left_over: Vec::new() }
    }

    pub(super) fn write(mut self, messages: &[Message]) -> Result<Value, Failure> {
        self.out.reserve(messages.len());
        for message in messages {
            // Results come first: nothing may stand between a turn's calls and their results.
            for part in &message.parts {
                if let PartContent::ToolResult(result) = &part.content {
                    self.result(result, part, message.extra.as_deref())?;
                }
            }
            match message.role {
                Role::System => self.system(message)?,
                Role::User => self.user(message)?,
                Role::Assistant => self.assistant(message)?,
                Role::Tool => {}
            }
        }
        self.flush_left_over();
        Ok(self.out.into())
    }

    fn push(&mut self, mut wire: Value, extra: Option<&str>) -> Result<(), Failure> {
        merge_extra(&mut wire, extra, "a message")?;
        self.out.push(wire);
        Ok(())
    }

    fn flush_left_over(&mut self) {
        if !self.left_over.is_empty() {
            let blocks = std::mem::take(&mut self.left_over);
            self.out.push(json!({"role": "user", "content": blocks}));
        }
    }

    fn system(&mut self, message: &Message) -> Result<(), Failure> {
        self.flush_left_over();
        let mut blocks = self.blocks(message)?;
        // Text alone goes as one string, which every chat template knows.
        let texts: Option<Vec<&str>> = blocks.iter().map(content::plain_text).collect();
        let joined = texts.map(|texts| texts.join("\n\n"));
        let content = joined.map_or_else(|| std::mem::take(&mut blocks).into(), Value::from);
        self.push(json!({"role": self.quirks.system_role, "content": content}), message.extra.as_deref())
    }

    fn user(&mut self, message: &Message) -> Result<(), Failure> {
        self.flush_left_over();
        let blocks = self.blocks(message)?;
        if blocks.is_empty()
            && message.parts.iter().any(|part| matches!(part.content, PartContent::ToolResult(_)))
        {
            return Ok(());
        }
        self.push(json!({"role": "user", "content": content::of_blocks(blocks)}), message.extra.as_deref())
    }

    fn blocks(&mut self, message: &Message) -> Result<Vec<Value>, Failure> {
        let mut blocks = Vec::with_capacity(message.parts.len());
        for part in &message.parts {
            blocks.extend(content::block(part, self.quirks, self.warnings)?);
        }
        Ok(blocks)
    }

    fn result(&mut self, result: &ToolResult, part: &Part, extra: Option<&str>) -> Result<(), Failure> {
        let mut blocks = Vec::new();
        for output in &result.output {
            match output {
                ToolOutput::Text(text) | ToolOutput::Json(text) => {
                    blocks.push(json!({"type": "text", "text": text}))
                }
                ToolOutput::Media(media) => {
                    let Some(block) = content::media(media, self.quirks, self.warnings) else {
                        continue;
                    };
                    if self.quirks.tool_media {
                        blocks.push(block);
                        continue;
                    }
                    let what =
                        format!("Attached to the result of the tool call {}:", self.id(&result.call_id));
                    self.left_over.push(json!({"type": "text", "text": what}));
                    self.left_over.push(block);
                    blocks.push(json!({"type": "text", "text": "The result is attached below."}));
                }
            }
        }
        if let Some(last) = blocks.last_mut() {
            content::extend(last, part, self.quirks)?;
        }
        let texts: Option<Vec<&str>> = blocks.iter().map(content::plain_text).collect();
        let joined = texts.map(|texts| texts.join("\n"));
        let wire = json!({
            "role": "tool",
            "tool_call_id": self.id(&result.call_id),
            "content": joined.map_or_else(|| blocks.into(), Value::from),
        });
        self.push(wire, extra)
    }

    fn assistant(&mut self, message: &Message) -> Result<(), Failure> {
        self.flush_left_over();
        let mut turn = Turn::default();
        let own = message.origin.as_ref().is_none_or(|origin| origin.provider == self.instance);
        for part in &message.parts {
            match &part.content {
                PartContent::Text(text) => {
                    turn.text.push_str(text);
                    turn.decorated |= part.extra.is_some() || (part.cache_here && self.quirks.cache_control);
                    turn.blocks.extend(content::block(part, self.quirks, self.warnings)?);
                }
                PartContent::Refusal(refusal) => turn.refusal.push_str(refusal),
                PartContent::Reasoning(reasoning) => turn.reason(reasoning, part.replay.as_ref())?,
                PartContent::ToolCall(call) if !call.server_executed => {
                    turn.calls.push(self.call(call, part.replay.as_ref())?);
                }
                PartContent::Media(media) => match &part.replay {
                    Some(Replay { item_id: Some(id), .. }) if media.kind == MediaKind::Audio && own => {
                        turn.members.insert("audio".into(), json!({"id": id}));
                    }
                    _ if media.kind == MediaKind::Image && own => {
                        turn.images.extend(content::media(media, self.quirks, self.warnings));
                    }
                    _ => self.warnings.push("a medium that another model made is not sent".into()),
                },
                PartContent::Opaque(opaque) if opaque.kind == MESSAGE_MEMBERS => {
                    if let Value::Object(members) = parse(&opaque.data, "a replayed part")? {
                        turn.members.extend(members);
                    }
                }
                PartContent::Opaque(opaque) => {
                    turn.block(parse(&opaque.data, "a replayed part")?, &opaque.kind)
                }
                PartContent::ToolCall(_) | PartContent::ToolResult(_) => {}
            }
        }
        match turn.write(&self.quirks.reasoning_back, message.extra.is_some()) {
            Some(wire) => self.push(wire, message.extra.as_deref()),
            None => Ok(()),
        }
    }

    fn call(&self, call: &ToolCall, replay: Option<&Replay>) -> Result<Value, Failure> {
        let id = self.id(&call.id);
        let data = replay.and_then(|replay| replay.data.as_deref());
        let data = data.map(|data| parse(data, "a replayed tool call")).transpose()?;
        if data.as_ref().and_then(|data| data.get("type")).is_some_and(|kind| kind == "custom") {
            return Ok(
                json!({"id": id, "type": "custom", "custom": {"name": call.name, "input": call.arguments}}),
            );
        }
        // Chat templates parse the arguments, and nothing is not JSON.
        let arguments = if call.arguments.is_empty() { "{}" } else { &call.arguments };
        let mut wire =
            json!({"id": id, "type": "function", "function": {"name": call.name, "arguments": arguments}});
        match (data, replay.and_then(|replay| replay.signature.as_deref())) {
            // The host's own mark that a call had no id: this wire needs one.
            (Some(Value::Object(members)), _) if members.contains_key("id_synthetic") => {}
            (Some(members @ Value::Object(_)), _) => merge(&mut wire, members),
            // <https://ai.google.dev/gemini-api/docs/thought-signatures>, in the OpenAI form.
            (_, Some(signature)) => {
                merge(&mut wire, json!({"extra_content": {"google": {"thought_signature": signature}}}));
            }
            _ => {}
        }
        Ok(wire)
    }

    /// A call's id as the server takes it: the same call always gets the same one.
    fn id<'i>(&self, id: &'i str) -> Cow<'i, str> {
        let fits = match self.quirks.tool_call_ids {
            ToolCallIds::Any => true,
            ToolCallIds::Max40 => id.len() <= 40,
            ToolCallIds::Alphanumeric9 => {
                id.len() == 9 && id.bytes().all(|byte| byte.is_ascii_alphanumeric())
            }
        };
        if fits { Cow::Borrowed(id) } else { Cow::Owned(short_id(id)) }
    }
}

/// Nine letters and digits that stand for a longer id.
fn short_id(id: &str) -> String {
    const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    // FNV-1a: nothing here needs more than that two ids of one conversation differ.
    let mut hash = id.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    (0..9)
        .map(|_| {
            let digit = DIGITS.get((hash % 36) as usize).copied().unwrap_or(b'0');
            hash /= 36;
            char::from(digit)
        })
        .collect()
}

/// One turn of the assistant, put together before it is written.
#[derive(Default)]
struct Turn {
    text: String,
    /// The same text as blocks.
    blocks: Vec<Value>,
    /// The blocks say more than their text.
    decorated: bool,
    refusal: String,
    /// Reasoning that has no wire form of its own, by its parts.
    reasoning: Vec<String>,
    /// Items of `reasoning_details`.
    details: Vec<Value>,
    /// Thinking blocks as they came.
    thoughts: Vec<Value>,
    calls: Vec<Value>,
    images: Vec<Value>,
    /// Blocks of the provider's own.
    foreign: Vec<Value>,
    members: Map<String, Value>,
}

impl Turn {
    /// A block of the provider's own, at the place where such blocks stand.
    fn block(&mut self, block: Value, kind: &str) {
        let kind = block.get("type").and_then(Value::as_str).unwrap_or(kind);
        match kind {
            "thinking" => self.thoughts.push(block),
            _ if kind.starts_with("reasoning") => self.details.push(block),
            _ => self.foreign.push(block),
        }
    }

    fn reason(&mut self, reasoning: &Reasoning, replay: Option<&Replay>) -> Result<(), Failure> {
        let data = replay.and_then(|replay| replay.data.as_deref());
        if let Some(data) = data {
            self.block(parse(data, "replayed reasoning")?, "reasoning");
            return Ok(());
        }
        let (kind, member, text) = match reasoning {
            Reasoning::Text(text) => ("reasoning.text", "text", text),
            Reasoning::Summary(text) => ("reasoning.summary", "summary", text),
            Reasoning::Redacted(data) => ("reasoning.encrypted", "data", data),
        };
        let signature = replay.and_then(|replay| replay.signature.as_deref());
        if signature.is_some() || matches!(reasoning, Reasoning::Redacted(_)) {
            let mut item = json!({"type": kind, member: text});
            merge(
                &mut item,
                json!({"signature": signature, "id": replay.and_then(|replay| replay.item_id.as_deref())}),
            );
            self.details.push(item);
        } else if !text.is_empty() {
            self.reasoning.push(text.clone());
        }
        Ok(())
    }

    /// The message; `None` for a turn that says nothing.
    fn write(mut self, back: &ReasoningBack, has_extra: bool) -> Option<Value> {
        let mut wire = Map::new();
        wire.insert("role".into(), "assistant".into());
        wire.insert("content".into(), Value::Null);
        let mut thoughts = std::mem::take(&mut self.thoughts);
        if !self.reasoning.is_empty() {
            match back {
                ReasoningBack::Drop => {}
                ReasoningBack::Member(name) => {
                    wire.insert(name.clone(), self.reasoning.join("\n\n").into());
                }
                ReasoningBack::Tags => {
                    let thoughts = self.reasoning.join("\n\n");
                    self.text.insert_str(0, &format!("<think>\n{}\n</think>\n\n", thoughts.trim()));
                    // Tags are for templates, and those take a string.
                    self.decorated = false;
                }
                ReasoningBack::Blocks => {
                    let pieces = self.reasoning.iter().map(|text| json!({"type": "text", "text": text}));
                    let pieces: Vec<Value> = pieces.collect();
                    thoughts.push(json!({"type": "thinking", "thinking": pieces}));
                }
            }
        }
        if !self.details.is_empty() {
            wire.insert("reasoning_details".into(), self.details.into());
        }
        if !self.refusal.is_empty() {
            wire.insert("refusal".into(), self.refusal.into());
        }
        if !self.calls.is_empty() {
            wire.insert("tool_calls".into(), self.calls.into());
        }
        if !self.images.is_empty() {
            wire.insert("images".into(), self.images.into());
        }
        wire.extend(self.members);
        let says_something = wire.len() > 2 || has_extra;
        let content = if !thoughts.is_empty() || !self.foreign.is_empty() || self.decorated {
            thoughts.extend(self.foreign);
            thoughts.extend(self.blocks);
            thoughts.into()
        } else if !self.text.is_empty() {
            self.text.into()
        } else if !says_something {
            return None;
        } else if wire.contains_key("tool_calls")
            || wire.contains_key("refusal")
            || wire.contains_key("audio")
        {
            // A missing member is refused by some servers, an empty string by others.
            Value::Null
        } else {
            "".into()
        };
        wire.insert("content".into(), content);
        Some(wire.into())
    }
}
