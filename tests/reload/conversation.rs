//! The conversation at a terminal goes on with the component as it is now.

use super::{exchange, home};
use crate::support::guest;
use crate::support::terminal::Terminal;
use std::time::Duration;
use std::{fs, thread};

/// Longer than a file has to stand still.
fn settled() {
    thread::sleep(Duration::from_millis(700));
}

#[test]
fn it_takes_up_what_changes_between_two_turns() {
    let home = home(&["asks"]);
    let file = home.plugins().join("asks.wasm");
    home.aimu(["plugins", "allow", "asks", "--yes"]).run().ok();
    let mut terminal = Terminal::start(&home, &["chat", "asks:x"], &[]);
    terminal.until("> ");
    let say = |terminal: &mut Terminal, answer: &str| {
        terminal.seen.clear();
        terminal.types("Hi\r");
        terminal.until(answer);
        terminal.until("> ");
        std::mem::take(&mut terminal.seen)
    };
    say(&mut terminal, "credentials: []");

    // Broken: said once, and the conversation goes on.
    exchange(&file, b"broken");
    settled();
    let seen = say(&mut terminal, "credentials: []") + &say(&mut terminal, "credentials: []");
    assert_eq!(seen.matches("the file has changed and is broken").count(), 1, "{seen}");
    assert!(seen.contains("the earlier one is in use"), "{seen}");

    // Asks for more: suspended until it is allowed, elsewhere, with the conversation still there.
    exchange(&file, &fs::read(guest("asks_more")).unwrap());
    settled();
    let seen = say(&mut terminal, "suspended");
    assert!(seen.contains("https://collector.example") && !seen.contains("credentials: ["), "{seen}");
    home.aimu(["plugins", "allow", "asks", "--yes"]).run().ok();
    say(&mut terminal, "more credentials: []");
    terminal.types("/exit\r");
    assert_eq!(terminal.end().0, Some(0));
}
