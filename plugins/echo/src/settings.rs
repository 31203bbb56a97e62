//! How an instance paces its answers.

use std::time::Duration;

use aimu_sdk::{Context, Failure};
use serde_json::Value;

/// The JSON Schema of the settings.
pub(crate) const SCHEMA: &str = r#"{
  "type": "object",
  "properties": {
    "delay-ms": {"type": "integer", "minimum": 0, "description": "pause after each word; 100 for the model slow, else 0"},
    "count": {"type": "integer", "minimum": 0, "description": "how far the model long counts if the prompt names no number; 1000"},
    "batch": {"type": "integer", "minimum": 1, "description": "words handed over at once; 1"}
  },
  "additionalProperties": false
}"#;

/// A pause that is seen as a stream by a person.
const SLOW: Duration = Duration::from_millis(100);

/// The settings of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) delay: Duration,
    pub(crate) count: u64,
    pub(crate) batch: u32,
}

impl Settings {
    /// Those of the instance.
    pub(crate) fn of(ctx: &Context) -> Result<Self, Failure> {
        let settings = match ctx.settings.trim() {
            "" => Value::Null,
            text => aimu_sdk::json::parse(text, "the instance's settings")?,
        };
        let number = |name: &str| settings.get(name).and_then(Value::as_u64);
        Ok(Self {
            delay: Duration::from_millis(number("delay-ms").unwrap_or(0)),
            count: number("count").unwrap_or(1000),
            batch: number("batch").and_then(|batch| u32::try_from(batch).ok()).unwrap_or(1).max(1),
        })
    }

    /// The same with a pause, if there is none.
    pub(crate) fn slowed(self) -> Self {
        if self.delay.is_zero() { Self { delay: SLOW, ..self } } else { self }
    }
}
