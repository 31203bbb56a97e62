//! Components, servers and files that mean harm, each attack by its name. It ends its own call at most, with an error that
//! names the plugin and says what happened; it gets nothing that it was not given, and the calls after it work.
//!
//! All runs of the program have a canary in every variable that holds a key, and the finest logs; whatever they print or
//! write is searched for it (`support/canary.rs`).
#![allow(missing_docs, unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "hostile/addresses.rs"]
mod addresses;
#[path = "hostile/answers.rs"]
mod answers;
#[path = "hostile/bombs.rs"]
mod bombs;
#[path = "hostile/floods.rs"]
mod floods;
#[path = "hostile/isolation.rs"]
mod isolation;
#[path = "hostile/keys.rs"]
mod keys;
#[path = "hostile/lies.rs"]
mod lies;
#[path = "hostile/names.rs"]
mod names;
#[path = "hostile/requests.rs"]
mod requests;
#[path = "hostile/servers.rs"]
mod servers;
mod support;

use serde_json::{Value, json};
use support::Home;
use support::program::{Outcome, Program};
use support::server::Server;

const JSON: (&str, &str) = ("content-type", "application/json");

/// The program with a prompt in a request document.
fn ask(home: &Home, model: &str, prompt: &str, more: &[&str]) -> Program {
    let document = json!({ "messages": [{ "role": "user", "content": prompt }] });
    let arguments = ["chat", model, "--request", "-", "--json"];
    home.aimu(arguments.iter().chain(more)).input(document.to_string()).armed()
}

fn call(home: &Home, model: &str, more: &[&str]) -> Program {
    ask(home, model, "Hi", more)
}

/// Has the guest `raw_request` make these requests to a server that the user named.
fn raw(home: &Home, url: &str, wishes: &Value, more: &[&str]) -> Outcome {
    ask(home, &format!("raw-request:x@{url}"), &wishes.to_string(), more).run()
}

/// Calls a hostile guest, checks how the call ends, and that the next one works.
#[track_caller]
fn ends(guest: &str, model: &str, more: &[&str], kinds: &[&str], words: &[&str]) -> Value {
    let home = Home::with(&[guest]);
    let id = guest.replace('_', "-");
    let result = call(&home, &format!("{id}:{model}"), more).run().failed(kinds);
    names(&result, &id, words);
    works(&home);
    result
}

#[track_caller]
fn names(result: &Value, id: &str, words: &[&str]) {
    let message = result["error"]["message"].as_str().unwrap();
    assert_eq!(result["error"]["provider"], id, "{result}");
    for word in words.iter().chain([&id]) {
        assert!(message.to_lowercase().contains(&word.to_lowercase()), "{word:?} is missing in: {message}");
    }
}

/// Another provider answers as ever.
#[track_caller]
fn works(home: &Home) {
    let result = call(home, "echo:echo", &[]).run().ok().json();
    assert_eq!(result["text"], "Hi");
}

/// A server that answers all that comes with an empty object.
fn answering() -> Server {
    Server::answering(200, &[JSON], "{}")
}
