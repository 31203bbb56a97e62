//! Chunks that differ from the one before in their text only.
//!
//! Problem: a streamed chunk is a few letters in some 200 bytes of JSON that never change, and reading those is most
//! of what an event costs in a sandbox. Decision: of a chunk that said nothing but a piece of text, what stands before
//! and behind that text is remembered; one that begins and ends with the very same bytes says the same, and what lies
//! between is its text. Price: a comparison where servers pad their chunks, given up after a few in vain.

use std::ops::Range;

/// Chunks in a row that fit nothing, after which nothing more is remembered.
const PATIENCE: u32 = 8;

/// The part of a message that a chunk's text belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grows {
    /// The answer.
    Text,
    /// The reasoning.
    Reasoning,
}

/// The last chunk that said nothing but a piece of text.
#[derive(Debug, Default)]
pub struct Repeat {
    chunk: String,
    /// What it grows, and where in it the text stands.
    text: Option<(Grows, Range<usize>)>,
    misses: u32,
}

impl Repeat {
    /// The text of a chunk that is otherwise the remembered one.
    pub fn text<'c>(&mut self, chunk: &'c str) -> Option<(Grows, &'c str)> {
        let (grows, Range { start, end }) = self.text.clone()?;
        let (before, after) = (self.chunk.get(..start)?, self.chunk.get(end..)?);
        let end = chunk.len().saturating_sub(after.len());
        let text = chunk.get(start..end).filter(|_| {
            same(chunk.as_bytes().get(..start), before) && same(chunk.as_bytes().get(end..), after)
        });
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

    /// Remembers a chunk, if it says nothing but a piece of text: what that grows, and where in the chunk it stands,
    /// without its quotes.
    pub fn remember(&mut self, chunk: &str, text: Option<(Grows, Range<usize>)>) {
        self.text = text.filter(|_| self.misses < PATIENCE);
        if self.text.is_some() {
            self.chunk.clear();
            self.chunk.push_str(chunk);
        }
    }
}

/// Whether these are the same bytes. Not `==`, which in a component compares byte by byte; and not put into its caller,
/// which is built for size.
#[inline(never)]
fn same(bytes: Option<&[u8]>, text: &str) -> bool {
    let Some(bytes) = bytes.filter(|bytes| bytes.len() == text.len()) else { return false };
    let ((blocks, rest), (text_blocks, text_rest)) =
        (bytes.as_chunks::<16>(), text.as_bytes().as_chunks::<16>());
    let words = |block: &[u8; 16]| u128::from_ne_bytes(*block);
    blocks.iter().zip(text_blocks).all(|(one, other)| words(one) == words(other))
        && match (bytes.last_chunk::<16>(), text.as_bytes().last_chunk::<16>()) {
            (Some(one), Some(other)) => words(one) == words(other),
            _ => rest.iter().zip(text_rest).all(|(one, other)| one == other),
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(delta: &str) -> String {
        format!(r#"{{"id":"c","choices":[{{"index":0,"delta":{delta},"finish_reason":null}}],"usage":null}}"#)
    }

    fn learn(repeat: &mut Repeat, chunk: &str, grows: Grows, text: &str) {
        let place = chunk.find(&format!(":\"{text}\"")).map(|at| at + 2..at + 2 + text.len());
        repeat.remember(chunk, place.map(|place| (grows, place)));
    }

    #[test]
    fn one_other_byte_anywhere_is_another_text() {
        for length in 0..50 {
            let text = "x".repeat(length);
            assert!(same(Some(text.as_bytes()), &text));
            assert!(!same(None, &text) && !same(Some(format!("{text}x").as_bytes()), &text));
            for at in 0..length {
                let mut other = text.clone().into_bytes();
                other[at] = b'y';
                assert!(!same(Some(&other), &text), "{at} of {length}");
            }
        }
    }

    #[test]
    fn only_the_text_may_differ() {
        let mut repeat = Repeat::default();
        assert_eq!(repeat.text(&chunk(r#"{"content":"a"}"#)), None);
        learn(&mut repeat, &chunk(r#"{"content":"a"}"#), Grows::Text, "a");
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
        learn(&mut repeat, &chunk(r#"{"content":"","reasoning":"a"}"#), Grows::Reasoning, "a");
        let thought = chunk(r#"{"content":"","reasoning":"b"}"#);
        assert_eq!(repeat.text(&thought), Some((Grows::Reasoning, "b")));
        repeat.remember(&thought, None);
        assert_eq!(repeat.text(&thought), None);
    }

    #[test]
    fn padded_chunks_are_given_up() {
        let mut repeat = Repeat::default();
        for pad in 0..20 {
            let chunk = format!(r#"{{"pad":{pad},"choices":[{{"delta":{{"content":"a"}}}}]}}"#);
            assert_eq!(repeat.text(&chunk), None);
            learn(&mut repeat, &chunk, Grows::Text, "a");
        }
        assert_eq!(repeat.text, None);
    }
}
