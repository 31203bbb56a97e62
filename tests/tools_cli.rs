//! Tools at the command line: listed, looked at, run by hand and by models, with people there and without.
#![allow(missing_docs, unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "tools_cli/chat.rs"]
mod chat;
#[path = "tools_cli/fetch.rs"]
mod fetch;
#[path = "tools_cli/files.rs"]
mod files;
#[path = "tools/script.rs"]
mod script;
mod support;

use serde_json::{Value, json};
use support::Home;
use support::program::Outcome;

/// Runs one tool by hand.
fn call(home: &Home, name: &str, arguments: &Value) -> Outcome {
    home.aimu(["tools", "call", name, &arguments.to_string()]).run()
}

#[test]
fn what_there_is_is_listed() {
    let outcome = Home::new().aimu(["tools", "list", "--json"]).run().ok();
    let list = outcome.json();
    let tools: Vec<(&str, &str, &str)> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|tool| {
            let text = |member: &str| tool[member].as_str().unwrap();
            assert!(tool["kind"] == "builtin" && tool["parameters"]["type"] == "object", "{tool}");
            assert!(text("description").len() > 20, "{tool}");
            (text("source"), text("name"), text("approval"))
        })
        .collect();
    let all = [
        ("time", "time_now", "allow"),
        ("time", "time_convert", "allow"),
        ("calculator", "calculate", "allow"),
        ("files", "files_list", "allow"),
        ("files", "files_read", "allow"),
        ("web", "fetch_page", "ask"),
    ];
    assert_eq!(tools, all);

    let outcome = Home::new().aimu(["tools", "list", "-T", "time_n*", "-T", "web"]).run().ok();
    assert!(outcome.stdout.contains("time_now") && outcome.stdout.contains("fetch_page"), "{outcome:?}");
    assert!(!outcome.stdout.contains("time_convert"), "{outcome:?}");
}

#[test]
fn a_tool_is_looked_at() {
    let outcome = Home::new().aimu(["tools", "inspect", "time_convert", "--json"]).run().ok();
    let tool = outcome.json();
    assert_eq!(tool["parameters"]["required"], json!(["time", "to"]), "{tool}");
    assert!(tool["parameters"]["properties"]["from"]["description"].as_str().unwrap().contains("IANA"));
    let outcome = Home::new().aimu(["tools", "inspect", "files_read"]).run().ok();
    for said in ["files_read\n", "source     files (builtin)", "calls      allow", "\"offset\""] {
        assert!(outcome.stdout.contains(said), "{said}: {outcome:?}");
    }
}

#[test]
fn a_tool_is_run_by_hand() {
    let home = Home::new();
    assert_eq!(
        call(&home, "calculate", &json!({"expression": "2^64 - 1"})).ok().stdout,
        "18446744073709551615\n"
    );
    let outcome = home.aimu(["tools", "call", "calculate", "-"]).input(r#"{"expression": "7 * 6"}"#).run();
    assert_eq!(outcome.ok().stdout, "42\n");
    let berlin = json!({"time": "2026-07-01T12:00", "from": "Europe/Berlin", "to": "Tokyo"});
    let converted = call(&home, "time_convert", &berlin).ok().json();
    assert_eq!(converted["to"]["datetime"], "2026-07-01T19:00:00+09:00");
    assert_eq!(converted["to"]["weekday"], "Wednesday");
    let now = home.aimu(["tools", "call", "time_now", "{\"zone\": \"UTC\"}", "--json"]).run().ok().json();
    assert_eq!(now["ok"], true);
    assert!(now["output"][0]["json"]["datetime"].as_str().unwrap().ends_with("+00:00"), "{now}");
}

#[test]
fn what_is_wrong_is_told() {
    let home = Home::new();
    home.aimu(["tools", "call", "calculat"]).run().exits(2).says(&[
        "`calculat`",
        "`calculate`",
        "tools list",
    ]);
    home.aimu(["tools", "call", "time", "{}"]).run().exits(2).says(&["there is no tool `time`"]);
    home.aimu(["tools", "inspect", "nothing"]).run().exits(2).says(&["`nothing`", "tools list"]);
    let deep = format!("{{\"expression\": {}1{}}}", "[".repeat(100), "]".repeat(100));
    for (arguments, says) in [
        ("{}", "\"expression\" is a required property"),
        ("{\"expression\": [1]}", "/expression: [1] is not of type"),
        ("{\"expression\": \"1\", \"expression\": \"2\"}", "`expression` stands twice"),
        ("{\"expression\": ", "not valid JSON"),
        ("[]", "object"),
        (&deep, "64 levels"),
    ] {
        home.aimu(["tools", "call", "calculate", arguments]).run().exits(2).says(&[says]);
    }
    let failed =
        home.aimu(["tools", "call", "calculate", "{\"expression\": \"1/0\"}", "--json"]).run().exits(1);
    assert_eq!(failed.json()["ok"], false);
    failed.says(&["division by zero"]);
    let slow =
        home.aimu(["tools", "call", "calculate", "{\"expression\": \"9^9^9\"}", "--tool-timeout", "100ms"]);
    slow.run().exits(1).says(&["longer than 100ms"]);
}
