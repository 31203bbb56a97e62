//! From bytes to a component that can be called: what it is, who it says it is, whether it may be used here.

use super::{Loaded, Plugin};
use crate::embedded::Embedded;
use crate::grants::{PluginLock, escaped};
use crate::limits::Limits;
use crate::model::{Failure, FailureKind, Result};
use crate::sandbox::{Component, Digest, DigestIndex, Inspection, Sandbox, Source, inspect, read_component};
use crate::stamp::Stamp;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// Opens components.
pub(super) struct Opener {
    sandbox: Arc<Sandbox>,
    limits: Limits,
    /// Files that do not stand in it are refused.
    lock: Option<PluginLock>,
    /// Read when the first file is opened.
    index: Mutex<Option<DigestIndex>>,
}

/// How a file is opened.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct How {
    /// A component that failed to say who it is is asked once more.
    pub(super) again: bool,
    /// It is compiled and linked before anybody calls it, since another one works in its place.
    pub(super) ready: bool,
}

impl Opener {
    pub(super) fn new(sandbox: Arc<Sandbox>, limits: Limits, lock: Option<PluginLock>) -> Self {
        Self { sandbox, limits, lock, index: Mutex::default() }
    }

    pub(super) async fn embedded(&self, entry: &Embedded) -> Plugin {
        let digest = Digest::known(entry.sha256);
        let component =
            self.open(Source::Embedded(entry.bytes), digest, entry.name, true, || Ok(entry.bytes));
        let state = component.await.map(Loaded::of);
        Plugin { id: entry.name.to_owned(), file: None, state, broken: None }
    }

    /// A component that lies nowhere yet, for what it says of itself.
    pub(super) async fn bytes(&self, bytes: &[u8], label: &str) -> Result<Loaded> {
        let source = Source::Bytes(bytes.into());
        self.open(source, Digest::of(bytes), label, true, || Ok(bytes)).await.map(Loaded::of)
    }

    /// What lies at a path, as it is now.
    pub(super) async fn file(&self, path: &Path, stamp: Option<Stamp>, how: How) -> Plugin {
        let name = path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let opened = self.try_file(path, stamp, how, &name).await;
        let id = opened.as_ref().map_or(name, |loaded| loaded.description().id.clone());
        let state = opened.and_then(|loaded| match &self.lock {
            Some(lock) => lock.check(&id, &loaded.inspection.digest).map(|()| loaded),
            None => Ok(loaded),
        });
        let state = state.map_err(|failure| Failure {
            message: format!("{}: {}", escaped(&path.display().to_string()), failure.message),
            ..failure
        });
        Plugin { id, file: Some(path.to_owned()), state, broken: None }
    }

    async fn try_file(&self, path: &Path, stamp: Option<Stamp>, how: How, name: &str) -> Result<Loaded> {
        let source = Source::File(path.to_owned());
        let limit = self.limits.component;
        if let Some(digest) = self.known(path, stamp) {
            let again = || read_component(path, limit);
            let (component, inspection) = self.open(source.clone(), digest, name, how.again, again).await?;
            return self.made_ready(component, inspection, source, how).await;
        }
        let (bytes, digest) = self.read(path).await?;
        self.remember(path, stamp, &digest);
        // What was read is what is run, whatever becomes of the file meanwhile.
        let now = Source::Bytes(bytes.clone());
        let (component, inspection) = self.open(now, digest, name, how.again, || Ok(&bytes)).await?;
        self.made_ready(component, inspection, source, how).await
    }

    /// With a component that is linked if it has to be, and that finds its bytes at `source` later.
    async fn made_ready(
        &self,
        component: Component,
        inspection: Inspection,
        source: Source,
        how: How,
    ) -> Result<Loaded> {
        if how.ready {
            component.link(&self.limits).await?;
        }
        Ok(Loaded::of((component.at(source), inspection)))
    }

    /// The bytes of a file and their digest, read off the threads that calls run on.
    async fn read(&self, path: &Path) -> Result<(Arc<[u8]>, Digest)> {
        let (path, limit) = (path.to_owned(), self.limits.component);
        let read = tokio::task::spawn_blocking(move || {
            let bytes: Arc<[u8]> = read_component(&path, limit)?.into();
            let digest = Digest::of(&bytes);
            Ok((bytes, digest))
        });
        read.await.unwrap_or_else(|error| {
            Err(Failure::new(FailureKind::Internal, format!("reading it failed inside the host: {error}")))
        })
    }

    /// The digest of a file's bytes as they are now.
    pub(super) async fn digest(&self, path: &Path) -> Result<Digest> {
        Ok(self.read(path).await?.1)
    }

    /// The digest of a file that has not changed since it was read, maybe by another run of the program.
    fn known(&self, path: &Path, stamp: Option<Stamp>) -> Option<Digest> {
        let mut index = self.index.lock().unwrap_or_else(PoisonError::into_inner);
        index.get_or_insert_with(|| DigestIndex::load(self.sandbox.cache())).get(path, &stamp?)
    }

    fn remember(&self, path: &Path, stamp: Option<Stamp>, digest: &Digest) {
        // A file that changed while it was read has no stamp that says so.
        let Some(stamp) = stamp.filter(|stamp| Stamp::of(path).as_ref() == Some(stamp)) else { return };
        let mut index = self.index.lock().unwrap_or_else(PoisonError::into_inner);
        index.get_or_insert_with(|| DigestIndex::load(self.sandbox.cache())).insert(path, stamp, digest);
    }

    /// Writes down what was learnt of files.
    pub(super) fn save(&self) {
        if let Some(index) = &mut *self.index.lock().unwrap_or_else(PoisonError::into_inner) {
            index.save(self.sandbox.cache());
        }
    }

    /// Reads what a component is before anything of it is compiled, then describes it; both from the cache when it
    /// has been here before.
    async fn open<B: AsRef<[u8]>>(
        &self,
        source: Source,
        digest: Digest,
        label: &str,
        again: bool,
        bytes: impl FnOnce() -> Result<B>,
    ) -> Result<(Component, Inspection)> {
        let entry = format!("{digest}.inspection.json");
        let cache = self.sandbox.cache();
        let cached = cache.read(&entry).and_then(|bytes| serde_json::from_slice::<Inspection>(&bytes).ok());
        let inspection = match cached {
            Some(inspection) => inspection,
            None => {
                let inspection = inspect(bytes()?.as_ref())?;
                if let Ok(bytes) = serde_json::to_vec(&inspection) {
                    cache.write(&entry, &bytes);
                }
                inspection
            }
        };
        let component =
            Component::open(self.sandbox.clone(), source, digest, label, &self.limits, again).await?;
        Ok((component, inspection))
    }
}
