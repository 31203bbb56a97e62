//! The events of a stream (<https://platform.claude.com/docs/en/build-with-claude/streaming>) as far as they are
//! read. A delta of text is the hot path: it is read without a tree, and its text is moved, not copied.

use aimu_sdk::Usage;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

/// One event. What a kind lacks is absent.
#[derive(Debug, Deserialize)]
pub(crate) struct StreamEvent {
    #[serde(rename = "type")]
    pub(crate) kind: Kind,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) index: u64,
    pub(crate) delta: Option<Delta>,
    // Boxed: the event is moved for each delta, which has none of them.
    pub(crate) content_block: Option<Box<Map<String, Value>>>,
    pub(crate) message: Option<Box<Map<String, Value>>>,
    pub(crate) usage: Option<Box<Map<String, Value>>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    MessageStart,
    ContentBlockStart,
    ContentBlockDelta,
    ContentBlockStop,
    MessageDelta,
    MessageStop,
    Error,
    /// `ping`, and what is invented later.
    #[serde(other)]
    Other,
}

/// A delta of a block or, without a kind, of the message.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Delta {
    #[serde(rename = "type")]
    pub(crate) kind: DeltaKind,
    #[serde(deserialize_with = "or_default")]
    pub(crate) text: String,
    #[serde(deserialize_with = "or_default")]
    pub(crate) thinking: String,
    #[serde(deserialize_with = "or_default")]
    pub(crate) partial_json: String,
    #[serde(deserialize_with = "or_default")]
    pub(crate) signature: String,
    pub(crate) citation: Option<Box<Value>>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DeltaKind {
    TextDelta,
    ThinkingDelta,
    SignatureDelta,
    InputJsonDelta,
    CitationsDelta,
    #[default]
    #[serde(other)]
    Other,
}

/// `null` is absence.
fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(from: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

/// Reads an event. `None` for one that is not known and need not be, whatever form its members have.
pub(crate) fn read(data: &str) -> Result<Option<StreamEvent>, serde_json::Error> {
    let error = match serde_json::from_str(data) {
        Ok(event) => return Ok(Some(event)),
        Err(error) => error,
    };
    let Ok(mut event) = serde_json::from_str::<Value>(data) else { return Err(error) };
    let kind = |value: Option<&Value>| value.and_then(|value| value.get("type")).cloned().unwrap_or_default();
    if matches!(Kind::deserialize(kind(Some(&event))), Ok(Kind::Other)) {
        return Ok(None);
    }
    // A delta of a new kind may have new members under old names.
    if matches!(DeltaKind::deserialize(kind(event.get("delta"))), Ok(DeltaKind::Other))
        && let Some(delta) = event.get_mut("delta")
    {
        *delta = Value::Null;
        return serde_json::from_value(event).map(Some);
    }
    Err(error)
}

/// The totals of the contract: what was written to and read from the cache is input too.
pub(crate) fn usage(wire: &Map<String, Value>) -> Usage {
    let count =
        |value: Option<&Value>| value.and_then(Value::as_u64).map(|n| u32::try_from(n).unwrap_or(u32::MAX));
    let cache_read = count(wire.get("cache_read_input_tokens"));
    let cache_write = count(wire.get("cache_creation_input_tokens"));
    let input = count(wire.get("input_tokens"));
    Usage {
        input: input.map(|input| {
            input.saturating_add(cache_read.unwrap_or(0)).saturating_add(cache_write.unwrap_or(0))
        }),
        output: count(wire.get("output_tokens")),
        reasoning: count(
            wire.get("output_tokens_details").and_then(|details| details.get("thinking_tokens")),
        ),
        cache_read,
        cache_write,
    }
}
