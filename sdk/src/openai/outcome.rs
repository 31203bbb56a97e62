//! How an answer ended and what it cost, in the contract's words.

use serde_json::Value;

use super::wire::count;
use crate::{FinishReason, Usage};

/// The finish reason for a server's word. `None` for no word.
pub(super) fn finish(word: &str) -> Option<FinishReason> {
    Some(match word {
        "" => return None,
        "stop" | "eos" | "end_turn" | "stop_sequence" | "complete" | "completed" => FinishReason::Stop,
        "length" | "max_tokens" | "model_length" | "max_output_tokens" | "model_context_window_exceeded" => {
            FinishReason::Length
        }
        "tool_calls" | "tool_call" | "tool_use" | "function_call" => FinishReason::ToolCalls,
        "content_filter" | "content-filter" | "sensitive" | "safety" | "SAFETY" | "recitation" => {
            FinishReason::ContentFilter
        }
        "refusal" => FinishReason::Refusal,
        "pause_turn" => FinishReason::Paused,
        // DeepSeek's and Z.ai's words for an answer that their servers gave up.
        "error" | "insufficient_system_resource" | "network_error" | "abort" => FinishReason::Error,
        other => FinishReason::Other(other.to_owned()),
    })
}

/// The contract's totals: cached tokens in the input, reasoning in the output. Unknown stays unknown.
pub(super) fn usage(wire: &Value) -> Usage {
    let own = |name| count(wire, name);
    let prompt = |name| count(wire.get("prompt_tokens_details")?, name);
    // GitHub Copilot has it at the top.
    let reasoning =
        wire.get("completion_tokens_details").and_then(|details| count(details, "reasoning_tokens"));
    let reasoning = reasoning.or_else(|| own("reasoning_tokens"));
    let input = own("prompt_tokens");
    let mut output = own("completion_tokens");
    if let (Some(input), Some(answer), Some(reasoning), Some(total)) =
        (input, output, reasoning, own("total_tokens"))
        && reasoning > 0
        && u64::from(total) == u64::from(input) + u64::from(answer) + u64::from(reasoning)
    {
        // xAI counts reasoning beside the answer, not in it.
        output = answer.checked_add(reasoning);
    }
    Usage {
        input,
        output,
        reasoning,
        // DeepSeek; Moonshot and Together; Mistral; gateways in front of Anthropic.
        cache_read: prompt("cached_tokens")
            .or_else(|| own("prompt_cache_hit_tokens"))
            .or_else(|| own("cached_tokens"))
            .or_else(|| own("num_cached_tokens"))
            .or_else(|| own("cache_read_input_tokens")),
        cache_write: prompt("cache_write_tokens").or_else(|| own("cache_creation_input_tokens")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn of(json: &str) -> Usage {
        usage(&serde_json::from_str(json).unwrap())
    }

    #[test]
    fn usage_under_all_its_names() {
        let unknown =
            Usage { input: None, output: None, reasoning: None, cache_read: None, cache_write: None };
        assert_eq!(of("{}"), unknown);
        assert_eq!(of(r#"{"prompt_tokens":null,"completion_tokens":-1,"total_tokens":"7"}"#), unknown);
        for (json, cached) in [
            (r#"{"prompt_tokens_details":{"cached_tokens":4}}"#, Some(4)),
            (r#"{"prompt_cache_hit_tokens":5,"prompt_cache_miss_tokens":1}"#, Some(5)),
            (r#"{"cached_tokens":6}"#, Some(6)),
            (r#"{"num_cached_tokens":7}"#, Some(7)),
            (r#"{"prompt_tokens_details":null,"cache_read_input_tokens":0}"#, Some(0)),
            (r#"{"prompt_tokens":3.0}"#, None),
        ] {
            assert_eq!(of(json).cache_read, cached, "{json}");
        }
        assert_eq!(of(r#"{"prompt_tokens_details":{"cache_write_tokens":2}}"#).cache_write, Some(2));
        assert_eq!(of(r#"{"cache_creation_input_tokens":3}"#).cache_write, Some(3));
    }

    #[test]
    fn reasoning_is_in_the_output() {
        let openai = r#"{"prompt_tokens":10,"completion_tokens":7,"total_tokens":17,
            "completion_tokens_details":{"reasoning_tokens":5}}"#;
        assert_eq!((of(openai).output, of(openai).reasoning), (Some(7), Some(5)));
        let xai = r#"{"prompt_tokens":10,"completion_tokens":2,"total_tokens":17,
            "completion_tokens_details":{"reasoning_tokens":5}}"#;
        assert_eq!((of(xai).output, of(xai).reasoning), (Some(7), Some(5)));
    }

    #[test]
    fn words_for_the_end() {
        assert_eq!(finish(""), None);
        assert_eq!(finish("model_length"), Some(FinishReason::Length));
        assert_eq!(finish("function_call"), Some(FinishReason::ToolCalls));
        assert_eq!(finish("insufficient_system_resource"), Some(FinishReason::Error));
        assert_eq!(finish("weird"), Some(FinishReason::Other("weird".into())));
    }
}
