//! The host: what there is to call, and how it is found.

use crate::client::{Client, Setup, Target};
use crate::config::{self, Config, InstanceConfig};
use crate::home::Home;
use crate::instance::{BaseUrlSource, Instance};
use crate::limits::Limits;
use crate::model::{Capability, Failure, FailureKind, ModelSpec, Parameter, Result, Support};
use crate::model_string::ModelString;
use crate::openai::fields::nearest;
use crate::plugins::{Loaded, Plugin, Plugins};
use crate::provider::{Call, Provider};
use crate::resolve;
use crate::sandbox::{Cache, Sandbox};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// Loads providers and gives clients for their models. Cheap to clone.
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
    allow: bool,
}

/// Tries after the first: two pauses of about a second outlast most hiccups.
const RETRIES: u32 = 2;

/// Sets a [`Host`] up.
pub struct HostBuilder {
    home: Home,
    config_file: Option<PathBuf>,
    plugin_dirs: Vec<PathBuf>,
    native: BTreeMap<String, Arc<dyn Provider>>,
    limits: Limits,
    retries: u32,
    allow: bool,
}

impl HostBuilder {
    /// The user's folders; by default those that the environment names.
    #[must_use]
    pub fn home(mut self, home: Home) -> Self {
        self.home = home;
        self
    }

    /// A configuration file instead of the user's own; it has to be there.
    #[must_use]
    pub fn config_file(mut self, file: impl Into<PathBuf>) -> Self {
        self.config_file = Some(file.into());
        self
    }

    /// A folder of components, instead of `./plugins` and the user's own. May be called several times.
    #[must_use]
    pub fn plugin_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.plugin_dirs.push(folder.into());
        self
    }

    /// A provider of the embedding program, under a name of its own.
    #[must_use]
    pub fn provider(mut self, name: impl Into<String>, provider: Arc<dyn Provider>) -> Self {
        self.native.insert(name.into(), provider);
        self
    }

    /// What each call may use.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Tries after the first, before the first event.
    #[must_use]
    pub fn retries(mut self, retries: u32) -> Self {
        self.retries = retries;
        self
    }

    /// Grants every plugin what it declares: origins and credentials. Components that come with the program have
    /// that anyway.
    #[must_use]
    pub fn allow(mut self, allow: bool) -> Self {
        self.allow = allow;
        self
    }

    /// Reads the configuration and starts the engine. Loads no component.
    ///
    /// # Errors
    /// The configuration is wrong, or the engine does not start on this machine.
    pub fn build(self) -> Result<Host> {
        let config = match (&self.config_file, self.home.config_file()) {
            (Some(file), _) => config::load(file, true)?,
            (None, Some(file)) => config::load(&file, false)?,
            (None, None) => Config::default(),
        };
        let folders = if self.plugin_dirs.is_empty() {
            std::iter::once(PathBuf::from("plugins")).chain(self.home.plugins_dir()).collect()
        } else {
            self.plugin_dirs
        };
        let sandbox = Arc::new(Sandbox::new(Cache::open(self.home.cache_dir()))?);
        Ok(Host(Arc::new(Inner {
            plugins: Plugins::new(sandbox, folders, self.limits),
            native: self.native,
            config,
            presets: config::presets()?,
            limits: self.limits,
            retries: self.retries,
            allow: self.allow,
        })))
    }
}

/// A model, in any of the three ways to name one.
pub enum ModelRef {
    /// `provider:model_id[@base_url][;flag,flag]`.
    Name(String),
    /// From a query.
    Handle(Box<ModelHandle>),
    /// The provider itself, and an id of its.
    Direct(Arc<dyn Provider>, String),
}

impl From<&str> for ModelRef {
    fn from(name: &str) -> Self {
        Self::Name(name.to_owned())
    }
}

impl From<String> for ModelRef {
    fn from(name: String) -> Self {
        Self::Name(name)
    }
}

impl From<&ModelHandle> for ModelRef {
    fn from(handle: &ModelHandle) -> Self {
        Self::Handle(Box::new(handle.clone()))
    }
}

impl From<ModelHandle> for ModelRef {
    fn from(handle: ModelHandle) -> Self {
        Self::Handle(Box::new(handle))
    }
}

impl From<(Arc<dyn Provider>, &str)> for ModelRef {
    fn from((provider, model): (Arc<dyn Provider>, &str)) -> Self {
        Self::Direct(provider, model.to_owned())
    }
}

/// A model that a query found.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelHandle {
    /// The instance's name.
    pub provider: String,
    /// What is known of the model.
    pub spec: ModelSpec,
}

impl std::fmt::Display for ModelHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.provider, self.spec.id)
    }
}

/// Which models are wanted.
#[derive(Clone, Debug, Default)]
pub struct ModelQuery {
    /// Of this provider alone.
    pub provider: Option<String>,
    /// With all of these.
    pub capabilities: Vec<Capability>,
}

impl ModelQuery {
    fn matches(&self, spec: &ModelSpec) -> bool {
        self.capabilities.iter().all(|capability| spec.capabilities.contains(capability))
    }
}

/// A provider that can be named.
#[derive(Clone, Debug)]
pub struct ProviderEntry {
    /// The `provider` in `provider:model`.
    pub name: String,
    /// The plugin that answers for it.
    pub plugin: String,
    /// Its server, where it has one.
    pub base_url: Option<String>,
    /// What is wrong with it, if something is.
    pub status: Result<()>,
}

/// A component that there is.
#[derive(Clone, Debug)]
pub struct PluginEntry {
    /// The plugin's id, or the file's name where it has none.
    pub id: String,
    /// Where it is; `None` for one that comes with the program.
    pub file: Option<PathBuf>,
    /// What it is and says of itself, or what is wrong with it.
    pub status: Result<(crate::Inspection, crate::Description)>,
}

/// A name with everything that answers for it.
pub(crate) struct Found<'a> {
    name: &'a str,
    config: Option<&'a InstanceConfig>,
    is_users: bool,
    plugin: Plugin,
}

/// What is known of a provider's models: its own catalogue, and what the configuration adds.
pub(crate) struct Catalog {
    pub(crate) models: Vec<ModelSpec>,
    pub(crate) open: bool,
    pub(crate) parameters: Vec<(Parameter, Support)>,
}

impl Host {
    /// A host to set up.
    #[must_use]
    pub fn builder() -> HostBuilder {
        HostBuilder {
            home: Home::from_environment(),
            config_file: None,
            plugin_dirs: Vec::new(),
            native: BTreeMap::new(),
            limits: Limits::default(),
            retries: RETRIES,
            allow: false,
        }
    }

    pub(crate) fn limits(&self) -> Limits {
        self.0.limits
    }

    pub(crate) fn retries(&self) -> u32 {
        self.0.retries
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
        let target = match model.into() {
            ModelRef::Name(name) => self.target(&name.parse()?, &setup.settings).await?,
            ModelRef::Handle(handle) => {
                let string = ModelString {
                    provider: handle.provider,
                    model: handle.spec.id,
                    base_url: None,
                    flags: std::collections::BTreeSet::new(),
                };
                self.target(&string, &setup.settings).await?
            }
            ModelRef::Direct(provider, model) => {
                let name = provider.description().id.clone();
                let string = ModelString {
                    provider: name,
                    model,
                    base_url: None,
                    flags: std::collections::BTreeSet::new(),
                };
                native_target(provider, &string)?
            }
        };
        Ok(Client::new(self.clone(), target, setup))
    }

    async fn target(&self, string: &ModelString, settings: &Map<String, Value>) -> Result<Target> {
        if let Some(provider) = self.0.native.get(&string.provider) {
            return native_target(provider.clone(), string);
        }
        let found = self.find(&string.provider).await?;
        let loaded = found.plugin.state.clone().map_err(|failure| failure.of_provider(&string.provider))?;
        let catalog = catalog(&loaded, found.config);
        let spec = model(&catalog, string)?;
        let instance = self.instance(&found, &loaded, string, settings)?;
        let provider: Arc<dyn Provider> = loaded.component;
        Ok(Target::new(provider, Arc::new(instance), string, spec, catalog.parameters))
    }

    fn instance(
        &self,
        found: &Found<'_>,
        loaded: &Loaded,
        string: &ModelString,
        settings: &Map<String, Value>,
    ) -> Result<Instance> {
        resolve::Request {
            name: &string.provider,
            plugin: &found.plugin,
            loaded,
            config: found.config,
            is_users: found.is_users,
            base_url: string.base_url.clone(),
            settings,
            allow: self.0.allow,
        }
        .instance()
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
            return Ok(Found { name, config: Some(config), is_users: users.is_some(), plugin });
        }
        match self.0.plugins.find(name).await {
            Some(plugin) => Ok(Found { name, config: None, is_users: false, plugin: plugin.clone() }),
            None => Err(self.unknown_provider(name).await),
        }
    }

    /// A plugin by its id or path, as the configuration names it.
    async fn plugin(&self, plugin: &str) -> Option<Plugin> {
        if plugin.contains('/') || plugin.ends_with(".wasm") {
            return Some(self.0.plugins.open_path(plugin.as_ref(), false).await);
        }
        self.0.plugins.find(plugin).await.cloned()
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

    /// Every provider that can be named, and what is wrong with those that can't be called.
    pub async fn providers(&self) -> Vec<ProviderEntry> {
        let mut entries: BTreeMap<String, ProviderEntry> = BTreeMap::new();
        for plugin in self.0.plugins.all().await {
            // A file whose id is taken is listed among the plugins; as a provider it does not exist.
            if plugin.state.is_err() && entries.contains_key(&plugin.id) {
                continue;
            }
            let base_url =
                plugin.state.as_ref().ok().and_then(|loaded| loaded.description().default_base_url.clone());
            let status = plugin.state.as_ref().map(|_| ()).map_err(Clone::clone);
            let entry =
                ProviderEntry { name: plugin.id.clone(), plugin: plugin.id.clone(), base_url, status };
            entries.insert(plugin.id.clone(), entry);
        }
        let configured = self.0.presets.providers.iter().chain(&self.0.config.providers);
        for (name, config) in configured {
            let status = match self.plugin(&config.plugin).await {
                Some(plugin) => plugin.state.map(|_| ()),
                None => Err(Failure::new(
                    FailureKind::NotFound,
                    format!("it stands on the plugin `{}`, which there is not", config.plugin),
                )),
            };
            let entry = ProviderEntry {
                name: name.clone(),
                plugin: config.plugin.clone(),
                base_url: config.base_url.clone(),
                status,
            };
            entries.insert(name.clone(), entry);
        }
        for (name, provider) in &self.0.native {
            let plugin = provider.description().id.clone();
            entries.insert(
                name.clone(),
                ProviderEntry { name: name.clone(), plugin, base_url: None, status: Ok(()) },
            );
        }
        entries.into_values().collect()
    }

    /// Every component that there is, broken ones with the reason.
    pub async fn plugins(&self) -> Vec<PluginEntry> {
        self.0.plugins.all().await.into_iter().map(entry).collect()
    }

    /// One component by its path, whether or not it lies in a plugin folder.
    pub async fn inspect(&self, file: impl Into<PathBuf>) -> PluginEntry {
        entry(&self.0.plugins.open_path(&file.into(), true).await)
    }

    /// The catalogued models that a query asks for, without running a component.
    ///
    /// # Errors
    /// There is no such provider.
    pub async fn models(&self, query: &ModelQuery) -> Result<Vec<ModelHandle>> {
        let names = match &query.provider {
            Some(name) => vec![name.clone()],
            None => self
                .providers()
                .await
                .into_iter()
                .filter(|entry| entry.status.is_ok())
                .map(|entry| entry.name)
                .collect(),
        };
        let mut handles = Vec::new();
        for name in names {
            let models = match self.0.native.get(&name) {
                Some(provider) => provider.description().models.clone(),
                None => {
                    let found = self.find(&name).await?;
                    let loaded = found.plugin.state.clone().map_err(|failure| failure.of_provider(&name))?;
                    catalog(&loaded, found.config).models
                }
            };
            let wanted = models.into_iter().filter(|spec| query.matches(spec));
            handles.extend(wanted.map(|spec| ModelHandle { provider: name.clone(), spec }));
        }
        Ok(handles)
    }

    /// What a model can do, as far as is known: `None` for an id that no catalogue has.
    ///
    /// # Errors
    /// There is no such provider, or no such model where the catalogue is closed.
    pub async fn model(&self, model: &str) -> Result<Option<ModelSpec>> {
        let string: ModelString = model.parse()?;
        let catalog = match self.0.native.get(&string.provider) {
            Some(provider) => native_catalog(&**provider),
            None => {
                let found = self.find(&string.provider).await?;
                let loaded = found.plugin.state.clone().map_err(|failure| failure.of_provider(found.name))?;
                catalog(&loaded, found.config)
            }
        };
        self::model(&catalog, &string)
    }

    /// Asks a provider's server for its models. What the catalogue knows of one stands beside what the server says.
    ///
    /// `provider` may carry a base URL: `openai-compat@http://localhost:8080/v1`.
    ///
    /// # Errors
    /// There is no such provider, a grant or a key is missing, or the server does not answer.
    pub async fn refresh(&self, provider: &str, settings: &Map<String, Value>) -> Result<Vec<ModelHandle>> {
        let string = provider_string(provider)?;
        let (provider, instance, known) = match self.0.native.get(&string.provider) {
            Some(provider) => {
                (provider.clone(), native_instance(&string.provider), native_catalog(&**provider))
            }
            None => {
                let found = self.find(&string.provider).await?;
                let loaded = found.plugin.state.clone().map_err(|failure| failure.of_provider(found.name))?;
                let instance = self.instance(&found, &loaded, &string, settings)?;
                let known = catalog(&loaded, found.config);
                (loaded.component as Arc<dyn Provider>, instance, known)
            }
        };
        let call = Call::new(Arc::new(instance), self.0.limits);
        let served = provider.models(&call).await?;
        let handle = |mut spec: ModelSpec| {
            if let Some(known) = known.models.iter().find(|known| known.id == spec.id) {
                spec = known.clone();
            }
            ModelHandle { provider: string.provider.clone(), spec }
        };
        Ok(served.into_iter().map(handle).collect())
    }

    /// Names of the presets and instances that stand for a server of this machine.
    pub(crate) fn local_providers(&self) -> impl Iterator<Item = &str> {
        let first = ["ollama", "ollama-openai"];
        let local = |config: &InstanceConfig| {
            let origin =
                config.base_url.as_deref().and_then(|url| url::Url::parse(url).ok()).map(|url| url.origin());
            origin.is_some_and(|origin| crate::egress::is_loopback(&origin))
        };
        let named = self.0.config.providers.iter().chain(&self.0.presets.providers);
        let others = named.filter(move |(name, config)| local(config) && !first.contains(&name.as_str()));
        let has = |name: &&str| {
            self.0.presets.providers.contains_key(*name)
                || self.0.plugins.embedded_ids().any(|id| id == *name)
        };
        first.into_iter().filter(has).chain(others.map(|(name, _)| name.as_str()))
    }
}

fn entry(plugin: &Plugin) -> PluginEntry {
    let status = plugin.state.as_ref();
    PluginEntry {
        id: plugin.id.clone(),
        file: plugin.file.clone(),
        status: status
            .map(|loaded| (loaded.inspection.clone(), loaded.description().clone()))
            .map_err(Clone::clone),
    }
}

/// `provider` or `provider@url`.
fn provider_string(text: &str) -> Result<ModelString> {
    let (name, url) = match text.split_once("@http") {
        Some((name, url)) => (name, Some(crate::model_string::parse_url(&format!("http{url}"), text)?)),
        None => (text, None),
    };
    Ok(ModelString {
        provider: name.to_owned(),
        model: String::new(),
        base_url: url,
        flags: std::collections::BTreeSet::new(),
    })
}

fn catalog(loaded: &Loaded, config: Option<&InstanceConfig>) -> Catalog {
    let description = loaded.description();
    let mut models = description.models.clone();
    let mut parameters = description.parameters.clone();
    if let Some(config) = config {
        config::overlay(&mut models, &config.models);
        for (parameter, support) in &config.parameters {
            parameters.retain(|(named, _)| named != parameter);
            parameters.push((*parameter, support.clone()));
        }
    }
    let open = config.and_then(|config| config.open_catalog).unwrap_or(description.open_catalog);
    Catalog { models, open, parameters }
}

fn native_catalog(provider: &dyn Provider) -> Catalog {
    let description = provider.description();
    Catalog {
        models: description.models.clone(),
        open: description.open_catalog,
        parameters: description.parameters.clone(),
    }
}

fn native_instance(name: &str) -> Instance {
    Instance {
        name: name.to_owned(),
        plugin: name.to_owned(),
        base_url: None,
        base_url_source: BaseUrlSource::Plugin,
        settings: Value::Object(Map::new()),
        origins: Vec::new(),
        credentials: Vec::new(),
        refused: None,
    }
}

fn native_target(provider: Arc<dyn Provider>, string: &ModelString) -> Result<Target> {
    if let Some(url) = &string.base_url {
        let what = format!(
            "`{}` runs inside this program and takes no base URL: leave out `@{url}`",
            string.provider
        );
        return Err(Failure::new(FailureKind::InvalidRequest, what));
    }
    let catalog = native_catalog(&*provider);
    let spec = model(&catalog, string)?;
    let instance = Arc::new(native_instance(&string.provider));
    Ok(Target::new(provider, instance, string, spec, catalog.parameters))
}

/// What the catalogue says of a model; `None` for an id that it does not have but lets through.
fn model(catalog: &Catalog, string: &ModelString) -> Result<Option<ModelSpec>> {
    let known = catalog.models.iter().find(|spec| spec.id == string.model);
    match known {
        Some(_) if !string.flags.is_empty() => Err(Failure::new(
            FailureKind::InvalidRequest,
            format!(
                "`{}:{}` is in the catalogue, which knows what it can do: leave out the flags",
                string.provider, string.model
            ),
        )),
        Some(spec) => Ok(Some(spec.clone())),
        None if catalog.open => Ok(None),
        None => {
            let ids: Vec<&str> = catalog.models.iter().map(|spec| spec.id.as_str()).collect();
            let near = nearest(&string.model, ids.iter().copied());
            let near = near.map(|near| format!(" Did you mean `{near}`?")).unwrap_or_default();
            Err(Failure::new(
                FailureKind::NotFound,
                format!(
                    "`{}` has no model `{}`.{near} It has {}",
                    string.provider,
                    string.model,
                    ids.join(", ")
                ),
            ))
        }
    }
}
