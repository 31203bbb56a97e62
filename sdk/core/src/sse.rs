//! Server-sent events (<https://html.spec.whatwg.org/multipage/server-sent-events.html>) out of bytes cut anywhere.
//!
//! Problem: a socket cuts inside characters, between CR and LF, inside field names. Decision: complete lines are taken
//! where they lie; an event with one `data` line inside one chunk, the usual case, is handed over without a copy.
//! Only what a chunk leaves unfinished is kept. Price: `id` and `retry` are ignored, since no call is ever resumed.

use std::borrow::Cow;

use memchr::memchr2;

use crate::{Failure, Frame, OnFrame};

/// The largest event. The largest that APIs send are images in one piece, a few MiB in base64.
pub const MAX_EVENT: usize = 16 * 1024 * 1024;

/// A byte order mark, which a server may put before a text.
pub(crate) const BOM: &[u8] = b"\xef\xbb\xbf";

/// The state between two chunks.
#[derive(Debug, Default)]
pub struct SseParser {
    /// The beginning of a line whose end has not come.
    line: Vec<u8>,
    /// The unfinished event's name.
    event: Vec<u8>,
    /// The unfinished event's data.
    data: Vec<u8>,
    has_data: bool,
    /// The last chunk ended with CR: an LF that comes next belongs to it.
    after_cr: bool,
    /// A byte order mark can come no more.
    begun: bool,
}

/// The event that is being read: its fields lie in the chunk as long as they can.
#[derive(Default)]
struct Current<'c> {
    event: Option<&'c [u8]>,
    data: Option<&'c [u8]>,
}

impl SseParser {
    /// Takes the next bytes, and hands over each event that they complete.
    ///
    /// # Errors
    /// What `on_frame` returns, and `protocol` for an event beyond [`MAX_EVENT`].
    pub fn feed(&mut self, chunk: &[u8], on_frame: &mut OnFrame<'_>) -> Result<(), Failure> {
        let mut rest = chunk;
        if self.after_cr && !rest.is_empty() {
            rest = rest.strip_prefix(b"\n").unwrap_or(rest);
            self.after_cr = false;
        }
        let mut current = Current::default();
        while let Some(end) = memchr2(b'\n', b'\r', rest) {
            let (line, tail) = rest.split_at(end);
            rest = match tail {
                [b'\r', b'\n', tail @ ..] | [_, tail @ ..] => tail,
                [] => tail,
            };
            self.after_cr = tail == b"\r";
            if self.line.is_empty() {
                self.take(line, &mut current, on_frame)?;
            } else {
                // Only a chunk's first line can have begun before it, so `current` is empty; what the line says
                // can't be borrowed beyond it.
                self.line.extend_from_slice(line);
                let line = std::mem::take(&mut self.line);
                let mut own = Current::default();
                self.take(&line, &mut own, on_frame)?;
                self.keep(&mut own);
            }
        }
        self.keep(&mut current);
        self.line.extend_from_slice(rest);
        self.check_size(self.line.len())
    }

    /// The stream is over: hands over an event that no blank line ended. The specification would drop it, but what
    /// it says is often the only explanation of why the stream ended.
    ///
    /// # Errors
    /// What `on_frame` returns.
    pub fn end(&mut self, on_frame: &mut OnFrame<'_>) -> Result<(), Failure> {
        let line = std::mem::take(&mut self.line);
        let mut current = Current::default();
        if !line.is_empty() {
            self.take(&line, &mut current, on_frame)?;
        }
        self.dispatch(&mut current, on_frame)
    }

    /// One line, without its end.
    fn take<'c>(
        &mut self,
        mut line: &'c [u8],
        current: &mut Current<'c>,
        on_frame: &mut OnFrame<'_>,
    ) -> Result<(), Failure> {
        if !self.begun {
            line = line.strip_prefix(BOM).unwrap_or(line);
            self.begun = true;
        }
        if line.is_empty() {
            return self.dispatch(current, on_frame);
        }
        if let Some(value) = field(line, b"data") {
            if !self.has_data && current.data.is_none() {
                current.data = Some(value);
            } else {
                if let Some(first) = current.data.take() {
                    self.data.extend_from_slice(first);
                }
                self.has_data = true;
                self.data.push(b'\n');
                self.data.extend_from_slice(value);
            }
            self.check_size(value.len())
        } else {
            if let Some(value) = field(line, b"event") {
                current.event = Some(value);
            }
            Ok(())
        }
    }

    /// A blank line: the event is complete. One without data is none.
    fn dispatch(&mut self, current: &mut Current<'_>, on_frame: &mut OnFrame<'_>) -> Result<(), Failure> {
        let event = current.event.take().unwrap_or(&self.event);
        let outcome = match (current.data.take(), self.has_data) {
            (Some(data), _) => hand_over(event, data, on_frame),
            (None, true) => hand_over(event, &self.data, on_frame),
            (None, false) => Ok(()),
        };
        self.event.clear();
        self.data.clear();
        self.has_data = false;
        outcome
    }

    /// Moves what lies in a chunk into the state.
    fn keep(&mut self, current: &mut Current<'_>) {
        if let Some(event) = current.event.take() {
            self.event.clear();
            self.event.extend_from_slice(event);
        }
        if let Some(data) = current.data.take() {
            self.data.extend_from_slice(data);
            self.has_data = true;
        }
    }

    fn check_size(&self, more: usize) -> Result<(), Failure> {
        if self.data.len() + more <= MAX_EVENT {
            return Ok(());
        }
        Err(Failure::protocol(format!("an event of the stream is larger than {} MiB", MAX_EVENT >> 20)))
    }
}

/// The value of a line if its field is `name`. A comment is a line whose name is empty.
fn field<'l>(line: &'l [u8], name: &[u8]) -> Option<&'l [u8]> {
    match line.strip_prefix(name)? {
        [] => Some(&[]),
        [b':', b' ', value @ ..] | [b':', value @ ..] => Some(value),
        _ => None,
    }
}

fn hand_over(event: &[u8], data: &[u8], on_frame: &mut OnFrame<'_>) -> Result<(), Failure> {
    on_frame(Frame { event: &text(event), data: &text(data) })
}

/// Bytes as text, what is broken replaced as the specification says. Valid text, the usual case, is borrowed; checking
/// it whole first is several times faster than replacing.
pub(crate) fn text(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => String::from_utf8_lossy(bytes),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    type Got = Vec<(String, String)>;

    fn parse(chunks: &[&[u8]]) -> Got {
        let mut got = Got::new();
        let mut parser = SseParser::default();
        let mut on_frame = |frame: Frame<'_>| {
            got.push((frame.event.into(), frame.data.into()));
            Ok(())
        };
        for chunk in chunks {
            parser.feed(chunk, &mut on_frame).unwrap();
        }
        parser.end(&mut on_frame).unwrap();
        got
    }

    fn pairs(list: &[(&str, &str)]) -> Got {
        list.iter().map(|(event, data)| ((*event).into(), (*data).into())).collect()
    }

    #[test]
    fn the_same_wherever_it_is_cut() {
        let streams: [(&str, &[(&str, &str)]); 9] = [
            ("data: a\n\ndata: b\n\n", &[("", "a"), ("", "b")]),
            (
                "event: x\r\ndata: {\"ü\":\"€😀\"}\r\n\r\ndata: z\r\n\r\n",
                &[("x", "{\"ü\":\"€😀\"}"), ("", "z")],
            ),
            ("data: a\r\rdata:b\r\r", &[("", "a"), ("", "b")]),
            ("\u{feff}data: a\ndata\ndata:  b\n\n", &[("", "a\n\n b")]),
            (": keep-alive\n\n:\n\nevent: ping\n\nid: 1\nretry: 5\ndatax: no\ndata: a\n\n", &[("", "a")]),
            (
                "event: x\nevent: y\ndata: a\n\ndata: no blank line at the end",
                &[("y", "a"), ("", "no blank line at the end")],
            ),
            ("data: a\nevent: late\n\ndata: [DONE]\n", &[("late", "a"), ("", "[DONE]")]),
            ("data\n\ndata:\n\n", &[("", ""), ("", "")]),
            ("", &[]),
        ];
        for (stream, want) in streams {
            let bytes = stream.as_bytes();
            let want = pairs(want);
            assert_eq!(parse(&[bytes]), want, "{stream:?}");
            for cut in 0..=bytes.len() {
                let (a, b) = bytes.split_at(cut);
                assert_eq!(parse(&[a, b]), want, "{stream:?} cut at {cut}");
                for second in 0..=b.len() {
                    let (b, c) = b.split_at(second);
                    assert_eq!(parse(&[a, b, c]), want, "{stream:?} cut at {cut} and {second} later");
                }
            }
            let single: Vec<&[u8]> = bytes.chunks(1).collect();
            assert_eq!(parse(&single), want, "{stream:?} byte by byte");
        }
    }

    #[test]
    fn broken_text_is_replaced() {
        assert_eq!(parse(&[b"data: a\xffb\n\n"]), pairs(&[("", "a\u{fffd}b")]));
    }

    #[test]
    fn an_endless_event_is_refused() {
        let chunk = vec![b'x'; 1 << 20];
        for start in [&b"data: "[..], b"x"] {
            let mut parser = SseParser::default();
            parser.feed(start, &mut |_| Ok(())).unwrap();
            let failed = (0..20).any(|_| parser.feed(&chunk, &mut |_| Ok(())).is_err());
            assert!(failed);
        }
        let mut parser = SseParser::default();
        let line = [b"data: ", &chunk[..], b"\n"].concat();
        assert!((0..20).any(|_| parser.feed(&line, &mut |_| Ok(())).is_err()));
    }

    #[test]
    fn the_caller_can_stop() {
        let mut seen = 0;
        let outcome = SseParser::default().feed(b"data: a\n\ndata: b\n\n", &mut |_| {
            seen += 1;
            Err(Failure::protocol("stop"))
        });
        assert!(outcome.is_err());
        assert_eq!(seen, 1);
    }
}
