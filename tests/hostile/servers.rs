//! Servers that mean harm, to a component that means well: how long and how much they may take is bounded.

use super::{call, works};
use crate::support::Home;
use crate::support::server::{Connection, Server};
use std::io;
use std::thread;
use std::time::Duration;

/// A call of a well-behaved component fails so at a server that does this.
#[track_caller]
fn fails(
    attack: impl Fn(&mut Connection) -> io::Result<()> + Send + Sync + 'static,
    more: &[&str],
    kinds: &[&str],
    words: &[&str],
) {
    let home = Home::with(&["well_behaved"]);
    let server = Server::start(move |_, connection| attack(connection));
    let more = [&["--allow"], more].concat();
    let result = call(&home, &format!("well-behaved:x@{}", server.url()), &more).run().failed(kinds);
    assert_eq!(result["error"]["provider"], "well-behaved", "{result}");
    let message = result["error"]["message"].as_str().unwrap();
    for word in words {
        assert!(message.contains(word), "{word:?} is missing in: {message}");
    }
    works(&home);
}

/// A piece of text, as this component's server sends them.
const PIECE: &str = "data: x\n\n";

/// Sends these bytes again and again, until the program has enough.
fn without_end(connection: &mut Connection, bytes: &[u8]) -> io::Result<()> {
    loop {
        connection.raw(bytes)?;
    }
}

#[test]
fn never_answers() {
    let mute = |connection: &mut Connection| {
        connection.closed_within(Duration::from_secs(60));
        Ok(())
    };
    fails(mute, &["--limit", "first-byte=400ms"], &["timeout"], &["`first-byte`", "--limit first-byte="]);
}

#[test]
fn stops_in_the_middle() {
    let stops = |connection: &mut Connection| {
        connection.stream()?;
        connection.chunk(PIECE)?;
        connection.closed_within(Duration::from_secs(60));
        Ok(())
    };
    fails(stops, &["--limit", "idle=400ms"], &["timeout"], &["`idle`"]);
}

#[test]
fn drips_a_byte_at_a_time() {
    // Never silent for long, and never at an end: the whole call has its time.
    let drips = |connection: &mut Connection| {
        connection.stream()?;
        loop {
            connection.chunk("x")?;
            thread::sleep(Duration::from_millis(100));
        }
    };
    fails(drips, &["--timeout", "1s", "--limit", "idle=500ms"], &["timeout"], &["`total`"]);
}

#[test]
fn drips_its_head() {
    let drips = |connection: &mut Connection| {
        for byte in b"HTTP/1.1 200 OK\r\nx-slow: ".iter().chain([b'x'].iter().cycle()) {
            connection.raw([*byte])?;
            thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    };
    fails(drips, &["--limit", "first-byte=600ms"], &["timeout"], &["`first-byte`"]);
}

#[test]
fn endless_headers() {
    let flood = |connection: &mut Connection| {
        connection.raw("HTTP/1.1 200 OK\r\n")?;
        without_end(connection, b"x-flood: 0123456789012345678901234567890123456789\r\n")
    };
    fails(flood, &[], &["limit", "network"], &["headers"]);
}

#[test]
fn one_endless_header() {
    let flood = |connection: &mut Connection| {
        connection.raw("HTTP/1.1 200 OK\r\nx-flood: ")?;
        without_end(connection, &[b'x'; 4096])
    };
    fails(flood, &[], &["limit"], &["response-headers"]);
}

#[test]
fn headers_above_the_limit() {
    let large =
        |connection: &mut Connection| connection.answer(200, &[("x-large", &"x".repeat(70_000))], b"");
    fails(large, &[], &["limit"], &["--limit response-headers="]);
}

#[test]
fn endless_answers_before_the_answer() {
    let flood =
        |connection: &mut Connection| without_end(connection, b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n");
    fails(flood, &["--limit", "first-byte=600ms"], &["timeout"], &["`first-byte`"]);
}

#[test]
fn an_endless_body() {
    let flood = |connection: &mut Connection| {
        connection.stream()?;
        loop {
            connection.chunk(PIECE.repeat(1000))?;
        }
    };
    fails(flood, &["--limit", "response-body=1m"], &["limit"], &["--limit response-body="]);
}

#[test]
fn an_endless_body_without_a_length() {
    let flood = |connection: &mut Connection| {
        connection.raw("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n")?;
        without_end(connection, PIECE.repeat(1000).as_bytes())
    };
    fails(flood, &["--limit", "response-body=1m"], &["limit"], &["--limit response-body="]);
}

#[test]
fn a_content_length_of_ten_gigabytes() {
    let huge = |connection: &mut Connection| {
        connection.raw(
            "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: 10000000000\r\n\r\n",
        )?;
        without_end(connection, PIECE.repeat(1000).as_bytes())
    };
    fails(huge, &["--limit", "response-body=1m"], &["limit"], &["--limit response-body="]);
    // Announced, and never sent.
    let empty = |connection: &mut Connection| {
        connection.raw(
            "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: 10000000000\r\n\r\n",
        )?;
        connection.closed_within(Duration::from_secs(60));
        Ok(())
    };
    fails(empty, &["--limit", "idle=400ms"], &["timeout"], &["`idle`"]);
}

#[test]
fn a_content_length_that_is_none() {
    for length in ["-1", "18446744073709551616", "0x10", "1, 2"] {
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\nabc");
        fails(move |connection| connection.raw(&head), &[], &["network", "protocol"], &[]);
    }
}

#[test]
fn two_lengths_for_one_body() {
    // What a cache in between might read in another way.
    for head in ["content-length: 3\r\ncontent-length: 30", "content-length: 3\r\ntransfer-encoding: chunked"]
    {
        let head = format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\nabcHTTP/1.1 200 OK\r\n\r\n");
        fails(move |connection| connection.raw(&head), &[], &["network", "protocol"], &[]);
    }
}

#[test]
fn a_chunk_of_all_addresses() {
    for size in ["ffffffffffffffff", "fffffffffffffffff", "-1", "7fffffffffffffff"] {
        let attack = move |connection: &mut Connection| {
            connection.raw("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")?;
            connection.raw(format!("{size}\r\nabc"))
        };
        fails(attack, &[], &["network", "protocol"], &[]);
    }
}

#[test]
fn endless_extensions_of_a_chunk() {
    let flood = |connection: &mut Connection| {
        connection.raw("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3;")?;
        without_end(connection, &[b'x'; 4096])
    };
    fails(flood, &["--timeout", "10s"], &["network", "protocol"], &[]);
}

#[test]
fn endless_trailers() {
    let flood = |connection: &mut Connection| {
        connection.stream()?;
        connection.chunk(PIECE)?;
        connection.raw("0\r\n")?;
        without_end(connection, b"x-flood: 0123456789012345678901234567890123456789\r\n")
    };
    fails(flood, &["--timeout", "10s"], &["network", "protocol"], &[]);
}

#[test]
fn a_compressed_bomb() {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    (0..64).try_for_each(|_| encoder.write_all(&vec![b' '; 1 << 20])).unwrap();
    let bomb = encoder.finish().unwrap();
    let attack = move |connection: &mut Connection| {
        connection.answer(200, &[("content-type", "text/event-stream"), ("content-encoding", "gzip")], &bomb)
    };
    fails(attack, &["--limit", "response-body=1m"], &["limit"], &["--limit response-body="]);
}

#[test]
fn an_endless_line() {
    // No event ever ends: what the component gathers is its own memory.
    let flood = |connection: &mut Connection| {
        connection.stream()?;
        connection.chunk("data: ")?;
        loop {
            connection.chunk([b'x'; 65_536])?;
        }
    };
    fails(flood, &[], &["protocol", "limit"], &[]);
}

#[test]
fn another_protocol() {
    for greeting in
        ["SSH-2.0-OpenSSH_9.9\r\n", "220 mail ESMTP\r\n", "\0\0\0\x12\x04\0\0\0\0\0", "\x16\x03\x01\x02\0"]
    {
        fails(
            move |connection| connection.raw(greeting),
            &["--timeout", "10s"],
            &["network", "protocol"],
            &[],
        );
    }
}

#[test]
fn a_head_that_is_broken() {
    for head in [
        "HTTP/1.1 200 OK\r\nx\0y: 1\r\n\r\n",
        "HTTP/1.1 200 OK\r\n: 1\r\n\r\n",
        "HTTP/1.1 999999 OK\r\n\r\n",
        "HTTP/9.9 200 OK\r\n\r\n",
    ] {
        fails(move |connection| connection.raw(head), &[], &["network", "protocol"], &[]);
    }
}

#[test]
fn switching_protocols() {
    let attack = |connection: &mut Connection| {
        connection
            .raw("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\nabc")
    };
    fails(attack, &["--timeout", "10s"], &["network", "protocol", "server"], &[]);
}
