//! Trying again: only before the first event, only what waiting can heal, a bounded number of times.

use crate::model::{ChatRequest, Completion, GenerateRequest, Result};
use crate::provider::{Call, EventSender, Provider};
use backon::{BackoffBuilder, ExponentialBuilder};
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
    async fn of(self, provider: &dyn Provider, call: &Call, events: EventSender) -> Result<Completion> {
        match self {
            Self::Chat(request) => provider.chat(call, request, events).await,
            Self::Generate(request) => provider.generate(call, request, events).await,
        }
    }
}

/// One call with its tries.
pub(crate) async fn run(
    provider: Arc<dyn Provider>,
    mut call: Call,
    asked: Asked,
    events: EventSender,
    retries: u32,
) -> Result<Completion> {
    let started = Instant::now();
    let total = call.limits.total;
    let pauses = ExponentialBuilder::default()
        .with_jitter()
        .with_min_delay(Duration::from_millis(500))
        .with_max_delay(Duration::from_secs(20))
        .with_max_times(retries as usize)
        .build();
    for pause in pauses {
        let failure = match asked.clone().of(&*provider, &call, events.clone()).await {
            Err(failure) if failure.kind.can_heal() && !events.answered() => failure,
            outcome => return outcome,
        };
        let pause = pause.max(failure.retry_after.unwrap_or_default());
        if pause > LONGEST_PAUSE || started.elapsed() + pause >= total {
            return Err(failure);
        }
        tracing::info!("trying again in {pause:.1?}: {}", failure.message);
        tokio::time::sleep(pause).await;
        call.limits.total = total.saturating_sub(started.elapsed());
    }
    // The last try takes the request itself: it may hold megabytes of images.
    asked.of(&*provider, &call, events).await
}
