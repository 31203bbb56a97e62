//! The answer, streamed or whole, as events. A whole answer is run through the same steps, block by block.

use aimu_sdk::{
    CallStart, Completion, Decoder, Event, Failure, FinishReason, Frame, Opaque, PartContent, PartDelta,
    PartKind, Parts, Reasoning, Replay, json,
};
use serde_json::{Map, Value};

use crate::wire::{self, Delta, DeltaKind, Kind};
use crate::{citations, errors};

/// Decodes one answer.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    /// The model that was asked.
    asked: String,
    parts: Parts,
    /// The blocks that are open, with the wire's indices. More than one at a time is allowed, but does not come.
    open: Vec<(u64, Block)>,
    message: Map<String, Value>,
    usage: Map<String, Value>,
    ended: bool,
}

/// A block that is open.
#[derive(Debug)]
struct Block {
    /// The part that it grows; `None` for one that is handed over whole when it ends.
    index: Option<u32>,
    kind: String,
    /// What the contract has no member for, and goes back with the next request.
    rest: Map<String, Value>,
    citations: Vec<Value>,
    signature: String,
    /// A tool's input, in full, as far as the start of the block has it.
    input: Option<Value>,
}

impl Answer {
    /// A decoder for one answer of `model`.
    #[must_use]
    pub(crate) fn new(model: &str) -> Self {
        Self { asked: model.to_owned(), ..Self::default() }
    }

    fn begin(&mut self, place: u64, mut rest: Map<String, Value>, out: &mut Vec<Event>) {
        let mut take = |name: &str| match rest.shift_remove(name) {
            Some(Value::String(text)) => text,
            _ => String::new(),
        };
        let kind = take("type");
        let mut block = Block {
            index: None,
            kind,
            rest: Map::new(),
            citations: Vec::new(),
            signature: String::new(),
            input: None,
        };
        let mut begun = String::new();
        match block.kind.as_str() {
            "text" => {
                begun = take("text");
                let index = self.parts.start(out, PartKind::Text);
                block.index = Some(index);
                if let Some(Value::Array(cited)) = rest.shift_remove("citations") {
                    out.extend(cited.iter().map(|citation| citations::event(index, citation)));
                    block.citations = cited;
                }
            }
            "thinking" => {
                begun = take("thinking");
                block.signature = take("signature");
                block.index = Some(self.parts.start(out, PartKind::ReasoningText));
            }
            "tool_use" | "server_tool_use" | "mcp_tool_use" => {
                let start = CallStart {
                    id: take("id"),
                    name: take("name"),
                    server_executed: block.kind != "tool_use",
                };
                block.index = Some(self.parts.start(out, PartKind::ToolCall(start)));
                // Empty in a stream, where the input follows; so is a whole one without arguments.
                block.input = rest
                    .shift_remove("input")
                    .filter(|input| input.as_object().is_none_or(|o| !o.is_empty()));
            }
            _ => {}
        }
        rest.retain(|_, value| block.index.is_none() || !value.is_null());
        block.rest = rest;
        if let Some(index) = block.index {
            Parts::delta(out, index, &begun);
        }
        self.open.push((place, block));
    }

    fn grow(&mut self, place: u64, delta: Delta, raw: &str, out: &mut Vec<Event>) -> Result<(), Failure> {
        let Some((_, block)) = self.open.iter_mut().rev().find(|(have, _)| *have == place) else {
            return Err(Failure::protocol(format!(
                "a delta of the content block {place}, which is not open"
            )));
        };
        let text = match (delta.kind, block.index) {
            (DeltaKind::TextDelta, Some(_)) => delta.text,
            (DeltaKind::ThinkingDelta, Some(_)) => delta.thinking,
            (DeltaKind::InputJsonDelta, Some(_)) => {
                // Pieces replace what the start had; a first piece without a letter replaces nothing.
                if !delta.partial_json.is_empty() {
                    block.input = None;
                }
                delta.partial_json
            }
            (DeltaKind::SignatureDelta, Some(_)) => {
                block.signature.push_str(&delta.signature);
                return Ok(());
            }
            (DeltaKind::CitationsDelta, Some(index)) => {
                let citation = *delta.citation.unwrap_or_default();
                out.push(citations::event(index, &citation));
                block.citations.push(citation);
                return Ok(());
            }
            (_, Some(_)) => return Ok(()),
            (_, None) => return block.absorb(raw),
        };
        if let (Some(index), false) = (block.index, text.is_empty()) {
            out.push(Event::Delta(PartDelta { index, text }));
        }
        Ok(())
    }

    fn end(&mut self, block: Block, out: &mut Vec<Event>) {
        let Block { index, kind, mut rest, citations, signature, input } = block;
        let Some(index) = index else {
            if let ("redacted_thinking", Some(Value::String(data))) =
                (kind.as_str(), rest.get("data").cloned())
            {
                rest.shift_remove("data");
                let replay = replay(String::new(), rest);
                return self.parts.whole(out, PartContent::Reasoning(Reasoning::Redacted(data)), replay);
            }
            rest.shift_insert(0, "type".into(), kind.as_str().into());
            let opaque = Opaque { kind, data: Value::Object(rest).to_string() };
            return self.parts.whole(out, PartContent::Opaque(opaque), None);
        };
        if let Some(input) = input {
            Parts::delta(out, index, &input.to_string());
        }
        if !citations.is_empty() {
            rest.insert("citations".into(), citations.into());
        }
        if kind == "mcp_tool_use" {
            rest.insert("type".into(), kind.into());
        }
        Parts::end(out, index, replay(signature, rest));
    }

    fn end_all(&mut self, out: &mut Vec<Event>) {
        for (_, block) in std::mem::take(&mut self.open) {
            self.end(block, out);
        }
    }

    /// Counts come at the start and, grown, at the end. A proxy may know them at one end only, and says 0 at the other.
    fn count(&mut self, usage: Map<String, Value>) {
        for (name, value) in usage {
            let known = self.usage.get(&name).is_some_and(|have| !have.is_null());
            if !(known && (value.is_null() || value == 0)) {
                self.usage.insert(name, value);
            }
        }
    }

    /// Members of the message, those of its last delta winning.
    fn tell(&mut self, members: Map<String, Value>) {
        self.message.extend(members.into_iter().filter(|(_, value)| !value.is_null()));
    }

    fn text(&self, name: &str) -> Option<String> {
        self.message.get(name).and_then(Value::as_str).map(str::to_owned)
    }

    /// What has no member in the contract and is worth keeping: the whole usage with its breakdowns, the stop
    /// sequence that was met, why an answer was refused, the container of a code execution.
    fn metadata(&self) -> Option<String> {
        let named = ["stop_sequence", "stop_details", "container", "context_management"];
        let mut kept: Map<String, Value> = named
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), self.message.get(*name)?.clone())))
            .collect();
        if !self.usage.is_empty() {
            kept.insert("usage".into(), Value::Object(self.usage.clone()));
        }
        (!kept.is_empty()).then(|| Value::Object(kept).to_string())
    }
}

impl Block {
    /// A delta of a block that has no shape here: its members are appended to the block's.
    fn absorb(&mut self, raw: &str) -> Result<(), Failure> {
        let event: Value = serde_json::from_str(raw).map_err(|error| unreadable(&error, raw))?;
        for (name, more) in event.get("delta").and_then(Value::as_object).into_iter().flatten() {
            match (self.rest.get_mut(name), more) {
                _ if name == "type" => {}
                (Some(Value::String(text)), Value::String(more)) => text.push_str(more),
                (Some(Value::Array(items)), Value::Array(more)) => items.extend(more.iter().cloned()),
                _ => {
                    self.rest.insert(name.clone(), more.clone());
                }
            }
        }
        Ok(())
    }
}

impl Decoder for Answer {
    fn frame(&mut self, frame: Frame<'_>, out: &mut Vec<Event>) -> Result<(), Failure> {
        // Gateways that speak OpenAI's dialect too end their streams with it.
        if frame.data == "[DONE]" {
            return Ok(());
        }
        let event = match wire::read(frame.data) {
            Ok(Some(event)) => event,
            Ok(None) => return Ok(()),
            Err(error) => return Err(unreadable(&error, frame.data)),
        };
        match event.kind {
            Kind::ContentBlockDelta => {
                self.grow(event.index, event.delta.unwrap_or_default(), frame.data, out)?;
            }
            Kind::ContentBlockStart => self.begin(event.index, *event.content_block.unwrap_or_default(), out),
            Kind::ContentBlockStop => {
                if let Some(place) = self.open.iter().rposition(|(have, _)| *have == event.index) {
                    let (_, block) = self.open.remove(place);
                    self.end(block, out);
                }
            }
            Kind::MessageStart => {
                let mut message = *event.message.unwrap_or_default();
                if let Some(Value::Object(usage)) = message.shift_remove("usage") {
                    self.count(usage);
                    out.push(Event::Usage(wire::usage(&self.usage)));
                }
                self.tell(message);
            }
            Kind::MessageDelta => {
                self.count(*event.usage.unwrap_or_default());
                let event: Value = json::parse(frame.data, "a stream event")?;
                if let Some(Value::Object(delta)) = event.get("delta") {
                    self.tell(delta.clone());
                }
                if let Some(edits) = event.get("context_management") {
                    self.tell(Map::from_iter([("context_management".to_owned(), edits.clone())]));
                }
            }
            Kind::MessageStop => {
                self.end_all(out);
                self.ended = true;
            }
            Kind::Error => return Err(errors::of_body(&json::parse(frame.data, "an error")?)),
            Kind::Other => {}
        }
        Ok(())
    }

    fn whole(&mut self, body: &[u8], out: &mut Vec<Event>) -> Result<(), Failure> {
        let mut message: Map<String, Value> = json::answer(body)?;
        let Some(Value::Array(content)) = message.shift_remove("content") else {
            let body = Value::Object(message);
            return Err(match body.get("error") {
                Some(_) => errors::of_body(&body),
                None => Failure::protocol("the answer has no content: is this the Messages API?"),
            });
        };
        if let Some(Value::Object(usage)) = message.shift_remove("usage") {
            self.count(usage);
        }
        self.tell(message);
        for block in content {
            if let Value::Object(block) = block {
                self.begin(0, block, out);
                self.end_all(out);
            }
        }
        self.ended = true;
        Ok(())
    }

    fn done(&self) -> bool {
        self.ended
    }

    fn finish(&mut self, out: &mut Vec<Event>) -> Result<Completion, Failure> {
        if !self.ended {
            return Err(Failure::truncated("message_stop"));
        }
        let raw_finish = self.text("stop_reason");
        let explanation = self.message.get("stop_details").and_then(|details| details.get("explanation"));
        if let (Some("refusal"), Some(Value::String(why))) = (raw_finish.as_deref(), explanation) {
            self.parts.whole(out, PartContent::Refusal(why.clone()), None);
        }
        Ok(Completion {
            finish: finish_reason(raw_finish.as_deref()),
            raw_finish,
            usage: (!self.usage.is_empty()).then(|| wire::usage(&self.usage)),
            response_id: self.text("id"),
            request_id: None,
            model: self.text("model").filter(|model| *model != self.asked),
            metadata: self.metadata(),
        })
    }
}

/// <https://platform.claude.com/docs/en/build-with-claude/handling-stop-reasons>
fn finish_reason(word: Option<&str>) -> FinishReason {
    match word {
        Some("end_turn" | "stop_sequence") => FinishReason::Stop,
        Some("max_tokens" | "model_context_window_exceeded") => FinishReason::Length,
        Some("tool_use") => FinishReason::ToolCalls,
        Some("pause_turn") => FinishReason::Paused,
        Some("refusal") => FinishReason::Refusal,
        Some(other) => FinishReason::Other(other.to_owned()),
        None => FinishReason::Other("none".into()),
    }
}

/// `None` where there is nothing to bring back.
fn replay(signature: String, rest: Map<String, Value>) -> Option<Replay> {
    let signature = (!signature.is_empty()).then_some(signature);
    let data = (!rest.is_empty()).then(|| Value::Object(rest).to_string());
    (signature.is_some() || data.is_some()).then_some(Replay { signature, item_id: None, data })
}

fn unreadable(error: &serde_json::Error, data: &str) -> Failure {
    let start = aimu_sdk::failure::excerpt(data.as_bytes());
    Failure::protocol(format!("an event of the stream can't be read ({error}): {start}"))
}
