//! Which events belong to the phases that the user wants to see.

use aimu_host::{Event, PartContent, PartKind, Phase};
use std::collections::HashMap;

/// Lets the events of some phases through, and those that belong to none.
pub(super) struct PhaseFilter<'a> {
    wanted: &'a [Phase],
    /// The phase of each part that has started.
    parts: HashMap<u32, Phase>,
}

impl<'a> PhaseFilter<'a> {
    pub(super) fn new(wanted: &'a [Phase]) -> Self {
        Self { wanted, parts: HashMap::new() }
    }

    /// Whether the next event is shown.
    pub(super) fn shows(&mut self, event: &Event) -> bool {
        let phase = match event {
            Event::Start { index, kind } => {
                let phase = match kind {
                    PartKind::ReasoningText | PartKind::ReasoningSummary => Phase::Thinking,
                    PartKind::ToolCall { .. } => Phase::ToolCalling,
                    PartKind::Text | PartKind::Refusal | PartKind::Media { .. } => Phase::Generating,
                };
                self.parts.insert(*index, phase);
                Some(phase)
            }
            Event::Delta { index, .. } | Event::Bytes { index, .. } | Event::End { index, .. } => {
                self.parts.get(index).copied()
            }
            Event::Whole { part } => match part.content {
                PartContent::Reasoning(_) => Some(Phase::Thinking),
                PartContent::ToolCall(_) | PartContent::ToolResult(_) => Some(Phase::ToolCalling),
                _ => Some(Phase::Generating),
            },
            Event::ToolRan(_) => Some(Phase::ToolCalling),
            Event::Usage(_) | Event::Citation(_) | Event::Detail(_) | Event::Warning { .. } => None,
        };
        phase.is_none_or(|phase| self.wanted.contains(&phase))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_shown_whole_or_not_at_all() {
        let mut filter = PhaseFilter::new(&[Phase::Generating]);
        let delta = |index| Event::Delta { index, text: "x".to_owned() };
        assert!(!filter.shows(&Event::Start { index: 0, kind: PartKind::ReasoningText }));
        assert!(filter.shows(&Event::Start { index: 1, kind: PartKind::Text }));
        assert!(!filter.shows(&delta(0)) && filter.shows(&delta(1)));
        assert!(!filter.shows(&Event::End { index: 0, replay: None }));
        assert!(filter.shows(&Event::Warning { message: "w".to_owned() }));
    }
}
