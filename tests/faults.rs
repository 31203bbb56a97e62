//! What goes wrong between the program and a server, on every wire format: each fault ends the call with a failure of
//! the right kind, keeps what had arrived, and is never taken for an answer; what is no fault is none.
#![allow(missing_docs, unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "faults/connections.rs"]
mod connections;
#[path = "faults/endings.rs"]
mod endings;
#[path = "faults/errors.rs"]
mod errors;
#[path = "faults/garbage.rs"]
mod garbage;
#[path = "faults/limits.rs"]
mod limits;
#[path = "faults/streams.rs"]
mod streams;
mod support;
#[path = "faults/tries.rs"]
mod tries;

use serde_json::Value;
use support::Home;
use support::program::{Outcome, Program};
use support::server::Server;
use support::wires::Wire;

const JSON: (&str, &str) = ("content-type", "application/json");

thread_local! {
    /// One for all calls of a test, so that no component is compiled twice.
    static HOME: Home = Home::new();
}

/// The program with a request document and a key.
fn call(wire: &Wire, url: &str) -> Program {
    HOME.with(|home| wire.ask(home, url).env(wire.key.0, "k"))
}

fn ask(wire: &Wire, server: &Server) -> Outcome {
    call(wire, &server.url()).run()
}

/// A failure as JSON, with what every failure of a call must have.
#[track_caller]
fn failure(wire: &Wire, server: &Server, kinds: &[&str]) -> Value {
    let result = ask(wire, server).failed(kinds);
    assert_eq!(result["error"]["provider"], wire.provider(), "{result}");
    result
}

fn contains(value: &Value, word: &str) -> bool {
    value.as_str().unwrap_or_default().to_lowercase().contains(word)
}
