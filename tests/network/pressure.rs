//! Back-pressure from end to end: who does not read holds the server up, and costs a bounded buffer.

use super::configured;
use crate::support::server::Server;
use crate::support::wires::CHAT_COMPLETIONS;
use std::io::Read;
use std::process::Child;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// What may be on its way when nobody reads: buffers of sockets and pipes, and the host's own.
const ON_ITS_WAY: u64 = 48 << 20;

/// Resident memory, where the system tells it.
fn resident(child: &Child) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().trim_end_matches("kB").trim().parse::<u64>().unwrap() << 10)
}

#[test]
fn a_reader_that_stops_stops_the_server() {
    let sent = Arc::new(AtomicU64::new(0));
    let counter = sent.clone();
    let wire = CHAT_COMPLETIONS;
    // Without an end: a gigabyte would take seconds.
    let server = Server::start(move |_, connection| {
        let piece = wire.events_with("Hello", &"x".repeat(8_000))[1].clone();
        wire.begin(connection, &wire.opening())?;
        loop {
            connection.chunk(&piece)?;
            counter.fetch_add(piece.len() as u64, Ordering::SeqCst);
        }
    });
    let home = configured("");
    let mut child = wire.chat(&home, &server.url(), &["Hi", "--limit", "total=5m"]).start_unread();
    let mut stdout = child.stdout.take().unwrap();
    // It answers.
    stdout.read_exact(&mut [0; 1000]).unwrap();
    // From now on nobody reads: the server soon can't send any more.
    let start = Instant::now();
    let stopped = loop {
        let before = sent.load(Ordering::SeqCst);
        thread::sleep(Duration::from_secs(1));
        let now = sent.load(Ordering::SeqCst);
        if now == before || start.elapsed() > Duration::from_secs(60) {
            break now;
        }
    };
    let memory = resident(&child);
    assert!(stopped < ON_ITS_WAY, "{stopped} bytes were taken, and nobody has read them");
    assert!(memory.is_none_or(|memory| memory < 200 << 20), "{memory:?} bytes of memory");
    // It goes on where it was.
    let mut buffer = vec![0; 1 << 20];
    let mut read = 0;
    while read < 2 * stopped {
        read += stdout.read(&mut buffer).unwrap() as u64;
    }
    assert!(sent.load(Ordering::SeqCst) > stopped);
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn the_cache_has_a_size() {
    let home = configured("");
    let size = || -> u64 {
        let files = std::fs::read_dir(home.data().join("cache")).unwrap();
        files.map(|file| file.unwrap().metadata().unwrap().len()).sum()
    };
    // Eight components that come with the program, each of some megabytes when it is compiled.
    home.aimu(["plugins", "list", "--limit", "cache=5m"]).run().ok();
    assert!((1 << 20..=5 << 20).contains(&size()), "{}", size());
    home.aimu(["plugins", "list"]).run().ok();
    home.aimu(["chat", "echo:echo", "Hi", "--limit", "cache=100k"]).run().ok();
}
