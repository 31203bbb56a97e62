//! Where keys come from, and that none is ever shown: kept ones, variables, files, and programs whose keys expire.
//!
//! One canary is planted in every source. Each run of the program is searched for it, in what it prints and in every file
//! that it writes beside the one that is to have it.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "secrets/command.rs"]
mod command;
#[path = "secrets/echo.rs"]
mod echo;
#[path = "secrets/kept.rs"]
mod kept;
#[path = "secrets/order.rs"]
mod order;
mod support;

use std::fs;
use support::Home;
use support::program::{Outcome, Program};
use support::server::Server;
use support::wires::CHAT_COMPLETIONS;

/// In every key of these tests.
const CANARY: &str = "cAnArY7f3e";

/// A key that can be told from others.
fn key(which: &str) -> String {
    format!("sk-{CANARY}-{which}")
}

fn answering() -> Server {
    Server::answering(200, &[("content-type", "application/json")], CHAT_COMPLETIONS.whole)
}

/// Writes the instance `mine` of a server, with a credential as it is given.
fn configure(home: &Home, server: &Server, credential: &str) {
    let text = format!(
        "[providers.mine]\nplugin = \"openai-compat\"\nbase-url = \"{}/v1\"\ncredential = {credential}\n",
        server.url()
    );
    fs::write(home.data().join("config.toml"), text).unwrap();
}

fn chat(home: &Home) -> Program {
    home.aimu(["chat", "mine:m", "Hi", "--no-stream", "--retries", "0", "-v"]).env("RUST_LOG", "trace")
}

/// Runs a program whose output, and whose traces on disk, must not have any key.
#[track_caller]
fn run(home: &Home, program: Program) -> Outcome {
    let outcome = program.run();
    silent(home, &outcome);
    outcome
}

#[track_caller]
fn silent(home: &Home, outcome: &Outcome) {
    assert!(!outcome.stdout.contains(CANARY), "a key is on standard output: {outcome:?}");
    assert!(!outcome.stderr.contains(CANARY), "a key is on standard error: {outcome:?}");
    search(home.data());
}

/// No file has a key, but those that are to.
#[track_caller]
fn search(folder: &std::path::Path) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            search(&path);
        } else if name != "keys.toml" && !name.starts_with("planted") {
            let bytes = fs::read(&path).unwrap();
            let found = bytes.windows(CANARY.len()).any(|window| window == CANARY.as_bytes());
            assert!(!found, "a key is in {}", path.display());
        }
    }
}

/// What a server was sent as a key, request by request.
fn sent(server: &Server) -> Vec<Option<String>> {
    server.requests().iter().map(|request| request.header("authorization").map(str::to_owned)).collect()
}

fn bearer(which: &str) -> Option<String> {
    Some(format!("Bearer {}", key(which)))
}
