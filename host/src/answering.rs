//! A call on its way: its events as they come, its answer at the end.

use crate::caller::{Started, Target};
use crate::chunks::{Chunk, Chunks, Phase};
use crate::events::{Report, RunId};
use crate::model::{Completion, Event, Failure, Result};
use crate::provider::{Call, EventReceiver, ResponseHead};
use crate::rounds::{After, Rounds};
use crate::series::Series;
use crate::structured::{Next, Watch};
use crate::tools::Dispatch;
use crate::turn::{Answer, Turn};
use futures::Stream;
use futures::future::BoxFuture;
use futures::stream::StreamExt;
use futures::task::AtomicWaker;
use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker, ready};

/// A running call: a stream of events. Dropping it cancels the call and closes its connection.
///
/// A failure is the stream's last item. After the last item, [`Answering::answer`] has the whole answer, or
/// [`Answering::partial`] what had arrived.
pub struct Answering<'c> {
    stage: Stage,
    woken: Arc<Woken>,
    /// Wakes by way of `woken`.
    waker: Waker,
    events: EventReceiver,
    /// Wakes for an event, unless the call is having its turn.
    events_waker: Waker,
    waiting: VecDeque<Event>,
    turn: Turn,
    call: Call,
    /// The model that is asked.
    target: Arc<Target>,
    series: Series,
    /// Part of the answer to the last request has gone out: another model can't be asked unseen.
    begun: bool,
    answer: Option<Answer>,
    /// Sees to the form of the answer, where one was asked for.
    watch: Option<Box<Watch>>,
    /// Sees to what follows an answer, where something may.
    rounds: Option<Box<Rounds>>,
    /// A whole answer that is no success.
    rejected: Option<Answer>,
    report: Report,
    /// Keeps a good answer in the conversation that it belongs to.
    commit: Option<Commit<'c>>,
}

/// What is waited for.
enum Stage {
    /// The model.
    Model(BoxFuture<'static, Result<Completion>>),
    /// What is left in the channel; then the call has ended so.
    Drain(Box<Result<Completion>>),
    /// Tools.
    Tools(Box<Dispatch>),
    /// Nothing: the stream has ended.
    Over,
}

/// A call of a provider that has been started.
pub(crate) struct Running {
    pub(crate) run: BoxFuture<'static, Result<Completion>>,
    pub(crate) events: EventReceiver,
    pub(crate) turn: Turn,
    pub(crate) call: Call,
    pub(crate) target: Arc<Target>,
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
        started: Started,
        rounds: Option<Rounds>,
        mut report: Report,
        commit: Option<Commit<'c>>,
    ) -> Self {
        let Started { running, warnings, watch } = started;
        let Running { run, events, turn, call, target } = running;
        let woken = Arc::new(Woken {
            flag: AtomicBool::new(true),
            driving: AtomicBool::new(false),
            task: AtomicWaker::new(),
        });
        let run = report.request(&target.name, run);
        Self {
            stage: Stage::Model(run),
            waker: woken.clone().into(),
            events_waker: Arc::new(Arrival(woken.clone())).into(),
            woken,
            events,
            waiting: warnings.into_iter().map(|message| Event::Warning { message }).collect(),
            turn,
            call,
            target,
            series: Series::default(),
            begun: false,
            answer: None,
            watch: watch.map(Box::new),
            rounds: rounds.map(Box::new),
            rejected: None,
            report,
            commit,
        }
    }

    /// Names the run for who watches: [`HostBuilder::on_event`](crate::HostBuilder::on_event).
    #[must_use]
    pub fn run(&self) -> RunId {
        self.report.run
    }

    /// The answer, once the stream has ended well.
    #[must_use]
    pub fn answer(&self) -> Option<&Answer> {
        self.answer.as_ref()
    }

    pub(crate) fn take_answer(&mut self) -> Option<Answer> {
        self.answer.take()
    }

    /// What had arrived when the call failed, if anything had; with what came of tools until then.
    #[must_use]
    pub fn partial(&mut self) -> Option<Answer> {
        let partial = self.rejected.clone().or_else(|| self.turn.partial());
        match &self.rounds {
            Some(rounds) => rounds.partial(partial),
            None => partial,
        }
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
        Chunks::of(self)
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
            if let Stage::Model(run) = &mut self.stage
                && self.woken.flag.swap(false, Ordering::AcqRel)
            {
                self.woken.driving.store(true, Ordering::Release);
                let polled = run.as_mut().poll(&mut Context::from_waker(&self.waker));
                self.woken.driving.store(false, Ordering::Release);
                if let Poll::Ready(completion) = polled {
                    // The call's sender goes with it: the channel ends after what still waits in it.
                    self.stage = Stage::Drain(Box::new(completion));
                }
            }
            // Only after the call has had its turn, which may have sent something; a receiver that says "not yet"
            // has noted whom to wake, even where it has events and only this task's share of time is used up.
            match ready!(self.events.poll_recv(&mut Context::from_waker(&self.events_waker))) {
                Some(batch) => self.waiting.extend(batch),
                None if matches!(self.stage, Stage::Model(_)) => {
                    // A call that let go of its channel has nothing more to say, but may still end.
                    return Poll::Pending;
                }
                None => return Poll::Ready(None),
            }
        }
    }

    /// Goes on with another request.
    fn go_on(&mut self, started: Started) {
        let Started { running, warnings, watch } = started;
        self.watch = watch.map(Box::new);
        self.waiting.extend(warnings.into_iter().map(|message| Event::Warning { message }));
        self.run_again(running);
        self.begun = false;
    }

    fn run_again(&mut self, running: Running) {
        let Running { run, events, turn, call, target } = running;
        // What was dropped of the request before was dropped of this one, too.
        let earlier = self.turn.warnings();
        let run = self.report.request(&target.name, run);
        (self.stage, self.events, self.turn) = (Stage::Model(run), events, turn);
        (self.call, self.target) = (call, target);
        self.turn.warned(earlier);
        self.woken.flag.store(true, Ordering::Release);
    }

    fn fail(&mut self, failure: Failure) -> Option<Result<Event>> {
        let failure = failure.of_provider(&self.call.instance.name);
        self.report.failed(&self.target.name, &failure);
        self.stage = Stage::Over;
        Some(Err(failure))
    }

    /// A request has failed: the next model is asked, or that is the end.
    fn failed(&mut self, failure: Failure) -> Option<Result<Event>> {
        let Some(rounds) = self.rounds.as_mut().filter(|_| !self.begun) else { return self.fail(failure) };
        let (name, kind) = (&self.target.name, failure.kind);
        match rounds.fall_back(failure.of_provider(&self.call.instance.name)) {
            Ok((started, message)) => {
                self.report.fell_back(name, kind);
                self.go_on(started);
                self.warn(message)
            }
            Err(failure) => self.fail(failure),
        }
    }

    /// A warning of the host's, which the answer has, too.
    fn warn(&mut self, message: String) -> Option<Result<Event>> {
        self.turn.warned([message.clone()]);
        Some(Ok(Event::Warning { message }))
    }

    /// Takes a whole answer: gives it, has it asked for again, runs its tools. Nothing means to look again.
    fn take(&mut self, mut answer: Answer) -> Option<Result<Event>> {
        self.series.add(&mut answer);
        self.report.finished(&self.target.name, &answer.finish, answer.usage);
        let next = match &mut self.watch {
            Some(watch) => watch.judge(&mut answer, &self.call),
            None => Next::Given,
        };
        match next {
            Next::Given => self.follow(answer),
            Next::Warned(message) => {
                answer.warnings.push(message.clone());
                self.give(answer);
                // The last event; after it the stream has ended.
                Some(Ok(Event::Warning { message }))
            }
            Next::Again(running, message) => {
                self.set_aside(&mut answer);
                self.run_again(*running);
                self.warn(message)
            }
            Next::Failed(failure) => {
                self.rejected = Some(answer);
                self.fail(failure)
            }
        }
    }

    /// What follows a good answer.
    fn follow(&mut self, mut answer: Answer) -> Option<Result<Event>> {
        let Some(rounds) = &mut self.rounds else {
            self.give(answer);
            return None;
        };
        match rounds.after(&answer, self.report.run) {
            After::Nothing => {
                self.give(answer);
                None
            }
            After::Tools(dispatch) => {
                self.stage = Stage::Tools(Box::new(dispatch));
                self.set_aside(&mut answer);
                if let Some(rounds) = &mut self.rounds {
                    rounds.calls(answer);
                }
                None
            }
            After::Again(why) => {
                self.set_aside(&mut answer);
                self.ask_again().or_else(|| self.warn(why.to_owned()))
            }
        }
    }

    /// An answer is not the last: what it took and its warnings go to the one that is.
    fn set_aside(&mut self, answer: &mut Answer) {
        self.series.follows(answer);
        self.turn.warned(std::mem::take(&mut answer.warnings));
    }

    /// All tools of a turn have run.
    fn ran(&mut self, dispatch: Dispatch) -> Option<Result<Event>> {
        match self.rounds.as_mut()?.ran(dispatch.ended()) {
            Some(mut answer) => {
                answer.warnings = self.turn.warnings();
                self.give(answer);
                None
            }
            None => self.ask_again(),
        }
    }

    fn ask_again(&mut self) -> Option<Result<Event>> {
        match self.rounds.as_mut()?.ask() {
            Ok(started) => {
                self.go_on(started);
                None
            }
            Err(failure) => self.failed(failure),
        }
    }

    fn give(&mut self, mut answer: Answer) {
        if let Some(rounds) = &mut self.rounds {
            rounds.close(&mut answer);
        }
        if let Some(commit) = self.commit.take() {
            commit(&answer);
        }
        self.answer = Some(answer);
        self.stage = Stage::Over;
    }

    /// One step; nothing means to look again.
    fn poll_step(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Event>>> {
        if let Stage::Tools(dispatch) = &mut self.stage {
            let ran = ready!(Pin::new(&mut **dispatch).poll_next(context));
            if let Some(run) = ran {
                self.report.tool(&self.target.name, &run);
                return Poll::Ready(Some(Ok(Event::ToolRan(Box::new(run)))));
            }
            if let Stage::Tools(dispatch) = std::mem::replace(&mut self.stage, Stage::Over) {
                return Poll::Ready(self.ran(*dispatch));
            }
        }
        let Some(mut event) = ready!(self.poll_event(context)) else {
            let Stage::Drain(completion) = std::mem::replace(&mut self.stage, Stage::Over) else {
                return Poll::Ready(None);
            };
            return Poll::Ready(match completion.and_then(|completion| self.turn.finish(completion)) {
                Ok(answer) => self.take(answer),
                Err(failure) => self.failed(failure),
            });
        };
        if !matches!(event, Event::Warning { .. }) {
            self.begun = true;
            self.report.event(&self.target.name);
        }
        Poll::Ready(Some(match self.turn.push(&mut event) {
            Ok(()) => {
                self.series.outgoing(&mut event);
                Ok(event)
            }
            Err(failure) => return Poll::Ready(self.fail(failure)),
        }))
    }
}

impl Stream for Answering<'_> {
    type Item = Result<Event>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Event>>> {
        let this = self.get_mut();
        loop {
            if matches!(this.stage, Stage::Over) {
                return Poll::Ready(None);
            }
            if let Some(item) = ready!(this.poll_step(context)) {
                return Poll::Ready(Some(item));
            }
        }
    }
}
