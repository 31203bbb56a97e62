//! What components that did not come with the program may use: nothing until the user allows it, for the bytes that the
//! user saw, kept where nobody else writes; and what becomes of that when the bytes change.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "grants/drop_zone.rs"]
mod drop_zone;
#[path = "grants/kept.rs"]
mod kept;
#[path = "grants/lock.rs"]
mod lock;
#[path = "grants/question.rs"]
mod question;
#[path = "grants/settings.rs"]
mod settings;
mod support;

use aimu_host::{FailureKind, Host};
use serde_json::{Value, json};
use std::fs;
use support::program::Outcome;
use support::server::Server;
use support::{Home, changed};

/// The variable and value of the key that `asks` asks for.
const KEY: (&str, &str) = ("ASKS_API_KEY", "sk-test-71c09ad2");

/// A home of its own, so that tests do not see each other's grants, with these guests.
fn home(guests: &[&str]) -> Home {
    let home = Home::fresh();
    guests.iter().for_each(|guest| drop(home.install(guest)));
    home
}

/// Exchanges the component of the id `asks`.
fn exchange(home: &Home, bytes: &[u8]) {
    home.put("asks.wasm", bytes);
}

fn chat(home: &Home) -> Outcome {
    home.aimu(["chat", "asks:x", "--request", "-", "--json"])
        .env(KEY.0, KEY.1)
        .input(r#"{"messages":[{"role":"user","content":"Hi"}]}"#)
        .run()
}

/// The call fails as refused; its message.
#[track_caller]
fn denied(home: &Home) -> String {
    chat(home).failed(&["denied"])["error"]["message"].as_str().unwrap().to_owned()
}

/// The call goes through; the text.
#[track_caller]
fn text(home: &Home) -> String {
    chat(home).ok().json()["text"].as_str().unwrap().to_owned()
}

fn allow(home: &Home, more: &[&str]) -> Outcome {
    home.aimu(["plugins", "allow", "asks"].iter().chain(more)).run()
}

/// The plugin's object in `plugins list --json`.
fn listed(home: &Home, id: &str) -> Value {
    let all = home.aimu(["plugins", "list", "--json"]).run().ok().json();
    all.as_array().unwrap().iter().find(|plugin| plugin["id"] == id).unwrap().clone()
}

const ALL: &str = r#"credentials: ["api-key"]"#;
const NONE: &str = "credentials: []";

#[test]
fn nothing_is_granted_until_it_is_allowed() {
    let home = home(&["asks"]);
    let message = denied(&home);
    for word in ["asks.wasm", "https://api.asks.example", "https://files.asks.example", "api-key", KEY.0] {
        assert!(message.contains(word), "{word} is not in: {message}");
    }
    // Nobody can be asked here, and so the message says how it is done without a question.
    for word in ["aimu-host plugins allow asks", "`--yes`", "`--allow`"] {
        assert!(message.contains(word), "{word} is not in: {message}");
    }
    assert_eq!(listed(&home, "asks")["grants"]["state"], "not-allowed");

    // Where nobody can be asked, it has to be said.
    let silent = allow(&home, &[]).exits(1);
    assert!(
        silent.stderr.contains("--yes") && silent.stderr.contains("https://api.asks.example"),
        "{silent:?}"
    );
    denied(&home);

    let told = allow(&home, &["--yes"]).ok();
    assert!(
        told.stdout.contains("https://files.asks.example") && told.stdout.contains("api-key"),
        "{told:?}"
    );
    assert_eq!(text(&home), ALL);
    let grants = listed(&home, "asks")["grants"].clone();
    assert_eq!((&grants["state"], &grants["missing"]["origins"]), (&json!("allowed"), &json!([])));
    assert!(grants["allowed"].as_str().unwrap().starts_with("20"), "{grants}");
    assert!(grants["source"].as_str().unwrap().ends_with("asks.wasm"), "{grants}");
    // Once is enough, and again does no harm.
    assert_eq!(allow(&home, &["--json"]).ok().json()["state"], "allowed");
}

#[test]
fn the_command_of_the_message_allows_it() {
    let home = home(&["asks"]);
    let message = denied(&home);
    let command = message.split('`').find(|part| part.starts_with("aimu-host plugins allow")).unwrap();
    let words: Vec<&str> = command.split(' ').skip(1).chain(["--yes"]).collect();
    // The folder of plugins is part of the command.
    home.aimu(words).default_plugins().run().ok();
    assert_eq!(text(&home), ALL);
}

#[test]
fn for_one_run_is_for_one_run() {
    let home = home(&["asks"]);
    let once = home.aimu(["chat", "asks:x", "Hi", "--allow"]).env(KEY.0, KEY.1).run().ok();
    assert_eq!(once.stdout.trim(), ALL);
    denied(&home);
    assert!(!home.data().join("grants.toml").exists());
}

#[test]
fn some_of_it_can_be_allowed() {
    let home = home(&["asks"]);
    let files = ["--origin", "https://files.asks.example", "--json"];
    let grants = allow(&home, &files).ok().json();
    assert_eq!((&grants["ok"], &grants["state"]), (&json!(true), &json!("partly-allowed")));
    assert_eq!(grants["missing"]["origins"], json!(["https://api.asks.example"]));
    // Its own server is still missing, and the message says so.
    let message = denied(&home);
    assert!(message.contains("https://api.asks.example") && !message.contains("files.asks"), "{message}");

    // What is allowed adds up, in whatever spelling.
    allow(&home, &["--origin", "https://API.asks.example:443/"]).ok();
    assert_eq!(text(&home), NONE);
    let told = home.aimu(["plugins", "inspect", "asks"]).run().ok().stdout;
    assert!(told.contains("missing   key: api-key"), "{told}");
    let list = home.aimu(["plugins", "list"]).run().ok().stdout;
    assert!(list.contains("in part"), "{list}");
    allow(&home, &["--credential", "api-key"]).ok();
    assert_eq!(text(&home), ALL);
}

#[test]
fn what_is_not_asked_for_is_not_allowed() {
    let home = home(&["asks"]);
    for (option, value) in [
        ("--origin", "https://other.example"),
        ("--origin", "http://api.asks.example"),
        ("--origin", "*"),
        ("--credential", "other"),
        ("--credential", "ASKS_API_KEY"),
    ] {
        allow(&home, &[option, value]).exits(2).says(&[value, "https://api.asks.example"]);
    }
    assert!(!home.data().join("grants.toml").exists());
    for (name, word) in [("nowhere", "nowhere"), ("echo", "comes with the program")] {
        let failed = home.aimu(["plugins", "allow", name, "--yes", "--json"]).run().exits(2);
        assert!(failed.json()["error"]["message"].as_str().unwrap().contains(word), "{failed:?}");
    }
    let broken = home.put("broken.wasm", b"no component");
    home.aimu(["plugins", "allow", "broken", "--yes"]).run().exits(1).says(&[broken.to_str().unwrap()]);
}

#[test]
fn what_is_taken_back_is_gone_at_once() {
    let home = home(&["asks"]);
    allow(&home, &["--yes"]).ok();
    assert_eq!(text(&home), ALL);
    let revoked = home.aimu(["plugins", "revoke", "asks", "--json"]).run().ok().json();
    assert_eq!(revoked, json!({ "ok": true, "plugin": "asks", "revoked": true }));
    denied(&home);
    assert_eq!(home.aimu(["plugins", "revoke", "asks", "--json"]).run().ok().json()["revoked"], false);
    home.aimu(["plugins", "revoke", "nowhere"]).run().exits(2).says(&["nowhere"]);
    // The component need not be there.
    allow(&home, &["--yes"]).ok();
    fs::remove_file(home.plugins().join("asks.wasm")).unwrap();
    home.aimu(["plugins", "revoke", "asks"]).run().ok();
    home.install("asks");
    denied(&home);
}

#[test]
fn a_key_follows_its_grant() {
    let home = home(&["well_behaved"]);
    let server = Server::start(|_, connection| {
        connection.stream()?;
        connection.chunk("data: fine\n\ndata: .\n\n")?;
        connection.end()
    });
    let model = format!("well-behaved:known@{}", server.url());
    let sent = || {
        home.aimu(["chat", &model, "Hi"]).env("WELL_BEHAVED_API_KEY", KEY.1).run().ok();
        server.requests().last().unwrap().header("x-key").map(str::to_owned)
    };
    // A server that the user names is granted by that, and a key is not.
    assert_eq!(sent(), None);
    home.aimu(["plugins", "allow", "well-behaved", "--credential", "api-key"]).run().ok();
    assert_eq!(sent().unwrap(), format!("Key {}", KEY.1));
    home.aimu(["plugins", "revoke", "well-behaved"]).run().ok();
    assert_eq!(sent(), None);
}

#[test]
fn changed_bytes_that_ask_for_no_more_keep_what_was_allowed() {
    let home = home(&["asks"]);
    allow(&home, &["--yes"]).ok();
    exchange(&home, &changed("asks", 1));
    let first = chat(&home).ok();
    assert_eq!(first.json()["text"], ALL);
    let notes: Vec<&str> = first.stderr.lines().collect();
    assert!(
        notes.len() == 1 && notes[0].starts_with("note: ") && notes[0].contains("has changed"),
        "{first:?}"
    );
    // It was kept for these bytes, so it is said once.
    assert_eq!(chat(&home).ok().stderr, "");
    exchange(&home, &fs::read(support::guest("asks")).unwrap());
    assert_eq!(chat(&home).ok().stderr, "");
    // What was taken back is so for all of them.
    home.aimu(["plugins", "revoke", "asks"]).run().ok();
    denied(&home);
    exchange(&home, &changed("asks", 1));
    denied(&home);
}

#[test]
fn what_lies_in_another_folder_takes_no_grant_over() {
    let home = home(&[]);
    let file = support::guest("asks");
    home.aimu(["plugins", "add", file.to_str().unwrap()]).default_plugins().run().ok();
    home.aimu(["plugins", "allow", "asks", "--yes"]).default_plugins().run().ok();
    // A project of somebody who knows which plugins people have: `./plugins` is looked into first.
    let here = tempfile::tempdir().unwrap();
    fs::create_dir(here.path().join("plugins")).unwrap();
    fs::write(here.path().join("plugins/any.wasm"), changed("asks", 1)).unwrap();
    let chat = || home.aimu(["chat", "asks:x", "Hi"]).env(KEY.0, KEY.1).default_plugins();
    chat().in_folder(here.path()).run().exits(1).says(&["any.wasm", "plugins allow asks"]);
    assert_eq!(chat().run().ok().stdout.trim(), ALL);
}

#[test]
fn changed_bytes_keep_no_more_than_was_allowed() {
    let home = home(&["asks"]);
    allow(&home, &["--origin", "https://api.asks.example"]).ok();
    exchange(&home, &changed("asks", 1));
    assert_eq!(text(&home), NONE);
    assert_eq!(listed(&home, "asks")["grants"]["state"], "partly-allowed");
}

#[test]
fn changed_bytes_that_ask_for_more_are_suspended() {
    let home = home(&["asks"]);
    allow(&home, &["--yes"]).ok();
    exchange(&home, &fs::read(support::guest("asks_more")).unwrap());
    let message = denied(&home);
    for word in
        ["changed", "suspended", "https://collector.example", "ANTHROPIC_API_KEY", "plugins allow asks"]
    {
        assert!(message.contains(word), "{word} is not in: {message}");
    }
    // The difference alone is shown.
    assert!(
        !message.contains("files.asks.example") && !message.contains("https://api.asks.example"),
        "{message}"
    );
    // A server that the user names does not help.
    let named = home.aimu(["chat", "asks:x@http://127.0.0.1:9", "Hi"]).run().exits(1);
    named.says(&["suspended"]);
    let plugin = listed(&home, "asks")["grants"].clone();
    assert_eq!((&plugin["state"], &plugin["granted"]["origins"]), (&json!("suspended"), &json!([])));
    assert_eq!(plugin["new"]["origins"], json!(["https://collector.example"]));
    assert_eq!(plugin["new"]["credentials"][0]["from"], json!(["ANTHROPIC_API_KEY"]));
    assert!(home.aimu(["plugins", "list"]).run().ok().stdout.contains("suspended"));

    // The bytes before work as ever, and the new ones once they are allowed.
    exchange(&home, &fs::read(support::guest("asks")).unwrap());
    assert_eq!(text(&home), ALL);
    exchange(&home, &fs::read(support::guest("asks_more")).unwrap());
    allow(&home, &["--yes"]).ok();
    assert_eq!(text(&home), format!("more {NONE}"));
    // Back again is the same or less, but for the variable of the key.
    exchange(&home, &fs::read(support::guest("asks")).unwrap());
    assert!(denied(&home).contains(KEY.0));
}

#[test]
fn providers_that_come_with_the_program_need_no_grant() {
    let home = home(&[]);
    assert_eq!(home.aimu(["chat", "echo:echo", "Hi"]).run().ok().stdout, "Hi\n");
    assert_eq!(listed(&home, "anthropic")["grants"]["state"], "first-party");
    let told = home.aimu(["plugins", "inspect", "anthropic"]).run().ok().stdout;
    assert!(told.contains("comes with the program"), "{told}");
    // Nor do those that ask for nothing.
    home.install("trap");
    assert_eq!(listed(&home, "trap")["grants"]["state"], "nothing-asked");
    assert!(!home.data().join("grants.toml").exists());
}

#[test]
fn an_instance_that_stands_on_a_component_is_allowed_by_its_name() {
    let home = home(&[]);
    let file = home.data().join("own.wasm");
    fs::copy(support::guest("asks"), &file).unwrap();
    let config = format!("[providers.mine]\nplugin = \"{}\"\n", file.display());
    fs::write(home.data().join("config.toml"), config).unwrap();
    let chat = || home.aimu(["chat", "mine:x", "Hi"]).env(KEY.0, KEY.1).run();
    chat().exits(1).says(&["aimu-host plugins allow mine"]);
    home.aimu(["plugins", "allow", "mine", "--yes"]).run().ok();
    assert_eq!(chat().ok().stdout.trim(), ALL);
    home.aimu(["plugins", "revoke", "mine"]).run().ok();
    chat().exits(1);
}

#[test]
fn a_program_that_waits_allows_and_takes_back() {
    let home = home(&["asks"]);
    let host = Host::builder().home(aimu_host::Home::at(home.data())).plugin_dir(home.plugins()).retries(0);
    let host = aimu_host::blocking::Host::new(host.build().unwrap()).unwrap();
    let refused = host.client("asks:x").err().unwrap();
    // A program may have a terminal of its own.
    assert!(refused.kind == FailureKind::Denied && !refused.message.contains("--yes"), "{refused:?}");
    let seen = host.undecided("asks:x").unwrap().unwrap();
    assert_eq!(host.plugin_grants("asks").unwrap(), seen);
    let now = host.allow_plugin(&seen, &seen.asked).unwrap();
    assert_eq!(now.state, aimu_host::GrantState::Allowed);
    assert_eq!(host.client("asks:x").unwrap().chat("Hi").unwrap().text, NONE);
    let (lock, left_out) = host.plugin_lock(&home.data().join("plugins.lock")).unwrap();
    assert!(lock.plugins.len() == 1 && left_out.is_empty());
    assert!(host.revoke_plugin("asks").unwrap());
    assert_eq!(host.client("asks:x").err().unwrap().kind, FailureKind::Denied);
    host.remove_plugin("asks").unwrap();
    assert!(!home.plugins().join("asks.wasm").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_allows_and_takes_back_while_it_runs() {
    let home = home(&["asks", "well_behaved"]);
    let host = Host::builder()
        .home(aimu_host::Home::at(home.data()))
        .plugin_dir(home.plugins())
        .retries(0)
        .build()
        .unwrap();
    assert_eq!(host.client("asks:x").await.err().unwrap().kind, FailureKind::Denied);
    let seen = host.undecided("asks:x").await.unwrap().unwrap();
    // Only what is asked for.
    let mut more = seen.asked.clone();
    more.origins.insert("https://other.example".to_owned());
    assert_eq!(host.allow_plugin(&seen, &more).await.unwrap_err().kind, FailureKind::InvalidRequest);
    // Only what was seen.
    let other = aimu_host::PluginGrants { sha256: "0".repeat(64), ..seen.clone() };
    assert_eq!(host.allow_plugin(&other, &seen.asked).await.unwrap_err().kind, FailureKind::Denied);
    host.allow_plugin(&seen, &seen.asked).await.unwrap();
    assert!(host.undecided("asks:x").await.unwrap().is_none());
    assert_eq!(host.client("asks:x").await.unwrap().chat("Hi").await.unwrap().text, NONE);

    // A client that is there already loses its grant, too.
    let server = Server::start(|_, connection| {
        connection.stream()?;
        connection.chunk("data: fine\n\ndata: .\n\n")?;
        connection.end()
    });
    let seen = host.plugin_grants("well-behaved").await.unwrap();
    host.allow_plugin(&seen, &seen.asked).await.unwrap();
    let mut client = host.client(format!("well-behaved:known@{}", server.url())).await.unwrap();
    assert_eq!(client.chat("Hi").await.unwrap().text, "fine");
    home.aimu(["plugins", "revoke", "well-behaved"]).run().ok();
    let failure = client.chat("Hi").await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Denied, "{failure:?}");
    assert!(failure.message.contains("taken back"), "{failure:?}");
    assert_eq!(server.requests().len(), 1);
}
