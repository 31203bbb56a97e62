//! Chunks that differ from the one before in their text only.
//!
//! Problem: a streamed chunk is a few letters in some 200 bytes of JSON that never change, and reading those is most
//! of what an event costs in a sandbox. Decision: of a chunk that said nothing but a piece of text, what stands before
//! and behind that text is remembered; one that begins and ends with the very same bytes says the same, and what lies
//! between is its text. Price: a comparison where servers pad their chunks, given up after a few in vain.

use std::ops::Range;

use memchr::arch::all::{is_prefix, is_suffix};

use super::wire::{Answer, Content};

/// Chunks in a row that fit nothing, after which nothing more is remembered.
const PATIENCE: u32 = 8;

/// The part of a message that a chunk's text belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Grows {
    Text,
    Reasoning,
}

/// The last chunk that said nothing but a piece of text.
#[derive(Debug, Default)]
pub(super) struct Repeat {
    chunk: String,
    /// What it grows, and where in it the text stands.
    text: Option<(Grows, Range<usize>)>,
    misses: u32,
}

impl Repeat {
    /// The text of a chunk that is otherwise the remembered one.
    pub(super) fn text<'c>(&mut self, chunk: &'c str) -> Option<(Grows, &'c str)> {
        let (grows, Range { start, end }) = self.text.clone()?;
        let (before, after) = (self.chunk.get(..start)?.as_bytes(), self.chunk.get(end..)?.as_bytes());
        // Not `==`: in a component that compares byte by byte.
        let same = is_prefix(chunk.as_bytes(), before) && is_suffix(chunk.as_bytes(), after);
        let text = chunk.get(start..chunk.len().saturating_sub(after.len())).filter(|_| same);
        // Free of what JSON escapes or forbids: then it is one string, and stands for itself.
        match text.filter(|text| text.bytes().all(|byte| !matches!(byte, b'"' | b'\\' | 0..=0x1f))) {
            Some(text) => {
                self.misses = 0;
                Some((grows, text))
            }
            None => {
                self.misses += 1;
                None
            }
        }
    }

    /// Remembers a chunk, if it says nothing but a piece of text.
    pub(super) fn remember(&mut self, chunk: &str, text: Option<(Grows, Range<usize>)>) {
        self.text = text.filter(|_| self.misses < PATIENCE);
        if self.text.is_some() {
            self.chunk.clear();
            self.chunk.push_str(chunk);
        }
    }
}

impl Answer<'_> {
    /// Where in `chunk` the text stands that is all this answer says.
    pub(super) fn only_text(&self, chunk: &str) -> Option<(Grows, Range<usize>)> {
        let choice = self.choices.first.as_ref()?;
        let delta = choice.delta.as_ref()?;
        let says_more = self.usage.is_some()
            || self.x_groq.is_some()
            || self.error.is_some()
            || self.citations.is_some()
            || self.search_results.is_some()
            || choice.message.is_some()
            || !choice.finish_reason.is_empty()
            || choice.logprobs.is_some()
            || choice.error.is_some()
            || delta.reasoning_details.is_some()
            || !delta.refusal.is_empty()
            || delta.tool_calls.is_some()
            || delta.function_call.is_some()
            || delta.audio.is_some()
            || delta.images.is_some()
            || delta.annotations.is_some()
            || delta.executed_tools.is_some()
            || delta.extra_content.is_some();
        let Content::Text(content) = &delta.content else { return None };
        let (grows, text) = match (content, &delta.reasoning_content, &delta.reasoning) {
            _ if says_more => return None,
            (text, a, b) if a.is_empty() && b.is_empty() => (Grows::Text, text),
            (a, text, b) | (a, b, text) if a.is_empty() && b.is_empty() => (Grows::Reasoning, text),
            _ => return None,
        };
        // A text without escapes is borrowed from the chunk.
        let std::borrow::Cow::Borrowed(text) = &text.0 else { return None };
        let start = (text.as_ptr() as usize).checked_sub(chunk.as_ptr() as usize)?;
        let place = start..start + text.len();
        (!text.is_empty() && chunk.get(place.clone()) == Some(text)).then_some((grows, place))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::openai::wire;

    fn chunk(delta: &str) -> String {
        format!(r#"{{"id":"c","choices":[{{"index":0,"delta":{delta},"finish_reason":null}}],"usage":null}}"#)
    }

    fn learn(repeat: &mut Repeat, chunk: &str) {
        let mut answer = None;
        wire::read(chunk, &mut answer).unwrap();
        repeat.remember(chunk, answer.unwrap().only_text(chunk));
    }

    #[test]
    fn only_the_text_may_differ() {
        let mut repeat = Repeat::default();
        assert_eq!(repeat.text(&chunk(r#"{"content":"a"}"#)), None);
        learn(&mut repeat, &chunk(r#"{"content":"a"}"#));
        assert_eq!(repeat.text(&chunk(r#"{"content":"b ü"}"#)), Some((Grows::Text, "b ü")));
        assert_eq!(repeat.text(&chunk(r#"{"content":""}"#)), Some((Grows::Text, "")));
        for other in [
            r#"{"content":"a\n"}"#,
            r#"{"content":"a","refusal":"b"}"#,
            "{\"content\":\"a\tb\"}",
            r#"{"reasoning":"a"}"#,
            r#"{"content":null}"#,
        ] {
            assert_eq!(repeat.text(&chunk(other)), None, "{other}");
        }
        // Shorter than what stands around the text: the two overlap.
        assert_eq!(repeat.text(r#"{"id":"c","choices":[{"index":0,"delta":{"content":""#), None);
        learn(&mut repeat, &chunk(r#"{"content":"","reasoning":"a"}"#));
        let thought = chunk(r#"{"content":"","reasoning":"b"}"#);
        assert_eq!(repeat.text(&thought), Some((Grows::Reasoning, "b")));
    }

    #[test]
    fn what_says_more_is_not_remembered() {
        for more in [
            r#"{"content":"a","tool_calls":[{"index":0}]}"#,
            r#"{"content":"a","reasoning":"b"}"#,
            r#"{"content":"a\\b"}"#,
            r#"{"content":[]}"#,
            r#"{"content":""}"#,
            r#"{"reasoning":"a","reasoning_content":"a"}"#,
        ] {
            let (mut repeat, chunk) = (Repeat::default(), chunk(more));
            learn(&mut repeat, &chunk);
            assert_eq!(repeat.text(&chunk), None, "{more}");
        }
    }

    #[test]
    fn padded_chunks_are_given_up() {
        let mut repeat = Repeat::default();
        for pad in 0..20 {
            let chunk = format!(r#"{{"pad":{pad},"choices":[{{"delta":{{"content":"a"}}}}]}}"#);
            assert_eq!(repeat.text(&chunk), None);
            learn(&mut repeat, &chunk);
        }
        assert_eq!(repeat.text, None);
    }
}
