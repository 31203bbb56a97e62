//! The answer, streamed or whole, as events. A whole answer is run through the same steps, block by block.

use aimu_sdk::eventstream::{self, EventStream, Framing};
use aimu_sdk::media::{base64, essence, from_base64};
use aimu_sdk::{
    Completion, Decoder, Event, Failure, FinishReason, Frame, Media, MediaSource, PartContent, PartDelta,
    Parts, json,
};
use serde_json::{Map, Value};

use crate::open::Open;
use crate::wire::{self, BlockDelta, BlockEdge};
use crate::{errors, media};

/// Decodes one answer.
#[derive(Debug, Default)]
pub struct Answer {
    /// The model that was asked.
    asked: String,
    parts: Parts,
    /// The blocks that are open, with the wire's indices. More than one at a time is allowed, but does not come.
    open: Vec<(u64, Open)>,
    /// What the answer says of itself: `stopReason`, `usage`, `metrics`, `trace` …
    members: Map<String, Value>,
    stopped: bool,
    told: bool,
}

impl Answer {
    /// A decoder for one answer of `model`.
    #[must_use]
    pub fn new(model: &str) -> Self {
        Self { asked: model.to_owned(), ..Self::default() }
    }

    fn delta(&mut self, data: &str, out: &mut Vec<Event>) -> Result<(), Failure> {
        let BlockDelta { content_block_index: place, delta } =
            serde_json::from_str(data).map_err(|error| unreadable(&error, data))?;
        let found = self.open.iter().rposition(|(have, _)| *have == place);
        // Only some blocks are announced.
        let at = match found {
            Some(at) => at,
            None => {
                let open = if delta.text.is_some() || delta.citation.is_some() {
                    Open::text(&mut self.parts, out)
                } else if let Some(thought) = &delta.reasoning_content {
                    Open::thought(&mut self.parts, out, !thought.redacted_content.is_empty())
                } else {
                    Open::default()
                };
                self.open.push((place, open));
                self.open.len() - 1
            }
        };
        let Some((_, open)) = self.open.get_mut(at) else { return Ok(()) };
        match (open.index(), delta) {
            (Some(index), wire::Delta { text: Some(text), .. }) => {
                if !text.is_empty() {
                    out.push(Event::Delta(PartDelta { index, text }));
                }
            }
            (Some(index), wire::Delta { citation: Some(citation), .. }) => open.cite(index, *citation, out),
            (Some(index), wire::Delta { tool_use: Some(more), .. }) => Parts::delta(out, index, &more.input),
            (_, wire::Delta { reasoning_content: Some(more), .. }) => open.think(more, out),
            // What has no shape here is put together as it is.
            _ => {
                let event = json::parse(data, "a stream event")?;
                open.absorb(event.get("delta").and_then(Value::as_object));
            }
        }
        Ok(())
    }

    fn end(&mut self, open: Open, out: &mut Vec<Event>) -> Result<(), Failure> {
        if let Some((content, replay)) = open.end(out)? {
            self.whole_part(content, replay, out)?;
        }
        Ok(())
    }

    /// A part that has come whole. Media are handed over as what they are.
    fn whole_part(
        &mut self,
        content: PartContent,
        replay: Option<aimu_sdk::Replay>,
        out: &mut Vec<Event>,
    ) -> Result<(), Failure> {
        let content = match content {
            PartContent::Opaque(opaque) => {
                let block: Value = serde_json::from_str(&opaque.data).unwrap_or_default();
                let inner = block.get(&opaque.kind).and_then(Value::as_object);
                match inner.and_then(|inner| media::made(&opaque.kind, inner)) {
                    Some((kind, mime_type, bytes)) => PartContent::Media(Media {
                        kind,
                        mime_type: essence(&mime_type),
                        source: MediaSource::Bytes(from_base64(&bytes)?),
                        name: None,
                        detail: None,
                    }),
                    None => PartContent::Opaque(opaque),
                }
            }
            content => content,
        };
        self.parts.whole(out, content, replay);
        Ok(())
    }

    fn end_all(&mut self, out: &mut Vec<Event>) -> Result<(), Failure> {
        for (_, open) in std::mem::take(&mut self.open) {
            self.end(open, out)?;
        }
        Ok(())
    }

    fn tell(&mut self, members: Map<String, Value>) {
        // The padding that hides the lengths of events.
        let says = |name: &str, value: &Value| name != "p" && !value.is_null();
        self.members.extend(members.into_iter().filter(|(name, value)| says(name, value)));
    }

    fn usage(&self) -> Option<&Map<String, Value>> {
        self.members.get("usage").and_then(Value::as_object)
    }

    /// What has no member in the contract and is worth keeping: the whole usage with its breakdowns, times, the trace of
    /// guardrails, fields of the model's own.
    fn metadata(&self) -> Option<String> {
        let kept: Map<String, Value> = self
            .members
            .iter()
            .filter(|(name, _)| !matches!(name.as_str(), "output" | "stopReason"))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        (!kept.is_empty()).then(|| Value::Object(kept).to_string())
    }
}

impl Decoder for Answer {
    fn frame(&mut self, frame: Frame<'_>, out: &mut Vec<Event>) -> Result<(), Failure> {
        let edge = || serde_json::from_str(frame.data).map_err(|error| unreadable(&error, frame.data));
        match frame.event {
            "contentBlockDelta" => self.delta(frame.data, out)?,
            "contentBlockStart" => {
                let BlockEdge { content_block_index: place, start } = edge()?;
                let open = Open::announced(start, &mut self.parts, out);
                self.open.extend(open.map(|open| (place, open)));
            }
            "contentBlockStop" => {
                let BlockEdge { content_block_index: place, .. } = edge()?;
                if let Some(at) = self.open.iter().rposition(|(have, _)| *have == place) {
                    let (_, open) = self.open.remove(at);
                    self.end(open, out)?;
                }
            }
            "messageStop" => {
                self.end_all(out)?;
                self.tell(members(frame.data)?);
                self.stopped = true;
            }
            "metadata" => {
                self.tell(members(frame.data)?);
                if let Some(usage) = self.usage() {
                    out.push(Event::Usage(wire::usage(usage)));
                }
                self.told = true;
            }
            // `messageStart` says that an assistant speaks; others may be invented.
            _ => {}
        }
        Ok(())
    }

    fn framing(&self, content_type: &str) -> Option<Box<dyn Framing>> {
        let mime = essence(content_type);
        // Some proxies forget what the bytes are.
        let fits = mime == eventstream::CONTENT_TYPE || mime == "application/octet-stream";
        fits.then(|| Box::new(EventStream::default()) as _)
    }

    fn exception(&self, frame: Frame<'_>) -> Failure {
        errors::of_exception(frame)
    }

    fn whole(&mut self, body: &[u8], out: &mut Vec<Event>) -> Result<(), Failure> {
        let mut members: Map<String, Value> = json::answer(body)?;
        let content = members
            .get_mut("output")
            .and_then(|output| output.pointer_mut("/message/content"))
            .map(Value::take);
        let Some(Value::Array(content)) = content else {
            // Its own form, and that of what stands before it.
            let names = ["__type", "message", "Message", "error"];
            let said = names.iter().any(|name| members.contains_key(*name));
            return Err(if said {
                errors::of_body(&Value::Object(members))
            } else {
                Failure::protocol("the answer has no content: is this Bedrock's Converse API?")
            });
        };
        for block in content {
            if let Value::Object(block) = block {
                let open = Open::whole(block, &mut self.parts, out);
                self.end(open, out)?;
            }
        }
        self.tell(members);
        (self.stopped, self.told) = (true, true);
        Ok(())
    }

    fn done(&self) -> bool {
        // The usage comes after the end.
        self.stopped && self.told
    }

    fn finish(&mut self, _out: &mut Vec<Event>) -> Result<Completion, Failure> {
        if !self.stopped {
            return Err(Failure::truncated("messageStop"));
        }
        let raw_finish = self.members.get("stopReason").and_then(Value::as_str).map(str::to_owned);
        let invoked =
            self.members.get("trace").and_then(|trace| trace.pointer("/promptRouter/invokedModelId"));
        Ok(Completion {
            usage: self.usage().map(wire::usage),
            model: invoked.and_then(Value::as_str).filter(|model| *model != self.asked).map(str::to_owned),
            metadata: self.metadata(),
            raw_finish: raw_finish.clone(),
            ..Completion::new(finish_reason(raw_finish.as_deref()))
        })
    }
}

/// <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html#API_runtime_Converse_ResponseSyntax>
fn finish_reason(word: Option<&str>) -> FinishReason {
    match word {
        Some("end_turn" | "stop_sequence") => FinishReason::Stop,
        Some("tool_use") => FinishReason::ToolCalls,
        Some("max_tokens" | "model_context_window_exceeded") => FinishReason::Length,
        Some("guardrail_intervened" | "content_filtered") => FinishReason::ContentFilter,
        Some("malformed_model_output" | "malformed_tool_use") => FinishReason::Error,
        Some("refusal") => FinishReason::Refusal,
        Some("pause_turn") => FinishReason::Paused,
        Some(other) => FinishReason::Other(other.to_owned()),
        None => FinishReason::Other("none".into()),
    }
}

fn members(data: &str) -> Result<Map<String, Value>, Failure> {
    serde_json::from_str(data).map_err(|error| unreadable(&error, data))
}

fn unreadable(error: &serde_json::Error, data: &str) -> Failure {
    let start = aimu_sdk::failure::excerpt(data.as_bytes());
    Failure::protocol(format!("an event of the stream can't be read ({error}): {start}"))
}

/// The bytes of several base64 texts as one. A single one stays as it is.
pub(crate) fn joined(pieces: &[String]) -> Result<String, Failure> {
    if let [only] = pieces {
        return Ok(only.clone());
    }
    let mut bytes = Vec::new();
    for piece in pieces {
        bytes.extend(from_base64(piece)?);
    }
    Ok(base64(&bytes))
}
