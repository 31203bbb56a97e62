//! The loop: calls, results, and what the history keeps of them.

use crate::script::{Say, Script, call};
use crate::{City, place, toolbox, weather};
use aimu_host::{
    CallOptions, Chunk, Event, Function, Phase, Tool, ToolChoice, ToolContext, ToolOutcome, ToolRun,
};
use futures::StreamExt;
use serde_json::{Value, json};
use std::sync::Arc;

fn both() -> Say {
    Say::Call(vec![
        ("weather", r#"{"city":"Rome"}"#.to_owned()),
        ("weather", r#"{"city": "Oslo"}"#.to_owned()),
    ])
}

/// The same conversation without what is the host's own.
fn plain(history: &[Value]) -> Vec<Value> {
    let mut history = history.to_vec();
    history.iter_mut().for_each(|message| {
        message.as_object_mut().unwrap().remove("origin");
    });
    history
}

#[tokio::test]
async fn calls_of_one_turn_run_at_once_and_results_stand_in_their_order() {
    let place = place();
    for no_stream in [false, true] {
        let script = Script::new([both(), Say::Text("Sun, snow.")]);
        let mut client = place.client(&script).await;
        client.set_toolbox(Some(toolbox([weather()])));
        client.set_system(Some("Be brief.".to_owned()));
        let options = CallOptions { no_stream, ..CallOptions::default() };
        let answering = client.chat("Weather?").options(options).stream().unwrap();
        let events: Vec<Event> = answering.map(Result::unwrap).collect().await;
        let runs: Vec<&ToolRun> = events
            .iter()
            .filter_map(|event| match event {
                Event::ToolRan(run) => Some(&**run),
                _ => None,
            })
            .collect();
        // Each as soon as it has ended: Oslo does not wait for Rome.
        assert_eq!(runs.iter().map(|run| run.text()).collect::<Vec<_>>(), ["snow", "sunny"]);
        assert!(runs[1].duration.as_millis() >= 50 && runs[1].outcome == ToolOutcome::Ran);
        assert_eq!(json!(runs[1].arguments), json!({"city": "Rome"}));
        let asked = |id: &str, city: &str| json!({"id": id, "type": "function", "function": {"name": "weather", "arguments": city}});
        let told = |id: &str, what: &str| json!({"role": "tool", "tool_call_id": id, "name": "weather", "content": what});
        let expected = [
            json!({"role": "system", "content": "Be brief."}),
            json!({"role": "user", "content": "Weather?"}),
            json!({"role": "assistant", "tool_calls": [asked("c0", r#"{"city":"Rome"}"#), asked("c1", r#"{"city": "Oslo"}"#)]}),
            told("c0", "sunny"),
            told("c1", "snow"),
            json!({"role": "assistant", "content": "Sun, snow."}),
        ];
        assert_eq!(plain(client.history()), expected);
        let requests = script.requests();
        assert_eq!(requests.len(), 2);
        let schema = &requests[0]["tools"][0]["function"]["parameters"];
        assert_eq!(
            schema["properties"]["city"],
            json!({"type": "string", "description": "The city's name, in English"})
        );
        let roles: Vec<&Value> =
            requests[1]["messages"].as_array().unwrap().iter().map(|m| &m["role"]).collect();
        assert_eq!(roles, ["system", "user", "assistant", "tool", "tool"]);
    }
}

#[tokio::test]
async fn an_answer_tells_what_ran_and_what_all_requests_took() {
    let place = place();
    let script = Script::new([both(), Say::Text("Sun, snow.")]);
    let mut client = place.client(&script).await;
    let answer = client.chat("Weather?").toolbox(toolbox([weather()])).await.unwrap();
    assert_eq!(
        (answer.text.as_str(), answer.usage.input, answer.usage.output),
        ("Sun, snow.", Some(14), Some(10))
    );
    let runs: Vec<String> = answer.tool_runs.iter().map(ToolRun::text).collect();
    assert_eq!(runs, ["sunny", "snow"]);
    assert_eq!(answer.turn(), &client.history()[1..]);
    let object = answer.to_json();
    assert_eq!(object["tool_runs"][1]["name"], "weather");
    assert_eq!(object["tool_runs"][1]["output"], json!([{"text": "snow"}]));
    assert_eq!(object["messages"].as_array().unwrap().len(), 4);
    // Without tools there is nothing of the kind.
    let plain = client.chat("And now?").await.unwrap();
    assert!(plain.messages.is_empty() && plain.to_json().get("tool_runs").is_none());
}

#[tokio::test]
async fn a_stream_shows_calls_results_and_text_in_their_phases() {
    let place = place();
    let script = Script::new([call("weather", r#"{"city":"Oslo"}"#), Say::Text("Snow.")]);
    let mut client = place.client(&script).await;
    client.set_toolbox(Some(toolbox([weather()])));
    let chunks: Vec<Chunk> = client.chat("?").stream().unwrap().chunks().map(Result::unwrap).collect().await;
    assert!(
        matches!(&chunks[..], [Chunk::ToolCalling(call), Chunk::ToolRan(run), Chunk::Generating(text), Chunk::Done(_)]
            if call.name == "weather" && run.text() == "snow" && text == "Snow."),
        "{chunks:?}"
    );
    let answering = client.chat("?").stream().unwrap();
    let only: Vec<Chunk> = answering.include(&[Phase::Generating]).map(Result::unwrap).collect().await;
    assert!(matches!(&only[..], [Chunk::Generating(_)]), "{only:?}");
}

#[tokio::test]
async fn one_call_after_the_other_and_parts_have_indexes_of_their_own() {
    let place = place();
    let script = Script::new([
        call("weather", r#"{"city":"Rome"}"#),
        call("weather", r#"{"city":"Oslo"}"#),
        Say::Text("Both."),
    ]);
    let mut client = place.client(&script).await;
    client.set_toolbox(Some(toolbox([weather()])));
    let events: Vec<Event> = client.chat("?").stream().unwrap().map(Result::unwrap).collect().await;
    let mut started: Vec<u32> = events
        .iter()
        .filter_map(|event| match event {
            Event::Start { index, .. } => Some(*index),
            _ => None,
        })
        .collect();
    let all = started.len();
    started.dedup();
    assert_eq!((all, started.len()), (3, 3), "{events:?}");
    assert_eq!(client.history().len(), 6);
    assert_eq!(script.told(), ["sunny", "snow"]);
}

#[tokio::test]
async fn ten_calls_wait_for_each_other() {
    // Each ends when all have begun.
    let barrier = Arc::new(tokio::sync::Barrier::new(10));
    let meet = Function::new("meet", "", move |_: ToolContext, _: serde_json::Map<String, Value>| {
        let barrier = barrier.clone();
        async move {
            barrier.wait().await;
            Ok::<_, String>("met")
        }
    });
    let script = Script::new([Say::Call(vec![("meet", "{}".to_owned()); 10]), Say::Text("Done.")]);
    let place = place();
    let answer = place.client(&script).await.chat("?").toolbox(toolbox([meet])).await.unwrap();
    assert_eq!(answer.tool_runs.len(), 10);
    assert!(answer.tool_runs.iter().all(|run| run.text() == "met"), "{answer:?}");
}

#[tokio::test]
async fn a_tool_knows_its_call_and_what_the_program_gave() {
    #[derive(Clone)]
    struct Unit(&'static str);
    let tool = Function::new("weather", "", |context: ToolContext, City { city }: City| async move {
        let Unit(unit) = context.get::<Unit>().unwrap();
        Ok::<_, String>(json!({"city": city, "unit": unit, "call": context.call.id}))
    });
    let mut toolbox = toolbox([tool]);
    toolbox.context(Unit("°C"));
    let script = Script::new([call("weather", r#"{"city":"Oslo"}"#), Say::Text("Cold.")]);
    let place = place();
    place.client(&script).await.chat("?").toolbox(toolbox).await.unwrap();
    assert_eq!(script.told(), [r#"{"city":"Oslo","unit":"°C","call":"c0"}"#]);
}

#[tokio::test]
async fn a_forced_call_is_forced_once() {
    let place = place();
    for choice in [ToolChoice::Required, ToolChoice::Named("weather".to_owned())] {
        let script = Script::new([call("weather", r#"{"city":"Oslo"}"#), Say::Text("Snow.")]);
        let options =
            CallOptions { tool_choice: choice, parallel_tool_calls: Some(false), ..CallOptions::default() };
        let mut client = place.client(&script).await;
        client.chat("?").options(options).toolbox(toolbox([weather()])).await.unwrap();
        let requests = script.requests();
        assert_ne!(requests[0]["tool_choice"], requests[1]["tool_choice"]);
        assert!(matches!(requests[1]["tool_choice"].as_str(), None | Some("auto")), "{}", requests[1]);
        assert!(requests.iter().all(|request| request["parallel_tool_calls"] == false));
    }
}

#[tokio::test]
async fn a_model_that_says_nothing_is_asked_once_more() {
    let place = place();
    let script =
        Script::new([Say::Text(""), call("weather", r#"{"city":"Oslo"}"#), Say::Text(""), Say::Text("x")]);
    let mut client = place.client(&script).await;
    let answer = client.chat("?").toolbox(toolbox([weather()])).await.unwrap();
    let requests = script.requests();
    assert_eq!((requests.len(), answer.text.as_str()), (3, ""), "once in a run");
    let last = |request: &Value| request["messages"].as_array().unwrap().last().unwrap().clone();
    assert!(last(&requests[1])["content"].as_str().unwrap().contains("was empty"));
    assert_eq!(last(&requests[2])["role"], "tool");
    assert!(answer.warnings[0].contains("empty"), "{:?}", answer.warnings);
    assert!(!json!(client.history()).to_string().contains("was empty"), "{:?}", client.history());
}

#[tokio::test]
async fn calls_of_the_callers_own_tools_come_back() {
    let own: Tool =
        Tool::Function(serde_json::from_value(json!({"name": "mine", "parameters": {}})).unwrap());
    let script = Script::new([
        Say::Call(vec![("mine", "{}".to_owned()), ("weather", r#"{"city":"Oslo"}"#.to_owned())]),
        Say::Text("Done."),
    ]);
    let place = place();
    let mut client = place.client(&script).await;
    client.set_toolbox(Some(toolbox([weather()])));
    let options = CallOptions {
        tools: Some(vec![own]),
        toolbox: Some(Arc::new(toolbox([weather()]))),
        ..CallOptions::default()
    };
    let answer = client.chat("?").options(options.clone()).await.unwrap();
    let waiting: Vec<&str> = answer.tool_calls.iter().map(|call| call.name.as_str()).collect();
    assert_eq!((waiting, answer.tool_runs.len()), (vec!["mine"], 1));
    assert_eq!(script.requests().len(), 1);
    // The caller adds its result, and the history is whole.
    let result = json!({"role": "tool", "tool_call_id": answer.tool_calls[0].id, "content": "42"});
    client.chat_messages(vec![result]).options(options).await.unwrap();
    let roles: Vec<&str> = client.history().iter().map(|message| message["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["user", "assistant", "tool", "tool", "assistant"]);
    // Tools that a call names itself, and none, go before the client's.
    let none = client.chat("?").tools(Vec::new()).await.unwrap();
    assert!(none.tool_runs.is_empty());
    assert!(script.requests().last().unwrap().get("tools").is_none());
}

#[tokio::test]
async fn a_form_is_wanted_of_the_last_answer_alone() {
    let schema = json!({"type": "object", "properties": {"sky": {"type": "string"}}, "required": ["sky"]});
    let script = Script::new([
        call("weather", r#"{"city":"Oslo"}"#),
        Say::Text("Snow."),
        Say::Text(r#"{"sky": "snow"}"#),
    ]);
    let place = place();
    let mut client = place.client(&script).await;
    let answer = client.chat("?").toolbox(toolbox([weather()])).schema(schema).await.unwrap();
    assert_eq!(answer.value, Some(json!({"sky": "snow"})));
    let again = &script.requests()[2]["messages"];
    assert!(
        again.to_string().contains("\"tool_call_id\""),
        "the results are in what is asked again: {again}"
    );
    assert_eq!(client.history().len(), 4, "{:?}", client.history());
}

#[test]
fn a_program_that_waits_has_the_same() {
    let place = place();
    let host = aimu_host::blocking::Host::new(place.host.clone()).unwrap();
    let script = Script::new([both(), Say::Text("Sun, snow.")]);
    let mut client = host.client(script.model()).unwrap();
    client.inner().set_toolbox(Some(toolbox([weather()])));
    let answer = client.chat("Weather?").unwrap();
    assert_eq!((answer.tool_runs.len(), client.history().len()), (2, 5));
}
