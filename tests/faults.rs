//! What goes wrong between the program and a server: each ends the call with a failure of the right kind, keeps what
//! had arrived, and is never taken for an answer.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use serde_json::{Value, json};
use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, mpsc};
use std::thread;
use std::time::Duration;
use support::Home;
use support::program::{Outcome, Program};
use support::server::{Connection, Request, Server, closed_port};
use support::wires::{CHAT_COMPLETIONS, MESSAGES, TEXT, WIRES, Wire};

/// A bound that no test reaches unless something hangs.
const SOON: Duration = Duration::from_secs(5);

fn call(home: &Home, wire: &Wire, url: &str) -> Program {
    home.aimu(["chat", &wire.at(url), "--request", "-", "--json"])
        .env("ANTHROPIC_API_KEY", "k")
        .input(wire.request())
}

fn ask(wire: &Wire, server: &Server) -> Outcome {
    call(&Home::new(), wire, &server.url()).run()
}

/// A failure as JSON, with what every failure of a call must have.
fn failure(wire: &Wire, server: &Server, kinds: &[&str]) -> Value {
    let result = ask(wire, server).failed(kinds);
    let provider = wire.model.split(':').next().unwrap();
    assert_eq!(result["error"]["provider"], provider, "{result}");
    result
}

fn contains(value: &Value, word: &str) -> bool {
    value.as_str().unwrap_or_default().to_lowercase().contains(word)
}

#[test]
fn a_good_answer_is_taken() {
    // What the faults are measured against.
    for wire in WIRES {
        for streamed in [true, false] {
            let server = Server::start(move |_, connection| {
                if !streamed {
                    return connection.answer(
                        200,
                        &[("content-type", "application/json")],
                        wire.whole.as_bytes(),
                    );
                }
                connection.stream()?;
                wire.events.iter().try_for_each(|(event, _)| connection.chunk(event))?;
                connection.end()
            });
            let result = ask(&wire, &server).ok().json();
            assert_eq!(result["text"], TEXT);
            assert_eq!(result["finish"], "stop");
            assert_eq!(result["usage"]["input"], 7);
            assert_eq!(result["usage"]["output"], 5);
            assert!(server.request().path.ends_with(wire.path), "{:?}", server.request().path);
        }
    }
}

#[test]
fn a_refused_connection() {
    for wire in WIRES {
        let address = closed_port();
        let result = call(&Home::new(), &wire, &format!("http://{address}")).run().failed(&["network"]);
        assert!(contains(&result["error"]["message"], "refused"), "{result}");
    }
}

/// Serves the first `events` of a stream, then ends the body properly or cuts the connection.
fn cut_after(wire: Wire, events: usize, properly: bool) -> Server {
    Server::start(move |_, connection| {
        connection.stream()?;
        wire.events.iter().take(events).try_for_each(|(event, _)| connection.chunk(event))?;
        if properly { connection.end() } else { Ok(()) }
    })
}

#[test]
fn a_cut_at_every_event() {
    for wire in WIRES {
        for events in 0..=wire.events.len() {
            for properly in [true, false] {
                let server = cut_after(wire, events, properly);
                let outcome = ask(&wire, &server);
                let context =
                    format!("{} after {events} events, properly: {properly}: {outcome:?}", wire.model);
                let complete = events > 0 && wire.events[events - 1].1;
                if complete && outcome.code == Some(0) {
                    assert_eq!(outcome.json()["text"], TEXT, "{context}");
                    continue;
                }
                assert!(events < wire.events.len() || !properly, "a complete answer failed: {context}");
                let kinds: &[&str] = if properly { &["protocol"] } else { &["network", "protocol"] };
                let result = outcome.failed(kinds);
                let text = result["text"].as_str().unwrap_or_default();
                assert!(TEXT.starts_with(text), "{context}");
                if properly {
                    let message = &result["error"]["message"];
                    assert!(contains(message, "truncated") || contains(message, "empty"), "{context}");
                }
                // What came before the cut is kept.
                let sent: String = wire.events[..events].iter().map(|(event, _)| *event).collect();
                assert_eq!(text.contains("Hello"), sent.contains("Hello"), "{context}");
                assert_eq!(text.contains("world"), sent.contains("world"), "{context}");
            }
        }
    }
}

#[test]
fn a_cut_inside_an_event_and_inside_the_head() {
    for wire in WIRES {
        let server = Server::start(move |_, connection| {
            connection.stream()?;
            connection.chunk(wire.events[0].0)?;
            connection.chunk(&wire.events[1].0[..30])?;
            connection.end()
        });
        failure(&wire, &server, &["protocol"]);

        let server = Server::start(move |_, connection| connection.raw("HTTP/1.1 200 OK\r\ncontent-ty"));
        failure(&wire, &server, &["network", "protocol"]);

        let server = Server::start(move |_, _| Ok(()));
        failure(&wire, &server, &["network"]);

        // Fewer bytes than announced.
        let server = Server::start(move |_, connection| {
            let body = &wire.whole[..40];
            connection.raw(format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 4000\r\n\r\n{body}"
            ))
        });
        failure(&wire, &server, &["network", "protocol"]);
    }
}

#[test]
fn a_body_that_never_ends() {
    for wire in WIRES {
        let server = Server::start(move |_, connection| {
            connection.stream()?;
            wire.events.iter().take(4).try_for_each(|(event, _)| connection.chunk(event))?;
            loop {
                connection.chunk(wire.events[3].0)?;
                thread::sleep(Duration::from_millis(20));
            }
        });
        let result =
            call(&Home::new(), &wire, &server.url()).arg("--timeout").arg("1").run().failed(&["timeout"]);
        assert!(contains(&result["error"]["message"], "total"), "{result}");
        assert!(result["text"].as_str().unwrap().starts_with("Hello"), "{result}");
    }
}

#[test]
fn silence() {
    for wire in WIRES {
        for (limit, before) in [("first-byte", true), ("idle", false)] {
            let server = Server::start(move |_, connection| {
                if !before {
                    connection.stream()?;
                    connection.chunk(wire.events[0].0)?;
                }
                assert!(connection.closed_within(Duration::from_secs(60)), "the program hung");
                Ok(())
            });
            let call = call(&Home::new(), &wire, &server.url()).arg("--limit").arg(&format!("{limit}=400ms"));
            let result = call.run().failed(&["timeout"]);
            assert!(contains(&result["error"]["message"], limit), "{result}");
        }
    }
}

#[test]
fn statuses() {
    let error = |kind: &str| {
        json!({ "type": "error", "error": { "type": kind, "message": "it said no" } }).to_string()
    };
    for wire in WIRES {
        for (status, word, kind) in [
            (400, "invalid_request_error", "invalid-request"),
            (401, "authentication_error", "authentication"),
            (403, "permission_error", "permission"),
            (404, "not_found_error", "not-found"),
            (429, "rate_limit_error", "rate-limited"),
            (500, "api_error", "server"),
            (502, "api_error", "server"),
            (503, "overloaded_error", "overloaded"),
            (529, "overloaded_error", "overloaded"),
        ] {
            // With a body of the API's, with one of a proxy's, and with none.
            let json = [("content-type", "application/json"), ("request-id", "req_7")];
            let bodies = [error(word), "<html><title>A proxy</title></html>".to_owned(), String::new()];
            for (number, body) in bodies.iter().enumerate() {
                let server = Server::answering(status, if number == 0 { &json } else { &[] }, body.as_str());
                let result = failure(&wire, &server, &[kind]);
                assert_eq!(result["error"]["http_status"], status, "{result}");
                if number == 0 {
                    assert!(contains(&result["error"]["message"], "it said no"), "{result}");
                    assert_eq!(result["error"]["request_id"], "req_7", "{result}");
                }
                server.request();
            }
        }
    }
}

#[test]
fn a_rate_limit_says_how_long() {
    for wire in WIRES {
        for (header, value, milliseconds) in
            [("retry-after", "7", 7000), ("retry-after-ms", "250", 250), ("Retry-After", "0", 0)]
        {
            let server = Server::answering(429, &[(header, value)], "{}");
            let result = failure(&wire, &server, &["rate-limited"]);
            assert_eq!(result["error"]["retry_after_ms"], milliseconds, "{result}");
        }
        let dates =
            [("date", "Sun, 06 Nov 1994 08:49:37 GMT"), ("retry-after", "Sun, 06 Nov 1994 08:49:47 GMT")];
        let server = Server::answering(429, &dates, "{}");
        assert_eq!(failure(&wire, &server, &["rate-limited"])["error"]["retry_after_ms"], 10_000);
    }
}

#[test]
fn errors_under_status_200() {
    let body =
        json!({ "type": "error", "error": { "type": "overloaded_error", "message": "too busy, sorry" } });
    for wire in WIRES {
        let server = Server::answering(200, &[("content-type", "application/json")], body.to_string());
        let result = failure(&wire, &server, &["overloaded"]);
        assert!(contains(&result["error"]["message"], "too busy"), "{result}");

        // In the middle of a stream: what came before it is kept.
        let event = if wire.model == MESSAGES.model { "event: error\n" } else { "" };
        let event = format!("{event}data: {body}\n\n");
        let server = Server::start(move |_, connection| {
            connection.stream()?;
            wire.events.iter().take(4).try_for_each(|(event, _)| connection.chunk(event))?;
            connection.chunk(&event)?;
            connection.end()
        });
        let result = failure(&wire, &server, &["overloaded"]);
        assert!(contains(&result["error"]["message"], "too busy"), "{result}");
        assert!(result["text"].as_str().unwrap().starts_with("Hello"), "{result}");
    }
}

#[test]
fn garbage() {
    let json = ("content-type", "application/json");
    let sse = ("content-type", "text/event-stream");
    let html = ("content-type", "text/html");
    for wire in WIRES {
        for (header, body) in [
            (json, &b"{ \"half\": "[..]),
            (json, b""),
            (json, b"null"),
            (json, b"[]"),
            (json, b"{}"),
            (json, b"\xff\xfe\x00garbage\x80"),
            (sse, b"data: not json\n\n"),
            (sse, b"data: {\"half\":\n\n"),
            (sse, b"data: \xc3\x28\xa0\xa1\n\n"),
            (sse, b""),
            (sse, b"\n\n\n\n"),
            (html, b"<!doctype html><html><title>Sign in</title></html>"),
            (json, b"<!doctype html><html><title>Sign in</title></html>"),
        ] {
            let server = Server::answering(200, &[header], body);
            failure(&wire, &server, &["protocol"]);
        }
        // No HTTP at all.
        for bytes in
            [&b"SSH-2.0-OpenSSH_9.6\r\n"[..], b"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", b"HTTP/1.1 abc\r\n\r\n"]
        {
            let server = Server::start(move |_, connection| connection.raw(bytes));
            failure(&wire, &server, &["protocol", "network"]);
        }
    }
}

#[test]
fn redirects_are_not_followed() {
    for wire in WIRES {
        for status in [301, 302, 303, 307, 308] {
            let elsewhere = Server::answering(200, &[("content-type", "application/json")], wire.whole);
            let location = format!("{}/v1", elsewhere.url());
            let server = Server::answering(status, &[("location", location.as_str())], "");
            let outcome = ask(&wire, &server).exits(1);
            assert!(elsewhere.requests().is_empty(), "{status} was followed: {outcome:?}");
            assert_eq!(outcome.json()["error"]["http_status"], status, "{outcome:?}");
        }
    }
}

#[test]
fn environment_proxies_are_not_used() {
    let proxy = Server::answering(200, &[("content-type", "application/json")], CHAT_COMPLETIONS.whole);
    let server = Server::answering(200, &[("content-type", "application/json")], CHAT_COMPLETIONS.whole);
    let mut call = call(&Home::new(), &CHAT_COMPLETIONS, &server.url());
    for name in ["http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        call = call.env(name, &proxy.url());
    }
    call.run().ok();
    assert!(proxy.requests().is_empty());
    server.request();
}

#[test]
fn responses_are_bounded() {
    let sse = ("content-type", "text/event-stream");
    for wire in WIRES {
        // A head without end.
        let server = Server::start(|_, connection| {
            connection.raw("HTTP/1.1 200 OK\r\n")?;
            for n in 0..2_000_000 {
                connection.raw(format!("x-flood-{n}: {}\r\n", "x".repeat(1000)))?;
            }
            Ok(())
        });
        let result = failure(&wire, &server, &["limit", "protocol"]);
        assert!(contains(&result["error"]["message"], "header"), "{result}");

        // A head that is too large for the limit, but not for the parser of HTTP.
        let large = "x".repeat(100_000);
        let server = Server::answering(200, &[sse, ("x-large", &large)], "data: x\n\n");
        let result = failure(&wire, &server, &["limit"]);
        assert!(contains(&result["error"]["message"], "response-headers"), "{result}");

        // A body that is too large, in one line and in many, announced and not.
        for body in [format!("data: {}\n\n", "x".repeat(3 << 20)), ": nothing\n\n".repeat(300_000)] {
            let announced = Server::answering(200, &[sse], body.as_str());
            let chunked = Server::start(move |_, connection| {
                connection.stream()?;
                body.as_bytes().chunks(50_000).try_for_each(|chunk| connection.chunk(chunk))?;
                connection.end()
            });
            for server in [announced, chunked] {
                let call = call(&Home::new(), &wire, &server.url()).arg("--limit").arg("response-body=1m");
                let result = call.run().failed(&["limit"]);
                assert!(contains(&result["error"]["message"], "response-body"), "{result}");
            }
        }
    }
}

#[test]
fn inflated_bodies_are_bounded() {
    // 64 MiB of nothing in 64 KiB.
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    (0..64).try_for_each(|_| encoder.write_all(&vec![b' '; 1 << 20])).unwrap();
    let bomb = encoder.finish().unwrap();
    for wire in WIRES {
        let headers = [("content-type", "application/json"), ("content-encoding", "gzip")];
        let server = Server::answering(200, &headers, bomb.clone());
        let call = call(&Home::new(), &wire, &server.url()).arg("--limit").arg("response-body=1m");
        let result = call.run().failed(&["limit"]);
        assert!(contains(&result["error"]["message"], "response-body"), "{result}");
    }
}

#[test]
fn compressed_answers_are_read() {
    for wire in WIRES {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(wire.whole.as_bytes()).unwrap();
        let headers = [("content-type", "application/json"), ("content-encoding", "gzip")];
        let server = Server::answering(200, &headers, encoder.finish().unwrap());
        assert_eq!(ask(&wire, &server).ok().json()["text"], TEXT);
    }
}

/// Answers the first `bad` requests with a status, the others well.
fn recovers(wire: Wire, bad: usize, status: u16, headers: &'static [(&'static str, &'static str)]) -> Server {
    let count = AtomicUsize::new(0);
    let answer = move |_: &Request, connection: &mut Connection| {
        if count.fetch_add(1, Ordering::SeqCst) < bad {
            return connection.answer(status, headers, b"{}");
        }
        connection.stream()?;
        wire.events.iter().try_for_each(|(event, _)| connection.chunk(event))?;
        connection.end()
    };
    Server::start(answer)
}

#[test]
fn calls_are_tried_again_when_that_can_help() {
    for wire in WIRES {
        let chat = |server: &Server, retries: &str| {
            let model = wire.at(&server.url());
            Home::new().aimu(["chat", &model, "Hi", "--retries", retries]).env("ANTHROPIC_API_KEY", "k").run()
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
        let server = cut_after(wire, 4, false);
        chat(&server, "2").exits(1);
        assert_eq!(server.requests().len(), 1);
        // A request document is one request.
        let server = recovers(wire, 1, 503, &[("retry-after-ms", "1")]);
        ask(&wire, &server).failed(&["overloaded"]);
        assert_eq!(server.requests().len(), 1);
    }
}

#[test]
fn an_interrupt_closes_the_socket() {
    for wire in WIRES {
        for streaming in [true, false] {
            let (tell, told) = mpsc::channel();
            let tell = Mutex::new(tell);
            let server = Server::start(move |_, connection| {
                if streaming {
                    connection.stream()?;
                    connection.chunk(wire.events[0].0)?;
                }
                let tell = tell.lock().unwrap();
                tell.send(true).unwrap();
                tell.send(connection.closed_within(SOON)).unwrap();
                Ok(())
            });
            let running = call(&Home::new(), &wire, &server.url()).start();
            assert!(told.recv_timeout(Duration::from_secs(60)).unwrap());
            running.interrupt();
            assert!(told.recv_timeout(SOON * 2).unwrap(), "the connection is still open");
            running.wait().exits(130);
        }
    }
}

#[test]
fn pieces_reach_the_reader_when_they_come() {
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};
    // The server goes on only once the first piece has been seen: an answer that is held back hangs.
    for wire in WIRES {
        let (go_on, wait) = mpsc::channel::<()>();
        let wait = Mutex::new(wait);
        let server = Server::start(move |_, connection| {
            connection.stream()?;
            wire.events.iter().take(4).try_for_each(|(event, _)| connection.chunk(event))?;
            if wait.lock().unwrap().recv_timeout(Duration::from_secs(60)).is_err() {
                return Ok(());
            }
            wire.events.iter().skip(4).try_for_each(|(event, _)| connection.chunk(event))?;
            connection.end()
        });
        let home = Home::new();
        let mut child = Command::new(env!("CARGO_BIN_EXE_aimu-host"))
            .args(["chat", &wire.at(&server.url()), "Hi", "--events", "--plugins"])
            .arg(home.plugins())
            .env("AIMU_HOST_HOME", home.data())
            .env("ANTHROPIC_API_KEY", "k")
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
