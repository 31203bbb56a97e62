//! A response's body on its way to the guest: bounded in size and in waiting, cleaned of secrets.

use super::client::ResponseBody;
use super::redact::Redactor;
use super::verdict::Verdict;
use crate::limits::{Limits, deadline, reached};
use crate::model::{Failure, FailureKind};
use bytes::Bytes;
use http_body::{Body, Frame};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, Sleep};
use wasmtime_wasi_http::Error;

/// What a poll gives: `None` is the end.
type Piece = Option<Result<Frame<Bytes>, Error>>;

/// A response's body within its limits.
pub(super) struct GuestBody {
    inner: ResponseBody,
    redactor: Option<Redactor>,
    /// Fires when the server may have been silent for too long. Not set back at each piece, which costs more than
    /// the piece; when it fires, `heard` tells whether it was.
    idle: Pin<Box<Sleep>>,
    /// When the server last sent something.
    heard: Instant,
    limits: Limits,
    received: usize,
    done: bool,
    server: Arc<str>,
    verdict: Verdict,
    /// The request's place among those that are on their way; given back when the body is at its end.
    place: Option<OwnedSemaphorePermit>,
}

impl GuestBody {
    pub(super) fn new(
        inner: ResponseBody,
        redactor: Option<Redactor>,
        limits: Limits,
        server: Arc<str>,
        verdict: Verdict,
        place: OwnedSemaphorePermit,
    ) -> Self {
        let idle = Box::pin(tokio::time::sleep(limits.idle));
        Self {
            inner,
            redactor,
            idle,
            heard: Instant::now(),
            limits,
            received: 0,
            done: false,
            server,
            verdict,
            place: Some(place),
        }
    }

    /// Nothing has come: waits on, unless the server has been silent for too long.
    #[inline(never)]
    fn silence(&mut self, context: &mut Context<'_>) -> Poll<Piece> {
        loop {
            ready!(self.idle.as_mut().poll(context));
            let silent_until = self.heard + self.limits.idle;
            if Instant::now() >= silent_until {
                break;
            }
            self.idle.as_mut().reset(silent_until);
        }
        let what = format!("{} sent nothing more", self.server);
        let failure = deadline("idle", &what, self.limits.idle);
        Poll::Ready(self.failed(failure, Error::ConnectionReadTimeout))
    }

    /// The body is at its end: what the redactor held back is the last of it.
    #[cold]
    #[inline(never)]
    fn end(&mut self) -> Piece {
        self.finish();
        let rest = self.redactor.as_mut().map(Redactor::rest).unwrap_or_default();
        (!rest.is_empty()).then(|| Ok(Frame::data(rest)))
    }

    #[cold]
    #[inline(never)]
    fn cut(&mut self, error: &(dyn std::error::Error + 'static)) -> Piece {
        let cause = super::unsent::cause(error);
        let message =
            format!("the connection to {} was cut in the middle of the answer ({cause})", self.server);
        self.failed(Failure::new(FailureKind::Network, message), Error::ConnectionTerminated)
    }

    #[cold]
    #[inline(never)]
    fn too_much(&mut self) -> Piece {
        let what = format!("{} sent more than {} bytes", self.server, self.limits.response_body);
        let received = self.received as u64;
        self.failed(reached("response-body", &what), Error::HttpResponseBodySize(Some(received)))
    }

    fn failed(&mut self, failure: Failure, error: Error) -> Piece {
        self.finish();
        self.verdict.set(failure);
        Some(Err(error))
    }

    fn finish(&mut self) {
        self.done = true;
        self.place = None;
    }
}

impl Body for GuestBody {
    type Data = Bytes;
    type Error = Error;

    /// Runs for each event of a stream, on the guest's stack, of which every page counts: what is rare stands in
    /// functions of its own.
    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Piece> {
        let this = self.get_mut();
        while !this.done {
            let frame = match Pin::new(&mut this.inner).poll_frame(context) {
                Poll::Pending => return this.silence(context),
                Poll::Ready(None) => return Poll::Ready(this.end()),
                Poll::Ready(Some(Err(error))) => return Poll::Ready(this.cut(&*error)),
                Poll::Ready(Some(Ok(frame))) => frame,
            };
            // Trailers say nothing that a provider needs.
            let Some(data) = frame.data_ref() else { continue };
            this.heard = Instant::now();
            this.received += data.len();
            if this.received > this.limits.response_body {
                return Poll::Ready(this.too_much());
            }
            let Some(redactor) = &mut this.redactor else { return Poll::Ready(Some(Ok(frame))) };
            let data = redactor.piece(data.clone());
            if !data.is_empty() {
                return Poll::Ready(Some(Ok(Frame::data(data))));
            }
        }
        Poll::Ready(None)
    }
}
