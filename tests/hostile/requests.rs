//! Requests that say other than what they are: what the host makes itself can't be set, and nothing is smuggled along.

use super::{answering, names, raw, works};
use crate::support::Home;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What must come of a request.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Must {
    /// The host refuses it (`denied`).
    BeDenied,
    /// It goes out without what was smuggled.
    BeCleaned,
    /// It does not go out, whoever stops it: wasi-http's own tables, or the host.
    NotGoOut,
}
use Must::{BeCleaned, BeDenied, NotGoOut};

/// A server that keeps all bytes of a connection, well-formed or not, and then answers.
fn listening() -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let heard: Arc<Mutex<Vec<String>>> = Arc::default();
    let ears = heard.clone();
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            stream.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
            let (mut all, mut buffer) = (Vec::new(), [0; 4096]);
            while let Ok(length @ 1..) = stream.read(&mut buffer) {
                all.extend_from_slice(&buffer[..length]);
            }
            ears.lock().unwrap().push(String::from_utf8_lossy(&all).into_owned());
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}");
        }
    });
    (url, heard)
}

fn header(name: &str, value: &str) -> Value {
    json!({ "headers": [[name, value]] })
}

fn attacks() -> Vec<(&'static str, Value, Must)> {
    let smuggled = "smuggled";
    vec![
        ("set authorization", header("authorization", "Bearer smuggled"), BeDenied),
        ("set authorization in capitals", header("AUTHORIZATION", "Bearer smuggled"), BeDenied),
        ("set another provider's key header", header("x-api-key", smuggled), BeDenied),
        ("set a cloud's token header", header("x-amz-security-token", smuggled), BeDenied),
        ("set a cookie", header("cookie", "session=smuggled"), BeDenied),
        ("set proxy-authorization", header("proxy-authorization", "Basic smuggled"), NotGoOut),
        ("set host", header("host", "smuggled.example"), NotGoOut),
        ("set connection", header("connection", "smuggled"), NotGoOut),
        ("set keep-alive", header("keep-alive", smuggled), NotGoOut),
        ("set transfer-encoding", header("transfer-encoding", "smuggled, chunked"), NotGoOut),
        ("set upgrade", header("upgrade", smuggled), NotGoOut),
        ("set http2-settings", header("http2-settings", smuggled), NotGoOut),
        ("set te", header("te", smuggled), BeCleaned),
        ("set trailer", header("trailer", smuggled), BeCleaned),
        ("set expect", header("expect", smuggled), BeCleaned),
        ("set proxy-connection", header("proxy-connection", smuggled), NotGoOut),
        ("set accept-encoding, past the redaction", header("accept-encoding", smuggled), BeCleaned),
        (
            "set content-length too small",
            json!({"method": "POST", "headers": [["content-length", "3"]], "body": "abcGET /smuggled HTTP/1.1\r\n\r\n"}),
            NotGoOut,
        ),
        (
            "set content-length too large",
            json!({"method": "POST", "headers": [["content-length", "300"]], "body": "abc"}),
            NotGoOut,
        ),
        (
            "set content-length twice",
            json!({"method": "POST", "headers": [["content-length", "3"], ["content-length", "40"]], "body": "abc"}),
            NotGoOut,
        ),
        ("a line break in a header's value", header("x-a", "b\r\nx-smuggled: 1"), NotGoOut),
        ("a line break in a header's name", header("x-a\r\nx-smuggled", "1"), NotGoOut),
        ("a space in a header's name", header("host :", smuggled), NotGoOut),
        (
            "an end of the head in a header's value",
            header("x-a", "b\r\n\r\nGET /smuggled HTTP/1.1"),
            NotGoOut,
        ),
        ("trailers", json!({"method": "POST", "body": "abc", "trailers": [["x-a", smuggled]]}), BeCleaned),
        (
            "a credential in the trailers",
            json!({"method": "POST", "body": "abc", "trailers": [["authorization", smuggled]]}),
            BeCleaned,
        ),
        ("the method CONNECT", json!({"method": "CONNECT", "path": "/smuggled"}), NotGoOut),
        ("the method TRACE", json!({"method": "TRACE", "path": "/smuggled"}), BeDenied),
        ("a method of one's own", json!({"method": "SMUGGLED"}), BeDenied),
        ("a request in the method", json!({"method": "GET /smuggled HTTP/1.1\r\n\r\nGET"}), NotGoOut),
        ("a line break in the path", json!({"path": "/a HTTP/1.1\r\nx-smuggled: 1\r\n\r\n"}), NotGoOut),
        ("another scheme", json!({"scheme": "ftp", "path": "/smuggled"}), NotGoOut),
        ("a user in the authority", json!({"authority": "user:smuggled@HERE"}), NotGoOut),
        ("a path in the authority", json!({"authority": "HERE/smuggled?"}), NotGoOut),
        ("a line break in the authority", json!({"authority": "HERE\r\nx-smuggled: 1"}), NotGoOut),
        ("no authority", json!({"authority": ""}), NotGoOut),
    ]
}

#[test]
fn nothing_is_smuggled() {
    let home = Home::with(&["raw_request"]);
    for (attack, wish, must) in attacks() {
        let (url, heard) = listening();
        let wish = wish.to_string().replace("HERE", &url.replace("http://", ""));
        let outcome =
            super::ask(&home, &format!("raw-request:x@{url}"), &format!("[{wish}]"), &["--allow"]).run();
        let heard = heard.lock().unwrap().clone();
        if must == BeCleaned {
            outcome.ok();
            assert_eq!(heard.len(), 1, "{attack}: {heard:?}");
            let request = heard[0].to_lowercase();
            assert!(!request.contains("smuggled"), "{attack}: {request}");
            assert_eq!(request.matches("http/1.1\r\n").count(), 1, "{attack}: {request}");
            assert_eq!(request.matches("\r\nhost: ").count(), 1, "{attack}: {request}");
            assert!(request.matches("content-length").count() <= 1, "{attack}: {request}");
            continue;
        }
        assert!(heard.is_empty(), "{attack} went out: {heard:?}");
        let kinds: &[&str] = match must {
            BeDenied => &["denied"],
            _ => &["denied", "network", "invalid-request", "internal", "protocol"],
        };
        let result = outcome.failed(kinds);
        if must == BeDenied {
            names(&result, "raw-request", &["refused"]);
        }
    }
    works(&home);
}

#[test]
fn requests_to_other_servers_carry_no_key() {
    let home = Home::with(&["raw_request"]);
    let (own, other) = (answering(), answering());
    let port = other.url().rsplit(':').next().unwrap().to_owned();
    for (attack, authority) in [
        ("another port", format!("127.0.0.1:{port}")),
        ("another name", format!("localhost:{port}")),
        ("another address", format!("[::ffff:127.0.0.1]:{port}")),
    ] {
        let wishes = json!([{}, { "authority": authority }]);
        raw(&home, &own.url(), &wishes, &["--allow"]).failed(&["denied"]);
        assert!(other.requests().is_empty(), "{attack}: {:?}", other.requests());
    }
    // The same address in IPv6's clothes is still another origin than what the user named; the user's own had the key.
    let key = own.requests()[0].header("authorization").map(str::to_owned);
    assert_eq!(key.as_deref(), Some(&*format!("Bearer {}", crate::support::canary::CANARY)));
    works(&home);
}
