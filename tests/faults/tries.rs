//! When a call is made again, and when its pieces are shown.

use crate::connections::cut_after;
use crate::support::Home;
use crate::support::server::{Connection, Request, Server};
use crate::support::wires::{TEXT, WIRES, Wire};
use crate::{HOME, ask};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, mpsc};
use std::thread;
use std::time::Duration;

/// Answers the first `bad` requests with a status, the others well.
fn recovers(wire: Wire, bad: usize, status: u16, headers: &'static [(&'static str, &'static str)]) -> Server {
    let count = AtomicUsize::new(0);
    let answer = move |_: &Request, connection: &mut Connection| {
        if count.fetch_add(1, Ordering::SeqCst) < bad {
            return connection.answer(status, headers, b"{}");
        }
        wire.begin(connection, &wire.events())?;
        connection.end()
    };
    Server::start(answer)
}

#[test]
fn calls_are_tried_again_when_that_can_help() {
    // Side by side: there are pauses between the tries.
    let tested = WIRES.map(|wire| thread::spawn(move || tries_again(wire)));
    tested.into_iter().for_each(|wire| wire.join().unwrap());
}

fn tries_again(wire: Wire) {
    let chat = |server: &Server, retries: &str| {
        let call = HOME.with(|home| wire.chat(home, &server.url(), &["Hi", "--retries", retries]));
        call.env(wire.key.0, "k").run()
    };
    for status in [429, 503, 529] {
        let server = recovers(wire, 2, status, &[("retry-after-ms", "1")]);
        assert_eq!(chat(&server, "2").ok().stdout.trim(), TEXT);
        assert_eq!(server.requests().len(), 3);
    }
    // Not too often, not where waiting does not help.
    let server = recovers(wire, 2, 503, &[("retry-after-ms", "1")]);
    chat(&server, "1").exits(1);
    assert_eq!(server.requests().len(), 2);
    let server = recovers(wire, 2, 401, &[]);
    chat(&server, "2").exits(1);
    assert_eq!(server.requests().len(), 1);
    // Not after the first event.
    let server = cut_after(wire, wire.opening().len(), false);
    chat(&server, "2").exits(1);
    assert_eq!(server.requests().len(), 1);
    // A request document is one request.
    let server = recovers(wire, 1, 503, &[("retry-after-ms", "1")]);
    ask(&wire, &server).failed(&["overloaded"]);
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn pieces_reach_the_reader_when_they_come() {
    // The server goes on only once the first piece has been seen: an answer that is held back hangs.
    for wire in WIRES {
        let (go_on, wait) = mpsc::channel::<()>();
        let wait = Mutex::new(wait);
        let server = Server::start(move |_, connection| {
            let opening = wire.opening();
            wire.begin(connection, &opening)?;
            if wait.lock().unwrap().recv_timeout(Duration::from_secs(60)).is_err() {
                return Ok(());
            }
            wire.events()[opening.len()..].iter().try_for_each(|event| connection.chunk(event))?;
            connection.end()
        });
        let home = Home::new();
        let setting = wire.setting.map(|(name, value)| format!("--setting={name}={value}"));
        let mut child = Command::new(env!("CARGO_BIN_EXE_aimu-host"))
            .args(["chat", &wire.at(&server.url()), "Hi", "--events", "--plugins"])
            .arg(home.plugins())
            .args(setting)
            .env("AIMU_HOST_HOME", home.data())
            .env(wire.key.0, "k")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let first = lines.find(|line| line.as_ref().unwrap().contains("Hello"));
        assert!(first.is_some(), "no line with the first piece");
        go_on.send(()).unwrap();
        let last: Value = serde_json::from_str(&lines.last().unwrap().unwrap()).unwrap();
        assert!(child.wait().unwrap().success());
        assert_eq!((&last["type"], &last["text"]), (&json!("done"), &json!(TEXT)));
    }
}
