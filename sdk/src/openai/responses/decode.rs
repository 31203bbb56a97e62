//! An answer of this wire format, streamed or whole, as the contract's events.
//!
//! Problem: the same text comes in deltas, in the `done` of its part, of its item and of the answer, and services leave
//! out any of these; ids of an item may differ between its events. Decision: an item is known by its place in the
//! output; what was not yet said when a later form comes is said then. Price: the answer's text is kept until it ends.
//!
//! Source: <https://platform.openai.com/docs/api-reference/responses-streaming>.

use serde_json::Value;

use super::super::error;
use super::items::Item;
use super::outcome;
use super::piece::What;
use crate::failure::excerpt;
use crate::json::value;
use crate::{Completion, Decoder, Event, Failure, Frame, Parts};

/// Decodes one answer.
#[derive(Debug)]
pub struct ResponsesDecoder {
    /// The model that was asked for.
    asked: String,
    parts: Parts,
    items: Vec<Slot>,
    completion: Option<Completion>,
}

/// An item, and where it stands.
#[derive(Debug)]
struct Slot {
    place: Option<u64>,
    id: String,
    item: Item,
}

/// A streamed event. Its members are looked up: a structure of all of them is much code for little.
struct Wire(Value);

impl Wire {
    fn get(&self, name: &str) -> &Value {
        self.0.get(name).unwrap_or(&Value::Null)
    }

    fn place(&self, name: &str) -> Option<u64> {
        self.get(name).as_u64()
    }

    /// The text that an event carries: whether it is more or all of it, of what, and its place.
    fn text_of(&self, kind: &str) -> Option<(bool, What, u64, &Value)> {
        let content = self.place("content_index").unwrap_or(0);
        let summary = self.place("summary_index").unwrap_or(0);
        Some(match kind {
            "response.output_text.delta" => (true, What::Text, content, self.get("delta")),
            "response.output_text.done" => (false, What::Text, content, self.get("text")),
            "response.refusal.delta" => (true, What::Refusal, content, self.get("delta")),
            "response.refusal.done" => (false, What::Refusal, content, self.get("refusal")),
            "response.reasoning_summary_text.delta" => (true, What::Summary, summary, self.get("delta")),
            "response.reasoning_summary_text.done" => (false, What::Summary, summary, self.get("text")),
            "response.reasoning_text.delta" => (true, What::Thought, content, self.get("delta")),
            "response.reasoning_text.done" => (false, What::Thought, content, self.get("text")),
            "response.function_call_arguments.delta" | "response.custom_tool_call_input.delta" => {
                (true, What::Arguments, 0, self.get("delta"))
            }
            "response.function_call_arguments.done" => (false, What::Arguments, 0, self.get("arguments")),
            "response.custom_tool_call_input.done" => (false, What::Arguments, 0, self.get("input")),
            _ => return None,
        })
    }
}

impl ResponsesDecoder {
    /// A decoder for the answer to a request for `model`.
    #[must_use]
    pub fn new(model: impl Into<String>) -> Self {
        Self { asked: model.into(), parts: Parts::default(), items: Vec::new(), completion: None }
    }

    fn event(&mut self, wire: &Wire, kind: &str, json: &str, out: &mut Vec<Event>) -> Result<(), Failure> {
        match kind {
            "response.completed" | "response.incomplete" | "response.failed" | "response.cancelled" => {
                return self.response(wire.get("response"), out);
            }
            "response.done" if wire.get("response").is_object() => {
                return self.response(wire.get("response"), out);
            }
            "error" | "response.error" => return Err(reported(json)),
            // A queued answer is fetched later: its stream goes on.
            "response.created" | "response.in_progress" | "response.queued" => return Ok(()),
            "response.output_item.added" => {
                self.item_at(wire, wire.get("item"), out);
                return Ok(());
            }
            "response.output_item.done" => {
                if let Some(place) = self.item_at(wire, wire.get("item"), out)
                    && let Some(slot) = self.items.get_mut(place)
                {
                    slot.item.done(wire.get("item"), &mut self.parts, out)?;
                }
                return Ok(());
            }
            _ => {}
        }
        let Some(slot) = self.place_of(wire).and_then(|place| self.items.get_mut(place)) else {
            // No item, or an event that nobody has heard of.
            return if kind.is_empty() && is_error(json) { Err(reported(json)) } else { Ok(()) };
        };
        let (item, parts) = (&mut slot.item, &mut self.parts);
        let content = wire.place("content_index").unwrap_or(0);
        if let Some((grows, what, place, text)) = wire.text_of(kind) {
            let text = text.as_str().unwrap_or_default();
            if grows {
                item.grow(what, place, text, parts, out);
            } else {
                item.settle(what, place, text, parts, out);
            }
        }
        match kind {
            "response.output_text.delta" => item.logprobs(content, wire.get("logprobs"), out),
            "response.content_part.done" => item.content_is(content, wire.get("part"), parts, out),
            "response.output_text.annotation.added" => item.annotation(content, wire.get("annotation")),
            // A server tool's progress is for the user to see; the call itself comes whole.
            _ if !kind.ends_with(".delta") && !kind.ends_with(".done") => item.progress(kind, out),
            _ => {}
        }
        Ok(())
    }

    /// The place of an event's item.
    fn place_of(&self, wire: &Wire) -> Option<usize> {
        self.items.iter().rposition(|slot| match (wire.place("output_index"), slot.place) {
            (Some(index), Some(place)) => index == place,
            _ => wire.get("item_id").as_str().is_some_and(|id| id == slot.id),
        })
    }

    /// The place of an item that comes: it is opened if it is new.
    fn item_at(&mut self, wire: &Wire, item: &Value, out: &mut Vec<Event>) -> Option<usize> {
        if !item.is_object() {
            return None;
        }
        let id = item.get("id").and_then(Value::as_str).unwrap_or_default();
        let same = |slot: &Slot| match (wire.place("output_index"), slot.place) {
            (Some(index), Some(place)) => index == place,
            _ => !id.is_empty() && id == slot.id,
        };
        if let Some(place) = self.items.iter().rposition(same) {
            return Some(place);
        }
        let item = Item::open(item, &mut self.parts, out);
        self.items.push(Slot { place: wire.place("output_index"), id: id.to_owned(), item });
        Some(self.items.len() - 1)
    }

    /// The response itself: whole, or at the end of a stream.
    fn response(&mut self, response: &Value, out: &mut Vec<Event>) -> Result<(), Failure> {
        let output = response.get("output").and_then(Value::as_array).into_iter().flatten();
        // Some services repeat nothing at the end, others say everything only there.
        if self.items.is_empty() {
            for item in output.filter(|item| item.is_object()) {
                let mut opened = Item::open(item, &mut self.parts, out);
                let done = opened.done(item, &mut self.parts, out);
                self.items.push(Slot { place: None, id: String::new(), item: opened });
                done?;
            }
        }
        for slot in &mut self.items {
            slot.item.close(&mut self.parts, out);
        }
        let calls = self.items.iter().any(|slot| slot.item.is_call());
        self.completion = Some(outcome::completion(response, &self.asked, calls, out)?);
        Ok(())
    }
}

impl Decoder for ResponsesDecoder {
    fn frame(&mut self, frame: Frame<'_>, out: &mut Vec<Event>) -> Result<(), Failure> {
        let data = frame.data.trim();
        if self.completion.is_some() || data.is_empty() || data == "[DONE]" {
            return Ok(());
        }
        let wire = match value(data) {
            Ok(wire) => Wire(wire),
            Err(_) if is_error(data) => return Err(reported(data)),
            Err(reason) => return Err(nonsense(data.as_bytes(), &reason)),
        };
        let kind = wire.get("type").as_str().unwrap_or(frame.event);
        self.event(&wire, kind, data, out)
    }

    fn whole(&mut self, body: &[u8], out: &mut Vec<Event>) -> Result<(), Failure> {
        let Ok(text) = std::str::from_utf8(body) else {
            return Err(Failure::protocol("the answer is not UTF-8"));
        };
        let response = value(text).map_err(|reason| nonsense(body, &reason))?;
        if response.get("output").is_none_or(|output| !output.is_array()) {
            if is_error(text) {
                return Err(reported(text));
            }
            return Err(Failure::protocol(format!("the answer holds no output: {}", excerpt(body))));
        }
        self.response(&response, out)
    }

    fn done(&self) -> bool {
        self.completion.is_some()
    }

    fn finish(&mut self, _out: &mut Vec<Event>) -> Result<Completion, Failure> {
        self.completion.take().ok_or_else(|| Failure::truncated("`response.completed`"))
    }
}

fn nonsense(body: &[u8], reason: &serde_json::Error) -> Failure {
    Failure::protocol(format!("the answer makes no sense ({reason}): {}", excerpt(body)))
}

/// The failure that a server reports inside an answer. The event `error` has its members at the top.
fn reported(json: &str) -> Failure {
    let mut body = value(json).unwrap_or_else(|_| json.into());
    if let Value::Object(members) = &mut body {
        // The event's own type is no kind of an error.
        if members.get("type").is_some_and(|kind| kind == "error") {
            members.shift_remove("type");
        }
        members.shift_remove("sequence_number");
        if members.get("error").is_none_or(Value::is_null) {
            body = serde_json::json!({"error": members});
        }
    }
    error::from_body(&body)
}

fn is_error(json: &str) -> bool {
    let Ok(Value::Object(document)) = value(json) else {
        return false;
    };
    let has = |name: &str| document.get(name).is_some_and(|value| !value.is_null());
    has("error") || has("detail") || has("errors") || (has("message") && has("code"))
}
