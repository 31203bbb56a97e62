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

    fn finish(&mut self) {
        self.done = true;
        self.place = None;
    }

    fn end(&mut self, failure: Failure, error: Error) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        self.finish();
        self.verdict.set(failure);
        Poll::Ready(Some(Err(error)))
    }
}

impl Body for GuestBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = self.get_mut();
        loop {
            if this.done {
                return Poll::Ready(None);
            }
            let Poll::Ready(frame) = Pin::new(&mut this.inner).poll_frame(context) else {
                ready!(this.idle.as_mut().poll(context));
                let silent_until = this.heard + this.limits.idle;
                if Instant::now() < silent_until {
                    this.idle.as_mut().reset(silent_until);
                    continue;
                }
                let what = format!("{} sent nothing more", this.server);
                let failure = deadline("idle", &what, this.limits.idle);
                return this.end(failure, Error::ConnectionReadTimeout);
            };
            let data = match frame {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => data,
                    // Trailers say nothing that a provider needs.
                    Err(_) => continue,
                },
                Some(Err(error)) => {
                    let cause = super::unsent::cause(&*error);
                    let message = format!(
                        "the connection to {} was cut in the middle of the answer ({cause})",
                        this.server
                    );
                    return this
                        .end(Failure::new(FailureKind::Network, message), Error::ConnectionTerminated);
                }
                None => {
                    this.finish();
                    let rest = this.redactor.as_mut().map(Redactor::rest).unwrap_or_default();
                    return Poll::Ready((!rest.is_empty()).then(|| Ok(Frame::data(rest))));
                }
            };
            this.heard = Instant::now();
            this.received += data.len();
            if this.received > this.limits.response_body {
                let what = format!("{} sent more than {} bytes", this.server, this.limits.response_body);
                let received = this.received as u64;
                return this
                    .end(reached("response-body", &what), Error::HttpResponseBodySize(Some(received)));
            }
            let data = match &mut this.redactor {
                Some(redactor) => redactor.piece(data),
                None => data,
            };
            if !data.is_empty() {
                return Poll::Ready(Some(Ok(Frame::data(data))));
            }
        }
    }
}
