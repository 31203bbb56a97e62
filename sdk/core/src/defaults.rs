//! Short ways to write the contract's records, which have many members that are usually left out.

use serde_json::Value;

use crate::bindings::tool::exports::aimu::tool::tools;
use crate::{
    Capabilities, ChatRequest, Message, ModelSpec, Part, PartContent, ResponseFormat, Role, Sampling, Tasks,
    ToolChoice, ToolOutput, Usage,
};

// The type is generated, so it can't carry a derive of its own.
#[allow(clippy::derivable_impls)]
impl Default for Sampling {
    fn default() -> Self {
        Self {
            temperature: None,
            top_p: None,
            top_k: None,
            min_p: None,
            presence_penalty: None,
            frequency_penalty: None,
            repetition_penalty: None,
            max_tokens: None,
            context_length: None,
            seed: None,
            stop: Vec::new(),
        }
    }
}

impl From<PartContent> for Part {
    fn from(content: PartContent) -> Self {
        Self { content, replay: None, cache_here: false, extra: None }
    }
}

impl Message {
    /// A message of these parts.
    #[must_use]
    pub fn new(role: Role, parts: Vec<Part>) -> Self {
        Self { role, parts, extra: None, origin: None }
    }

    /// A message of one text.
    #[must_use]
    pub fn text(role: Role, text: impl Into<String>) -> Self {
        Self::new(role, vec![PartContent::Text(text.into()).into()])
    }
}

impl ChatRequest {
    /// A streamed request that leaves everything to the provider but model and messages.
    #[must_use]
    pub fn new(model: impl Into<String>, messages: Vec<Message>) -> Self {
        Self {
            model: model.into(),
            messages,
            tools: Vec::new(),
            tool_choice: ToolChoice::Auto,
            parallel_tool_calls: None,
            response_format: ResponseFormat::Text,
            thinking: None,
            sampling: Sampling::default(),
            logprobs: None,
            streaming: true,
            extra: None,
        }
    }
}

impl Capabilities {
    /// Whether all of `others` are among these.
    #[must_use]
    pub fn contains(self, others: Self) -> bool {
        (self & others) == others
    }

    /// The same with `others` added, or taken out.
    #[must_use]
    pub fn with(self, others: Self, yes: bool) -> Self {
        let added = self | others;
        if yes { added } else { added ^ others }
    }
}

impl ModelSpec {
    /// A text model of which nothing is known but its id and what it can do.
    #[must_use]
    pub fn new(id: impl Into<String>, capabilities: Capabilities) -> Self {
        Self {
            id: id.into(),
            display_name: None,
            tasks: Tasks::CHAT | Tasks::GENERATE,
            capabilities,
            context_window: None,
            max_output: None,
            efforts: Vec::new(),
            thinking_optional: true,
            sampling: Sampling::default(),
            sampling_without_thinking: None,
            deprecated: None,
            rejects: Vec::new(),
            rejects_while_thinking: Vec::new(),
            metadata: None,
        }
    }
}

impl Usage {
    /// So many input tokens, and nothing else that is known.
    #[must_use]
    pub fn of_input(input: u32) -> Self {
        Self { input: Some(input), output: None, reasoning: None, cache_read: None, cache_write: None }
    }
}

impl tools::Description {
    /// A component that needs no network; its tools are filled in when they are exported.
    #[must_use]
    pub fn new(id: impl Into<String>, display_name: impl Into<String>, version: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            display_name: display_name.into(),
            version: version.into(),
            homepage: None,
            default_base_url: None,
            origins: Vec::new(),
            credentials: Vec::new(),
            settings_schema: None,
            tools: Vec::new(),
        }
    }
}

impl From<String> for tools::Reply {
    fn from(text: String) -> Self {
        Self { output: vec![ToolOutput::Text(text)], is_error: false }
    }
}

impl From<&str> for tools::Reply {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl From<Value> for tools::Reply {
    /// A text is a text; everything else is JSON.
    fn from(value: Value) -> Self {
        let output = match value {
            Value::String(text) => ToolOutput::Text(text),
            value => ToolOutput::Json(value.to_string()),
        };
        Self { output: vec![output], is_error: false }
    }
}
