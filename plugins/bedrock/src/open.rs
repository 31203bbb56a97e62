//! A block of an answer while it grows: what is shown of it, and what has to be kept so that it goes back unchanged.

use aimu_sdk::{CallStart, Event, Failure, Opaque, PartContent, PartKind, Parts, Reasoning, Replay};
use serde_json::{Map, Value, json};

use crate::answer::joined;
use crate::{citations, wire};

/// A block that is open.
#[derive(Debug, Default)]
pub(crate) struct Open {
    /// The part that it grows; `None` for one that is handed over whole when it ends.
    index: Option<u32>,
    /// The block as it is put together, where it has no shape here.
    block: Map<String, Value>,
    /// What the contract has no member for, and goes back with the next request.
    rest: Map<String, Value>,
    citations: Vec<Value>,
    signature: String,
    redacted: Vec<String>,
}

impl Open {
    /// A text.
    pub(crate) fn text(parts: &mut Parts, out: &mut Vec<Event>) -> Self {
        Self { index: Some(parts.start(out, PartKind::Text)), ..Self::default() }
    }

    /// A thought, or one that is hidden.
    pub(crate) fn thought(parts: &mut Parts, out: &mut Vec<Event>, redacted: bool) -> Self {
        let index = (!redacted).then(|| parts.start(out, PartKind::ReasoningText));
        Self { index, ..Self::default() }
    }

    /// A call. `rest` is the block without its input.
    fn call(mut rest: Map<String, Value>, parts: &mut Parts, out: &mut Vec<Event>) -> Self {
        let mut take = |name: &str| match rest.shift_remove(name) {
            Some(Value::String(text)) => text,
            _ => String::new(),
        };
        let (id, name) = (take("toolUseId"), take("name"));
        let kind = rest.get("type").and_then(Value::as_str).unwrap_or("tool_use");
        let server_executed = kind == "server_tool_use";
        // What is usual is not said in a request.
        if kind == "tool_use" {
            rest.shift_remove("type");
        }
        let start = CallStart { id, name, server_executed };
        rest.retain(|_, value| !value.is_null());
        Self { index: Some(parts.start(out, PartKind::ToolCall(start))), rest, ..Self::default() }
    }

    /// A block that a stream announces: `{"toolUse": {…}}` and others. `None` for those whose first delta says all.
    pub(crate) fn announced(
        mut start: Map<String, Value>,
        parts: &mut Parts,
        out: &mut Vec<Event>,
    ) -> Option<Self> {
        match start.shift_remove("toolUse") {
            Some(Value::Object(call)) => Some(Self::call(call, parts, out)),
            _ if start.is_empty() => None,
            _ if ["text", "reasoningContent", "citationsContent"]
                .iter()
                .any(|kind| start.contains_key(*kind)) =>
            {
                None
            }
            _ => Some(Self { block: start, ..Self::default() }),
        }
    }

    /// A block that has come whole.
    pub(crate) fn whole(mut block: Map<String, Value>, parts: &mut Parts, out: &mut Vec<Event>) -> Self {
        if let Some(Value::String(text)) = block.get("text") {
            let open = Self::text(parts, out);
            open.index.into_iter().for_each(|index| Parts::delta(out, index, text));
            return open;
        }
        if let Some(Value::Object(call)) = block.get_mut("toolUse") {
            let mut call = std::mem::take(call);
            let input = call.shift_remove("input").filter(|input| !input.is_null());
            let open = Self::call(call, parts, out);
            // Without arguments there is nothing to say.
            let input = input.filter(|input| input.as_object().is_none_or(|input| !input.is_empty()));
            if let (Some(index), Some(input)) = (open.index, input) {
                Parts::delta(out, index, &input.to_string());
            }
            return open;
        }
        if let Some(thought) = block.get("reasoningContent") {
            let text =
                |path: &str| thought.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned();
            let more = wire::Reasoning {
                text: text("/reasoningText/text"),
                signature: text("/reasoningText/signature"),
                redacted_content: text("/redactedContent"),
            };
            let known =
                !(more.text.is_empty() && more.signature.is_empty() && more.redacted_content.is_empty());
            if known {
                let mut open = Self::thought(parts, out, !more.redacted_content.is_empty());
                open.think(more, out);
                return open;
            }
        }
        if let Some(cited) = block.get("citationsContent").and_then(Value::as_object) {
            return Self::cited(cited, parts, out);
        }
        Self { block, ..Self::default() }
    }

    /// A text with its sources.
    fn cited(block: &Map<String, Value>, parts: &mut Parts, out: &mut Vec<Event>) -> Self {
        let mut open = Self::text(parts, out);
        let pieces = block.get("content").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        for piece in pieces {
            let text = piece.get("text").and_then(Value::as_str).unwrap_or_default();
            open.index.into_iter().for_each(|index| Parts::delta(out, index, text));
        }
        let plain = matches!(pieces, [piece] if piece.as_object().is_some_and(|piece| piece.len() == 1));
        for (name, value) in block {
            match (name.as_str(), value) {
                ("citations", Value::Array(list)) => {
                    for citation in list {
                        open.index.into_iter().for_each(|index| out.push(citations::event(index, citation)));
                    }
                    open.citations.clone_from(list);
                }
                // The part's text says it.
                ("content", _) if plain => {}
                _ => {
                    open.rest.insert(name.clone(), value.clone());
                }
            }
        }
        // Even without a source it goes back as what it was.
        if open.citations.is_empty() {
            open.rest.insert("citations".into(), json!([]));
        }
        open
    }

    pub(crate) fn index(&self) -> Option<u32> {
        self.index
    }

    pub(crate) fn cite(&mut self, index: u32, citation: Value, out: &mut Vec<Event>) {
        out.push(citations::event(index, &citation));
        self.citations.push(citation);
    }

    /// More of a thought.
    pub(crate) fn think(&mut self, more: wire::Reasoning, out: &mut Vec<Event>) {
        if !more.redacted_content.is_empty() {
            self.redacted.push(more.redacted_content);
        }
        self.signature.push_str(&more.signature);
        // A hidden thought has no text.
        if let Some(index) = self.index {
            Parts::delta(out, index, &more.text);
        }
    }

    /// A delta of a block that has no shape here: `{"toolResult": […]}` adds to the content of what was announced as
    /// `{"toolResult": {…}}`, members of an object to its members.
    pub(crate) fn absorb(&mut self, delta: Option<&Map<String, Value>>) {
        for (kind, more) in delta.into_iter().flatten() {
            let have = self.block.entry(kind.clone()).or_insert_with(|| json!({}));
            match (have, more) {
                (Value::Object(have), Value::Array(more)) => {
                    if let Value::Array(content) = have.entry("content").or_insert_with(|| json!([])) {
                        content.extend(more.iter().cloned());
                    }
                }
                (Value::Object(have), Value::Object(more)) => grow(have, more),
                (have, more) => *have = more.clone(),
            }
        }
    }

    /// The block is over. What it grew is ended; what comes whole is given back.
    pub(crate) fn end(self, out: &mut Vec<Event>) -> Result<Option<(PartContent, Option<Replay>)>, Failure> {
        let Self { index, block, mut rest, citations, signature, redacted } = self;
        let Some(index) = index else {
            if !redacted.is_empty() {
                return Ok(Some((PartContent::Reasoning(Reasoning::Redacted(joined(&redacted)?)), None)));
            }
            let Some(kind) = block.keys().next().cloned() else { return Ok(None) };
            let data = Value::Object(block).to_string();
            return Ok(Some((PartContent::Opaque(Opaque { kind, data }), None)));
        };
        if !citations.is_empty() {
            rest.insert("citations".into(), citations.into());
        }
        let signature = (!signature.is_empty()).then_some(signature);
        let data = (!rest.is_empty()).then(|| Value::Object(rest).to_string());
        let replay =
            (signature.is_some() || data.is_some()).then_some(Replay { signature, item_id: None, data });
        Parts::end(out, index, replay);
        // A thought may turn out to be hidden in its middle.
        if redacted.is_empty() {
            return Ok(None);
        }
        Ok(Some((PartContent::Reasoning(Reasoning::Redacted(joined(&redacted)?)), None)))
    }
}

/// Texts and lists grow, objects member by member; everything else replaces.
fn grow(have: &mut Map<String, Value>, more: &Map<String, Value>) {
    for (name, more) in more {
        match (have.get_mut(name), more) {
            (Some(Value::String(text)), Value::String(more)) => text.push_str(more),
            (Some(Value::Array(items)), Value::Array(more)) => items.extend(more.iter().cloned()),
            (Some(Value::Object(have)), Value::Object(more)) => grow(have, more),
            _ => {
                have.insert(name.clone(), more.clone());
            }
        }
    }
}
