//! The host's own store of compiled code and descriptions, under the component's digest.
//!
//! Problem: compiling takes 0.1 to 7 s, and loading compiled code is running it. Decision: only the host writes the
//! cache, into a folder that nobody else can enter (0700, checked before each use); precompiled code from anywhere
//! else is never loaded. Price: the first call of a new component compiles.

use super::digest::Digest;
use crate::ownership::others_can_write;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// A private folder for what can be made again.
#[derive(Clone, Debug)]
pub(crate) struct Cache {
    /// `None`: nothing is kept, since the folder can't be had safely.
    root: Option<PathBuf>,
    /// Bytes of all files together.
    limit: u64,
}

impl Cache {
    /// Opens the cache, creating its folder. A folder that others can enter is not used, and said so.
    pub(crate) fn open(root: Option<PathBuf>, limit: usize) -> Self {
        let root = root.filter(|root| match private_folder(root) {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!("not using the cache {}: {error}", root.display());
                false
            }
        });
        Self { root, limit: limit as u64 }
    }

    /// Where compiled code of this engine lies, if it is safe to load.
    pub(crate) fn compiled(&self, engine: &str, digest: &Digest) -> Option<PathBuf> {
        let path = self.root.as_ref()?.join(format!("{digest}.{engine}.cwasm"));
        is_private(&path).then_some(path)
    }

    pub(crate) fn write_compiled(&self, engine: &str, digest: &Digest, code: &[u8]) {
        self.write(&format!("{digest}.{engine}.cwasm"), code);
    }

    pub(crate) fn read(&self, name: &str) -> Option<Vec<u8>> {
        let path = self.root.as_ref()?.join(name);
        is_private(&path).then(|| std::fs::read(path).ok()).flatten()
    }

    /// Writes a file as a whole or not at all. A cache that can't be written costs time, not the call.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) {
        let Some(root) = &self.root else { return };
        if bytes.len() as u64 > self.limit {
            tracing::debug!(
                "not keeping {name}: it is larger than the whole cache may be (`--limit cache=…`)"
            );
            return;
        }
        let written = tempfile::NamedTempFile::new_in(root).and_then(|mut file| {
            file.write_all(bytes)?;
            file.persist(root.join(name)).map_err(|error| error.error)
        });
        if let Err(error) = written {
            tracing::warn!("could not write {name} to the cache {}: {error}", root.display());
        }
        if let Err(error) = evict(root, name, self.limit) {
            tracing::warn!("could not look through the cache {}: {error}", root.display());
        }
    }
}

/// Deletes files, the oldest first, until all of them together are within the limit; never the one that was just
/// written. What another process has mapped stays its own.
fn evict(root: &Path, written: &str, limit: u64) -> std::io::Result<()> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(root)? {
        let entry = entry?;
        // One that another process has just deleted is none.
        if let Ok(metadata) = entry.metadata()
            && metadata.is_file()
        {
            files.push((metadata.modified()?, metadata.len(), entry.path()));
        }
    }
    let mut total: u64 = files.iter().map(|(_, size, _)| size).sum();
    files.sort();
    for (_, size, path) in files {
        if total <= limit {
            break;
        }
        if path.file_name().is_some_and(|name| name != written) && std::fs::remove_file(path).is_ok() {
            total -= size;
        }
    }
    Ok(())
}

/// Creates a folder for the owner alone, and checks that it is one.
fn private_folder(path: &Path) -> std::io::Result<()> {
    if let Some(parent) = path.parent() {
        // As the XDG specification wants what is missing; the user's other folders may be beside it.
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(parent)?;
    }
    match std::fs::DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let metadata = std::fs::symlink_metadata(path)?;
    let mode = metadata.permissions().mode() & 0o777;
    if !metadata.is_dir() || metadata.uid() != rustix::process::geteuid().as_raw() || mode & 0o077 != 0 {
        return Err(std::io::Error::other(format!(
            "it is not a folder of yours alone (mode {mode:o}); `chmod 700` it or remove it"
        )));
    }
    Ok(())
}

/// A plain file of ours that nobody else can write.
fn is_private(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok_and(|metadata| {
        metadata.is_file()
            && metadata.uid() == rustix::process::geteuid().as_raw()
            && !others_can_write(&metadata)
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_others_can_enter_is_not_used() {
        let home = tempfile::tempdir().unwrap();
        let root = home.path().join("cache");
        let cache = Cache::open(Some(root.clone()), 1 << 20);
        cache.write("a", b"1");
        assert_eq!(cache.read("a").unwrap(), b"1");
        assert_eq!(std::fs::metadata(&root).unwrap().permissions().mode() & 0o777, 0o700);

        std::fs::set_permissions(&root, std::fs::Permissions::from_mode(0o755)).unwrap();
        let cache = Cache::open(Some(root), 1 << 20);
        assert!(cache.read("a").is_none());
    }

    #[test]
    fn the_oldest_files_make_room() {
        let home = tempfile::tempdir().unwrap();
        let root = home.path().join("cache");
        let cache = Cache::open(Some(root.clone()), 250);
        for (age, name) in [(3, "old"), (1, "new"), (2, "middle")] {
            cache.write(name, &[0; 100]);
            let file = std::fs::File::options().write(true).open(root.join(name)).unwrap();
            let then = std::time::SystemTime::now() - std::time::Duration::from_secs(60 * age);
            file.set_modified(then).unwrap();
        }
        // The third was one too many.
        assert!(cache.read("old").is_none() && cache.read("middle").is_some());
        cache.write("newest", &[0; 240]);
        assert!(
            cache.read("middle").is_none() && cache.read("new").is_none() && cache.read("newest").is_some()
        );
        cache.write("huge", &[0; 251]);
        assert!(cache.read("huge").is_none() && cache.read("newest").is_some());
    }

    #[test]
    fn a_file_that_others_can_write_is_not_loaded() {
        let home = tempfile::tempdir().unwrap();
        let root = home.path().join("cache");
        let cache = Cache::open(Some(root.clone()), 1 << 20);
        let digest = Digest::of(b"x");
        cache.write_compiled("e", &digest, b"code");
        let path = cache.compiled("e", &digest).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o666)).unwrap();
        assert!(cache.compiled("e", &digest).is_none());
    }
}
