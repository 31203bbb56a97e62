//! Calls of one instance: so many run at once, the others wait for their turn.
//!
//! Problem: a server of one's own does one or two answers at a time, and a crowd of callers makes all of them slow, or
//! holds all their requests in memory. Decision: `max-concurrent` of an instance, else the limit `calls`; waiting is
//! bounded in number and in time. Price: none where nobody waits.

use crate::limits::{Limits, reached};
use crate::model::{Failure, Result};
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError};

/// The calls of one instance, of all its clients.
#[derive(Debug)]
pub(crate) struct Queue {
    places: Arc<Semaphore>,
    /// Places that there are.
    most: usize,
    waiting: AtomicUsize,
}

impl Queue {
    pub(crate) fn new(most: usize) -> Self {
        let most = most.clamp(1, Semaphore::MAX_PERMITS);
        Self { places: Arc::new(Semaphore::new(most)), most, waiting: AtomicUsize::new(0) }
    }

    /// Waits for a place; whoever holds it runs.
    ///
    /// # Errors
    /// Too many wait already, or it took too long.
    pub(crate) async fn enter(&self, limits: &Limits) -> Result<OwnedSemaphorePermit> {
        match self.places.clone().try_acquire_owned() {
            Err(TryAcquireError::NoPermits) => {}
            place => return place.map_err(|_| self.failed("waiting-calls", "its queue is closed")),
        }
        let _waits = Waits::new(&self.waiting);
        if self.waiting.load(Ordering::Relaxed) > limits.waiting_calls {
            return Err(self.failed("waiting-calls", &format!("and {} others wait", limits.waiting_calls)));
        }
        match tokio::time::timeout(limits.queue, self.places.clone().acquire_owned()).await {
            Ok(Ok(place)) => Ok(place),
            _ => Err(self.failed("queue", &format!("and none has ended within {:?}", limits.queue))),
        }
    }

    fn failed(&self, limit: &str, what: &str) -> Failure {
        let running =
            format!("{} of its calls run, as many as may (`max-concurrent`, `--limit calls=…`)", self.most);
        reached(limit, &format!("{running}, {what}"))
    }
}

/// One that waits, until it is dropped.
struct Waits<'a>(&'a AtomicUsize);

impl<'a> Waits<'a> {
    fn new(waiting: &'a AtomicUsize) -> Self {
        waiting.fetch_add(1, Ordering::Relaxed);
        Self(waiting)
    }
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The queues of a host, by name and server of their instances.
#[derive(Debug, Default)]
pub(crate) struct Queues(Mutex<HashMap<(String, String), Arc<Queue>>>);

impl Queues {
    /// The queue of an instance, which all its clients share.
    pub(crate) fn of(&self, name: &str, base_url: &str, most: usize) -> Arc<Queue> {
        let mut queues = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Servers can be typed without end: what nobody has any more is forgotten.
        queues.retain(|_, queue| Arc::strong_count(queue) > 1);
        let queue = queues.entry((name.to_owned(), base_url.to_owned()));
        queue.or_insert_with(|| Arc::new(Queue::new(most))).clone()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test]
    async fn waiting_is_bounded() {
        let limits = Limits { waiting_calls: 1, queue: Duration::from_millis(300), ..Limits::default() };
        let queue = Queue::new(1);
        let first = queue.enter(&limits).await.unwrap();
        let (second, third) = tokio::join!(queue.enter(&limits), queue.enter(&limits));
        assert!(second.unwrap_err().message.contains("`queue`"));
        assert!(third.unwrap_err().message.contains("`waiting-calls`"));
        drop(first);
        drop(queue.enter(&limits).await.unwrap());
        assert_eq!(queue.waiting.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn clients_of_one_instance_share_a_queue() {
        let queues = Queues::default();
        let first = queues.of("a", "http://x", 1);
        assert!(Arc::ptr_eq(&first, &queues.of("a", "http://x", 1)));
        assert!(!Arc::ptr_eq(&first, &queues.of("a", "http://y", 1)));
        drop(first);
        queues.of("b", "http://x", 1);
        assert_eq!(queues.0.lock().unwrap().len(), 1);
    }
}
