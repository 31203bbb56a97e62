//! What a component costs over a native client: the same server, the same parser, the same run.
//!
//! `cargo xtask bench` prints the table. The server is a process of its own, so that CPU time and memory are the
//! client's alone. Figures are medians; the machine's noise is in both columns.
#![allow(missing_docs, unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod component;
mod memory;
mod native;
mod process;
mod server;
#[path = "../../../tests/support/mod.rs"]
mod support;
mod tools;

use server::Server;
use std::time::{Duration, Instant};

/// Events of a long stream.
const EVENTS: usize = 10_000;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--serve"] => server::serve(),
        ["--hold", kind, url, streams, home] => {
            memory::hold(kind, url, streams.parse().unwrap(), home.as_ref())
        }
        ["--tools", home] => println!("{:?}", tools::measure(&two_threads(), home.as_ref())),
        ["--calls", kind, url, model, calls, home] => {
            repeat(kind, url, model, calls.parse().unwrap(), home.as_ref())
        }
        _ => table(),
    }
}

fn table() {
    let runtime = runtime();
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let server = Server::start();
    println!("| measured | native | component | over native | limit |");
    println!("|---|---|---|---|---|");

    let native = native::Client::new(&server.url);
    let component = runtime.block_on(component::Client::new(home, &server.url));

    // In turn, so that a slow second of the machine hurts both.
    let (mut plain, mut wasm) = (Vec::new(), Vec::new());
    for _ in 0..300 {
        plain.push(timed(|| runtime.block_on(native.call("n1"))));
        wasm.push(timed(|| runtime.block_on(component.call("n1"))));
    }
    let (plain, wasm) = (median(&mut plain), median(&mut wasm));
    row("a whole call, fresh store", "ms", plain * 1e3, wasm * 1e3, "0.25 ms");

    for (at_once, name, limit) in
        [(1, "CPU an event, each in its own read", "3.5 µs"), (16, "CPU an event, 16 to a read", "1.5 µs")]
    {
        let model = format!("n{EVENTS}-b{at_once}");
        let (mut plain, mut wasm) = (Vec::new(), Vec::new());
        for _ in 0..5 {
            plain.push(cpu(|| assert_eq!(runtime.block_on(native.call(&model)), EVENTS)));
            wasm.push(cpu(|| assert_eq!(runtime.block_on(component.call(&model)), EVENTS)));
        }
        let scale = 1e6 / EVENTS as f64;
        row(name, "µs", median(&mut plain) * scale, median(&mut wasm) * scale, limit);
    }

    let (plain, wasm) =
        (memory::per_stream("native", home, &server.url), memory::per_stream("component", home, &server.url));
    let name = format!("memory a stream, {} at once, shared pages counted each time", memory::STREAMS);
    row(&name, "KiB", plain.resident, wasm.resident, "100 KiB");
    row("the same, shared pages counted once", "KiB", plain.proportional, wasm.proportional, "100 KiB");

    println!();
    println!("| measured | without | with | over | limit |");
    println!("|---|---|---|---|---|");
    let keyed = runtime.block_on(component::Client::with_key(home, &server.url));
    let (plain, keyed) = (runtime.block_on(component.again()), runtime.block_on(keyed.again()));
    let generate = |client: &aimu_host::Client| {
        timed(|| assert!(!runtime.block_on(async { client.generate("hi").await }).unwrap().text.is_empty()))
    };
    let (mut without, mut with) = (Vec::new(), Vec::new());
    for _ in 0..500 {
        without.push(generate(&plain));
        with.push(generate(&keyed));
    }
    let (without, with) = (median(&mut without), median(&mut with));
    let name = "a whole call whose server has a name, with a key that is added and looked for in the answer";
    row(name, "µs", without * 1e6, with * 1e6, "20 µs");

    println!();
    println!("| measured | median | limit |");
    println!("|---|---|---|");
    let start = process::start();
    println!(
        "| `aimu-host chat echo:echo hi`, warm cache, whole process | {:.1} ms | 8 ms |",
        start.milliseconds
    );
    println!("| the same, peak memory | {:.1} MiB | 40 MiB |", start.mebibytes);
    // A server of its own: what it tells of are these calls alone. Two threads, since one waits for the server here
    // while the other closes the connection.
    let (server, runtime) = (Server::start(), two_threads());
    let component = runtime.block_on(component::Client::new(home, &server.url));
    for (when, before_first_byte) in [("before the first byte", true), ("in the stream", false)] {
        let mut times: Vec<f64> =
            (0..10).map(|_| runtime.block_on(component.cancel(&server, before_first_byte))).collect();
        println!(
            "| from dropping a call {when} to its closed connection | {:.2} ms | 50 ms |",
            median(&mut times) * 1e3
        );
    }
    let (dispatch, ten) = tools::measure(&runtime, home);
    println!(
        "| a call of a tool that does nothing, with its check, its result and its place in the next request | {dispatch:.0} µs | 50 µs |"
    );
    println!("| ten calls in one turn of a tool that takes 100 ms, the whole run | {ten:.0} ms | 150 ms |");
    let mut times: Vec<f64> = (0..5).map(|_| runtime.block_on(component::spin(home))).collect();
    println!(
        "| a spinning guest, from its deadline to its end | {:.0} ms | 100 ms |",
        median(&mut times) * 1e3
    );
}

/// The same call again and again and nothing else, for a profiler.
fn repeat(kind: &str, url: &str, model: &str, calls: usize, home: &std::path::Path) {
    let runtime = runtime();
    let used = match kind {
        "native" => {
            let client = native::Client::new(url);
            cpu(|| (0..calls).for_each(|_| assert!(runtime.block_on(client.call(model)) > 0)))
        }
        _ => {
            let client = runtime.block_on(component::Client::new(home, url));
            cpu(|| (0..calls).for_each(|_| assert!(runtime.block_on(client.call(model)) > 0)))
        }
    };
    println!("{used:.3} s of CPU time");
}

/// One thread: with two, each event is handed from one to the other, and what the kernel takes for that is larger than
/// what is measured, and differs from run to run.
fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// As a server of many calls has it.
fn two_threads() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

fn row(name: &str, unit: &str, native: f64, component: f64, limit: &str) {
    let digits = if unit == "KiB" { 0 } else { 2 };
    let over = component - native;
    println!(
        "| {name} | {native:.digits$} {unit} | {component:.digits$} {unit} | {over:.digits$} {unit} | {limit} |"
    );
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Seconds on the clock.
fn timed<T>(work: impl FnOnce() -> T) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64()
}

/// Seconds of this process's CPU time, all threads.
fn cpu(work: impl FnOnce()) -> f64 {
    let start = cpu_time();
    work();
    (cpu_time() - start).as_secs_f64()
}

fn cpu_time() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(now.tv_sec.try_into().unwrap(), now.tv_nsec.try_into().unwrap())
}
