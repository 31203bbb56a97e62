//! A run of several requests: tools are run between them, and where a model fails, the next is asked.

use crate::caller::{Caller, Fallback, Started};
use crate::events::RunId;
use crate::message::UserMessage;
use crate::model::{
    Failure, FailureKind, FinishReason, Message, PartContent, Result, Role, Tool, ToolCall, ToolChoice,
    ToolRun,
};
use crate::openai;
use crate::options::CallOptions;
use crate::tools::{Dispatch, Toolbox};
use crate::turn::Answer;
use serde_json::Value;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

/// What a model is told that has said nothing, once. It stands in the request alone.
const NUDGE: &str = "Your last turn was empty. Answer now, or call a tool.";

/// What is asked about.
#[derive(Clone)]
pub(crate) enum Subject {
    /// A conversation.
    Chat(Vec<Message>),
    /// One prompt.
    Generate(UserMessage),
}

/// One run, from its first request to its last answer.
pub(crate) struct Rounds {
    caller: Caller,
    others: VecDeque<Fallback>,
    /// Models that were asked in vain.
    failed: Vec<(String, Failure)>,
    subject: Subject,
    options: CallOptions,
    toolbox: Option<Arc<Toolbox>>,
    /// What was said after the subject: answers with calls, and what came of the calls.
    exchanged: Vec<Value>,
    runs: Vec<ToolRun>,
    /// The last answer with calls.
    calling: Option<Answer>,
    /// The last answer of all stands in `exchanged`.
    said: bool,
    since: Instant,
    /// Requests that were answered.
    answered: u32,
    nudge: Nudge,
    /// No tool is run any more.
    wraps_up: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Nudge {
    NotYet,
    Now,
    Done,
}

/// What follows an answer.
pub(crate) enum After {
    /// Nothing: it is the last.
    Nothing,
    /// Tools are run.
    Tools(Dispatch),
    /// The model is asked again; the text says why.
    Again(&'static str),
}

impl Rounds {
    /// Whether a call may take more than one request.
    pub(crate) fn may_follow(caller: &Caller, options: &CallOptions) -> bool {
        !caller.fallbacks.is_empty() || caller.toolbox(options).is_some()
    }

    pub(crate) fn new(caller: &Caller, subject: Subject, options: CallOptions) -> Self {
        Self {
            caller: caller.clone(),
            others: caller.fallbacks.iter().cloned().collect(),
            failed: Vec::new(),
            subject,
            toolbox: caller.toolbox(&options).cloned(),
            options,
            exchanged: Vec::new(),
            runs: Vec::new(),
            calling: None,
            said: false,
            since: Instant::now(),
            answered: 0,
            nudge: Nudge::NotYet,
            wraps_up: false,
        }
    }

    /// Starts the first request, of the first model that takes it.
    pub(crate) fn begin(&mut self) -> Result<Started> {
        self.ask().or_else(|failure| {
            let (mut started, warning) = self.fall_back(failure)?;
            started.warnings.push(warning);
            Ok(started)
        })
    }

    /// Starts the next request.
    pub(crate) fn ask(&mut self) -> Result<Started> {
        let mut options = self.options.clone();
        if self.wraps_up {
            // The tools stay: services refuse a history with calls of tools that they do not know.
            options.tool_choice = ToolChoice::None;
        } else if self.answered > 0 && options.tool_choice != ToolChoice::None {
            // A call that is forced each time would go on for ever.
            options.tool_choice = ToolChoice::Auto;
        }
        let mut subject = self.subject.clone();
        if let Subject::Chat(messages) = &mut subject {
            messages.extend(openai::messages(&self.exchanged)?);
            if self.nudge == Nudge::Now {
                let parts = vec![PartContent::Text(NUDGE.to_owned()).into()];
                messages.push(Message { role: Role::User, parts, extra: None, origin: None });
            }
        }
        self.caller.start(subject, options, self.since)
    }

    /// Starts the request with the next model, and says why; fails where there is none left.
    pub(crate) fn fall_back(&mut self, failure: Failure) -> Result<(Started, String)> {
        self.failed.push((self.caller.target.name.clone(), failure));
        while let Some(Fallback { name, target }) = self.others.pop_front() {
            let asked = target.and_then(|target| {
                self.caller.target = target;
                self.ask()
            });
            match asked {
                Ok(started) => {
                    return Ok((started, format!("{name} is asked instead. {}", each(&self.failed))));
                }
                Err(failure) => self.failed.push((name, failure)),
            }
        }
        Err(self.all_failed())
    }

    fn all_failed(&mut self) -> Failure {
        let mut failed = std::mem::take(&mut self.failed);
        let kind = failed.first().map_or(FailureKind::Internal, |(_, failure)| failure.kind);
        match failed.pop() {
            Some((_, failure)) if failed.is_empty() => failure,
            last => {
                failed.extend(last);
                Failure::new(kind, format!("all {} models failed. {}", failed.len(), each(&failed)))
            }
        }
    }

    /// Decides what follows an answer that has ended well.
    pub(crate) fn after(&mut self, answer: &Answer, run: RunId) -> After {
        self.answered += 1;
        if self.nudge == Nudge::Now {
            self.nudge = Nudge::Done;
        }
        let Some(toolbox) = &self.toolbox else { return After::Nothing };
        if !matches!(
            answer.finish,
            FinishReason::Stop | FinishReason::ToolCalls | FinishReason::Length | FinishReason::Other(_)
        ) {
            return After::Nothing;
        }
        let calls: Vec<ToolCall> =
            answer.tool_calls.iter().filter(|call| !self.is_callers(call)).cloned().collect();
        if !calls.is_empty() {
            if self.wraps_up {
                return After::Tools(Dispatch::skipped(calls, "not executed: no tool is run any more"));
            }
            if self.answered >= toolbox.rounds {
                self.wraps_up = true;
                let why =
                    "not executed: the limit of requests with tools is reached. Answer with what you have";
                return After::Tools(Dispatch::skipped(calls, why));
            }
            return After::Tools(Dispatch::new(toolbox, calls, run));
        }
        let empty = answer.parts.iter().all(|part| matches!(part.content, PartContent::Reasoning(_)));
        if empty && self.nudge == Nudge::NotYet && !self.wraps_up && answer.finish == FinishReason::Stop {
            self.nudge = Nudge::Now;
            return After::Again("the model's turn was empty, and it was asked again");
        }
        After::Nothing
    }

    /// Keeps the answer whose calls are run.
    pub(crate) fn calls(&mut self, answer: Answer) {
        self.calling = Some(answer);
    }

    /// Whether a call is of a tool that the caller runs.
    fn is_callers(&self, call: &ToolCall) -> bool {
        let own = self.options.tools.as_ref().or(self.caller.defaults.tools.as_ref());
        own.into_iter().flatten().any(|tool| matches!(tool, Tool::Function(own) if own.name == call.name))
    }

    /// Takes what came of the calls. Gives the answer back where nothing follows it.
    pub(crate) fn ran(&mut self, runs: Vec<ToolRun>) -> Option<Answer> {
        let mut answer = self.calling.take()?;
        answer.tool_calls.retain(|call| !runs.iter().any(|run| run.id == call.id));
        self.exchanged.push(answer.message.clone());
        self.exchanged.extend(runs.iter().map(openai::tool_message));
        // The answer to the last request is the last, whatever it calls.
        let over =
            self.wraps_up && self.toolbox.as_ref().is_none_or(|toolbox| self.answered > toolbox.rounds);
        self.runs.extend(runs);
        if over || !answer.tool_calls.is_empty() {
            self.said = true;
            return Some(answer);
        }
        self.calling = Some(answer);
        None
    }

    /// Puts into the last answer what went before it.
    pub(crate) fn close(&mut self, answer: &mut Answer) {
        if !self.exchanged.is_empty() && !self.said {
            self.exchanged.push(answer.message.clone());
        }
        answer.messages = std::mem::take(&mut self.exchanged);
        answer.tool_runs = std::mem::take(&mut self.runs);
    }

    /// What there is of an answer when the run has failed.
    pub(crate) fn partial(&self, partial: Option<Answer>) -> Option<Answer> {
        let mut partial = partial.or_else(|| self.calling.clone())?;
        partial.messages.clone_from(&self.exchanged);
        partial.tool_runs.clone_from(&self.runs);
        Some(partial)
    }
}

/// Who failed how.
fn each(failed: &[(String, Failure)]) -> String {
    failed.iter().map(|(name, failure)| format!("{name}: {}", failure.message)).collect::<Vec<_>>().join("; ")
}
