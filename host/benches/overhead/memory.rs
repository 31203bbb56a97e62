//! Resident memory of open streams, each measurement in a fresh process.

use crate::{component, native, two_threads};
use aimu_host::Event;
use futures::StreamExt;
use futures::future::join_all;
use std::path::Path;
use std::process::Command;

/// Streams that are open at once.
pub const STREAMS: usize = 500;

/// What a stream takes, in KiB.
#[derive(Clone, Copy)]
pub struct Memory {
    /// Every page that the process maps.
    pub resident: f64,
    /// Pages that several mappings share, counted once: the image of a component's initial memory is one of them.
    pub proportional: f64,
}

/// What each stream takes over the first.
pub fn per_stream(kind: &str, home: &Path, url: &str) -> Memory {
    let held = |streams: usize| -> Vec<f64> {
        let program = std::env::current_exe().unwrap();
        let hold = ["--hold", kind, url, &streams.to_string()];
        let output = Command::new(program).args(hold).arg(home).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout)
            .unwrap()
            .split_whitespace()
            .map(|text| text.parse().unwrap())
            .collect()
    };
    let (many, one) = (held(STREAMS + 1), held(1));
    let each = |figure: usize| (many[figure] - one[figure]) / STREAMS as f64;
    Memory { resident: each(0), proportional: each(1) }
}

/// Opens streams that stay open, prints the process's memory in KiB, and ends.
pub fn hold(kind: &str, url: &str, streams: usize, home: &Path) {
    let runtime = two_threads();
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
            let client = component::Client::new(home, url).await;
            let clients = join_all((0..streams).map(|_| client.host().client(client.model("hold")))).await;
            let mut clients: Vec<_> = clients.into_iter().map(Result::unwrap).collect();
            let mut open: Vec<_> =
                clients.iter_mut().map(|client| client.chat("hi").stream().unwrap()).collect();
            join_all(open.iter_mut().map(|answering| async move {
                while !matches!(answering.next().await.unwrap().unwrap(), Event::Delta { .. }) {}
            }))
            .await;
            resident()
        }),
    };
    println!("{} {}", resident.0, resident.1);
    // The streams are open still; their ends are of no interest.
    std::process::exit(0);
}

/// Resident and proportional set size, KiB.
fn resident() -> (usize, usize) {
    let rollup = std::fs::read_to_string("/proc/self/smaps_rollup").unwrap();
    let figure = |name: &str| {
        let line = rollup.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    };
    (figure("Rss:"), figure("Pss:"))
}
