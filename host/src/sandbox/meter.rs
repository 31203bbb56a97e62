//! What one call has used, and the failure that ended it.

use crate::limits::{Limits, deadline, reached};
use crate::model::Failure;
use std::time::{Duration, Instant};
use wasmtime::{ResourceLimiter, UpdateDeadline};

/// Length of an epoch. Short enough to end a spin within 100 ms of its deadline; each end of one wakes a thread, which is
/// 15 µs of CPU time.
pub(super) const EPOCH: Duration = Duration::from_millis(25);

/// Counts what one call uses against its limits.
pub(super) struct Meter {
    limits: Limits,
    started: Instant,
    memory: usize,
    table_elements: usize,
    /// Epochs in which the guest computed since its last event.
    ticks: u32,
    events: usize,
    bytes: usize,
    /// Why the host ended the call; stands over whatever the guest makes of it.
    failure: Option<Failure>,
}

/// The bytes that the host keeps for an event.
pub(super) trait EmittedSize {
    fn emitted_size(&self) -> usize;
}

/// An error that ends the guest; what happened is in [`Meter::failure`].
#[derive(Debug, thiserror::Error)]
#[error("ended by the host: {0}")]
pub(super) struct Ended(String);

impl Meter {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            started: Instant::now(),
            memory: 0,
            table_elements: 0,
            ticks: 0,
            events: 0,
            bytes: 0,
            failure: None,
        }
    }

    /// Notes why the host ends the call, and gives the error that ends it.
    pub(super) fn fail(&mut self, failure: Failure) -> wasmtime::Error {
        let ended = Ended(failure.message.clone());
        self.failure.get_or_insert(failure);
        wasmtime::Error::new(ended)
    }

    pub(super) fn take_failure(&mut self) -> Option<Failure> {
        self.failure.take()
    }

    /// Counts a batch of events; progress sets the CPU budget back.
    pub(super) fn emitted<E: EmittedSize>(&mut self, events: &[E]) -> wasmtime::Result<()> {
        self.ticks = 0;
        self.events += events.len().max(1);
        self.bytes += events.iter().map(EmittedSize::emitted_size).sum::<usize>();
        if self.events > self.limits.events {
            let what = format!("it emitted more than {} events in one call", self.limits.events);
            return Err(self.fail(reached("events", &what)));
        }
        if self.bytes > self.limits.emitted {
            let what = format!("it emitted more than {} bytes in one call", self.limits.emitted);
            return Err(self.fail(reached("emitted", &what)));
        }
        Ok(())
    }

    /// Called at most once an epoch while the guest computes. Waiting is in the host, where epochs don't reach.
    pub(super) fn tick(&mut self) -> wasmtime::Result<UpdateDeadline> {
        self.ticks += 1;
        if EPOCH * self.ticks >= self.limits.cpu {
            let what = format!("it computed for {:?} without an event", self.limits.cpu);
            return Err(self.fail(reached("cpu", &what)));
        }
        if self.started.elapsed() >= self.limits.total {
            return Err(self.fail(deadline("total", "did not finish", self.limits.total)));
        }
        // Yielding lets timers, signals and other calls of the same thread have their turn.
        Ok(UpdateDeadline::Yield(1))
    }
}

impl ResourceLimiter for Meter {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let total = self.memory.saturating_add(desired.saturating_sub(current));
        if total > self.limits.memory {
            // The guest is told that there is no memory, as on a real machine; what it does then (most abort) is
            // reported as this limit.
            let what = format!("it asked for more than {} MiB of memory", self.limits.memory >> 20);
            self.failure.get_or_insert(reached("memory", &what));
            return Ok(false);
        }
        self.memory = total;
        Ok(true)
    }

    fn table_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let total = self.table_elements.saturating_add(desired.saturating_sub(current));
        if total > self.limits.table_elements {
            let what = format!("it asked for tables of more than {} elements", self.limits.table_elements);
            self.failure.get_or_insert(reached("table-elements", &what));
            return Ok(false);
        }
        self.table_elements = total;
        Ok(true)
    }

    fn instances(&self) -> usize {
        self.limits.instances
    }

    fn tables(&self) -> usize {
        self.limits.instances
    }

    fn memories(&self) -> usize {
        self.limits.instances
    }
}
