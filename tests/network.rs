//! The way to servers, as a configuration has it: proxies, authorities of one's own, queues; and what a slow reader costs.
#![allow(missing_docs, unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "network/authorities.rs"]
mod authorities;
#[path = "network/pressure.rs"]
mod pressure;
#[path = "network/proxies.rs"]
mod proxies;
#[path = "network/queues.rs"]
mod queues;
mod support;
#[path = "network/tunnel.rs"]
mod tunnel;

use futures::future::BoxFuture;
use std::io;
use std::net::IpAddr;
use support::Home;
use support::program::Program;

/// A home of its own with this configuration.
fn configured(config: &str) -> Home {
    let home = Home::fresh();
    std::fs::write(home.data().join("config.toml"), config).unwrap();
    home
}

/// The program with a prompt, armed.
fn chat(home: &Home, model: &str, more: &[&str]) -> Program {
    let arguments = ["chat", model, "Hi", "--json", "--no-stream", "--retries", "0"];
    home.aimu(arguments.iter().chain(more)).armed()
}

/// A resolver whose names all have one address.
struct All(&'static str);

impl aimu_host::Resolve for All {
    fn resolve<'a>(&'a self, _: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        Box::pin(async { Ok(vec![self.0.parse().unwrap()]) })
    }
}
