//! What each component may use, and the calls that allow it and take it back.

use super::{Found, Host};
use crate::config::InstanceConfig;
use crate::grants::{
    ANY, Component, LockedPlugin, Permissions, Permit, PluginLock, Standing, Ticket, beside, escaped,
    standing,
};
use crate::model::{Failure, FailureKind, Result};
use crate::model_string::ModelString;
use crate::plugins::{Loaded, Plugin};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How far a component is allowed what it asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GrantState {
    /// It came with the program, and uses what it declares.
    FirstParty,
    /// It asks for nothing.
    NothingAsked,
    /// All that it asks for is allowed.
    Allowed,
    /// Some of what it asks for is allowed.
    PartlyAllowed,
    /// Nobody has allowed it anything.
    NotAllowed,
    /// It has changed since it was allowed, and asks for more: it is refused until it is allowed again.
    Suspended,
}

/// What a component asks for, and what of it is granted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginGrants {
    /// The plugin's id.
    pub plugin: String,
    /// Where the component is; `None` for one that comes with the program.
    pub file: Option<PathBuf>,
    /// SHA-256 of its bytes, hexadecimal.
    pub sha256: String,
    /// How far it is allowed.
    pub state: GrantState,
    /// What it asks for.
    pub asked: Permissions,
    /// What of it is granted.
    pub granted: Permissions,
    /// What of it is not granted.
    pub missing: Permissions,
    /// What a suspended component asks for beyond what was decided about the one before.
    pub new: Permissions,
    /// When it was allowed, in UTC.
    pub allowed: Option<String>,
    /// Where the component lay when it was allowed.
    pub source: Option<String>,
}

impl Host {
    /// What a component that did not come with the program asks for, and what of it is granted. `name` is a plugin's
    /// id, the path of a component, or an instance of the configuration that stands on one.
    ///
    /// # Errors
    /// There is no such component, it can't be used, it came with the program, or the grants can't be read.
    pub async fn plugin_grants(&self, name: &str) -> Result<PluginGrants> {
        let (plugin, loaded) = self.third_party(name).await?;
        self.grants_of(&plugin, &loaded)
    }

    /// Allows a component some of what it asks for, beside what it is allowed already, and keeps that in the user's
    /// grants. `seen` is what [`Host::plugin_grants`] gave: if the component has changed since, nothing is allowed.
    ///
    /// This is the user's consent. Call it for a person who has seen `seen.asked`, and never for a model, a component or
    /// a request from elsewhere.
    ///
    /// # Errors
    /// The component has changed, does not ask for that, or the grants can't be written.
    pub async fn allow_plugin(&self, seen: &PluginGrants, allowed: &Permissions) -> Result<PluginGrants> {
        let (plugin, loaded) = match &seen.file {
            Some(file) => usable(self.0.plugins.at(file).await)?,
            None => return Err(first_party(&seen.plugin)),
        };
        if loaded.inspection.digest != seen.sha256 || plugin.id != seen.plugin {
            let what =
                format!("the plugin `{}` has changed since it was shown; look at it again", seen.plugin);
            return Err(Failure::new(FailureKind::Denied, what));
        }
        let asked = asked(&loaded)?;
        let unasked = allowed.minus(&asked);
        if !unasked.is_empty() {
            let what = format!("the plugin `{}` does not ask for {unasked}", plugin.id);
            return Err(Failure::new(FailureKind::InvalidRequest, what));
        }
        let (store, allowed, source) = (self.0.grants.clone(), allowed.clone(), source(&plugin));
        let (id, digest) = (plugin.id.clone(), loaded.inspection.digest.clone());
        on_disk(move || {
            let component = Component { plugin: &id, sha256: &digest, source: &source, asked: &asked };
            store.allow(component, &allowed)
        })
        .await?;
        self.grants_of(&plugin, &loaded)
    }

    /// Takes back all that a plugin was allowed, whether or not its component is still there. Requests that begin after
    /// this are refused. `false`: there was nothing to take back.
    ///
    /// # Errors
    /// The grants can't be read or written.
    pub async fn revoke_plugin(&self, id: &str) -> Result<bool> {
        let (store, id) = (self.0.grants.clone(), id.to_owned());
        on_disk(move || store.revoke(&id, None)).await
    }

    /// Takes back what was allowed a component whose file is deleted.
    pub(super) async fn forget(&self, id: &str, file: &Path) -> Result<bool> {
        let (store, id, source) = (self.0.grants.clone(), id.to_owned(), absolute(file));
        on_disk(move || store.revoke(&id, Some(&source))).await
    }

    /// What the user has to decide before a model can be called: `Some` where its component did not come with the
    /// program, asks for something that the call needs, and nobody has decided about it.
    ///
    /// # Errors
    /// There is no such model, its component can't be used, or the grants can't be read.
    pub async fn undecided(&self, model: &str) -> Result<Option<PluginGrants>> {
        let string: ModelString = model.parse()?;
        if self.0.allow || self.0.native.contains_key(&string.provider) {
            return Ok(None);
        }
        let found = self.find(&string.provider).await?;
        if found.plugin.is_first_party() {
            return Ok(None);
        }
        self.catalog(&string.provider).await?.model(&string)?;
        let loaded = found.plugin.state.clone()?;
        // A server that the user names is granted by that; a key that a call can't do without is not.
        let configured = found.is_users && found.config.is_some_and(|config| config.base_url.is_some());
        let needs_key = loaded.description().credentials.iter().any(|credential| credential.required);
        if string.base_url.is_some() || (configured && !needs_key) {
            return Ok(None);
        }
        let grants = self.grants_of(&found.plugin, &loaded)?;
        Ok((grants.state == GrantState::NotAllowed).then_some(grants))
    }

    /// The components in the plugin folders, and those that the configuration names by path, as a lock file for the file
    /// `path` has them; with what is left out and why. Nothing is written: [`PluginLock::write`] does.
    ///
    /// # Errors
    /// The grants can't be read.
    pub async fn plugin_lock(&self, path: &Path) -> Result<(PluginLock, Vec<Failure>)> {
        let folder = std::path::absolute(path).ok().and_then(|path| Some(path.parent()?.to_owned()));
        let mut plugins = self.0.plugins.third_party().await;
        for config in self.0.config.providers.values().filter(|config| names_path(config)) {
            plugins.push(self.0.plugins.follow(config.plugin.as_ref()).await);
        }
        let (mut locked, mut left_out) = (Vec::new(), Vec::new());
        for plugin in plugins {
            match &plugin.state {
                Ok(loaded) => {
                    let grants = self.grants_of(&plugin, loaded)?;
                    locked.push(LockedPlugin {
                        id: grants.plugin,
                        sha256: grants.sha256,
                        source: beneath(plugin.file.as_deref(), folder.as_deref()),
                        origins: grants.granted.origins,
                        credentials: grants
                            .granted
                            .credentials
                            .into_iter()
                            .map(|credential| credential.name)
                            .collect(),
                    });
                }
                Err(failure) => left_out.push(failure.clone()),
            }
        }
        Ok((PluginLock::new(locked), left_out))
    }

    pub(super) fn grants_of(&self, plugin: &Plugin, loaded: &Loaded) -> Result<PluginGrants> {
        let asked = asked(loaded)?;
        let mut grants = PluginGrants {
            plugin: plugin.id.clone(),
            file: plugin.file.clone(),
            sha256: loaded.inspection.digest.clone(),
            state: GrantState::FirstParty,
            granted: Permissions::default(),
            missing: Permissions::default(),
            new: Permissions::default(),
            allowed: None,
            source: None,
            asked,
        };
        if plugin.is_first_party() {
            grants.granted = grants.asked.clone();
            return Ok(grants);
        }
        let kept = self.0.grants.load()?;
        let source = source(plugin);
        let component =
            Component { plugin: &plugin.id, sha256: &grants.sha256, source: &source, asked: &grants.asked };
        (grants.state, grants.granted, grants.new) = match standing(&kept, component) {
            Standing::Nothing => (GrantState::NothingAsked, Permissions::default(), Permissions::default()),
            Standing::New => (GrantState::NotAllowed, Permissions::default(), Permissions::default()),
            Standing::Allowed(granted) | Standing::Changed { granted, .. } => {
                let whole = grants.asked.minus(&granted).is_empty();
                let state = if whole { GrantState::Allowed } else { GrantState::PartlyAllowed };
                (state, granted, Permissions::default())
            }
            // Suspended is suspended: what was allowed the one before is nothing that this one has.
            Standing::Suspended { more, .. } => (GrantState::Suspended, Permissions::default(), more),
        };
        grants.missing = grants.asked.minus(&grants.granted);
        let of_plugin = || kept.iter().filter(|grant| grant.plugin == plugin.id);
        if let Some(grant) = of_plugin()
            .find(|grant| grant.sha256 == grants.sha256)
            .or_else(|| of_plugin().rfind(|grant| beside(&grant.source, &source)))
        {
            grants.allowed = Some(grant.allowed.clone());
            grants.source = Some(grant.source.clone());
        }
        Ok(grants)
    }

    /// What a component may use in a call now. One that has changed and asks for no more keeps what it was allowed.
    pub(super) async fn permit(&self, found: &Found<'_>, loaded: &Loaded, name: &str) -> Result<Permit> {
        let plugin = &found.plugin;
        if plugin.is_first_party() {
            return Ok(Permit::everything());
        }
        let asked = asked(loaded)?;
        let name = if found.config.is_some_and(names_path) { name } else { &plugin.id };
        let mut permit = if self.0.allow || asked.is_empty() {
            Permit::of(asked.clone(), None)
        } else {
            self.decided(plugin, loaded, &asked, name).await?
        };
        if asked.origins.contains(ANY) {
            permit.allows = Some(format!("aimu-host plugins allow {name}{} --origin", self.0.options));
        }
        if let Some(locked) =
            self.0.lock.as_ref().and_then(|lock| lock.find(&plugin.id, &loaded.inspection.digest))
        {
            permit.restrict(locked, &plugin.id);
        }
        Ok(permit)
    }

    /// What the user has decided about a component.
    async fn decided(
        &self,
        plugin: &Plugin,
        loaded: &Loaded,
        asked: &Permissions,
        name: &str,
    ) -> Result<Permit> {
        let (id, digest, source) = (plugin.id.as_str(), loaded.inspection.digest.as_str(), source(plugin));
        let who = format!("the plugin `{id}` ({}, sha256 {digest:.12}…)", escaped(&source));
        let mut command = format!("`aimu-host plugins allow {name}{}`", self.0.options);
        if self.0.unattended {
            command += " (where nobody can be asked, with `--yes`)";
        }
        let mut now =
            self.0.grants.standing(Component { plugin: id, sha256: digest, source: &source, asked })?;
        if let Standing::Changed { before, .. } = &now {
            let mut notice = format!(
                "{who} has changed since you allowed it (sha256 {before:.12}… before) and asks for no more: it keeps \
                 what it was allowed"
            );
            let (store, own, source) =
                (self.0.grants.clone(), (id.to_owned(), digest.to_owned()), source.clone());
            let asked = asked.clone();
            let kept = on_disk(move || {
                store.carry_over(Component { plugin: &own.0, sha256: &own.1, source: &source, asked: &asked })
            });
            match kept.await {
                Ok(standing) => now = standing,
                Err(failure) => notice += &format!(" for this run ({})", failure.message),
            }
            (self.0.notice)(&notice);
        }
        let granted = match now {
            Standing::Nothing => return Ok(Permit::of(Permissions::default(), None)),
            Standing::Allowed(granted) | Standing::Changed { granted, .. } => granted,
            Standing::New => {
                return Ok(Permit::none(
                    format!(
                        "{who} is not from this program and asks for {asked}. If you trust it with that, run \
                         {command}, or add `--allow` to allow it for this run"
                    ),
                    false,
                ));
            }
            Standing::Suspended { more, .. } => {
                return Ok(Permit::none(
                    format!(
                        "{who} has changed since you allowed it, and asks for more: {more}. It is suspended until you \
                         allow that with {command}, or with `--allow` for this run"
                    ),
                    true,
                ));
            }
        };
        let missing = asked.minus(&granted);
        let refused = (!missing.is_empty())
            .then(|| format!("{who} asks for {missing}, too, which you have not allowed; {command} does"));
        let ticket = Ticket {
            store: self.0.grants.clone(),
            plugin: id.to_owned(),
            sha256: digest.to_owned(),
            source: source.clone(),
            asked: asked.clone(),
            granted: granted.clone(),
        };
        let mut permit = Permit::of(granted, refused);
        permit.ticket = Some(Arc::new(ticket));
        Ok(permit)
    }

    /// A component that did not come with the program, by its id, its path, or an instance that stands on it.
    async fn third_party(&self, name: &str) -> Result<(Plugin, Loaded)> {
        let configured = self.0.config.providers.get(name).filter(|config| names_path(config));
        let plugin = match configured {
            Some(config) => self.plugin(&config.plugin).await,
            None => self.plugin(name).await,
        };
        match plugin {
            Some(plugin) if plugin.is_first_party() => Err(first_party(&plugin.id)),
            Some(plugin) => usable(plugin),
            None => Err(self.no_plugin(name).await),
        }
    }

    pub(super) async fn no_plugin(&self, name: &str) -> Failure {
        let known: Vec<String> = self
            .0
            .plugins
            .third_party()
            .await
            .iter()
            .map(|plugin| escaped(&plugin.id).into_owned())
            .collect();
        let known = match known.is_empty() {
            true => "there are none but those that come with the program".to_owned(),
            false => format!("there are {}", known.join(", ")),
        };
        let what = format!("there is no plugin `{}` in the plugin folders; {known}", escaped(name));
        Failure::new(FailureKind::NotFound, what)
    }
}

/// The instance's configuration names a component by its path.
fn names_path(config: &InstanceConfig) -> bool {
    config.plugin.contains('/') || config.plugin.ends_with(".wasm")
}

fn usable(plugin: Plugin) -> Result<(Plugin, Loaded)> {
    let loaded = plugin.state.clone()?;
    Ok((plugin, loaded))
}

pub(super) fn first_party(id: &str) -> Failure {
    let what =
        format!("`{id}` comes with the program, and uses what it declares: there is nothing to decide");
    Failure::new(FailureKind::InvalidRequest, what)
}

fn asked(loaded: &Loaded) -> Result<Permissions> {
    let description = loaded.description();
    Permissions::of(description).map_err(|what| {
        Failure::new(
            FailureKind::Denied,
            format!("the plugin `{}` can't be allowed anything: it {what}", description.id),
        )
    })
}

/// Where a component lies, whatever folder the program runs in.
fn source(plugin: &Plugin) -> String {
    absolute(plugin.file.as_deref().unwrap_or(Path::new("")))
}

pub(super) fn absolute(file: &Path) -> String {
    std::path::absolute(file).unwrap_or_else(|_| file.to_owned()).display().to_string()
}

/// A path as the lock file may have it: beneath its folder, else the name alone, since others have other folders.
fn beneath(file: Option<&Path>, folder: Option<&Path>) -> String {
    let Some(file) = file.and_then(|file| std::path::absolute(file).ok()) else { return String::new() };
    let name = || file.file_name().map(PathBuf::from).unwrap_or_default();
    let short = folder.and_then(|folder| file.strip_prefix(folder).ok()).map_or_else(name, Path::to_owned);
    short.display().to_string()
}

/// What waits for a lock, off the threads that calls run on.
async fn on_disk<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| {
        Err(Failure::new(FailureKind::Internal, format!("the grants were not changed: {error}")))
    })
}
