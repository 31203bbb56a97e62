//! Keeps the indices of an answer's parts, so that an adapter only says what came.
//!
//! Two styles. A wire with one text field that grows (chat completions, Ollama) calls [`Parts::text`],
//! [`Parts::reasoning`] and [`Parts::call`]: the right part is opened when something else begins, and ended when its
//! kind changes. A wire with blocks of its own (Messages, Responses) opens and ends each with [`Parts::start`] and
//! [`Parts::end`].

use crate::{
    CallStart, Event, Part, PartContent, PartDelta, PartEnd, PartKind, PartStart, Reasoning, Replay, ToolCall,
};

/// The open parts of one answer.
#[derive(Debug, Default)]
pub struct Parts {
    next: u32,
    /// The text-like part that grows, with its kind.
    growing: Option<(u32, Growing)>,
    calls: Vec<Call>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Growing {
    Text,
    Refusal,
    Reasoning,
    Summary,
}

/// A tool call that is being put together.
#[derive(Debug)]
struct Call {
    slot: Option<u64>,
    id: String,
    /// `None` until the name is known.
    index: Option<u32>,
    arguments: String,
}

/// A piece of a tool call, as it comes.
#[derive(Clone, Copy, Debug, Default)]
pub struct CallPiece<'a> {
    /// The wire's own index of the call, where it has one.
    pub slot: Option<u64>,
    /// The call's id; empty where the piece has none.
    pub id: &'a str,
    /// The tool's name; empty where the piece has none.
    pub name: &'a str,
    /// More of the arguments.
    pub arguments: &'a str,
}

impl Parts {
    /// More text of the answer. Empty text opens nothing.
    pub fn text(&mut self, out: &mut Vec<Event>, text: &str) {
        self.grow(out, Growing::Text, text);
    }

    /// More of a refusal.
    pub fn refusal(&mut self, out: &mut Vec<Event>, text: &str) {
        self.grow(out, Growing::Refusal, text);
    }

    /// More reasoning.
    pub fn reasoning(&mut self, out: &mut Vec<Event>, text: &str) {
        self.grow(out, Growing::Reasoning, text);
    }

    /// More of a summary of the reasoning.
    pub fn summary(&mut self, out: &mut Vec<Event>, text: &str) {
        self.grow(out, Growing::Summary, text);
    }

    fn grow(&mut self, out: &mut Vec<Event>, kind: Growing, text: &str) {
        if text.is_empty() {
            return;
        }
        let index = match self.growing {
            Some((index, have)) if have == kind => index,
            _ => {
                self.end_growing(out, None);
                let index = self.start(
                    out,
                    match kind {
                        Growing::Text => PartKind::Text,
                        Growing::Refusal => PartKind::Refusal,
                        Growing::Reasoning => PartKind::ReasoningText,
                        Growing::Summary => PartKind::ReasoningSummary,
                    },
                );
                self.growing = Some((index, kind));
                index
            }
        };
        out.push(Event::Delta(PartDelta { index, text: text.to_owned() }));
    }

    /// The index of the part that [`Parts::text`] and its like are growing.
    #[must_use]
    pub fn growing(&self) -> Option<u32> {
        self.growing.map(|(index, _)| index)
    }

    /// Ends the part that grows, with what the provider needs back.
    pub fn end_growing(&mut self, out: &mut Vec<Event>, replay: Option<Replay>) {
        if let Some((index, _)) = self.growing.take() {
            Self::end(out, index, replay);
        }
    }

    /// Opens a part that the adapter ends itself, and gives its index.
    pub fn start(&mut self, out: &mut Vec<Event>, kind: PartKind) -> u32 {
        let index = self.next;
        self.next += 1;
        out.push(Event::Start(PartStart { index, kind }));
        index
    }

    /// More text of a part, or of a call's arguments. Empty text is no event.
    pub fn delta(out: &mut Vec<Event>, index: u32, text: &str) {
        if !text.is_empty() {
            out.push(Event::Delta(PartDelta { index, text: text.to_owned() }));
        }
    }

    /// Ends a part.
    pub fn end(out: &mut Vec<Event>, index: u32, replay: Option<Replay>) {
        out.push(Event::End(PartEnd { index, replay }));
    }

    /// A part that came whole; it ends the one that grows.
    pub fn whole(&mut self, out: &mut Vec<Event>, content: PartContent, replay: Option<Replay>) {
        self.end_growing(out, None);
        out.push(Event::Whole(Part { content, replay, cache_here: false, extra: None }));
    }

    /// A whole reasoning text.
    pub fn whole_reasoning(&mut self, out: &mut Vec<Event>, text: String, replay: Option<Replay>) {
        self.whole(out, PartContent::Reasoning(Reasoning::Text(text)), replay);
    }

    /// A tool call that came whole. Arguments as the model wrote them.
    pub fn whole_call(&mut self, out: &mut Vec<Event>, id: String, name: String, arguments: String) {
        let call = ToolCall { id, name, arguments, server_executed: false };
        self.whole(out, PartContent::ToolCall(call), None);
    }

    /// A piece of a tool call. The part opens once the name is known; what came before is not lost. Servers differ:
    /// ids and names come once, in every piece, or late; indices are missing, or one index serves several calls.
    pub fn call(&mut self, out: &mut Vec<Event>, piece: CallPiece<'_>) {
        self.end_growing(out, None);
        let place = match self.place_of(piece) {
            Some(place) => place,
            None => {
                self.calls.push(Call {
                    slot: piece.slot,
                    id: piece.id.to_owned(),
                    index: None,
                    arguments: String::new(),
                });
                self.calls.len() - 1
            }
        };
        let Some(call) = self.calls.get_mut(place) else {
            return;
        };
        if call.id.is_empty() {
            call.id.push_str(piece.id);
        }
        call.arguments.push_str(piece.arguments);
        match call.index {
            Some(index) => Self::delta(out, index, piece.arguments),
            None if piece.name.is_empty() => {}
            None => {
                let start =
                    CallStart { id: call.id.clone(), name: piece.name.to_owned(), server_executed: false };
                let index = self.next;
                self.next += 1;
                call.index = Some(index);
                out.push(Event::Start(PartStart { index, kind: PartKind::ToolCall(start) }));
                Self::delta(out, index, &call.arguments);
            }
        }
    }

    /// Which of the open calls a piece belongs to; `None` begins a new one.
    fn place_of(&self, piece: CallPiece<'_>) -> Option<usize> {
        let last_with = |fits: &dyn Fn(&Call) -> bool| self.calls.iter().rposition(fits);
        let place = match piece.slot {
            Some(slot) => last_with(&|call| call.slot == Some(slot))?,
            None if !piece.id.is_empty() => match last_with(&|call| call.id == piece.id) {
                Some(place) => place,
                // An id that comes late, or a fresh one in each piece, goes with the call that has no name beside it.
                None if piece.name.is_empty() => self.calls.len().checked_sub(1)?,
                None => return None,
            },
            None => self.calls.len().checked_sub(1)?,
        };
        let call = self.calls.get(place)?;
        let named_again = !piece.name.is_empty() && call.index.is_some();
        let other_id = !piece.id.is_empty() && !call.id.is_empty() && piece.id != call.id;
        // A name comes again with another id, or when the call is complete: then it is the next call.
        let next =
            named_again && (other_id || (piece.id != call.id || piece.id.is_empty()) && is_complete(call));
        (!next).then_some(place)
    }

    /// How many tool calls came in pieces.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.calls.iter().filter(|call| call.index.is_some()).count()
    }

    /// Ends everything that [`Parts::text`] and its like and [`Parts::call`] have opened.
    pub fn finish(&mut self, out: &mut Vec<Event>) {
        self.end_growing(out, None);
        for call in self.calls.drain(..) {
            if let Some(index) = call.index {
                Self::end(out, index, None);
            }
        }
    }
}

/// Whether a call's arguments are a complete JSON document.
fn is_complete(call: &Call) -> bool {
    serde_json::from_str::<serde::de::IgnoredAny>(&call.arguments).is_ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// What the events say, call by call: id, name, arguments.
    fn calls(pieces: &[(Option<u64>, &str, &str, &str)]) -> Vec<(String, String, String)> {
        let (mut parts, mut out) = (Parts::default(), Vec::new());
        for &(slot, id, name, arguments) in pieces {
            parts.call(&mut out, CallPiece { slot, id, name, arguments });
        }
        let open = parts.calls();
        parts.finish(&mut out);
        let mut got: Vec<(u32, String, String, String)> = Vec::new();
        let mut ended = 0;
        for event in out {
            match event {
                Event::Start(PartStart { index, kind: PartKind::ToolCall(call) }) => {
                    got.push((index, call.id, call.name, String::new()));
                }
                Event::Delta(delta) => {
                    let call = got.iter_mut().find(|call| call.0 == delta.index).unwrap();
                    call.3.push_str(&delta.text);
                }
                Event::End(_) => ended += 1,
                other => unreachable!("{other:?}"),
            }
        }
        assert_eq!((ended, open), (got.len(), got.len()));
        got.into_iter().map(|(_, id, name, arguments)| (id, name, arguments)).collect()
    }

    fn want(list: &[(&str, &str, &str)]) -> Vec<(String, String, String)> {
        list.iter().map(|(a, b, c)| ((*a).into(), (*b).into(), (*c).into())).collect()
    }

    #[test]
    fn calls_in_all_the_ways_servers_send_them() {
        let two = want(&[("i", "f", "{\"a\":1}"), ("j", "g", "{}")]);
        // As OpenAI does, in turn and interleaved.
        let zero = Some(0);
        let one = Some(1);
        assert_eq!(
            calls(&[
                (zero, "i", "f", ""),
                (zero, "", "", "{\"a\":"),
                (one, "j", "g", ""),
                (zero, "", "", "1}"),
                (one, "", "", "{}")
            ]),
            two
        );
        // Id and name in every piece.
        assert_eq!(calls(&[(zero, "i", "f", "{\"a\":"), (zero, "i", "f", "1}"), (one, "j", "g", "{}")]), two);
        // One index for all calls.
        assert_eq!(calls(&[(zero, "i", "f", "{\"a\":1}"), (zero, "j", "g", "{}")]), two);
        // No index.
        assert_eq!(calls(&[(None, "i", "f", "{\"a\":"), (None, "", "", "1}"), (None, "j", "g", "{}")]), two);
        assert_eq!(calls(&[(None, "i", "f", "{\"a\":"), (None, "i", "", "1}"), (None, "j", "g", "{}")]), two);
        // A fresh id in each piece of one call.
        assert_eq!(calls(&[(zero, "i", "f", "{\"a\":"), (zero, "x", "", "1}"), (one, "j", "g", "{}")]), two);
        // No ids at all, whole calls, even the same one twice.
        let unnamed = want(&[("", "f", "{\"a\":1}"), ("", "f", "{\"a\":1}")]);
        assert_eq!(calls(&[(zero, "", "f", "{\"a\":1}"), (zero, "", "f", "{\"a\":1}")]), unnamed);
        assert_eq!(calls(&[(None, "", "f", "{\"a\":1}"), (None, "", "f", "{\"a\":1}")]), unnamed);
        // The name comes late, and never.
        assert_eq!(
            calls(&[(zero, "i", "", "{\"a\""), (zero, "", "f", ":1}")]),
            want(&[("i", "f", "{\"a\":1}")])
        );
        assert_eq!(calls(&[(zero, "i", "", "{}")]), want(&[]));
    }

    #[test]
    fn parts_open_grow_and_end() {
        let (mut parts, mut out) = (Parts::default(), Vec::new());
        parts.text(&mut out, "");
        parts.reasoning(&mut out, "r");
        parts.text(&mut out, "a");
        parts.text(&mut out, "b");
        parts.whole_call(&mut out, "i".into(), "f".into(), "{}".into());
        parts.text(&mut out, "c");
        parts.finish(&mut out);
        let shape: Vec<String> = out
            .iter()
            .map(|event| match event {
                Event::Start(start) => format!("+{}", start.index),
                Event::Delta(delta) => format!("{}{}", delta.index, delta.text),
                Event::End(end) => format!("-{}", end.index),
                _ => "w".into(),
            })
            .collect();
        assert_eq!(shape, ["+0", "0r", "-0", "+1", "1a", "1b", "-1", "w", "+2", "2c", "-2"]);
    }
}
