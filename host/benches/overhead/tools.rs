//! What a tool's call costs over the tool itself.

use crate::median;
use aimu_host::{
    Call, ChatRequest, Completion, Description, Event, EventSender, Failure, FinishReason, Function,
    GenerateRequest, Host, ModelRef, ModelSpec, PartContent, Provider, Role, ToolCall, ToolContext, Toolbox,
    schemars,
};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Wait {
    milliseconds: u64,
}

/// A model that calls a tool as often as its id says, and then answers.
struct Caller(Description);

#[async_trait::async_trait]
impl Provider for Caller {
    fn description(&self) -> &Description {
        &self.0
    }

    async fn models(&self, _: &Call) -> Result<Vec<ModelSpec>, Failure> {
        Ok(Vec::new())
    }

    async fn chat(&self, _: &Call, request: ChatRequest, events: EventSender) -> Result<Completion, Failure> {
        let (calls, milliseconds) = request.model.split_once('x').unwrap();
        let answered = request.messages.iter().any(|message| message.role == Role::Tool);
        let parts: Vec<PartContent> = if answered {
            vec![PartContent::Text("done".to_owned())]
        } else {
            let call = |at| ToolCall {
                id: format!("c{at}"),
                name: "wait".to_owned(),
                arguments: format!("{{\"milliseconds\": {milliseconds}}}"),
                server_executed: false,
            };
            (0..calls.parse().unwrap()).map(|at: u32| PartContent::ToolCall(call(at))).collect()
        };
        let parts = parts.into_iter().map(|part| Event::Whole { part: Box::new(part.into()) });
        events.send(parts.collect()).await;
        Ok(Completion::new(if answered { FinishReason::Stop } else { FinishReason::ToolCalls }))
    }

    async fn generate(&self, _: &Call, _: GenerateRequest, _: EventSender) -> Result<Completion, Failure> {
        unreachable!("nobody asks for it")
    }
}

/// Seconds of a run with so many calls in one turn, of a tool that waits so long: the median.
fn run(runtime: &Runtime, home: &Path, calls: u32, milliseconds: u64, times: usize) -> f64 {
    let description = Description { id: "caller".to_owned(), open_catalog: true, ..Description::default() };
    let host = Host::builder().home(aimu_host::Home::at(home)).build().unwrap();
    let wait = Function::new("wait", "Waits", |_: ToolContext, Wait { milliseconds }: Wait| async move {
        if milliseconds > 0 {
            tokio::time::sleep(Duration::from_millis(milliseconds)).await;
        }
        Ok::<_, String>("waited")
    });
    let mut toolbox = Toolbox::new();
    toolbox.add(wait).unwrap();
    let toolbox = Arc::new(toolbox);
    let mut seconds = Vec::new();
    runtime.block_on(async {
        for _ in 0..times {
            let model =
                ModelRef::Direct(Arc::new(Caller(description.clone())), format!("{calls}x{milliseconds}"));
            let mut client = host.client(model).await.unwrap();
            let start = Instant::now();
            let answer = client.chat("go").toolbox(toolbox.clone()).await.unwrap();
            seconds.push(start.elapsed().as_secs_f64());
            assert_eq!(answer.tool_runs.len(), calls as usize);
        }
    });
    median(&mut seconds)
}

/// Microseconds that a call takes of a tool that does nothing, and milliseconds that ten calls of 100 ms take in one turn.
pub fn measure(runtime: &Runtime, home: &Path) -> (f64, f64) {
    // Less a run with one call, so that what a run takes by itself is not counted.
    let (many, one) = (run(runtime, home, 101, 0, 50), run(runtime, home, 1, 0, 50));
    ((many - one) / 100.0 * 1e6, run(runtime, home, 10, 100, 3) * 1e3)
}
