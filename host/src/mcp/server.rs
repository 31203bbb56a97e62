//! A server, whether it runs or not.

use super::Surroundings;
use super::config::{ServerConfig, Way};
use super::connection::{Connection, START};
use super::list::{Listing, list};
use super::reply::reply;
use super::tool::McpTool;
use crate::model::{Failure, FailureKind, Result};
use crate::tools::{Callable, ToolReply};
use rmcp::model::CallToolRequestParams;
use serde_json::{Map, Value};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

/// How long a start that failed is not tried again: the calls of one turn learn of it from the first of them.
const PAUSE: Duration = Duration::from_secs(5);

/// A server, and its connection if there is one.
pub(crate) struct Server {
    name: String,
    config: ServerConfig,
    surroundings: Surroundings,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    connection: Option<Arc<Connection>>,
    /// The last start, if it failed.
    failed: Option<(Instant, Failure)>,
}

/// What a look at a server found.
pub(crate) struct Checked {
    pub(crate) tools: Vec<Arc<dyn Callable>>,
    /// What is wrong with others.
    pub(crate) problems: Vec<String>,
    /// The version of the protocol.
    pub(crate) protocol: Option<String>,
    /// What it calls itself.
    pub(crate) about: Option<String>,
}

impl Server {
    pub(super) fn new(name: String, config: ServerConfig, surroundings: Surroundings) -> Self {
        Self { name, config, surroundings, state: Mutex::default() }
    }

    pub(crate) fn way(&self) -> &Way {
        &self.config.way
    }

    pub(crate) fn is_disabled(&self) -> bool {
        self.config.disabled
    }

    pub(super) fn timeout(&self) -> Option<Duration> {
        self.config.timeout
    }

    /// Starts it where it does not run, and asks for its tools.
    pub(crate) async fn check(self: &Arc<Self>) -> Result<Checked> {
        let connection = self.connection().await?;
        let Listing { tools, problems, .. } =
            self.listing(&connection).await.map_err(|failure| self.named(failure))?;
        let about = connection.about();
        let tool = |listed: super::list::Listed| -> Arc<dyn Callable> {
            Arc::new(McpTool { server: self.clone(), name: listed.name, definition: listed.definition })
        };
        Ok(Checked {
            tools: tools.into_iter().map(tool).collect(),
            problems,
            protocol: about.as_ref().map(|about| about.protocol_version.as_str().to_owned()),
            about: about.and_then(|about| {
                let server = about.server_info.as_ref()?;
                Some(format!("{} {}", server.name, server.version).trim().to_owned())
            }),
        })
    }

    async fn listing(&self, connection: &Arc<Connection>) -> Result<Listing> {
        let time = self.config.start_timeout.unwrap_or(START);
        let listed = match timeout(time, list(&self.name, connection.peer())).await {
            Ok(Ok(listing)) => return Ok(listing),
            Ok(Err(failure)) => connection.told(failure).await,
            Err(_) => {
                let what = format!("it did not list its tools within {time:?}");
                Failure::new(FailureKind::Timeout, what)
            }
        };
        self.forget(connection).await;
        Err(listed)
    }

    /// Calls one of its tools. The call is bounded in time by whoever makes it; when this is dropped, the server is told.
    pub(super) async fn call(&self, tool: &str, arguments: Map<String, Value>) -> Result<ToolReply> {
        let connection = self.connection().await?;
        let call = CallToolRequestParams::new(tool.to_owned()).with_arguments(arguments);
        match connection.call(call).await {
            Ok(result) => Ok(reply(result, &|text| connection.hidden(text))),
            Err(failure) => {
                // An error that the server itself gave is one of the tool.
                if failure.kind != FailureKind::Server || failure.http_status.is_some() {
                    self.forget(&connection).await;
                }
                Err(self.named(failure))
            }
        }
    }

    /// The connection: the one that there is, or a new one.
    async fn connection(&self) -> Result<Arc<Connection>> {
        let mut state = self.state.lock().await;
        if let Some(connection) = state.connection.as_ref().filter(|connection| !connection.is_over()) {
            return Ok(connection.clone());
        }
        if let Some((when, failure)) = &state.failed
            && when.elapsed() < PAUSE
        {
            return Err(failure.clone());
        }
        // The old one, and its process, end first: some servers can be there only once.
        state.connection = None;
        match Connection::start(&self.name, &self.config, &self.surroundings).await {
            Ok(connection) => {
                let connection = Arc::new(connection);
                *state = State { connection: Some(connection.clone()), failed: None };
                Ok(connection)
            }
            Err(failure) => {
                let failure = self.named(failure);
                state.failed = Some((Instant::now(), failure.clone()));
                Err(failure)
            }
        }
    }

    /// Has the next call make another connection.
    async fn forget(&self, connection: &Arc<Connection>) {
        let mut state = self.state.lock().await;
        if state.connection.as_ref().is_some_and(|own| Arc::ptr_eq(own, connection)) {
            state.connection = None;
        }
    }

    fn named(&self, failure: Failure) -> Failure {
        Failure { message: format!("the MCP server `{}`: {}", self.name, failure.message), ..failure }
    }
}
