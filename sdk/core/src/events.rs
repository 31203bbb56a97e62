//! Where a call's events go: the host's sink, or a list in native tests.

use crate::bindings::aimu::provider::host::EventSink;
use crate::{Event, MediaSource, PartContent, Reasoning};

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
        Self { sink: Some(sink), pending: Vec::new() }
    }

    /// Appends an event. It reaches the host with the next [`Events::flush`].
    pub fn push(&mut self, event: Event) {
        self.pending.push(event);
    }

    /// Hands what is pending to the host. Returns when the consumer has room. Nothing to do in native tests.
    pub fn flush(&mut self) {
        let Some(sink) = self.sink else { return };
        let mut rest = self.pending.as_slice();
        while !rest.is_empty() {
            let (batch, more) = rest.split_at(batch_length(rest));
            sink.emit(batch);
            rest = more;
        }
        self.pending.clear();
    }
}

/// How many events go in one `emit`, which takes at most 1 MiB. An event that is larger alone is the author's to cut:
/// long texts and media go as several `delta` and `bytes`.
fn batch_length(events: &[Event]) -> usize {
    const BATCH: usize = 512 * 1024;
    let mut size = 0;
    let fits = events.iter().take_while(|event| {
        size += weight(event);
        size <= BATCH
    });
    fits.count().max(1)
}

/// Roughly the bytes that the host takes over with an event.
fn weight(event: &Event) -> usize {
    let json = |json: &Option<String>| json.as_ref().map_or(0, String::len);
    let content = match event {
        Event::Delta(delta) => delta.text.len(),
        Event::Bytes(bytes) => bytes.data.len(),
        Event::Detail(detail) => detail.data.len(),
        Event::Warning(text) => text.len(),
        Event::Citation(citation) => json(&citation.quote),
        Event::End(end) => {
            end.replay.as_ref().map_or(0, |replay| json(&replay.data) + json(&replay.signature))
        }
        Event::Whole(part) => {
            let replay =
                part.replay.as_ref().map_or(0, |replay| json(&replay.data) + json(&replay.signature));
            replay
                + match &part.content {
                    PartContent::Text(text) | PartContent::Refusal(text) => text.len(),
                    PartContent::Reasoning(
                        Reasoning::Text(text) | Reasoning::Summary(text) | Reasoning::Redacted(text),
                    ) => text.len(),
                    PartContent::Media(media) => match &media.source {
                        MediaSource::Bytes(bytes) => bytes.len(),
                        MediaSource::Url(text) | MediaSource::FileId(text) => text.len(),
                    },
                    PartContent::ToolCall(call) => call.arguments.len(),
                    PartContent::Opaque(block) => block.data.len(),
                    PartContent::ToolResult(_) => 0,
                }
        }
        Event::Start(_) | Event::Usage(_) => 0,
    };
    // The record itself, as the host holds it.
    content + 256
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PartDelta;

    #[test]
    fn a_batch_stays_below_what_one_emit_takes() {
        let delta = |size: usize| Event::Delta(PartDelta { index: 0, text: "x".repeat(size) });
        assert_eq!(batch_length(&[delta(300_000), delta(200_000), delta(100_000)]), 2);
        assert_eq!(batch_length(&[delta(2_000_000), delta(1)]), 1);
        assert_eq!(batch_length(&vec![delta(0); 5000]), 2048);
    }
}
