//! What turns a provider's answer into events: pure, so that it is tested without a component.

use crate::eventstream::Framing;
use crate::{Completion, Event, Failure, FailureKind, FinishReason};

/// One unit of a stream: an SSE event, a line of NDJSON (then `event` is empty), or a message of a [`Framing`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// The `event:` field; empty where the stream names none.
    pub event: &'a str,
    /// The payload: `data:` lines joined by `\n`, or the line.
    pub data: &'a str,
}

/// What takes the frames of a stream.
pub type OnFrame<'f> = dyn FnMut(Frame<'_>) -> Result<(), Failure> + 'f;

/// Turns one answer, streamed or whole, into the events of the contract. One value serves one call.
pub trait Decoder {
    /// Takes the next frame of a streamed answer and appends the events that it gives to `out`.
    ///
    /// # Errors
    /// The provider reported an error in its stream, or sent what makes no sense.
    fn frame(&mut self, frame: Frame<'_>, out: &mut Vec<Event>) -> Result<(), Failure>;

    /// How a stream of this content type (empty where the server names none) is cut into frames, where it is neither
    /// server-sent events nor lines of JSON: an [`EventStream`](crate::eventstream::EventStream).
    fn framing(&self, _content_type: &str) -> Option<Box<dyn Framing>> {
        None
    }

    /// What a failure that the stream's framing reports stands for: the frame's `event` is the error's name, its `data`
    /// what is said about it.
    fn exception(&self, frame: Frame<'_>) -> Failure {
        failed(frame)
    }

    /// Takes a whole answer, as a non-streaming request gets it.
    ///
    /// # Errors
    /// The body is not an answer of this wire format, or is an error in disguise.
    fn whole(&mut self, body: &[u8], out: &mut Vec<Event>) -> Result<(), Failure>;

    /// The terminal event has come: nothing more is waited for, whether or not the server ends the body.
    fn done(&self) -> bool {
        false
    }

    /// The answer is over: ends what is open, and gives the call's return value.
    ///
    /// # Errors
    /// The stream ended without its terminal event: `failure-kind.protocol`, never a success.
    fn finish(&mut self, out: &mut Vec<Event>) -> Result<Completion, Failure>;
}

/// A failure of a stream about which no more is known than that.
fn failed(Frame { event, data }: Frame<'_>) -> Failure {
    let body = crate::json::value(data).unwrap_or_default();
    Failure::from_error_body(&body).unwrap_or_else(|| {
        // It was answering: whatever went wrong without a name went wrong there.
        Failure::new(FailureKind::Server, format!("the stream failed with {event}: {data}"))
    })
}

impl Completion {
    /// A completion that says nothing but how the answer ended.
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
