//! Who may run what.

use crate::script::{Say, Script, call};
use crate::{City, place, toolbox};
use aimu_host::{Approval, AskedTool, Function, ToolContext, ToolOutcome, Toolbox};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A tool that wants consent, and how often it ran.
fn guarded() -> (Function, Arc<AtomicUsize>) {
    let ran = Arc::new(AtomicUsize::new(0));
    let count = ran.clone();
    let tool = Function::new("send", "", move |_: ToolContext, _: City| {
        count.fetch_add(1, Ordering::SeqCst);
        async { Ok::<_, String>("sent") }
    });
    (tool.ask_first(), ran)
}

/// What comes of two calls.
async fn outcomes(toolbox: Toolbox) -> Vec<(ToolOutcome, String)> {
    let send = |city: &str| ("send", format!("{{\"city\": \"{city}\"}}"));
    let script = Script::new([Say::Call(vec![send("Rome"), send("Oslo")]), Say::Text("Done.")]);
    let place = place();
    let answer = place.client(&script).await.chat("?").toolbox(toolbox).await.unwrap();
    assert_eq!(script.told(), answer.tool_runs.iter().map(aimu_host::ToolRun::text).collect::<Vec<_>>());
    answer.tool_runs.iter().map(|run| (run.outcome, run.text())).collect()
}

#[tokio::test]
async fn where_nobody_can_be_asked_it_is_denied() {
    let (tool, ran) = guarded();
    let outcomes = outcomes(toolbox([tool])).await;
    assert!(
        outcomes.iter().all(|(outcome, text)| *outcome == ToolOutcome::Denied && text.contains("denied"))
    );
    assert_eq!((outcomes.len(), ran.load(Ordering::SeqCst)), (2, 0));
}

#[tokio::test]
async fn somebody_is_asked_one_thing_at_a_time_with_all_the_arguments() {
    let (tool, ran) = guarded();
    let mut toolbox = toolbox([tool]);
    let asked = Arc::new(Mutex::new(Vec::new()));
    let (log, at_once) = (asked.clone(), Arc::new(AtomicUsize::new(0)));
    toolbox.on_ask(move |AskedTool { call, arguments, definition }| {
        let (log, at_once) = (log.clone(), at_once.clone());
        Box::pin(async move {
            assert_eq!(at_once.fetch_add(1, Ordering::SeqCst), 0, "two questions at once");
            tokio::time::sleep(Duration::from_millis(20)).await;
            at_once.fetch_sub(1, Ordering::SeqCst);
            assert_eq!((call.name.as_str(), definition.name.as_str()), ("send", "send"));
            let city = arguments["city"].as_str().unwrap().to_owned();
            log.lock().unwrap().push(city.clone());
            city == "Oslo"
        })
    });
    let outcomes: Vec<ToolOutcome> =
        outcomes(toolbox).await.into_iter().map(|(outcome, _)| outcome).collect();
    assert_eq!(outcomes, [ToolOutcome::Denied, ToolOutcome::Ran]);
    assert_eq!((*asked.lock().unwrap()).clone(), ["Rome", "Oslo"]);
    assert_eq!(ran.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn rules_go_before_what_the_tool_wants() {
    for (rules, expected) in [
        (&[("*", Approval::Allow)][..], ToolOutcome::Ran),
        (&[("*", Approval::Allow), ("se*", Approval::Deny)], ToolOutcome::Denied),
        (&[("other", Approval::Allow)], ToolOutcome::Denied),
    ] {
        let (tool, ran) = guarded();
        let mut toolbox = toolbox([tool]);
        rules.iter().for_each(|(names, approval)| toolbox.approve(names, *approval).unwrap());
        // What is denied is not asked about.
        assert!(outcomes(toolbox).await.iter().all(|(outcome, _)| *outcome == expected), "{rules:?}");
        assert_eq!(ran.load(Ordering::SeqCst), if expected == ToolOutcome::Ran { 2 } else { 0 });
    }
}

#[tokio::test]
async fn nothing_is_asked_of_what_can_not_run() {
    let (tool, _) = guarded();
    let mut toolbox = toolbox([tool]);
    toolbox.on_ask(|asked| panic!("asked about {asked:?}"));
    let script = Script::new([call("send", "{}"), call("sends", "{}"), Say::Text("Done.")]);
    let place = place();
    let answer = place.client(&script).await.chat("?").toolbox(toolbox).await.unwrap();
    assert!(answer.tool_runs.iter().all(|run| run.outcome == ToolOutcome::Refused));
}
