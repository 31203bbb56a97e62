//! Where a call's events go: the host's sink, or a list in native tests.

use crate::Event;
use crate::bindings::aimu::provider::host::EventSink;

/// Collects events and hands them to the host in batches: one `emit` for each read from the network.
#[derive(Debug, Default)]
pub struct Events<'a> {
    sink: Option<&'a EventSink>,
    /// Events that have not been handed over; in native tests, all of them.
    pub pending: Vec<Event>,
}

impl<'a> Events<'a> {
    /// Events for the host.
    #[must_use]
    pub fn new(sink: &'a EventSink) -> Self {
        Self {
            sink: Some(sink),
            pending: Vec::new(),
        }
    }

    /// Appends an event. It reaches the host with the next [`Events::flush`].
    pub fn push(&mut self, event: Event) {
        self.pending.push(event);
    }

    /// Hands what is pending to the host. Returns when the consumer has room. Nothing to do in native tests.
    pub fn flush(&mut self) {
        if let Some(sink) = self.sink
            && !self.pending.is_empty()
        {
            sink.emit(&self.pending);
            self.pending.clear();
        }
    }
}
