//! Media by URL: fetched by the host for models whose provider takes bytes, from servers that behave and others.
#![allow(missing_docs, unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "media/fetching.rs"]
mod fetching;
#[path = "media/refusals.rs"]
mod refusals;
mod support;

use support::Home;
use support::program::Program;
use support::server::{Request, Server};
use support::wires::OLLAMA;

/// What a picture begins with, and enough of it to be told.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";

const IMAGE: (&str, &str) = ("content-type", "image/png");

/// A home with an `echo` that sees images, reads documents and takes no URLs: it says what it is given.
fn seer() -> Home {
    let home = Home::fresh();
    let entry = "[providers.seer]\nplugin = \"echo\"\nmodels = [{ id = \"echo\", capabilities = [\"vision\", \"documents\"] }]\n";
    std::fs::write(home.data().join("config.toml"), entry).unwrap();
    home
}

/// A server of pictures.
fn pictures() -> Server {
    Server::answering(200, &[IMAGE], PNG)
}

/// The seer, asked about what is at a URL of an allowed server.
fn look(home: &Home, server: &Server, url: &str) -> Program {
    home.aimu(["chat", "seer:echo", "Hi", "-a", url, "--allow-media-from", &server.url()])
}

/// A server of models that answers as Ollama's own does.
fn ollama() -> Server {
    OLLAMA.streaming(OLLAMA.events())
}

/// Nothing of the user's goes along with the fetch of a file.
#[track_caller]
fn is_bare(request: &Request) {
    assert_eq!((request.method.as_str(), request.body.as_slice()), ("GET", &b""[..]), "{request:?}");
    for name in ["authorization", "cookie", "referer", "x-api-key"] {
        assert_eq!(request.header(name), None, "{request:?}");
    }
}
