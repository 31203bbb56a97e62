//! What a run of a model does, for who watches: each step as a value for the program, and as an event of [`tracing`], where
//! each request and each call of a tool is a span with the run's id.

use crate::model::{Failure, FailureKind, FinishReason, ToolOutcome, ToolRun, Usage};
use futures::future::BoxFuture;
use serde::Serialize;
use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tracing::Instrument;

/// Names one run: an answer with all its requests and tools.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(into = "String")]
pub struct RunId(u64);

impl RunId {
    pub(crate) fn new() -> Self {
        // Each state has keys of its own, from the system's randomness.
        Self(RandomState::new().build_hasher().finish())
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<RunId> for String {
    fn from(id: RunId) -> Self {
        id.to_string()
    }
}

/// A step of a run.
#[derive(Clone, Debug, Serialize)]
pub struct RunEvent {
    /// The run.
    pub run: RunId,
    /// The run that a tool of which made this one, by [`CallOptions::parent`](crate::CallOptions::parent).
    pub parent: Option<RunId>,
    /// The model that is asked, as `provider:model`.
    pub model: String,
    /// Since the run's start, in seconds.
    pub after: Duration,
    /// What happened.
    #[serde(flatten)]
    pub step: RunStep,
}

/// What happens in a run. Nothing of what is said is in it.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "step", rename_all = "kebab-case")]
pub enum RunStep {
    /// A request is ready to be sent.
    RequestPrepared {
        /// Which of the run, from 1.
        request: u32,
    },
    /// The first event of the answer to a request has come.
    FirstToken,
    /// A turn of the model has ended.
    TurnFinished {
        /// Why.
        finish: FinishReason,
        /// Tokens of the run so far.
        usage: Usage,
    },
    /// A tool has run.
    ToolCalled {
        /// Its name.
        name: String,
        /// It failed.
        is_error: bool,
        /// How long it took, in seconds.
        took: Duration,
    },
    /// A call of a tool was not run.
    ToolDenied {
        /// The name that the model wrote.
        name: String,
        /// Why.
        outcome: ToolOutcome,
    },
    /// A model failed, and another is asked.
    FellBack {
        /// How it failed.
        kind: FailureKind,
    },
    /// The run has failed.
    Failed {
        /// How.
        kind: FailureKind,
    },
}

/// Takes what runs do.
pub(crate) type Sink = Arc<dyn Fn(&RunEvent) + Send + Sync>;

/// Reports what one run does.
pub(crate) struct Report {
    pub(crate) run: RunId,
    parent: Option<RunId>,
    sink: Option<Sink>,
    started: Instant,
    requests: u32,
    /// The answer to the last request has not begun.
    silent: bool,
}

impl Report {
    pub(crate) fn new(sink: Option<Sink>, parent: Option<RunId>) -> Self {
        Self { run: RunId::new(), parent, sink, started: Instant::now(), requests: 0, silent: true }
    }

    /// A request is prepared; what comes of it happens in a span of its own, where somebody watches.
    pub(crate) fn request<T: 'static>(
        &mut self,
        model: &str,
        call: BoxFuture<'static, T>,
    ) -> BoxFuture<'static, T> {
        self.requests += 1;
        self.silent = true;
        self.tell(model, || RunStep::RequestPrepared { request: self.requests });
        let span = tracing::debug_span!("request", run = %self.run, model, request = self.requests);
        if span.is_disabled() { call } else { Box::pin(call.instrument(span)) }
    }

    /// An event has come; only the first of an answer is a step.
    pub(crate) fn event(&mut self, model: &str) {
        if std::mem::take(&mut self.silent) {
            self.tell(model, || RunStep::FirstToken);
        }
    }

    pub(crate) fn finished(&self, model: &str, finish: &FinishReason, usage: Usage) {
        self.tell(model, || RunStep::TurnFinished { finish: finish.clone(), usage });
    }

    pub(crate) fn tool(&self, model: &str, run: &ToolRun) {
        self.tell(model, || {
            let name = run.name.clone();
            match run.outcome {
                ToolOutcome::Ran => RunStep::ToolCalled { name, is_error: run.is_error, took: run.duration },
                outcome => RunStep::ToolDenied { name, outcome },
            }
        });
    }

    pub(crate) fn fell_back(&self, model: &str, kind: FailureKind) {
        self.tell(model, || RunStep::FellBack { kind });
    }

    pub(crate) fn failed(&self, model: &str, failure: &Failure) {
        self.tell(model, || RunStep::Failed { kind: failure.kind });
    }

    fn tell(&self, model: &str, step: impl FnOnce() -> RunStep) {
        if self.sink.is_none() && !tracing::enabled!(tracing::Level::DEBUG) {
            return;
        }
        let after = self.started.elapsed();
        let event =
            RunEvent { run: self.run, parent: self.parent, model: model.to_owned(), after, step: step() };
        tracing::debug!(run = %self.run, model, ?after, step = ?event.step);
        if let Some(sink) = &self.sink {
            sink(&event);
        }
    }
}
