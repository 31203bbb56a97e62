//! Trying again: only before the first event, only what waiting can heal, a bounded number of times.

use crate::media_urls::{self, MediaUrls};
use crate::model::{ChatRequest, Completion, Failure, GenerateRequest, Media, Result};
use crate::provider::{Call, EventSender, Provider};
use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A service that wants a longer pause is told to the caller instead: nobody waits minutes without a word.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// What is asked of a provider.
#[derive(Clone)]
pub(crate) enum Asked {
    Chat(ChatRequest),
    Generate(GenerateRequest),
}

impl Asked {
    /// The media that it names by URL.
    fn by_url(&mut self) -> Vec<&mut Media> {
        match self {
            Self::Chat(request) => media_urls::by_url(&mut request.messages),
            Self::Generate(request) => media_urls::of_prompt(&mut request.media),
        }
    }

    async fn of(self, provider: &dyn Provider, call: &Call, events: EventSender) -> Result<Completion> {
        match self {
            Self::Chat(request) => provider.chat(call, request, events).await,
            Self::Generate(request) => provider.generate(call, request, events).await,
        }
    }
}

/// One call with its tries. What it needs of the web is fetched before the first that gets so far.
pub(crate) async fn run(
    provider: Arc<dyn Provider>,
    mut call: Call,
    mut asked: Asked,
    events: EventSender,
    retries: u32,
    mut media: MediaUrls,
) -> Result<Completion> {
    let mut tries = Tries::new(&call, retries);
    loop {
        let outcome = match media.fetch(asked.by_url(), &mut call).await {
            // The last try takes the request itself: it may hold megabytes of images.
            Ok(()) if !tries.left() && !media.may_refuse(&asked.by_url()) => {
                return asked.of(&*provider, &call, events).await;
            }
            Ok(()) => asked.clone().of(&*provider, &call, events.clone()).await,
            Err(failure) => Err(failure),
        };
        match outcome {
            Err(failure) if media.refused(&failure, &asked.by_url(), &call) => {}
            Err(failure) if tries.left() && !events.answered() => tries.pause(&mut call, failure).await?,
            outcome => return outcome,
        }
    }
}

/// The tries of one call. All of them together take no more than one may.
pub(crate) struct Tries {
    started: Instant,
    total: Duration,
    left: u32,
    pauses: ExponentialBackoff,
}

impl Tries {
    /// With so many after the first.
    pub(crate) fn new(call: &Call, retries: u32) -> Self {
        let pauses = ExponentialBuilder::default()
            .with_jitter()
            .with_min_delay(Duration::from_millis(500))
            .with_max_delay(Duration::from_secs(20))
            .with_max_times(retries as usize)
            .build();
        Self { started: Instant::now(), total: call.limits.total, left: retries, pauses }
    }

    /// Whether the next try is not the last.
    pub(crate) fn left(&self) -> bool {
        self.left > 0
    }

    /// Waits until the next try; fails with the failure where that would not help.
    pub(crate) async fn pause(&mut self, call: &mut Call, failure: Failure) -> Result<()> {
        self.left = self.left.saturating_sub(1);
        let Some(pause) = self.pauses.next().filter(|_| failure.kind.can_heal()) else {
            return Err(failure);
        };
        let pause = pause.max(failure.retry_after.unwrap_or_default());
        if pause > LONGEST_PAUSE || self.started.elapsed() + pause >= self.total {
            return Err(failure);
        }
        tracing::info!("trying again in {pause:.1?}: {}", failure.message);
        tokio::time::sleep(pause).await;
        call.limits.total = self.total.saturating_sub(self.started.elapsed());
        Ok(())
    }
}
