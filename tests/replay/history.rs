//! The answer as part of the next request: it goes back as it came.

use super::cases::Exchange;
use super::values::{default, items, members, parse};
use serde_json::{Value, json};

/// The document that goes on from an answer: its calls are answered, and something is asked.
pub fn next(document: &Value, answer: &Value) -> Value {
    let mut next = document.clone();
    let messages = next["messages"].as_array_mut().unwrap();
    messages.push(answer["message"].clone());
    for call in answer["tool_calls"].as_array().into_iter().flatten() {
        messages.push(json!({"role": "tool", "tool_call_id": call["id"], "content": "done"}));
    }
    messages.push(json!({"role": "user", "content": "?"}));
    next
}

/// What of the recorded answer does not go back as it came, in a request to go on from it.
pub fn differences(exchange: &Exchange, request: &Value) -> Vec<String> {
    // A turn that the answer continues is one with it.
    let continued = exchange.input["messages"].as_array().and_then(|all| all.last());
    if continued.is_none_or(|last| last["role"] == "assistant") {
        return Vec::new();
    }
    let (want, got) = match exchange.api.as_str() {
        "messages" => (message(exchange), turn(&request["messages"], "assistant", "content")),
        "generate-content" => {
            (joined(&candidate(exchange)), joined(&turn(&request["contents"], "model", "parts")))
        }
        "responses" => {
            let mut want: Vec<Value> = output(exchange).iter().map(meaning).collect();
            if request["store"] == false {
                // What is not kept there can't be named, and is nothing without its encrypted form.
                want.retain(|item| item["type"] != "reasoning" || item["encrypted_content"].is_string());
            }
            let input = request["input"].as_array().unwrap();
            let got = input.iter().filter(|item| item["content"] != "?" && item["output"] != "done");
            let mut got: Vec<Value> = got.map(meaning).collect();
            // What went before the answer is the other requests' affair.
            got.drain(..got.len().saturating_sub(want.len()));
            (want, got)
        }
        _ => return Vec::new(),
    };
    // An answer that says nothing has nothing to go back.
    if want == got || want.is_empty() {
        return Vec::new();
    }
    let clip = |values: &[Value]| json!(values).to_string().chars().take(600).collect::<String>();
    vec![format!("sent back: wanted {}, got {}", clip(&want), clip(&got))]
}

/// The last turn of a role.
fn turn(turns: &Value, role: &str, content: &str) -> Vec<Value> {
    let last = turns.as_array().unwrap().iter().rfind(|turn| turn["role"] == role);
    let content = last.and_then(|turn| turn[content].as_array()).cloned().unwrap_or_default();
    content.into_iter().map(without_cache).collect()
}

fn without_cache(mut block: Value) -> Value {
    members(&mut block).shift_remove("cache_control");
    block
}

/// The events of a stream, or the one document.
fn documents(exchange: &Exchange) -> Vec<Value> {
    let body = String::from_utf8_lossy(&exchange.body()).into_owned();
    match serde_json::from_str(&body) {
        Ok(Value::Array(documents)) => documents,
        Ok(document) => vec![document],
        Err(_) => {
            let data = body.lines().filter_map(|line| line.strip_prefix("data:"));
            data.filter_map(|data| serde_json::from_str(data).ok()).collect()
        }
    }
}

/// The blocks of a Messages answer, but for empty texts, which the API would refuse, and empty members.
fn message(exchange: &Exchange) -> Vec<Value> {
    let mut blocks: Vec<Value> = Vec::new();
    for document in documents(exchange) {
        match document["type"].as_str().unwrap_or_default() {
            "message" => blocks.extend(document["content"].as_array().into_iter().flatten().cloned()),
            "content_block_start" => blocks.push(document["content_block"].clone()),
            "content_block_delta" => {
                let block = members(&mut blocks[document["index"].as_u64().unwrap() as usize]);
                let delta = &document["delta"];
                let mut append = |name: &str, more: &Value| {
                    let have = block.get(name).and_then(Value::as_str).unwrap_or_default();
                    block.insert(name.into(), format!("{have}{}", more.as_str().unwrap()).into());
                };
                match delta["type"].as_str().unwrap() {
                    "text_delta" => append("text", &delta["text"]),
                    "thinking_delta" => append("thinking", &delta["thinking"]),
                    "signature_delta" => append("signature", &delta["signature"]),
                    "input_json_delta" => append("input", &delta["partial_json"]),
                    "citations_delta" => {
                        let list = block.entry("citations").or_insert(Value::Null);
                        let mut cited = list.as_array().cloned().unwrap_or_default();
                        cited.push(delta["citation"].clone());
                        *list = cited.into();
                    }
                    other => panic!("a delta of type {other}"),
                }
            }
            _ => {}
        }
    }
    for block in &mut blocks {
        let block = members(block);
        if let Some(input) = block.get_mut("input") {
            parse(input);
            if input == "" {
                *input = json!({});
            }
        }
        default(block, "citations", Value::Null);
        default(block, "citations", json!([]));
    }
    let said = |block: &Value| block["type"] != "text" || !block["text"].as_str().unwrap().trim().is_empty();
    blocks.retain(said);
    blocks
}

/// The parts of a Gemini answer's first candidate.
fn candidate(exchange: &Exchange) -> Vec<Value> {
    let documents = documents(exchange);
    let parts = documents.iter().filter_map(|answer| answer["candidates"][0]["content"]["parts"].as_array());
    parts.flatten().cloned().collect()
}

/// Without what says nothing, and with neighbours as one that a stream had cut. Signed parts stay alone.
fn joined(parts: &[Value]) -> Vec<Value> {
    let mut joined: Vec<Value> = Vec::new();
    let plain = |part: &Value| part.get("text").is_some() && part.get("thoughtSignature").is_none();
    for part in parts.iter().filter(|part| !plain(part) || part["text"] != "") {
        match joined.last_mut() {
            Some(last) if plain(last) && plain(part) && last.get("thought") == part.get("thought") => {
                let text = format!("{}{}", last["text"].as_str().unwrap(), part["text"].as_str().unwrap());
                last["text"] = text.into();
            }
            _ => joined.push(part.clone()),
        }
    }
    joined
}

/// The items of a Responses answer as the server wrote them last.
fn output(exchange: &Exchange) -> Vec<Value> {
    let documents = documents(exchange);
    if let [response] = documents.as_slice() {
        return response["output"].as_array().cloned().unwrap_or_default();
    }
    let done = documents.iter().filter(|event| event["type"] == "response.output_item.done");
    done.map(|event| event["item"].clone()).collect()
}

/// An item without what says nothing: nulls, log-probabilities, which are for reading, and usual states.
fn meaning(item: &Value) -> Value {
    let mut item = item.clone();
    let members = members(&mut item);
    if !matches!(members["type"].as_str(), Some("message" | "function_call" | "custom_tool_call")) {
        return item;
    }
    members.retain(|name, value| !(value.is_null() || name == "status" && value == "completed"));
    if let Some(arguments) = members.get_mut("arguments").filter(|arguments| *arguments == "") {
        *arguments = "{}".into();
    }
    for block in items(members.get_mut("content")) {
        let block = block.as_object_mut().unwrap();
        block.shift_remove("logprobs");
        if block["type"] == "output_text" {
            block.entry("annotations").or_insert_with(|| json!([]));
        }
    }
    item
}
