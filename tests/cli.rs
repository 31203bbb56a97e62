//! The program as a shell user has it.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use serde_json::{Value, json};
use std::fs;
use std::thread;
use std::time::Duration;
use support::Home;

const ASK: &str = r#"{"messages":[{"role":"user","content":"one two three"}],"stream":true}"#;

#[test]
fn a_prompt_comes_as_argument_or_as_input() {
    let home = Home::new();
    assert_eq!(home.aimu(["chat", "echo:echo", "Hello there"]).run().ok().stdout, "Hello there\n");
    assert_eq!(home.aimu(["chat", "echo:echo"]).input("From a pipe\n").run().ok().stdout, "From a pipe\n");
    assert_eq!(home.aimu(["generate", "echo:echo", "Hello"]).run().ok().stdout, "Hello\n");
    // Nothing at all to ask is a question of usage.
    home.aimu(["chat", "echo:echo"]).run().exits(2);
}

#[test]
fn the_answer_alone_is_on_standard_output() {
    let home = Home::new();
    let usual = home.aimu(["chat", "echo:think", "Hello"]).run().ok();
    // Thoughts are for eyes, unless they are asked for.
    assert!(usual.stderr.is_empty(), "{usual:?}");
    let thoughts = home.aimu(["chat", "echo:think", "Hello", "--include", "thinking,generating"]).run().ok();
    assert_eq!(thoughts.stdout, usual.stdout);
    assert!(!thoughts.stderr.is_empty(), "{thoughts:?}");
    let only = home.aimu(["chat", "echo:think", "Hello", "--include", "thinking"]).run().ok();
    assert!(only.stdout.trim().is_empty() && only.stderr == thoughts.stderr, "{only:?}");
    for outcome in [usual, thoughts, only] {
        assert!(!outcome.stdout.contains('\u{1b}') && !outcome.stderr.contains('\u{1b}'), "{outcome:?}");
    }
}

#[test]
fn json_is_one_object() {
    let home = Home::new();
    for more in [&[][..], &["--no-stream"]] {
        let arguments = ["chat", "echo:echo", "--request", "-", "--json"];
        let result = home.aimu(arguments.iter().chain(more)).input(ASK).run().ok().json();
        assert_eq!(result["text"], "one two three");
        assert_eq!(result["finish"], "stop");
        assert_eq!(result["message"]["role"], "assistant");
        assert_eq!(result["message"]["content"], "one two three");
        assert!(result.get("error").is_none_or(Value::is_null), "{result}");
        for member in
            ["model", "reasoning", "refusal", "tool_calls", "raw_finish", "usage", "citations", "warnings"]
        {
            assert!(result.get(member).is_some(), "{member} is missing: {result}");
        }
        for member in ["input", "output", "reasoning", "cache_read", "cache_write"] {
            assert!(result["usage"].get(member).is_some(), "usage.{member} is missing: {result}");
        }
    }
}

#[test]
fn a_message_that_was_printed_is_input_again() {
    let home = Home::new();
    for model in ["echo:think", "echo:tool", "echo:echo"] {
        let mut document = json!({ "messages": [{ "role": "user", "content": "Hello" }] });
        if model == "echo:tool" {
            document["tools"] = json!([{ "type": "function", "function": {
                "name": "get_weather",
                "parameters": { "type": "object", "properties": { "city": { "type": "string" } } },
            } }]);
        }
        let arguments = ["chat", model, "--request", "-", "--json"];
        let first = home.aimu(arguments).input(document.to_string()).run().ok().json();
        let messages = document["messages"].as_array_mut().unwrap();
        messages.push(first["message"].clone());
        for call in first["tool_calls"].as_array().unwrap() {
            messages.push(json!({ "role": "tool", "tool_call_id": call["id"], "content": "sunny" }));
        }
        messages.push(json!({ "role": "user", "content": "Go on" }));
        home.aimu(arguments).input(document.to_string()).run().ok();
    }
}

#[test]
fn tools_are_offered_not_run() {
    let home = Home::new();
    let document = json!({
        "messages": [{ "role": "user", "content": "Weather?" }],
        "tools": [{ "type": "function", "function": {
            "name": "get_weather",
            "parameters": { "type": "object", "properties": { "city": { "type": "string" } } },
        } }],
    });
    let arguments = ["chat", "echo:tool", "--request", "-", "--json"];
    let result = home.aimu(arguments).input(document.to_string()).run().ok().json();
    assert_eq!(result["finish"], "tool-calls");
    let calls = result["tool_calls"].as_array().unwrap();
    assert!(!calls.is_empty());
    for call in calls {
        assert_eq!(call["name"], "get_weather");
        assert!(
            call["id"].as_str().is_some_and(|id| !id.is_empty()) && call["arguments"].is_object(),
            "{call}"
        );
    }
    // OpenAI's form: no content where there are only calls, arguments as text.
    let message = &result["message"];
    assert!(message["tool_calls"][0]["function"]["arguments"].is_string(), "{message}");
}

#[test]
fn events_are_one_object_a_line() {
    let home = Home::new();
    let outcome = home.aimu(["chat", "echo:think", "--request", "-", "--events"]).input(ASK).run().ok();
    let lines = outcome.lines();
    let kinds: Vec<&str> = lines.iter().map(|line| line["type"].as_str().unwrap()).collect();
    assert_eq!(kinds.first(), Some(&"start"), "{kinds:?}");
    assert_eq!(kinds.last(), Some(&"done"), "{kinds:?}");
    assert_eq!(kinds.iter().filter(|kind| **kind == "done").count(), 1);
    let known = ["start", "delta", "bytes", "end", "whole", "usage", "citation", "detail", "warning", "done"];
    assert!(kinds.iter().all(|kind| known.contains(kind)), "{kinds:?}");
    // The last line is what --json prints.
    let json = home.aimu(["chat", "echo:think", "--request", "-", "--json"]).input(ASK).run().ok().json();
    let mut done = lines.last().unwrap().clone();
    done.as_object_mut().unwrap().shift_remove("type");
    assert_eq!(done, json);
    // The deltas are the texts.
    let said: String =
        lines.iter().filter_map(|line| line["text"].as_str().filter(|_| line["type"] == "delta")).collect();
    assert!(said.contains(json["text"].as_str().unwrap()), "{said}");
    // No delta is empty.
    assert!(lines.iter().all(|line| line["type"] != "delta" || line["text"] != ""), "{lines:?}");
}

#[test]
fn failures_have_exit_codes_and_one_shape() {
    let home = Home::new();
    home.aimu(["chat", "echo:fail", "Hello"]).run().exits(1);
    let outcome = home.aimu(["chat", "echo:fail", "--request", "-", "--json"]).input(ASK).run().exits(1);
    let result = outcome.json();
    assert_eq!(result["finish"], "error");
    for member in
        ["kind", "message", "http_status", "retry_after_ms", "request_id", "provider", "provider_error"]
    {
        assert!(result["error"].get(member).is_some(), "error.{member} is missing: {result}");
    }
    let outcome = home.aimu(["chat", "echo:fail", "--request", "-", "--events"]).input(ASK).run().exits(1);
    let last = outcome.lines().pop().unwrap();
    assert_eq!((&last["type"], &last["finish"]), (&json!("done"), &json!("error")));
    // Usage.
    home.aimu(["chat", "--no-such-flag"]).run().exits(2);
    home.aimu(["no-such-verb"]).run().exits(2);
    home.aimu(["chat", "nowhere:x", "Hello"]).run().exits(2).says(&["nowhere"]);
}

#[test]
fn an_interrupt_ends_a_call() {
    let home = Home::new();
    // A word every tenth of a second: it would take minutes.
    let ask = json!({ "messages": [{ "role": "user", "content": "word ".repeat(3000) }] }).to_string();
    for form in [&[][..], &["--json"], &["--events"]] {
        let running =
            home.aimu(["chat", "echo:slow", "--request", "-"].iter().chain(form)).input(ask.as_str()).start();
        thread::sleep(Duration::from_millis(1500));
        running.interrupt();
        let outcome = running.wait().exits(130);
        assert!(!outcome.stderr.contains("panicked"), "{outcome:?}");
        if form == ["--json"] {
            // What had arrived is kept.
            let result = outcome.json();
            assert_eq!(result["finish"], "error");
            assert!(result["text"].as_str().unwrap().starts_with("word "), "{result}");
        }
    }
}

#[test]
fn settings_are_checked() {
    let home = Home::new();
    let outcome = home.aimu(["chat", "echo:echo", "Hi", "--setting", "no_such_setting=1"]).run();
    assert_ne!(outcome.code, Some(0), "{outcome:?}");
    outcome.says(&["no_such_setting"]);
    home.aimu(["chat", "echo:echo", "Hi", "--setting", "nothing"]).run().exits(2);
}

#[test]
fn usage_is_told_when_asked_for() {
    let home = Home::new();
    let silent = home.aimu(["chat", "echo:echo", "one two three"]).run().ok();
    assert!(silent.stderr.is_empty(), "{silent:?}");
    let told = home.aimu(["chat", "echo:echo", "one two three", "--usage"]).run().ok();
    assert_eq!(told.stdout, silent.stdout);
    assert!(told.stderr.contains('3'), "{told:?}");
}

#[test]
fn models_are_listed_by_what_they_can_do() {
    let home = Home::new();
    let all = home.aimu(["models"]).run().ok().stdout;
    for model in ["echo:echo", "echo:tool", "echo:think", "anthropic:claude"] {
        assert!(all.contains(model), "{model} is missing:\n{all}");
    }
    let tools = home.aimu(["models", "--provider", "echo", "--tools"]).run().ok().stdout;
    assert!(tools.contains("echo:tool") && !tools.contains("anthropic:"), "{tools}");
    assert!(!tools.lines().any(|line| line.starts_with("echo:echo")), "{tools}");
    let json = home.aimu(["models", "--provider", "echo", "--json"]).run().ok().json();
    assert!(json.as_array().is_some_and(|models| models.len() >= 4), "{json}");
    home.aimu(["models", "--provider", "nowhere"]).run().says(&["nowhere"]);
}

#[test]
fn help_and_lists_run_no_component() {
    let home = Home::fresh();
    home.install("well_behaved");
    let cache = home.data().join("cache");
    for arguments in [&["--help"][..], &["chat", "--help"], &["plugins", "--help"]] {
        home.aimu(arguments).run().ok();
    }
    assert!(!cache.exists(), "help compiles nothing");
    // Who a component is, is asked once. After that its code is not needed for lists, so nobody compiles it again.
    home.aimu(["plugins", "list"]).run().ok();
    let code = || -> Vec<_> {
        let files = fs::read_dir(&cache).unwrap().map(|entry| entry.unwrap().path());
        files.filter(|path| path.extension().is_some_and(|extension| extension == "cwasm")).collect()
    };
    assert!(!code().is_empty(), "compiled code is kept in {}", cache.display());
    code().iter().for_each(|file| fs::remove_file(file).unwrap());
    for arguments in [&["plugins", "list"][..], &["models"], &["models", "--json"], &["models", "--tools"]] {
        home.aimu(arguments).run().ok();
    }
    assert_eq!(code(), Vec::<std::path::PathBuf>::new(), "a component was run to list it");
}

#[test]
fn a_component_that_never_says_who_it_is_is_asked_once() {
    let home = Home::fresh();
    home.install("describe_spins");
    home.aimu(["plugins", "list"]).run().ok();
    let start = std::time::Instant::now();
    for arguments in [&["plugins", "list"][..], &["models"], &["chat", "echo:echo", "Hi"]] {
        home.aimu(arguments).run().ok();
    }
    // Each would take ten seconds, the limit of a guest's computing.
    assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
}

#[test]
fn a_request_can_be_a_file() {
    let home = Home::new();
    let file = home.put("request.json", ASK.as_bytes());
    let result =
        home.aimu(["chat", "echo:echo", "--request", file.to_str().unwrap(), "--json"]).run().ok().json();
    assert_eq!(result["text"], "one two three");
    // The model on the command line wins; without one, the document's serves.
    let named =
        json!({ "model": "echo:echo", "messages": [{ "role": "user", "content": "Hi" }] }).to_string();
    let result = home.aimu(["chat", "echo:think", "--request", "-", "--json"]).input(named).run().ok().json();
    assert!(result["reasoning"].as_str().is_some_and(|reasoning| !reasoning.is_empty()), "{result}");
    fs::remove_file(file).unwrap();
}

#[test]
fn a_closed_reader_is_no_crash() {
    use std::process::{Command, Stdio};
    let home = Home::new();
    let mut child = Command::new(env!("CARGO_BIN_EXE_aimu-host"))
        .args(["chat", "echo:long", "Hi", "--setting", "count=100000"])
        .env("AIMU_HOST_HOME", home.data())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let outcome = child.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&outcome.stderr);
    assert!(!stderr.contains("panicked"), "{stderr}");
}

#[test]
fn counting_is_by_the_provider() {
    let home = Home::new();
    assert_eq!(home.aimu(["count", "echo:echo", "one two three"]).run().ok().stdout, "3\n");
    let system = home.aimu(["count", "echo:echo", "one two three", "-s", "Be brief."]).run().ok();
    assert_eq!(system.stdout, "5\n");
    let document =
        json!({ "messages": [{ "role": "user", "content": "one two" }], "options": { "max_tokens": 5 } });
    let counted = home.aimu(["count", "echo:echo", "--request", "-"]).input(document.to_string()).run().ok();
    assert_eq!(counted.stdout, "2\n");
    home.aimu(["count", "groq:x", "a"])
        .env("GROQ_API_KEY", "k")
        .run()
        .exits(1)
        .says(&["`groq` does not count tokens", "anthropic"]);
}

#[test]
fn every_limit_is_in_the_documentation_and_the_help() {
    let page = std::fs::read_to_string(support::workspace().join("docs/command-line.md")).unwrap();
    let help = Home::new().aimu(["chat", "--help"]).run().ok().stdout;
    // Lines of the help break anywhere.
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    for name in aimu_host::Limits::NAMES {
        assert!(page.contains(&format!("| `{name}` |")), "{name} is not in docs/command-line.md");
        assert!(help.contains(name), "{name} is not in the help");
    }
}
