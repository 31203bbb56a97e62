//! The one seam: everything above it asks a [`Provider`], whether a sandboxed component or native code answers.

use crate::instance::Instance;
use crate::limits::Limits;
use crate::model::{
    ChatRequest, Completion, Description, EmbedRequest, Embeddings, Event, Failure, FailureKind,
    GenerateRequest, Kind, ModelSpec, Result,
};
use async_trait::async_trait;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::mpsc::{self, error::TrySendError};

/// Something that answers for models.
#[async_trait]
pub trait Provider: Send + Sync {
    /// Who it is and what its models can do. Static.
    fn description(&self) -> &Description;

    /// The models that the instance's server offers now.
    ///
    /// # Errors
    /// The server could not be asked, or refused.
    async fn models(&self, call: &Call) -> Result<Vec<ModelSpec>>;

    /// One turn over a whole conversation. Events go to `events`; the return value ends the answer.
    ///
    /// # Errors
    /// The failure as the provider reported it, or the host's own.
    async fn chat(&self, call: &Call, request: ChatRequest, events: EventSender) -> Result<Completion>;

    /// One prompt, no history, no tools.
    ///
    /// # Errors
    /// As [`Provider::chat`].
    async fn generate(
        &self,
        call: &Call,
        request: GenerateRequest,
        events: EventSender,
    ) -> Result<Completion>;

    /// A vector for each input, in their order. By default there are none.
    ///
    /// # Errors
    /// As [`Provider::chat`], and `unsupported`.
    async fn embed(&self, call: &Call, _request: EmbedRequest) -> Result<Embeddings> {
        Err(lacks(call, Kind::Embedding))
    }

    /// How many input tokens a chat request would take. By default nobody counts.
    ///
    /// # Errors
    /// As [`Provider::chat`], and `unsupported`.
    async fn count(&self, call: &Call, _request: ChatRequest) -> Result<u32> {
        Err(lacks(call, Kind::Tokens))
    }

    /// Its server fetches a model, and [`Progress`](crate::Progress) goes to `events`. By default it fetches none.
    ///
    /// # Errors
    /// As [`Provider::chat`], and `unsupported`.
    async fn pull(&self, call: &Call, _model: String, _events: EventSender) -> Result<()> {
        Err(lacks(call, Kind::Library))
    }
}

/// The failure of a kind of call that a provider does not answer.
pub(crate) fn lacks(call: &Call, kind: Kind) -> Failure {
    let what = match kind {
        Kind::Text => "has no text models",
        Kind::Embedding => "has no embeddings",
        Kind::Tokens => "does not count tokens",
        Kind::Library => "fetches no models",
        Kind::Tools => "has no tools",
    };
    let name = &call.instance.name;
    Failure::new(FailureKind::Unsupported, format!("`{name}` {what}")).of_provider(name)
}

/// The surroundings of one call.
#[derive(Clone, Debug)]
pub struct Call {
    /// The instance that is called.
    pub instance: Arc<Instance>,
    /// What the call may use.
    pub limits: Limits,
    /// The last response's head, once one came.
    pub(crate) response: Arc<Mutex<Option<ResponseHead>>>,
}

impl Call {
    /// A call of an instance.
    #[must_use]
    pub fn new(instance: Arc<Instance>, limits: Limits) -> Self {
        Self { instance, limits, response: Arc::default() }
    }

    /// Whether a response has come.
    pub(crate) fn has_response(&self) -> bool {
        self.response.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// The head of the last response, once one came: its rate-limit headers say what is left.
    #[must_use]
    pub fn response(&self) -> Option<ResponseHead> {
        self.response.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Status and headers of a provider's response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponseHead {
    /// The HTTP status.
    pub status: u16,
    /// Names in lower case, in the server's order.
    pub headers: Vec<(String, String)>,
}

impl ResponseHead {
    /// The headers that speak of rate limits: `retry-after`, `x-ratelimit-…`, `anthropic-ratelimit-…`.
    pub fn rate_limits(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers
            .iter()
            .filter(|(name, _)| name.contains("ratelimit") || name.starts_with("retry-after"))
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// Batches that may wait for the consumer. Each is at most the contract's 1 MiB: a reader that stops costs 8 MiB.
const WAITING_BATCHES: usize = 8;

/// Where a call's events go. Sending waits while the consumer is behind: that is the back-pressure.
#[derive(Clone, Debug)]
pub struct EventSender {
    sender: mpsc::Sender<Vec<Event>>,
    /// Part of an answer has gone out: the call can't be tried again unseen.
    answered: Arc<AtomicBool>,
}

/// Where a call's events come from.
pub type EventReceiver = mpsc::Receiver<Vec<Event>>;

impl EventSender {
    /// A bounded channel for one call.
    #[must_use]
    pub fn channel() -> (Self, EventReceiver) {
        let (sender, receiver) = mpsc::channel(WAITING_BATCHES);
        (Self { sender, answered: Arc::default() }, receiver)
    }

    /// Hands over a batch; returns when the consumer has room, or has gone.
    pub async fn send(&self, batch: Vec<Event>) {
        // A warning alone is no part of an answer.
        if !self.answered() && batch.iter().any(|event| !matches!(event, Event::Warning { .. })) {
            self.answered.store(true, Ordering::Relaxed);
        }
        // A consumer that has gone drops the call as a whole; until then its events go nowhere.
        if let Err(TrySendError::Full(batch)) = self.sender.try_send(batch) {
            let _ = self.sender.send(batch).await;
        }
    }

    /// Whether part of an answer has been sent.
    #[must_use]
    pub fn answered(&self) -> bool {
        self.answered.load(Ordering::Relaxed)
    }
}
