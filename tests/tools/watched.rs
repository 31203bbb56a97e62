//! Who watches sees each step of a run, and nothing of what is said.

use crate::script::{Say, Script, call};
use crate::{place_with, toolbox, weather};
use aimu_host::{CallOptions, Function, RunEvent, RunStep, Setup, ToolContext};
use serde_json::{Map, Value, json};
use std::sync::{Arc, Mutex, Once};
use tracing::Subscriber;
use tracing::span::{self, Attributes};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

type Steps = Arc<Mutex<Vec<RunEvent>>>;

fn watched() -> (crate::Place, Steps) {
    let steps = Steps::default();
    let sink = steps.clone();
    (place_with(|builder| builder.on_event(move |event| sink.lock().unwrap().push(event.clone()))), steps)
}

fn names(steps: &Steps) -> Vec<String> {
    let steps = steps.lock().unwrap();
    steps.iter().map(|event| json!(event)["step"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn each_step_is_told_once_in_order() {
    let (place, steps) = watched();
    let script = Script::new([
        Say::Call(vec![("weather", r#"{"city":"Oslo"}"#.to_owned()), ("nothing", "{}".to_owned())]),
        Say::Text("Secret words."),
    ]);
    place.client(&script).await.chat("?").toolbox(toolbox([weather()])).await.unwrap();
    assert_eq!(
        names(&steps),
        [
            "request-prepared",
            "first-token",
            "turn-finished",
            "tool-denied",
            "tool-called",
            "request-prepared",
            "first-token",
            "turn-finished"
        ]
    );
    let steps = steps.lock().unwrap();
    assert!(steps.iter().all(|event| event.run == steps[0].run && event.parent.is_none()));
    assert!(steps.is_sorted_by_key(|event| event.after));
    assert!(matches!(&steps[4].step, RunStep::ToolCalled { name, is_error: false, .. } if name == "weather"));
    assert!(matches!(&steps[7].step, RunStep::TurnFinished { usage, .. } if usage.input == Some(14)));
    assert!(!json!(*steps).to_string().contains("Secret"));
}

#[tokio::test]
async fn a_fallback_and_a_failure_are_told() {
    let (place, steps) = watched();
    let scripts = [Script::new([Say::Status(500)]), Script::new([Say::Status(401)])];
    let setup = Setup { fallbacks: vec![scripts[1].model()], ..Setup::default() };
    let mut client = place.host.client_with(scripts[0].model(), setup).await.unwrap();
    client.chat("?").await.unwrap_err();
    assert_eq!(names(&steps), ["request-prepared", "fell-back", "request-prepared", "failed"]);
}

#[tokio::test]
async fn a_run_that_a_tool_makes_has_its_parent() {
    let (place, steps) = watched();
    let inner = Script::new([Say::Text("Inner.")]);
    let (host, model) = (place.host.clone(), inner.model());
    let ask = Function::new("ask", "", move |context: ToolContext, _: Map<String, Value>| {
        let (host, model) = (host.clone(), model.clone());
        async move {
            let mut client = host.client(model).await?;
            let options = CallOptions { parent: Some(context.run), ..CallOptions::default() };
            Ok::<_, aimu_host::Failure>(client.chat("?").options(options).await?.text)
        }
    });
    let outer = Script::new([call("ask", "{}"), Say::Text("Outer.")]);
    place.client(&outer).await.chat("?").toolbox(toolbox([ask])).await.unwrap();
    assert_eq!(outer.told(), ["Inner."]);
    let steps = steps.lock().unwrap();
    let outer = steps[0].run;
    let inner: Vec<&RunEvent> = steps.iter().filter(|event| event.run != outer).collect();
    assert_eq!(inner.len(), 3);
    assert!(inner.iter().all(|event| event.parent == Some(outer)));
}

/// Keeps the names of spans, with what they say of themselves.
struct Spans(&'static Mutex<Vec<String>>);

impl<S: Subscriber> Layer<S> for Spans {
    fn on_new_span(&self, attributes: &Attributes<'_>, _: &span::Id, _: Context<'_, S>) {
        let name = attributes.metadata().name();
        self.0.lock().unwrap().push(format!("{name} {}", attributes.values()));
    }
}

/// The spans of all tests, from before the first host: a place in the code that other threads come to while nobody of
/// theirs listens is held for one that nobody ever listens to.
pub fn spans() -> &'static Mutex<Vec<String>> {
    static SPANS: Mutex<Vec<String>> = Mutex::new(Vec::new());
    static LISTENS: Once = Once::new();
    LISTENS.call_once(|| {
        let listener = tracing_subscriber::registry().with(LevelFilter::DEBUG).with(Spans(&SPANS));
        tracing::subscriber::set_global_default(listener).unwrap();
    });
    &SPANS
}

#[tokio::test]
async fn requests_and_tools_are_spans_with_the_runs_id() {
    let (place, steps) = watched();
    let script = Script::new([call("weather", r#"{"city":"Oslo"}"#), Say::Text("Snow.")]);
    place.client(&script).await.chat("?").toolbox(toolbox([weather()])).await.unwrap();
    let run = steps.lock().unwrap()[0].run.to_string();
    let spans = spans().lock().unwrap();
    let own: Vec<&str> =
        spans.iter().filter(|span| span.contains(&run)).map(|span| span.split(' ').next().unwrap()).collect();
    assert_eq!(own, ["request", "tool", "request"], "{spans:?}");
}
