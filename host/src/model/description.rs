//! Who a provider is and what its models can do.

use super::{Sampling, ToolDefinition};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeSet;

/// Something that a model can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Capability {
    /// Calls tools.
    Tools,
    /// Calls several tools in one turn.
    ParallelTools,
    /// Thinks before it answers.
    Thinking,
    /// Sees images.
    Vision,
    /// Hears.
    Audio,
    /// Reads documents.
    Documents,
    /// Answers in the form of a JSON Schema.
    StructuredOutput,
    /// Makes images.
    ImageOutput,
    /// Speaks.
    AudioOutput,
    /// Caches marked prompts.
    PromptCache,
    /// Fetches media URLs itself.
    MediaUrls,
    /// Runs tools of its own.
    ServerTools,
}

impl Capability {
    /// All of them, in the contract's order.
    pub const ALL: [Self; 12] = [
        Self::Tools,
        Self::ParallelTools,
        Self::Thinking,
        Self::Vision,
        Self::Audio,
        Self::Documents,
        Self::StructuredOutput,
        Self::ImageOutput,
        Self::AudioOutput,
        Self::PromptCache,
        Self::MediaUrls,
        Self::ServerTools,
    ];

    /// The contract's word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tools => "tools",
            Self::ParallelTools => "parallel-tools",
            Self::Thinking => "thinking",
            Self::Vision => "vision",
            Self::Audio => "audio",
            Self::Documents => "documents",
            Self::StructuredOutput => "structured-output",
            Self::ImageOutput => "image-output",
            Self::AudioOutput => "audio-output",
            Self::PromptCache => "prompt-cache",
            Self::MediaUrls => "media-urls",
            Self::ServerTools => "server-tools",
        }
    }
}

impl std::fmt::Display for Capability {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a model is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Task {
    /// Conversations.
    Chat,
    /// One prompt.
    Generate,
    /// Vectors of texts.
    Embedding,
    /// Images from texts.
    Image,
    /// Sound from text.
    Speech,
    /// Text from sound.
    Transcription,
    /// Ordering documents by a query.
    Rerank,
}

impl Task {
    /// The contract's word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Generate => "generate",
            Self::Embedding => "embedding",
            Self::Image => "image",
            Self::Speech => "speech",
            Self::Transcription => "transcription",
            Self::Rerank => "rerank",
        }
    }
}

/// A kind of call that a component answers: an interface of a contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Conversations and completions.
    Text,
    /// Vectors of texts.
    Embedding,
    /// Counting the tokens of a request.
    Tokens,
    /// Fetching models to its server.
    Library,
    /// Tools for models. A component that has them is no provider.
    Tools,
}

impl Kind {
    /// All of them, in the contract's order.
    pub const ALL: [Self; 5] = [Self::Text, Self::Embedding, Self::Tokens, Self::Library, Self::Tools];

    /// The name of its interface.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Embedding => "embedding",
            Self::Tokens => "tokens",
            Self::Library => "library",
            Self::Tools => "tools",
        }
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One model of a provider.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ModelSpec {
    /// The id after `provider:`.
    pub id: String,
    /// A name for people.
    pub display_name: Option<String>,
    /// What it is for.
    pub tasks: BTreeSet<Task>,
    /// What it can do.
    pub capabilities: BTreeSet<Capability>,
    /// Tokens that prompt and answer may have together.
    pub context_window: Option<u32>,
    /// Tokens that an answer may have.
    pub max_output: Option<u32>,
    /// Levels of thinking, least first.
    pub efforts: Vec<String>,
    /// Thinking can be turned off.
    pub thinking_optional: bool,
    /// What the model's card recommends.
    pub sampling: Sampling,
    /// What it recommends when thinking is off.
    pub sampling_without_thinking: Option<Sampling>,
    /// Why it should not be used any more.
    pub deprecated: Option<String>,
    /// Parameters that it rejects although the provider has them.
    pub rejects: Vec<Parameter>,
    /// Parameters that it rejects while it thinks.
    pub rejects_while_thinking: Vec<Parameter>,
    /// What has no field here: prices, family.
    pub metadata: Option<Value>,
}

/// A portable parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "each is the field of `Sampling` or `ChatRequest` of the same name")]
pub enum Parameter {
    Temperature,
    TopP,
    TopK,
    MinP,
    PresencePenalty,
    FrequencyPenalty,
    RepetitionPenalty,
    MaxTokens,
    ContextLength,
    Seed,
    Stop,
    Thinking,
    ToolChoice,
}

/// What a provider does with a parameter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Support {
    /// Sent, under this name.
    SentAs(String),
    /// Dropped; the text says what to do instead.
    Unsupported(String),
}

/// How a credential is added to a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CredentialPlacement {
    /// `authorization: Bearer …`.
    Bearer,
    /// A header of this name, with this before the value.
    Header {
        /// The header's name.
        name: String,
        /// What stands before the value.
        #[serde(default)]
        prefix: String,
    },
    /// Signed by the host over the finished request.
    AwsSigv4 {
        /// The service's name in the signature.
        service: String,
        /// The setting that holds the region.
        region_setting: String,
    },
}

/// One secret value of a credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialField {
    /// The field's name.
    pub name: String,
    /// Environment variables to look in, in order.
    pub env: Vec<String>,
    /// It may be absent.
    #[serde(default)]
    pub optional: bool,
}

/// A secret that the host adds to requests on the way out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credential {
    /// Its name.
    pub name: String,
    /// One field for a plain key.
    pub fields: Vec<CredentialField>,
    /// How it is added.
    pub placement: CredentialPlacement,
    /// Sent only to the base URL's origin, unless these are named.
    #[serde(default)]
    pub send_to: Vec<String>,
    /// A call without it can't succeed.
    #[serde(default)]
    pub required: bool,
    /// One of a group is enough.
    #[serde(default)]
    pub group: Option<String>,
}

/// What a provider, or a component of tools, says of itself: static, safe to cache by the component's digest.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Description {
    /// The `provider` in `provider:model`; of a component of tools, what stands before the names of its tools.
    pub id: String,
    /// A name for people.
    pub display_name: String,
    /// The plugin's own version.
    pub version: String,
    /// Where to read more.
    pub homepage: Option<String>,
    /// Used where the instance has none; may hold `{setting}`.
    pub default_base_url: Option<String>,
    /// Origins that it needs besides the base URL's own. Of a component of tools, `*` asks for any server of the internet.
    pub origins: Vec<String>,
    /// Secrets that it wants added to its requests.
    pub credentials: Vec<Credential>,
    /// JSON Schema of the instance's settings.
    pub settings_schema: Option<Value>,
    /// Its catalogue.
    pub models: Vec<ModelSpec>,
    /// Ids outside the catalogue are passed through.
    pub open_catalog: bool,
    /// What it does with each portable parameter.
    pub parameters: Vec<(Parameter, Support)>,
    /// Its tools, under its own names for them; a provider has none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<ToolDefinition>,
}

impl Description {
    /// Whether it is of a component of tools.
    pub(crate) fn is_of_tools(&self) -> bool {
        !self.tools.is_empty()
    }
}
