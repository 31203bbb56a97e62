//! Streams that are written in other ways than usual, but as their format allows, and arrive in other pieces: all the
//! same answer. And binary ones that are damaged.

use crate::support::event_stream::event;
use crate::support::server::Server;
use crate::support::wires::{CONVERSE, Event, Framing, TEXT, WIRES, Wire};
use crate::{ask, contains, failure};
use std::io::Write;
use std::thread;
use std::time::Duration;

/// A name, and how it writes an event.
type Style = (&'static str, fn(Event) -> String);

fn plain(event: (&str, &str)) -> String {
    String::from_utf8(Framing::Sse.frame(event)).unwrap()
}

/// <https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation>
const SSE: [Style; 8] = [
    ("comments", |event| format!(": keep-alive\n\n:\n{}: {{\"no\":1}}\n", plain(event))),
    ("carriage returns and line feeds", |event| plain(event).replace('\n', "\r\n")),
    ("carriage returns", |event| plain(event).replace('\n', "\r")),
    ("several lines of data", |(name, data)| plain((name, &data.replacen('{', "{\ndata: ", 1)))),
    ("no space after the colon", |event| {
        plain(event).replace("data: ", "data:").replace("event: ", "event:")
    }),
    ("other fields", |event| format!("id: 7\nretry: 100\nnew: x\nnew\n{}", plain(event))),
    ("the name last", |(name, data)| format!("data: {data}\nevent: {name}\n\n")),
    ("an event without data", |event| format!("event: ping\n\n{}", plain(event))),
];

fn line((_, data): Event) -> String {
    format!("{data}\n")
}

const NDJSON: [Style; 3] = [
    ("carriage returns", |event| line(event).replace('\n', "\r\n")),
    ("blank lines", |event| format!("\n \r\n{}", line(event))),
    ("spaces", |(_, data)| format!("  {data} \n")),
];

#[track_caller]
fn is_answer(wire: &Wire, server: &Server, text: &str, how: &str) {
    let outcome = ask(wire, server);
    assert_eq!(outcome.code, Some(0), "{} with {how}: {outcome:?}", wire.model);
    let result = outcome.json();
    assert_eq!((&result["text"], &result["finish"]), (&text.into(), &"stop".into()), "{how}: {result}");
}

#[test]
fn every_way_to_write_it() {
    for wire in WIRES {
        let styles: &[Style] = match wire.framing {
            Framing::Sse => &SSE,
            Framing::Ndjson => &NDJSON,
            // There is one way.
            Framing::EventStream => continue,
        };
        for (how, write) in styles {
            let stream: Vec<Vec<u8>> = wire.stream.iter().map(|it| write(*it).into_bytes()).collect();
            is_answer(&wire, &wire.streaming(stream.clone()), TEXT, how);
            // In pieces of a byte, where a line's end is cut, too.
            let bytes = stream.concat().chunks(1).map(<[u8]>::to_vec).collect();
            is_answer(&wire, &wire.streaming(bytes), TEXT, &format!("{how}, byte by byte"));
        }
        let marked = [vec!["\u{feff}".as_bytes().to_vec()], wire.events()].concat();
        is_answer(&wire, &wire.streaming(marked), TEXT, "a byte order mark");
        let whole = format!("\u{feff}{}", wire.whole);
        is_answer(&wire, &Server::answering(200, &[crate::JSON], whole), TEXT, "a byte order mark, whole");
        // The terminal event is an event even if nothing ends it.
        let mut bytes = wire.events()[..wire.complete].concat();
        while bytes.pop_if(|last| *last == b'\n').is_some() {}
        is_answer(&wire, &wire.streaming(vec![bytes]), TEXT, "no end of the last line");
    }
}

#[test]
fn characters_that_are_cut() {
    const LETTERS: &str = "w\u{f6}\u{20ac}\u{1f600}"; // of one to four bytes
    for wire in WIRES {
        let text = TEXT.replace("world", LETTERS);
        let bytes = wire.events_with("world", LETTERS).concat();
        let start = bytes.windows(LETTERS.len()).position(|window| window == LETTERS.as_bytes()).unwrap();
        for cut in start..=start + LETTERS.len() {
            let bytes = bytes.clone();
            let server = Server::start(move |_, connection| {
                wire.begin(connection, &[bytes[..cut].to_vec()])?;
                // Long enough that the first piece is read alone.
                thread::sleep(Duration::from_millis(10));
                connection.chunk(&bytes[cut..])?;
                connection.end()
            });
            is_answer(&wire, &server, &text, "a cut letter");
        }
        let pieces = bytes.chunks(1).map(<[u8]>::to_vec).collect();
        is_answer(&wire, &wire.streaming(pieces), &text, "a byte at a time");
        is_answer(&wire, &wire.streaming(vec![bytes]), &text, "one piece");
    }
}

#[test]
fn what_nobody_has_heard_of() {
    for wire in WIRES {
        let unknown: Vec<Vec<u8>> = wire.unknown.iter().map(|it| wire.framing.frame(*it)).collect();
        for place in 1..wire.complete {
            let mut stream = wire.events();
            stream.splice(place..place, unknown.clone());
            is_answer(&wire, &wire.streaming(stream), TEXT, &format!("unknown events at {place}"));
        }
    }
}

#[test]
fn compressed_answers_are_read() {
    let zipped = |bytes: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    for wire in WIRES {
        let stream = ("content-type", wire.framing.content_type());
        for (kind, bytes) in [(crate::JSON, wire.whole.into()), (stream, wire.events().concat())] {
            let headers = [kind, ("content-encoding", "gzip")];
            let server = Server::answering(200, &headers, zipped(&bytes));
            is_answer(&wire, &server, TEXT, "gzip");
        }
        // A stream whose compression ends early.
        let half = zipped(&wire.events().concat());
        let server = Server::answering(200, &[stream, ("content-encoding", "gzip")], &half[..half.len() / 2]);
        failure(&wire, &server, &["protocol", "network"]);
    }
}

#[test]
fn a_damaged_binary_stream_is_noticed() {
    let mut bytes = CONVERSE.events().concat();
    let at = bytes.windows(5).position(|window| window == b"Hello").unwrap();
    bytes[at] = b'J';
    let result = failure(&CONVERSE, &CONVERSE.streaming(vec![bytes]), &["protocol"]);
    assert!(contains(&result["error"]["message"], "checksum"), "{result}");
    // A length that would fill the memory is refused when it is seen.
    let mut prelude = [u32::MAX.to_be_bytes(), [0; 4]].concat();
    prelude.extend(crc32fast::hash(&prelude).to_be_bytes());
    let result = failure(&CONVERSE, &CONVERSE.streaming(vec![prelude]), &["protocol"]);
    assert!(contains(&result["error"]["message"], "larger"), "{result}");
    // A message of the right form that says nothing readable.
    failure(&CONVERSE, &CONVERSE.streaming(vec![event("contentBlockDelta", "{")]), &["protocol"]);
}
