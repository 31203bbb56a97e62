//! The host: what there is to call, and how it is found.

mod builder;
mod catalog;
mod components;
mod drop_zone;
mod grants;
mod instead;
mod keys;
mod listing;
mod mcp;
mod model_ref;
mod tools;

pub use builder::HostBuilder;
pub use grants::{GrantState, PluginGrants};
pub use keys::{CredentialStatus, KeyEntry, KeySource};
pub use listing::{PluginEntry, ProviderEntry};
pub use mcp::{McpCheck, McpServer, McpState, McpWay};
pub use model_ref::{ModelHandle, ModelQuery, ModelRef};
pub use tools::ToolEntry;

use crate::caller::{Fallback, Target};
use crate::client::{Client, Setup};
use crate::config::{Config, InstanceConfig};
use crate::egress::{Fetcher, Route};
use crate::events::Sink;
use crate::grants::{GrantStore, PluginLock};
use crate::instance::{BaseUrlSource, Instance};
use crate::limits::Limits;
use crate::model::{Failure, FailureKind, Result};
use crate::model_string::ModelString;
use crate::openai::fields::nearest;
use crate::plugins::{Loaded, Plugin, Plugins};
use crate::provider::Provider;
use crate::pull::Pulling;
use crate::queue::{Queue, Queues};
use crate::resolve;
use crate::secrets::Keys;
use builder::Notice;
pub(crate) use catalog::Catalog;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

/// All providers under one roof: from a model's name to a client.
///
/// ```no_run
/// # async fn example() -> aimu_host::Result<()> {
/// let host = aimu_host::Host::builder().build()?;
/// let mut client = host.client("echo:echo").await?;
/// println!("{}", client.chat("Hello!").await?.text);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Host(Arc<Inner>);

struct Inner {
    plugins: Plugins,
    /// Providers of the embedding program, by name.
    native: BTreeMap<String, Arc<dyn Provider>>,
    config: Config,
    presets: Config,
    limits: Limits,
    retries: u32,
    /// All that is declared is granted, as long as this host lives.
    allow: bool,
    grants: Arc<GrantStore>,
    lock: Option<PluginLock>,
    keys: Arc<Keys>,
    /// Where components are added.
    drop_zone: Option<PathBuf>,
    /// The options that find the same plugins, for commands that messages name.
    options: String,
    /// Nobody can be asked, and messages say so.
    unattended: bool,
    notice: Notice,
    /// Who watches runs.
    sink: Option<Sink>,
    /// Fetches media that users name by URL.
    fetcher: Arc<Fetcher>,
    /// The way to all servers.
    route: Route,
    queues: Queues,
    /// MCP servers, by name.
    servers: BTreeMap<String, Arc<crate::mcp::Server>>,
}

/// A name with everything that answers for it.
struct Found<'a> {
    config: Option<&'a InstanceConfig>,
    is_users: bool,
    plugin: Plugin,
}

impl Host {
    /// A host to set up.
    #[must_use]
    pub fn builder() -> HostBuilder {
        HostBuilder::default()
    }

    pub(crate) fn limits(&self) -> Limits {
        self.0.limits
    }

    pub(crate) fn retries(&self) -> u32 {
        self.0.retries
    }

    pub(crate) fn sink(&self) -> Option<Sink> {
        self.0.sink.clone()
    }

    pub(crate) fn fetcher(&self) -> Arc<Fetcher> {
        self.0.fetcher.clone()
    }

    /// A client for a model: a conversation of its own.
    ///
    /// # Errors
    /// There is no such provider or model, a key or a grant is missing, or a setting is wrong.
    pub async fn client(&self, model: impl Into<ModelRef>) -> Result<Client> {
        self.client_with(model, Setup::default()).await
    }

    /// A client with settings for its instance.
    ///
    /// # Errors
    /// As [`Host::client`].
    pub async fn client_with(&self, model: impl Into<ModelRef>, setup: Setup) -> Result<Client> {
        let plain = |provider, model| ModelString { provider, model, base_url: None, flags: BTreeSet::new() };
        let (string, direct) = match model.into() {
            ModelRef::Name(name) => (name.parse()?, None),
            ModelRef::Handle(handle) => (plain(handle.provider, handle.spec.id), None),
            ModelRef::Direct(provider, model) => {
                (plain(provider.description().id.clone(), model), Some(provider))
            }
        };
        let target = match direct {
            Some(provider) => {
                let instance = native_instance(&string)?;
                let catalog = Catalog::new(provider.description(), None);
                Target::new(provider, instance, &string, catalog)?
            }
            None => self.target(string, &setup.settings).await?,
        };
        let fallbacks = self.fallbacks(&setup.fallbacks).await?;
        Ok(Client::new(self.clone(), target, fallbacks, setup))
    }

    /// Models that are asked where another fails. One that can't be asked now is no failure before it would be; one that
    /// there is not is a mistake.
    async fn fallbacks(&self, names: &[String]) -> Result<Vec<Fallback>> {
        let mut fallbacks = Vec::with_capacity(names.len());
        for name in names {
            let target = self.target(name.parse()?, &Map::new()).await.map(Arc::new);
            if let Err(failure) = &target
                && matches!(failure.kind, FailureKind::InvalidRequest | FailureKind::NotFound)
            {
                return Err(failure.clone());
            }
            fallbacks.push(Fallback { name: name.clone(), target });
        }
        Ok(fallbacks)
    }

    /// What a model string stands for now.
    async fn target(&self, string: ModelString, settings: &Map<String, Value>) -> Result<Target> {
        let catalog = self.catalog(&string.provider).await?;
        // A wrong id is told before a missing key.
        catalog.model(&string)?;
        if let Some(provider) = self.0.native.get(&string.provider) {
            return Target::new(provider.clone(), native_instance(&string)?, &string, catalog);
        }
        let (found, loaded) = self.usable(&string.provider).await?;
        let instance = self.instance(&found, &loaded, &string, settings).await?;
        let target = Target::new(loaded.component.clone(), instance, &string, catalog)?;
        let may_change = !found.plugin.is_first_party();
        Ok(if may_change { target.of_file(loaded.component, settings.clone()) } else { target })
    }

    /// The same target, or another where its component has changed since.
    ///
    /// Fails where the component is gone, or where the new one asks for more than the user has allowed.
    pub(crate) async fn current(&self, target: &Arc<Target>) -> Result<Arc<Target>> {
        let Some(origin) = &target.file else { return Ok(target.clone()) };
        // Boxed: what is rare and large would be part of every call.
        let found = Box::pin(self.find(&target.string.provider)).await?;
        match &found.plugin.state {
            Ok(loaded) if Arc::ptr_eq(&loaded.component, &origin.component) => Ok(target.clone()),
            _ => Ok(Arc::new(Box::pin(self.target(target.string.clone(), &origin.settings)).await?)),
        }
    }

    /// Fetches a model to its provider's server; says how far it is.
    ///
    /// # Errors
    /// As [`Host::client`]. What goes wrong at the server comes in the stream.
    pub async fn pull(&self, model: impl Into<ModelRef>) -> Result<Pulling> {
        Ok(self.client(model).await?.pull())
    }

    /// Who answers for a model string, at which server and with which grants.
    async fn callee(
        &self,
        string: &ModelString,
        settings: &Map<String, Value>,
    ) -> Result<(Arc<dyn Provider>, Instance)> {
        if let Some(provider) = self.0.native.get(&string.provider) {
            return Ok((provider.clone(), native_instance(string)?));
        }
        let (found, loaded) = self.usable(&string.provider).await?;
        let instance = self.instance(&found, &loaded, string, settings).await?;
        Ok((loaded.component, instance))
    }

    async fn usable<'a>(&'a self, name: &'a str) -> Result<(Found<'a>, Loaded)> {
        let found = self.find(name).await?;
        let loaded = found.plugin.state.clone().map_err(|failure| failure.of_provider(name))?;
        Ok((found, loaded))
    }

    async fn instance(
        &self,
        found: &Found<'_>,
        loaded: &Loaded,
        string: &ModelString,
        settings: &Map<String, Value>,
    ) -> Result<Instance> {
        let permit = self.permit(found, loaded, &string.provider).await?;
        resolve::Request {
            name: &string.provider,
            plugin: &found.plugin,
            loaded,
            config: found.config,
            is_users: found.is_users,
            base_url: string.base_url.clone(),
            settings,
            permit: &permit,
            route: &self.0.route,
            queues: &self.0.queues,
            calls: self.0.limits.calls,
            keys: &self.0.keys,
        }
        .instance()
        .await
    }

    /// What a name stands for: the user's instance, a preset, a plugin's id.
    async fn find<'a>(&'a self, name: &'a str) -> Result<Found<'a>> {
        let users = self.0.config.providers.get(name);
        if let Some(config) = users.or_else(|| self.0.presets.providers.get(name)) {
            let plugin = self.plugin(&config.plugin).await.ok_or_else(|| {
                Failure::new(
                    FailureKind::NotFound,
                    format!("`{name}` stands on the plugin `{}`, which there is not", config.plugin),
                )
            })?;
            if plugin.has_tools() {
                return Err(no_provider(&plugin.id));
            }
            return Ok(Found { config: Some(config), is_users: users.is_some(), plugin });
        }
        match self.0.plugins.find(name).await {
            Some(plugin) if plugin.has_tools() => Err(no_provider(name)),
            Some(plugin) => Ok(Found { config: None, is_users: false, plugin }),
            None => Err(self.unknown_provider(name).await),
        }
    }

    /// Fails where the user's grants can't be read.
    pub(crate) fn check_grants(&self) -> Result<()> {
        self.0.grants.load().map(drop)
    }

    /// A plugin by its id or path, as the configuration names it.
    async fn plugin(&self, plugin: &str) -> Option<Plugin> {
        if plugin.contains('/') || plugin.ends_with(".wasm") {
            return Some(self.0.plugins.follow(plugin.as_ref()).await);
        }
        self.0.plugins.find(plugin).await
    }

    async fn unknown_provider(&self, name: &str) -> Failure {
        let known: Vec<String> = self
            .providers()
            .await
            .into_iter()
            .filter(|entry| entry.status.is_ok())
            .map(|entry| entry.name)
            .collect();
        let near = nearest(name, known.iter().map(String::as_str));
        let near = near.map(|near| format!(" Did you mean `{near}`?")).unwrap_or_default();
        Failure::new(
            FailureKind::NotFound,
            format!("there is no provider `{name}`.{near} There are {}", known.join(", ")),
        )
    }
}

/// The failure of a name under which tools are, and not a provider.
fn no_provider(id: &str) -> Failure {
    let what = format!("`{id}` is no provider: it has tools, which models get with `-T {id}`");
    Failure::new(FailureKind::NotFound, what)
}

/// The instance of a provider that runs inside this program.
fn native_instance(string: &ModelString) -> Result<Instance> {
    if let Some(url) = &string.base_url {
        let what = format!(
            "`{}` runs inside this program and takes no base URL: leave out `@{url}`",
            string.provider
        );
        return Err(Failure::new(FailureKind::InvalidRequest, what));
    }
    Ok(Instance {
        name: string.provider.clone(),
        plugin: string.provider.clone(),
        base_url: None,
        base_url_source: BaseUrlSource::Plugin,
        settings: Value::Object(Map::new()),
        headers: http::HeaderMap::new(),
        origins: Vec::new(),
        anywhere: false,
        named: Vec::new(),
        allows: None,
        credentials: Vec::new(),
        refused: None,
        ticket: None,
        route: Route::default(),
        queue: Arc::new(Queue::new(usize::MAX)),
    })
}
