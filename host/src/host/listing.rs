//! What there is: providers, components, models; from cached descriptions, or by asking a server.

use super::catalog::Catalog;
use super::grants::PluginGrants;
use super::model_ref::{ModelHandle, ModelQuery};
use super::{Host, no_provider};
use crate::config::InstanceConfig;
use crate::model::{Failure, FailureKind, ModelSpec, Result};
use crate::model_string::ModelString;
use crate::plugins::Plugin;
use crate::provider::Call;
use crate::sandbox::Inspection;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

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
    pub status: Result<(Inspection, crate::Description)>,
    /// What it asks for, and what of it is granted; fails where the grants can't be read. `None` for a component that
    /// can't be used.
    pub grants: Option<Result<PluginGrants>>,
    /// What is wrong with its file since it has changed: the component that it held before is in use.
    pub broken: Option<Failure>,
}

impl Host {
    /// Every provider that can be named, and what is wrong with those that can't be called.
    pub async fn providers(&self) -> Vec<ProviderEntry> {
        let mut entries: BTreeMap<String, ProviderEntry> = BTreeMap::new();
        let plugins = self.0.plugins.all().await;
        let tools: BTreeSet<&str> =
            plugins.iter().filter(|plugin| plugin.has_tools()).map(|plugin| plugin.id.as_str()).collect();
        for plugin in plugins.iter().filter(|plugin| !tools.contains(plugin.id.as_str())) {
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
                Some(plugin) if plugin.has_tools() => Err(no_provider(&plugin.id)),
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
        self.0.plugins.all().await.iter().map(|plugin| self.entry(plugin)).collect()
    }

    /// Takes up now what has changed in the plugin folders, once it stands still: files that are changed, new or gone.
    /// Without it, each client, list and call looks by itself, and takes what was last written half a second ago. Calls
    /// that run end with the component that they began with.
    pub async fn reload(&self) {
        self.0.plugins.reload().await;
    }

    /// One component by its path, whether or not it lies in a plugin folder.
    pub async fn inspect(&self, file: impl Into<PathBuf>) -> PluginEntry {
        self.entry(&self.0.plugins.inspect(&file.into()).await)
    }

    /// The catalogued models that a query asks for, without running a component.
    ///
    /// # Errors
    /// There is no such provider.
    pub async fn models(&self, query: &ModelQuery) -> Result<Vec<ModelHandle>> {
        let names = match &query.provider {
            Some(name) => vec![name.clone()],
            None => {
                let callable = self.providers().await.into_iter().filter(|entry| entry.status.is_ok());
                callable.map(|entry| entry.name).collect()
            }
        };
        let mut handles = Vec::new();
        for name in names {
            let wanted = self.catalog(&name).await?.models.into_iter().filter(|spec| query.matches(spec));
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
        self.catalog(&string.provider).await?.model(&string)
    }

    pub(super) async fn catalog(&self, name: &str) -> Result<Catalog> {
        if let Some(provider) = self.0.native.get(name) {
            return Ok(Catalog::new(provider.description(), None));
        }
        let found = self.find(name).await?;
        let loaded = found.plugin.state.map_err(|failure| failure.of_provider(name))?;
        Ok(Catalog::new(loaded.description(), found.config))
    }

    /// Asks a provider's server for its models. What the catalogue knows of one stands in place of what the server
    /// says, which is mostly a name.
    ///
    /// `provider` may carry a base URL: `openai-compat@http://localhost:8080/v1`.
    ///
    /// # Errors
    /// There is no such provider, a grant or a key is missing, or the server does not answer.
    pub async fn refresh(&self, provider: &str, settings: &Map<String, Value>) -> Result<Vec<ModelHandle>> {
        let string = provider_string(provider)?;
        let known = self.catalog(&string.provider).await?.models;
        let (provider, instance) = self.callee(&string, settings).await?;
        let served = provider.models(&Call::new(Arc::new(instance), self.0.limits)).await?;
        let handle = |spec: ModelSpec| {
            let spec = known.iter().find(|known| known.id == spec.id).cloned().unwrap_or(spec);
            ModelHandle { provider: string.provider.clone(), spec }
        };
        Ok(served.into_iter().map(handle).collect())
    }

    pub(super) fn entry(&self, plugin: &Plugin) -> PluginEntry {
        let loaded = plugin.state.as_ref();
        PluginEntry {
            id: plugin.id.clone(),
            file: plugin.file.clone(),
            grants: loaded.ok().map(|loaded| self.grants_of(plugin, loaded)),
            status: loaded
                .map(|loaded| (Inspection::clone(&loaded.inspection), loaded.description().clone()))
                .map_err(Clone::clone),
            broken: plugin.broken.clone(),
        }
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

/// `provider` or `provider@url`.
fn provider_string(text: &str) -> Result<ModelString> {
    let (name, url) = match text.split_once("@http") {
        Some((name, url)) => (name, Some(crate::model_string::parse_url(&format!("http{url}"), text)?)),
        None => (text, None),
    };
    Ok(ModelString { provider: name.to_owned(), model: String::new(), base_url: url, flags: BTreeSet::new() })
}
