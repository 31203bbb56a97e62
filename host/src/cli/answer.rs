//! An answer on its way to the user: text as it comes, events a line each, or one object at the end.

use super::call::Output;
use super::exit::{Exit, Result};
use super::interrupt;
use super::offered::ran;
use super::phases::PhaseFilter;
use super::terminal::{Stderr, Stdout};
use aimu_host::{
    Answer, Answering, Chunk, Failure, FailureKind, FinishReason, Phase, ToolCall, Usage, done_json,
    event_json, result_json,
};
use futures::StreamExt;
use serde_json::{Value, json};
use std::pin::pin;

/// Pieces that are written before the next flush, at most: those that came together go out together.
const BATCH: usize = 256;

/// In which form an answer is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Its text.
    Text,
    /// One object at the end.
    Json,
    /// One object an event.
    Events,
}

/// Prints an answer: what comes, then what has become of it.
pub(super) struct Printer {
    output: Output,
    /// The model that is called, as far as it is known.
    pub(super) model: String,
    stdout: Stdout,
    stderr: Stderr,
    /// What had arrived when the call ended early.
    partial: Option<Answer>,
}

impl Printer {
    pub(super) fn new(output: Output) -> Self {
        Self { output, model: String::new(), stdout: Stdout::new(), stderr: Stderr::new(), partial: None }
    }

    /// Says something beside the answer.
    pub(super) fn warn(&mut self, message: &str) {
        self.stderr.warning(message);
    }

    /// Prints an answer as it comes, until it ends or Ctrl-C drops it.
    pub(super) async fn follow(&mut self, mut answering: Answering<'_>) -> Result<Answer> {
        if self.output.form == Form::Text {
            return interrupt::unless(self.print_text(answering)).await.flatten();
        }
        let ended = interrupt::unless(self.print_events(&mut answering)).await.flatten();
        match (ended, answering.answer()) {
            (Ok(()), Some(answer)) => Ok(answer.clone()),
            (Ok(()), None) => Err(endless()),
            (Err(exit), _) => {
                self.partial = answering.partial();
                Err(exit)
            }
        }
    }

    async fn print_text(&mut self, answering: Answering<'_>) -> Result<Answer> {
        let mut batches = pin!(answering.chunks().ready_chunks(BATCH));
        while let Some(batch) = batches.next().await {
            for chunk in batch {
                match chunk? {
                    Chunk::Done(answer) => {
                        let failed = answer.finish == FinishReason::Error;
                        if self.output.value && !failed && self.shows(Phase::Generating) {
                            self.stdout.text(&answer.json::<Value>()?.to_string())?;
                        }
                        return Ok(*answer);
                    }
                    chunk if chunk.phase().is_none_or(|phase| self.shows(phase)) => {
                        self.print_chunk(chunk)?
                    }
                    _ => {}
                }
            }
            self.stdout.flush()?;
        }
        Err(endless())
    }

    /// All that was asked for; else all, but thinking only for eyes.
    fn shows(&self, phase: Phase) -> bool {
        match &self.output.include {
            Some(named) => named.contains(&phase),
            None => phase != Phase::Thinking || self.stderr.is_terminal(),
        }
    }

    fn print_chunk(&mut self, chunk: Chunk) -> Result<()> {
        if !matches!(chunk, Chunk::Generating(_)) && self.stdout.is_terminal() && self.stderr.is_terminal() {
            // Both are on one screen, so the answer's line ends before stderr writes.
            self.stdout.end_line()?;
        }
        match chunk {
            // A value is printed when it is whole and checked.
            Chunk::Generating(_) if self.output.value => {}
            Chunk::Generating(text) => {
                self.stderr.end_line();
                self.stdout.text(&text)?;
            }
            Chunk::Thinking(text) => self.stderr.dim(&text),
            Chunk::ToolCalling(call) => self.stderr.line(&call_line(&call)),
            Chunk::ToolRan(run) => {
                let (head, text) = ran(&run);
                self.stderr.line(&head);
                if !text.is_empty() {
                    self.stderr.dim(&text);
                    self.stderr.end_line();
                }
            }
            Chunk::Warning(message) => self.stderr.warning(&message),
            Chunk::Done(_) => {}
        }
        Ok(())
    }

    async fn print_events(&mut self, answering: &mut Answering<'_>) -> Result<()> {
        let mut filter = self.output.include.as_deref().map(PhaseFilter::new);
        let mut batches = answering.ready_chunks(BATCH);
        while let Some(batch) = batches.next().await {
            for event in batch {
                let event = event?;
                let shown = filter.as_mut().is_none_or(|filter| filter.shows(&event));
                if self.output.form == Form::Events && shown {
                    self.stdout.json(&event_json(&event))?;
                }
            }
            self.stdout.flush()?;
        }
        Ok(())
    }

    /// Prints what comes after the events, whatever has become of the call.
    pub(super) fn close(&mut self, outcome: Result<Answer>) -> Result<()> {
        if let Err(Exit::Closed) = outcome {
            return Err(Exit::Closed);
        }
        match self.output.form {
            Form::Text => {
                self.stdout.end_line()?;
                self.stderr.end_line();
            }
            Form::Json => self.stdout.json(&self.object(&outcome))?,
            Form::Events => self.stdout.json(&done_json(self.object(&outcome)))?,
        }
        self.stdout.flush()?;
        let answer = outcome?;
        if self.output.form == Form::Text {
            self.remarks(&answer);
        }
        if self.output.usage {
            self.stderr.line(&usage_line(&answer.usage));
        }
        if answer.finish == FinishReason::Error {
            let word = answer.raw_finish.as_deref().unwrap_or("error");
            let message = format!("the provider ended the answer as failed (`{word}`)");
            return Err(Failure::new(FailureKind::Server, message).into());
        }
        Ok(())
    }

    fn object(&self, outcome: &Result<Answer>) -> Value {
        let partial = self.partial.as_ref();
        match outcome {
            Ok(answer) => result_json(&self.model, Ok(answer)),
            Err(Exit::Failed(failure) | Exit::Usage(failure)) => {
                result_json(&self.model, Err((failure, partial)))
            }
            Err(Exit::Interrupted | Exit::Closed) => {
                let failure = Failure::new(FailureKind::Internal, "interrupted by Ctrl-C");
                let mut object = result_json(&self.model, Err((&failure, partial)));
                // It is the user's act, and no kind of failure of a call.
                object["error"]["kind"] = json!("interrupted");
                object
            }
        }
    }

    /// What the user should know of how the answer ended.
    fn remarks(&mut self, answer: &Answer) {
        match answer.finish {
            FinishReason::Length => {
                self.warn("the answer was cut by a length limit; `-o max_tokens N` sets one")
            }
            FinishReason::ContentFilter => self.warn("the provider's filter ended the answer"),
            FinishReason::Paused => self.warn("the provider paused the answer before its end"),
            _ => {}
        }
        for media in &answer.media {
            self.warn(&format!("the answer holds {}, which only --json can print", media.mime_type));
        }
    }
}

fn endless() -> Exit {
    Failure::new(FailureKind::Internal, "the call ended without an answer or a failure").into()
}

fn call_line(call: &ToolCall) -> String {
    let by = if call.server_executed { "the provider called" } else { "the model calls" };
    let arguments = if call.arguments.trim().is_empty() { "{}" } else { call.arguments.trim() };
    format!("{by} {} {arguments}", call.name)
}

/// `usage: 12 in (3 from cache), 34 out (5 reasoning)`; what is unknown is a question mark.
fn usage_line(usage: &Usage) -> String {
    let count = |tokens: Option<u32>| tokens.map_or("?".to_owned(), |tokens| tokens.to_string());
    let beside = |parts: &[(Option<u32>, &str)]| {
        let known: Vec<String> = parts
            .iter()
            .filter_map(|(tokens, what)| tokens.map(|tokens| format!("{tokens} {what}")))
            .collect();
        if known.is_empty() { String::new() } else { format!(" ({})", known.join(", ")) }
    };
    format!(
        "usage: {} in{}, {} out{}",
        count(usage.input),
        beside(&[(usage.cache_read, "from cache"), (usage.cache_write, "to cache")]),
        count(usage.output),
        beside(&[(usage.reasoning, "reasoning")]),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_usage_is_not_zero() {
        assert_eq!(usage_line(&Usage::default()), "usage: ? in, ? out");
        let usage = Usage {
            input: Some(9),
            output: Some(5),
            reasoning: Some(2),
            cache_read: Some(0),
            cache_write: None,
        };
        assert_eq!(usage_line(&usage), "usage: 9 in (0 from cache), 5 out (2 reasoning)");
    }
}
