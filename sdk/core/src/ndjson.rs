//! Newline-delimited JSON out of bytes cut anywhere: a line is a [`Frame`] without a name.

use memchr::memchr;

use crate::sse::{MAX_EVENT, text};
use crate::{Failure, Frame, OnFrame};

/// The state between two chunks.
#[derive(Debug, Default)]
pub struct NdjsonParser {
    /// The beginning of a line whose end has not come.
    line: Vec<u8>,
}

impl NdjsonParser {
    /// Takes the next bytes, and hands over each line that they complete. Blank lines are skipped.
    ///
    /// # Errors
    /// What `on_frame` returns, and `protocol` for a line beyond [`MAX_EVENT`].
    pub fn feed(&mut self, chunk: &[u8], on_frame: &mut OnFrame<'_>) -> Result<(), Failure> {
        let mut rest = chunk;
        while let Some(end) = memchr(b'\n', rest) {
            let (line, tail) = rest.split_at(end);
            rest = tail.get(1..).unwrap_or_default();
            if self.line.is_empty() {
                hand_over(line, on_frame)?;
            } else {
                self.line.extend_from_slice(line);
                let line = std::mem::take(&mut self.line);
                hand_over(&line, on_frame)?;
            }
        }
        self.line.extend_from_slice(rest);
        if self.line.len() <= MAX_EVENT {
            return Ok(());
        }
        Err(Failure::protocol(format!("a line of the stream is larger than {} MiB", MAX_EVENT >> 20)))
    }

    /// The stream is over: hands over a last line that has no end.
    ///
    /// # Errors
    /// What `on_frame` returns.
    pub fn end(&mut self, on_frame: &mut OnFrame<'_>) -> Result<(), Failure> {
        hand_over(&std::mem::take(&mut self.line), on_frame)
    }
}

fn hand_over(line: &[u8], on_frame: &mut OnFrame<'_>) -> Result<(), Failure> {
    let text = text(line);
    let data = text.trim_start_matches('\u{feff}').trim();
    if data.is_empty() { Ok(()) } else { on_frame(Frame { event: "", data }) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_same_wherever_it_is_cut() {
        let bytes = "\u{feff}{\"a\":\"ü\"}\r\n\n{\"b\":1}\n  \n{\"c\":2}".as_bytes();
        for cut in 0..=bytes.len() {
            let (a, b) = bytes.split_at(cut);
            let mut got = Vec::new();
            let mut parser = NdjsonParser::default();
            let mut on_frame = |frame: Frame<'_>| {
                got.push(frame.data.to_owned());
                Ok(())
            };
            parser.feed(a, &mut on_frame).unwrap();
            parser.feed(b, &mut on_frame).unwrap();
            parser.end(&mut on_frame).unwrap();
            assert_eq!(got, ["{\"a\":\"ü\"}", "{\"b\":1}", "{\"c\":2}"], "cut at {cut}");
        }
    }
}
