//! Answers that are none.

use crate::support::server::Server;
use crate::support::wires::WIRES;
use crate::{JSON, failure};

const PAGE: &[u8] = b"<!doctype html><html><title>Sign in</title></html>";

#[test]
fn what_is_no_answer() {
    let html = ("content-type", "text/html");
    for wire in WIRES {
        let stream = ("content-type", wire.framing.content_type());
        for (header, body) in [
            (JSON, &b"{ \"half\": "[..]),
            (JSON, b""),
            (JSON, b"null"),
            (JSON, b"[]"),
            (JSON, b"{}"),
            (JSON, b"\"text\""),
            (JSON, b"\xff\xfe\x00garbage\x80"),
            (stream, b"data: not json\n\n"),
            (stream, b"data: {\"half\":\n\n"),
            (stream, b"data: \xc3\x28\xa0\xa1\n\n"),
            (stream, b"not json"),
            (stream, b""),
            (stream, b"\n\n\n\n"),
            // A web page, whatever it says that it is.
            (html, PAGE),
            (JSON, PAGE),
            (stream, PAGE),
        ] {
            let server = Server::answering(200, &[header], body);
            failure(&wire, &server, &["protocol"]);
        }
    }
}

#[test]
fn what_is_no_http() {
    for wire in WIRES {
        for bytes in
            [&b"SSH-2.0-OpenSSH_9.6\r\n"[..], b"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", b"HTTP/1.1 abc\r\n\r\n"]
        {
            let server = Server::start(move |_, connection| connection.raw(bytes));
            failure(&wire, &server, &["protocol", "network"]);
        }
    }
}
