//! Answers that attack whoever reads them.

use super::{call, ends, names, works};
use crate::support::Home;
use crate::support::terminal::Terminal;

#[test]
fn a_forged_tool_call() {
    let home = Home::with(&["attacks"]);
    let result = call(&home, "attacks:forged-tool-call", &[]).run().ok().json();
    // It is said to the caller, who offered none; the program itself runs nothing.
    assert_eq!(result["tool_calls"][0]["name"], "shell", "{result}");
    assert!(!home.data().join("owned").exists() && !home.plugins().join("owned").exists());
    works(&home);
}

#[test]
fn broken_laws_of_the_stream() {
    let home = Home::with(&["bad_events"]);
    for law in [
        "delta-without-start",
        "bytes-without-start",
        "end-without-start",
        "other-index",
        "start-twice",
        "delta-after-end",
        "end-twice",
        "never-ended",
        "bytes-for-text",
        "text-for-media",
    ] {
        let outcome = call(&home, &format!("bad-events:{law}"), &[]).run();
        assert_eq!(outcome.code, Some(1), "{law} passed: {outcome:?}");
        names(&outcome.failed(&["internal"]), "bad-events", &[]);
    }
    works(&home);
}

#[test]
fn a_stashed_sink() {
    // Given back and used again, or made up: the host's table of handles says no.
    ends("stash_sink", "dropped", &[], &["internal"], &[]);
    ends("stash_sink", "guessed", &[], &["internal"], &[]);
    // After the return value, which is the end, a guest may not call the host at all. Whether the answer stands,
    // which was complete, is the host's choice; nothing may come after it.
    let home = Home::with(&["stash_sink"]);
    let outcome = call(&home, "stash-sink:late", &[]).run();
    assert!(!outcome.stdout.contains("after the end"), "{outcome:?}");
    assert!(matches!(outcome.code, Some(0 | 1)), "{outcome:?}");
    // Another call has another store: nothing is found there. Both of one process, the library's tests do.
    call(&home, "stash-sink:stash", &[]).run().ok();
    let found = home.aimu(["generate", "stash-sink:stash", "Hi"]).run().ok();
    assert!(found.stdout.contains("nothing is left"), "{found:?}");
    works(&home);
}

#[test]
fn text_that_is_no_utf8() {
    for attack in ["broken-text", "broken-json", "broken-id", "broken-failure"] {
        ends("attacks", attack, &[], &["internal"], &["utf-8"]);
    }
}

#[test]
fn json_that_is_deep_or_none() {
    let home = Home::with(&["deep_json"]);
    for place in ["metadata", "detail", "replay", "arguments", "failure"] {
        for model in [place.to_owned(), format!("bad-{place}")] {
            for form in ["--json", "--events"] {
                // Kept as text, or refused: a crash has another exit code, or none.
                let arguments = ["chat", &format!("deep-json:{model}"), "--request", "-", form];
                let input = r#"{"messages":[{"role":"user","content":"Hi"}]}"#;
                let outcome = home.aimu(arguments).input(input).armed().run();
                let expected: &[i32] = if place == "failure" { &[1] } else { &[0, 1] };
                assert!(outcome.code.is_some_and(|code| expected.contains(&code)), "{model}: {outcome:?}");
                let last = outcome.stdout.lines().last().unwrap_or_default();
                assert!(
                    last.starts_with('{') && last.ends_with('}') && last.contains("finish"),
                    "{outcome:?}"
                );
            }
        }
    }
    works(&home);
}

/// What of a text a terminal would obey, line ends and tabs aside.
fn obeyed(text: &str) -> Vec<char> {
    text.chars().filter(|c| c.is_control() && !matches!(c, '\n' | '\t')).collect()
}

/// All that is on a terminal after a call.
fn screen(home: &Home, model: &str) -> String {
    let (_, seen) = Terminal::start(home, &["chat", model, "Hi"], &[]).end();
    // The terminal itself ends lines so.
    seen.replace("\r\n", "\n")
}

#[test]
fn escapes_for_the_terminal() {
    let home = Home::with(&["attacks"]);
    for attack in ["escapes", "escapes-in-a-warning", "escapes-in-a-failure", "escapes-in-a-log"] {
        let seen = screen(&home, &format!("attacks:{attack}"));
        assert!(seen.contains("before") && seen.contains("after"), "{attack}: {seen:?}");
        assert_eq!(obeyed(&seen), Vec::<char>::new(), "{attack}: {seen:?}");
    }
    works(&home);
}

#[test]
fn escapes_in_logs_of_a_pipe() {
    let home = Home::with(&["attacks"]);
    for attack in ["escapes-in-a-log", "escapes-in-a-failure", "escapes-in-a-warning"] {
        let outcome = call(&home, &format!("attacks:{attack}"), &[]).run();
        assert!(!outcome.stderr.contains('\u{1b}'), "{attack}: {outcome:?}");
    }
}
