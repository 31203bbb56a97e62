//! How an answer ended and what it cost, in the contract's words.
//!
//! Source: <https://platform.openai.com/docs/api-reference/responses/object>.

use serde_json::{Map, Value};

use super::super::error;
use crate::{Completion, Event, Failure, FinishReason, Usage};

/// Members of a response that the reference names: the answer itself, what has a field of its own, and the echo of
/// the request.
const KNOWN: [&str; 34] = [
    "background",
    "completed_at",
    "created_at",
    "error",
    "frequency_penalty",
    "id",
    "include",
    "incomplete_details",
    "input",
    "instructions",
    "max_output_tokens",
    "max_tool_calls",
    "model",
    "object",
    "output",
    "output_text",
    "parallel_tool_calls",
    "presence_penalty",
    "previous_response_id",
    "prompt",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "reasoning",
    "safety_identifier",
    "status",
    "store",
    "temperature",
    "text",
    "tool_choice",
    "tools",
    "top_logprobs",
    "top_p",
    "truncation",
];

/// The completion that a response's own members tell; `calls`: the answer holds calls of the caller's tools.
///
/// # Errors
/// The response says that it failed.
pub(super) fn completion(
    response: &Value,
    asked: &str,
    calls: bool,
    out: &mut Vec<Event>,
) -> Result<Completion, Failure> {
    let usage = response.get("usage").filter(|usage| usage.is_object()).map(usage);
    if let Some(usage) = usage {
        // What was used is told beside an error too.
        out.push(Event::Usage(usage));
    }
    let text = |name: &str| response.get(name).and_then(Value::as_str);
    let status = text("status").unwrap_or("completed");
    let told = response.get("error").filter(|error| !error.is_null());
    if let Some(told) = told {
        return Err(error::from_body(&serde_json::json!({"error": told})));
    }
    let reason = response.pointer("/incomplete_details/reason").and_then(Value::as_str);
    let finish = match (status, reason) {
        ("completed", _) if calls => FinishReason::ToolCalls,
        ("completed", _) => FinishReason::Stop,
        ("incomplete", Some("max_output_tokens" | "max_tokens" | "length")) => FinishReason::Length,
        ("incomplete", Some("content_filter")) => FinishReason::ContentFilter,
        ("failed", _) => FinishReason::Error,
        (other, reason) => FinishReason::Other(reason.unwrap_or(other).to_owned()),
    };
    let raw_finish = match reason {
        Some(reason) => format!("{status}:{reason}"),
        None => status.to_owned(),
    };
    Ok(Completion {
        raw_finish: Some(raw_finish),
        usage,
        response_id: text("id").map(str::to_owned),
        model: text("model").filter(|model| *model != asked).map(str::to_owned),
        metadata: metadata(response),
        ..Completion::new(finish)
    })
}

/// What a service says beside the answer: prices, the tier, checks.
fn metadata(response: &Value) -> Option<String> {
    let says_something = |value: &Value| match value {
        Value::Null => false,
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => !members.is_empty(),
        _ => true,
    };
    let members: Map<String, Value> = response
        .as_object()?
        .iter()
        .filter(|(name, value)| !KNOWN.contains(&name.as_str()) && says_something(value))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    (!members.is_empty()).then(|| Value::Object(members).to_string())
}

/// The contract's totals. Unknown stays unknown.
pub(super) fn usage(wire: &Value) -> Usage {
    let count =
        |path: &str| wire.pointer(path).and_then(Value::as_u64).and_then(|count| u32::try_from(count).ok());
    let (input, mut output) = (count("/input_tokens"), count("/output_tokens"));
    let reasoning = count("/output_tokens_details/reasoning_tokens");
    if let (Some(input), Some(answer), Some(reasoning), Some(total)) =
        (input, output, reasoning, count("/total_tokens"))
        && reasoning > 0
        && u64::from(total) == u64::from(input) + u64::from(answer) + u64::from(reasoning)
    {
        // Some count reasoning beside the answer, not in it.
        output = answer.checked_add(reasoning);
    }
    Usage {
        input,
        output,
        reasoning,
        cache_read: count("/input_tokens_details/cached_tokens"),
        cache_write: count("/input_tokens_details/cache_write_tokens"),
    }
}
