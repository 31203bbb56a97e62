//! Answers and events as JSON, for scripts. The shapes are documented for users and don't change.

use super::Answer;
use crate::model::{Event, Failure, ToolCall, Usage};
use serde_json::{Map, Value, json};

impl Answer {
    /// The object that `--json` prints.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut object = json!({
            "model": self.model,
            "text": self.text,
            "reasoning": (!self.reasoning.is_empty()).then_some(&self.reasoning),
            "refusal": self.refusal,
            "tool_calls": self.tool_calls.iter().map(call_json).collect::<Vec<_>>(),
            "finish": self.finish,
            "raw_finish": self.raw_finish,
            "usage": self.usage,
            "citations": self.citations,
            "warnings": self.warnings,
            "message": self.message,
        });
        if let Some(value) = &self.value {
            object["value"] = value.clone();
        }
        if !self.tool_runs.is_empty() {
            object["tool_runs"] = json!(self.tool_runs);
            object["messages"] = json!(self.messages);
        }
        object
    }
}

/// A call with its arguments parsed; `arguments_raw` has the text where that says nothing: it is not JSON, or `null`.
fn call_json(call: &ToolCall) -> Value {
    let arguments = match call.arguments.trim() {
        "" => Ok(json!({})),
        text => serde_json::from_str::<Value>(text),
    };
    match arguments {
        Ok(arguments) if !arguments.is_null() => {
            json!({"id": call.id, "name": call.name, "arguments": arguments})
        }
        _ => {
            json!({"id": call.id, "name": call.name, "arguments": null, "arguments_raw": call.arguments})
        }
    }
}

/// The object that `--json` prints for a call of `model`: its answer, or its failure beside what had arrived.
#[must_use]
pub fn result_json(model: &str, result: Result<&Answer, (&Failure, Option<&Answer>)>) -> Value {
    let (failure, partial) = match result {
        Ok(answer) => return answer.to_json(),
        Err(failed) => failed,
    };
    let mut object = match partial.map(Answer::to_json) {
        Some(Value::Object(object)) => object,
        _ => nothing(model),
    };
    object.insert("finish".to_owned(), json!("error"));
    object.insert("error".to_owned(), failure_json(failure));
    Value::Object(object)
}

fn nothing(model: &str) -> Map<String, Value> {
    let pairs = [
        ("model", json!(model)),
        ("text", json!("")),
        ("reasoning", Value::Null),
        ("refusal", Value::Null),
        ("tool_calls", json!([])),
        ("finish", json!("error")),
        ("raw_finish", Value::Null),
        ("usage", json!(Usage::default())),
        ("citations", json!([])),
        ("warnings", json!([])),
        ("message", Value::Null),
    ];
    pairs.map(|(key, value)| (key.to_owned(), value)).into_iter().collect()
}

/// A failure, under `error`.
pub(crate) fn failure_json(failure: &Failure) -> Value {
    let millis = failure.retry_after.map(|wait| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX));
    json!({
        "kind": failure.kind,
        "message": failure.message,
        "http_status": failure.http_status,
        "retry_after_ms": millis,
        "request_id": failure.request_id,
        "provider": failure.provider,
        "provider_error": failure.provider_error,
    })
}

/// One line of `--events`.
#[must_use]
pub fn event_json(event: &Event) -> Value {
    json!(event)
}

/// The last line of `--events`: the `--json` object, with its type first.
#[must_use]
pub fn done_json(result: Value) -> Value {
    let mut line = Map::from_iter([("type".to_owned(), json!("done"))]);
    if let Value::Object(result) = result {
        line.extend(result);
    }
    Value::Object(line)
}
