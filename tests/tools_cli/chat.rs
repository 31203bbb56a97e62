//! Tools in a chat: run by a model's call, with somebody asked before, or nobody.

use crate::script::{Say, Script, call};
use crate::support::Home;
use crate::support::program::Program;
use crate::support::server::Server;
use crate::support::terminal::Terminal;
use serde_json::json;

const ANSWER: Say = Say::Text("Done.");

fn chat(script: &Script, more: &[&str]) -> Program {
    let model = script.model();
    let arguments = ["chat", &model, "Go"].into_iter().chain(more.iter().copied());
    Home::new().aimu(arguments)
}

fn sum() -> Say {
    call("calculate", "{\"expression\": \"2^64\"}")
}

#[test]
fn a_model_is_given_what_its_tool_answers() {
    let script = Script::new([sum(), ANSWER]);
    let outcome = chat(&script, &["-T", "calc*", "-T", "time"]).run().ok();
    assert_eq!(outcome.stdout, "Done.\n");
    for said in ["calculate {\"expression\":\"2^64\"} answered after", "\n  18446744073709551616\n"] {
        assert!(outcome.stderr.contains(said), "{said:?}: {outcome:?}");
    }
    assert_eq!(script.told(), ["18446744073709551616"]);
    let tools = script.requests()[0]["tools"].as_array().unwrap().clone();
    let names: Vec<_> = tools.iter().map(|tool| tool["function"]["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["time_now", "time_convert", "calculate"]);
}

#[test]
fn scripts_get_what_ran() {
    let script = Script::new([sum(), ANSWER]);
    let result = chat(&script, &["-T", "calculator", "--json"]).run().ok().json();
    assert_eq!(result["tool_runs"][0]["name"], "calculate");
    assert_eq!(result["tool_runs"][0]["outcome"], "ran");
    let script = Script::new([sum(), ANSWER]);
    let lines = chat(&script, &["-T", "calculator", "--events"]).run().ok().lines();
    assert!(lines.iter().any(|line| line.to_string().contains("18446744073709551616")), "{lines:?}");
}

#[test]
fn where_nobody_is_there_what_is_to_be_asked_is_denied() {
    let page = Server::answering(200, &[("content-type", "text/plain")], "the page");
    let fetch = || call("fetch_page", json!({"url": page.url()}).to_string());
    let script = Script::new([fetch(), ANSWER]);
    let allowed = ["-T", "web", "--allow-media-from", &page.url()].map(str::to_owned);
    let allowed: Vec<&str> = allowed.iter().map(String::as_str).collect();
    let outcome = chat(&script, &allowed).run().ok();
    assert!(outcome.stderr.contains("`--tools-approve fetch_page` allows it"), "{outcome:?}");
    assert!(script.told()[0].starts_with("denied"), "{:?}", script.told());
    assert!(page.requests().is_empty());

    let script = Script::new([fetch(), ANSWER]);
    chat(&script, &[&allowed[..], &["--tools-approve", "fetch_*"]].concat()).run().ok();
    assert_eq!(script.told(), ["the page"]);

    let script = Script::new([sum(), ANSWER]);
    chat(&script, &["-T", "calculator", "--tools-approve", "*=deny"]).run().ok();
    assert!(script.told()[0].starts_with("denied"), "{:?}", script.told());
}

#[test]
fn the_rounds_end() {
    let script = Script::new([sum()]);
    let outcome = chat(&script, &["-T", "calculator", "--max-rounds", "2"]).run();
    assert!(script.requests().len() <= 4, "{outcome:?}");
}

#[test]
fn what_is_asked_wrongly_is_told_before_a_model_is_asked() {
    let script = Script::new([ANSWER]);
    for (more, says) in [
        (&["-T", "calcultor"][..], "`calculator`"),
        (&["-T", "files"], "-T files=FOLDER"),
        (&["-T", "["], "no pattern"),
        (&["-T", "time", "--tools-approve", "x=maybe"], "allow, ask and deny"),
        (&["--max-rounds", "2"], "--tool"),
        (&["-T", "time", "--max-rounds", "0"], "0"),
    ] {
        let outcome = chat(&script, more).run().exits(2);
        assert!(outcome.stderr.contains(says), "{more:?}: {outcome:?}");
    }
    assert!(script.requests().is_empty());
}

#[test]
fn a_person_is_asked_and_may_say_always() {
    let page = Server::answering(200, &[("content-type", "text/plain")], "the page");
    let fetch = || call("fetch_page", json!({"url": page.url()}).to_string());
    let script = Script::new([fetch(), ANSWER, fetch(), Say::Text("Well."), fetch(), Say::Text("Fine.")]);
    let home = Home::new();
    let (model, url) = (script.model(), page.url());
    let arguments = ["chat", &model, "-T", "web", "--allow-media-from", &url];
    let mut terminal = Terminal::start(&home, &arguments, &[]);
    terminal.past("> ");
    terminal.types("one\r");
    terminal.until("wants to run fetch_page");
    terminal.until(&format!("\"url\": \"{url}\""));
    terminal.past("[a]lways");
    terminal.types("n\r");
    terminal.past("Done.");
    assert!(page.requests().is_empty());

    terminal.past("> ");
    terminal.types("two\r");
    terminal.past("[a]lways");
    terminal.types("a\r");
    terminal.past("Well.");
    assert_eq!(page.requests().len(), 1);

    terminal.past("> ");
    terminal.types("three\r");
    terminal.until("Fine.");
    assert_eq!(page.requests().len(), 2);
    assert!(!terminal.seen.contains("[a]lways"), "{}", terminal.seen);
    terminal.past("Fine.");
    terminal.past("> ");
    terminal.types("\u{4}");
    assert_eq!(terminal.end().0, Some(0));
}

#[test]
fn a_question_that_is_interrupted_takes_nothing_of_what_is_typed_next() {
    let script = Script::new([call("fetch_page", "{\"url\": \"http://127.0.0.1:9/\"}"), Say::Text("Well.")]);
    let home = Home::new();
    let mut terminal = Terminal::start(&home, &["chat", &script.model(), "-T", "web"], &[]);
    terminal.past("> ");
    terminal.types("one\r");
    terminal.past("[a]lways");
    terminal.types("\u{3}");
    terminal.past("this turn is forgotten");
    terminal.past("> ");
    terminal.types("two\r");
    terminal.past("Well.");
    terminal.past("> ");
    terminal.types("\u{4}");
    assert_eq!(terminal.end().0, Some(0));
    let last = script.requests().pop().unwrap();
    assert_eq!(last["messages"].as_array().unwrap().last().unwrap()["content"], "two");
}
