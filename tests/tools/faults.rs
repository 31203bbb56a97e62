//! What goes wrong with a call is told to the model, and the conversation goes on.

use crate::script::{Say, Script, call};
use crate::{City, place, toolbox, weather};
use aimu_host::{Function, ToolContext, ToolOutcome};
use serde_json::{Value, json};

/// What the model is told of a call of `weather` with these arguments.
async fn told(name: &'static str, arguments: &str) -> (String, ToolOutcome) {
    let script = Script::new([call(name, arguments), Say::Text("Sorry.")]);
    let place = place();
    let mut client = place.client(&script).await;
    let panics = Function::new("panics", "", |_: ToolContext, City { city }: City| async move {
        assert!(city.is_empty(), "a panic of the test's");
        Ok::<_, String>(())
    });
    let answer = client.chat("?").toolbox(toolbox([weather(), panics])).await.unwrap();
    assert_eq!(answer.text, "Sorry.");
    let [run] = &answer.tool_runs[..] else { panic!("{answer:?}") };
    assert!(run.is_error);
    // The history has it as the model wrote it, and goes on.
    assert_eq!(client.history()[1]["tool_calls"][0]["function"]["arguments"], arguments);
    assert_eq!(client.history()[2]["is_error"], true);
    client.chat("And now?").await.unwrap();
    assert_eq!(script.told(), [run.text()]);
    (run.text(), run.outcome)
}

#[tokio::test]
async fn what_fails_inside_is_told() {
    let (text, outcome) = told("weather", r#"{"city":"Atlantis"}"#).await;
    assert_eq!((text.as_str(), outcome), ("weather: Atlantis is nowhere", ToolOutcome::Ran));
    let (text, outcome) = told("panics", r#"{"city":"Rome"}"#).await;
    assert!(text.contains("panicked") && !text.contains("of the test's"), "{text}");
    assert_eq!(outcome, ToolOutcome::Ran);
}

#[tokio::test]
async fn what_was_not_offered_is_not_run() {
    let (text, outcome) = told("rm_rf", "{}").await;
    assert_eq!(
        (text.as_str(), outcome),
        ("there is no tool `rm_rf`; there are weather, panics", ToolOutcome::Refused)
    );
}

#[tokio::test]
async fn arguments_that_make_no_sense_are_told_and_not_run() {
    let deep = format!("{{\"city\": {}{}}}", "[".repeat(100), "]".repeat(100));
    for (arguments, word) in [
        (r#"{"city": "Ro"#, "not valid JSON"),
        ("[]", "object"),
        ("{}", "\"city\" is a required property"),
        (r#"{"city": "Rome", "city": "Oslo"}"#, "`city` stands twice"),
        (&deep, "64 levels"),
    ] {
        let (text, outcome) = told("weather", arguments).await;
        assert!(text.contains(word) && outcome == ToolOutcome::Refused, "{arguments}: {text}");
    }
}

#[tokio::test]
async fn one_that_fails_for_ever_ends_in_an_answer() {
    let script = Script::new([call("weather", r#"{"city":"Atlantis"}"#)]);
    let place = place();
    let mut client = place.client(&script).await;
    let answer = client.chat("?").toolbox(toolbox([weather()])).await.unwrap();
    let requests = script.requests();
    assert_eq!(requests.len(), 11, "ten with tools, and one to wrap up");
    assert!(requests[..10].iter().all(|request| request["tool_choice"] != "none"));
    // The tools stay: the history calls them. But they can't be called.
    assert_eq!(requests[10]["tool_choice"], "none");
    assert_eq!(requests[10]["tools"].as_array().unwrap().len(), 1);
    let told = script.told();
    assert_eq!(told.len(), 10);
    assert!(told[8].contains("Atlantis") && told[9].contains("not executed"), "{told:?}");
    // This server calls on. Each call has its answer, so that the next turn is accepted.
    let outcomes: Vec<ToolOutcome> = answer.tool_runs.iter().map(|run| run.outcome).collect();
    assert_eq!(outcomes, [[ToolOutcome::Ran; 9].as_slice(), &[ToolOutcome::Skipped; 2]].concat());
    let (calls, results): (Vec<&Value>, Vec<&Value>) = (
        client.history().iter().filter(|message| message["role"] == "assistant").collect(),
        client.history().iter().filter(|message| message["role"] == "tool").collect(),
    );
    let called: Vec<&Value> = calls.iter().map(|message| &message["tool_calls"][0]["id"]).collect();
    let answered: Vec<&Value> = results.iter().map(|message| &message["tool_call_id"]).collect();
    assert_eq!(called, answered);
}

#[tokio::test]
async fn a_run_that_fails_in_its_middle_leaves_no_half_turn() {
    let script = Script::new([call("weather", r#"{"city":"Oslo"}"#), Say::Cut("Sn"), Say::Text("Hello.")]);
    let place = place();
    let mut client = place.client(&script).await;
    client.set_toolbox(Some(toolbox([weather()])));
    let mut answering = client.chat("?").stream().unwrap();
    let failure = loop {
        match futures::StreamExt::next(&mut answering).await.unwrap() {
            Ok(_) => {}
            Err(failure) => break failure,
        }
    };
    assert_eq!(failure.kind, aimu_host::FailureKind::Protocol);
    // What the tool did is not lost.
    let partial = answering.partial().unwrap();
    assert_eq!((partial.text.as_str(), partial.tool_runs[0].text()), ("Sn", "snow".to_owned()));
    assert_eq!(partial.messages.len(), 2);
    drop(answering);
    assert!(client.history().is_empty());
    client.chat("?").await.unwrap();
    assert_eq!(client.history().len(), 2, "{}", json!(client.history()));
}
