//! Sampling parameters and thinking on the wire.

use serde_json::{Map, Value};

use super::quirks::Quirks;
use crate::{ChatRequest, Parameter, Sampling, Support, Thinking, ThinkingMode};

/// The parameters that this wire has, under the names that most servers give them.
pub(super) fn table() -> Vec<(Parameter, Support)> {
    let sent = |parameter, name: &str| (parameter, Support::SentAs(name.to_owned()));
    vec![
        sent(Parameter::Temperature, "temperature"),
        sent(Parameter::TopP, "top_p"),
        sent(Parameter::TopK, "top_k"),
        sent(Parameter::MinP, "min_p"),
        sent(Parameter::PresencePenalty, "presence_penalty"),
        sent(Parameter::FrequencyPenalty, "frequency_penalty"),
        sent(Parameter::RepetitionPenalty, "repetition_penalty"),
        sent(Parameter::MaxTokens, "max_tokens"),
        (
            Parameter::ContextLength,
            Support::Unsupported("set the context length where the model is loaded, at the server".into()),
        ),
        sent(Parameter::Seed, "seed"),
        sent(Parameter::Stop, "stop"),
        sent(Parameter::Thinking, "reasoning_effort"),
        sent(Parameter::ToolChoice, "tool_choice"),
    ]
}

/// The sampling parameters by their portable names.
pub(super) fn values(sampling: &Sampling) -> [(&'static str, Option<Value>); 11] {
    let float = |value: Option<f64>| value.map(Value::from);
    let count = |value: Option<u32>| value.map(Value::from);
    let stop = (!sampling.stop.is_empty()).then(|| Value::from(sampling.stop.clone()));
    [
        ("temperature", float(sampling.temperature)),
        ("top-p", float(sampling.top_p)),
        ("top-k", count(sampling.top_k)),
        ("min-p", float(sampling.min_p)),
        ("presence-penalty", float(sampling.presence_penalty)),
        ("frequency-penalty", float(sampling.frequency_penalty)),
        ("repetition-penalty", float(sampling.repetition_penalty)),
        ("max-tokens", count(sampling.max_tokens)),
        ("context-length", count(sampling.context_length)),
        ("seed", sampling.seed.map(Value::from)),
        ("stop", stop),
    ]
}

/// Writes the sampling parameters.
// Not inlined for the stack: see `quirks_of` in `compatible.rs`.
#[inline(never)]
pub(super) fn write(
    sampling: &Sampling,
    quirks: &Quirks,
    body: &mut Map<String, Value>,
    warnings: &mut Vec<String>,
) {
    for (portable, value) in values(sampling) {
        let Some(value) = value else { continue };
        // Most servers have the portable name; none has a context length.
        let usual = if portable == "context-length" { String::new() } else { portable.replace('-', "_") };
        match quirks.wire_name(portable, &usual) {
            Some(path) => set(body, path, value),
            None => warnings.push(format!("`{portable}` is not sent: this server has no such parameter")),
        }
    }
}

/// Writes what controls thinking.
// Not inlined for the stack: see `quirks_of` in `compatible.rs`.
#[inline(never)]
pub(super) fn write_thinking(
    thinking: &Thinking,
    quirks: &Quirks,
    body: &mut Map<String, Value>,
    warnings: &mut Vec<String>,
) {
    let quirks = &quirks.thinking;
    let switch = match thinking.mode {
        ThinkingMode::Off if quirks.off.is_empty() => {
            // A caller who names the level of no effort knows that this model has it.
            match &thinking.effort {
                Some(effort) if !quirks.effort.is_empty() => set(body, &quirks.effort, effort.clone().into()),
                _ => warnings.push("thinking can't be turned off at this server".into()),
            }
            return;
        }
        ThinkingMode::Off => Some(&quirks.off),
        ThinkingMode::On => Some(&quirks.on),
        ThinkingMode::Adaptive => None,
    };
    let mut document = Value::Object(std::mem::take(body));
    if let Some(switch) = switch {
        crate::json::merge(&mut document, Value::Object(switch.clone()));
    }
    if let Value::Object(merged) = document {
        *body = merged;
    }
    if thinking.mode == ThinkingMode::Off {
        return;
    }
    let values = [
        ("an effort", &quirks.effort, thinking.effort.clone().map(Value::from)),
        ("a budget", &quirks.budget, thinking.budget_tokens.map(Value::from)),
        ("a summary", &quirks.summary, thinking.summary.clone().map(Value::from)),
    ];
    for (what, path, value) in values {
        match value {
            None => {}
            Some(_) if path.is_empty() => {
                warnings.push(format!("thinking: this server does not take {what}"))
            }
            Some(value) => set(body, path, value),
        }
    }
}

/// Writes log-probabilities.
// Not inlined for the stack: see `quirks_of` in `compatible.rs`.
#[inline(never)]
pub(super) fn write_logprobs(request: &ChatRequest, body: &mut Map<String, Value>) {
    if let Some(alternatives) = request.logprobs {
        body.insert("logprobs".into(), true.into());
        if alternatives > 0 {
            body.insert("top_logprobs".into(), alternatives.into());
        }
    }
}

/// Puts a value at a path (`a.b`).
pub(super) fn set(body: &mut Map<String, Value>, path: &str, value: Value) {
    match path.split_once('.') {
        None => {
            body.insert(path.to_owned(), value);
        }
        Some((first, rest)) => {
            let inner = body.entry(first).or_insert_with(|| Value::Object(Map::new()));
            if !inner.is_object() {
                *inner = Value::Object(Map::new());
            }
            if let Value::Object(inner) = inner {
                set(inner, rest, value);
            }
        }
    }
}
