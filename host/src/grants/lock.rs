//! `plugins.lock`: the components that a team has agreed on, by their digests.
//!
//! Problem: a project wants everybody to run the same components. Decision: a lock file restricts and never grants. With
//! `--locked`, a component that did not come with the program and does not stand in it is refused, and one that stands
//! in it has what the user has allowed it and the file states, both. A file in a checkout is data of whoever wrote the
//! repository: the option on the command line says that the file is to be kept to, not that its author may hand out the
//! user's keys. Price: everybody allows a component once for themselves.

use super::ask::Permissions;
use super::escape::escaped;
use super::servers::common;
use crate::model::{Failure, FailureKind, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// The form of the file.
const VERSION: u32 = 1;

/// The most that is read: thousands of components.
const MOST_BYTES: u64 = 4 << 20;

const HEAD: &str = "\
# The provider components of this project. `aimu-host plugins lock` writes it, `--locked` refuses all others.
# It restricts and never grants: everybody allows a component for themselves (`aimu-host plugins allow`).
";

/// A lock file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PluginLock {
    version: u32,
    /// The components that may be used.
    #[serde(default, rename = "plugin")]
    pub plugins: Vec<LockedPlugin>,
}

/// One component of a lock file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockedPlugin {
    /// Its id.
    pub id: String,
    /// SHA-256 of its bytes, hexadecimal.
    pub sha256: String,
    /// Where it lay when the file was written: for people, and not checked.
    #[serde(default)]
    pub source: String,
    /// The servers that it may reach at most.
    #[serde(default)]
    pub origins: BTreeSet<String>,
    /// The credentials that it may have at most, by name.
    #[serde(default)]
    pub credentials: BTreeSet<String>,
}

impl LockedPlugin {
    /// What of these it states, too.
    pub(super) fn restrict(&self, permissions: &Permissions) -> Permissions {
        let credentials = permissions.credentials.iter();
        Permissions {
            origins: common(&permissions.origins, &self.origins),
            credentials: credentials.filter(|have| self.credentials.contains(&have.name)).cloned().collect(),
        }
    }
}

impl PluginLock {
    /// A lock of these.
    #[must_use]
    pub fn new(mut plugins: Vec<LockedPlugin>) -> Self {
        // In one order, so that a difference is one of content.
        plugins.sort();
        plugins.dedup();
        Self { version: VERSION, plugins }
    }

    /// Reads a lock file.
    ///
    /// # Errors
    /// There is none, or it is damaged.
    pub fn read(path: &Path) -> Result<Self> {
        let shown = path.display().to_string();
        let shown = escaped(&shown);
        let refused =
            |what: String| Failure::new(FailureKind::Denied, format!("the lock file {shown} {what}"));
        let mut text = String::new();
        let read = crate::plain_file::open(path)
            .and_then(|file| file.take(MOST_BYTES + 1).read_to_string(&mut text));
        read.map_err(|error| {
            refused(format!("can't be read: {error}. `aimu-host plugins lock` writes one"))
        })?;
        if text.len() as u64 > MOST_BYTES {
            return Err(refused("is larger than 4 MiB".to_owned()));
        }
        let lock: Self = toml::from_str(&text).map_err(|error| {
            let error = error.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
            refused(format!("is damaged: {}", escaped(&error)))
        })?;
        if lock.version != VERSION {
            return Err(refused(format!("has the form {}, and this program knows {VERSION}", lock.version)));
        }
        match lock.plugins.iter().find(|plugin| !is_sha256(&plugin.sha256)) {
            Some(plugin) => {
                Err(refused(format!("is damaged: the sha256 of `{}` is none", escaped(&plugin.id))))
            }
            None => Ok(lock),
        }
    }

    /// Writes it as a whole or not at all. Another file in its place is left alone.
    ///
    /// # Errors
    /// There is a file that is no lock file, or the folder can't be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        if std::fs::symlink_metadata(path).is_ok() {
            Self::read(path).map_err(|failure| Failure {
                message: format!(
                    "{}; it is not replaced: remove it first, or name another file",
                    failure.message
                ),
                ..failure
            })?;
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let written = toml::to_string(self).map_err(std::io::Error::other).and_then(|text| {
            // As other files of a checkout: the umask decides who reads it.
            let mode = std::fs::Permissions::from_mode(0o666);
            let mut file = tempfile::Builder::new().permissions(mode).tempfile_in(folder)?;
            file.write_all(format!("{HEAD}{text}").as_bytes())?;
            file.persist(path).map(drop).map_err(|error| error.error)
        });
        let failed = |error| {
            format!("could not write the lock file {}: {error}", escaped(&path.display().to_string()))
        };
        written.map_err(|error| Failure::new(FailureKind::Denied, failed(error)))
    }

    /// The entry of a component.
    pub(crate) fn find(&self, id: &str, sha256: &str) -> Option<&LockedPlugin> {
        self.plugins.iter().find(|plugin| plugin.id == id && plugin.sha256 == sha256)
    }

    /// Refuses a component that does not stand in it.
    pub(crate) fn check(&self, id: &str, sha256: &str) -> Result<()> {
        if self.find(id, sha256).is_some() {
            return Ok(());
        }
        let others: Vec<String> = self
            .plugins
            .iter()
            .filter(|plugin| plugin.id == id)
            .map(|plugin| format!("{:.12}…", plugin.sha256))
            .collect();
        let has = match others.is_empty() {
            true => "does not have it".to_owned(),
            false => format!("has it with the sha256 {}", others.join(" or ")),
        };
        Err(Failure::new(
            FailureKind::Denied,
            format!(
                "the plugin `{id}` has the sha256 {sha256:.12}…, and the lock file {has}: take the component that it \
                 names, or write it anew with `aimu-host plugins lock`"
            ),
        ))
    }
}

pub(super) fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn plugin(id: &str, digit: &str) -> LockedPlugin {
        LockedPlugin {
            id: id.to_owned(),
            sha256: digit.repeat(64),
            source: "plugins/x.wasm".to_owned(),
            origins: ["https://a.test".to_owned()].into(),
            credentials: ["k".to_owned()].into(),
        }
    }

    #[test]
    fn it_comes_back_as_it_was_written() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("plugins.lock");
        let lock = PluginLock::new(vec![plugin("b", "2"), plugin("a", "1")]);
        lock.write(&path).unwrap();
        assert_eq!(PluginLock::read(&path).unwrap(), lock);
        assert_eq!(lock.plugins[0].id, "a");
        assert!(lock.check("a", &"1".repeat(64)).is_ok());
        assert!(lock.check("a", &"2".repeat(64)).unwrap_err().message.contains("111111111111…"));
        assert!(lock.check("c", &"1".repeat(64)).unwrap_err().message.contains("does not have it"));
        // And again, since it is one.
        PluginLock::new(Vec::new()).write(&path).unwrap();
        assert!(PluginLock::read(&path).unwrap().plugins.is_empty());
    }

    #[test]
    fn another_file_is_left_alone() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("Cargo.toml");
        std::fs::write(&path, "[package]\n").unwrap();
        assert!(PluginLock::read(&path).unwrap_err().message.contains("damaged"));
        assert!(PluginLock::new(Vec::new()).write(&path).unwrap_err().message.contains("not replaced"));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "[package]\n");
    }

    #[test]
    fn it_restricts() {
        let all = Permissions {
            origins: ["https://a.test".to_owned(), "https://b.test".to_owned()].into(),
            ..Permissions::default()
        };
        let some = plugin("a", "1").restrict(&all);
        assert_eq!(some.origins.into_iter().collect::<Vec<_>>(), ["https://a.test"]);
        assert!(plugin("a", "1").restrict(&Permissions::default()).is_empty());
    }
}
