//! A call on its way: its events as they come, its answer at the end.

use crate::model::{Completion, Event, Failure, PartContent, PartKind, Reasoning, Result, ToolCall};
use crate::provider::{Call, EventReceiver, ResponseHead};
use crate::structured::{Next, Watch};
use crate::turn::{Answer, Turn};
use futures::Stream;
use futures::future::BoxFuture;
use futures::stream::StreamExt;
use futures::task::AtomicWaker;
use std::collections::{HashMap, VecDeque};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker, ready};

/// A running call: a stream of events. Dropping it cancels the call and closes its connection.
///
/// A failure is the stream's last item. After the last item, [`Answering::answer`] has the whole answer, or
/// [`Answering::partial`] what had arrived.
pub struct Answering<'c> {
    run: Option<BoxFuture<'static, Result<Completion>>>,
    woken: Arc<Woken>,
    /// Wakes by way of `woken`.
    waker: Waker,
    events: EventReceiver,
    /// Wakes for an event, unless the call is having its turn.
    events_waker: Waker,
    waiting: VecDeque<Event>,
    turn: Turn,
    call: Call,
    completion: Option<Result<Completion>>,
    answer: Option<Answer>,
    ended: bool,
    /// Sees to the form of the answer, where one was asked for.
    watch: Option<Box<Watch>>,
    /// A whole answer that is no success.
    rejected: Option<Answer>,
    /// Keeps a good answer in the conversation that it belongs to.
    commit: Option<Commit<'c>>,
}

/// A call of a provider that has been started.
pub(crate) struct Running {
    pub(crate) run: BoxFuture<'static, Result<Completion>>,
    pub(crate) events: EventReceiver,
    pub(crate) turn: Turn,
    pub(crate) call: Call,
}

/// Whether the call itself has something to do. A caller asks for the next event as often as it likes, and resuming a
/// guest that still waits for its server costs a good part of an event.
struct Woken {
    flag: AtomicBool,
    /// The call is having its turn: what it sends is looked for right after, without waking anyone.
    driving: AtomicBool,
    task: AtomicWaker,
}

/// What an event wakes.
struct Arrival(Arc<Woken>);

impl Wake for Arrival {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.0.driving.load(Ordering::Acquire) {
            self.0.task.wake();
        }
    }
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.flag.store(true, Ordering::Release);
        self.task.wake();
    }
}

pub(crate) type Commit<'c> = Box<dyn FnOnce(&Answer) + Send + 'c>;

impl<'c> Answering<'c> {
    pub(crate) fn new(
        running: Running,
        warnings: Vec<String>,
        watch: Option<Watch>,
        commit: Option<Commit<'c>>,
    ) -> Self {
        let Running { run, events, turn, call } = running;
        let woken = Arc::new(Woken {
            flag: AtomicBool::new(true),
            driving: AtomicBool::new(false),
            task: AtomicWaker::new(),
        });
        Self {
            run: Some(run),
            waker: woken.clone().into(),
            events_waker: Arc::new(Arrival(woken.clone())).into(),
            woken,
            events,
            waiting: warnings.into_iter().map(|message| Event::Warning { message }).collect(),
            turn,
            call,
            completion: None,
            answer: None,
            ended: false,
            watch: watch.map(Box::new),
            rejected: None,
            commit,
        }
    }

    /// The answer, once the stream has ended well.
    #[must_use]
    pub fn answer(&self) -> Option<&Answer> {
        self.answer.as_ref()
    }

    /// What had arrived when the call failed, if anything had.
    #[must_use]
    pub fn partial(&mut self) -> Option<Answer> {
        self.rejected.clone().or_else(|| self.turn.partial())
    }

    /// The head of the last response: its rate-limit headers say what is left.
    #[must_use]
    pub fn response(&self) -> Option<ResponseHead> {
        self.call.response()
    }

    /// Waits for the whole answer.
    ///
    /// # Errors
    /// The call failed; the message says how and what to do.
    pub async fn finish(mut self) -> Result<Answer> {
        while let Some(event) = self.next().await {
            event?;
        }
        // The stream ends without a failure only when there is an answer.
        self.answer.ok_or_else(|| {
            Failure::new(crate::model::FailureKind::Internal, "the call ended without an answer or a failure")
        })
    }

    /// The same as pieces for display: what the phases of [`Phase`] say, in order.
    pub fn chunks(self) -> impl Stream<Item = Result<Chunk>> + use<'c> {
        let chunks = Chunks { answering: self, growing: HashMap::new() };
        futures::stream::unfold(chunks, |mut chunks| async move { Some((chunks.next().await?, chunks)) })
    }

    /// The chunks of some phases alone, and warnings. What is left out still is in the answer at the end, if
    /// [`Phase::Done`] is asked for.
    pub fn include(self, phases: &[Phase]) -> impl Stream<Item = Result<Chunk>> + use<'c> {
        let phases = phases.to_vec();
        let wanted = move |chunk: &Result<Chunk>| match chunk.as_ref().ok().and_then(Chunk::phase) {
            Some(phase) => phases.contains(&phase),
            None => true,
        };
        self.chunks().filter(move |chunk| std::future::ready(wanted(chunk)))
    }

    /// The next event, from the channel or by driving the call.
    fn poll_event(&mut self, context: &mut Context<'_>) -> Poll<Option<Event>> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                return Poll::Ready(Some(event));
            }
            self.woken.task.register(context.waker());
            if let Some(run) = &mut self.run
                && self.woken.flag.swap(false, Ordering::AcqRel)
            {
                self.woken.driving.store(true, Ordering::Release);
                let polled = run.as_mut().poll(&mut Context::from_waker(&self.waker));
                self.woken.driving.store(false, Ordering::Release);
                if let Poll::Ready(completion) = polled {
                    self.completion = Some(completion);
                    // The call's sender goes with it: the channel ends after what still waits in it.
                    self.run = None;
                }
            }
            // Only after the call has had its turn, which may have sent something; a receiver that says "not yet"
            // has noted whom to wake, even where it has events and only this task's share of time is used up.
            match ready!(self.events.poll_recv(&mut Context::from_waker(&self.events_waker))) {
                Some(batch) => self.waiting.extend(batch),
                None if self.run.is_none() => return Poll::Ready(None),
                // A call that let go of its channel has nothing more to say, but may still end.
                None => return Poll::Pending,
            }
        }
    }

    fn end(&mut self, failure: Option<Failure>) -> Poll<Option<Result<Event>>> {
        self.ended = true;
        self.run = None;
        Poll::Ready(failure.map(|failure| Err(failure.of_provider(&self.call.instance.name))))
    }

    /// Takes a whole answer, or has it asked for again.
    fn take(&mut self, mut answer: Answer) -> Poll<Option<Result<Event>>> {
        let next = match &mut self.watch {
            Some(watch) => watch.judge(&mut answer, &self.call),
            None => Next::Given,
        };
        match next {
            Next::Given => {
                self.give(answer);
                self.end(None)
            }
            Next::Warned(message) => {
                answer.warnings.push(message.clone());
                self.give(answer);
                // The last event; after it the stream has ended.
                self.ended = true;
                Poll::Ready(Some(Ok(Event::Warning { message })))
            }
            Next::Again(running, message) => {
                let Running { run, events, turn, call } = *running;
                (self.run, self.events, self.turn, self.call) = (Some(run), events, turn, call);
                // What was dropped of the request was dropped of this one, too.
                let earlier = std::mem::take(&mut answer.warnings).into_iter().chain([message.clone()]);
                self.turn.warned(earlier);
                self.woken.flag.store(true, Ordering::Release);
                Poll::Ready(Some(Ok(Event::Warning { message })))
            }
            Next::Failed(failure) => {
                self.rejected = Some(answer);
                self.end(Some(failure))
            }
        }
    }

    fn give(&mut self, answer: Answer) {
        if let Some(commit) = self.commit.take() {
            commit(&answer);
        }
        self.answer = Some(answer);
    }
}

impl Stream for Answering<'_> {
    type Item = Result<Event>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Event>>> {
        let this = self.get_mut();
        if this.ended {
            return Poll::Ready(None);
        }
        match this.poll_event(context) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Some(mut event)) => match this.turn.push(&mut event) {
                Ok(()) => {
                    if let Some(watch) = &mut this.watch {
                        watch.outgoing(&mut event);
                    }
                    Poll::Ready(Some(Ok(event)))
                }
                Err(failure) => this.end(Some(failure)),
            },
            Poll::Ready(None) => match this.completion.take() {
                Some(Ok(completion)) => match this.turn.finish(completion) {
                    Ok(answer) => this.take(answer),
                    Err(failure) => this.end(Some(failure)),
                },
                Some(Err(failure)) => this.end(Some(failure)),
                None => this.end(None),
            },
        }
    }
}

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
            Self::ToolCalling(_) => Some(Phase::ToolCalling),
            Self::Done(_) => Some(Phase::Done),
            Self::Warning(_) => None,
        }
    }
}

struct Chunks<'c> {
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

impl Chunks<'_> {
    async fn next(&mut self) -> Option<Result<Chunk>> {
        loop {
            match self.answering.next().await {
                Some(Ok(event)) => {
                    if let Some(chunk) = self.chunk(event) {
                        return Some(Ok(chunk));
                    }
                }
                Some(Err(failure)) => return Some(Err(failure)),
                // Only once: the answer is taken out.
                None => return Some(Ok(Chunk::Done(Box::new(self.answering.answer.take()?)))),
            }
        }
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
            _ => None,
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
