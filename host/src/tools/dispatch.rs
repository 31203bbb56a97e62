//! Runs the calls of one turn, at once.

use super::call::run;
use super::{Approval, AskedTool, ToolContext, ToolReply, Toolbox, arguments};
use crate::events::RunId;
use crate::model::{ToolCall, ToolOutcome, ToolRun};
use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, Stream};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;
use tracing::Instrument;

/// Calls of one turn that are run: models write fewer than thirty.
const MOST_CALLS: usize = 128;

/// The calls of one turn on their way: a stream of what came of them, each when it has ended. Dropping it ends them all.
pub(crate) struct Dispatch {
    running: FuturesUnordered<BoxFuture<'static, (usize, ToolRun)>>,
    /// In the order of the calls.
    ended: Vec<Option<ToolRun>>,
}

impl Dispatch {
    /// Starts those of the calls that may be run.
    pub(crate) fn new(toolbox: &Arc<Toolbox>, calls: Vec<ToolCall>, run: RunId) -> Self {
        // One person is asked one thing at a time.
        let turn = Arc::new(tokio::sync::Mutex::new(()));
        let ended = vec![None; calls.len()];
        let running = calls.into_iter().enumerate().map(|(at, call)| {
            let (toolbox, turn) = (toolbox.clone(), turn.clone());
            let span = tracing::debug_span!("tool", %run, name = %call.name, call = %call.id);
            let ended = async move {
                if at >= MOST_CALLS {
                    let why = format!("not executed: these are more than {MOST_CALLS} calls at once");
                    return (at, ToolRun::not(&call, ToolOutcome::Skipped, why));
                }
                (at, one(&toolbox, call, run, &turn).await)
            };
            let future: BoxFuture<'static, _> = Box::pin(ended.instrument(span));
            future
        });
        Self { running: running.collect(), ended }
    }

    /// Calls that are not run, and why.
    pub(crate) fn skipped(calls: Vec<ToolCall>, why: &'static str) -> Self {
        let ended = vec![None; calls.len()];
        let running = calls.into_iter().enumerate().map(|(at, call)| {
            let future: BoxFuture<'static, _> =
                Box::pin(async move { (at, ToolRun::not(&call, ToolOutcome::Skipped, why)) });
            future
        });
        Self { running: running.collect(), ended }
    }

    /// What came of all, in the order of the calls.
    pub(crate) fn ended(self) -> Vec<ToolRun> {
        self.ended.into_iter().flatten().collect()
    }
}

impl Stream for Dispatch {
    type Item = ToolRun;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<ToolRun>> {
        let ended = ready!(Pin::new(&mut self.running).poll_next(context));
        Poll::Ready(ended.map(|(at, run)| {
            if let Some(place) = self.ended.get_mut(at) {
                *place = Some(run.clone());
            }
            run
        }))
    }
}

/// One call: whether it may be run, and then what came of it.
async fn one(toolbox: &Toolbox, call: ToolCall, run_id: RunId, turn: &tokio::sync::Mutex<()>) -> ToolRun {
    let Some(offered) = toolbox.find(&call.name) else {
        let names: Vec<&str> = toolbox.definitions().map(|tool| tool.name.as_str()).collect();
        let why = format!("there is no tool `{}`; there are {}", call.name, names.join(", "));
        return ToolRun::not(&call, ToolOutcome::Refused, why);
    };
    let arguments = match arguments::read(&call.arguments, &offered.validator) {
        Ok(arguments) => arguments,
        Err(why) => return ToolRun::not(&call, ToolOutcome::Refused, why),
    };
    let allowed = match (toolbox.approval_of(offered), &toolbox.ask) {
        (Approval::Allow, _) => true,
        (Approval::Ask, Some(ask)) => {
            let _turn = turn.lock().await;
            let definition = offered.tool.definition().clone();
            ask(AskedTool { call: call.clone(), arguments: arguments.clone(), definition }).await
        }
        (Approval::Ask, None) | (Approval::Deny, _) => false,
    };
    if !allowed {
        let denied =
            ToolRun::not(&call, ToolOutcome::Denied, "denied: the user did not allow this call of the tool");
        return ToolRun { arguments: Some(arguments), ..denied };
    }
    let context = ToolContext::new(call.clone(), toolbox.values.clone()).within(run_id);
    let started = Instant::now();
    let ToolReply { output, is_error } = run(toolbox, offered, context, arguments.clone()).await;
    ToolRun {
        id: call.id,
        name: call.name,
        arguments: Some(arguments),
        outcome: ToolOutcome::Ran,
        output,
        is_error,
        duration: started.elapsed(),
    }
}
