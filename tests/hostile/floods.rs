//! Components that take without measure: each limit ends the call by its name.

use super::{JSON, call, ends, names, raw, works};
use crate::support::Home;
use crate::support::server::{Connection, Request, Server};
use serde_json::json;
use std::time::{Duration, Instant};

#[test]
fn computing_for_ever() {
    let start = Instant::now();
    ends("spin", "x", &["--limit", "cpu=300ms"], &["limit"], &["cpu", "--limit cpu="]);
    // Far below the default of the limit, far above what is promised: machines are busy.
    assert!(start.elapsed() < Duration::from_secs(60));
}

#[test]
fn computing_until_the_deadline() {
    ends("spin", "x", &["--timeout", "0.3"], &["timeout"], &["total"]);
}

#[test]
fn sleeping_for_ever() {
    ends("sleep", "x", &["--timeout", "0.3"], &["timeout"], &["total"]);
}

#[test]
fn memory() {
    ends("allocate", "x", &[], &["limit"], &["memory", "256"]);
    ends("allocate", "x", &["--limit", "memory=32m"], &["limit"], &["memory", "32"]);
}

#[test]
fn handles() {
    ends("hoard", "x", &[], &["limit"], &["resources"]);
}

#[test]
fn the_stack() {
    // A compiler's stack in linear memory is full before the machine's own, or after it.
    ends("recurse", "x", &[], &["internal", "limit"], &["stack"]);
    ends("recurse", "x", &["--limit", "stack=64k"], &["limit"], &["stack", "64 KiB", "--limit stack="]);
}

#[test]
fn events() {
    for model in ["single", "batched"] {
        let result =
            ends("emit_flood", model, &["--limit", "events=20000"], &["limit"], &["events", "20000"]);
        // What had been taken is kept.
        assert!(result["text"].as_str().unwrap().starts_with("flood flood"));
        ends("emit_flood", model, &["--limit", "emitted=1m"], &["limit"], &["emitted"]);
    }
}

#[test]
fn one_huge_event() {
    ends("emit_huge", "large", &[], &["limit"], &["--limit event="]);
    ends("emit_huge", "many", &[], &["limit"], &["--limit event="]);
}

#[test]
fn huge_ids() {
    ends("attacks", "huge-ids", &["--limit", "emitted=16m"], &["limit"], &["emitted"]);
}

#[test]
fn huge_names_of_tools() {
    ends("attacks", "huge-names", &["--limit", "emitted=16m"], &["limit"], &["emitted"]);
}

#[test]
fn parts() {
    let home = Home::with(&["attacks"]);
    let result = call(&home, "attacks:many-parts", &[]).run().failed(&["limit"]);
    names(&result, "attacks", &["--limit parts="]);
    works(&home);
}

#[test]
fn a_huge_end() {
    ends("attacks", "huge-completion", &[], &["limit"], &["--limit event="]);
    ends("attacks", "huge-failure", &[], &["limit"], &["--limit event="]);
}

#[test]
fn logs() {
    let home = Home::with(&["log_flood"]);
    let outcome = call(&home, "log-flood:x", &[]).env("RUST_LOG", "trace").run().ok();
    assert_eq!(outcome.json()["text"], "dry again");
    let lines = outcome.stderr.lines().filter(|line| line.contains("flood")).count();
    assert!((1..=1001).contains(&lines), "{lines} lines of the guest's");
    assert!(outcome.stderr.contains("--limit log-lines="), "{outcome:?}");
    assert!(outcome.stderr.len() < 4 << 20, "{} bytes", outcome.stderr.len());
    // Without being asked for, no more than that.
    let outcome =
        call(&home, "log-flood:x", &["--limit", "log-lines=3", "--limit", "log-line=10"]).run().ok();
    let longest = outcome.stderr.lines().filter_map(|line| Some(line.split_once("flood ")?.1.len())).max();
    assert!(longest.unwrap() < 100, "{outcome:?}");
}

fn ok() -> Server {
    Server::start(|_: &Request, connection: &mut Connection| connection.answer(200, &[JSON], b"{}"))
}

#[test]
fn requests() {
    let home = Home::with(&["many_requests"]);
    let server = ok();
    let result = call(&home, &format!("many-requests:x@{}", server.url()), &[]).run().failed(&["limit"]);
    names(&result, "many-requests", &["requests"]);
    assert!(server.requests().len() <= 64, "{} requests", server.requests().len());
    works(&home);
}

#[test]
fn requests_at_once() {
    let home = Home::with(&["raw_request"]);
    let server = ok();
    let more = ["--limit", "concurrent-requests=3"];
    let result = raw(&home, &server.url(), &json!([{ "hold": true, "times": 10 }]), &more).failed(&["limit"]);
    names(&result, "raw-request", &["--limit concurrent-requests="]);
    assert_eq!(server.requests().len(), 3);
    // One after the other, each read to its end, they are no more than one.
    raw(&home, &server.url(), &json!([{ "times": 10 }]), &more).ok();
    works(&home);
}

#[test]
fn huge_requests() {
    let home = Home::with(&["huge_request"]);
    let server = ok();
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
