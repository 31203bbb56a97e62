//! Servers that say the key back, in every way that is looked for.

use super::{chat, configure, key, run};
use crate::support::Home;
use crate::support::server::Server;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

#[test]
fn an_echo_is_cut_out_however_it_is_written() {
    let home = Home::fresh();
    let server = Server::start(|request, connection| {
        let sent = request.header("authorization").unwrap();
        let secret = sent.strip_prefix("Bearer ").unwrap();
        let written = [
            secret.to_owned(),
            secret.replace('/', "\\/"),
            secret.replace('/', "%2F").replace('+', "%2B"),
            secret.replace('/', "%2f").replace('+', "%2b"),
            STANDARD.encode(secret),
            STANDARD.encode(sent),
            URL_SAFE_NO_PAD.encode(format!("user:{secret}")),
        ];
        // Escaped once already, as a server would that writes its own JSON.
        let message = written.join(" | ");
        let body = format!(r#"{{"error":{{"message":"I heard {message}"}}}}"#);
        let name = format!("x-{}", secret.replace(['/', '+'], "-"));
        let headers = [
            ("content-type", "application/json"),
            ("x-echo", secret),
            ("x-basic", &written[4]),
            (&name, "1"),
        ];
        connection.head(400, &headers)?;
        // In pieces, none of which has all of it.
        for piece in body.as_bytes().chunks(5) {
            connection.chunk(piece)?;
        }
        connection.raw(format!("0\r\nx-trailer: {secret}\r\n\r\n"))
    });
    configure(&home, &server, "{ source = { env = \"MINE_KEY\" } }");
    let secret = key("a/b+c");
    let outcome = run(&home, chat(&home).env("MINE_KEY", &secret)).exits(1);
    outcome.says(&["I heard", "****"]);
    let said = format!("{}{}", outcome.stdout, outcome.stderr);
    for encoded in [STANDARD.encode(&secret), STANDARD.encode(format!("Bearer {secret}"))] {
        // The middle is of the secret alone, at any offset.
        let middle = &encoded[encoded.len() / 2 - 6..encoded.len() / 2 + 6];
        assert!(!said.contains(middle), "{middle} in {said}");
    }
}
