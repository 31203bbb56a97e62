//! How an answer ended and what it took.

use aimu_sdk::{FinishReason, Usage};
use serde_json::{Map, Value};

/// <https://ai.google.dev/api/generate-content#FinishReason>
pub(crate) fn finish_reason(word: &str, called: bool) -> FinishReason {
    match word {
        "STOP" if called => FinishReason::ToolCalls,
        "STOP" => FinishReason::Stop,
        "MAX_TOKENS" => FinishReason::Length,
        "SAFETY"
        | "RECITATION"
        | "BLOCKLIST"
        | "PROHIBITED_CONTENT"
        | "SPII"
        | "MODEL_ARMOR"
        | "IMAGE_SAFETY"
        | "IMAGE_PROHIBITED_CONTENT"
        | "IMAGE_RECITATION" => FinishReason::ContentFilter,
        "MALFORMED_FUNCTION_CALL"
        | "MALFORMED_RESPONSE"
        | "UNEXPECTED_TOOL_CALL"
        | "TOO_MANY_TOOL_CALLS"
        | "MISSING_THOUGHT_SIGNATURE"
        | "LANGUAGE"
        | "NO_IMAGE" => FinishReason::Error,
        other => FinishReason::Other(other.to_owned()),
    }
}

/// <https://ai.google.dev/api/generate-content#UsageMetadata>. Its prompt has the cached tokens in it and not those of
/// tool use; its candidates have no thoughts in them.
pub(crate) fn usage_of(usage: &Map<String, Value>) -> Usage {
    let count = |name: &str| usage.get(name).and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok());
    let sum = |first: Option<u32>, second: Option<u32>| match (first, second) {
        (None, None) => None,
        (first, second) => Some(first.unwrap_or(0).saturating_add(second.unwrap_or(0))),
    };
    let thoughts = count("thoughtsTokenCount");
    Usage {
        input: sum(count("promptTokenCount"), count("toolUsePromptTokenCount")),
        output: sum(count("candidatesTokenCount"), thoughts),
        reasoning: thoughts,
        cache_read: count("cachedContentTokenCount"),
        cache_write: None,
    }
}
