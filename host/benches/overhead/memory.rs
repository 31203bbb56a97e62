//! Resident memory of open streams, each measurement in a fresh process.

use crate::{component, native, runtime};
use aimu_host::Event;
use futures::StreamExt;
use futures::future::join_all;
use std::process::Command;

/// Streams that are open at once.
pub const STREAMS: usize = 500;

/// KiB a stream, over what one stream takes.
pub fn per_stream(kind: &str, url: &str) -> f64 {
    let resident = |streams: usize| -> f64 {
        let program = std::env::current_exe().unwrap();
        let output = Command::new(program)
            .args(["--hold", kind, url, &streams.to_string()])
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
    };
    (resident(STREAMS + 1) - resident(1)) / STREAMS as f64
}

/// Opens streams that stay open, prints the process's resident KiB, and ends.
pub fn hold(kind: &str, url: &str, streams: usize) {
    let runtime = runtime();
    let resident = match kind {
        "native" => runtime.block_on(async {
            let client = native::Client::new(url);
            let (told, mut heard) = tokio::sync::mpsc::unbounded_channel();
            let calls = (0..streams).map(|_| {
                let told = told.clone();
                client.run("hold", move |event| {
                    if matches!(event, aimu_sdk::Event::Delta(_)) {
                        told.send(()).unwrap();
                    }
                })
            });
            let all_open = async {
                for _ in 0..streams {
                    heard.recv().await.unwrap();
                }
                resident()
            };
            tokio::select! {
                resident = all_open => resident,
                _ = join_all(calls) => panic!("the server ended a stream"),
            }
        }),
        _ => runtime.block_on(async {
            let client = component::Client::new(url).await;
            let clients = join_all((0..streams).map(|_| client.host().client(client.model("hold")))).await;
            let mut clients: Vec<_> = clients.into_iter().map(Result::unwrap).collect();
            let mut open: Vec<_> = clients
                .iter_mut()
                .map(|client| client.chat("hi").stream().unwrap())
                .collect();
            join_all(open.iter_mut().map(|answering| async move {
                while !matches!(answering.next().await.unwrap().unwrap(), Event::Delta { .. }) {}
            }))
            .await;
            resident()
        }),
    };
    println!("{resident}");
    // The streams are open still; their ends are of no interest.
    std::process::exit(0);
}

fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
