//! Version 0.1 of the contracts of providers and of tools: the generated bindings, and the one place that maps them to the
//! host's types.

mod exports;
mod from_guest;
mod to_guest;
mod tools;

pub(crate) use bindings::aimu::provider::data as wire;
pub(crate) use exports::Linked;

use super::store::State;
use crate::model::{Failure, FailureKind};
use crate::provider::EventSender;
use wasmtime::component::{HasSelf, Linker, Resource};

#[allow(missing_docs, unreachable_pub, clippy::all)]
mod bindings {
    wasmtime::component::bindgen!({
        path: "../wit",
        inline: "package aimu:host; world imports { import aimu:provider/host@0.1.0; }",
        world: "aimu:host/imports",
        imports: {
            "aimu:provider/host.[method]event-sink.emit": async | trappable,
            default: trappable,
        },
        with: { "aimu:provider/host.event-sink": crate::provider::EventSender },
        require_store_data_send: true,
    });
}

/// Adds what this version of the contract imports from the host.
pub(crate) fn add_to_linker(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    bindings::aimu::provider::host::add_to_linker::<State, HasSelf<State>>(linker, |state| state)
}

impl bindings::aimu::provider::data::Host for State {}

impl bindings::aimu::provider::host::Host for State {
    fn log(&mut self, level: bindings::aimu::provider::host::Level, message: String) -> wasmtime::Result<()> {
        use bindings::aimu::provider::host::Level;
        let level = match level {
            Level::Trace => tracing::Level::TRACE,
            Level::Debug => tracing::Level::DEBUG,
            Level::Info => tracing::Level::INFO,
            Level::Warn => tracing::Level::WARN,
            Level::Error => tracing::Level::ERROR,
        };
        self.log.line(level, &message);
        Ok(())
    }
}

impl bindings::aimu::provider::host::HostEventSink for State {
    async fn emit(&mut self, sink: Resource<EventSender>, events: Vec<wire::Event>) -> wasmtime::Result<()> {
        self.meter.emitted(&events)?;
        // Not collected: that would take room for four events where most batches hold one.
        let mut batch = Vec::with_capacity(events.len());
        for event in events {
            batch.push(from_guest::event(event).map_err(|failure| self.meter.fail(failure))?);
        }
        self.table.get(&sink)?.send(batch).await;
        Ok(())
    }

    fn drop(&mut self, sink: Resource<EventSender>) -> wasmtime::Result<()> {
        self.table.delete(sink)?;
        Ok(())
    }
}

pub(crate) use from_guest::{completion, description, embeddings, failure, model_spec};
pub(crate) use to_guest::{chat_request, context, embed_request, generate_request};
pub(crate) use tools::{reply, tool_description};

/// Text that the contract calls JSON and that isn't.
fn bad_json(what: &str, error: &serde_json::Error) -> Failure {
    Failure::new(FailureKind::Internal, format!("broke the contract: {what} is not JSON ({error})"))
}

impl super::meter::EmittedSize for wire::Event {
    fn emitted_size(&self) -> usize {
        match self {
            Self::Delta(delta) => delta.text.len(),
            Self::Bytes(bytes) => bytes.data.len(),
            Self::Whole(part) => from_guest::part_size(part),
            Self::Detail(detail) => detail.kind.len() + detail.data.len(),
            Self::Warning(text) => text.len(),
            Self::Start(start) => match &start.kind {
                wire::PartKind::ToolCall(call) => call.id.len() + call.name.len(),
                wire::PartKind::Media(media) => media.mime_type.len(),
                _ => 0,
            },
            Self::End(end) => end.replay.as_ref().map_or(0, from_guest::replay_size),
            Self::Citation(citation) => from_guest::texts([&citation.url, &citation.title, &citation.quote]),
            Self::Usage(_) => 0,
        }
    }
}
