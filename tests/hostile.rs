//! Components that mean harm. Each ends its own call, with an error that names it and says what happened; it gets
//! nothing that it was not given, and the calls after it work.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use serde_json::Value;
use std::time::{Duration, Instant};
use support::Home;
use support::program::Program;
use support::server::{Connection, Request, Server};

const HI: &str = r#"{"messages":[{"role":"user","content":"Hi"}]}"#;

fn call(home: &Home, model: &str, more: &[&str]) -> Program {
    home.aimu(["chat", model, "--request", "-", "--json"].iter().chain(more)).input(HI)
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

#[test]
fn a_spin_ends_at_its_cpu_limit() {
    let start = Instant::now();
    ends("spin", "x", &["--limit", "cpu=300ms"], &["limit", "timeout"], &["cpu"]);
    // Far below the default of the limit, far above what is promised: machines are busy.
    assert!(start.elapsed() < Duration::from_secs(60));
}

#[test]
fn a_spin_ends_at_the_deadline() {
    ends("spin", "x", &["--timeout", "0.3"], &["timeout"], &["total"]);
}

#[test]
fn a_sleep_ends_at_the_deadline() {
    ends("sleep", "x", &["--timeout", "0.3"], &["timeout"], &["total"]);
}

#[test]
fn memory_is_bounded() {
    ends("allocate", "x", &[], &["limit"], &["memory", "256"]);
    ends("allocate", "x", &["--limit", "memory=32m"], &["limit"], &["memory", "32"]);
}

#[test]
fn hoarding_is_bounded() {
    ends("hoard", "x", &[], &["limit"], &["resources"]);
}

#[test]
fn events_are_bounded() {
    for model in ["single", "batched"] {
        let result =
            ends("emit_flood", model, &["--limit", "events=20000"], &["limit"], &["events", "20000"]);
        // What had been taken is kept.
        assert!(result["text"].as_str().unwrap().starts_with("flood flood"));
        ends("emit_flood", model, &["--limit", "emitted=1m"], &["limit"], &["emitted"]);
    }
}

#[test]
fn one_emit_is_bounded() {
    ends("emit_huge", "large", &[], &["limit", "internal"], &[]);
    ends("emit_huge", "many", &[], &["limit", "internal"], &[]);
}

#[test]
fn a_trap_is_told() {
    ends("trap", "early", &[], &["internal"], &["unreachable"]);
    let result = ends("trap", "late", &[], &["internal"], &["unreachable"]);
    assert_eq!(result["text"], "so far so good");
}

#[test]
fn a_panic_is_told_in_its_own_words() {
    ends("panic", "x", &[], &["internal"], &["there is no cheese left"]);
}

#[test]
fn a_full_stack_is_told() {
    ends("recurse", "x", &[], &["internal", "limit"], &["stack"]);
}

#[test]
fn a_stashed_sink_is_worth_nothing() {
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
fn broken_laws_of_the_stream_are_told() {
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
fn deep_and_broken_json_harms_nobody() {
    let home = Home::with(&["deep_json"]);
    for place in ["metadata", "detail", "replay", "arguments", "failure"] {
        for model in [place.to_owned(), format!("bad-{place}")] {
            for form in ["--json", "--events"] {
                // Kept as text, or refused: a crash has another exit code, or none.
                let arguments = ["chat", &format!("deep-json:{model}"), "--request", "-", form];
                let outcome = home.aimu(arguments).input(HI).run();
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

#[test]
fn a_flood_of_logs_is_bounded() {
    let home = Home::with(&["log_flood"]);
    let outcome = call(&home, "log-flood:x", &[]).env("RUST_LOG", "trace").run().ok();
    assert_eq!(outcome.json()["text"], "dry again");
    let lines = outcome.stderr.lines().filter(|line| line.contains("flood")).count();
    assert!((1..=1001).contains(&lines), "{lines} lines of the guest's");
    assert!(!outcome.stderr.contains("\u{1b}[2J"), "control characters of a guest reach the terminal");
    assert!(outcome.stderr.len() < 4 << 20, "{} bytes", outcome.stderr.len());
    // Without being asked for, no more than that.
    let outcome = call(&home, "log-flood:x", &[]).run().ok();
    assert!(outcome.stderr.lines().count() < 1010, "{} lines", outcome.stderr.lines().count());
}

#[test]
fn the_sandbox_holds_nothing() {
    let home = Home::with(&["reads_environment"]);
    let server = Server::answering(200, &[], "hello");
    let address = server.url().replace("http://", "");
    let result = call(&home, &format!("reads-environment:{address}"), &[])
        .env("AIMU_SECRET", "sesame")
        .env("OPENAI_API_KEY", "sesame")
        .run()
        .ok()
        .json();
    let text = result["text"].as_str().unwrap();
    assert!(text.lines().count() >= 12, "{text}");
    for line in text.lines() {
        assert!(line.ends_with(": nothing"), "the guest has found something: {line}");
    }
    assert!(server.requests().is_empty());
    assert!(!std::path::Path::new("/tmp/aimu-was-here").exists());
}

#[test]
fn credentials_are_the_hosts_to_add() {
    let home = Home::with(&["set_authorization"]);
    for (header, kind) in [
        ("authorization", "denied"),
        ("Authorization", "denied"),
        ("cookie", "denied"),
        // This one the table of headers refuses already.
        ("proxy-authorization", "invalid-request"),
    ] {
        let server = Server::answering(200, &[("content-type", "application/json")], "{}");
        let model = format!("set-authorization:{header}@{}", server.url());
        let outcome = call(&home, &model, &[]).run();
        assert!(server.requests().is_empty(), "{header} went out: {:?}", server.requests());
        let result = outcome.failed(&[kind]);
        if kind == "denied" {
            names(&result, "set-authorization", &[header]);
        }
        assert_eq!(result["error"]["provider"], "set-authorization");
    }
    works(&home);
}

#[test]
fn framing_headers_are_the_hosts() {
    let home = Home::with(&["set_authorization"]);
    for header in ["host", "connection", "transfer-encoding", "proxy-connection", "upgrade", "te"] {
        let server = Server::answering(200, &[("content-type", "application/json")], "{}");
        let model = format!("set-authorization:{header}@{}", server.url());
        let outcome = call(&home, &model, &[]).run();
        // Refused, or dropped and replaced by the host's own; never as the guest set it.
        assert!(
            !server
                .requests()
                .iter()
                .any(|request| request.headers.iter().any(|(_, value)| value.contains("smuggled"))),
            "{header} went out: {outcome:?}"
        );
    }
}

#[test]
fn other_origins_are_refused() {
    let home = Home::with(&["other_origin"]);
    let granted = Server::answering(200, &[("content-type", "application/json")], "{}");
    let other = Server::answering(200, &[("content-type", "application/json")], "{}");
    let port = other.url().rsplit(':').next().unwrap().to_owned();
    for url in [
        format!("{}/x", other.url()),
        format!("http://localhost:{port}/x"),
        format!("http://[::1]:{port}/x"),
        format!("http://0.0.0.0:{port}/x"),
        format!("http://2130706433:{port}/x"),
        format!("http://0x7f.1:{port}/x"),
        "http://169.254.169.254/latest/meta-data/".into(),
        "https://api.openai.com/v1/models".into(),
    ] {
        let outcome = call(&home, &format!("other-origin:{url}@{}", granted.url()), &[]).run();
        assert!(other.requests().is_empty(), "{url} was reached: {outcome:?}");
        names(&outcome.failed(&["denied"]), "other-origin", &[]);
    }
    // The same port by another name of the granted server is another origin, too.
    let alias = granted.url().replace("127.0.0.1", "localhost");
    let url = format!("{alias}/x");
    call(&home, &format!("other-origin:{url}@{}", granted.url()), &[]).run().failed(&["denied"]);
    // A user part is no way around: the origin is what counts.
    let smuggled = format!("{}@{}/x", granted.url(), other.url().trim_start_matches("http://"));
    let outcome = call(&home, &format!("other-origin:{smuggled}"), &[]).run();
    assert!(other.requests().is_empty() && outcome.code != Some(0), "{outcome:?}");
    // What was granted is reached.
    call(&home, &format!("other-origin:{}/x@{}", granted.url(), granted.url()), &[]).run().ok();
    assert_eq!(granted.requests().len(), 1);
    works(&home);
}

#[test]
fn requests_are_bounded() {
    let answer = |_: &Request, connection: &mut Connection| {
        connection.answer(200, &[("content-type", "application/json")], b"{}")
    };
    let home = Home::with(&["many_requests", "huge_request"]);
    let server = Server::start(answer);
    let result = call(&home, &format!("many-requests:x@{}", server.url()), &[]).run().failed(&["limit"]);
    names(&result, "many-requests", &["requests"]);
    assert!(server.requests().len() <= 64, "{} requests", server.requests().len());

    let server = Server::start(answer);
    for (model, limit) in [("body", &["--limit", "request-body=1m"][..]), ("body", &[]), ("header", &[])] {
        let outcome = call(&home, &format!("huge-request:{model}@{}", server.url()), limit).run();
        assert!(server.requests().is_empty(), "{model} went out whole");
        // A header that is too large is refused by the table of headers itself, which ends the guest.
        let kinds: &[&str] =
            if model == "body" { &["limit"] } else { &["limit", "internal", "invalid-request"] };
        names(&outcome.failed(kinds), "huge-request", if model == "body" { &["request-body"] } else { &[] });
    }
    works(&home);
}

#[test]
fn a_description_that_fails_hides_one_plugin_only() {
    for guest in ["describe_traps", "describe_spins", "describe_floods", "describe_lies"] {
        let home = Home::with(&[guest, "well_behaved"]);
        let list = home.aimu(["plugins", "list"]).run().ok();
        assert!(list.stdout.contains("well-behaved") && list.stdout.contains("echo"), "{guest}: {list:?}");
        let told = format!("{}{}", list.stdout, list.stderr);
        assert!(told.contains(guest), "{guest} is not listed with a reason: {list:?}");
        assert!(!told.contains('\u{1b}'), "{list:?}");
        let id = guest.replace('_', "-");
        let outcome = call(&home, &format!("{id}:x"), &[]).run();
        assert!(matches!(outcome.code, Some(1 | 2)), "{outcome:?}");
        works(&home);
    }
}
