//! Connections that are refused, cut, silent or endless, and those that lead elsewhere.

use crate::support::server::{Server, closed_port};
use crate::support::wires::{CHAT_COMPLETIONS, TEXT, WIRES, Wire};
use crate::{JSON, ask, call, contains, failure};
use std::sync::{Mutex, mpsc};
use std::thread;
use std::time::Duration;

/// A bound that no test reaches unless something hangs.
const SOON: Duration = Duration::from_secs(5);

#[test]
fn a_refused_connection() {
    for wire in WIRES {
        let address = closed_port();
        let result = call(&wire, &format!("http://{address}")).run().failed(&["network"]);
        assert!(contains(&result["error"]["message"], "refused"), "{result}");
    }
}

/// Serves the first `events` of a stream, then ends the body properly or cuts the connection.
pub fn cut_after(wire: Wire, events: usize, properly: bool) -> Server {
    Server::start(move |_, connection| {
        wire.begin(connection, &wire.events()[..events])?;
        if properly { connection.end() } else { Ok(()) }
    })
}

#[test]
fn a_cut_at_every_event() {
    for wire in WIRES {
        for events in 0..=wire.stream.len() {
            for properly in [true, false] {
                let server = cut_after(wire, events, properly);
                let outcome = ask(&wire, &server);
                let context =
                    format!("{} after {events} events, properly: {properly}: {outcome:?}", wire.model);
                if events >= wire.complete && outcome.code == Some(0) {
                    assert_eq!(outcome.json()["text"], TEXT, "{context}");
                    continue;
                }
                // Of an answer that no event ends, nobody knows what a cut has taken.
                assert!(events < wire.complete || !properly, "a complete answer failed: {context}");
                assert!(events < wire.stream.len() || wire.open_ended, "a whole answer failed: {context}");
                let kinds: &[&str] = if properly { &["protocol"] } else { &["network", "protocol"] };
                let result = outcome.failed(kinds);
                let text = result["text"].as_str().unwrap_or_default();
                assert!(TEXT.starts_with(text), "{context}");
                if properly {
                    let message = &result["error"]["message"];
                    assert!(contains(message, "truncated") || contains(message, "empty"), "{context}");
                }
                // What came before the cut is kept.
                let sent: String = wire.stream[..events].iter().map(|(_, data)| *data).collect();
                assert_eq!(text.contains("Hello"), sent.contains("Hello"), "{context}");
                assert_eq!(text.contains("world"), sent.contains("world"), "{context}");
            }
        }
    }
}

#[test]
fn a_cut_inside_an_event_and_inside_the_head() {
    for wire in WIRES {
        let events = wire.events();
        let half = events[1][..events[1].len() / 2].to_vec();
        failure(&wire, &wire.streaming(vec![events[0].clone(), half]), &["protocol"]);

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
            let opening = wire.opening();
            wire.begin(connection, &opening)?;
            loop {
                connection.chunk(opening.last().unwrap())?;
                thread::sleep(Duration::from_millis(20));
            }
        });
        let result = call(&wire, &server.url()).arg("--timeout").arg("1").run().failed(&["timeout"]);
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
                    wire.begin(connection, &wire.events()[..1])?;
                }
                assert!(connection.closed_within(Duration::from_secs(60)), "the program hung");
                Ok(())
            });
            let call = call(&wire, &server.url()).arg("--limit").arg(&format!("{limit}=400ms"));
            let result = call.run().failed(&["timeout"]);
            assert!(contains(&result["error"]["message"], limit), "{result}");
        }
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
                    wire.begin(connection, &wire.events()[..1])?;
                }
                let tell = tell.lock().unwrap();
                tell.send(true).unwrap();
                tell.send(connection.closed_within(SOON)).unwrap();
                Ok(())
            });
            let running = call(&wire, &server.url()).start();
            assert!(told.recv_timeout(Duration::from_secs(60)).unwrap());
            running.interrupt();
            assert!(told.recv_timeout(SOON * 2).unwrap(), "the connection is still open");
            running.wait().exits(130);
        }
    }
}

#[test]
fn redirects_are_not_followed() {
    for wire in WIRES {
        for status in [301, 302, 303, 307, 308] {
            let elsewhere = Server::answering(200, &[JSON], wire.whole);
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
    let wire = CHAT_COMPLETIONS;
    let proxy = Server::answering(200, &[JSON], wire.whole);
    let server = Server::answering(200, &[JSON], wire.whole);
    let mut call = call(&wire, &server.url());
    for name in ["http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        call = call.env(name, &proxy.url());
    }
    call.run().ok();
    assert!(proxy.requests().is_empty());
    server.request();
}
