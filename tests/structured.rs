//! Structured output: asked for on the wire or in the prompt, checked, and asked for again; over real sockets.
#![allow(missing_docs, unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "structured/library.rs"]
mod library;
#[path = "structured/program.rs"]
mod program;
mod support;

use serde_json::{Value, json};
use std::io::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use support::Home;
use support::server::Server;
use support::wires::CHAT_COMPLETIONS;

/// What is asked for.
fn schema() -> Value {
    json!({
        "type": "object",
        "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
        "required": ["name", "age"],
        "additionalProperties": false
    })
}

/// An answer that fits it.
const FITS: &str = r#"{"name": "Ada", "age": 36}"#;

/// A server of the chat completions wire whose answers are these texts, one after the other; the last goes on. A text
/// that begins with `!` is an answer that ends for the reason that is its first line.
fn saying(texts: &[&str]) -> Server {
    let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
    let count = AtomicUsize::new(0);
    Server::start(move |_, connection| {
        let text = &texts[count.fetch_add(1, Ordering::SeqCst).min(texts.len() - 1)];
        let (finish, text) = match text.strip_prefix('!') {
            Some(ended) => ended.split_once('\n').unwrap(),
            None => ("stop", text.as_str()),
        };
        connection.stream()?;
        let mut event = |choice: Value, usage: Value| {
            let data = json!({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m",
                "choices": [choice], "usage": usage});
            connection.chunk(format!("data: {data}\n\n"))
        };
        // In two pieces, so that it is seen to stream.
        let half = text.char_indices().nth(text.chars().count() / 2).map_or(0, |(at, _)| at);
        for piece in [&text[..half], &text[half..]] {
            event(json!({"index": 0, "delta": {"role": "assistant", "content": piece}}), Value::Null)?;
        }
        let usage = json!({"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12});
        event(json!({"index": 0, "delta": {}, "finish_reason": finish}), usage)?;
        connection.chunk("data: [DONE]\n\n")?;
        connection.end()
    })
}

/// A home with the provider `plain`, whose model `m` has no structured output by its catalogue, and `able`, whose has.
fn home() -> Home {
    let home = Home::fresh();
    let mut file = std::fs::File::create(home.data().join("config.toml")).unwrap();
    for (name, capabilities) in [("plain", "'tools'"), ("able", "'tools', 'structured-output'")] {
        let model = format!("models = [{{ id = 'm', capabilities = [{capabilities}] }}]");
        writeln!(
            file,
            "[providers.{name}]\nplugin = 'openai-compat'\nbase-url = 'http://127.0.0.1:1'\n{model}"
        )
        .unwrap();
    }
    home
}

fn model(provider: &str, server: &Server) -> String {
    format!("{provider}:m@{}", server.url())
}

/// The schema is in the instructions, and not on the wire.
#[track_caller]
fn is_by_prompt(body: &Value) {
    assert_eq!(body["response_format"], Value::Null, "{body}");
    let first = &body["messages"][0];
    assert_eq!(first["role"], "system", "{body}");
    assert!(first["content"].as_str().unwrap().contains(&schema().to_string()), "{body}");
}

/// The schema is on the wire, and not in the instructions.
#[track_caller]
fn is_native(body: &Value) {
    assert_eq!(body["response_format"]["json_schema"]["schema"], schema(), "{body}");
    assert!(!body["messages"].to_string().contains("additionalProperties"), "{body}");
}

#[test]
fn the_server_of_these_tests_streams_as_others_do() {
    let server = saying(&["Hello"]);
    let home = Home::new();
    let said = home.aimu(["chat", &CHAT_COMPLETIONS.at(&server.url()), "Hi"]).run().ok();
    assert_eq!(said.stdout, "Hello\n");
}
