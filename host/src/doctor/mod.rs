//! A checkup: what there is, what works, and what the user should do about the rest.
//!
//! Problem: what is wrong with a set-up shows one call at a time, and a broken configuration hides everything else.
//! Decision: one look at all of it, in which nothing that is wrong stops the rest. Values of keys are neither read out
//! nor tried, and no server but those of this machine is asked. Price: what only a call can show is not seen, and said
//! to be so.

mod keys;
mod places;

pub use keys::{KeyReport, KeyState};
pub use places::Place;

use crate::grants::escaped;
use crate::host::{GrantState, Host, HostBuilder, PluginEntry};
use crate::model::{Failure, FailureKind};
use futures::future::join_all;
use serde::Serialize;
use serde_json::Map;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A server of this machine that is there answers at once.
const PATIENCE: Duration = Duration::from_millis(500);

const NOT_CHECKED: [&str; 5] = [
    "whether keys are right: none has left this machine",
    "whether providers on the internet can be reached",
    "whether settings and model ids are what the servers take",
    "what components do, beyond saying who they are: they ran without a network and without keys",
    "servers that are not on this machine",
];

/// What a checkup found.
#[derive(Clone, Debug, Serialize)]
pub struct Checkup {
    /// There is nothing that the user should act on.
    pub ok: bool,
    /// Of the program, the contract and the engine.
    pub versions: Versions,
    /// Folders and files, and what is wrong with them.
    pub places: Vec<Place>,
    /// Components.
    pub plugins: Vec<PluginReport>,
    /// Keys, by the names of their variables.
    pub keys: Vec<KeyReport>,
    /// Servers of this machine.
    pub servers: Vec<ServerReport>,
    /// What the user should act on, each with what to do.
    pub problems: Vec<String>,
    /// What nobody looked at.
    pub not_checked: Vec<&'static str>,
}

/// Which versions there are.
#[derive(Clone, Debug, Serialize)]
pub struct Versions {
    /// Of this program.
    pub program: &'static str,
    /// Of the contract between host and components.
    pub contract: String,
    /// Of the WebAssembly engine.
    pub engine: &'static str,
}

/// A component.
#[derive(Clone, Debug, Serialize)]
pub struct PluginReport {
    /// Its id, or its file's name.
    pub id: String,
    /// Where it lies; `None` for one that comes with the program.
    pub file: Option<PathBuf>,
    /// Whether it can be used.
    pub ok: bool,
    /// How far it is allowed what it asks for.
    pub grants: Option<GrantState>,
    /// Why it can't be used, or what is wrong with it.
    pub reason: Option<String>,
}

/// A server of this machine.
#[derive(Clone, Debug, Serialize)]
pub struct ServerReport {
    /// The provider that stands for it.
    pub provider: String,
    /// Where it is looked for.
    pub base_url: Option<String>,
    /// Whether it answered with its models.
    pub reachable: bool,
    /// How many models it has.
    pub models: Option<usize>,
    /// Why not, where something is there.
    pub reason: Option<String>,
}

impl HostBuilder {
    /// Looks at everything that a host set up this way would use. Fails at nothing: what is wrong is in what it gives.
    pub async fn checkup(self) -> Checkup {
        let mut problems = Vec::new();
        // Before the host is built, which makes folders.
        let places = places::look(&self, &mut problems);
        let mut checkup = Checkup {
            ok: false,
            versions: Versions {
                program: env!("CARGO_PKG_VERSION"),
                contract: crate::sandbox::contract(),
                engine: concat!("wasmtime ", env!("AIMU_WASMTIME")),
            },
            places,
            plugins: Vec::new(),
            keys: Vec::new(),
            servers: Vec::new(),
            problems,
            not_checked: NOT_CHECKED.to_vec(),
        };
        match self.build_anyway(&mut checkup.problems) {
            Ok(host) => checkup.of_host(&host).await,
            Err(failure) => checkup.problems.push(failure.message),
        }
        checkup.ok = checkup.problems.is_empty();
        checkup
    }
}

impl Checkup {
    async fn of_host(&mut self, host: &Host) {
        for plugin in host.plugins().await {
            let report = PluginReport::of(&plugin);
            self.problems.extend(report.problem());
            self.plugins.push(report);
        }
        if let Err(failure) = host.check_grants() {
            self.problems.push(failure.message);
        }
        let providers = host.providers().await;
        for provider in &providers {
            // What is wrong with a plugin of this name is said already.
            if let Err(failure) = &provider.status
                && provider.plugin != provider.name
            {
                self.problems.push(format!("the provider `{}`: {}", provider.name, failure.message));
            }
        }
        match host.credentials().await {
            Ok(credentials) => self.keys = credentials.into_iter().filter_map(KeyReport::of).collect(),
            Err(failure) => self.problems.push(failure.message),
        }
        self.problems.extend(self.keys.iter().filter_map(KeyReport::problem));
        let base_url = |name: &str| {
            let provider = providers.iter().find(|provider| provider.name == name);
            provider.and_then(|provider| provider.base_url.clone())
        };
        self.servers = join_all(host.local_providers().map(|name| server(host, name, base_url(name)))).await;
    }
}

impl PluginReport {
    fn of(plugin: &PluginEntry) -> Self {
        let failure = plugin.status.as_ref().err().or(plugin.broken.as_ref());
        Self {
            id: plugin.id.clone(),
            file: plugin.file.clone(),
            ok: plugin.status.is_ok(),
            grants: plugin.grants.as_ref().and_then(|grants| Some(grants.as_ref().ok()?.state)),
            reason: failure.map(|failure| failure.message.clone()),
        }
    }

    fn problem(&self) -> Option<String> {
        let id = escaped(&self.id);
        match (&self.reason, &self.file, self.grants) {
            // A folder that can't be read is told among the places.
            (_, Some(file), _) if file.is_dir() => None,
            (Some(reason), None, _) => Some(format!("the plugin `{id}`: {reason}")),
            (Some(reason), Some(_), _) => Some(format!(
                "the plugin `{id}`: {reason} (`aimu-host plugins remove {}` removes the file)",
                escaped(&self.name())
            )),
            (None, _, Some(GrantState::Suspended)) => Some(format!(
                "the plugin `{id}` has changed and asks for more than you have allowed; `aimu-host plugins allow {id}` \
                 shows the difference"
            )),
            _ => None,
        }
    }

    /// What `plugins remove` knows it by, whoever else has its id.
    fn name(&self) -> String {
        let name = self.file.as_deref().and_then(Path::file_name);
        name.map_or_else(|| self.id.clone(), |name| name.to_string_lossy().into_owned())
    }
}

/// Asks a server of this machine for its models.
async fn server(host: &Host, name: &str, base_url: Option<String>) -> ServerReport {
    let mut report =
        ServerReport { provider: name.to_owned(), base_url, reachable: false, models: None, reason: None };
    let settings = Map::new();
    match tokio::time::timeout(PATIENCE, host.refresh(name, &settings)).await {
        Ok(Ok(models)) => {
            report.reachable = true;
            report.models = Some(models.len());
        }
        // Nobody is there, which is no news.
        Ok(Err(Failure { kind: FailureKind::Network, .. })) => {}
        Ok(Err(failure)) => report.reason = Some(failure.message),
        Err(_) => report.reason = Some("it does not answer within half a second".to_owned()),
    }
    report
}
