//! Models that are really there, on demand: `cargo xtask test --live anthropic`, with the key in the environment, or
//! `--live ollama` with its server running. `AIMU_LIVE` names them. By default none is asked, and that is said.
//!
//! The steps are a function over a model string. They are always run against a server of this test, and against one
//! that does each thing wrong: a test that seldom runs must not be one that can't.
#![allow(missing_docs, unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "live/choice.rs"]
mod choice;
#[path = "live/fake.rs"]
mod fake;
#[path = "live/picture.rs"]
mod picture;
#[path = "live/steps.rs"]
mod steps;
mod support;

use aimu_host::Host;
use fake::Fault;
use std::io::Write;
use steps::{Outcome, STEPS};
use support::Home;

/// The variable that names providers and models, as `cargo xtask test --live` sets it.
const VARIABLE: &str = "AIMU_LIVE";

#[tokio::test]
async fn live() {
    let named = std::env::var(VARIABLE).unwrap_or_default();
    let asked = choice::asked(&named);
    if asked.is_empty() {
        return support::skip(
            "live tests",
            "none was asked for; `cargo xtask test --live anthropic` (or any provider, or `ollama:qwen3:8b`) runs them",
        );
    }
    // With the configuration of who runs it: instances of their own can be named, too.
    let host = Host::builder().build().unwrap();
    let mut failures = Vec::new();
    for named in asked {
        let model = match choice::choose(&host, named).await {
            Ok(model) => model,
            Err(why) => {
                failures.push(format!("{named}: {why}"));
                continue;
            }
        };
        for (step, outcome) in steps::run(&host, &model).await {
            match outcome {
                // Past the capture of the test runner: it should be seen what was asked of whom.
                Outcome::Passed => writeln!(std::io::stderr(), "live {model}, {step}: passed").unwrap(),
                Outcome::Skipped(why) => support::skip(&format!("live {model}, {step}"), &why),
                Outcome::Failed(why) => failures.push(format!("{model}, {step}: {why}")),
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// A host with this configuration.
fn host(home: &Home, configuration: &str) -> Host {
    std::fs::write(home.data().join("config.toml"), configuration).unwrap();
    let builder = Host::builder().home(aimu_host::Home::at(home.data())).plugin_dir(home.plugins());
    builder.retries(0).build().unwrap()
}

#[tokio::test]
async fn every_step_can_pass() {
    let server = fake::start(Fault::None);
    let model = format!("openai-compat:{}@{}/v1;tools,vision,structured", fake::MODEL, server.url());
    let outcomes = steps::run(&host(&Home::new(), ""), &model).await;
    assert_eq!(outcomes, STEPS.map(|step| (step, Outcome::Passed)));
}

#[tokio::test]
async fn every_step_can_fail() {
    let host = host(&Home::new(), "");
    for (fault, step, word) in [
        (Fault::Forgets, "conversation", "7421"),
        (Fault::OnePiece, "streaming", "one piece"),
        (Fault::OtherTool, "tools", "open"),
        (Fault::NoTool, "tools", "no tool was called"),
        (Fault::Deaf, "tools", "58213"),
        (Fault::ColourBlind, "image", "red"),
        (Fault::Prose, "structured output", "Here it is"),
    ] {
        let server = fake::start(fault);
        let model = format!("openai-compat:{}@{}/v1;tools,vision,structured", fake::MODEL, server.url());
        let failed: Vec<_> = steps::run(&host, &model)
            .await
            .into_iter()
            .filter_map(|(step, outcome)| match outcome {
                Outcome::Failed(why) => Some((step, why)),
                _ => None,
            })
            .collect();
        let [(which, why)] = failed.as_slice() else { panic!("{fault:?}: {failed:?}") };
        assert!(*which == step && why.contains(word), "{fault:?}: {failed:?}");
    }
}

#[tokio::test]
async fn a_model_is_chosen_and_what_it_is_not_known_for_is_skipped() {
    let server = fake::start(Fault::None);
    let url = format!("{}/v1", server.url());
    let home = Home::fresh();
    let host = host(&home, &format!("[providers.mine]\nplugin = \"openai-compat\"\nbase-url = \"{url}\"\n"));
    // By asking a server; from the catalogue of a service; as it was named.
    let chosen = choice::choose(&host, "mine").await.unwrap();
    assert_eq!(chosen, format!("mine:{}", fake::MODEL));
    let named = format!("openai-compat@{url}");
    assert_eq!(choice::choose(&host, &named).await, Ok(format!("openai-compat:{}@{url}", fake::MODEL)));
    assert_eq!(choice::choose(&host, "ollama:qwen3:8b").await.as_deref(), Ok("ollama:qwen3:8b"));
    for service in ["anthropic", "openai", "gemini"] {
        let model = choice::choose(&host, service).await.unwrap();
        let spec = host.model(&model).await.unwrap().unwrap();
        assert!(spec.capabilities.contains(&aimu_host::Capability::Vision), "{model}");
    }
    assert!(choice::choose(&host, "nobody").await.unwrap_err().contains("no provider `nobody`"));
    for (step, outcome) in steps::run(&host, &chosen).await {
        match (step, outcome) {
            ("conversation" | "streaming", Outcome::Passed) => {}
            ("tools" | "image" | "structured output", Outcome::Skipped(why)) => {
                assert!(why.contains(&format!("--live '{chosen};")), "{why}");
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn what_is_missing_fails_with_what_to_do() {
    let home = Home::fresh();
    let closed = format!("http://{}/v1", support::server::closed_port());
    let host = host(
        &home,
        &format!(
            "[providers.keyed]\nplugin = \"openai-compat\"\nbase-url = \"{closed}\"\n\
             credential = {{ source = {{ env = [\"AIMU_HOST_TEST_UNSET_KEY\"] }}, required = true }}\n\
             [providers.down]\nplugin = \"openai-compat\"\nbase-url = \"{closed}\"\n"
        ),
    );
    for (name, words) in [("keyed", "AIMU_HOST_TEST_UNSET_KEY"), ("down", "start its server")] {
        assert!(choice::choose(&host, name).await.unwrap_err().contains(words), "{name}");
        let outcomes = steps::run(&host, &format!("{name}:m")).await;
        let [(_, Outcome::Failed(why))] = outcomes.as_slice() else { panic!("{outcomes:?}") };
        assert!(why.contains(words), "{why}");
    }
}

#[test]
fn several_can_be_named() {
    let list = "anthropic, ollama:qwen3:8b\nmine:m;tools,vision\n\n";
    assert_eq!(choice::asked(list), ["anthropic", "ollama:qwen3:8b", "mine:m;tools,vision"]);
    assert!(choice::asked(" ,\n").is_empty());
}
