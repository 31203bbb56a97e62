//! Ten thousand calls, one after the other, leave the memory of the process as it was after the first thousand.
//!
//! A process of its own: what other tests take would count. The calls go over a real socket, with a key that the host
//! adds and looks for in what comes back.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use aimu_host::{Home, Host};
use std::net::TcpListener;
use support::server::Connection;

const CALLS: usize = 10_000;
/// Calls until everything that is kept on purpose is there: pools, caches, the allocator's room.
const FIRST: usize = 1_000;
/// MiB by which resident memory may have grown after those.
const GROWTH: f64 = 5.0;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_calls_leave_memory_flat() {
    if resident().is_none() {
        return support::skip(
            "flat_memory",
            "the system does not tell the memory of a process as Linux does",
        );
    }
    let url = server();
    let home = support::Home::new();
    let config = format!(
        "[providers.mine]\nplugin = \"openai-compat\"\nbase-url = \"{url}\"\n\
         credential = {{ source = {{ env = \"PATH\" }}, required = true }}\n"
    );
    std::fs::create_dir_all(home.data()).unwrap();
    std::fs::write(home.data().join("config.toml"), config).unwrap();
    let host = Host::builder().home(Home::at(home.data())).retries(0).build().unwrap();

    let mut after_first = 0.0;
    for call in 1..=CALLS {
        let mut client = host.client("mine:m").await.unwrap();
        assert_eq!(client.chat("Hi").await.unwrap().text, "Hello, you");
        if call == FIRST {
            after_first = resident().unwrap();
        }
    }
    let growth = resident().unwrap() - after_first;
    assert!(growth <= GROWTH, "{} calls took {growth:.1} MiB that nobody gave back", CALLS - FIRST);
}

/// MiB of the pages that the process has in memory now.
fn resident() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<f64>().ok()? / 1024.0)
}

/// A server that keeps its connections, and nothing else of what it was asked.
fn server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for connection in listener.incoming().map_while(Result::ok) {
            let mut connection = Connection(connection);
            std::thread::spawn(move || while answer(&mut connection).is_some() {});
        }
    });
    url
}

/// Answers the next request; nothing at the end of the connection.
fn answer(connection: &mut Connection) -> Option<()> {
    connection.request().ok()??;
    let delta = |delta: &str, finish: &str| {
        format!(
            "data: {{\"id\":\"c\",\"choices\":[{{\"index\":0,\"delta\":{delta},\"finish_reason\":{finish}}}]}}\n\n"
        )
    };
    let body = [
        delta("{\"content\":\"Hello, \"}", "null"),
        delta("{\"content\":\"you\"}", "null"),
        delta("{}", "\"stop\""),
        "data: [DONE]\n\n".to_owned(),
    ]
    .concat();
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    connection.raw(head + &body).ok()
}
