//! What a tool answers.

use crate::model::ToolOutput;
use serde_json::Value;

/// What a tool answers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ToolReply {
    /// In order.
    pub output: Vec<ToolOutput>,
    /// The tool failed, and the output says how.
    pub is_error: bool,
}

impl ToolReply {
    /// The tool failed; the text goes to the model.
    #[must_use]
    pub fn error(text: impl Into<String>) -> Self {
        Self { output: vec![ToolOutput::Text(text.into())], is_error: true }
    }
}

impl From<String> for ToolReply {
    fn from(text: String) -> Self {
        Self { output: vec![ToolOutput::Text(text)], is_error: false }
    }
}

impl From<&str> for ToolReply {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl From<Value> for ToolReply {
    /// A text is a text; everything else is JSON.
    fn from(value: Value) -> Self {
        let output = match value {
            Value::String(text) => ToolOutput::Text(text),
            value => ToolOutput::Json(value),
        };
        Self { output: vec![output], is_error: false }
    }
}
