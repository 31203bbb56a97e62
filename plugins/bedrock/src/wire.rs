//! The events of a stream (<https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStreamOutput.html>)
//! as far as they are read. A delta of text is the hot path: it is read without a tree, and its text is moved, not
//! copied.

use aimu_sdk::Usage;
use serde::Deserialize;
use serde_json::{Map, Value};

/// `contentBlockDelta`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BlockDelta {
    #[serde(default)]
    pub(crate) content_block_index: u64,
    #[serde(default)]
    pub(crate) delta: Delta,
}

/// What a block grows by: one member, of which others may be invented.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Delta {
    pub(crate) text: Option<String>,
    pub(crate) tool_use: Option<ToolUse>,
    pub(crate) reasoning_content: Option<Reasoning>,
    // Boxed: the delta is moved for each piece of text.
    pub(crate) citation: Option<Box<Value>>,
}

/// More of a call.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ToolUse {
    pub(crate) input: String,
}

/// More of a thought.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Reasoning {
    pub(crate) text: String,
    pub(crate) signature: String,
    pub(crate) redacted_content: String,
}

/// `contentBlockStart` and `contentBlockStop`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BlockEdge {
    #[serde(default)]
    pub(crate) content_block_index: u64,
    #[serde(default)]
    pub(crate) start: Map<String, Value>,
}

/// The totals of the contract: what was written to and read from the cache is input too
/// (<https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_TokenUsage.html>).
pub(crate) fn usage(wire: &Map<String, Value>) -> Usage {
    let count = |names: &[&str]| {
        let number = names.iter().find_map(|name| wire.get(*name).and_then(Value::as_u64))?;
        Some(u32::try_from(number).unwrap_or(u32::MAX))
    };
    // The second name is an older one.
    let cache_read = count(&["cacheReadInputTokens", "cacheReadInputTokenCount"]);
    let cache_write = count(&["cacheWriteInputTokens", "cacheWriteInputTokenCount"]);
    Usage {
        input: count(&["inputTokens"]).map(|input| {
            input.saturating_add(cache_read.unwrap_or(0)).saturating_add(cache_write.unwrap_or(0))
        }),
        output: count(&["outputTokens"]),
        reasoning: None,
        cache_read,
        cache_write,
    }
}
