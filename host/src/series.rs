//! Several answers of a model as one stream: asked for again, or after tools have run.

use crate::model::{Event, Usage};
use crate::turn::Answer;

/// What went before the answer that is on its way.
#[derive(Default)]
pub(crate) struct Series {
    /// What the answers before this one took; `None` before the first.
    spent: Option<Usage>,
    /// Under which index parts of this answer begin.
    base: u32,
    /// The first index that no part has.
    free: u32,
}

impl Series {
    /// Makes an event of this answer one of the whole stream: with indexes of its own, and what all took.
    pub(crate) fn outgoing(&mut self, event: &mut Event) {
        let base = self.base;
        let index = match event {
            Event::Start { index, .. }
            | Event::Delta { index, .. }
            | Event::Bytes { index, .. }
            | Event::End { index, .. } => index,
            Event::Citation(citation) => &mut citation.index,
            Event::Detail(detail) => match &mut detail.index {
                Some(index) => index,
                None => return,
            },
            Event::Usage(usage) => {
                *usage = self.total(*usage);
                return;
            }
            Event::Whole { .. } | Event::Warning { .. } | Event::ToolRan(_) => return,
        };
        *index = index.saturating_add(base);
        self.free = self.free.max(index.saturating_add(1));
    }

    fn total(&self, usage: Usage) -> Usage {
        self.spent.map_or(usage, |spent| spent.plus(usage))
    }

    /// An answer is whole: what it took is now what all took.
    pub(crate) fn add(&mut self, answer: &mut Answer) {
        answer.usage = self.total(answer.usage);
    }

    /// Another answer follows it.
    pub(crate) fn follows(&mut self, answer: &Answer) {
        self.spent = Some(answer.usage);
        self.base = self.free;
    }
}
