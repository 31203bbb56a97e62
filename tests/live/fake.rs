//! A server that speaks chat completions and answers as a model would, so that the live steps themselves are tested.
//!
//! It answers from what it was sent and nothing else: it finds what was said in the messages, the code in the tool's
//! result, the colour in the picture.

use super::picture;
use crate::support::server::{Connection, Request, Server};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::io;

/// What it does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    None,
    /// It sees the last message alone.
    Forgets,
    /// It streams an answer in one piece.
    OnePiece,
    /// It calls a tool that there is not.
    OtherTool,
    /// It answers without looking anything up.
    NoTool,
    /// It does not read what a tool answered.
    Deaf,
    ColourBlind,
    /// It wraps a JSON document into prose.
    Prose,
}

/// The id of its model.
pub const MODEL: &str = "parrot-1";

enum Reply {
    Text(String),
    Call { name: String, arguments: Value },
}

pub fn start(fault: Fault) -> Server {
    Server::start(move |request, connection| {
        if request.path.ends_with("/models") {
            let models = json!({ "object": "list", "data": [{ "id": MODEL, "object": "model" }] });
            return connection.answer(
                200,
                &[("content-type", "application/json")],
                models.to_string().as_bytes(),
            );
        }
        answer(request, connection, fault)
    })
}

fn answer(request: &Request, connection: &mut Connection, fault: Fault) -> io::Result<()> {
    let body = request.json();
    let (pieces, finish): (Vec<Value>, _) = match reply(&body, fault) {
        Reply::Text(text) if fault == Fault::OnePiece => (vec![json!({ "content": text })], "stop"),
        Reply::Text(text) => {
            (text.split_inclusive(' ').map(|piece| json!({ "content": piece })).collect(), "stop")
        }
        Reply::Call { name, arguments } => {
            let function = json!({ "name": name, "arguments": arguments.to_string() });
            let call = json!({ "index": 0, "id": "call_1", "type": "function", "function": function });
            (vec![json!({ "tool_calls": [call] })], "tool_calls")
        }
    };
    connection.stream()?;
    let mut chunk = |choices: Value, usage: Value| {
        let chunk = json!({
            "id": "c1", "object": "chat.completion.chunk", "created": 1, "model": body["model"],
            "choices": choices, "usage": usage,
        });
        connection.chunk(format!("data: {chunk}\n\n"))
    };
    for delta in pieces {
        chunk(json!([{ "index": 0, "delta": delta, "finish_reason": null }]), Value::Null)?;
    }
    chunk(json!([{ "index": 0, "delta": {}, "finish_reason": finish }]), Value::Null)?;
    chunk(json!([]), json!({ "prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12 }))?;
    connection.chunk("data: [DONE]\n\n")?;
    connection.end()
}

fn reply(body: &Value, fault: Fault) -> Reply {
    let all = body["messages"].as_array().unwrap();
    let messages = if fault == Fault::Forgets { &all[all.len() - 1..] } else { all };
    let last = &messages[messages.len() - 1];
    let prompt = text(last);
    if last["role"] == "tool" {
        let code = if fault == Fault::Deaf { "unknown" } else { &prompt };
        return Reply::Text(format!("The code is {code} as far as I know."));
    }
    if let Some(function) =
        body["tools"].get(0).map(|tool| &tool["function"]).filter(|_| fault != Fault::NoTool)
    {
        let name = if fault == Fault::OtherTool { "open" } else { function["name"].as_str().unwrap() };
        // The names in backquotes are the arguments.
        let parameters = function["parameters"]["properties"].as_object().unwrap().keys();
        let arguments = parameters.zip(prompt.split('`').skip(1).step_by(2));
        let arguments = arguments.map(|(name, value)| (name.clone(), json!(value))).collect();
        return Reply::Call { name: name.to_owned(), arguments: Value::Object(arguments) };
    }
    if body["response_format"]["type"] == "json_schema" {
        let document = document(&body["response_format"]["json_schema"]["schema"], &prompt);
        return Reply::Text(if fault == Fault::Prose { format!("Here it is: {document}") } else { document });
    }
    if let Some(data) = last["content"].as_array().and_then(|parts| {
        parts
            .iter()
            .find_map(|part| part["image_url"]["url"].as_str()?.strip_prefix("data:image/png;base64,"))
    }) {
        let colour = picture::colour(&STANDARD.decode(data).unwrap());
        return Reply::Text(match colour.filter(|_| fault != Fault::ColourBlind) {
            Some([255, 0, 0]) => "Red.".to_owned(),
            other => format!("I can't name it: {other:?}"),
        });
    }
    match numbers(&prompt).as_slice() {
        [first, last] => Reply::Text((*first..=*last).map(|number| format!("{number} ")).collect()),
        _ if prompt.contains('?') => {
            let said = messages.iter().flat_map(|message| numbers(&text(message))).next();
            Reply::Text(said.map_or("I don't know.".to_owned(), |number| format!("It is {number}.")))
        }
        _ => Reply::Text("OK".to_owned()),
    }
}

/// The texts of a message.
fn text(message: &Value) -> String {
    match &message["content"] {
        Value::Array(parts) => parts.iter().filter_map(|part| part["text"].as_str()).collect(),
        content => content.as_str().unwrap_or_default().to_owned(),
    }
}

fn numbers(text: &str) -> Vec<u32> {
    text.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse().ok()).collect()
}

/// A document of the schema's members: a number is the prompt's first, a text its first word.
fn document(schema: &Value, prompt: &str) -> String {
    let members = schema["properties"].as_object().unwrap().iter().map(|(name, property)| {
        let value = match property["type"].as_str() {
            Some("integer") => json!(numbers(prompt).first()),
            _ => json!(prompt.split_whitespace().next()),
        };
        (name.clone(), value)
    });
    Value::Object(members.collect()).to_string()
}
