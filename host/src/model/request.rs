//! What is asked of a provider.

use super::{Media, Message, Opaque};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A tool that the host runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ToolDefinition {
    /// The tool's name.
    pub name: String,
    /// What it does, for the model.
    #[serde(default)]
    pub description: String,
    /// JSON Schema of the arguments object.
    pub parameters: Value,
    /// The provider is to hold the model to the schema.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strict: Option<bool>,
    /// The prompt up to and including this tool is worth caching.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cache_here: bool,
    /// Members of the provider's own tool form, merged into it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extra: Option<Value>,
}

/// A tool on offer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tool {
    /// One that the host runs.
    Function(ToolDefinition),
    /// One that the provider defines, in its wire form.
    ProviderDefined(Opaque),
}

/// Whether the model may, must or must not call tools.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ToolChoice {
    /// The model decides.
    #[default]
    Auto,
    /// No calls.
    None,
    /// At least one call.
    Required,
    /// This one.
    Named(String),
}

/// The form that the answer must have.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ResponseFormat {
    /// Free text.
    #[default]
    Text,
    /// Any JSON object.
    Json,
    /// A value that fits a JSON Schema.
    Schema(SchemaFormat),
}

/// A JSON Schema for the answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SchemaFormat {
    /// The schema's name, as some wires want one.
    pub name: String,
    /// The schema.
    pub schema: Value,
    /// The provider is to hold the model to the schema.
    pub strict: bool,
}

impl From<Value> for SchemaFormat {
    /// A schema under the name `answer`, to which the provider is to hold the model.
    fn from(schema: Value) -> Self {
        Self { name: "answer".to_owned(), schema, strict: true }
    }
}

/// Whether the model thinks before it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ThinkingMode {
    /// It does not.
    Off,
    /// It does.
    On,
    /// It decides how much.
    Adaptive,
}

/// Control of the model's thinking.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thinking {
    /// Whether.
    pub mode: ThinkingMode,
    /// How hard: a level that the model's card names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effort: Option<String>,
    /// At most this many tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget_tokens: Option<u32>,
    /// How reasoning is summarised, where the provider summarises.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
}

/// The portable sampling parameters. `None` leaves one to the provider.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Sampling {
    /// Randomness, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// Nucleus sampling, 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_p: Option<f64>,
    /// Only the k likeliest tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_k: Option<u32>,
    /// Only tokens at least this likely, relative to the likeliest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_p: Option<f64>,
    /// Penalty for what has occurred at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub presence_penalty: Option<f64>,
    /// Penalty for what has occurred often.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frequency_penalty: Option<f64>,
    /// Multiplicative penalty of local servers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repetition_penalty: Option<f64>,
    /// The answer's greatest length, in tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u32>,
    /// The context window to load the model with, in tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context_length: Option<u32>,
    /// For answers that repeat.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// Texts that end the answer.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stop: Vec<String>,
}

/// One turn over a whole conversation.
#[derive(Clone, Debug, PartialEq)]
pub struct ChatRequest {
    /// The model's id.
    pub model: String,
    /// The conversation.
    pub messages: Vec<Message>,
    /// Tools on offer.
    pub tools: Vec<Tool>,
    /// Whether they may, must or must not be called.
    pub tool_choice: ToolChoice,
    /// Whether several calls may come in one turn.
    pub parallel_tool_calls: Option<bool>,
    /// The form of the answer.
    pub response_format: ResponseFormat,
    /// Control of thinking.
    pub thinking: Option<Thinking>,
    /// Sampling.
    pub sampling: Sampling,
    /// Log-probabilities of this many alternatives for each token.
    pub logprobs: Option<u8>,
    /// False: one answer is wanted, not a stream.
    pub streaming: bool,
    /// Merged into the finished wire request (RFC 7396).
    pub extra: Option<Value>,
}

impl ChatRequest {
    /// A request with nothing but a model and messages, streamed.
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

/// One prompt, no history, no tools.
#[derive(Clone, Debug, PartialEq)]
pub struct GenerateRequest {
    /// The model's id.
    pub model: String,
    /// The prompt.
    pub prompt: String,
    /// Images and the like that go with it.
    pub media: Vec<Media>,
    /// The form of the answer.
    pub response_format: ResponseFormat,
    /// Control of thinking.
    pub thinking: Option<Thinking>,
    /// Sampling.
    pub sampling: Sampling,
    /// False: one answer is wanted, not a stream.
    pub streaming: bool,
    /// Merged into the finished wire request (RFC 7396).
    pub extra: Option<Value>,
}
