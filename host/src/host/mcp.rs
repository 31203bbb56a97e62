//! MCP servers of a host: which there are, whether they work, and their tools.

use super::Host;
use crate::egress::shown;
use crate::mcp::{Checked, Server, Way};
use crate::model::{Failure, FailureKind, Result};
use crate::openai::fields::nearest;
use crate::tools::{Callable, SourceTools, ToolSource};
use futures::future::join_all;
use serde::Serialize;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// An MCP server that the configuration names.
#[derive(Clone, Debug, Serialize)]
pub struct McpServer {
    /// Its name there.
    pub name: String,
    /// How it is reached.
    #[serde(flatten)]
    pub way: McpWay,
    /// Whether it can be used.
    pub state: McpState,
    /// What is wrong with its entry, if something is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// How an MCP server is reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum McpWay {
    /// A program that is started; without its arguments, which may hold keys.
    Command(String),
    /// Over HTTP; without the URL's query, which may hold keys.
    Url(String),
    /// Its entry does not say.
    None,
}

/// Whether an MCP server can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum McpState {
    /// It is started when its tools are asked for.
    Usable,
    /// The configuration says that it is not.
    Disabled,
    /// Its entry can't be used.
    Wrong,
}

/// What a look at an MCP server found.
#[derive(Clone)]
pub struct McpCheck {
    /// Its name in the configuration.
    pub name: String,
    /// The version of the protocol that was agreed upon; `None` where it did not come to that.
    pub protocol: Option<String>,
    /// What the server calls itself: its name and version.
    pub about: Option<String>,
    /// Its tools, for a [`Toolbox`](crate::Toolbox); or why there are none.
    pub tools: Result<Vec<Arc<dyn Callable>>>,
    /// What is wrong beside that, such as a tool that is left out.
    pub problems: Vec<String>,
    /// How long it took to start it and to ask for its tools.
    pub time: Duration,
}

impl McpCheck {
    /// Whether nothing is wrong with it.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        self.tools.is_ok() && self.problems.is_empty()
    }
}

impl Host {
    /// The MCP servers that the configuration names, in the order of their names. None of them is started.
    #[must_use]
    pub fn mcp_servers(&self) -> Vec<McpServer> {
        let entry = |(name, server): (&String, &Arc<Server>)| {
            let (way, reason) = match server.way() {
                Way::Program(program) => (McpWay::Command(program.command.clone()), None),
                Way::Url(url) => (McpWay::Url(shown(&url.url)), None),
                Way::Wrong(what) => (McpWay::None, Some(what.clone())),
            };
            let state = match &reason {
                _ if server.is_disabled() => McpState::Disabled,
                Some(_) => McpState::Wrong,
                None => McpState::Usable,
            };
            McpServer { name: name.clone(), way, state, reason }
        };
        self.0.servers.iter().map(entry).collect()
    }

    /// Starts an MCP server, even one that is disabled, and lists its tools.
    ///
    /// # Errors
    /// The configuration names none of that name. What is wrong with the server is in the [`McpCheck`].
    pub async fn mcp_check(&self, name: &str) -> Result<McpCheck> {
        let Some(server) = self.0.servers.get(name) else { return Err(self.unknown_server(name)) };
        let start = Instant::now();
        let checked = server.check().await;
        let time = start.elapsed();
        let name = name.to_owned();
        Ok(match checked {
            Ok(Checked { tools, problems, protocol, about }) => {
                McpCheck { name, protocol, about, tools: Ok(tools), problems, time }
            }
            Err(failure) => McpCheck {
                name,
                protocol: None,
                about: None,
                tools: Err(failure),
                problems: Vec::new(),
                time,
            },
        })
    }

    /// The tools of the MCP servers that are wanted and not disabled. Only those are started, all at once; what is wrong
    /// with single tools is said to the user.
    pub(crate) async fn mcp_tools(&self, wanted: impl Fn(&str) -> bool) -> Vec<SourceTools> {
        let servers = self.0.servers.iter().filter(|(name, server)| !server.is_disabled() && wanted(name));
        let tools = servers.map(|(name, server)| async move {
            let outcome = server.check().await.map(|checked| {
                for problem in &checked.problems {
                    (self.0.notice)(&format!("the MCP server `{name}`: {problem}"));
                }
                checked.tools
            });
            SourceTools { source: name.clone(), kind: ToolSource::Mcp, outcome }
        });
        join_all(tools).await
    }

    fn unknown_server(&self, name: &str) -> Failure {
        let known = self.0.servers.keys().map(String::as_str);
        let what = if self.0.servers.is_empty() {
            format!(
                "there is no MCP server `{name}`: the configuration names none; `[mcp.{name}]` in config.toml adds it"
            )
        } else {
            let near = nearest(name, known.clone())
                .map(|near| format!(" Did you mean `{near}`?"))
                .unwrap_or_default();
            format!(
                "there is no MCP server `{name}`.{near} There are {}",
                known.collect::<Vec<_>>().join(", ")
            )
        };
        Failure::new(FailureKind::NotFound, what)
    }
}
