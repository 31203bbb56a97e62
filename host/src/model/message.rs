//! Messages: one ordered list of parts, for what goes in and what comes out alike.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Instructions of the application.
    System,
    /// The person.
    User,
    /// The model.
    Assistant,
    /// The result of a tool call.
    Tool,
}

/// Who wrote a message that a model wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The instance's name: `provider` in `provider:model`.
    pub provider: String,
    /// The model's id.
    pub model: String,
}

/// One message of a conversation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// What is said, in order.
    pub parts: Vec<Part>,
    /// Members of the provider's own message form, merged into it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extra: Option<Value>,
    /// `None` for what the caller wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
}

/// What a provider attached to a part and needs back unchanged on the next turn.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Replay {
    /// A thought signature, or encrypted reasoning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
    /// The item's id at the provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item_id: Option<String>,
    /// Anything else, opaque to the host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Value>,
}

/// One part of a message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// What it holds.
    pub content: PartContent,
    /// What its provider needs back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replay: Option<Replay>,
    /// The prompt up to and including this part is worth caching.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cache_here: bool,
    /// Members of the provider's own part form, merged into it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extra: Option<Value>,
}

impl From<PartContent> for Part {
    fn from(content: PartContent) -> Self {
        Self { content, replay: None, cache_here: false, extra: None }
    }
}

/// What a part holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PartContent {
    /// Visible text.
    Text(String),
    /// The model declined, in its own words.
    Refusal(String),
    /// The model's thinking.
    Reasoning(Reasoning),
    /// An image, sound, video or document.
    Media(Media),
    /// The model wants a tool run.
    ToolCall(ToolCall),
    /// What a tool answered.
    ToolResult(ToolResult),
    /// A provider's own block; goes back to the same provider only.
    Opaque(Opaque),
}

/// The model's thinking.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reasoning {
    /// In full.
    Text(String),
    /// As the provider summarised it.
    Summary(String),
    /// Encrypted or redacted: carried, never shown.
    Redacted(String),
}

/// What sort of media.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MediaKind {
    /// A picture.
    Image,
    /// Sound.
    Audio,
    /// Moving pictures.
    Video,
    /// PDF or text.
    Document,
}

/// Where the media's bytes are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MediaSource {
    /// Here.
    Bytes(#[serde(with = "base64_bytes")] Vec<u8>),
    /// On the web.
    Url(String),
    /// In the provider's file store.
    FileId(String),
}

/// An image, sound, video or document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Media {
    /// What sort.
    pub kind: MediaKind,
    /// `image/png`, `audio/wav`, `application/pdf`; empty where unknown.
    pub mime_type: String,
    /// Where the bytes are.
    pub source: MediaSource,
    /// A file name, for documents.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `low`, `high` or `auto`, for images.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// The model wants a tool run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolCall {
    /// Unique within the conversation.
    pub id: String,
    /// The tool's name.
    pub name: String,
    /// As the model wrote it: a JSON object's text, empty for no arguments, and possibly not valid JSON.
    pub arguments: String,
    /// The provider runs it itself.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub server_executed: bool,
}

/// One piece of a tool's answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ToolOutput {
    /// Text.
    Text(String),
    /// A JSON value.
    Json(Value),
    /// A picture, a document.
    Media(Media),
}

/// What a tool answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ToolResult {
    /// The call's id.
    pub call_id: String,
    /// The tool's name.
    pub name: String,
    /// The answer, in order.
    pub output: Vec<ToolOutput>,
    /// The tool failed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_error: bool,
}

/// Something in a provider's own form.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Opaque {
    /// The provider's word for it.
    pub kind: String,
    /// Its wire form.
    pub data: Value,
}

/// Bytes as base64 text in JSON.
pub(super) mod base64_bytes {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(in crate::model) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(bytes))
    }

    pub(in crate::model) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<u8>, D::Error> {
        STANDARD.decode(String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}
