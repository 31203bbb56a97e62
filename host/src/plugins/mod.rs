//! The components that there are: those that come with the program, and the files in the plugin folders.
//!
//! A file that is broken, refused or of another contract is listed with the reason; it never stops the others. Files are
//! followed while the program runs: see [`followed`].

mod followed;
mod opener;

use crate::embedded::{self, Embedded};
use crate::grants::PluginLock;
use crate::limits::Limits;
use crate::model::{Description, Failure, FailureKind, Result};
use crate::provider::Provider;
use crate::sandbox::{Component, Inspection, Sandbox};
use followed::{Followed, SETTLED};
use opener::{How, Opener};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::OnceCell;

/// How often the folders are read for files that come and go, at most. Files that are known are looked at each time.
const READ_AGAIN: Duration = Duration::from_millis(200);

/// How long a file that is still being written is waited for by who needs it. More than that is a download, and whoever
/// asked is told so.
const PATIENCE: Duration = Duration::from_secs(5);

/// A component, or what is wrong with it.
#[derive(Clone)]
pub(crate) struct Plugin {
    /// The plugin's id, or the file's name where it has none.
    pub(crate) id: String,
    /// Where the component is; `None` for one that comes with the program.
    pub(crate) file: Option<PathBuf>,
    pub(crate) state: Result<Loaded>,
    /// What is wrong with the file now: the component is the one that it held before.
    pub(crate) broken: Option<Failure>,
}

/// A component that can be called.
#[derive(Clone)]
pub(crate) struct Loaded {
    pub(crate) component: Arc<Component>,
    pub(crate) inspection: Arc<Inspection>,
}

impl Loaded {
    fn of((component, inspection): (Component, Inspection)) -> Self {
        Self { component: Arc::new(component), inspection: Arc::new(inspection) }
    }

    pub(crate) fn description(&self) -> &Description {
        self.component.description()
    }

    /// Whether it can reach a network at all, and so has use for a base URL.
    pub(crate) fn speaks_http(&self) -> bool {
        self.inspection.imports.iter().any(|import| import.starts_with("wasi:http/outgoing-handler@"))
    }
}

impl Plugin {
    /// Comes with the program: only by the bytes that are in it, never by a name.
    pub(crate) fn is_first_party(&self) -> bool {
        self.file.is_none()
    }

    /// Whether it has tools, and so is no provider.
    pub(crate) fn has_tools(&self) -> bool {
        self.state.as_ref().is_ok_and(|loaded| loaded.description().is_of_tools())
    }

    fn of_file(path: &Path, failure: Failure) -> Self {
        let id = path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Self { id, file: Some(path.to_owned()), state: Err(failure), broken: None }
    }
}

/// All plugins, each opened when it is first asked for.
pub(crate) struct Plugins {
    opener: Opener,
    folders: Vec<PathBuf>,
    embedded: Vec<(&'static Embedded, OnceCell<Plugin>)>,
    files: Mutex<Files>,
}

/// The files that are followed.
#[derive(Default)]
struct Files {
    /// When the folders were last read.
    read: Option<Instant>,
    /// What lies in the folders. Which of two has an id that both want does not change while the program runs: what
    /// came later stands behind.
    listed: Vec<Arc<Followed>>,
    /// Folders that can't be read.
    unreadable: Vec<Plugin>,
    /// What the configuration names by path.
    named: HashMap<PathBuf, Arc<Followed>>,
}

impl Plugins {
    pub(crate) fn new(
        sandbox: Arc<Sandbox>,
        folders: Vec<PathBuf>,
        limits: Limits,
        lock: Option<PluginLock>,
    ) -> Self {
        let embedded = embedded::COMPONENTS.iter().map(|entry| (entry, OnceCell::new())).collect();
        Self { opener: Opener::new(sandbox, limits, lock), folders, embedded, files: Mutex::default() }
    }

    /// The plugin of an id: one that comes with the program, else the first file that has it and can be used.
    pub(crate) async fn find(&self, id: &str) -> Option<Plugin> {
        if let Some((entry, cell)) = self.embedded.iter().find(|(entry, _)| entry.name == id) {
            return Some(cell.get_or_init(|| self.opener.embedded(entry)).await.clone());
        }
        // Nobody waits for what became of other plugins' files.
        for file in self.listed(false).0.iter().filter(|file| file.had(id)) {
            if let Some(plugin) = file.plugin(&self.opener).await
                && plugin.id == id
                && plugin.state.is_ok()
            {
                return Some(plugin);
            }
        }
        let start = Instant::now();
        loop {
            // Nobody asks often for what there is not.
            self.listed(true);
            let files = self.third_party().await;
            let of_id = || files.iter().filter(|plugin| plugin.id == id);
            // One that is refused does not stand in the way of one that is not.
            let found = of_id().find(|plugin| plugin.state.is_ok());
            let settling = found.is_none() && self.is_settling() && start.elapsed() < 2 * SETTLED;
            if !settling {
                return found.or_else(|| of_id().next()).cloned();
            }
            tokio::time::sleep(SETTLED / 5).await;
        }
    }

    /// Every plugin, those that come with the program first.
    pub(crate) async fn all(&self) -> Vec<Plugin> {
        let mut all = Vec::new();
        for (entry, cell) in &self.embedded {
            all.push(cell.get_or_init(|| self.opener.embedded(entry)).await.clone());
        }
        all.extend(self.third_party().await);
        all
    }

    /// The components in the plugin folders, in order of folders and names; those that came later stand at the end.
    pub(crate) async fn third_party(&self) -> Vec<Plugin> {
        let (listed, unreadable) = self.listed(false);
        let mut plugins: Vec<Plugin> = Vec::new();
        for file in listed {
            let Some(plugin) = file.plugin(&self.opener).await else { continue };
            let taken = self.embedded_ids().any(|id| id == plugin.id)
                || plugins.iter().any(|other| other.id == plugin.id && other.state.is_ok());
            plugins.push(if taken { shadowed(plugin, &plugins) } else { plugin });
        }
        self.opener.save();
        plugins.extend(unreadable);
        plugins
    }

    /// Reads the folders now, and waits until what is new has been taken up. What failed before is tried once more.
    pub(crate) async fn reload(&self) {
        let start = Instant::now();
        let named: Vec<_> = self.files().named.values().cloned().collect();
        self.listed(true).0.iter().chain(&named).for_each(|file| file.try_again());
        loop {
            self.third_party().await;
            for file in &named {
                file.plugin(&self.opener).await;
            }
            if !self.is_settling() || start.elapsed() >= PATIENCE {
                return;
            }
            tokio::time::sleep(SETTLED / 5).await;
            self.listed(true);
        }
    }

    /// Takes up a file that this program has put there, or deleted.
    pub(crate) fn changed(&self, path: &Path) {
        let (listed, _) = self.listed(true);
        if let Some(file) = listed.iter().find(|file| file.path() == path) {
            file.is_whole();
        }
    }

    /// Ids of plugins that come with the program.
    pub(crate) fn embedded_ids(&self) -> impl Iterator<Item = &'static str> {
        self.embedded.iter().map(|(entry, _)| entry.name)
    }

    /// A component that lies nowhere yet: opened for what it says of itself, and not remembered.
    pub(crate) async fn open_bytes(&self, bytes: &[u8], label: &str) -> Result<Loaded> {
        self.opener.bytes(bytes, label).await
    }

    /// One plugin by its path, as configuration names it: followed from now on.
    pub(crate) async fn follow(&self, path: &Path) -> Plugin {
        let file = self
            .files()
            .named
            .entry(path.to_owned())
            .or_insert_with(|| Arc::new(Followed::new(path.to_owned(), false)))
            .clone();
        match file.plugin(&self.opener).await {
            Some(plugin) => {
                self.opener.save();
                plugin
            }
            // With the reason.
            None => self.opener.file(path, None, How::default()).await,
        }
    }

    /// One plugin by its path, as it is now. One that failed to say who it is is asked once more.
    pub(crate) async fn inspect(&self, path: &Path) -> Plugin {
        let stamp = crate::stamp::Stamp::of(path);
        let plugin = self.opener.file(path, stamp, How { again: true, ready: false }).await;
        self.opener.save();
        plugin
    }

    /// One plugin by its path, as it is used.
    pub(crate) async fn at(&self, path: &Path) -> Plugin {
        let (mut followed, _) = self.listed(false);
        followed.extend(self.files().named.values().cloned());
        for file in followed.iter().filter(|file| file.path() == path) {
            if let Some(plugin) = file.plugin(&self.opener).await {
                return plugin;
            }
        }
        self.opener.file(path, crate::stamp::Stamp::of(path), How::default()).await
    }

    fn files(&self) -> std::sync::MutexGuard<'_, Files> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_settling(&self) -> bool {
        let files = self.files();
        files.listed.iter().chain(files.named.values()).any(|file| file.is_settling())
    }

    /// The files of the folders, and the folders that can't be read; read anew if they have not been for a while, or
    /// `now`.
    fn listed(&self, now: bool) -> (Vec<Arc<Followed>>, Vec<Plugin>) {
        let mut files = self.files();
        if now || files.read.is_none_or(|read| read.elapsed() >= READ_AGAIN) {
            files.read_folders(&self.folders);
        }
        (files.listed.clone(), files.unreadable.clone())
    }
}

impl Files {
    fn read_folders(&mut self, folders: &[PathBuf]) {
        let came_later = self.read.is_some();
        let (mut paths, mut unreadable) = (Vec::new(), Vec::new());
        for folder in folders {
            match component_files(folder) {
                Ok(files) => paths.extend(files),
                Err(error) => unreadable.push(Plugin {
                    id: folder.display().to_string(),
                    ..Plugin::of_file(
                        folder,
                        Failure::new(
                            FailureKind::Unsupported,
                            format!("the plugin folder {} can't be read: {error}", folder.display()),
                        ),
                    )
                }),
            }
        }
        self.listed.retain(|file| paths.iter().any(|path| path == file.path()));
        for path in paths {
            if !self.listed.iter().any(|file| file.path() == path) {
                self.listed.push(Arc::new(Followed::new(path, came_later)));
            }
        }
        self.unreadable = unreadable;
        self.read = Some(Instant::now());
    }
}

/// A file whose id is taken: listed, but never called.
fn shadowed(plugin: Plugin, others: &[Plugin]) -> Plugin {
    let first = others.iter().find(|other| other.id == plugin.id).and_then(|other| other.file.as_deref());
    let owner =
        first.map_or("a plugin that comes with the program".to_owned(), |path| path.display().to_string());
    let file = plugin.file.clone().unwrap_or_default();
    let state = plugin.state.and_then(|_| {
        Err(Failure::new(
            FailureKind::Unsupported,
            format!(
                "{}: its id `{id}` is already that of {owner}, which is used; to use this one too, give it a name in \
                 config.toml: `[providers.NAME]` with `plugin = \"{}\"`",
                file.display(),
                file.display(),
                id = plugin.id
            ),
        ))
    });
    Plugin { state, ..plugin }
}

/// The components in a folder, by name. A folder that is not there has none.
fn component_files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other?,
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "wasm") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::sandbox::{Cache, Compiler};

    #[tokio::test]
    async fn a_path_is_opened_once_while_its_bytes_stay_the_same() {
        let home = tempfile::tempdir().unwrap();
        let limits = Limits::default();
        let cache = Cache::open(Some(home.path().join("cache")), limits.cache);
        let sandbox = Arc::new(Sandbox::new(cache, &limits, Compiler::Here).unwrap());
        let plugins = Plugins::new(sandbox, Vec::new(), Limits::default(), None);
        let path = home.path().join("own.wasm");
        let put = |name: &str| {
            let entry = embedded::COMPONENTS.iter().find(|entry| entry.name == name).unwrap();
            std::fs::write(&path, entry.bytes).unwrap();
        };
        let open = async || plugins.follow(&path).await.state.unwrap().component;
        put("echo");
        let (first, second) = (open().await, open().await);
        assert!(Arc::ptr_eq(&first, &second));
        put("ollama");
        plugins.reload().await;
        let changed = open().await;
        assert_eq!(changed.description().id, "ollama");
        assert!(!Arc::ptr_eq(&first, &changed));
    }
}
