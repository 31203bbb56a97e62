//! Attacks on keys. The canary is in all variables; that it is seen nowhere is checked at each run.

use super::{JSON, answering, call, raw, works};
use crate::support::Home;
use crate::support::canary::CANARY;
use crate::support::server::{Request, Server};
use serde_json::json;

/// How the canary is in a request, if it is.
fn holds_key(request: &Request) -> bool {
    request.headers.iter().any(|(_, value)| value.contains(CANARY))
        || crate::support::canary::found(request.path.as_bytes()).is_some()
        || crate::support::canary::found(&request.body).is_some()
}

#[test]
fn the_canary_would_be_found() {
    use crate::support::canary::{found, percent_encoded};
    use base64::Engine;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE};
    assert!(found(b"all is quiet").is_none());
    let basic = format!("user:{CANARY}");
    for text in [
        CANARY.to_owned(),
        CANARY[..25].to_owned(),
        percent_encoded().to_lowercase().replace("qz", "Qz").replace("fw", "fW").replace("xk", "xK"),
        STANDARD.encode(&basic),
        URL_SAFE.encode(&basic[1..]),
        STANDARD.encode(&basic[2..]),
    ] {
        assert!(found(format!("x{text}x").as_bytes()).is_some(), "{text}");
    }
}

#[test]
fn take_another_plugins_key() {
    let home = Home::with(&["takes_keys"]);
    let server = answering();
    let outcome = call(&home, &format!("takes-keys:x@{}", server.url()), &[]).run();
    assert!(!server.requests().iter().any(holds_key), "{outcome:?}");
    if outcome.code == Some(0) {
        assert_eq!(outcome.json()["text"], "credentials: []");
    }
    works(&home);
}

#[test]
fn use_a_key_that_was_not_granted() {
    let home = Home::with(&["raw_request"]);
    let server = answering();
    raw(&home, &server.url(), &json!([{}]), &[]);
    assert!(!server.requests().iter().any(holds_key), "{:?}", server.requests());
}

/// A server that sends back all that it has heard, each time in another place.
fn echoing(how: &'static str) -> Server {
    Server::start(move |request, connection| {
        let heard: Vec<String> =
            request.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        let heard = heard.join("; ");
        match how {
            "header" => connection.answer(200, &[("x-echo", &heard)], b"{}"),
            "reason" => connection
                .raw(format!("HTTP/1.1 400 {heard}\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{{}}")),
            "bytes" => {
                connection.head(200, &[])?;
                heard.bytes().try_for_each(|byte| connection.chunk([byte]))?;
                connection.end()
            }
            "trailers" => {
                connection.head(200, &[("trailer", "x-echo")])?;
                connection.chunk("{}")?;
                connection.raw(format!("0\r\nx-echo: {heard}\r\n\r\n"))
            }
            "gzip" => {
                use std::io::Write;
                let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
                gzip.write_all(heard.as_bytes())?;
                connection.answer(200, &[("content-encoding", "gzip")], &gzip.finish()?)
            }
            status => {
                let body = json!({ "error": { "message": heard } }).to_string();
                connection.answer(status.parse().unwrap(), &[JSON], body.as_bytes())
            }
        }
    })
}

#[test]
fn echo_the_key_back() {
    let home = Home::with(&["raw_request"]);
    for how in ["200", "400", "401", "403", "500", "header", "reason", "bytes", "trailers", "gzip"] {
        let server = echoing(how);
        let outcome = raw(&home, &server.url(), &json!([{}]), &["--allow"]).ok();
        assert!(server.requests().iter().all(holds_key), "{how}: the key was not sent");
        // The guest has logged and answered all that it got; the rest of the echo is there.
        if !matches!(how, "reason" | "trailers") {
            assert!(outcome.stdout.contains("authorization: Bearer ***"), "{how}: {outcome:?}");
        }
    }
    works(&home);
}

#[test]
fn smuggle_the_key_into_a_path() {
    let home = Home::with(&["raw_request"]);
    // What a component would write there is what it has: a name, and a placeholder that nobody fills.
    let server = answering();
    let paths = ["/collect?key=$RAW_REQUEST_KEY", "/collect/{api-key}", "/collect?key=%24%7Bapi-key%7D"];
    let wishes: Vec<_> = paths.iter().map(|path| json!({ "path": path })).collect();
    raw(&home, &server.url(), &json!(wishes), &["--allow"]).ok();
    let requests = server.requests();
    assert_eq!(requests.len(), paths.len());
    for request in requests {
        assert!(crate::support::canary::found(request.path.as_bytes()).is_none(), "{request:?}");
        // In its own place it is.
        assert_eq!(request.header("authorization"), Some(&*format!("Bearer {CANARY}")));
    }
}

#[test]
fn have_the_key_sent_in_clear_text() {
    // A user's server that has no TLS and is not of this machine. Nothing is connected to: the credential comes first.
    let home = Home::with(&["raw_request"]);
    let config = "[providers.plain]\nplugin = \"raw-request\"\nbase-url = \"http://192.168.77.77\"\n";
    let file = home.plugins().join("plain.toml");
    std::fs::write(&file, config).unwrap();
    let more = ["--allow", "--config", file.to_str().unwrap()];
    let result = super::ask(&home, "plain:x", "[{}]", &more).run().failed(&["denied"]);
    assert_eq!(result["error"]["provider"], "plain");
    assert!(result["error"]["message"].as_str().unwrap().contains("no TLS"), "{result}");
    works(&home);
}
