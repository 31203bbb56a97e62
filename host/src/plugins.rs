//! The components that there are: those that come with the program, and the files in the plugin folders.
//!
//! A file that is broken, refused or of another contract is listed with the reason; it never stops the others.

use crate::embedded::{self, Embedded};
use crate::grants::{PluginLock, escaped};
use crate::limits::Limits;
use crate::model::{Description, Failure, FailureKind, Result};
use crate::provider::Provider;
use crate::sandbox::{Component, Digest, DigestIndex, Inspection, Sandbox, Source, inspect, read_component};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::OnceCell;

/// A component, or what is wrong with it.
#[derive(Clone)]
pub(crate) struct Plugin {
    /// The plugin's id, or the file's name where it has none.
    pub(crate) id: String,
    /// Where the component is; `None` for one that comes with the program.
    pub(crate) file: Option<PathBuf>,
    pub(crate) state: Result<Loaded>,
}

/// A component that can be called.
#[derive(Clone)]
pub(crate) struct Loaded {
    pub(crate) component: Arc<Component>,
    pub(crate) inspection: Inspection,
}

impl Loaded {
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
}

/// All plugins, each opened when it is first asked for.
pub(crate) struct Plugins {
    sandbox: Arc<Sandbox>,
    folders: Vec<PathBuf>,
    limits: Limits,
    /// Files that do not stand in it are refused.
    lock: Option<PluginLock>,
    embedded: Vec<(&'static Embedded, OnceCell<Plugin>)>,
    files: OnceCell<Vec<Plugin>>,
    /// What was opened by its path, while its bytes stay the same: code is loaded and linked once, not once a client.
    by_path: Mutex<HashMap<PathBuf, (Digest, Loaded)>>,
}

impl Plugins {
    pub(crate) fn new(
        sandbox: Arc<Sandbox>,
        folders: Vec<PathBuf>,
        limits: Limits,
        lock: Option<PluginLock>,
    ) -> Self {
        let embedded = embedded::COMPONENTS.iter().map(|entry| (entry, OnceCell::new())).collect();
        Self { sandbox, folders, limits, lock, embedded, files: OnceCell::new(), by_path: Mutex::default() }
    }

    /// The plugin of an id: one that comes with the program, else the first file that has it and can be used.
    pub(crate) async fn find(&self, id: &str) -> Option<&Plugin> {
        if let Some(plugin) = self.embedded(id).await {
            return Some(plugin);
        }
        let files = self.files().await;
        let of_id = || files.iter().filter(|plugin| plugin.id == id);
        // One that is refused does not stand in the way of one that is not.
        of_id().find(|plugin| plugin.state.is_ok()).or_else(|| of_id().next())
    }

    pub(crate) async fn embedded(&self, id: &str) -> Option<&Plugin> {
        let (entry, cell) = self.embedded.iter().find(|(entry, _)| entry.name == id)?;
        Some(cell.get_or_init(|| self.open_embedded(entry)).await)
    }

    /// Every plugin, those that come with the program first.
    pub(crate) async fn all(&self) -> Vec<&Plugin> {
        let mut all = Vec::new();
        for (entry, cell) in &self.embedded {
            all.push(cell.get_or_init(|| self.open_embedded(entry)).await);
        }
        all.extend(self.files().await);
        all
    }

    /// The components in the plugin folders.
    pub(crate) async fn third_party(&self) -> &[Plugin] {
        self.files().await
    }

    /// Ids of plugins that come with the program.
    pub(crate) fn embedded_ids(&self) -> impl Iterator<Item = &'static str> {
        self.embedded.iter().map(|(entry, _)| entry.name)
    }

    async fn open_embedded(&self, entry: &Embedded) -> Plugin {
        let digest = Digest::known(entry.sha256);
        let state = self
            .open(Source::Embedded(entry.bytes), digest, entry.name, true, || Ok(entry.bytes.to_vec()))
            .await;
        Plugin { id: entry.name.to_owned(), file: None, state }
    }

    /// The files in the plugin folders, in order of folders and names.
    async fn files(&self) -> &[Plugin] {
        self.files
            .get_or_init(|| async {
                let mut index = DigestIndex::load(self.sandbox.cache());
                let mut plugins: Vec<Plugin> = Vec::new();
                for folder in &self.folders {
                    match component_files(folder) {
                        Ok(files) => {
                            for file in files {
                                let plugin = self.open_file(&file, &mut index, false).await;
                                let taken = self.embedded_ids().any(|id| id == plugin.id)
                                    || plugins
                                        .iter()
                                        .any(|other| other.id == plugin.id && other.state.is_ok());
                                plugins.push(if taken { shadowed(plugin, &plugins) } else { plugin });
                            }
                        }
                        Err(error) => plugins.push(Plugin {
                            id: folder.display().to_string(),
                            file: Some(folder.clone()),
                            state: Err(Failure::new(
                                FailureKind::Unsupported,
                                format!("the plugin folder {} can't be read: {error}", folder.display()),
                            )),
                        }),
                    }
                }
                index.save(self.sandbox.cache());
                plugins
            })
            .await
    }

    async fn open_file(&self, path: &Path, index: &mut DigestIndex, again: bool) -> Plugin {
        let name = path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let limit = self.limits.component;
        let digest = match index.get(path) {
            Some(digest) => Ok(digest),
            None => read_component(path, limit).map(|bytes| {
                let digest = Digest::of(&bytes);
                index.insert(path, &digest);
                digest
            }),
        };
        let state = match digest {
            Ok(digest) => match self.opened(path, &digest).filter(|_| !again) {
                Some(loaded) => Ok(loaded),
                None => {
                    let source = Source::File(path.to_owned());
                    let opened =
                        self.open(source, digest.clone(), &name, again, || read_component(path, limit)).await;
                    opened.inspect(|loaded| {
                        let mut by_path = self.by_path.lock().unwrap_or_else(PoisonError::into_inner);
                        by_path.insert(path.to_owned(), (digest, loaded.clone()));
                    })
                }
            },
            Err(failure) => Err(failure),
        };
        let id = state.as_ref().map_or(name, |loaded| loaded.description().id.clone());
        let state = state.and_then(|loaded| match &self.lock {
            Some(lock) => lock.check(&id, &loaded.inspection.digest).map(|()| loaded),
            None => Ok(loaded),
        });
        let state = state.map_err(|failure| Failure {
            message: format!("{}: {}", escaped(&path.display().to_string()), failure.message),
            ..failure
        });
        Plugin { id, file: Some(path.to_owned()), state }
    }

    /// What a path's bytes were opened as before.
    fn opened(&self, path: &Path, digest: &Digest) -> Option<Loaded> {
        let by_path = self.by_path.lock().unwrap_or_else(PoisonError::into_inner);
        by_path.get(path).filter(|(have, _)| have == digest).map(|(_, loaded)| loaded.clone())
    }

    /// One plugin by its path, as configuration names it.
    ///
    /// With `again`, one that failed to say who it is is asked once more.
    pub(crate) async fn open_path(&self, path: &Path, again: bool) -> Plugin {
        let mut index = DigestIndex::load(self.sandbox.cache());
        let plugin = self.open_file(path, &mut index, again).await;
        index.save(self.sandbox.cache());
        plugin
    }

    /// Reads what a component is before anything of it is compiled, then describes it; both from the cache when it
    /// has been here before.
    async fn open(
        &self,
        source: Source,
        digest: Digest,
        label: &str,
        again: bool,
        bytes: impl FnOnce() -> Result<Vec<u8>>,
    ) -> Result<Loaded> {
        let entry = format!("{digest}.inspection.json");
        let cache = self.sandbox.cache();
        let cached = cache.read(&entry).and_then(|bytes| serde_json::from_slice::<Inspection>(&bytes).ok());
        let inspection = match cached {
            Some(inspection) => inspection,
            None => {
                let inspection = inspect(&bytes()?)?;
                if let Ok(bytes) = serde_json::to_vec(&inspection) {
                    cache.write(&entry, &bytes);
                }
                inspection
            }
        };
        let component =
            Component::open(self.sandbox.clone(), source, digest, label, &self.limits, again).await?;
        Ok(Loaded { component: Arc::new(component), inspection })
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
        let open = async || plugins.open_path(&path, false).await.state.unwrap().component;
        put("echo");
        let (first, second) = (open().await, open().await);
        assert!(Arc::ptr_eq(&first, &second));
        put("ollama");
        let changed = open().await;
        assert_eq!(changed.description().id, "ollama");
        assert!(!Arc::ptr_eq(&first, &changed));
    }
}
