//! Events → one answer.
//!
//! A provider's events are not trusted: every law of the contract's stream is checked here, once, for all providers,
//! so that whoever reads an [`Answer`] need not. A broken law ends the call with a failure that names the plugin; what
//! had arrived until then is still to be had.

mod answer;
mod json;

use crate::limits::Limits;
use crate::model::{
    Completion, Event, Failure, FailureKind, FinishReason, Media, MediaSource, Origin, Part, PartContent,
    PartKind, Reasoning, Replay, Result, ToolCall, Usage,
};
use crate::openai::synthetic_id;
pub use answer::Answer;
use answer::Gathered;
pub(crate) use json::failure_json;
pub use json::{done_json, event_json, result_json};
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, Hasher, RandomState};

/// Assembles one answer.
pub(crate) struct Turn {
    plugin: String,
    origin: Origin,
    limits: Limits,
    bytes: usize,
    slots: Vec<Slot>,
    by_index: HashMap<u32, usize>,
    call_ids: HashSet<String>,
    gathered: Gathered,
    usage: Option<Usage>,
}

/// A part that grows.
struct Slot {
    part: Part,
    open: bool,
    /// The host made up the call's id.
    minted: bool,
}

impl Turn {
    /// A turn of `origin`, made by `plugin`, within the limits of its call.
    pub(crate) fn new(plugin: impl Into<String>, origin: Origin, limits: &Limits) -> Self {
        Self {
            plugin: plugin.into(),
            origin,
            limits: *limits,
            bytes: 0,
            slots: Vec::new(),
            by_index: HashMap::new(),
            call_ids: HashSet::new(),
            gathered: Gathered::default(),
            usage: None,
        }
    }

    /// Takes the next event. A tool call's missing or repeated id is replaced in the event too, so that whoever gets
    /// it next sees the same id as the answer has.
    ///
    /// # Errors
    /// `internal` when the plugin breaks a law of the stream, `limit` when the answer grows too large.
    pub(crate) fn push(&mut self, event: &mut Event) -> Result<()> {
        self.weigh(event)?;
        match event {
            Event::Start { index, kind } => self.start(*index, kind)?,
            Event::Delta { index, text } => match &mut self.open_slot(*index, "text")?.part.content {
                PartContent::Text(all)
                | PartContent::Refusal(all)
                | PartContent::Reasoning(Reasoning::Text(all) | Reasoning::Summary(all))
                | PartContent::ToolCall(ToolCall { arguments: all, .. }) => all.push_str(text),
                _ => return Err(self.broke(format_args!("text for part {index}, which has none"))),
            },
            Event::Bytes { index, data } => match &mut self.open_slot(*index, "bytes")?.part.content {
                PartContent::Media(Media { source: MediaSource::Bytes(all), .. }) => {
                    all.extend_from_slice(data)
                }
                _ => return Err(self.broke(format_args!("bytes for part {index}, which is no media"))),
            },
            Event::End { index, replay } => {
                let slot = self.open_slot(*index, "the end")?;
                if slot.minted {
                    mark_synthetic(replay);
                }
                slot.part.replay.clone_from(replay);
                slot.open = false;
            }
            Event::Whole { part } => self.whole(part)?,
            Event::Usage(usage) => self.usage = Some(*usage),
            Event::Citation(citation) => {
                // A part that came whole has no index of its own; its place counts.
                let place = self.place(citation.index).ok_or_else(|| {
                    self.broke(format_args!("a citation of part {}, which was not started", citation.index))
                })?;
                self.gathered.citations.push((place, citation.clone()));
            }
            Event::Detail(detail) => {
                let place = detail.index.and_then(|index| self.place(index));
                self.gathered.details.push((place, detail.clone()));
            }
            Event::Warning { message } => self.gathered.warnings.push(message.clone()),
            Event::ToolRan(_) => return Err(self.broke("the run of a tool, which the host alone tells")),
        }
        Ok(())
    }

    /// Takes over warnings of what went before.
    pub(crate) fn warned(&mut self, warnings: impl IntoIterator<Item = String>) {
        self.gathered.warnings.extend(warnings);
    }

    /// The warnings so far, which are then no longer here.
    pub(crate) fn warnings(&mut self) -> Vec<String> {
        std::mem::take(&mut self.gathered.warnings)
    }

    /// The answer, when the call has ended well.
    ///
    /// # Errors
    /// `internal` when a part was left open; [`Turn::partial`] still has what arrived.
    pub(crate) fn finish(&mut self, completion: Completion) -> Result<Answer> {
        let mut open: Vec<u32> =
            self.by_index.iter().filter(|(_, at)| self.is_open(**at)).map(|(i, _)| *i).collect();
        open.sort_unstable();
        if let Some(first) = open.first() {
            return Err(self.broke(format_args!("the call ended, but part {first} was not")));
        }
        Ok(self.assemble(completion))
    }

    /// What had arrived when the call failed, if anything had.
    pub(crate) fn partial(&mut self) -> Option<Answer> {
        if self.slots.is_empty() && self.usage.is_none() && self.gathered == Gathered::default() {
            return None;
        }
        Some(self.assemble(Completion::new(FinishReason::Error)))
    }

    fn assemble(&mut self, mut completion: Completion) -> Answer {
        completion.usage = completion.usage.or(self.usage.take());
        self.by_index.clear();
        let parts = std::mem::take(&mut self.slots).into_iter().map(|slot| slot.part).collect();
        Answer::assemble(&self.origin, parts, std::mem::take(&mut self.gathered), completion)
    }

    fn start(&mut self, index: u32, kind: &mut PartKind) -> Result<()> {
        if self.by_index.contains_key(&index) {
            return Err(self.broke(format_args!("part {index} was started twice")));
        }
        let mut minted = false;
        let content = match kind {
            PartKind::Text => PartContent::Text(String::new()),
            PartKind::Refusal => PartContent::Refusal(String::new()),
            PartKind::ReasoningText => PartContent::Reasoning(Reasoning::Text(String::new())),
            PartKind::ReasoningSummary => PartContent::Reasoning(Reasoning::Summary(String::new())),
            PartKind::ToolCall { id, name, server_executed } => {
                minted = self.call(id, name, *server_executed)?;
                PartContent::ToolCall(ToolCall {
                    id: id.clone(),
                    name: name.clone(),
                    arguments: String::new(),
                    server_executed: *server_executed,
                })
            }
            PartKind::Media { media, mime_type } => PartContent::Media(Media {
                kind: *media,
                mime_type: mime_type.clone(),
                source: MediaSource::Bytes(Vec::new()),
                name: None,
                detail: None,
            }),
        };
        self.by_index.insert(index, self.slots.len());
        // Most answers have one part; a vector's usual first growth would take room for four.
        if self.slots.is_empty() {
            self.slots.reserve_exact(1);
        }
        self.slots.push(Slot { part: content.into(), open: true, minted });
        self.count_parts()
    }

    fn whole(&mut self, part: &mut Part) -> Result<()> {
        if let PartContent::ToolCall(call) = &mut part.content
            && self.call(&mut call.id, &call.name, call.server_executed)?
        {
            mark_synthetic(&mut part.replay);
        }
        self.slots.push(Slot { part: part.clone(), open: false, minted: false });
        self.count_parts()
    }

    /// Checks a call and gives it an id of its own, where it needs one. Results find their call by its id.
    fn call(&mut self, id: &mut String, name: &str, server_executed: bool) -> Result<bool> {
        if name.is_empty() {
            return Err(self.broke("a tool call without a name"));
        }
        // The provider's own results refer to the ids of the calls that it ran.
        let mint = !server_executed && (id.is_empty() || self.call_ids.contains(id.as_str()));
        if mint {
            *id = mint_id();
        }
        self.call_ids.insert(id.clone());
        Ok(mint)
    }

    fn open_slot(&mut self, index: u32, what: &str) -> Result<&mut Slot> {
        let Some(&at) = self.by_index.get(&index) else {
            return Err(self.broke(format_args!("{what} of part {index}, which was not started")));
        };
        if !self.is_open(at) {
            return Err(self.broke(format_args!("{what} of part {index}, which had ended")));
        }
        let lost = || Failure::new(FailureKind::Internal, "a part of the answer was lost");
        self.slots.get_mut(at).ok_or_else(lost)
    }

    fn is_open(&self, at: usize) -> bool {
        self.slots.get(at).is_some_and(|slot| slot.open)
    }

    fn place(&self, index: u32) -> Option<usize> {
        let place = usize::try_from(index).ok().filter(|place| *place < self.slots.len());
        self.by_index.get(&index).copied().or(place)
    }

    fn weigh(&mut self, event: &Event) -> Result<()> {
        self.bytes += match event {
            Event::Delta { text, .. } => text.len(),
            Event::Bytes { data, .. } => data.len(),
            Event::Start { kind: PartKind::ToolCall { id, name, .. }, .. } => id.len() + name.len(),
            Event::Start { kind: PartKind::Media { mime_type, .. }, .. } => mime_type.len(),
            Event::Start { .. } | Event::End { replay: None, .. } | Event::Usage(_) => 0,
            other => serde_json::to_string(other).map_or(0, |json| json.len()),
        };
        if self.bytes > self.limits.emitted {
            let message = format!(
                "plugin {} made an answer of more than {} bytes; raise it with `--limit emitted=…` if that is right",
                self.plugin, self.limits.emitted
            );
            return Err(Failure::new(FailureKind::Limit, message).of_provider(&self.origin.provider));
        }
        Ok(())
    }

    fn count_parts(&self) -> Result<()> {
        if self.slots.len() > self.limits.parts {
            let message = format!(
                "plugin {} made an answer of more than {} parts; raise it with `--limit parts=…` if that is right",
                self.plugin, self.limits.parts
            );
            return Err(Failure::new(FailureKind::Limit, message).of_provider(&self.origin.provider));
        }
        Ok(())
    }

    fn broke(&self, what: impl std::fmt::Display) -> Failure {
        let message = format!("plugin {} broke the contract: {what}", self.plugin);
        Failure::new(FailureKind::Internal, message).of_provider(&self.origin.provider)
    }
}

/// An id that no call of this conversation has. The standard library's hasher keys are random, which is all that
/// uniqueness needs.
fn mint_id() -> String {
    format!("call_{:016x}", RandomState::new().build_hasher().finish())
}

fn mark_synthetic(replay: &mut Option<Replay>) {
    let replay = replay.get_or_insert_default();
    replay.data.get_or_insert_with(synthetic_id);
}

#[cfg(test)]
mod tests;
