//! Several calls in one process, through the library: a hostile one harms none beside it and none after it, and a
//! call that is dropped takes its connection with it.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use aimu_host::{FailureKind, Host, Limits};
use futures::StreamExt;
use std::sync::{Mutex, mpsc};
use std::time::Duration;
use support::server::Server;
use support::wires::CHAT_COMPLETIONS;

/// A bound that nothing reaches unless it hangs.
const SOON: Duration = Duration::from_secs(5);

fn host(home: &support::Home) -> Host {
    let mut limits = Limits::default();
    for (name, value) in [("cpu", "500ms"), ("total", "60s"), ("memory", "64m"), ("events", "20000")] {
        limits.set(name, value).unwrap();
    }
    Host::builder()
        .home(aimu_host::Home::at(home.data()))
        .plugin_dir(home.plugins())
        .limits(limits)
        .retries(0)
        .build()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hostile_call_harms_no_other() {
    use FailureKind::{Internal, Limit};
    let guests = [
        ("spin", "spin:x", Limit),
        ("allocate", "allocate:x", Limit),
        ("emit_flood", "emit-flood:x", Limit),
        ("emit_huge", "emit-huge:x", Limit),
        ("trap", "trap:late", Internal),
        ("panic", "panic:x", Internal),
        ("recurse", "recurse:x", Internal),
        ("stash_sink", "stash-sink:dropped", Internal),
        ("bad_events", "bad-events:delta-after-end", Internal),
    ];
    let home = support::Home::with(&guests.map(|(guest, _, _)| guest));
    let host = host(&home);

    // One good call that goes on all the while: four seconds, a word every tenth of a second.
    let mut good = host.client("echo:slow").await.unwrap();
    let words = "word ".repeat(40);
    let slow = tokio::spawn(async move { good.chat(words.as_str()).await.map(|answer| answer.text) });

    for (_, model, kind) in guests {
        let mut client = host.client(model).await.unwrap();
        let failure = client.chat("Hi").await.unwrap_err();
        assert_eq!(failure.kind, kind, "{model}: {failure:?}");
        let id = model.split(':').next().unwrap();
        assert!(failure.message.contains(id), "{model} is not named: {failure:?}");
        // No half turn is left behind.
        assert!(client.history().is_empty(), "{model}: {:?}", client.history());

        let mut echo = host.client("echo:echo").await.unwrap();
        assert_eq!(echo.chat("Still there?").await.unwrap().text, "Still there?");
        assert_eq!(echo.history().len(), 2);
    }
    assert_eq!(slow.await.unwrap().unwrap().trim(), "word ".repeat(40).trim());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_left_of_an_earlier_call() {
    let home = support::Home::with(&["stash_sink"]);
    let host = host(&home);
    let mut client = host.client("stash-sink:stash").await.unwrap();
    for _ in 0..3 {
        assert_eq!(client.chat("Hi").await.unwrap().text, "stashed");
        let found = client.generate("Hi").await.unwrap();
        assert_eq!(found.text, "nothing is left of an earlier call");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dropped_call_closes_its_socket() {
    let home = support::Home::new();
    let host = host(&home);
    let wire = CHAT_COMPLETIONS;
    for streaming in [false, true] {
        let (tell, told) = mpsc::channel();
        let tell = Mutex::new(tell);
        let server = Server::start(move |_, connection| {
            if streaming {
                wire.begin(connection, &wire.opening())?;
            }
            let tell = tell.lock().unwrap();
            tell.send(true).unwrap();
            tell.send(connection.closed_within(SOON)).unwrap();
            Ok(())
        });
        let mut client = host.client(wire.at(&server.url()).as_str()).await.unwrap();
        let mut answering = client.chat("Hi").stream().unwrap();
        if streaming {
            answering.next().await.unwrap().unwrap();
            assert!(told.recv_timeout(SOON * 6).unwrap());
        } else {
            // Nothing comes: the call is driven until the server has the request.
            let waiting = tokio::time::timeout(Duration::from_millis(500), answering.next()).await;
            assert!(waiting.is_err(), "nothing was sent: {waiting:?}");
            assert!(told.recv_timeout(SOON * 6).unwrap());
        }
        drop(answering);
        let closed = tokio::task::spawn_blocking(move || told.recv_timeout(SOON * 2)).await.unwrap();
        assert!(closed.unwrap(), "the connection is still open; streaming: {streaming}");
        assert!(client.history().is_empty());
    }
}
