//! Keys: who gets which, and that nobody ever reads one.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use support::Home;
use support::program::Outcome;
use support::server::{Request, Server};
use support::wires::{CONVERSE, MESSAGES, WIRES, Wire};

const KEY: &str = "sk-test-3f9a7c21d08b4e56";

fn answers(wire: Wire) -> Server {
    Server::answering(200, &[("content-type", "application/json")], wire.whole)
}

fn holds_key(request: &Request) -> bool {
    let headers = request.headers.iter().any(|(_, value)| value.contains(KEY));
    headers || request.path.contains(KEY) || String::from_utf8_lossy(&request.body).contains(KEY)
}

#[track_caller]
fn is_silent(outcome: &Outcome) {
    // Half of it would be half of the way.
    for part in [KEY, &KEY[..16], &KEY[12..]] {
        assert!(!outcome.stdout.contains(part), "the key is on standard output: {outcome:?}");
        assert!(!outcome.stderr.contains(part), "the key is on standard error: {outcome:?}");
    }
}

#[test]
fn a_key_of_the_environment_goes_to_a_server_on_loopback() {
    for wire in WIRES {
        let server = answers(wire);
        wire.ask(&Home::new(), &server.url()).env(wire.key.0, KEY).run().ok();
        let request = server.request();
        let header = request.header(wire.key.1);
        // A server without a name of its own has no key.
        let expected = match wire.key.1 {
            _ if wire.provider() == "openai-compat" => None,
            "authorization" => Some(format!("Bearer {KEY}")),
            _ => Some(KEY.to_owned()),
        };
        assert_eq!(header, expected.as_deref(), "{}", wire.model);
        let others = request.headers.iter().filter(|(name, _)| name != wire.key.1);
        assert!(others.clone().all(|(_, value)| !value.contains(KEY)), "{request:?}");
        assert!(!request.path.contains(KEY) && !String::from_utf8_lossy(&request.body).contains(KEY));
    }
}

#[test]
fn a_key_of_another_provider_is_left_alone() {
    let pairs = WIRES.iter().flat_map(|wire| WIRES.map(|other| (*wire, other)));
    for (wire, other) in pairs.filter(|(wire, other)| wire.key.0 != other.key.0) {
        let server = answers(wire);
        let outcome = wire.ask(&Home::new(), &server.url()).env(other.key.0, KEY).run();
        assert!(!server.requests().iter().any(holds_key), "{outcome:?}");
        is_silent(&outcome);
    }
}

#[test]
fn a_missing_key_is_told_with_its_variable() {
    // Of the service itself: nothing is asked, since nothing could come of it.
    let home = Home::new();
    let outcome = home.aimu(["chat", "anthropic:claude-sonnet-4-5", "Hi"]).run().exits(1);
    outcome.says(&["anthropic", "ANTHROPIC_API_KEY"]);
    assert!(outcome.stdout.is_empty(), "{outcome:?}");
    let result = home
        .aimu(["chat", "anthropic:claude-sonnet-4-5", "--request", "-", "--json"])
        .input(MESSAGES.request())
        .run()
        .failed(&["authentication", "denied"]);
    assert!(result["error"]["message"].as_str().unwrap().contains("ANTHROPIC_API_KEY"), "{result}");
    // An empty variable is none.
    home.aimu(["chat", "anthropic:claude-sonnet-4-5", "Hi"]).env("ANTHROPIC_API_KEY", " ").run().exits(1);
}

#[test]
fn a_key_that_no_header_can_carry_is_told() {
    let server = answers(MESSAGES);
    let key = format!("{KEY}\nx-other: 1");
    let outcome = MESSAGES.ask(&Home::new(), &server.url()).env("ANTHROPIC_API_KEY", &key).run();
    assert!(server.requests().is_empty(), "{:?}", server.requests());
    is_silent(&outcome);
    outcome.failed(&["authentication", "denied", "invalid-request"]);
}

#[test]
fn a_third_party_gets_no_key_unless_it_is_allowed() {
    let home = Home::with(&["takes_keys", "well_behaved"]);
    for (model, variable) in
        [("takes-keys:x", "ANTHROPIC_API_KEY"), ("well-behaved:x", "WELL_BEHAVED_API_KEY")]
    {
        let server = Server::start(|request, connection| {
            if request.method == "GET" {
                return connection.answer(200, &[("content-type", "application/json")], b"[]");
            }
            connection.stream()?;
            connection.chunk("data: fine\n\ndata: .\n\n")?;
            connection.end()
        });
        let call = |more: &[&str]| {
            let model = format!("{model}@{}", server.url());
            let call = home.aimu(["chat", &model, "--request", "-", "--json"].iter().chain(more));
            call.env(variable, KEY).env("RUST_LOG", "trace").input(MESSAGES.request()).run()
        };
        let refused = call(&[]);
        assert!(!server.requests().iter().any(holds_key), "{:?}", server.requests());
        is_silent(&refused);
        if refused.code == Some(0) && model.starts_with("takes") {
            assert_eq!(refused.json()["text"], "credentials: []");
        }
        let before = server.requests().len();
        let allowed = call(&["--allow"]).ok();
        is_silent(&allowed);
        let requests = server.requests();
        assert!(requests[before..].iter().all(holds_key), "allowed, and no key was sent: {requests:?}");
        assert!(!requests[before..].is_empty());
    }
}

#[test]
fn the_guest_learns_the_name_only() {
    let home = Home::with(&["takes_keys"]);
    let server = Server::answering(200, &[("content-type", "application/json")], "{}");
    let model = format!("takes-keys:x@{}", server.url());
    let outcome = home.aimu(["chat", &model, "Hi", "--allow"]).env("ANTHROPIC_API_KEY", KEY).run().ok();
    assert_eq!(outcome.stdout.trim(), r#"credentials: ["api-key"]"#);
    is_silent(&outcome);
}

#[test]
fn a_server_that_echoes_the_key_does_not_get_it_shown() {
    for wire in WIRES {
        for status in [200, 400, 401, 500] {
            for form in ["--json", "--events", "--no-stream"] {
                let server = Server::start(move |request, connection| {
                    let heard = request.headers.iter().map(|(name, value)| format!("{name}: {value}"));
                    let heard: Vec<String> = heard.collect();
                    let message = format!("I heard {}", heard.join(", "));
                    let body =
                        serde_json::json!({ "error": { "type": "x", "message": message } }).to_string();
                    connection.answer(
                        status,
                        &[("x-echo", KEY), ("content-type", "application/json")],
                        body.as_bytes(),
                    )
                });
                let outcome = wire
                    .chat(&Home::new(), &server.url(), &["Hi", form, "--retries", "0", "-v"])
                    .env(wire.key.0, KEY)
                    .env("RUST_LOG", "trace")
                    .run()
                    .exits(1);
                is_silent(&outcome);
                let said = format!("{}{}", outcome.stdout, outcome.stderr);
                assert!(said.contains("I heard"), "the message is gone, too: {outcome:?}");
            }
        }
    }
}

#[test]
fn logs_hold_no_key() {
    for wire in [MESSAGES, CONVERSE] {
        // What a server says before another try is logged, and this one says the key.
        let server = Server::start(move |request, connection| {
            let body =
                format!(r#"{{"message":"I heard {}"}}"#, request.header(wire.key.1).unwrap_or_default());
            connection.answer(503, &[("content-type", "application/json")], body.as_bytes())
        });
        let call =
            wire.chat(&Home::new(), &server.url(), &["Hi", "-v", "--retries", "1"]).env(wire.key.0, KEY);
        let outcome = call.env("RUST_LOG", "trace").env("RUST_BACKTRACE", "full").run().exits(1);
        assert_eq!(
            outcome.stderr.matches("I heard").count(),
            2,
            "a line of the log and the error: {outcome:?}"
        );
        assert_eq!(server.requests().iter().filter(|request| holds_key(request)).count(), 2);
        is_silent(&outcome);
    }
}

#[test]
fn nothing_on_disk_holds_a_key() {
    fn search(folder: &std::path::Path) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                search(&path);
            } else {
                let bytes = std::fs::read(&path).unwrap();
                let found = bytes.windows(KEY.len()).any(|window| window == KEY.as_bytes());
                assert!(!found, "the key is in {}", path.display());
            }
        }
    }
    let home = Home::fresh();
    let server = answers(MESSAGES);
    MESSAGES.ask(&home, &server.url()).env(MESSAGES.key.0, KEY).run().ok();
    search(home.data());
}

#[test]
fn configured_headers_go_to_the_base_url_and_carry_no_key() {
    let wire = WIRES[0];
    let server = answers(wire);
    let home = Home::new();
    let configure = |headers: &str| {
        let text = format!(
            "[providers.mine]\nplugin = \"{}\"\nbase-url = \"{}\"\nheaders = {{ {headers} }}\n",
            wire.provider(),
            server.url()
        );
        std::fs::write(home.data().join("config.toml"), text).unwrap();
        home.aimu(["chat", "mine:m", "Hi"]).env(wire.key.0, KEY).run()
    };
    configure("X-Team = \"a b\"").ok();
    assert_eq!(server.request().header("x-team"), Some("a b"));
    for (headers, says) in [
        ("Authorization = \"Bearer x\"", "`credential`"),
        ("x-api-key = \"x\"", "`credential`"),
        ("Host = \"x\"", "made by the host"),
        ("\"a b\" = \"x\"", "`a b` has a name"),
        ("x = \"a\\nb\"", "has a value"),
    ] {
        let outcome = configure(headers);
        assert_ne!(outcome.code, Some(0), "{outcome:?}");
        assert!(outcome.stderr.contains(says), "{says}: {outcome:?}");
    }
}
