//! Components of tools: in the folder of the providers, told apart by what they export, in the same sandbox, under the
//! same grants. The two of `plugins/`, and guests that misbehave.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "tool_components/grants.rs"]
mod grants;
#[path = "tool_components/hostile.rs"]
mod hostile;
mod support;

use aimu_host::{Approval, Callable, FailureKind, Host, Limits, ModelQuery, ToolOutput, ToolReply, Toolbox};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::sync::Arc;
use support::{Home, changed, example, guest};

/// A home of its own, so that tests do not see each other's grants, with these guests.
fn home(guests: &[&str]) -> Home {
    let home = Home::fresh();
    guests.iter().for_each(|guest| drop(home.install(guest)));
    home
}

/// The same with one of our own components.
fn with(package: &str) -> Home {
    let home = Home::fresh();
    fs::copy(example(package), home.plugins().join("tool.wasm")).unwrap();
    home
}

fn host(home: &Home) -> Host {
    limited(home, &[])
}

fn limited(home: &Home, limits: &[(&str, &str)]) -> Host {
    let mut all = Limits::default();
    limits.iter().for_each(|(name, value)| all.set(name, value).unwrap());
    let builder = Host::builder().home(aimu_host::Home::at(home.data())).plugin_dir(home.plugins());
    builder.limits(all).build().unwrap()
}

/// A tool of a component, by the component's own name for it.
async fn tool(host: &Host, component: &str, name: &str) -> Arc<dyn Callable> {
    let tools = host.tools_of(component).await.unwrap();
    let full = format!("{component}__{name}");
    tools.into_iter().find(|tool| tool.definition().name == full).expect("there is no such tool")
}

/// Runs a tool as a model's call is run. An error is what the model is told.
async fn run(tool: &Arc<dyn Callable>, arguments: Value) -> Result<ToolReply, String> {
    let mut toolbox = Toolbox::new();
    toolbox.add_shared(tool.clone()).unwrap();
    let reply = toolbox.call(&tool.definition().name, &arguments.to_string()).await;
    let reply = reply.map_err(|failure| failure.message)?;
    match (&reply.output[..], reply.is_error) {
        ([ToolOutput::Text(text)], true) => Err(text.clone()),
        (_, true) => panic!("not a text: {reply:?}"),
        _ => Ok(reply),
    }
}

/// What a tool answers, as text.
async fn says(tool: &Arc<dyn Callable>, arguments: Value) -> String {
    let reply = run(tool, arguments).await.unwrap();
    match &reply.output[..] {
        [ToolOutput::Text(text)] => text.clone(),
        other => panic!("not a text: {other:?}"),
    }
}

/// Exchanges a file for another in one step, as careful programs do.
fn exchange(path: &Path, bytes: &[u8]) {
    let aside = path.with_extension("new");
    fs::write(&aside, bytes).unwrap();
    fs::rename(aside, path).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_calculator_calculates() {
    let home = with("aimu-tool-calculator");
    let host = host(&home);
    let evaluate = tool(&host, "calculator", "evaluate").await;
    assert_eq!(says(&evaluate, json!({"expression": "2 * (3 + 4)^2"})).await, "98");
    let failure = run(&evaluate, json!({"expression": "two and two"})).await.unwrap_err();
    assert!(failure.contains("can't be computed"), "{failure}");
    let failure = run(&evaluate, json!({"expr": 1})).await.unwrap_err();
    assert!(failure.contains("the arguments do not fit"), "{failure}");

    // As a toolbox takes it: a name and a schema that services take, and a question before each call.
    let definition = evaluate.definition();
    assert_eq!(
        (&*definition.name, &definition.parameters["type"]),
        ("calculator__evaluate", &json!("object"))
    );
    assert_eq!(evaluate.approval(), Approval::Ask);
    let mut toolbox = Toolbox::new();
    toolbox.add_shared(evaluate).unwrap();
    assert_eq!(toolbox.definitions().count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_calls_run_at_once_and_share_nothing() {
    let home = home(&["tool_misbehaves"]);
    let host = host(&home);
    let counts = tool(&host, "tool-misbehaves", "counts").await;
    let calls = (0..50).map(|_| says(&counts, json!({})));
    assert!(futures::future::join_all(calls).await.iter().all(|count| count == "1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn tools_are_no_providers_and_providers_no_tools() {
    let home = with("aimu-tool-calculator");
    home.install("trap");
    let host = host(&home);
    let failure = host.client("calculator:x").await.err().unwrap();
    assert!(
        failure.kind == FailureKind::NotFound && failure.message.contains("-T calculator"),
        "{failure:?}"
    );
    assert!(host.providers().await.iter().all(|provider| provider.name != "calculator"));
    assert!(
        host.models(&ModelQuery::default()).await.unwrap().iter().all(|model| model.provider != "calculator")
    );
    assert!(host.tools_of("trap").await.err().unwrap().message.contains("it is a provider"));
    assert!(host.tools_of("echo").await.err().unwrap().message.contains("it is a provider"));
    let failure = host.tools_of("nowhere").await.err().unwrap();
    assert!(failure.kind == FailureKind::NotFound && failure.message.contains("calculator"), "{failure:?}");

    // Nor does one stand on a name of the configuration.
    fs::write(home.data().join("config.toml"), "[providers.mine]\nplugin = \"calculator\"\n").unwrap();
    let out = home.aimu(["chat", "mine:x", "Hi"]).run().exits(2);
    out.says(&["`calculator` is no provider"]);
    // What there is to call is listed without a complaint.
    let listed = home.aimu(["models", "--provider", "echo"]).run().ok();
    assert_eq!(listed.stderr, "");
}

#[test]
fn a_component_is_listed_and_inspected_as_what_it_is() {
    let home = with("aimu-tool-calculator");
    let all = home.aimu(["plugins", "list", "--json"]).run().ok().json();
    let listed = all.as_array().unwrap().iter().find(|plugin| plugin["id"] == "calculator").unwrap();
    assert_eq!((&listed["ok"], &listed["kinds"]), (&json!(true), &json!(["tools"])));
    assert_eq!((&listed["contract"], &listed["grants"]["state"]), (&json!("0.1.0"), &json!("nothing-asked")));
    assert_eq!(listed["description"]["tools"][0]["name"], "evaluate");
    let told = home.aimu(["plugins", "inspect", "calculator"]).run().ok().stdout;
    for word in ["calculator 0.1.0 (Calculator)", "evaluate: Computes", "nothing: no network, no keys"] {
        assert!(told.contains(word), "{word} is not in: {told}");
    }
    let doctor = home.aimu(["doctor", "--json"]).run().json();
    assert!(!doctor["problems"].to_string().contains("calculator"), "{doctor}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_build_is_taken_up_by_tools_that_are_there_already() {
    let home = home(&["tool_misbehaves"]);
    let file = home.plugins().join("tool_misbehaves.wasm");
    let host = host(&home);
    let counts = tool(&host, "tool-misbehaves", "counts").await;
    assert_eq!(says(&counts, json!({})).await, "1");
    exchange(&file, &changed("tool_misbehaves", 1));
    host.reload().await;
    assert_eq!(says(&counts, json!({})).await, "1");
    // A broken one changes nothing.
    exchange(&file, b"broken");
    host.reload().await;
    assert_eq!(says(&counts, json!({})).await, "1");
    let listed = host.plugins().await;
    assert!(listed.iter().any(|plugin| plugin.id == "tool-misbehaves" && plugin.broken.is_some()));

    fs::remove_file(&file).unwrap();
    host.reload().await;
    let failure = run(&counts, json!({})).await.unwrap_err();
    assert!(failure.contains("no plugin `tool-misbehaves`"), "{failure}");
    // One that comes later is there without being asked for.
    fs::copy(guest("tool_lies"), home.plugins().join("later.wasm")).unwrap();
    host.reload().await;
    assert_eq!(host.tools_of("tool-lies").await.unwrap().len(), 3);
}
