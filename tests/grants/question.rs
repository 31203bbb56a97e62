//! The question at a terminal: a real one, with the program at its other end.

use super::{ALL, KEY, home};
use crate::support::Home;
use nix::pty::{OpenptyResult, openpty};
use std::fs::File;
use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};
use std::{fs, thread};

/// Far beyond what any of this takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// The program at a terminal.
struct Terminal {
    child: Child,
    keyboard: File,
    screen: mpsc::Receiver<Vec<u8>>,
    seen: String,
}

impl Terminal {
    fn start(home: &Home, arguments: &[&str]) -> Self {
        let OpenptyResult { master, slave } = openpty(None, None).unwrap();
        let end = || Stdio::from(slave.try_clone().unwrap());
        let child = Command::new(env!("CARGO_BIN_EXE_aimu-host"))
            .args(arguments)
            .arg("--plugins")
            .arg(home.plugins())
            .env_clear()
            .env("HOME", home.data())
            .env("AIMU_HOST_HOME", home.data())
            .env("TERM", "xterm")
            .env("NO_COLOR", "1")
            .env(KEY.0, KEY.1)
            .current_dir(home.data())
            .stdin(end())
            .stdout(end())
            .stderr(end())
            .spawn()
            .unwrap();
        drop(slave);
        let (sender, screen) = mpsc::channel();
        let mut reader = File::from(master.try_clone().unwrap());
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            // The other end is closed by an error on some systems.
            while let Ok(length @ 1..) = reader.read(&mut buffer) {
                if sender.send(buffer[..length].to_vec()).is_err() {
                    break;
                }
            }
        });
        Self { child, keyboard: File::from(master), screen, seen: String::new() }
    }

    /// Waits until this is on the screen.
    fn until(&mut self, text: &str) {
        let start = Instant::now();
        while !self.seen.contains(text) {
            let left = PATIENCE.saturating_sub(start.elapsed());
            match self.screen.recv_timeout(left) {
                Ok(bytes) => self.seen += &String::from_utf8_lossy(&bytes),
                Err(error) => panic!("{text:?} does not come ({error}): {:?}", self.seen),
            }
        }
    }

    fn types(&mut self, text: &str) {
        self.keyboard.write_all(text.as_bytes()).unwrap();
    }

    /// Waits for the end: the exit code, and all that was on the screen.
    fn end(mut self) -> (Option<i32>, String) {
        let start = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            if start.elapsed() > PATIENCE {
                self.child.kill().unwrap();
                panic!("the program does not end: {:?}", self.seen);
            }
            thread::sleep(Duration::from_millis(5));
        };
        while let Ok(bytes) = self.screen.recv_timeout(Duration::from_millis(200)) {
            self.seen += &String::from_utf8_lossy(&bytes);
        }
        (status.code(), self.seen)
    }
}

#[test]
fn yes_is_asked_once_and_kept() {
    let home = home(&["asks"]);
    let mut terminal = Terminal::start(&home, &["chat", "asks:x", "Hi"]);
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
    let (code, seen) = Terminal::start(&home, &["chat", "asks:x", "Hi"]).end();
    assert!(code == Some(0) && !seen.contains("[y/N]"), "{seen}");
    assert_eq!(super::text(&home), ALL);
}

#[test]
fn no_is_the_default_and_not_kept() {
    let home = home(&["asks"]);
    for answer in ["n\n", "\n", "yep\n", "\u{4}"] {
        let mut terminal = Terminal::start(&home, &["generate", "asks:x", "Hi"]);
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
    let mut terminal = Terminal::start(&home, &["chat", "asks:x", "Hi"]);
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
        let mut terminal = Terminal::start(&home, arguments);
        terminal.until("[y/N]");
        terminal.types("n\n");
        let (code, seen) = terminal.end();
        assert!(code == Some(1) && seen.contains("plugins allow asks"), "{arguments:?}: {seen}");
    }
    // What is told by other means is told first.
    let (code, seen) = Terminal::start(&home, &["chat", "asks:x;telepathy", "Hi"]).end();
    assert!(code == Some(2) && !seen.contains("[y/N]"), "{seen}");
}

#[test]
fn allow_asks_where_somebody_is_there() {
    let home = home(&["asks"]);
    for (answer, expected) in [("n\n", 1), ("y\n", 0)] {
        let mut terminal = Terminal::start(&home, &["plugins", "allow", "asks"]);
        terminal.until("[y/N]");
        terminal.types(answer);
        let (code, seen) = terminal.end();
        assert_eq!(code, Some(expected), "{seen}");
    }
    assert_eq!(super::text(&home), ALL);
    // A component that has changed and asks for more is refused with the command, and no question.
    fs::copy(crate::support::guest("asks_more"), home.plugins().join("asks.wasm")).unwrap();
    let (code, seen) = Terminal::start(&home, &["chat", "asks:x", "Hi"]).end();
    assert!(code == Some(1) && seen.contains("suspended") && !seen.contains("[y/N]"), "{seen}");
    let mut terminal = Terminal::start(&home, &["plugins", "allow", "asks"]);
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
    let mut terminal = Terminal::start(&home, &["chat", "asks-escapes:x", "Hi"]);
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
            is_plain(&Terminal::start(&home, arguments).end().1);
        }
        // In a pipe too, but for `--json`, whose strings are the reader's to look at, `remove`, which has happened.
        if !arguments.contains(&"remove") && !arguments.contains(&"--json") {
            let outcome = home.aimu(arguments).run();
            is_plain(&format!("{}{}", outcome.stdout, outcome.stderr));
        }
    }
}
