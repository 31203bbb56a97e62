//! `max-concurrent` of an instance: the others wait, and not for ever.

use super::configured;
use crate::support::Home;
use crate::support::server::Server;
use crate::support::wires::CHAT_COMPLETIONS;
use aimu_host::{Failure, FailureKind, Host, Limits};
use futures::future::join_all;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

/// A server that takes its time, and the most requests that it had at once.
fn slow() -> (Server, Arc<AtomicUsize>) {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let peak = most.clone();
    let server = Server::start(move |_, connection| {
        peak.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        thread::sleep(Duration::from_millis(150));
        now.fetch_sub(1, Ordering::SeqCst);
        connection.answer(200, &[("content-type", "application/json")], CHAT_COMPLETIONS.whole.as_bytes())
    });
    (server, most)
}

fn host(home: &Home, limits: Limits) -> Host {
    let builder = Host::builder().home(aimu_host::Home::at(home.data())).plugin_dir(home.plugins());
    builder.limits(limits).retries(0).build().unwrap()
}

/// So many calls at once, each by a client of its own.
async fn calls(host: &Host, count: usize) -> Vec<Result<(), Failure>> {
    let call = async || host.client("own:m").await.unwrap().chat("Hi").await.map(drop);
    join_all((0..count).map(|_| call())).await
}

fn own(server: &Server, more: &str) -> Home {
    let url = server.url();
    configured(&format!("[providers.own]\nplugin = \"openai-compat\"\nbase-url = \"{url}/v1\"\n{more}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn so_many_run_at_once() {
    for (most, config) in [(1, "max-concurrent = 1\n"), (2, "max-concurrent = 2\n"), (6, "")] {
        let (server, peak) = slow();
        let outcomes = calls(&host(&own(&server, config), Limits::default()), 6).await;
        assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
        assert_eq!(server.requests().len(), 6);
        let peak = peak.load(Ordering::SeqCst);
        assert!(peak <= most && (most == 1 || peak > 1), "{peak} at once where {most} may be");
    }
    // The limit of all instances.
    let (server, peak) = slow();
    let outcomes = calls(&host(&own(&server, ""), Limits { calls: 1, ..Limits::default() }), 3).await;
    assert!(outcomes.iter().all(Result::is_ok) && peak.load(Ordering::SeqCst) == 1, "{outcomes:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn waiting_has_an_end() {
    for (limits, name) in [
        (Limits { queue: Duration::from_millis(20), ..Limits::default() }, "`queue`"),
        (Limits { waiting_calls: 0, ..Limits::default() }, "`waiting-calls`"),
    ] {
        let (server, _) = slow();
        let outcomes = calls(&host(&own(&server, "max-concurrent = 1\n"), limits), 3).await;
        let failed: Vec<&Failure> = outcomes.iter().filter_map(|outcome| outcome.as_ref().err()).collect();
        assert_eq!((failed.len(), server.requests().len()), (2, 1), "{outcomes:?}");
        for failure in failed {
            assert_eq!(failure.kind, FailureKind::Limit);
            assert!(
                failure.message.contains(name) && failure.message.contains("`max-concurrent`"),
                "{failure:?}"
            );
            assert_eq!(failure.provider.as_deref(), Some("own"), "{failure:?}");
        }
    }
}

#[test]
fn none_at_all_is_a_mistake() {
    let (server, _) = slow();
    let outcome = own(&server, "max-concurrent = 0\n").aimu(["chat", "own:m", "Hi"]).run();
    assert!(outcome.code != Some(0) && outcome.stderr.contains("max-concurrent"), "{outcome:?}");
}
