//! Every recorded request, asked for in the contract's words, must go out as it was recorded.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;
mod input;

use std::collections::BTreeMap;

use aimu_sdk::Context;
use aimu_sdk::openai::responses::body;
use serde_json::{Map, Value, json};

/// Differences that are a client's own habit and mean the same, and how many recordings have each. More fail.
const DECLARED: [(&str, usize); 4] = [
    // The API lifts a system message to the same place.
    ("a system message where we send `instructions`", 5),
    // The document has a list of functions and one of other tools.
    ("functions after other tools", 7),
    // The recorded request says it and the case's `input` does not.
    ("a member that the document lost", 13),
    // The document's `file` does not say that an id is an image's.
    ("an image by its id", 2),
];

/// A request without what says nothing: nulls, defaults, and the two ways to write the same.
fn meaning(body: &Value, declared: &mut Vec<&'static str>) -> Value {
    let mut body = strip(body);
    let members = body.as_object_mut().unwrap();
    for (name, default) in [
        ("stream", json!(false)),
        ("tool_choice", json!("auto")),
        ("tools", json!([])),
        ("instructions", json!("")),
        ("include", json!([])),
    ] {
        if members.get(name) == Some(&default) {
            members.remove(name);
        }
    }
    if !members.contains_key("tools") {
        members.remove("tool_choice");
        members.remove("parallel_tool_calls");
    }
    if let Some(Value::Object(text)) = members.get_mut("text") {
        if text.get("format") == Some(&json!({"type": "text"})) {
            text.remove("format");
        }
        if let Some(Value::Object(format)) = text.get_mut("format") {
            format.retain(|name, value| !(name == "strict" && value == false));
            // The document shape has a schema's description inside the schema.
            if let Some(description) = format.remove("description")
                && let Some(Value::Object(schema)) = format.get_mut("schema")
            {
                schema.entry("description").or_insert(description);
            }
        }
        if text.is_empty() {
            members.remove("text");
        }
    }
    if members.get("reasoning") == Some(&json!({})) {
        members.remove("reasoning");
    }
    if let Some(tools) = members.get_mut("tools").and_then(Value::as_array_mut) {
        let rank = |tool: &Value| tool["type"] != "function";
        if !tools.is_sorted_by_key(rank) {
            declared.push("functions after other tools");
            tools.sort_by_key(rank);
        }
    }
    for tool in members.get_mut("tools").and_then(Value::as_array_mut).into_iter().flatten() {
        if tool["description"] == "" {
            tool.as_object_mut().unwrap().remove("description");
        }
    }
    if let Some(input) = members.get("input").and_then(Value::as_str) {
        let item = json!({"type": "message", "role": "user", "content": input});
        members.insert("input".into(), json!([item]));
    }
    let items: Vec<Value> =
        members["input"].as_array().unwrap().iter().filter_map(|item| self::item(item, declared)).collect();
    members.insert("input".into(), items.into());
    numbers(&body)
}

fn item(item: &Value, declared: &mut Vec<&'static str>) -> Option<Value> {
    let mut item = item.clone();
    let members = item.as_object_mut().unwrap();
    members.entry("type").or_insert_with(|| "message".into());
    if members["type"] == "reasoning" {
        // Verbatim in the document, nulls and all, but for these: recorded clients differ.
        return Some(item);
    }
    members.retain(|name, value| !(name == "status" && value == "completed"));
    if members.get("role").is_some_and(|role| role == "developer") {
        members.insert("role".into(), "system".into());
    }
    for name in ["content", "output"] {
        let Some(content) = members.get_mut(name) else { continue };
        if let Value::String(text) = content {
            *content = json!([{"type": "text", "text": text}]);
        }
        for block in content.as_array_mut().into_iter().flatten() {
            let block = block.as_object_mut().unwrap();
            if matches!(block["type"].as_str(), Some("input_text" | "output_text")) {
                block.insert("type".into(), "text".into());
            }
            block.retain(|name, value| !(name == "annotations" && *value == json!([])));
            if block["type"] == "input_image" && block.contains_key("file_id") {
                block.insert("type".into(), "input_file".into());
                block.remove("detail");
                declared.push("an image by its id");
            }
        }
    }
    // A turn that says nothing is left out.
    let empty = item
        == json!({"type": "message", "role": "assistant", "content": [{"type": "text", "text": ""}]})
        || item == json!({"type": "message", "role": "assistant", "content": []});
    (!empty).then_some(item)
}

/// The recorded system message as `instructions`, as we send the first.
fn lift(body: &mut Value, declared: &mut Vec<&'static str>) {
    let first = &body["input"][0];
    if body.get("instructions").is_none() && first["role"] == "system" {
        let text = first["content"][0]["text"].clone();
        body["instructions"] = text;
        body["input"].as_array_mut().unwrap().remove(0);
        declared.push("a system message where we send `instructions`");
    }
}

/// Takes a member out wherever it is, and says whether it was anywhere.
fn remove(value: &mut Value, name: &str) -> bool {
    let mut any = false;
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| any |= remove(item, name)),
        Value::Object(members) => {
            any = members.remove(name).is_some();
            members.values_mut().for_each(|member| any |= remove(member, name));
        }
        _ => {}
    }
    any
}

/// Without members that are null.
fn strip(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(strip).collect(),
        Value::Object(members) => {
            let members = members.iter().filter(|(_, value)| !value.is_null());
            Value::Object(members.map(|(name, value)| (name.clone(), strip(value))).collect())
        }
        other => other.clone(),
    }
}

/// `1.0` is `1`.
fn numbers(value: &Value) -> Value {
    match value {
        Value::Number(number) => number.as_f64().map_or(value.clone(), Value::from),
        Value::Array(items) => items.iter().map(numbers).collect(),
        Value::Object(members) => Value::Object(
            members.iter().map(|(name, value)| (name.clone(), numbers(value))).collect::<Map<_, _>>(),
        ),
        other => other.clone(),
    }
}

/// Where two documents differ first.
fn difference(want: &Value, got: &Value, path: &str) -> Option<String> {
    match (want, got) {
        (Value::Object(a), Value::Object(b)) => a.keys().chain(b.keys()).find_map(|name| {
            let (want, got) = (a.get(name).unwrap_or(&Value::Null), b.get(name).unwrap_or(&Value::Null));
            difference(want, got, &format!("{path}/{name}"))
        }),
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => a
            .iter()
            .zip(b)
            .enumerate()
            .find_map(|(i, (want, got))| difference(want, got, &format!("{path}/{i}"))),
        _ if want == got => None,
        _ => {
            let short = |value: &Value| value.to_string().chars().take(300).collect::<String>();
            Some(format!("{path}: want {}, got {}", short(want), short(got)))
        }
    }
}

#[test]
fn recorded_requests_go_out_as_they_were_recorded() {
    let Some(exchanges) = common::exchanges() else {
        return;
    };
    let (mut checked, mut failed, mut counts) = (0, Vec::new(), BTreeMap::<&str, usize>::new());
    for exchange in &exchanges {
        let recorded = &exchange.data["request"]["body"];
        let (Some(request), true) = (input::request(&exchange.data["input"]), recorded.is_object()) else {
            continue;
        };
        checked += 1;
        let quirks = common::quirks(&exchange.provider);
        let ctx = Context {
            instance: exchange.provider.clone(),
            base_url: "https://api.example.com/v1".into(),
            settings: "{}".into(),
            credentials: Vec::new(),
        };
        let (mut warnings, mut declared) = (Vec::new(), Vec::new());
        let made = body(&ctx, &request, &quirks, &mut warnings).unwrap();
        let mut want = meaning(recorded, &mut declared);
        let got = meaning(&made, &mut Vec::new());
        if quirks.responses.instructions {
            lift(&mut want, &mut declared);
        }
        let input = exchange.data["input"].to_string();
        for lost in ["defer_loading", "prompt_cache_breakpoint"] {
            if !input.contains(lost) && remove(&mut want, lost) {
                declared.push("a member that the document lost");
            }
        }
        match difference(&want, &got, "") {
            Some(found) => failed.push(format!("{}\n    {found}\n    {warnings:?}", exchange.name)),
            None => declared.into_iter().for_each(|what| *counts.entry(what).or_default() += 1),
        }
    }
    eprintln!(
        "{} recorded requests, {checked} could be asked for, {} differ; declared: {counts:?}",
        exchanges.len(),
        failed.len()
    );
    for (what, most) in DECLARED {
        let count = counts.get(what).copied().unwrap_or_default();
        if count > most {
            failed.push(format!("{count} times {what}; {most} are declared"));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}
