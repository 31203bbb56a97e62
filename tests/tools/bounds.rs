//! Whatever a tool or a model does, it ends, and takes no more than it may.

use crate::script::{Say, Script, call};
use crate::{City, place, place_with, toolbox, weather};
use aimu_host::{FailureKind, Function, Limits, ToolContext, ToolOutcome};
use futures::StreamExt;
use serde_json::{Map, Value};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

type Nothing = Map<String, Value>;

fn endless() -> Function {
    Function::new("endless", "", |_: ToolContext, _: Nothing| async {
        std::future::pending::<()>().await;
        Ok::<_, String>(())
    })
}

#[tokio::test]
async fn a_tool_that_never_returns_is_ended() {
    let script = Script::new([call("endless", "{}"), Say::Text("Sorry.")]);
    let mut toolbox = toolbox([endless()]);
    toolbox.timeout("end*", Duration::from_millis(50)).unwrap();
    let place = place();
    let answer = place.client(&script).await.chat("?").toolbox(toolbox).await.unwrap();
    assert_eq!(answer.text, "Sorry.");
    assert_eq!(script.told(), ["endless was ended: it took longer than 50ms"]);
}

#[tokio::test]
async fn an_answer_of_50_mb_is_cut_with_a_note() {
    let large = Function::new("large", "", |_: ToolContext, _: Nothing| async {
        Ok::<_, String>("x".repeat(50 << 20))
    });
    let script = Script::new([call("large", "{}"), Say::Text("Large.")]);
    let place = place();
    let mut client = place.client(&script).await;
    client.chat("?").toolbox(toolbox([large])).await.unwrap();
    let told = &script.told()[0];
    assert!(told.len() < 257 << 10 && told.ends_with("[cut: 262144 of 52428800 bytes]"), "{}", told.len());
}

#[tokio::test]
async fn dropping_an_answer_ends_its_tools() {
    struct Ended(Arc<AtomicBool>);
    impl Drop for Ended {
        fn drop(&mut self) {
            self.0.store(true, Ordering::SeqCst);
        }
    }
    let (ended, began) = (Arc::new(AtomicBool::new(false)), Arc::new(tokio::sync::Notify::new()));
    let (of_tool, notify) = (ended.clone(), began.clone());
    let tool = Function::new("endless", "", move |_: ToolContext, _: Nothing| {
        let (guard, notify) = (Ended(of_tool.clone()), notify.clone());
        async move {
            let _guard = guard;
            notify.notify_one();
            std::future::pending::<()>().await;
            Ok::<_, String>(())
        }
    });
    let script = Script::new([call("endless", "{}")]);
    let place = place();
    let mut client = place.client(&script).await;
    let mut answering = client.chat("?").toolbox(toolbox([tool])).stream().unwrap();
    tokio::select! {
        () = began.notified() => {}
        () = async { while answering.next().await.is_some() {} } => panic!("it ended"),
    }
    drop(answering);
    for _ in 0..200 {
        if ended.load(Ordering::SeqCst) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(ended.load(Ordering::SeqCst), "the tool still runs");
    assert!(client.history().is_empty());
}

#[tokio::test]
async fn a_turn_of_very_many_calls_runs_some_and_answers_all() {
    let calls = vec![("weather", r#"{"city":"Oslo"}"#.to_owned()); 200];
    let script = Script::new([Say::Call(calls), Say::Text("Done.")]);
    let place = place();
    let answer = place.client(&script).await.chat("?").toolbox(toolbox([weather()])).await.unwrap();
    let ran = answer.tool_runs.iter().filter(|run| run.outcome == ToolOutcome::Ran).count();
    assert_eq!((ran, answer.tool_runs.len(), script.told().len()), (128, 200, 200));
    assert!(script.told()[199].contains("more than 128 calls"));
}

#[tokio::test]
async fn all_requests_of_a_run_share_its_time() {
    let slow = Function::new("slow", "", |_: ToolContext, _: Nothing| async {
        tokio::time::sleep(Duration::from_millis(400)).await;
        Ok::<_, String>(())
    });
    let script = Script::new([call("slow", "{}")]);
    let mut limits = Limits::default();
    limits.set("total", "1s").unwrap();
    let place = place_with(|builder| builder.limits(limits));
    let failure = place.client(&script).await.chat("?").toolbox(toolbox([slow])).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Timeout, "{failure:?}");
    assert!(script.requests().len() < 5, "{}", script.requests().len());
}

#[tokio::test]
async fn a_bounded_number_of_rounds_can_be_had() {
    let mut toolbox = toolbox([weather()]);
    toolbox.max_rounds(1);
    let script = Script::new([call("weather", r#"{"city":"Oslo"}"#), Say::Text("I may not look.")]);
    let place = place();
    let answer = place.client(&script).await.chat("?").toolbox(toolbox).await.unwrap();
    assert_eq!((answer.text.as_str(), script.requests().len()), ("I may not look.", 2));
    assert_eq!(answer.tool_runs[0].outcome, ToolOutcome::Skipped);
}

#[test]
fn what_no_service_takes_is_refused_by_name() {
    let mut toolbox = toolbox([weather()]);
    let failure = toolbox.add(weather()).unwrap_err();
    assert!(failure.message.contains("`weather` stands there twice"), "{failure}");
    let named = |name: &str| Function::new(name, "", |_: ToolContext, _: City| async { Ok::<_, String>(()) });
    for name in ["", "two words", "dotted.name", &"x".repeat(65)] {
        assert!(toolbox.add(named(name)).unwrap_err().message.contains("services do not take"), "{name}");
    }
}
