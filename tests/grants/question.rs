//! The question at a terminal: a real one, with the program at its other end.

use super::{ALL, KEY, home};
use crate::support::Home;
use crate::support::terminal::Terminal;
use std::time::Duration;
use std::{fs, thread};

fn start(home: &Home, arguments: &[&str]) -> Terminal {
    Terminal::start(home, arguments, KEY)
}

#[test]
fn yes_is_asked_once_and_kept() {
    let home = home(&["asks"]);
    let mut terminal = start(&home, &["chat", "asks:x", "Hi"]);
    terminal.until("[y/N]");
    for word in
        ["`asks`", "asks.wasm", "https://api.asks.example", "https://files.asks.example", "api-key", KEY.0]
    {
        assert!(terminal.seen.contains(word), "{word} is not shown: {}", terminal.seen);
    }
    let digest = super::listed(&home, "asks")["digest"].as_str().unwrap().to_owned();
    assert!(terminal.seen.contains(&digest), "{}", terminal.seen);
    terminal.types("y\n");
    let (code, seen) = terminal.end();
    assert_eq!(code, Some(0), "{seen}");
    assert!(seen.contains(ALL), "{seen}");
    // Kept, for those who can't be asked too.
    let (code, seen) = start(&home, &["chat", "asks:x", "Hi"]).end();
    assert!(code == Some(0) && !seen.contains("[y/N]"), "{seen}");
    assert_eq!(super::text(&home), ALL);
}

#[test]
fn no_is_the_default_and_not_kept() {
    let home = home(&["asks"]);
    for answer in ["n\n", "\n", "yep\n", "\u{4}"] {
        let mut terminal = start(&home, &["generate", "asks:x", "Hi"]);
        terminal.until("[y/N]");
        terminal.types(answer);
        let (code, seen) = terminal.end();
        assert!(code == Some(1) && seen.contains("aimu-host plugins allow asks"), "{answer:?}: {seen}");
        assert!(!home.data().join("grants.toml").exists());
    }
}

#[test]
fn what_was_typed_before_the_question_is_no_answer() {
    let home = home(&["asks"]);
    let mut terminal = start(&home, &["chat", "asks:x", "Hi"]);
    terminal.types("y\ny\ny\n");
    terminal.until("[y/N]");
    // The question stands until it is answered.
    thread::sleep(Duration::from_millis(300));
    assert!(terminal.child.try_wait().unwrap().is_none(), "{}", terminal.seen);
    terminal.types("n\n");
    assert_eq!(terminal.end().0, Some(1));
}

#[test]
fn every_verb_that_calls_a_model_asks() {
    let home = home(&["asks"]);
    for arguments in [
        &["embed", "asks:x", "Hi"][..],
        &["count", "asks:x", "Hi"],
        &["pull", "asks:x"],
        &["chat", "asks:x", "Hi", "--json"],
    ] {
        let mut terminal = start(&home, arguments);
        terminal.until("[y/N]");
        terminal.types("n\n");
        let (code, seen) = terminal.end();
        assert!(code == Some(1) && seen.contains("plugins allow asks"), "{arguments:?}: {seen}");
    }
    // What is told by other means is told first.
    let (code, seen) = start(&home, &["chat", "asks:x;telepathy", "Hi"]).end();
    assert!(code == Some(2) && !seen.contains("[y/N]"), "{seen}");
}

#[test]
fn allow_asks_where_somebody_is_there() {
    let home = home(&["asks"]);
    for (answer, expected) in [("n\n", 1), ("y\n", 0)] {
        let mut terminal = start(&home, &["plugins", "allow", "asks"]);
        terminal.until("[y/N]");
        terminal.types(answer);
        let (code, seen) = terminal.end();
        assert_eq!(code, Some(expected), "{seen}");
    }
    assert_eq!(super::text(&home), ALL);
    // A component that has changed and asks for more is refused with the command, and no question.
    fs::copy(crate::support::guest("asks_more"), home.plugins().join("asks.wasm")).unwrap();
    let (code, seen) = start(&home, &["chat", "asks:x", "Hi"]).end();
    assert!(code == Some(1) && seen.contains("suspended") && !seen.contains("[y/N]"), "{seen}");
    let mut terminal = start(&home, &["plugins", "allow", "asks"]);
    terminal.until("[y/N]");
    assert!(terminal.seen.contains("new       network: https://collector.example"), "{}", terminal.seen);
    terminal.types("y\n");
    assert_eq!(terminal.end().0, Some(0));
}

/// Nothing but text and line ends.
#[track_caller]
fn is_plain(text: &str) {
    let bad = |c: char| (c.is_control() && c != '\n' && c != '\r') || matches!(c, '\u{202a}'..='\u{202e}');
    assert!(!text.contains(bad), "{text:?}");
}

#[test]
fn hostile_names_rewrite_nothing() {
    let home = home(&[]);
    fs::copy(crate::support::guest("asks_escapes"), home.plugins().join("a\u{1b}[2Kb\u{202e}\n.wasm"))
        .unwrap();
    let mut terminal = start(&home, &["chat", "asks-escapes:x", "Hi"]);
    terminal.until("[y/N]");
    // A name of another alphabet is seen for what it is.
    for word in
        ["https://xn--pple-43d.example", "a\\u{1b}[2Kb\\u{202e}\\n.wasm", "key\\u{1b}[2K", "A_KEY\\u{1b}[8m"]
    {
        assert!(terminal.seen.contains(word), "{word} is not shown: {}", terminal.seen);
    }
    is_plain(&terminal.seen);
    // No line of it is the plugin's own.
    assert_eq!(terminal.seen.lines().filter(|line| line.trim_start().starts_with("asks for")).count(), 1);
    terminal.types("n\n");
    let (_, seen) = terminal.end();
    is_plain(&seen);
    for arguments in [
        &["plugins", "list"][..],
        &["plugins", "list", "--json"],
        &["plugins", "inspect", "asks-escapes"],
        &["plugins", "allow", "asks-escapes"],
        &["plugins", "allow", "asks-escapes", "--yes"],
        &["plugins", "lock"],
        &["plugins", "revoke", "asks-escapes"],
        &["plugins", "remove", "asks-escapes"],
    ] {
        if arguments != ["plugins", "allow", "asks-escapes"] {
            is_plain(&start(&home, arguments).end().1);
        }
        // In a pipe too, but for `--json`, whose strings are the reader's to look at, `remove`, which has happened.
        if !arguments.contains(&"remove") && !arguments.contains(&"--json") {
            let outcome = home.aimu(arguments).run();
            is_plain(&format!("{}{}", outcome.stdout, outcome.stderr));
        }
    }
}
