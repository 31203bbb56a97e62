//! Events as pieces for display.

use crate::answering::Answering;
use crate::model::{Event, PartContent, PartKind, Reasoning, Result, ToolCall, ToolRun};
use crate::turn::Answer;
use futures::Stream;
use futures::stream::StreamExt;
use std::collections::HashMap;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// The phases of an answer, as a caller may ask for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// The model's reasoning.
    Thinking,
    /// Tools.
    ToolCalling,
    /// The answer's text.
    Generating,
    /// The end.
    Done,
}

/// A piece of an answer for display. Never empty.
#[derive(Clone, Debug, PartialEq)]
pub enum Chunk {
    /// More reasoning.
    Thinking(String),
    /// More of the answer's text, or of a refusal.
    Generating(String),
    /// The model wants a tool run.
    ToolCalling(ToolCall),
    /// The host has run a tool, or refused to: arguments, answer, duration.
    ToolRan(Box<ToolRun>),
    /// Something was dropped or changed.
    Warning(String),
    /// The whole answer.
    Done(Box<Answer>),
}

impl Chunk {
    /// The phase that it belongs to; a warning belongs to none and is always shown.
    #[must_use]
    pub fn phase(&self) -> Option<Phase> {
        match self {
            Self::Thinking(_) => Some(Phase::Thinking),
            Self::Generating(_) => Some(Phase::Generating),
            Self::ToolCalling(_) | Self::ToolRan(_) => Some(Phase::ToolCalling),
            Self::Done(_) => Some(Phase::Done),
            Self::Warning(_) => None,
        }
    }
}

/// The chunks of an answer on its way.
pub(crate) struct Chunks<'c> {
    answering: Answering<'c>,
    /// What the parts that have started are, and the arguments of calls so far.
    growing: HashMap<u32, Growing>,
}

enum Growing {
    Text,
    Thinking,
    Call(ToolCall),
    Other,
}

impl<'c> Chunks<'c> {
    pub(crate) fn of(answering: Answering<'c>) -> Self {
        Self { answering, growing: HashMap::new() }
    }

    fn chunk(&mut self, event: Event) -> Option<Chunk> {
        match event {
            Event::Start { index, kind } => {
                let growing = match kind {
                    PartKind::Text | PartKind::Refusal => Growing::Text,
                    PartKind::ReasoningText | PartKind::ReasoningSummary => Growing::Thinking,
                    PartKind::ToolCall { id, name, server_executed } => {
                        Growing::Call(ToolCall { id, name, arguments: String::new(), server_executed })
                    }
                    PartKind::Media { .. } => Growing::Other,
                };
                self.growing.insert(index, growing);
                None
            }
            Event::Delta { index, text } if !text.is_empty() => match self.growing.get_mut(&index)? {
                Growing::Text => Some(Chunk::Generating(text)),
                Growing::Thinking => Some(Chunk::Thinking(text)),
                Growing::Call(call) => {
                    call.arguments.push_str(&text);
                    None
                }
                Growing::Other => None,
            },
            Event::End { index, .. } => match self.growing.remove(&index)? {
                Growing::Call(call) => Some(Chunk::ToolCalling(call)),
                _ => None,
            },
            Event::Whole { part } => whole(part.content),
            Event::Warning { message } => Some(Chunk::Warning(message)),
            Event::ToolRan(run) => Some(Chunk::ToolRan(run)),
            _ => None,
        }
    }
}

impl Stream for Chunks<'_> {
    type Item = Result<Chunk>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Chunk>>> {
        let this = self.get_mut();
        loop {
            match ready!(this.answering.poll_next_unpin(context)) {
                Some(Ok(event)) => {
                    if let Some(chunk) = this.chunk(event) {
                        return Poll::Ready(Some(Ok(chunk)));
                    }
                }
                Some(Err(failure)) => return Poll::Ready(Some(Err(failure))),
                // Only once: the answer is taken out.
                None => {
                    let answer = this.answering.take_answer();
                    return Poll::Ready(answer.map(|answer| Ok(Chunk::Done(Box::new(answer)))));
                }
            }
        }
    }
}

fn whole(content: PartContent) -> Option<Chunk> {
    match content {
        PartContent::Text(text) | PartContent::Refusal(text) if !text.is_empty() => {
            Some(Chunk::Generating(text))
        }
        PartContent::Reasoning(Reasoning::Text(text) | Reasoning::Summary(text)) if !text.is_empty() => {
            Some(Chunk::Thinking(text))
        }
        PartContent::ToolCall(call) => Some(Chunk::ToolCalling(call)),
        _ => None,
    }
}
