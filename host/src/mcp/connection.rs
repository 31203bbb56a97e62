//! One connection to a server: from its start to its end.

use super::Surroundings;
use super::client::Client;
use super::config::{ProgramConfig, ServerConfig, UrlConfig, Way};
use super::failure::{of_request, of_start, short};
use super::given::{self, Value};
use super::http::Http;
use super::lines::Hearing;
use super::process::{About, Process};
use crate::egress::{Endpoint, Patterns, carries_key, configured_headers};
use crate::model::{CredentialPlacement, Failure, FailureKind, Result};
use crate::secrets::{HeldCredential, Supply, Values};
use http::HeaderMap;
use rmcp::model::{CallToolRequestParams, CallToolResult, ProtocolVersion, ServerPeerInfo};
use rmcp::service::{RunningService, serve_client_with_lifecycle};
use rmcp::transport::async_rw::AsyncRwTransport;
use rmcp::transport::common::client_side_sse::FixedInterval;
use rmcp::transport::streamable_http_client::{
    StreamableHttpClientTransportConfig, StreamableHttpClientWorker,
};
use rmcp::transport::{IntoTransport, WorkerTransport};
use rmcp::{ClientLifecycleMode, Peer, RoleClient};
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout_at};
use url::Url;

/// How long a server may take to start: `npx` and `uvx` fetch it first, the first time.
pub(super) const START: Duration = Duration::from_secs(60);

/// Times that a stream is opened again on which a server tells what changes. Calls do not depend on it.
const STREAM_TRIES: usize = 3;

/// A server that is there.
pub(super) struct Connection {
    service: RunningService<RoleClient, Client>,
    /// `None` for one on the network.
    process: Option<Mutex<Process>>,
    heard: Hearing,
    /// What was given to it that nobody may be shown.
    secrets: Arc<Patterns>,
}

/// The handshake of today, and where a server refuses it, that of before.
fn either() -> ClientLifecycleMode {
    ClientLifecycleMode::Auto {
        preferred_versions: vec![ProtocolVersion::LATEST],
        legacy_version: Some(ProtocolVersion::LATEST_WITH_INITIALIZE),
    }
}

/// What a start ended in.
struct Unstarted {
    failure: Failure,
    /// Another handshake may do better: some servers end, or stumble, when they are greeted in a way that they do not know.
    may_be_older: bool,
}

impl From<Failure> for Unstarted {
    fn from(failure: Failure) -> Self {
        Self { failure, may_be_older: false }
    }
}

impl Connection {
    /// Starts a server, or opens a session at one.
    pub(super) async fn start(
        name: &str,
        config: &ServerConfig,
        surroundings: &Surroundings,
    ) -> Result<Self> {
        let time = config.start_timeout.unwrap_or(START);
        let start = Start { name, surroundings, time, until: Instant::now() + time };
        match start.with(&config.way, either()).await {
            Err(Unstarted { may_be_older: true, .. }) => {
                let again = start.with(&config.way, ClientLifecycleMode::Initialize).await;
                again.map_err(|unstarted| unstarted.failure)
            }
            started => started.map_err(|unstarted| unstarted.failure),
        }
    }

    pub(super) fn peer(&self) -> &Peer<RoleClient> {
        self.service.peer()
    }

    /// What the server says of itself.
    pub(super) fn about(&self) -> Option<Arc<ServerPeerInfo>> {
        self.service.peer_info()
    }

    pub(super) fn is_over(&self) -> bool {
        self.service.is_transport_closed()
    }

    /// Calls a tool.
    pub(super) async fn call(&self, call: CallToolRequestParams) -> Result<CallToolResult> {
        match self.service.call_tool(call).await {
            Ok(result) => Ok(result),
            Err(error) => Err(self.told(of_request(error)).await),
        }
    }

    /// A failure with what is known of how the server ended, if it did.
    pub(super) async fn told(&self, failure: Failure) -> Failure {
        // Whoever waits for an answer may hear of the end before it is over.
        let is_over = self.is_over() || failure.kind == FailureKind::Network;
        match &self.process {
            Some(process) if is_over => {
                ended(failure, &mut *process.lock().await, &self.heard, &self.secrets).await
            }
            Some(_) => failure,
            None => match self.heard.lock().unwrap_or_else(PoisonError::into_inner).fault.take() {
                Some(fault) => Failure::new(FailureKind::Limit, fault),
                None => failure,
            },
        }
    }

    /// A text without what the server was given in secret.
    pub(super) fn hidden(&self, text: &str) -> String {
        self.secrets.hidden(text)
    }
}

/// Adds to a failure how the program ended, what it printed that was no message, and what it said last.
async fn ended(failure: Failure, process: &mut Process, heard: &Hearing, secrets: &Patterns) -> Failure {
    let status = process.ended().await;
    let (other, fault) = {
        let heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
        (heard.other.clone(), heard.fault)
    };
    if let Some(fault) = fault {
        return Failure::new(FailureKind::Limit, format!("{fault}, and was ended"));
    }
    let mut message = failure.message.clone();
    if let Some(status) = status {
        message += &format!(" ({status})");
    }
    if !other.is_empty() {
        message +=
            &format!("; on its standard output it printed what is no message of MCP: `{}`", short(&other));
    }
    let words = process.last_words().join(" | ");
    if !words.is_empty() {
        message += &format!("; the last that it said on standard error: {}", short(&words));
    }
    Failure { message: secrets.hidden(&message), ..failure }
}

/// A start that is under way.
struct Start<'a> {
    name: &'a str,
    surroundings: &'a Surroundings,
    time: Duration,
    until: Instant,
}

impl Start<'_> {
    async fn with(&self, way: &Way, lifecycle: ClientLifecycleMode) -> Result<Connection, Unstarted> {
        match way {
            Way::Program(program) => self.program(program, lifecycle).await,
            Way::Url(url) => self.url(url, lifecycle).await,
            Way::Wrong(what) => {
                Err(Failure::new(FailureKind::InvalidRequest, format!("its entry can't be used: {what}"))
                    .into())
            }
        }
    }

    async fn program(
        &self,
        config: &ProgramConfig,
        lifecycle: ClientLifecycleMode,
    ) -> Result<Connection, Unstarted> {
        let keys = &*self.surroundings.keys;
        let mut secrets = Vec::new();
        let mut given = |value: Value| {
            secrets.extend(value.is_secret.then(|| value.text.clone()));
            value.text
        };
        let mut arguments = Vec::new();
        for argument in &config.arguments {
            arguments.push(given(argument.value(self.name, "an argument", keys).await?));
        }
        let mut environment = BTreeMap::new();
        for (name, value) in &config.environment {
            let what = format!("the variable `{name}`");
            environment.insert(name.clone(), given(value.value(self.name, &what, keys).await?));
        }
        let secrets = Arc::new(Patterns::of(secrets.iter()));
        let heard = Hearing::default();
        let about = About { server: self.name.to_owned(), secrets: secrets.clone(), heard: heard.clone() };
        let (mut process, (stdout, stdin)) = Process::start(config, &arguments, &environment, about)?;
        // Lines are bounded as they come.
        let transport = AsyncRwTransport::new_client(stdout, stdin).with_max_line_length(usize::MAX);
        match self.serve(transport, lifecycle).await {
            Ok(service) => Ok(Connection { service, process: Some(Mutex::new(process)), heard, secrets }),
            Err(Unstarted { failure, may_be_older }) => {
                let failure = ended(failure, &mut process, &heard, &secrets).await;
                let may_be_older = may_be_older && failure.kind != FailureKind::Limit;
                Err(Unstarted { failure, may_be_older })
            }
        }
    }

    async fn url(&self, config: &UrlConfig, lifecycle: ClientLifecycleMode) -> Result<Connection, Unstarted> {
        let heard = Hearing::default();
        let http = Http { endpoint: Arc::new(self.endpoint(config).await?), heard: heard.clone() };
        // The URL that the library knows is told in none of its messages: it may hold a key.
        let mut transport = StreamableHttpClientTransportConfig::with_uri("");
        let mut retries = FixedInterval::default();
        retries.max_times = Some(STREAM_TRIES);
        transport.retry_config = Arc::new(retries);
        let worker = StreamableHttpClientWorker::new(http, transport);
        let service = self.serve(WorkerTransport::spawn(worker), lifecycle).await?;
        Ok(Connection { service, process: None, heard, secrets: Arc::new(Patterns::of(std::iter::empty())) })
    }

    async fn serve<T, E, A>(
        &self,
        transport: T,
        lifecycle: ClientLifecycleMode,
    ) -> Result<RunningService<RoleClient, Client>, Unstarted>
    where
        T: IntoTransport<RoleClient, E, A>,
        E: std::error::Error + Send + Sync + 'static,
    {
        let client = Client { server: self.name.to_owned() };
        match timeout_at(self.until, serve_client_with_lifecycle(client, transport, lifecycle)).await {
            Ok(Ok(service)) => Ok(service),
            Ok(Err(error)) => Err(Unstarted { failure: of_start(error), may_be_older: true }),
            Err(_) => {
                let what = format!(
                    "it did not answer as an MCP server within {:?}; `start-timeout` of the server in config.toml sets that",
                    self.time
                );
                Err(Failure::new(FailureKind::Timeout, what).into())
            }
        }
    }

    /// The way to a server on the network, with what it is given.
    async fn endpoint(&self, config: &UrlConfig) -> Result<Endpoint> {
        let Surroundings { keys, route, limits } = self.surroundings;
        let wrong = |what: &str| Failure::new(FailureKind::InvalidRequest, what);
        let url = Url::parse(&config.url).map_err(|error| wrong(&format!("its `url` is none: {error}")))?;
        if !matches!(url.scheme(), "http" | "https") || !url.username().is_empty() || url.password().is_some()
        {
            return Err(wrong(
                "its `url` has to begin with https:// or http://, and holds no user and password",
            ));
        }
        let mut plain = BTreeMap::new();
        let mut credentials = Vec::new();
        for (name, value) in &config.headers {
            let carries_key = carries_key(name)?;
            let value = value.value(self.name, &format!("the header `{name}`"), keys).await?;
            if !value.is_secret && !carries_key {
                plain.insert(name.clone(), value.text.expose().to_owned());
                continue;
            }
            let placement = CredentialPlacement::Header { name: name.clone(), prefix: String::new() };
            let values = Values::from([("value".to_owned(), value.text)]);
            credentials.push(self.held(name, placement, &url, Supply::Fixed(values)).await?);
        }
        let headers: HeaderMap = configured_headers(&plain)?;
        if let Some(own) = &config.credential {
            let placement = own.placement.clone().unwrap_or(CredentialPlacement::Bearer);
            match given::supply(&own.source, self.name, "the credential", keys).await {
                Ok(supply) => credentials.push(self.held("credential", placement, &url, supply).await?),
                Err(failure) if own.required || failure.kind != FailureKind::Authentication => {
                    return Err(failure);
                }
                Err(_) => {}
            }
        }
        Endpoint::new(self.name, url, headers, credentials, route.clone(), *limits)
    }

    async fn held(
        &self,
        name: &str,
        placement: CredentialPlacement,
        url: &Url,
        supply: Supply,
    ) -> Result<HeldCredential> {
        if matches!(placement, CredentialPlacement::AwsSigv4 { .. }) {
            let what = "an MCP server takes a key in a header, and its `placement` names a signature";
            return Err(Failure::new(FailureKind::InvalidRequest, what));
        }
        HeldCredential::new(name.to_owned(), placement, None, vec![url.origin()], supply).await
    }
}
