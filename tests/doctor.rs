//! `aimu-host doctor`: all that is wrong in one look, and nothing that stops it.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use serde_json::{Value, json};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use support::program::Outcome;
use support::server::{Server, closed_port};
use support::{Home, guest};

/// Part of a key that must be seen nowhere.
const SECRET: &str = "sk-test-5b1e90d7c2";

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// A home in which nothing is wrong.
fn home() -> Home {
    let home = Home::fresh();
    set_mode(home.data(), 0o700);
    home
}

fn doctor(home: &Home) -> Outcome {
    home.aimu(["doctor", "--json"]).run()
}

/// Finds the object whose member has this value.
#[track_caller]
fn of<'a>(list: &'a Value, member: &str, value: &str) -> &'a Value {
    let found = list.as_array().unwrap().iter().find(|object| object[member] == value);
    found.unwrap_or_else(|| panic!("there is no {value} in {list}"))
}

/// There is something to act on; the problem with this word in it.
#[track_caller]
fn problem(outcome: Outcome, word: &str) -> String {
    let checkup = outcome.exits(1).json();
    assert_eq!(checkup["ok"], false);
    let problems = checkup["problems"].as_array().unwrap().iter().map(|problem| problem.as_str().unwrap());
    let found: Vec<&str> = problems.filter(|problem| problem.contains(word)).collect();
    assert_eq!(found.len(), 1, "{word} is not one of: {checkup}");
    found[0].to_owned()
}

#[test]
fn nothing_is_wrong_with_a_new_home() {
    let home = home();
    let checkup = doctor(&home).ok().json();
    assert_eq!((&checkup["ok"], &checkup["problems"]), (&json!(true), &json!([])));
    let versions = &checkup["versions"];
    assert_eq!(versions["contract"], "aimu:provider@0.1.0");
    assert!(versions["engine"].as_str().unwrap().starts_with("wasmtime 48."), "{versions}");
    assert_eq!(of(&checkup["plugins"], "id", "echo")["grants"], "first-party");
    let data = of(&checkup["places"], "what", "data");
    assert_eq!(
        (&data["exists"], &data["mode"], &data["writable"]),
        (&json!(true), &json!("700"), &json!(true))
    );
    // Before the first run there is no cache, and no harm in that.
    assert_eq!(of(&checkup["places"], "what", "cache")["problem"], Value::Null);
    assert!(!checkup["not_checked"].as_array().unwrap().is_empty());
    assert!(checkup["keys"].as_array().unwrap().iter().all(|key| key["from"] != ""), "{checkup}");
    let told = home.aimu(["doctor"]).run().ok().stdout;
    for word in
        ["wasmtime 48.", "echo", "keys missing", "ANTHROPIC_API_KEY", "not checked", "nothing is wrong"]
    {
        assert!(told.contains(word), "{word} is not in {told}");
    }
}

#[test]
fn keys_are_there_or_not_by_name() {
    let home = home();
    let run = |arguments: &[&str]| {
        let program = home.aimu(arguments).env("ANTHROPIC_API_KEY", SECRET);
        program.env("AWS_ACCESS_KEY_ID", SECRET).run()
    };
    let outcome = run(&["doctor", "--json"]);
    assert!(!format!("{outcome:?}").contains(SECRET));
    let checkup = outcome.json();
    let state = |provider: &str| of(&checkup["keys"], "provider", provider)["state"].clone();
    assert_eq!((state("anthropic"), state("openai")), (json!("present"), json!("missing")));
    // One of two fields is a mistake, and a key that is missing is none.
    assert!(problem(outcome, "AWS_SECRET_ACCESS_KEY").contains("bedrock"));
    let told = run(&["doctor"]).exits(1);
    assert!(
        !format!("{told:?}").contains(SECRET) && told.stdout.contains("keys present:\n  ANTHROPIC_API_KEY"),
        "{told:?}"
    );
}

#[test]
fn broken_and_suspended_plugins_are_told_with_what_to_do() {
    let home = home();
    home.install("asks");
    assert_eq!(of(&doctor(&home).ok().json()["plugins"], "id", "asks")["grants"], "not-allowed");
    home.aimu(["plugins", "allow", "asks", "--yes"]).run().ok();
    fs::copy(guest("asks_more"), home.plugins().join("asks.wasm")).unwrap();
    let told = problem(doctor(&home), "`asks`");
    assert!(told.contains("asks for more") && told.contains("plugins allow asks"), "{told}");
    fs::copy(guest("asks"), home.plugins().join("asks.wasm")).unwrap();

    home.put("bro\u{1b}[2Jken.wasm", b"no component");
    let told = problem(doctor(&home), "WebAssembly");
    assert!(told.contains("plugins remove") && !told.contains('\u{1b}'), "{told}");
    let told = home.aimu(["doctor"]).run().exits(1);
    assert!(told.stdout.contains("can't be used") && told.stdout.contains("to be done"), "{told:?}");
    assert!(!told.stdout.contains('\u{1b}'), "{told:?}");
}

#[test]
fn files_that_are_damaged_hide_nothing_else() {
    let home = home();
    let config = home.data().join("config.toml");
    fs::write(&config, "[providers.mine]\nplugin = \"echo\"\nbase_url = \"x\"\n").unwrap();
    set_mode(&config, 0o600);
    fs::write(home.data().join("grants.toml"), "version = 1\ngrunt = 1\n").unwrap();
    set_mode(&home.data().join("grants.toml"), 0o600);
    home.put("broken.wasm", b"no component");
    let outcome = doctor(&home);
    assert!(of(&outcome.json()["plugins"], "id", "echo")["ok"] == true);
    for word in ["base_url", "grunt", "broken.wasm"] {
        problem(doctor(&home), word);
    }
    // An instance that stands on nothing.
    fs::write(&config, "[providers.mine]\nplugin = \"nowhere\"\n").unwrap();
    problem(doctor(&home), "nowhere");
    // What is named and not there.
    let named = home.aimu(["doctor", "--json", "--config", "/nowhere/config.toml", "--locked"]).run();
    problem(named, "plugins.lock");
}

#[test]
fn modes_that_let_others_in_are_told() {
    let home = home();
    doctor(&home).ok();
    let cache = home.data().join("cache");
    set_mode(&cache, 0o755);
    assert!(problem(doctor(&home), "cache").contains("chmod 700"));
    set_mode(&cache, 0o700);
    set_mode(home.plugins(), 0o777);
    assert!(problem(doctor(&home), "plugins").contains("chmod o-w"));
    set_mode(home.plugins(), 0o700);
    set_mode(home.data(), 0o770);
    let checkup = doctor(&home).exits(1).json();
    assert!(checkup["problems"].to_string().contains("chmod go-w"), "{checkup}");
}

#[test]
fn servers_of_this_machine_are_asked() {
    let home = home();
    let models = br#"{"object":"list","data":[{"id":"a","object":"model"},{"id":"b","object":"model"}]}"#;
    let there = Server::answering(200, &[("content-type", "application/json")], models.to_vec());
    let refuses = Server::answering(401, &[("content-type", "application/json")], b"{}".to_vec());
    let config: String =
        [("there", there.url()), ("refuses", refuses.url()), ("gone", format!("http://{}", closed_port()))]
            .into_iter()
            .map(|(name, url)| {
                format!("[providers.{name}]\nplugin = \"openai-compat\"\nbase-url = \"{url}/v1\"\n")
            })
            .collect();
    fs::write(home.data().join("config.toml"), config).unwrap();
    set_mode(&home.data().join("config.toml"), 0o600);
    // Nothing of that is wrong: a server that does not run may be started. Each has half a second, which is little where
    // many tests run at once.
    let answers = |checkup: &Value| of(&checkup["servers"], "provider", "there")["reachable"] == true;
    let mut checkups = (0..20).map(|_| doctor(&home).ok().json());
    let checkup = checkups.find(answers).expect("the server is not found");
    let server = |name: &str| of(&checkup["servers"], "provider", name).clone();
    assert_eq!((&server("there")["reachable"], &server("there")["models"]), (&json!(true), &json!(2)));
    assert_eq!((&server("gone")["reachable"], &server("gone")["reason"]), (&json!(false), &Value::Null));
    assert!(server("refuses")["reachable"] == false && server("refuses")["reason"].is_string());
    assert!(server("ollama")["base_url"].as_str().unwrap().contains("11434"));
}
