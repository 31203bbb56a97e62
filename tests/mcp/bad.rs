//! Servers that do what no server should, each by its name. They are written by hand: no library would.

use serde_json::{Value, json};
use std::io::{BufRead, Write, stdin};
use std::process::exit;
use std::time::Duration;

/// Serves as this one until standard input ends.
pub(crate) fn serve(mode: &str) {
    match mode {
        "garbage" => loop {
            say("this is no message\n");
        },
        "endless-line" => loop {
            say(&"{".repeat(1 << 16));
        },
        "floods-stderr" => (0..50_000).for_each(|n| eprintln!("{n}: something is amiss")),
        "greets" => say("Welcome!\nListening on stdin\n"),
        "ends-at-once" => {
            eprintln!("no licence found; the key was {}", std::env::var("KEY").unwrap_or_default());
            exit(3);
        }
        // What launchers do: the server is a child, and lives on when its parent is killed.
        "has-a-child" => {
            #[allow(clippy::zombie_processes)]
            let child = std::process::Command::new("sleep").arg("1000").spawn().unwrap();
            std::fs::write(std::env::var("CHILD_FILE").unwrap(), child.id().to_string()).unwrap();
        }
        _ => {}
    }
    if let Ok(file) = std::env::var("PID_FILE") {
        std::fs::write(file, std::process::id().to_string()).unwrap();
    }
    let mut calls = 0;
    for line in stdin().lock().lines().map_while(Result::ok) {
        let message: Value = serde_json::from_str(&line).unwrap();
        let Some(id) = message.get("id") else { continue };
        let answer = |result: Value| {
            say(&(json!({"jsonrpc": "2.0", "id": id, "result": result}).to_string() + "\n"));
        };
        match message["method"].as_str().unwrap_or_default() {
            _ if mode == "silent" => {}
            "initialize" => answer(json!({
                "protocolVersion": "2024-11-05",
                "capabilities": {"tools": {}},
                "serverInfo": {"name": mode, "version": "0"},
            })),
            // As servers do that were written before there was such a request.
            _ if mode == "strict" && calls == 0 && message["method"] == "server/discover" => exit(1),
            "tools/list" => answer(list(mode, &message)),
            "tools/call" => {
                calls += 1;
                call(mode, calls, &answer);
            }
            _ => say(&(json!({"jsonrpc": "2.0", "id": id, "error": {"code": -32601, "message": "unknown"}})
                .to_string()
                + "\n")),
        }
    }
}

fn list(mode: &str, message: &Value) -> Value {
    let tool = |name: &str| json!({"name": name, "description": name, "inputSchema": {"type": "object"}});
    match mode {
        "lists-for-ever" => {
            let page = message["params"]["cursor"].as_str().map_or(0, |cursor| cursor.parse().unwrap());
            json!({"tools": [tool(&format!("t{page}"))], "nextCursor": (page + 1).to_string()})
        }
        "odd-tools" => json!({"tools": [
            tool("hello"),
            tool("hello"),
            {"name": "none", "inputSchema": "string"},
            {"name": "broken", "inputSchema": {"type": 5}},
        ]}),
        "lists-nothing-sensible" => json!({"tools": 5}),
        _ => json!({"tools": [tool("hello")]}),
    }
}

fn call(mode: &str, calls: usize, answer: &dyn Fn(Value)) {
    let text = |text: &str| json!({"content": [{"type": "text", "text": text}]});
    match mode {
        "never-answers" if calls == 1 => {}
        "dies" => {
            eprintln!("I am broken");
            exit(7);
        }
        "answers-hugely" => answer(text(&"x".repeat(50 << 20))),
        "answers-endlessly" => loop {
            say(&"{".repeat(1 << 16));
        },
        "answers-nonsense" => answer(json!({"five": 5})),
        "ignores-stdin" => std::thread::sleep(Duration::from_secs(1000)),
        _ => answer(text("hello")),
    }
}

/// Says it; whoever does not listen any more has ended us.
fn say(text: &str) {
    let mut stdout = std::io::stdout().lock();
    if stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).is_err() {
        exit(0);
    }
}
