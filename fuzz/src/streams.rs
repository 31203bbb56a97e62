//! What must hold of the parsers of streams, whatever the bytes: they give the same however the bytes are cut, and no
//! more than they were given.

use aimu_sdk_core::eventstream::{EventStream, Framing, Message};
use aimu_sdk_core::ndjson::NdjsonParser;
use aimu_sdk_core::sse::SseParser;
use aimu_sdk_core::{Failure, Frame};

/// Name and data of a frame; whether it is an exception.
type Got = (bool, String, String);

/// What came of bytes: the frames, and the failure that ended them.
type Outcome = (Vec<Got>, Option<String>);

/// Server-sent events.
pub fn sse(bytes: &[u8]) {
    let frames = same_however_cut(bytes, |pieces| {
        let (mut parser, mut got) = (SseParser::default(), Vec::new());
        let mut on_frame = |frame: Frame<'_>| keep(&mut got, false, &frame);
        let fed = pieces.iter().try_for_each(|piece| parser.feed(piece, &mut on_frame));
        let ended = fed.and_then(|()| parser.end(&mut on_frame));
        (got, ended.err().map(|failure| failure.message))
    });
    for (_, event, data) in frames {
        assert!(!event.contains(['\n', '\r']) && !data.contains('\r'), "{event:?} {data:?}");
    }
}

/// Newline-delimited JSON.
pub fn ndjson(bytes: &[u8]) {
    let frames = same_however_cut(bytes, |pieces| {
        let (mut parser, mut got) = (NdjsonParser::default(), Vec::new());
        let mut on_frame = |frame: Frame<'_>| keep(&mut got, false, &frame);
        let fed = pieces.iter().try_for_each(|piece| parser.feed(piece, &mut on_frame));
        let ended = fed.and_then(|()| parser.end(&mut on_frame));
        (got, ended.err().map(|failure| failure.message))
    });
    for (_, event, data) in frames {
        assert!(event.is_empty() && !data.trim().is_empty() && !data.contains('\n'), "{data:?}");
    }
}

/// Amazon's event stream. Its checksums are made right first, or no mutation would get past them.
pub fn event_stream(bytes: &[u8]) {
    for bytes in [bytes.to_vec(), with_checksums(bytes)] {
        same_however_cut(&bytes, |pieces| {
            let (mut parser, mut got) = (EventStream::default(), Vec::new());
            let mut on_message = |message: Message<'_>| match message {
                Message::Event(frame) => keep(&mut got, false, &frame),
                Message::Exception(frame) => keep(&mut got, true, &frame),
            };
            let fed = pieces.iter().try_for_each(|piece| parser.feed(piece, &mut on_message));
            let ended = fed.and_then(|()| parser.end());
            (got, ended.err().map(|failure| failure.message))
        });
    }
}

fn keep(got: &mut Vec<Got>, failed: bool, frame: &Frame<'_>) -> Result<(), Failure> {
    got.push((failed, frame.event.to_owned(), frame.data.to_owned()));
    Ok(())
}

/// Parses bytes as one piece, byte by byte, and cut at places that the bytes themselves decide.
fn same_however_cut(bytes: &[u8], parse: impl Fn(&[&[u8]]) -> Outcome) -> Vec<Got> {
    let whole = parse(&[bytes]);
    let single: Vec<&[u8]> = bytes.chunks(1).collect();
    assert_eq!(parse(&single), whole, "byte by byte");
    for turn in 0..4 {
        assert_eq!(parse(&cut(bytes, turn)), whole, "cut the way {turn}");
    }
    let given: usize = whole.0.iter().map(|(_, event, data)| event.len() + data.len()).sum();
    // A byte that is no text is replaced by three, or escaped by six in a message that is made of headers.
    assert!(given <= bytes.len() * 6 + whole.0.len() * 16, "{given} bytes of {}", bytes.len());
    whole.0
}

/// The same bytes in pieces, empty ones too.
fn cut(bytes: &[u8], turn: u64) -> Vec<&[u8]> {
    let seed = bytes
        .iter()
        .fold(turn + 1, |seed, byte| seed.wrapping_mul(0x0100_0000_01b3).wrapping_add(u64::from(*byte)));
    let (mut state, mut rest, mut pieces) = (seed, bytes, Vec::new());
    while !rest.is_empty() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let length = usize::try_from(state >> 60).unwrap_or(0).min(rest.len());
        let (piece, after) = rest.split_at(length);
        pieces.push(piece);
        rest = after;
    }
    pieces
}

/// The messages with right checksums, as far as their lengths make sense.
fn with_checksums(bytes: &[u8]) -> Vec<u8> {
    let mut all = bytes.to_vec();
    let mut rest = &mut all[..];
    while let Some(length) = rest.first_chunk().map(|four| u32::from_be_bytes(*four) as usize) {
        if length < 16 || length > rest.len() {
            if rest.len() >= 12 {
                let sum = crc32fast::hash(&rest[..8]);
                rest[8..12].copy_from_slice(&sum.to_be_bytes());
            }
            break;
        }
        let (message, after) = rest.split_at_mut(length);
        let sum = crc32fast::hash(&message[..8]);
        message[8..12].copy_from_slice(&sum.to_be_bytes());
        let sum = crc32fast::hash(&message[..length - 4]);
        message[length - 4..].copy_from_slice(&sum.to_be_bytes());
        rest = after;
    }
    all
}
