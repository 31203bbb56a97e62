//! A part of an item, and its sources.

use serde_json::{Map, Value};

use super::super::citations::bytes as bytes_of;
use crate::{Citation, Event, Parts};

/// A part of an item, while it is open.
#[derive(Debug)]
pub(super) struct Piece {
    pub(super) part: u32,
    pub(super) what: What,
    /// The place in the item's content or summary.
    pub(super) place: u64,
    pub(super) text: String,
    pub(super) annotations: Vec<Value>,
    /// Members of the block that have no place here, and go back with it.
    pub(super) others: Map<String, Value>,
    pub(super) logprobs: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Text,
    Refusal,
    Summary,
    Thought,
    Arguments,
}

impl What {
    /// Whether several pieces are one part.
    pub(super) fn is_reasoning(self) -> bool {
        matches!(self, Self::Summary | Self::Thought)
    }
}

impl Piece {
    pub(super) fn grow(&mut self, text: &str, out: &mut Vec<Event>) {
        Parts::delta(out, self.part, text);
        self.text.push_str(text);
    }

    /// A text's sources. Places are counted in characters here, in bytes in the contract.
    pub(super) fn cite(&self, out: &mut Vec<Event>) {
        for annotation in &self.annotations {
            let inner = annotation.get("url_citation").unwrap_or(annotation);
            let text = |name: &str| {
                inner.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
            };
            let place = |name: &str| {
                inner.get(name).and_then(Value::as_u64).and_then(|place| usize::try_from(place).ok())
            };
            let span = place("start_index").zip(place("end_index")).filter(|(start, end)| start < end);
            let span = span.and_then(|span| bytes_of(&self.text, span));
            out.push(Event::Citation(Citation {
                index: self.part,
                span: span
                    .and_then(|(start, end)| Some((u32::try_from(start).ok()?, u32::try_from(end).ok()?))),
                url: text("url"),
                title: text("title").or_else(|| text("filename")),
                quote: text("quote"),
            }));
        }
    }
}
