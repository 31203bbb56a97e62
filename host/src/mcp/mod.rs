//! MCP servers as a source of tools.
//!
//! Problem: a server is a program that somebody else wrote, started for the sake of a few tools, and it may be slow to
//! start, talk nonsense, hang or die. Decision: the protocol is the `rmcp` crate's; here is what keeps a server to itself.
//! One is started when its tools are first asked for, and one connection serves all callers of a host; it has a bounded
//! time to start and for each call, its messages are bounded before they are held, and when it has died, the next
//! call starts it again. Whatever goes wrong is told of the server by its name, and costs its own tools alone. What
//! servers ask of us (a model's answer, a user's, a list of folders) is declined. Price: a call that was under way when
//! its server died fails; nobody knows whether it was done, so it is not made again.

mod client;
mod config;
mod connection;
mod failure;
mod file;
mod given;
mod http;
mod lines;
mod list;
mod process;
mod reply;
mod server;
mod tool;

pub(crate) use config::{ServerConfig, Way};
pub(crate) use file::parse as parse_file;
pub(crate) use server::{Checked, Server};

use crate::config::Config;
use crate::egress::Route;
use crate::limits::Limits;
use crate::secrets::Keys;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What servers are started with, of a host.
#[derive(Clone)]
pub(crate) struct Surroundings {
    pub(crate) keys: Arc<Keys>,
    pub(crate) route: Route,
    pub(crate) limits: Limits,
}

/// The servers of a configuration, by name; none of them started.
pub(crate) fn servers(config: &Config, surroundings: &Surroundings) -> BTreeMap<String, Arc<Server>> {
    let server = |(name, config): (&String, &ServerConfig)| {
        (name.clone(), Arc::new(Server::new(name.clone(), config.clone(), surroundings.clone())))
    };
    config.mcp.iter().map(server).collect()
}
