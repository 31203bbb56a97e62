//! Every recorded case's `input` is a request document: all parse, and for two wires what a plain adapter makes of the
//! request has what was recorded.

use super::*;
use crate::model::{ChatRequest, Origin, Role};
use serde_json::Map;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};

struct Exchange {
    id: String,
    api: String,
    input: Value,
    body: Value,
}

/// The recorded exchanges with an input; `None` where the recordings are not there.
fn exchanges() -> Option<Vec<Exchange>> {
    let root = std::env::var_os("AIMU_CASES")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/cases"), PathBuf::from);
    if !root.is_dir() {
        // Past the runner's capture, which shows only what fails; `cargo xtask test` lists such lines at its end.
        let mut stderr = std::io::stderr();
        writeln!(stderr, "SKIPPED recorded requests as documents: no cases at {}", root.display()).unwrap();
        return None;
    }
    let (mut folders, mut exchanges) = (vec![root], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "json") {
                let mut case: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
                let id = case["id"].as_str().unwrap_or_default().to_owned();
                for (index, exchange) in case["exchanges"].as_array_mut().into_iter().flatten().enumerate() {
                    if !exchange["input"].is_null() {
                        exchanges.push(Exchange {
                            id: format!("{id}@{index}"),
                            api: exchange["api"].as_str().unwrap().to_owned(),
                            input: exchange["input"].take(),
                            body: exchange["request"]["body"].take(),
                        });
                    }
                }
            }
        }
    }
    Some(exchanges)
}

#[test]
fn every_recorded_input_parses() {
    let Some(exchanges) = exchanges() else { return };
    let mut refused = BTreeMap::<String, usize>::new();
    let mut parsed = BTreeMap::<String, usize>::new();
    for exchange in &exchanges {
        let before = exchange.input.clone();
        match RequestDocument::parse(exchange.input.to_string()) {
            Ok(document) => {
                for message in
                    document.request.messages.iter().filter(|message| message.role == Role::Assistant)
                {
                    let origin = Origin { provider: "p".to_owned(), model: "m".to_owned() };
                    let written = openai::assistant_message(&message.parts, &origin);
                    let read = openai::message(&written).unwrap();
                    assert_eq!(read.parts, message.parts, "{}", exchange.id);
                }
                let roles = exchange.input["messages"].as_array().unwrap().len();
                assert_eq!(document.request.messages.len(), roles, "{}", exchange.id);
                *parsed.entry(exchange.api.clone()).or_default() += 1;
            }
            Err(failure) => *refused.entry(failure.message).or_default() += 1,
        }
        assert_eq!(exchange.input, before);
    }
    eprintln!("parsed: {parsed:?}");
    let wrong = |what: &str| format!("the request document is wrong: {what}");
    // What can't be said: embeddings, several choices, and requests that were recorded for being wrong.
    let declared = BTreeMap::from([
        (wrong("`input` belongs to embeddings (`aimu-host embed`); a chat has `messages`"), 77),
        (wrong("options.n: must be 1, not 2: an answer is one choice; make 2 calls for 2 answers"), 20),
        (wrong("options.temperature: must be a number, not \"hot\""), 1),
        (wrong("messages[0].content[1].image_url.url: is not base64: Invalid symbol 33, offset 0."), 1),
    ]);
    assert_eq!(refused, declared);
}

/// What a plain adapter writes for the fields that this document fills, in the words of one wire.
fn wire(request: &ChatRequest, messages: bool) -> Value {
    let mut body = serde_json::to_value(&request.sampling).unwrap().as_object().unwrap().clone();
    if messages && let Some(stop) = body.remove("stop") {
        body.insert("stop_sequences".to_owned(), stop);
    }
    if let Some(parallel) = request.parallel_tool_calls {
        body.insert("parallel_tool_calls".to_owned(), json!(parallel));
    }
    if let Some(top) = request.logprobs {
        body.insert("logprobs".to_owned(), json!(true));
        body.insert("top_logprobs".to_owned(), json!(top));
    }
    if let Some(thinking) = &request.thinking {
        match (&thinking.effort, messages) {
            (Some(effort), true) => drop(body.insert("output_config".to_owned(), json!({"effort": effort}))),
            (Some(effort), false) => drop(body.insert("reasoning_effort".to_owned(), json!(effort))),
            // As the contract's guests do where nothing else is known of a server.
            (None, false) if thinking.mode == ThinkingMode::Off => {
                drop(body.insert("reasoning_effort".to_owned(), json!("none")));
            }
            (None, _) => {}
        }
        let switch = match (thinking.mode, thinking.budget_tokens) {
            (ThinkingMode::On, Some(budget)) => Some(json!({"type": "enabled", "budget_tokens": budget})),
            (ThinkingMode::Adaptive, _) => Some(json!({"type": "adaptive"})),
            _ => None,
        };
        if let Some(switch) = switch.filter(|_| messages) {
            body.insert("thinking".to_owned(), switch);
        }
    }
    merge(&mut body, request.extra.as_ref());
    Value::Object(body)
}

/// RFC 7396.
fn merge(target: &mut Map<String, Value>, patch: Option<&Value>) {
    for (key, value) in patch.and_then(Value::as_object).into_iter().flatten() {
        match value {
            Value::Null => drop(target.remove(key)),
            Value::Object(_) => {
                let inner = target.entry(key.clone()).or_insert_with(|| json!({}));
                if !inner.is_object() {
                    *inner = json!({});
                }
                merge(inner.as_object_mut().unwrap(), Some(value));
            }
            value => drop(target.insert(key.clone(), value.clone())),
        }
    }
}

#[test]
fn what_was_recorded_comes_out_again() {
    // Messages, tools and formats are read elsewhere; `n` is 1.
    const APART: [&str; 8] =
        ["model", "messages", "system", "tools", "tool_choice", "response_format", "stream", "n"];
    let Some(exchanges) = exchanges() else { return };
    let (mut compared, mut differences) = (0, Vec::new());
    for exchange in exchanges {
        let is_messages = exchange.api == "messages";
        let Value::Object(mut recorded) = exchange.body else {
            continue;
        };
        let Ok(document) = RequestDocument::parse(exchange.input.to_string()) else {
            continue;
        };
        if !is_messages && exchange.api != "chat-completions" {
            continue;
        }
        let Value::Object(mut written) = wire(&document.request, is_messages) else {
            continue;
        };
        level(&mut recorded);
        level(&mut written);
        let keys: BTreeSet<_> = written.keys().chain(recorded.keys()).collect();
        for key in keys.into_iter().filter(|key| !APART.contains(&key.as_str())) {
            let (have, want) = (written.get(key), recorded.get(key));
            if !equal(have, want) {
                differences.push(format!("{}: {key}: {have:?}, recorded {want:?}", exchange.id));
            }
        }
        compared += 1;
    }
    assert_eq!(differences, Vec::<String>::new());
    assert!(compared > 1000, "{compared}");
}

/// Takes away what wires and clients say in two ways.
fn level(body: &mut Map<String, Value>) {
    body.retain(|_, value| !value.is_null());
    if let Some(max) = body.remove("max_completion_tokens") {
        body.insert("max_tokens".to_owned(), max);
    }
    if body.get("top_logprobs") == Some(&json!(0)) {
        body.remove("top_logprobs");
    }
    if let Some(output) = body.get_mut("output_config").and_then(Value::as_object_mut) {
        output.remove("format");
        if output.is_empty() {
            body.remove("output_config");
        }
    }
}

/// Equal but for the sort of number.
fn equal(a: Option<&Value>, b: Option<&Value>) -> bool {
    match (a, b) {
        (Some(Value::Number(a)), Some(Value::Number(b))) => a.as_f64() == b.as_f64(),
        (a, b) => a == b,
    }
}
