//! `reasoning_details`: reasoning in items of the provider's own, put together so that they go back as they came.
//!
//! Problem: an item comes in pieces, its signature last and after other items have begun; on the next turn the
//! provider checks it. Decision: an item is a part that stays open until the answer ends, and its wire form, whole
//! again, is the part's `replay.data`.

use serde_json::{Map, Value};

use super::wire;
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
    /// Takes a piece, and says whether it held anything to read. It goes back as it came, so members without a meaning
    /// here are kept too: `id`, `format` and what is new.
    pub(super) fn take(&mut self, detail: Value, parts: &mut Parts, out: &mut Vec<Event>) -> bool {
        let member = |name| wire::text(&detail, name).into_owned();
        let (kind, data, signature) = (member("type"), member("data"), member("signature"));
        let text = member(if detail.get("summary").is_some() { "summary" } else { "text" });
        let index = detail.get("index").and_then(Value::as_u64);
        let Value::Object(mut rest) = detail else { return false };
        rest.retain(|name, _| {
            !["type", "text", "summary", "data", "signature", "index"].contains(&name.as_str())
        });
        let readable = !text.is_empty();
        if !data.is_empty() {
            rest.insert("type".into(), kind.into());
            if let Some(index) = index {
                rest.insert("index".into(), index.into());
            }
            rest.insert("data".into(), data.clone().into());
            parts.whole(out, PartContent::Reasoning(Reasoning::Redacted(data)), Some(replay(rest)));
            return readable;
        }
        let same = |item: &Item| {
            (kind.is_empty() || item.kind == kind)
                && (index.is_none() || item.wire_index.is_none() || item.wire_index == index)
        };
        let place = match self.open.iter().rposition(same) {
            Some(place) => place,
            None if text.is_empty() && signature.is_empty() => return false,
            None => {
                parts.end_growing(out, None);
                let summary = kind == "reasoning.summary";
                let part = if summary { PartKind::ReasoningSummary } else { PartKind::ReasoningText };
                self.open.push(Item {
                    part: parts.start(out, part),
                    kind: kind.clone(),
                    wire_index: index,
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
        Parts::delta(out, item.part, &text);
        item.text.push_str(&text);
        item.signature.push_str(&signature);
        for (name, value) in rest {
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
