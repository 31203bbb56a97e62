//! Answers that are too large.

use crate::support::server::Server;
use crate::support::wires::WIRES;
use crate::{JSON, call, contains, failure};
use std::io::Write;

#[test]
fn heads_are_bounded() {
    for wire in WIRES {
        // Without end.
        let server = Server::start(|_, connection| {
            connection.raw("HTTP/1.1 200 OK\r\n")?;
            for n in 0..2_000_000 {
                connection.raw(format!("x-flood-{n}: {}\r\n", "x".repeat(1000)))?;
            }
            Ok(())
        });
        let result = failure(&wire, &server, &["limit", "protocol"]);
        assert!(contains(&result["error"]["message"], "header"), "{result}");

        // Too large for the limit, but not for the parser of HTTP.
        let (stream, large) = (("content-type", wire.framing.content_type()), "x".repeat(100_000));
        let server = Server::answering(200, &[stream, ("x-large", &large)], "data: x\n\n");
        let result = failure(&wire, &server, &["limit"]);
        assert!(contains(&result["error"]["message"], "response-headers"), "{result}");
    }
}

#[test]
fn bodies_are_bounded() {
    for wire in WIRES {
        // One event that is too large, and many small ones; announced and not.
        let large = wire.events_with("Hello", &"x".repeat(3 << 20)).concat();
        let opening = wire.opening();
        let many = [opening.concat(), opening.last().unwrap().repeat(40_000)].concat();
        for body in [large, many] {
            assert!(body.len() > 2 << 20);
            let stream = ("content-type", wire.framing.content_type());
            let announced = Server::answering(200, &[stream], body.clone());
            let chunked = wire.streaming(body.chunks(50_000).map(<[u8]>::to_vec).collect());
            for server in [announced, chunked] {
                let call = call(&wire, &server.url()).arg("--limit").arg("response-body=1m");
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
        let server = Server::answering(200, &[JSON, ("content-encoding", "gzip")], bomb.clone());
        let call = call(&wire, &server.url()).arg("--limit").arg("response-body=1m");
        let result = call.run().failed(&["limit"]);
        assert!(contains(&result["error"]["message"], "response-body"), "{result}");
    }
}
