//! Setting a host up.

use super::{Host, Inner};
use crate::config::{self, Config};
use crate::egress::{Fetcher, Resolve, Route, SystemResolver, parse_origin};
use crate::events::{RunEvent, Sink};
use crate::grants::{GrantStore, PluginLock, escaped};
use crate::home::Home;
use crate::limits::Limits;
use crate::mcp::{self, Surroundings};
use crate::model::{Failure, FailureKind, Result};
use crate::plugins::Plugins;
use crate::provider::Provider;
use crate::queue::Queues;
use crate::sandbox::{Cache, Compiler, Sandbox};
use crate::secrets::{KeyStore, Keys, Renewables};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use url::Origin;

/// Tries after the first: two pauses of about a second outlast most hiccups.
const RETRIES: u32 = 2;

/// Takes what the user should hear.
pub(super) type Notice = Arc<dyn Fn(&str) + Send + Sync>;

/// Sets a [`Host`] up.
pub struct HostBuilder {
    home: Home,
    config_file: Option<PathBuf>,
    plugin_dirs: Vec<PathBuf>,
    native: BTreeMap<String, Arc<dyn Provider>>,
    limits: Limits,
    retries: u32,
    allow: bool,
    lock_file: Option<PathBuf>,
    notice: Notice,
    sink: Option<Sink>,
    unattended: bool,
    media_from: Vec<String>,
    resolver: Arc<dyn Resolve>,
    compiler: Compiler,
}

impl Default for HostBuilder {
    fn default() -> Self {
        Self {
            home: Home::from_environment(),
            config_file: None,
            plugin_dirs: Vec::new(),
            native: BTreeMap::new(),
            limits: Limits::default(),
            retries: RETRIES,
            allow: false,
            lock_file: None,
            notice: Arc::new(|notice| tracing::warn!("{notice}")),
            sink: None,
            unattended: false,
            media_from: Vec::new(),
            resolver: Arc::new(SystemResolver),
            compiler: Compiler::Here,
        }
    }
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

    /// Grants every plugin what it declares: origins and credentials, as long as this host lives. Nothing is kept;
    /// [`Host::allow_plugin`] keeps. Components that come with the program have what they declare anyway.
    #[must_use]
    pub fn allow(mut self, allow: bool) -> Self {
        self.allow = allow;
        self
    }

    /// Refuses every component that did not come with the program and does not stand in this lock file, which has to be
    /// there. It restricts what components were allowed to what it states, and never grants.
    #[must_use]
    pub fn locked(mut self, file: impl Into<PathBuf>) -> Self {
        self.lock_file = Some(file.into());
        self
    }

    /// Takes one-line notices for the user, such as that a changed component keeps what it was allowed. Without it, they
    /// are warnings of [`tracing`].
    #[must_use]
    pub fn on_notice(mut self, notice: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.notice = Arc::new(notice);
        self
    }

    /// Takes each step of each run as it happens: requests, first tokens, turns, tools. It is called in the middle of the
    /// run, so it should not take long. The same steps are events of [`tracing`], of the level `DEBUG`.
    #[must_use]
    pub fn on_event(mut self, watch: impl Fn(&RunEvent) + Send + Sync + 'static) -> Self {
        self.sink = Some(Arc::new(watch));
        self
    }

    /// Nobody is there to be asked: messages that name the command that allows a plugin something say how to run it
    /// without a question.
    #[must_use]
    pub fn unattended(mut self, unattended: bool) -> Self {
        self.unattended = unattended;
        self
    }

    /// Fetches media by URL from this origin even if it is of this machine or network, as in `http://localhost:8000`.
    /// Servers of the internet need no allowance, and metadata services can't have one. May be called several times.
    #[must_use]
    pub fn allow_media_from(mut self, origin: impl Into<String>) -> Self {
        self.media_from.push(origin.into());
        self
    }

    /// Looks names of servers up in another way than the machine does. What it answers is checked in the same way.
    #[must_use]
    pub fn resolver(mut self, resolver: Arc<dyn Resolve>) -> Self {
        self.resolver = resolver;
        self
    }

    /// Compiles components that did not come with the program in a process of their own, which the limits
    /// `compile-time` and `compile-memory` bound: this very program, started again. Its `main` has to begin with
    /// [`compile_if_asked`](crate::compile_if_asked).
    ///
    /// Otherwise they are compiled in this process, where nothing can stop a compiler: a call of a component that takes
    /// too long is let go, and the compiler goes on.
    #[must_use]
    pub fn compile_apart(mut self) -> Self {
        self.compiler = Compiler::Apart;
        self
    }

    /// Reads the configuration and starts the engine. Loads no component.
    ///
    /// # Errors
    /// The configuration or an origin is wrong, or the engine does not start on this machine.
    pub fn build(self) -> Result<Host> {
        let config = self.config()?;
        let lock = self.lock()?;
        self.with(config, lock)
    }

    /// The same without a configuration or a lock file that is wrong, which is said.
    pub(crate) fn build_anyway(self, problems: &mut Vec<String>) -> Result<Host> {
        let config = self.config().unwrap_or_else(|failure| {
            problems.push(failure.message);
            Config::default()
        });
        let lock = self.lock().unwrap_or_else(|failure| {
            problems.push(failure.message);
            None
        });
        self.with(config, lock)
    }

    fn config(&self) -> Result<Config> {
        match self.config_path() {
            Some(file) => config::load(&file, self.config_file.is_some()),
            None => Ok(Config::default()),
        }
    }

    fn lock(&self) -> Result<Option<PluginLock>> {
        self.lock_file.as_deref().map(PluginLock::read).transpose()
    }

    pub(crate) fn home_folders(&self) -> &Home {
        &self.home
    }

    /// The configuration file: the one that was named, else the user's.
    pub(crate) fn config_path(&self) -> Option<PathBuf> {
        self.config_file.clone().or_else(|| self.home.config_file())
    }

    /// The folders of components.
    pub(crate) fn plugin_folders(&self) -> Vec<PathBuf> {
        if self.plugin_dirs.is_empty() {
            std::iter::once(PathBuf::from("plugins")).chain(self.home.plugins_dir()).collect()
        } else {
            self.plugin_dirs.clone()
        }
    }

    /// Whether the folders of components were named, and so have to be there.
    pub(crate) fn names_folders(&self) -> bool {
        !self.plugin_dirs.is_empty()
    }

    fn with(self, config: Config, lock: Option<PluginLock>) -> Result<Host> {
        let drop_zone = self.plugin_dirs.first().cloned().or_else(|| self.home.plugins_dir());
        let options = self.options();
        let media_from = self.media_from.iter().map(|origin| media_origin(origin)).collect::<Result<_>>()?;
        let folders = self.plugin_folders();
        let route = Route::new(self.resolver).with(&config.network)?;
        let cache = Cache::open(self.home.cache_dir(), self.limits.cache);
        let keys = Arc::new(Keys {
            store: KeyStore::new(self.home.keys_file(), self.home.has_keyring()),
            renewables: Renewables::default(),
        });
        let surroundings = Surroundings { keys: keys.clone(), route: route.clone(), limits: self.limits };
        let servers = mcp::servers(&config, &surroundings);
        let sandbox = Arc::new(Sandbox::new(cache, &self.limits, self.compiler)?);
        Ok(Host(Arc::new(Inner {
            plugins: Plugins::new(sandbox, folders, self.limits, lock.clone()),
            native: self.native,
            config,
            presets: config::presets()?,
            limits: self.limits,
            retries: self.retries,
            allow: self.allow,
            grants: Arc::new(GrantStore::new(self.home.grants_file())),
            lock,
            keys,
            drop_zone,
            options,
            unattended: self.unattended,
            notice: self.notice,
            sink: self.sink,
            fetcher: Arc::new(Fetcher::new(media_from, route.clone())),
            route,
            queues: Queues::default(),
            servers,
        })))
    }

    /// The options of the command line that find the same plugins, for commands that messages name.
    fn options(&self) -> String {
        let folders = self.plugin_dirs.iter().map(|folder| ("plugins", folder.as_path()));
        let config = self.config_file.iter().map(|file| ("config", file.as_path()));
        folders.chain(config).map(|(name, path)| format!(" --{name} {}", quoted(path))).collect()
    }
}

/// A path as a word of a shell.
pub(super) fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+,:@".contains(c);
    let text = escaped(&text);
    if text.chars().all(plain) { text.into_owned() } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

fn media_origin(text: &str) -> Result<Origin> {
    parse_origin(text).ok_or_else(|| {
        let what = format!("media come from an origin such as http://localhost:8000, and `{text}` is none");
        Failure::new(FailureKind::InvalidRequest, what)
    })
}
