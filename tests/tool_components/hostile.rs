//! Tools that misbehave: each call ends in a clear message, and the next one works.

use super::{host, limited, run, says, tool};
use crate::support::Home;
use aimu_host::{Media, MediaSource, ToolOutput, Toolbox};
use serde_json::json;
use std::time::{Duration, Instant};

/// A bound that nothing reaches unless it hangs.
const SOON: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn a_call_ends_within_its_limits_and_names_the_plugin() {
    let home = Home::with(&["tool_misbehaves"]);
    let limits = [("cpu", "300ms"), ("total", "2s"), ("memory", "64m")];
    let host = limited(&home, &limits);
    for (name, words) in [
        ("spins", "reached its limit `cpu`"),
        ("sleeps", "the `total` deadline"),
        ("allocates", "reached its limit `memory`"),
        ("recurses", "reached its limit `stack`"),
        ("panics", "no cheese today"),
        ("huge", "reached its limit `tool-reply`"),
        ("huge-failure", "reached its limit `tool-reply`"),
        ("huge-json", "reached its limit `event`"),
        ("broken-json", "is not JSON"),
        ("deep-json", "is not JSON"),
        ("broken-text", "broke the contract"),
        ("links", "media that are no bytes"),
        ("asks", "http://127.0.0.1:9 is not granted"),
        ("sets-a-key", "http://127.0.0.1:9 is not granted"),
    ] {
        let (started, misbehaves) = (Instant::now(), tool(&host, "tool-misbehaves", name).await);
        let told = run(&misbehaves, json!({"url": "http://127.0.0.1:9/"})).await.expect_err(name);
        assert!(told.contains(words) && told.contains("the plugin `tool-misbehaves`"), "{name}: {told}");
        assert!(told.len() < 2_000 && started.elapsed() < SOON, "{name}: {told}");
        assert_eq!(
            says(&tool(&host, "tool-misbehaves", "counts").await, json!({})).await,
            "1",
            "after {name}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_the_machine_is_there() {
    let home = Home::with(&["tool_misbehaves"]);
    let host = host(&home);
    assert_eq!(says(&tool(&host, "tool-misbehaves", "looks-around").await, json!({})).await, "found: []");
}

#[tokio::test(flavor = "multi_thread")]
async fn pictures_come_as_bytes() {
    let home = Home::with(&["tool_misbehaves"]);
    let host = host(&home);
    let reply = run(&tool(&host, "tool-misbehaves", "picture").await, json!({})).await.unwrap();
    let [ToolOutput::Media(Media { source: MediaSource::Bytes(bytes), .. })] = &reply.output[..] else {
        panic!("{reply:?}")
    };
    assert_eq!(bytes, b"\x89PNG");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_dropped_ends() {
    let home = Home::with(&["tool_misbehaves"]);
    let host = host(&home);
    let sleeps = tool(&host, "tool-misbehaves", "sleeps").await;
    let dropped = tokio::time::timeout(Duration::from_millis(300), run(&sleeps, json!({}))).await;
    assert!(dropped.is_err());
    assert_eq!(says(&tool(&host, "tool-misbehaves", "counts").await, json!({})).await, "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_toolbox_takes_what_is_right_of_a_list_and_names_the_rest() {
    let home = Home::with(&["tool_lies"]);
    let host = host(&home);
    let mut toolbox = Toolbox::new();
    let refused: Vec<String> = host
        .tools_of("tool-lies")
        .await
        .unwrap()
        .into_iter()
        .filter_map(|tool| Some(toolbox.add_shared(tool).err()?.message))
        .collect();
    assert_eq!(toolbox.definitions().map(|tool| &*tool.name).collect::<Vec<_>>(), ["tool-lies__fine"]);
    assert!(refused.len() == 2 && refused[0].contains("tool-lies__no_schema"), "{refused:?}");
    assert!(
        refused[0].contains("no JSON Schema") && refused[1].contains("stands there twice"),
        "{refused:?}"
    );
}

#[test]
fn components_that_break_the_contract_are_listed_with_the_reason() {
    let home = Home::with(&["tool_no_json", "tool_and_provider"]);
    let listed = home.aimu(["plugins", "list"]).run().ok().stdout;
    for words in
        ["`tool.parameters` is not JSON", "exports both `aimu:tool` and `aimu:provider`", "make two of it"]
    {
        assert!(listed.contains(words), "{words} is not in: {listed}");
    }
}
