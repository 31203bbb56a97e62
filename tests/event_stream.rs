//! Amazon's binary streams through the program: what cuts, damages and failures in the middle of one become.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use serde_json::{Value, json};
use support::Home;
use support::program::Outcome;
use support::server::Server;

/// A message: `kind` is `event` or `exception`.
fn message(kind: &str, name: &str, payload: &Value) -> Vec<u8> {
    let payload = payload.to_string();
    let mut headers = Vec::new();
    for (header, value) in [(format!(":{kind}-type"), name), (":message-type".to_owned(), kind)] {
        headers.push(u8::try_from(header.len()).unwrap());
        headers.extend(header.as_bytes());
        headers.push(7);
        headers.extend(u16::try_from(value.len()).unwrap().to_be_bytes());
        headers.extend(value.as_bytes());
    }
    let length = |length: usize| u32::try_from(length).unwrap().to_be_bytes();
    let mut bytes = [length(16 + headers.len() + payload.len()), length(headers.len())].concat();
    bytes.extend(crc32fast::hash(&bytes).to_be_bytes());
    bytes.extend(headers);
    bytes.extend(payload.as_bytes());
    bytes.extend(crc32fast::hash(&bytes).to_be_bytes());
    bytes
}

fn text(text: &str) -> Vec<u8> {
    message(
        "event",
        "contentBlockDelta",
        &json!({"contentBlockIndex": 0, "delta": {"text": text}, "p": "abc"}),
    )
}

/// An answer, message by message: `Hello, world`.
fn answer() -> Vec<Vec<u8>> {
    vec![
        message("event", "messageStart", &json!({"role": "assistant"})),
        text("Hello"),
        text(", world"),
        message("event", "contentBlockStop", &json!({"contentBlockIndex": 0})),
        message("event", "messageStop", &json!({"stopReason": "end_turn"})),
        message("event", "metadata", &json!({"usage": {"inputTokens": 7, "outputTokens": 5}})),
    ]
}

/// Plays chunks; `whole` ends the body properly.
fn play(chunks: Vec<Vec<u8>>, whole: bool) -> Outcome {
    let server = Server::start(move |_, connection| {
        connection.head(200, &[("content-type", "application/vnd.amazon.eventstream")])?;
        chunks.iter().filter(|chunk| !chunk.is_empty()).try_for_each(|chunk| connection.chunk(chunk))?;
        if whole { connection.end() } else { Ok(()) }
    });
    let home = Home::new();
    let model = format!("bedrock:us.amazon.nova-micro-v1:0@{}", server.url());
    let program = home.aimu(["chat", &model, "Hi", "--json", "--retries", "0"]);
    program.env("AWS_BEARER_TOKEN_BEDROCK", "test-key").run()
}

#[test]
fn a_stream_arrives_however_it_is_cut() {
    let bytes = answer().concat();
    for size in [1, 7, 64, bytes.len()] {
        let result = play(bytes.chunks(size).map(<[u8]>::to_vec).collect(), true).ok().json();
        assert_eq!(result["text"], "Hello, world");
        assert_eq!((&result["usage"]["input"], &result["usage"]["output"]), (&json!(7), &json!(5)));
        assert_eq!(result["raw_finish"], "end_turn");
    }
}

#[test]
fn a_stream_without_its_end_is_no_answer() {
    let messages = answer();
    for kept in 0..4 {
        // After a message, and within the next one.
        let next = &messages[kept][..messages[kept].len() / 2];
        for rest in [&[][..], next] {
            let mut chunks = messages[..kept].to_vec();
            chunks.push(rest.to_vec());
            play(chunks.clone(), true).failed(&["protocol"]);
            play(chunks, false).failed(&["network", "protocol"]);
        }
    }
    // The usage alone may be missing.
    assert_eq!(play(messages[..5].to_vec(), true).ok().json()["text"], "Hello, world");
}

#[test]
fn a_damaged_stream_is_noticed() {
    let mut bytes = answer().concat();
    let at = bytes.windows(5).position(|window| window == b"Hello").unwrap();
    bytes[at] = b'J';
    let result = play(vec![bytes], true).failed(&["protocol"]);
    assert!(result["error"]["message"].as_str().unwrap().contains("checksum"), "{result}");
    // A length that would fill the memory is refused when it is seen.
    let mut prelude = [u32::MAX.to_be_bytes(), [0; 4]].concat();
    prelude.extend(crc32fast::hash(&prelude).to_be_bytes());
    let result = play(vec![prelude], true).failed(&["protocol"]);
    assert!(result["error"]["message"].as_str().unwrap().contains("larger"), "{result}");
}

#[test]
fn a_failure_in_the_middle_ends_the_answer() {
    for (name, kind) in [
        ("throttlingException", "rate-limited"),
        ("modelStreamErrorException", "server"),
        ("internalServerException", "server"),
        ("serviceUnavailableException", "overloaded"),
        ("validationException", "invalid-request"),
        ("someNewException", "server"),
    ] {
        let messages = vec![text("Hello"), message("exception", name, &json!({"message": "it broke"}))];
        let result = play(messages, true).failed(&[kind]);
        assert_eq!((&result["text"], &result["error"]["message"]), (&json!("Hello"), &json!("it broke")));
    }
}
