//! What comes back from a provider.

use super::{MediaKind, Part, Replay, ToolRun};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What a growing part is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum PartKind {
    /// Visible text.
    Text,
    /// The model declines.
    Refusal,
    /// Thinking.
    ReasoningText,
    /// A summary of thinking.
    ReasoningSummary,
    /// A tool call; its deltas are the arguments.
    ToolCall {
        /// Empty lets the host mint one.
        id: String,
        /// The tool's name.
        name: String,
        /// The provider runs it itself.
        server_executed: bool,
    },
    /// Media; grows by `bytes`.
    Media {
        /// What sort.
        media: MediaKind,
        /// `image/png` and the like.
        mime_type: String,
    },
}

/// One step of an answer. Each part is started, grown and ended under its own index.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Event {
    /// A part begins.
    Start {
        /// The part's index within the answer.
        index: u32,
        /// What it is.
        #[serde(flatten)]
        kind: PartKind,
    },
    /// More text of a part.
    Delta {
        /// The part's index.
        index: u32,
        /// What is added.
        text: String,
    },
    /// More bytes of a media part.
    Bytes {
        /// The part's index.
        index: u32,
        /// What is added, base64 in JSON.
        #[serde(with = "super::message::base64_bytes")]
        data: Vec<u8>,
    },
    /// A part is complete.
    End {
        /// The part's index.
        index: u32,
        /// What its provider needs back.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        replay: Option<Replay>,
    },
    /// A part that arrives whole.
    Whole {
        /// The part; boxed, since all other events are a third of its size and are moved a lot.
        part: Box<Part>,
    },
    /// Totals so far.
    Usage(Usage),
    /// A source for a span of a part's text.
    Citation(Citation),
    /// Anything else about the answer.
    Detail(Detail),
    /// Something was dropped or changed.
    Warning {
        /// For the user.
        message: String,
    },
    /// A tool has run, or was refused: of the host alone, never of a provider.
    ToolRan(Box<ToolRun>),
}

/// A source for a span of a part's text, for display.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Citation {
    /// The part's index.
    pub index: u32,
    /// Byte offsets in the part's UTF-8 text; the whole part where absent.
    pub span: Option<(u32, u32)>,
    /// Where the source is.
    pub url: Option<String>,
    /// The source's title.
    pub title: Option<String>,
    /// The words that are cited.
    pub quote: Option<String>,
}

/// Anything else about the answer: log-probabilities, safety ratings, the progress of a server tool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Detail {
    /// The part's index, where it belongs to one.
    pub index: Option<u32>,
    /// What it is.
    pub kind: String,
    /// Its data.
    pub data: Value,
}

/// Tokens. `None` is unknown, never zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Prompt tokens, cached ones included.
    pub input: Option<u32>,
    /// Answer tokens, reasoning included.
    pub output: Option<u32>,
    /// Of those, reasoning.
    pub reasoning: Option<u32>,
    /// Prompt tokens read from a cache.
    pub cache_read: Option<u32>,
    /// Prompt tokens written to a cache.
    pub cache_write: Option<u32>,
}

impl Usage {
    /// Both together; what one of them does not know is not known of the sum.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        let add = |a: Option<u32>, b: Option<u32>| a.zip(b).map(|(a, b)| a.saturating_add(b));
        Self {
            input: add(self.input, other.input),
            output: add(self.output, other.output),
            reasoning: add(self.reasoning, other.reasoning),
            cache_read: add(self.cache_read, other.cache_read),
            cache_write: add(self.cache_write, other.cache_write),
        }
    }
}

/// Why the answer ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FinishReason {
    /// It was complete, or a stop text came.
    Stop,
    /// It was cut by a length limit.
    Length,
    /// The model waits for tool results.
    ToolCalls,
    /// The provider's filter ended it.
    ContentFilter,
    /// The model declined.
    Refusal,
    /// The provider paused a long turn and wants it continued.
    Paused,
    /// The provider ended it as failed, without a failure of the call.
    Error,
    /// A word of the provider's own.
    Other(String),
}

impl FinishReason {
    /// The contract's word; the provider's own, for [`FinishReason::Other`] too, is [`Completion::raw_finish`].
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Length => "length",
            Self::ToolCalls => "tool-calls",
            Self::ContentFilter => "content-filter",
            Self::Refusal => "refusal",
            Self::Paused => "paused",
            Self::Error => "error",
            Self::Other(_) => "other",
        }
    }
}

impl Serialize for FinishReason {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// How a call ended well.
#[derive(Clone, Debug, PartialEq)]
pub struct Completion {
    /// Why the answer ended.
    pub finish: FinishReason,
    /// The provider's own word for it.
    pub raw_finish: Option<String>,
    /// Totals; else the last [`Event::Usage`] stands.
    pub usage: Option<Usage>,
    /// The answer's id at the provider.
    pub response_id: Option<String>,
    /// The request's id at the provider, for its support.
    pub request_id: Option<String>,
    /// The model that answered, where it differs from the one asked for.
    pub model: Option<String>,
    /// What has no field here.
    pub metadata: Option<Value>,
}

impl Completion {
    /// An end of which nothing more is known.
    #[must_use]
    pub fn new(finish: FinishReason) -> Self {
        Self {
            finish,
            raw_finish: None,
            usage: None,
            response_id: None,
            request_id: None,
            model: None,
            metadata: None,
        }
    }
}
