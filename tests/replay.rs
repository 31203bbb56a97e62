//! Recorded answers of real services, through the program, the component and a socket.
//!
//! The cases are no part of the repository: `AIMU_CASES` names their folder, by default `../shared/cases`. All that
//! have an input are run; `AIMU_REPLAY=part` runs those whose name holds `part`. `AIMU_REPLAY_REQUESTS=1` also tells
//! how the requests differ from the recorded ones: findings to judge, as the recorded clients had defaults of their
//! own.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use serde_json::{Value, json};
use std::collections::BTreeMap;
use support::Home;
use support::cases::{self, Exchange};
use support::program::Outcome;
use support::server::Server;

/// Cases whose expectation was derived wrongly, with what the raw bytes say.
const WRONG: [(&str, &str); 1] = [(
    "xai-responses-response-identity-auth-rejection-classifies-with-contract-c3fa01@0",
    "the body says `Incorrect API key provided`: that is `authentication`, whatever its code",
)];

/// What a base URL of Vertex AI has before its models: a project's resources, which the plugin tells it by.
fn base_path(exchange: &Exchange) -> &str {
    let url = exchange.request.as_ref().and_then(|request| request["url"].as_str()).unwrap_or_default();
    let path =
        url.split_once("://").and_then(|(_, rest)| rest.find('/').map(|at| &rest[at..])).unwrap_or_default();
    match path.split_once("/models/") {
        Some((resources, _)) if resources.contains("/projects/") => resources,
        _ => "",
    }
}

/// Runs one exchange.
fn run(home: &Home, exchange: &Exchange) -> (Outcome, Server) {
    let server = cases::replay(exchange, 1);
    let provider = match exchange.api.as_str() {
        "messages" => "anthropic",
        "generate-content" => "gemini",
        "responses" => "openai",
        "ollama-chat" => "ollama",
        "cohere-chat" => "cohere",
        _ => "openai-compat",
    };
    let model = exchange.input["model"].as_str().unwrap_or("unnamed");
    // Which wire a model takes is data of the provider; a recording may have the other.
    let setting = format!("api={}", exchange.api);
    let setting: &[&str] = if provider == "openai" { &["--setting", &setting] } else { &[] };
    let outcome = home
        .aimu(
            [
                "chat",
                &format!("{provider}:{model}@{}{}", server.url(), base_path(exchange)),
                "--request",
                "-",
                "--json",
            ]
            .iter()
            .chain(setting),
        )
        .env("ANTHROPIC_API_KEY", "test-key")
        .env("GEMINI_API_KEY", "test-key")
        .env("OPENAI_API_KEY", "test-key")
        .env("CO_API_KEY", "test-key")
        .input(exchange.input.to_string())
        .run();
    (outcome, server)
}

/// Runs one exchange, and says what came out wrong.
fn run_case(home: &Home, exchange: &Exchange) -> Vec<String> {
    let (outcome, server) = run(home, exchange);
    let Ok(got) = serde_json::from_str(&outcome.stdout) else {
        return vec![format!("the program gave no result: {outcome:?}")];
    };
    let mut wrong = cases::compare(&exchange.expect, &got);
    if WRONG.iter().any(|(id, _)| *id == exchange.id) {
        assert!(!wrong.is_empty(), "{} is right by now", exchange.id);
        wrong.clear();
    }
    if outcome.code == Some(2) && exchange.expect["kind"] == "error" && server.requests().is_empty() {
        // What the service refused, the program refuses before it asks.
        return wrong;
    }
    // An answer that the provider itself ended as failed counts, too.
    let failed = got["error"].is_object() || got["finish"] == "error";
    if outcome.code != Some(i32::from(failed)) {
        wrong.push(format!("exit code {:?}", outcome.code));
    }
    match server.requests().as_slice() {
        [sent] => {
            if std::env::var_os("AIMU_REPLAY_REQUESTS").is_some() {
                wrong.extend(
                    cases::request_differences(exchange, sent).into_iter().map(|at| format!("request: {at}")),
                );
            }
        }
        other => wrong.push(format!("{} requests were made", other.len())),
    }
    wrong
}

/// More than one choice is refused by design, before anything is sent.
fn refusal(home: &Home, exchange: &Exchange) -> Vec<String> {
    let (outcome, server) = run(home, exchange);
    let got: Value = serde_json::from_str(&outcome.stdout).unwrap_or_default();
    let refused = outcome.code != Some(0) && got["error"]["kind"] == "invalid-request";
    if refused && server.requests().is_empty() {
        Vec::new()
    } else {
        vec![format!("not refused: {outcome:?}")]
    }
}

fn replay(api: &str) {
    let Some(folder) = cases::folder() else {
        return support::skip(
            &format!("replay of {api}"),
            "the recorded cases are missing; AIMU_CASES names their folder",
        );
    };
    let part = std::env::var("AIMU_REPLAY").unwrap_or_default();
    let mut chosen = cases::load(&folder, api);
    chosen.retain(|exchange| exchange.id.contains(&part));
    assert!(chosen.len() >= 15 || !part.is_empty(), "only {} cases", chosen.len());

    let home = Home::new();
    let mut report = String::new();
    let mut failed = 0;
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    for exchange in &chosen {
        let wrong = if exchange.features.contains("n>1") {
            refusal(&home, exchange)
        } else {
            run_case(&home, exchange)
        };
        failed += usize::from(!wrong.is_empty());
        for line in wrong {
            *reasons.entry(line.split(':').next().unwrap_or_default().to_owned()).or_default() += 1;
            report += &format!("{}: {line}\n", exchange.id);
        }
    }
    assert!(failed == 0, "{failed} of {} cases differ:\n{report}\n{reasons:#?}", chosen.len());
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
fn responses() {
    replay("responses");
}

#[test]
fn ollama_chat() {
    replay("ollama-chat");
}

#[test]
fn cohere_chat() {
    replay("cohere-chat");
}

#[test]
fn chat_completions() {
    replay("chat-completions");
}

/// The comparison must be able to fail.
#[test]
fn differences_are_found() {
    let expect = json!({
        "kind": "message", "text": "a b", "reasoning": null, "finish": "stop",
        "tool_calls": [{ "id": "1", "name": "f", "arguments": { "x": 1, "y": [2.0] } }],
        "usage": { "input_total": 3, "output_total": 4 },
    });
    let right = json!({
        "text": "a  b", "finish": "stop", "usage": { "input": 3, "output": 4 },
        "tool_calls": [{ "id": "1", "name": "f", "arguments": { "y": [2], "x": 1.0 } }],
    });
    assert_eq!(cases::compare(&expect, &right), Vec::<String>::new());
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
        assert_eq!(cases::compare(&expect, &changed).len(), 1, "{pointer}");
    }
    let error = json!({ "kind": "error", "error_kind": "quota" });
    assert!(cases::compare(&error, &json!({ "error": { "kind": "quota" } })).is_empty());
    assert_eq!(cases::compare(&error, &json!({ "error": { "kind": "server" } })).len(), 1);
    assert_eq!(cases::compare(&expect, &json!({ "text": "a b", "error": { "kind": "server" } })).len(), 3);
}
