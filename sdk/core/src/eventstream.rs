//! Amazon's event stream (`application/vnd.amazon.eventstream`) out of bytes cut anywhere.
//!
//! Problem: Bedrock streams binary messages, not lines: lengths, headers, a payload, and two checksums
//! (<https://smithy.io/2.0/aws/amazon-eventstream.html>). Decision: a [`Framing`] that a decoder offers for the content
//! type ([`Decoder::framing`](crate::Decoder::framing)), so that only components that speak it carry it. Both checksums
//! are checked and all lengths are bounded, before anything is held. Price: an event that is cut by a read is copied
//! once; whole ones are handed over where they lie.

use crate::sse::text;
use crate::{Failure, Frame};

/// The content type of such a stream.
pub const CONTENT_TYPE: &str = "application/vnd.amazon.eventstream";

/// Total length, length of the headers, and the checksum of both.
const PRELUDE: usize = 12;

/// The checksum after the payload.
const TRAILER: usize = 4;

/// The most that the format allows the headers to have (128 KiB).
const MAX_HEADERS: usize = 128 * 1024;

/// The most that the format allows a payload to have (24 MiB).
const MAX_PAYLOAD: usize = 24 * 1024 * 1024;

/// What a message of a stream is to its decoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message<'a> {
    /// An event of the answer.
    Event(Frame<'a>),
    /// The stream has failed: the frame's `event` is the error's name, its `data` what is said about it, as JSON.
    Exception(Frame<'a>),
}

/// What takes the messages of a stream.
pub type OnMessage<'f> = dyn FnMut(Message<'_>) -> Result<(), Failure> + 'f;

/// How a stream is cut into messages, where it is neither server-sent events nor lines of JSON.
pub trait Framing {
    /// Takes the next bytes, and hands over each message that they complete.
    ///
    /// # Errors
    /// What `on_message` returns, and `protocol` for bytes that are no such stream.
    fn feed(&mut self, chunk: &[u8], on_message: &mut OnMessage<'_>) -> Result<(), Failure>;

    /// The stream is over.
    ///
    /// # Errors
    /// `protocol` if it ended inside a message.
    fn end(&mut self) -> Result<(), Failure>;
}

/// The state between two chunks.
#[derive(Debug, Default)]
pub struct EventStream {
    /// The beginning of a message whose end has not come.
    held: Vec<u8>,
}

impl Framing for EventStream {
    fn feed(&mut self, chunk: &[u8], on_message: &mut OnMessage<'_>) -> Result<(), Failure> {
        let mut held = std::mem::take(&mut self.held);
        if held.is_empty() {
            let used = messages(chunk, on_message)?;
            held.extend_from_slice(chunk.get(used..).unwrap_or_default());
        } else {
            held.extend_from_slice(chunk);
            let used = messages(&held, on_message)?;
            held.drain(..used);
        }
        self.held = held;
        Ok(())
    }

    fn end(&mut self) -> Result<(), Failure> {
        if self.held.is_empty() { Ok(()) } else { Err(Failure::truncated("the end of its last message")) }
    }
}

/// Hands over the whole messages at the start of `bytes`, and gives their length.
fn messages(bytes: &[u8], on_message: &mut OnMessage<'_>) -> Result<usize, Failure> {
    let mut used = 0;
    while let Some(rest) = bytes.get(used..)
        && let Some((message, length)) = split(rest)?
    {
        hand_over(message, on_message)?;
        used += length;
    }
    Ok(used)
}

/// A message whose checksums are right.
struct Parts<'a> {
    headers: &'a [u8],
    payload: &'a [u8],
}

/// The first message and its length; `None` if it has not come whole.
fn split(bytes: &[u8]) -> Result<Option<(Parts<'_>, usize)>, Failure> {
    let Some((prelude, rest)) = bytes.split_at_checked(PRELUDE) else { return Ok(None) };
    let [total, in_headers, checksum] = [0, 4, 8].map(|at| number(prelude, at));
    if crc32fast::hash(prelude.get(..8).unwrap_or_default()) != checksum {
        return Err(broken("the checksum of a message's lengths is wrong"));
    }
    // Lossless on any machine that this runs on.
    let (total, in_headers) = (total as usize, in_headers as usize);
    if in_headers > MAX_HEADERS || total > PRELUDE + in_headers + MAX_PAYLOAD + TRAILER {
        return Err(broken("a message is larger than the format allows"));
    }
    let Some(payload_end) = total.checked_sub(TRAILER) else { return Err(broken("a message has no length")) };
    if payload_end < PRELUDE + in_headers {
        return Err(broken("a message's headers are longer than itself"));
    }
    let (Some(checked), Some(_)) = (bytes.get(..payload_end), bytes.get(..total)) else { return Ok(None) };
    if crc32fast::hash(checked) != number(bytes, payload_end) {
        return Err(broken("the checksum of a message is wrong"));
    }
    let headers = rest.get(..in_headers).unwrap_or_default();
    let payload = rest.get(in_headers..payload_end - PRELUDE).unwrap_or_default();
    Ok(Some((Parts { headers, payload }, total)))
}

/// Four bytes, the highest first; 0 beyond the end.
fn number(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |four| u32::from_be_bytes(*four))
}

fn hand_over(message: Parts<'_>, on_message: &mut OnMessage<'_>) -> Result<(), Failure> {
    let Parts { headers, payload } = message;
    let (mut kind, mut event, mut exception) = (&b""[..], &b""[..], &b""[..]);
    let (mut code, mut said) = (&b""[..], &b""[..]);
    let mut rest = headers;
    while !rest.is_empty() {
        let (name, value, after) = header(rest).ok_or_else(|| broken("a message's headers make no sense"))?;
        match name {
            b":message-type" => kind = value,
            b":event-type" => event = value,
            b":exception-type" => exception = value,
            b":error-code" => code = value,
            b":error-message" => said = value,
            _ => {}
        }
        rest = after;
    }
    match kind {
        b"exception" => {
            on_message(Message::Exception(Frame { event: &text(exception), data: &text(payload) }))
        }
        // An error that the service has no shape for says itself in headers.
        b"error" => {
            let data = serde_json::json!({ "message": text(said) }).to_string();
            on_message(Message::Exception(Frame { event: &text(code), data: &data }))
        }
        _ => on_message(Message::Event(Frame { event: &text(event), data: &text(payload) })),
    }
}

/// Name, value and rest of the first header. Only text has a value here: no other kind means anything to a decoder.
fn header(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let (&length, rest) = bytes.split_first()?;
    let (name, rest) = rest.split_at_checked(usize::from(length))?;
    let (&kind, rest) = rest.split_first()?;
    let fixed = match kind {
        // True and false have no value.
        0 | 1 => 0,
        2 => 1,
        3 => 2,
        4 => 4,
        // A long number, a time.
        5 | 8 => 8,
        9 => 16,
        // Bytes and text say their length.
        6 | 7 => {
            let (length, rest) = rest.split_first_chunk()?;
            let (value, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
            return Some((name, if kind == 7 { value } else { &[] }, rest));
        }
        _ => return None,
    };
    let (_, rest) = rest.split_at_checked(fixed)?;
    Some((name, &[], rest))
}

fn broken(what: &str) -> Failure {
    Failure::protocol(format!("the event stream is damaged: {what}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::FailureKind;

    /// A message as the service makes it. A header's value is its kind's byte and what follows it.
    fn message(headers: &[(&str, &[u8])], payload: &[u8]) -> Vec<u8> {
        let mut head = Vec::new();
        for (name, value) in headers {
            head.push(u8::try_from(name.len()).unwrap());
            head.extend_from_slice(name.as_bytes());
            head.extend_from_slice(value);
        }
        let total = u32::try_from(PRELUDE + head.len() + payload.len() + TRAILER).unwrap();
        let mut bytes = total.to_be_bytes().to_vec();
        bytes.extend(u32::try_from(head.len()).unwrap().to_be_bytes());
        bytes.extend(crc32fast::hash(&bytes).to_be_bytes());
        bytes.extend(head);
        bytes.extend_from_slice(payload);
        bytes.extend(crc32fast::hash(&bytes).to_be_bytes());
        bytes
    }

    fn word(text: &str) -> Vec<u8> {
        let length = u16::try_from(text.len()).unwrap().to_be_bytes();
        [&[7], &length[..], text.as_bytes()].concat()
    }

    fn event(name: &str, payload: &str) -> Vec<u8> {
        let headers: [(&str, &[u8]); 3] = [
            (":event-type", &word(name)),
            (":content-type", &word("application/json")),
            (":message-type", &word("event")),
        ];
        message(&headers, payload.as_bytes())
    }

    type Got = Vec<(bool, String, String)>;

    fn parse(chunks: &[&[u8]]) -> Result<Got, Failure> {
        let (mut parser, mut got) = (EventStream::default(), Got::new());
        let mut on_message = |message: Message<'_>| {
            let (failed, frame) = match message {
                Message::Event(frame) => (false, frame),
                Message::Exception(frame) => (true, frame),
            };
            got.push((failed, frame.event.into(), frame.data.into()));
            Ok(())
        };
        for chunk in chunks {
            parser.feed(chunk, &mut on_message)?;
        }
        parser.end()?;
        Ok(got)
    }

    fn failed(chunks: &[&[u8]]) -> String {
        let failure = parse(chunks).unwrap_err();
        assert_eq!(failure.kind, FailureKind::Protocol);
        failure.message
    }

    #[test]
    fn the_same_wherever_it_is_cut() {
        let stream = [
            event("messageStart", r#"{"role":"assistant"}"#),
            event("contentBlockDelta", r#"{"delta":{"text":"ü😀"}}"#),
            message(&[], b""),
            message(
                &[(":message-type", &word("exception")), (":exception-type", &word("throttlingException"))],
                br#"{"message":"slow"}"#,
            ),
            message(
                &[
                    (":message-type", &word("error")),
                    (":error-code", &word("Internal")),
                    (":error-message", &word("a \"b\"")),
                ],
                b"",
            ),
        ]
        .concat();
        let want: Got = [
            (false, "messageStart", r#"{"role":"assistant"}"#),
            (false, "contentBlockDelta", r#"{"delta":{"text":"ü😀"}}"#),
            (false, "", ""),
            (true, "throttlingException", r#"{"message":"slow"}"#),
            (true, "Internal", r#"{"message":"a \"b\""}"#),
        ]
        .map(|(failed, event, data)| (failed, event.into(), data.into()))
        .into();
        for cut in 0..=stream.len() {
            let (a, b) = stream.split_at(cut);
            assert_eq!(parse(&[a, b]).unwrap(), want, "cut at {cut}");
            let (b, c) = b.split_at(b.len() / 2);
            assert_eq!(parse(&[a, b, c]).unwrap(), want, "cut at {cut} and in the middle of the rest");
        }
        assert_eq!(parse(&stream.chunks(1).collect::<Vec<_>>()).unwrap(), want);
    }

    #[test]
    fn every_kind_of_header_is_passed() {
        let headers: [(&str, &[u8]); 11] = [
            ("true", &[0]),
            ("false", &[1]),
            ("byte", &[2, 1]),
            ("short", &[3, 1, 1]),
            ("int", &[4, 1, 1, 1, 1]),
            ("long", &[5, 1, 1, 1, 1, 1, 1, 1, 1]),
            (":event-type", &[6, 0, 2, 1, 1]),
            ("", &word("no name")),
            ("time", &[8, 1, 1, 1, 1, 1, 1, 1, 1]),
            ("uuid", &[9, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]),
            (":event-type", &word("last")),
        ];
        let got = parse(&[&message(&headers, b"x")]).unwrap();
        assert_eq!(got, [(false, "last".to_owned(), "x".to_owned())]);
        for wrong in [&[10u8][..], &[7, 0, 9, 1], &[4, 1], &[]] {
            assert!(failed(&[&message(&[("a", wrong)], b"")]).contains("headers"), "{wrong:?}");
        }
    }

    #[test]
    fn every_damaged_byte_is_noticed() {
        let whole = event("metadata", r#"{"usage":{}}"#);
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x10;
            assert!(failed(&[&bytes]).contains("checksum"), "byte {at}");
        }
        for end in 1..whole.len() {
            assert!(failed(&[&whole[..end]]).contains("truncated"), "cut after {end}");
        }
    }

    #[test]
    fn lengths_are_bounded_before_anything_is_held() {
        let prelude = |total: u32, headers: u32| {
            let mut bytes = [total.to_be_bytes(), headers.to_be_bytes()].concat();
            bytes.extend(crc32fast::hash(&bytes).to_be_bytes());
            bytes
        };
        assert!(failed(&[&prelude(u32::MAX, 0)]).contains("larger"));
        assert!(failed(&[&prelude(u32::MAX, u32::MAX)]).contains("larger"));
        assert!(failed(&[&prelude(1 << 20, 129 * 1024)]).contains("larger"));
        assert!(failed(&[&prelude(0, 0)]).contains("no length"));
        assert!(failed(&[&prelude(15, 0)]).contains("longer"));
        assert!(failed(&[&prelude(20, 8)]).contains("longer"));
    }

    #[test]
    fn the_caller_can_stop() {
        let stream = [event("a", "{}"), event("b", "{}")].concat();
        let mut seen = 0;
        let outcome = EventStream::default().feed(&stream, &mut |_| {
            seen += 1;
            Err(Failure::protocol("stop"))
        });
        assert!(outcome.is_err());
        assert_eq!(seen, 1);
    }
}
