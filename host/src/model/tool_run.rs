//! What became of a call of a tool.

use super::{ToolCall, ToolOutput};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::time::Duration;

/// How far a call of a tool came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ToolOutcome {
    /// It ran, and answered or failed.
    Ran,
    /// Nobody allowed it.
    Denied,
    /// It was not offered, or its arguments do not fit.
    Refused,
    /// It came after the last round, or among too many.
    Skipped,
}

/// One call of a tool, and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ToolRun {
    /// The call's id.
    pub id: String,
    /// The tool's name, as the model wrote it.
    pub name: String,
    /// The arguments as the tool got them; `None` where it got none.
    pub arguments: Option<Map<String, Value>>,
    /// How far it came.
    pub outcome: ToolOutcome,
    /// What the model is told.
    pub output: Vec<ToolOutput>,
    /// The tool failed, or was not run.
    pub is_error: bool,
    /// How long the tool itself took, in milliseconds.
    #[serde(rename = "duration_ms", with = "milliseconds")]
    pub duration: Duration,
}

impl ToolRun {
    /// A call that was not run, and why.
    pub(crate) fn not(call: &ToolCall, outcome: ToolOutcome, why: impl Into<String>) -> Self {
        Self {
            id: call.id.clone(),
            name: call.name.clone(),
            arguments: None,
            outcome,
            output: vec![ToolOutput::Text(why.into())],
            is_error: true,
            duration: Duration::ZERO,
        }
    }

    /// The answer's text: of all its texts and values.
    #[must_use]
    pub fn text(&self) -> String {
        let texts = self.output.iter().filter_map(|output| match output {
            ToolOutput::Text(text) => Some(text.clone()),
            ToolOutput::Json(value) => Some(value.to_string()),
            ToolOutput::Media(_) => None,
        });
        texts.collect::<Vec<_>>().join("\n")
    }
}

mod milliseconds {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};
    use std::time::Duration;

    pub(super) fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64((duration.as_secs_f64() * 1e6).round() / 1e3)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        Duration::try_from_secs_f64(f64::deserialize(deserializer)? / 1e3).map_err(D::Error::custom)
    }
}
