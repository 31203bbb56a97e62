//! A server of chat completions that says what it is told to, streamed or whole as it is asked.
// Each test program needs some of it.
#![allow(dead_code)]

use crate::support::server::{Request, Server};
use serde_json::{Value, json};
use std::sync::Mutex;

/// One answer of the server.
#[derive(Clone)]
pub enum Say {
    Text(&'static str),
    /// Calls of tools, by name and arguments. Their ids are `c0`, `c1`, … of all that the server calls.
    Call(Vec<(&'static str, String)>),
    /// A status alone.
    Status(u16),
    /// A stream that is cut after this text.
    Cut(&'static str),
}

pub fn call(name: &'static str, arguments: impl Into<String>) -> Say {
    Say::Call(vec![(name, arguments.into())])
}

/// A server with its answers, of which the last is given for ever.
pub struct Script {
    server: Server,
}

impl Script {
    pub fn new(answers: impl IntoIterator<Item = Say>) -> Self {
        let answers: Vec<Say> = answers.into_iter().collect();
        let state = Mutex::new((0, 0));
        let server = Server::start(move |request, connection| {
            let (say, first_id) = {
                let mut state = state.lock().unwrap();
                let say = answers[state.0.min(answers.len() - 1)].clone();
                let first_id = state.1;
                state.0 += 1;
                if let Say::Call(calls) = &say {
                    state.1 += calls.len();
                }
                (say, first_id)
            };
            let message = match &say {
                Say::Status(status) => return connection.answer(*status, &[], b"{}"),
                Say::Text(text) | Say::Cut(text) => json!({"role": "assistant", "content": text}),
                Say::Call(calls) => {
                    let calls = calls.iter().enumerate().map(|(at, (name, arguments))| {
                        json!({"index": at, "id": format!("c{}", first_id + at), "type": "function",
                            "function": {"name": name, "arguments": arguments}})
                    });
                    json!({"role": "assistant", "content": null, "tool_calls": calls.collect::<Vec<_>>()})
                }
            };
            let finish = if matches!(say, Say::Call(_)) { "tool_calls" } else { "stop" };
            let usage = json!({"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12});
            if request.json()["stream"] != true {
                let whole = json!({"id": "r", "object": "chat.completion", "created": 1, "model": "m", "usage": usage,
                    "choices": [{"index": 0, "message": message, "finish_reason": finish}]});
                let kind = [("content-type", "application/json")];
                return connection.answer(200, &kind, whole.to_string().as_bytes());
            }
            connection.stream()?;
            let chunk = |choices: Value, usage: &Value| {
                let chunk = json!({"id": "r", "object": "chat.completion.chunk", "created": 1, "model": "m",
                    "choices": choices, "usage": usage});
                format!("data: {chunk}\n\n")
            };
            connection
                .chunk(chunk(json!([{"index": 0, "delta": message, "finish_reason": null}]), &Value::Null))?;
            if matches!(say, Say::Cut(_)) {
                return connection.end();
            }
            connection
                .chunk(chunk(json!([{"index": 0, "delta": {}, "finish_reason": finish}]), &Value::Null))?;
            connection.chunk(chunk(json!([]), &usage))?;
            connection.chunk("data: [DONE]\n\n")?;
            connection.end()
        });
        Self { server }
    }

    pub fn model(&self) -> String {
        format!("openai-compat:m@{}", self.server.url())
    }

    pub fn requests(&self) -> Vec<Value> {
        self.server.requests().iter().map(Request::json).collect()
    }

    /// What the model was told of its calls, in the last request.
    pub fn told(&self) -> Vec<String> {
        let last = self.requests().pop().unwrap();
        let messages = last["messages"].as_array().unwrap().clone();
        let told = messages.iter().filter(|message| message["role"] == "tool");
        told.map(|message| message["content"].as_str().unwrap().to_owned()).collect()
    }
}
