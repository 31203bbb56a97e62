//! `reasoning_details`: reasoning in items of the provider's own, put together so that they go back as they came.
//!
//! Problem: an item comes in pieces, its signature last and after other items have begun; on the next turn the
//! provider checks it. Decision: an item is a part that stays open until the answer ends, and its wire form, whole
//! again, is the part's `replay.data`.

use serde_json::{Map, Value};

use super::wire::Detail;
use crate::{Event, PartContent, PartKind, Parts, Reasoning, Replay};

/// The items of one answer.
#[derive(Debug, Default)]
pub(super) struct Details {
    open: Vec<Item>,
}

#[derive(Debug)]
struct Item {
    part: u32,
    kind: String,
    wire_index: Option<u64>,
    text: String,
    signature: String,
    rest: Map<String, Value>,
}

impl Details {
    /// Takes a piece, and says whether it held anything to read.
    pub(super) fn take(&mut self, detail: Detail<'_>, parts: &mut Parts, out: &mut Vec<Event>) -> bool {
        let readable = !detail.text.is_empty();
        if !detail.data.is_empty() {
            let data = detail.data.0.into_owned();
            let mut wire = detail.rest;
            wire.insert("type".into(), detail.kind.0.into());
            if let Some(index) = detail.index {
                wire.insert("index".into(), index.into());
            }
            wire.insert("data".into(), data.clone().into());
            parts.whole(out, PartContent::Reasoning(Reasoning::Redacted(data)), Some(replay(wire)));
            return readable;
        }
        let same = |item: &Item| {
            (detail.kind.is_empty() || item.kind == detail.kind.0)
                && (detail.index.is_none() || item.wire_index.is_none() || item.wire_index == detail.index)
        };
        let place = match self.open.iter().rposition(same) {
            Some(place) => place,
            None if detail.text.is_empty() && detail.signature.is_empty() => return false,
            None => {
                parts.end_growing(out, None);
                let summary = detail.kind.0 == "reasoning.summary";
                let kind = if summary { PartKind::ReasoningSummary } else { PartKind::ReasoningText };
                self.open.push(Item {
                    part: parts.start(out, kind),
                    kind: detail.kind.0.clone().into_owned(),
                    wire_index: detail.index,
                    text: String::new(),
                    signature: String::new(),
                    rest: Map::new(),
                });
                self.open.len() - 1
            }
        };
        let Some(item) = self.open.get_mut(place) else {
            return readable;
        };
        Parts::delta(out, item.part, &detail.text.0);
        item.text.push_str(&detail.text.0);
        item.signature.push_str(&detail.signature.0);
        for (name, value) in detail.rest {
            // A later piece fills what was unknown; it does not take back what was said.
            let have = item.rest.entry(name).or_insert(Value::Null);
            if have.is_null() {
                *have = value;
            }
        }
        readable
    }

    /// Ends the items that are open.
    pub(super) fn finish(&mut self, out: &mut Vec<Event>) {
        for item in self.open.drain(..) {
            let text_name = if item.kind == "reasoning.summary" { "summary" } else { "text" };
            let mut wire = item.rest;
            if !item.kind.is_empty() {
                wire.insert("type".into(), item.kind.into());
            }
            wire.insert(text_name.into(), item.text.into());
            if let Some(index) = item.wire_index {
                wire.insert("index".into(), index.into());
            }
            if !item.signature.is_empty() {
                wire.insert("signature".into(), item.signature.into());
            }
            Parts::end(out, item.part, Some(replay(wire)));
        }
    }
}

/// The item as it came: its id and signature are in it.
fn replay(wire: Map<String, Value>) -> Replay {
    Replay { signature: None, item_id: None, data: Some(Value::Object(wire).to_string()) }
}
