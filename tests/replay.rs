//! Recorded traffic of real services, through the program, the component and a socket.
//!
//! Every exchange is asked for three times: by the program with the answer cut at random places, by
//! the library with the answer whole and the answer itself in the history, and by the library with other cuts. All
//! three must give the same, and what the case expects; the request must be the recorded one, and the answer must go
//! back as it came. What differs all the same is declared in `replay/declared.rs`. Of an exchange whose case can't say
//! what was asked, the answer alone is checked.
//!
//! The cases are no part of the repository: `AIMU_CASES` names their folder, by default `../shared/cases`. Another
//! folder of the same format is run by `AIMU_CASES=DIR cargo xtask test`; the declared counts are not held against
//! it, all else is. `AIMU_REPLAY=part` runs the exchanges whose id holds `part`.
#![allow(missing_docs, unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "replay/calls.rs"]
mod calls;
#[path = "replay/cases.rs"]
mod cases;
#[path = "replay/declared.rs"]
mod declared;
#[path = "replay/history.rs"]
mod history;
#[path = "replay/numbers.rs"]
mod numbers;
#[path = "replay/outcome.rs"]
mod outcome;
#[path = "replay/report.rs"]
mod report;
#[path = "replay/requests.rs"]
mod requests;
mod support;
#[path = "replay/values.rs"]
mod values;
#[path = "replay/wires.rs"]
mod wires;

use calls::callers;
use cases::{Delivery, Exchange};
use declared::Refused;
use report::{Report, Verdict};
use serde_json::{Value, json};
use std::collections::HashSet;
use std::time::Instant;
use support::program::Outcome;
use support::server::Request;

/// Runs one exchange.
fn run(exchange: &Exchange) -> Verdict {
    let seed = exchange.seed();
    let server = cases::replay(exchange, vec![Delivery::Cut(seed), Delivery::Whole, Delivery::Cut(!seed)]);
    let (url, document) = (server.url(), &exchange.input);
    let mut printed = callers().program(exchange, &url, document, true);
    let unsupported = |printed: &Outcome| printed.stdout.contains(r#""kind":"unsupported""#);
    let check = !(exchange.expect["kind"] == "error" && unsupported(&printed));
    if !check {
        // What the catalogue knows to fail is sent all the same on demand, and fails.
        printed = callers().program(exchange, &url, document, false);
    }
    let Ok(first) = serde_json::from_str::<Value>(&printed.stdout) else {
        return Verdict::failed(format!("the program gave no result: {printed:?}"));
    };
    if let Some(refused) = refusal(exchange, &printed, &first, server.requests().is_empty()) {
        return refused;
    }
    let mut verdict = Verdict::default();
    // An answer that the provider itself ended as failed counts, too.
    let failed = first["error"].is_object() || first["finish"] == "error";
    if printed.code != Some(i32::from(failed)) {
        verdict.wrong.push(format!("exit code {:?}: {}", printed.code, first["error"]));
    }

    let next = if first["error"].is_object() { document.clone() } else { history::next(document, &first) };
    let whole = callers().library(exchange, &url, &next, check);
    let again = callers().library(exchange, &url, document, check);
    let first = comparable(exchange, &first);
    for (name, other, without) in [("whole", &whole, "warnings"), ("cut elsewhere", &again, "")] {
        let other = comparable(exchange, other);
        for (member, value) in first.as_object().unwrap() {
            if other[member] != *value && member != without {
                verdict.wrong.push(format!("{name}: {member} is {}, and was {value}", other[member]));
            }
        }
    }

    let (expect, corrected) = declared::expectation(exchange);
    verdict.corrected = corrected;
    verdict.wrong.extend(outcome::differences(&exchange.api, &expect, &again, &exchange.text()));
    let requests = server.requests();
    match requests.as_slice() {
        [first, second, _] => {
            if exchange.asked {
                verdict.differences = requests::differences(exchange, first);
            }
            if exchange.expect["kind"] == "message" && !failed {
                verdict.wrong.extend(history::differences(exchange, &second.json()));
            }
        }
        other => verdict.wrong.push(format!("{} requests were made", other.len())),
    }
    verdict
}

/// What can't be asked in the contract's words is refused before anything is sent: more than one choice by design, and
/// what makes no sense, where the service refused it too.
fn refusal(exchange: &Exchange, printed: &Outcome, result: &Value, unsent: bool) -> Option<Verdict> {
    let refused = printed.code == Some(2) && result["error"]["kind"] == "invalid-request" && unsent;
    if exchange.asks_for_choices() {
        let wrong = if refused { Vec::new() } else { vec![format!("not refused: {printed:?}")] };
        return Some(Verdict { wrong, refused: Some(Refused::Choices), ..Verdict::default() });
    }
    let expect = &exchange.expect;
    let service = expect["error_kind"] == "invalid-request"
        || expect["error_kind_ok"].to_string().contains("invalid-request");
    let both = refused && expect["kind"] == "error" && service;
    both.then(|| Verdict { refused: Some(Refused::Malformed), ..Verdict::default() })
}

/// A result without what the library alone tells, and without what is random: the ids of calls that came without one.
fn comparable(exchange: &Exchange, result: &Value) -> Value {
    let mut result = result.clone();
    for name in ["parts", "details", "response_id", "metadata"] {
        result.as_object_mut().unwrap().shift_remove(name);
    }
    let answer = exchange.text();
    let minted = |id: &str| id.starts_with("call_") && id.len() == 21 && !answer.contains(id);
    let mut text = result.to_string();
    let calls = result["tool_calls"].as_array().into_iter().flatten();
    let ids: HashSet<&str> = calls.filter_map(|call| call["id"].as_str()).filter(|id| minted(id)).collect();
    for id in ids {
        text = text.replace(id, "minted");
    }
    serde_json::from_str(&text).unwrap()
}

fn replay(api: &'static str) {
    replay_with(api, |exchange| Some((exchange.clone(), run(exchange))));
}

/// Replays the exchanges of an API that can be.
fn replay_with(api: &'static str, run: impl Fn(&Exchange) -> Option<(Exchange, Verdict)>) {
    let Some(cases) = cases::cases() else {
        return support::skip(
            &format!("replay of {api}"),
            "the recorded cases are missing; AIMU_CASES names their folder",
        );
    };
    let start = Instant::now();
    let part = std::env::var("AIMU_REPLAY").unwrap_or_default();
    let chosen = cases.exchanges.iter().filter(|exchange| exchange.api == api && exchange.id.contains(&part));
    let mut report = Report::new(api, cases.counted && part.is_empty());
    for (exchange, verdict) in chosen.filter_map(run) {
        report.add(&exchange, verdict);
    }
    report.close(start.elapsed());
}

#[test]
fn messages() {
    replay("messages");
}

#[test]
fn generate_content() {
    replay("generate-content");
}

#[test]
fn converse() {
    replay("converse");
}

#[test]
fn cohere_chat() {
    replay("cohere-chat");
}

#[test]
fn ollama_chat() {
    replay("ollama-chat");
}

#[test]
fn responses() {
    replay("responses");
}

#[test]
fn chat_completions() {
    replay("chat-completions");
}

#[test]
fn embeddings() {
    replay_with("embeddings", |exchange| {
        exchange.asked.then(|| (exchange.clone(), numbers::embeddings(exchange)))
    });
}

#[test]
fn count_tokens() {
    replay_with("count-tokens", |exchange| {
        let (exchange, text) = numbers::countable(exchange)?;
        let verdict = numbers::count(&exchange, &text);
        Some((exchange, verdict))
    });
}

/// Files that can't be read are told, not passed over.
#[test]
fn every_file_is_read() {
    let Some(cases) = cases::cases() else {
        return support::skip("reading of the recorded cases", "AIMU_CASES names their folder");
    };
    report::unreadable(cases);
    assert!(cases.unreadable.is_empty() || !cases.counted, "{:#?}", cases.unreadable);
    let known = |id: &str| cases.exchanges.iter().any(|exchange| exchange.id == id);
    for entry in declared::WRONG.iter().filter(|_| cases.counted) {
        assert!(known(entry.id), "there is no {}", entry.id);
    }
    assert!(!cases.exchanges.is_empty(), "no exchange in {}", cases.folder.display());
}

/// The comparison must be able to fail.
#[test]
fn differences_are_found() {
    let compare = |expect: &Value, got: &Value| outcome::differences("messages", expect, got, "");
    let expect = json!({
        "kind": "message", "text": "a b", "reasoning": null, "finish": "stop",
        "tool_calls": [{ "id": "1", "name": "f", "arguments": { "x": 1, "y": [2.0] } }],
        "usage": { "input_total": 3, "output_total": 4 },
    });
    let right = json!({
        "text": "a b", "finish": "stop", "usage": { "input": 3, "output": 4 },
        "tool_calls": [{ "id": "1", "name": "f", "arguments": { "y": [2], "x": 1.0 } }],
    });
    assert_eq!(compare(&expect, &right), Vec::<String>::new());
    for (pointer, value) in [
        ("/text", json!("a c")),
        ("/finish", json!("length")),
        ("/usage/input", json!(2)),
        ("/usage/output", Value::Null),
        ("/tool_calls", json!([])),
        ("/tool_calls/0/id", json!("2")),
        ("/tool_calls/0/arguments/x", json!(2)),
    ] {
        let mut changed = right.clone();
        *changed.pointer_mut(pointer).unwrap() = value;
        assert_eq!(compare(&expect, &changed).len(), 1, "{pointer}");
    }
    let error = json!({ "kind": "error", "error_kind": "quota" });
    assert!(compare(&error, &json!({ "error": { "kind": "quota" } })).is_empty());
    assert_eq!(compare(&error, &json!({ "error": { "kind": "server" } })).len(), 1);
}

#[test]
fn differing_vectors_are_found() {
    let expect = json!({"count": 2, "dims": [3], "first3": [[1, 2, 3], [4, 5, 6]], "usage": {"input": 7}});
    let right = json!({"vectors": [[1, 2, 3], [4, 5, 6]], "usage": {"input": 7}});
    assert_eq!(numbers::vectors(&expect, &right), Vec::<String>::new());
    for (pointer, value, count) in [
        ("/usage/input", json!(8), 1),
        ("/vectors/1/1", json!(5.1), 1),
        ("/vectors/1", json!([4, 5, 6, 7]), 1),
        ("/vectors", json!([]), 2),
    ] {
        let mut changed = right.clone();
        *changed.pointer_mut(pointer).unwrap() = value;
        assert_eq!(numbers::vectors(&expect, &changed).len(), count, "{pointer}");
    }
}

#[test]
fn differing_requests_are_found() {
    let exchange = |api: &str, body: Value| Exchange {
        id: "x@0".into(),
        provider: "p".into(),
        api: api.into(),
        request: Some(json!({"url": "https://x.test/v1/y?alt=sse&key=k", "headers": {}, "body": body})),
        response: json!({}),
        input: json!({}),
        asked: true,
        expect: json!({}),
    };
    let sent = |path: &str, body: &Value| {
        let (method, path, body) = ("POST".to_owned(), path.to_owned(), body.to_string().into_bytes());
        Request { method, path, headers: Vec::new(), body }
    };
    let found = |exchange: &Exchange, path: &str, body: &Value| -> Vec<String> {
        let found = requests::differences(exchange, &sent(path, body));
        found.into_iter().map(|it| format!("{:?} {}", it.kind, it.path)).collect()
    };
    let path = "/y?alt=sse";
    let recorded =
        json!({"model": "m", "messages": [{"role": "user", "content": "a"}], "temperature": 1.0, "n": 1});
    let chat = exchange("chat-completions", recorded);
    let blocks = json!([{"type": "text", "text": "a"}]);
    let same =
        json!({"temperature": 1, "model": "m", "messages": [{"role": "user", "content": blocks}], "x": null});
    assert_eq!(found(&chat, path, &same), [""; 0]);
    assert_eq!(found(&chat, "/y", &same), ["Missing ?alt"]);
    for (pointer, value, what) in [
        ("/temperature", json!(0.9), "Changed /temperature"),
        ("/temperature", Value::Null, "Missing /temperature"),
        ("/x", json!(0), "Extra /x"),
        ("/messages/0/content/0/text", json!("b"), "Changed /messages[]/content[]/text"),
        ("/messages/0/content", json!([]), "Changed /messages[]/content"),
        ("/messages", json!([]), "Changed /messages"),
    ] {
        let mut changed = same.clone();
        *changed.pointer_mut(pointer).unwrap() = value;
        assert_eq!(found(&chat, path, &changed), [what]);
    }
    // What the caller owns is compared as it is: here `null` is a value.
    let schema = |default: Value| json!({"tools": [{"name": "f", "input_schema": {"default": default}}]});
    let messages = exchange("messages", schema(Value::Null));
    assert_eq!(found(&messages, path, &schema(Value::Null)), [""; 0]);
    assert_eq!(found(&messages, path, &schema(json!(1))), ["Changed /tools[]/input_schema"]);
    let without = json!({"tools": [{"name": "f", "input_schema": {}}]});
    assert_eq!(found(&messages, path, &without), ["Changed /tools[]/input_schema"]);
}
