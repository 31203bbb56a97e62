//! The settings of an instance.

use aimu_sdk::{Context, Failure};
use serde::Deserialize;

/// Their JSON Schema.
pub(crate) const SCHEMA: &str = r#"{
  "type": "object",
  "properties": {
    "betas": {
      "type": "array",
      "items": {"type": "string"},
      "description": "beta features for the anthropic-beta header; those for files and MCP servers are named when used"
    }
  },
  "additionalProperties": false
}"#;

/// What the instance's owner chose.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Settings {
    pub(crate) betas: Vec<String>,
}

impl Settings {
    /// Those of the instance.
    pub(crate) fn of(ctx: &Context) -> Result<Self, Failure> {
        if ctx.settings.trim().is_empty() {
            return Ok(Self::default());
        }
        serde_json::from_str(&ctx.settings)
            .map_err(|error| Failure::invalid(format!("the instance's settings are wrong: {error}")))
    }
}
