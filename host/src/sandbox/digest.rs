//! What a component is, for grants and caches: the SHA-256 of its bytes.

use super::cache::Cache;
use crate::stamp::Stamp;
use serde::{Deserialize, Serialize};
use sha2::Digest as _;
use std::collections::BTreeMap;
use std::path::Path;

/// A SHA-256, in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Digest(String);

impl Digest {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        use std::fmt::Write;
        let mut hex = String::with_capacity(64);
        for byte in sha2::Sha256::digest(bytes) {
            // Writing to a String can't fail.
            let _ = write!(hex, "{byte:02x}");
        }
        Self(hex)
    }

    /// A digest that was computed when the program was built.
    pub(crate) fn known(hex: &str) -> Self {
        Self(hex.to_owned())
    }
}

impl std::fmt::Display for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Digests of files that have not changed since they were last read, so that a start does not read 18 MB of
/// Python to learn that it is the same as yesterday.
///
/// Safe against a file that was changed behind its time stamp: what runs is what the cache holds under the digest,
/// never the file.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct DigestIndex {
    files: BTreeMap<String, Entry>,
    #[serde(skip)]
    changed: bool,
}

#[derive(PartialEq, Serialize, Deserialize)]
struct Entry {
    stamp: Stamp,
    digest: Digest,
}

/// Files that are remembered: a drop zone has tens.
const REMEMBERED: usize = 1000;
const FILE: &str = "files.json";

impl DigestIndex {
    pub(crate) fn load(cache: &Cache) -> Self {
        cache.read(FILE).and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
    }

    pub(crate) fn save(&mut self, cache: &Cache) {
        if std::mem::take(&mut self.changed) {
            self.files.retain(|path, _| Path::new(path).exists());
            while self.files.len() > REMEMBERED {
                self.files.pop_first();
            }
            if let Ok(bytes) = serde_json::to_vec(self) {
                cache.write(FILE, &bytes);
            }
        }
    }

    /// The digest of an unchanged file; `None` when it has to be read.
    pub(crate) fn get(&self, path: &Path, stamp: &Stamp) -> Option<Digest> {
        let entry = self.files.get(path.to_str()?)?;
        (entry.stamp == *stamp).then(|| entry.digest.clone())
    }

    pub(crate) fn insert(&mut self, path: &Path, stamp: Stamp, digest: &Digest) {
        // The next change could have the same stamp.
        if stamp.is_fresh() {
            return;
        }
        if let Some(path) = path.to_str() {
            self.files.insert(path.to_owned(), Entry { stamp, digest: digest.clone() });
            self.changed = true;
        }
    }
}
