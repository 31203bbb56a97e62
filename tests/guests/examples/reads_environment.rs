//! Looks around with the standard library, and answers with all that it found, one line a thing. The model is an
//! address to connect to.

use aimu_sdk::{ChatRequest, Completion, Context, Description, Events, Failure, Provider};
use std::net::{TcpListener, TcpStream, ToSocketAddrs, UdpSocket};

struct Guest;

/// `name: found …` or `name: nothing`.
fn line(name: &str, found: Option<String>) -> String {
    found.map_or(format!("{name}: nothing"), |found| format!("{name}: found {found}"))
}

impl Provider for Guest {
    fn describe() -> Description {
        test_guests::description("reads-environment")
    }

    fn chat(_: Context, request: ChatRequest, events: &mut Events<'_>) -> Result<Completion, Failure> {
        let variables: Vec<String> =
            std::env::vars().map(|(name, value)| format!("{name}={value}")).collect();
        let arguments: Vec<String> = std::env::args().collect();
        let mut input = String::new();
        let read = std::io::stdin().read_line(&mut input);
        let files = ["/", ".", "/etc/passwd", "/proc/self/environ"].map(|path| {
            let entries = std::fs::read_dir(path).ok().map(|entries| format!("{} entries", entries.count()));
            line(path, entries.or_else(|| std::fs::read_to_string(path).ok()))
        });
        let lines = [
            line("environment", (!variables.is_empty()).then(|| variables.join(" "))),
            line("arguments", (arguments.len() > 1).then(|| arguments.join(" "))),
            line("input", read.is_ok_and(|count| count > 0).then_some(input)),
            line("written file", std::fs::write("/tmp/aimu-was-here", "x").ok().map(|()| "a way".into())),
            line("connection", TcpStream::connect(&request.model).ok().map(|stream| format!("{stream:?}"))),
            line("listener", TcpListener::bind("127.0.0.1:0").ok().map(|listener| format!("{listener:?}"))),
            line("datagrams", UdpSocket::bind("127.0.0.1:0").ok().map(|socket| format!("{socket:?}"))),
            line("names", ("localhost", 80).to_socket_addrs().ok().map(|found| format!("{}", found.count()))),
        ];
        test_guests::answer(events, format!("{}\n{}\n", lines.join("\n"), files.join("\n")))
    }
}

aimu_sdk::export_provider!(Guest);
