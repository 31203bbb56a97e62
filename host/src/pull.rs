//! Fetching a model to a provider's server.

use crate::client::Client;
use crate::limits::Limits;
use crate::model::{Event, Kind, Progress, Result};
use crate::provider::{Call, EventReceiver, EventSender};
use crate::retry::Tries;
use futures::Stream;
use futures::future::BoxFuture;
use futures::stream::StreamExt;
use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

/// How long a model may take to come: 40 GB take half a day at 1 MB/s.
const TOTAL: Duration = Duration::from_secs(24 * 60 * 60);

/// How long a server may be silent: it checks what came, and 40 GB are read at 100 MB/s in seven minutes.
const IDLE: Duration = Duration::from_secs(15 * 60);

/// A running pull: a stream of how far it is. Dropping it ends the request; the server may keep what it has.
///
/// A failure is the stream's last item; a stream that ends without one is a model that is there.
pub struct Pulling {
    run: Option<BoxFuture<'static, Result<()>>>,
    events: EventReceiver,
    waiting: VecDeque<Event>,
    outcome: Option<Result<()>>,
}

impl Pulling {
    pub(crate) fn new(client: &Client) -> Self {
        let (sender, events) = EventSender::channel();
        let caller = client.caller.clone();
        let run = async move {
            let caller = caller.renewed().await?;
            let mut call = Call::new(caller.target.instance.clone(), patient(caller.host.limits()));
            let mut tries = Tries::new(&call, caller.retries(None));
            loop {
                match caller.target.provider.pull(&call, caller.target.id.clone(), sender.clone()).await {
                    Err(failure) if tries.left() && failure.kind.can_heal() && !sender.answered() => {
                        tries.pause(&mut call, failure).await?
                    }
                    Err(failure) => return Err(caller.instead(failure, Kind::Library).await),
                    Ok(()) => return Ok(()),
                }
            }
        };
        Self { run: Some(Box::pin(run)), events, waiting: VecDeque::new(), outcome: None }
    }

    /// Waits until the model is there.
    ///
    /// # Errors
    /// The server could not fetch it.
    pub async fn finish(mut self) -> Result<()> {
        while let Some(progress) = self.next().await {
            progress?;
        }
        Ok(())
    }
}

impl Stream for Pulling {
    type Item = Result<Progress>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            while let Some(event) = this.waiting.pop_front() {
                if let Some(progress) = Progress::of(event) {
                    return Poll::Ready(Some(Ok(progress)));
                }
            }
            if let Some(run) = &mut this.run
                && let Poll::Ready(outcome) = run.as_mut().poll(context)
            {
                this.outcome = Some(outcome);
                // The call's sender goes with it: the channel ends after what still waits in it.
                this.run = None;
            }
            match this.events.poll_recv(context) {
                Poll::Ready(Some(batch)) => this.waiting.extend(batch),
                Poll::Ready(None) if this.run.is_none() => {
                    return Poll::Ready(this.outcome.take().and_then(Result::err).map(Err));
                }
                Poll::Ready(None) | Poll::Pending => return Poll::Pending,
            }
        }
    }
}

/// The limits of a call that fetches gigabytes: where a time is the usual one, there is more of it.
fn patient(limits: Limits) -> Limits {
    let usual = Limits::default();
    let more = |ours: Duration, usual: Duration, patient| if ours == usual { patient } else { ours };
    Limits {
        total: more(limits.total, usual.total, TOTAL),
        idle: more(limits.idle, usual.idle, IDLE),
        ..limits
    }
}
