//! The answer of `/v2/chat`, streamed or whole, as events (<https://docs.cohere.com/docs/streaming>).
//!
//! Text parts stay open until the end: citations come after what they are of, and go back with it. The plan before
//! tool calls is reasoning; its replay data says what it was, so that it goes back as a plan.

use aimu_sdk::failure::excerpt;
use aimu_sdk::{
    CallPiece, Completion, Decoder, Detail, Event, Failure, FinishReason, Frame, Opaque, PartContent,
    PartKind, Parts, Replay, Usage, json,
};
use serde_json::{Map, Value, json};

use crate::citations::{self, Kind, Place};
use crate::errors;
use crate::messages::TOOL_PLAN;

/// Decodes one answer.
#[derive(Debug, Default)]
pub struct Answer {
    parts: Parts,
    /// Blocks of content by their number, from their start to the answer's end.
    blocks: Vec<Block>,
    plan: Option<Place>,
    plan_ended: bool,
    /// As they came.
    citations: Vec<Value>,
    /// Members beside the message: the id, the usage, why it ended.
    told: Map<String, Value>,
    ended: bool,
}

/// A block of content.
#[derive(Debug)]
struct Block {
    /// `None` for a block that has no shape here.
    place: Option<Place>,
    number: u64,
    /// Its other members.
    rest: Map<String, Value>,
    ended: bool,
}

impl Answer {
    fn event(
        &mut self,
        mut event: Map<String, Value>,
        name: &str,
        out: &mut Vec<Event>,
    ) -> Result<(), Failure> {
        let number = event.get("index").and_then(Value::as_u64).unwrap_or(0);
        let message = |event: &mut Map<String, Value>, member: &str| {
            let delta = event.get_mut("delta")?;
            delta.get_mut("message")?.get_mut(member).map(Value::take)
        };
        match name {
            "message-start" => {
                if let Some(id) = event.shift_remove("id") {
                    self.told.insert("id".into(), id);
                }
            }
            "content-start" => {
                if let Some(Value::Object(content)) = message(&mut event, "content") {
                    self.begin(number, content, out);
                }
            }
            "content-delta" => {
                if let Some(Value::Object(content)) = message(&mut event, "content") {
                    self.grow(number, content, out);
                }
                if let Some(logprobs) = event.shift_remove("logprobs") {
                    self.logprobs(&logprobs, Some(number), out);
                }
            }
            "content-end" => self.end(number, out),
            "tool-plan-delta" => {
                if let Some(Value::String(more)) = message(&mut event, "tool_plan") {
                    self.plan(&more, out);
                }
            }
            "tool-call-start" | "tool-call-delta" => {
                if let Some(Value::Object(call)) = message(&mut event, "tool_calls") {
                    self.call(Some(number), &call, out);
                }
            }
            // Each call ends with the answer: only then is it known that nothing more of it comes.
            "tool-call-end" | "citation-end" => {}
            "citation-start" => match message(&mut event, "citations") {
                Some(Value::Array(citations)) => self.citations.extend(citations),
                Some(citation @ Value::Object(_)) => self.citations.push(citation),
                _ => {}
            },
            "message-end" => {
                if let Some(Value::Object(delta)) = event.shift_remove("delta") {
                    self.told.extend(delta.into_iter().filter(|(_, value)| !value.is_null()));
                }
                self.ended = true;
            }
            "error" => return Err(errors::of_body(&Value::Object(event))),
            // What is not known yet (`debug` is one) is shown to who wants to see it.
            _ => out.push(Event::Detail(Detail {
                index: None,
                kind: name.to_owned(),
                data: Value::Object(event).to_string(),
            })),
        }
        Ok(())
    }

    fn begin(&mut self, number: u64, mut content: Map<String, Value>, out: &mut Vec<Event>) {
        // Some servers leave the start out, and a delta has no type.
        let sort = match content.get("type").and_then(Value::as_str) {
            Some(sort) => sort,
            None if content.contains_key("thinking") => "thinking",
            None => "text",
        };
        let (kind, part) = match sort {
            "text" => (Kind::Text, PartKind::Text),
            "thinking" => (Kind::Thinking, PartKind::ReasoningText),
            _ => {
                self.blocks.push(Block { place: None, number, rest: content, ended: false });
                return;
            }
        };
        self.end_plan(out);
        content.shift_remove("type");
        let index = self.parts.start(out, part);
        let place = Place { kind, number, index, text: String::new() };
        self.blocks.push(Block { place: Some(place), number, rest: Map::new(), ended: false });
        self.grow(number, content, out);
    }

    fn grow(&mut self, number: u64, mut content: Map<String, Value>, out: &mut Vec<Event>) {
        let Some(block) = self.blocks.iter_mut().rfind(|block| block.number == number && !block.ended) else {
            return self.begin(number, content, out);
        };
        if let Some(place) = &mut block.place {
            let member = if place.kind == Kind::Thinking { "thinking" } else { "text" };
            if let Some(Value::String(more)) = content.shift_remove(member) {
                Parts::delta(out, place.index, &more);
                place.text.push_str(&more);
            }
        }
        for (name, value) in content {
            match (block.rest.get_mut(&name), value) {
                (_, Value::Null) => {}
                (Some(Value::String(have)), Value::String(more)) if name != "type" => have.push_str(&more),
                (_, value) => {
                    block.rest.insert(name, value);
                }
            }
        }
    }

    /// A block has ended; a text waits for its citations.
    fn end(&mut self, number: u64, out: &mut Vec<Event>) {
        let Some(block) = self.blocks.iter_mut().rfind(|block| block.number == number && !block.ended) else {
            return;
        };
        block.ended = true;
        match &block.place {
            Some(Place { kind: Kind::Text, .. }) => {}
            Some(place) => Parts::end(out, place.index, replay(std::mem::take(&mut block.rest))),
            None => {
                let rest = std::mem::take(&mut block.rest);
                let kind = rest.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
                let opaque = Opaque { kind, data: Value::Object(rest).to_string() };
                self.parts.whole(out, PartContent::Opaque(opaque), None);
            }
        }
    }

    fn plan(&mut self, more: &str, out: &mut Vec<Event>) {
        if more.is_empty() || self.plan_ended {
            return;
        }
        let plan = self.plan.get_or_insert_with(|| Place {
            kind: Kind::Plan,
            number: 0,
            index: self.parts.start(out, PartKind::ReasoningText),
            text: String::new(),
        });
        Parts::delta(out, plan.index, more);
        plan.text.push_str(more);
    }

    fn end_plan(&mut self, out: &mut Vec<Event>) {
        if let Some(plan) = self.plan.as_ref().filter(|_| !self.plan_ended) {
            let data = json!({ "type": TOOL_PLAN, "text": plan.text });
            Parts::end(out, plan.index, replay(data.as_object().cloned().unwrap_or_default()));
            self.plan_ended = true;
        }
    }

    /// A call, or more of one.
    fn call(&mut self, slot: Option<u64>, call: &Map<String, Value>, out: &mut Vec<Event>) {
        self.end_plan(out);
        let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
        let function = call.get("function").unwrap_or(&Value::Null);
        let (id, name) = (text(call.get("id")), text(function.get("name")));
        let arguments = match function.get("arguments") {
            Some(object @ Value::Object(_)) => object.to_string(),
            arguments => text(arguments),
        };
        self.parts.call(out, CallPiece { slot, id: &id, name: &name, arguments: &arguments });
    }

    fn logprobs(&self, logprobs: &Value, number: Option<u64>, out: &mut Vec<Event>) {
        if logprobs.is_null() {
            return;
        }
        let places = self.blocks.iter().rev().filter_map(|block| block.place.as_ref());
        let mut own = places.filter(|place| number.is_none_or(|number| place.number == number));
        let index = own.next().map(|place| place.index);
        out.push(Event::Detail(Detail { index, kind: "logprobs".into(), data: logprobs.to_string() }));
    }

    /// Ends what is open, with the citations.
    fn end_all(&mut self, out: &mut Vec<Event>) {
        self.end_plan(out);
        let open: Vec<u64> =
            self.blocks.iter().filter(|block| !block.ended).map(|block| block.number).collect();
        open.into_iter().for_each(|number| self.end(number, out));
        let raw = std::mem::take(&mut self.citations);
        let places: Vec<&Place> =
            self.blocks.iter().filter_map(|block| block.place.as_ref()).chain(&self.plan).collect();
        citations::events(&raw, &places, out);
        let texts = self
            .blocks
            .iter_mut()
            .filter(|block| block.place.as_ref().is_some_and(|place| place.kind == Kind::Text));
        let mut texts: Vec<&mut Block> = texts.collect();
        // They are the message's on the wire, and its last text brings them back.
        if let (Some(last), false) = (texts.last_mut(), raw.is_empty()) {
            last.rest.insert("citations".into(), raw.into());
        }
        for block in texts {
            if let Some(place) = &block.place {
                Parts::end(out, place.index, replay(std::mem::take(&mut block.rest)));
            }
        }
        self.parts.finish(out);
    }

    fn told_text(&self, name: &str) -> Option<String> {
        self.told.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
    }

    /// What has no member in the contract: what is billed, an error in words, what is not known yet.
    fn metadata(&self) -> Option<String> {
        let mut kept = self.told.clone();
        kept.retain(|name, _| !["id", "finish_reason"].contains(&name.as_str()));
        (!kept.is_empty()).then(|| Value::Object(kept).to_string())
    }
}

impl Decoder for Answer {
    fn frame(&mut self, frame: Frame<'_>, out: &mut Vec<Event>) -> Result<(), Failure> {
        if self.ended || frame.data == "[DONE]" {
            return Ok(());
        }
        let Ok(Value::Object(event)) = serde_json::from_str(frame.data) else {
            let start = excerpt(frame.data.as_bytes());
            return Err(Failure::protocol(format!("an event of the stream can't be read: {start}")));
        };
        let name = event.get("type").and_then(Value::as_str).unwrap_or(frame.event).to_owned();
        if name.is_empty() {
            // Only errors come without a name.
            return Err(errors::of_body(&Value::Object(event)));
        }
        self.event(event, &name, out)
    }

    fn whole(&mut self, body: &[u8], out: &mut Vec<Event>) -> Result<(), Failure> {
        let mut answer: Map<String, Value> = json::answer(body)?;
        let Some(Value::Object(mut message)) = answer.get_mut("message").map(Value::take) else {
            return Err(match serde_json::from_slice(body) {
                // Its own form, and that of what stands before it.
                Ok(error) if answer.contains_key("message") || answer.contains_key("error") => {
                    errors::of_body(&error)
                }
                _ => Failure::protocol("the answer has no message: is this the v2 chat API?"),
            });
        };
        answer.shift_remove("message");
        let logprobs = answer.shift_remove("logprobs");
        self.told.extend(answer.into_iter().filter(|(_, value)| !value.is_null()));
        if let Some(Value::String(plan)) = message.get("tool_plan") {
            self.plan(plan, out);
        }
        let content = match message.shift_remove("content") {
            Some(Value::Array(blocks)) => blocks,
            Some(text @ Value::String(_)) => vec![json!({ "type": "text", "text": text })],
            _ => Vec::new(),
        };
        for (number, block) in (0..).zip(content) {
            if let Value::Object(block) = block {
                self.begin(number, block, out);
                self.end(number, out);
            }
        }
        if let Some(Value::Array(calls)) = message.get("tool_calls") {
            for (slot, call) in (0..).zip(calls.iter().filter_map(Value::as_object)) {
                self.call(Some(slot), call, out);
            }
        }
        if let Some(Value::Array(citations)) = message.shift_remove("citations") {
            self.citations = citations;
        }
        if let Some(logprobs) = logprobs {
            self.logprobs(&logprobs, None, out);
        }
        self.ended = true;
        Ok(())
    }

    fn done(&self) -> bool {
        self.ended
    }

    fn finish(&mut self, out: &mut Vec<Event>) -> Result<Completion, Failure> {
        if !self.ended {
            return Err(Failure::truncated("message-end"));
        }
        self.end_all(out);
        if let Some(error) = self.told_text("error") {
            out.push(Event::Warning(format!("Cohere ended the answer as failed: {error}")));
        }
        let raw_finish = self.told_text("finish_reason");
        Ok(Completion {
            usage: self.told.get("usage").map(usage),
            response_id: self.told_text("id"),
            metadata: self.metadata(),
            raw_finish: raw_finish.clone(),
            ..Completion::new(finish_reason(raw_finish.as_deref()))
        })
    }
}

/// `None` where there is nothing to bring back.
fn replay(data: Map<String, Value>) -> Option<Replay> {
    let data = (!data.is_empty()).then(|| Value::Object(data).to_string())?;
    Some(Replay { signature: None, item_id: None, data: Some(data) })
}

/// The tokens that the model read and wrote; what is billed is fewer, since the API's own instructions are free.
fn usage(usage: &Value) -> Usage {
    let count = |value: Option<&Value>| {
        // Counts are floats in the API's own description.
        let count = value?.as_f64().filter(|count| (0.0..=f64::from(u32::MAX)).contains(count))?;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be in range")]
        Some(count as u32)
    };
    let of = |name: &str| {
        ["tokens", "billed_units"]
            .iter()
            .find_map(|group| count(usage.get(group).and_then(|in_it| in_it.get(name))))
    };
    Usage {
        input: of("input_tokens"),
        output: of("output_tokens"),
        reasoning: None,
        cache_read: count(usage.get("cached_tokens")),
        cache_write: None,
    }
}

/// <https://docs.cohere.com/reference/chat>; `ERROR_TOXIC` and `ERROR_LIMIT` are what the API's first version says.
fn finish_reason(word: Option<&str>) -> FinishReason {
    match word {
        Some("COMPLETE" | "STOP_SEQUENCE") => FinishReason::Stop,
        Some("MAX_TOKENS") => FinishReason::Length,
        Some("TOOL_CALL") => FinishReason::ToolCalls,
        Some("ERROR_TOXIC") => FinishReason::ContentFilter,
        Some("ERROR" | "ERROR_LIMIT" | "TIMEOUT") => FinishReason::Error,
        Some(other) => FinishReason::Other(other.to_owned()),
        None => FinishReason::Other("none".into()),
    }
}
