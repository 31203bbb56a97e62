//! The user's grants on disk: `grants.toml` in the configuration folder.
//!
//! A file that is damaged, or that others could have written, is an error that says what to do. It is never read as
//! more or less than it says, and never replaced.

use super::ask::Permissions;
use super::standing::{Standing, beside, standing};
use crate::model::{Failure, FailureKind, Result};
use crate::private_file::PrivateFile;
use crate::stamp::Stamp;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

/// The form of the file.
const VERSION: u32 = 1;

/// Digests that are kept of one plugin: two projects may have different builds of it, and old ones pile up.
const KEPT: usize = 8;

const HEAD: &str = "\
# What you have allowed provider components that did not come with aimu-host.
# `aimu-host plugins allow`, `revoke` and `list` change and show it.
";

/// What was decided about one component.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Grant {
    pub(crate) plugin: String,
    pub(crate) sha256: String,
    /// When, in UTC.
    pub(crate) allowed: String,
    /// Where the component lay.
    #[serde(default)]
    pub(crate) source: String,
    pub(crate) granted: Permissions,
    /// What it asked for, too, and was not given.
    #[serde(default, skip_serializing_if = "Permissions::is_empty")]
    pub(crate) declined: Permissions,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Document {
    version: u32,
    #[serde(default)]
    grant: Vec<Grant>,
}

/// A component that something is decided about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Component<'a> {
    pub(crate) plugin: &'a str,
    pub(crate) sha256: &'a str,
    pub(crate) source: &'a str,
    pub(crate) asked: &'a Permissions,
}

impl Component<'_> {
    fn grant(&self, granted: Permissions) -> Grant {
        Grant {
            plugin: self.plugin.to_owned(),
            sha256: self.sha256.to_owned(),
            allowed: utc(SystemTime::now()),
            source: self.source.to_owned(),
            declined: self.asked.minus(&granted),
            granted,
        }
    }

    fn standing(&self, grants: &[Grant]) -> Standing {
        standing(grants, *self)
    }
}

/// The grants of one user.
#[derive(Debug)]
pub(crate) struct GrantStore {
    /// `None`: this user has no configuration folder.
    file: Option<PrivateFile>,
    /// What the file held when it was last read: each request of a component looks at it.
    read: Mutex<Option<(Stamp, Arc<[Grant]>)>>,
}

impl GrantStore {
    pub(crate) fn new(path: Option<PathBuf>) -> Self {
        let file = path.map(|path| PrivateFile::new(path, "your grants"));
        Self { file, read: Mutex::default() }
    }

    /// All grants, as the file has them now.
    pub(crate) fn load(&self) -> Result<Arc<[Grant]>> {
        let Some(file) = &self.file else { return Ok(Arc::default()) };
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        match (file.stamp()?, &*read) {
            (None, _) => return Ok(Arc::default()),
            (Some(now), Some((stamp, grants))) if now == *stamp => return Ok(grants.clone()),
            _ => {}
        }
        let Some((stamp, text)) = file.read()? else { return Ok(Arc::default()) };
        let grants: Arc<[Grant]> = parse(file, &text)?.into();
        *read = Some((stamp, grants.clone()));
        Ok(grants)
    }

    /// Where a component stands.
    pub(crate) fn standing(&self, component: Component<'_>) -> Result<Standing> {
        Ok(component.standing(&self.load()?))
    }

    /// Allows a component some of what it asks for, beside what it is allowed already.
    pub(crate) fn allow(&self, component: Component<'_>, more: &Permissions) -> Result<()> {
        self.change(|grants| {
            let already = match component.standing(grants) {
                Standing::Allowed(granted)
                | Standing::Changed { granted, .. }
                | Standing::Suspended { granted, .. } => granted,
                Standing::New | Standing::Nothing => Permissions::default(),
            };
            // One decision about a plugin in a folder: other bytes of it are measured by this one from now on.
            grants.retain(|grant| {
                grant.plugin != component.plugin
                    || (grant.sha256 != component.sha256 && !beside(&grant.source, component.source))
            });
            grants.push(component.grant(already.plus(more)));
        })
    }

    /// Keeps for changed bytes what was allowed the ones before, if it still is: gives where they stand now.
    pub(crate) fn carry_over(&self, component: Component<'_>) -> Result<Standing> {
        self.change(|grants| {
            let now = component.standing(grants);
            if let Standing::Changed { granted, .. } = &now {
                grants.push(component.grant(granted.clone()));
                let of_plugin = grants.iter().filter(|grant| grant.plugin == component.plugin).count();
                let mut surplus = of_plugin.saturating_sub(KEPT);
                grants.retain(|grant| {
                    let old = surplus > 0 && grant.plugin == component.plugin;
                    surplus -= usize::from(old);
                    !old
                });
            }
            now
        })
    }

    /// Takes everything back that a plugin was allowed, or a component that lay at `source`; `false`: there was nothing.
    pub(crate) fn revoke(&self, plugin: &str, source: Option<&str>) -> Result<bool> {
        let is_it =
            |grant: &Grant| grant.plugin == plugin || source.is_some_and(|source| grant.source == source);
        // Nothing is made where nothing is.
        if !self.load()?.iter().any(is_it) {
            return Ok(false);
        }
        self.change(|grants| {
            let before = grants.len();
            grants.retain(|grant| !is_it(grant));
            grants.len() < before
        })
    }

    /// Changes the grants while no other program does.
    fn change<T>(&self, change: impl FnOnce(&mut Vec<Grant>) -> T) -> Result<T> {
        let Some(file) = &self.file else {
            return Err(Failure::new(
                FailureKind::Denied,
                "there is no folder to keep grants in: set HOME, XDG_CONFIG_HOME or AIMU_HOST_HOME",
            ));
        };
        let lock = file.lock()?;
        let before = match file.read()? {
            Some((_, text)) => parse(file, &text)?,
            None => Vec::new(),
        };
        let mut grants = before.clone();
        let outcome = change(&mut grants);
        if grants != before {
            let document = Document { version: VERSION, grant: grants };
            let text = toml::to_string(&document)
                .map_err(|error| file.refused(&format!("can't be put into words: {error}")))?;
            file.write(&format!("{HEAD}{text}"), &lock)?;
        }
        Ok(outcome)
    }
}

fn parse(file: &PrivateFile, text: &str) -> Result<Vec<Grant>> {
    let damaged = |what: &str| {
        file.refused(&format!(
            "are damaged ({what}), and nothing is taken from there; mend the file, or delete it and allow anew"
        ))
    };
    #[derive(Deserialize)]
    struct Version {
        version: u32,
    }
    let one_line =
        |error: toml::de::Error| error.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
    let Version { version } = toml::from_str(text).map_err(|error| damaged(&one_line(error)))?;
    if version != VERSION {
        return Err(
            file.refused(&format!("have the form {version}, and this program knows {VERSION}; update it"))
        );
    }
    let document: Document = toml::from_str(text).map_err(|error| damaged(&one_line(error)))?;
    let mut seen = HashSet::new();
    for grant in &document.grant {
        if !super::lock::is_sha256(&grant.sha256) {
            return Err(damaged(&format!("a sha256 of `{}` is none", super::escaped(&grant.plugin))));
        }
        if !seen.insert((&grant.plugin, &grant.sha256)) {
            return Err(damaged(&format!(
                "`{}` stands there twice with one sha256",
                super::escaped(&grant.plugin)
            )));
        }
    }
    Ok(document.grant)
}

/// `2015-08-30T12:36:00Z`
fn utc(now: SystemTime) -> String {
    let time = crate::sigv4::timestamp(now);
    let part = |range| time.get(range).unwrap_or_default();
    format!("{}-{}-{}:{}:{}", part(0..4), part(4..6), part(6..11), part(11..13), part(13..16))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn servers(names: &[&str]) -> Permissions {
        Permissions {
            origins: names.iter().map(|name| format!("https://{name}.test")).collect(),
            ..Permissions::default()
        }
    }

    fn component<'a>(sha256: &'a str, asked: &'a Permissions) -> Component<'a> {
        Component { plugin: "x", sha256, source: "x.wasm", asked }
    }

    fn store() -> (tempfile::TempDir, GrantStore, PathBuf) {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("grants.toml");
        (home, GrantStore::new(Some(path.clone())), path)
    }

    #[test]
    fn times_are_readable() {
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_440_938_160);
        assert_eq!(utc(time), "2015-08-30T12:36:00Z");
    }

    #[test]
    fn grants_add_up_and_are_taken_back_at_once() {
        let (_home, store, path) = store();
        let (one, asked) = ("1".repeat(64), servers(&["a", "b", "c"]));
        store.allow(component(&one, &asked), &servers(&["a"])).unwrap();
        store.allow(component(&one, &asked), &servers(&["b"])).unwrap();
        let standing = || store.standing(component(&one, &asked)).unwrap();
        assert_eq!(standing(), Standing::Allowed(servers(&["a", "b"])));
        assert_eq!(store.load().unwrap()[0].declined, servers(&["c"]));
        // Another program does it.
        assert!(GrantStore::new(Some(path)).revoke("x", None).unwrap());
        assert_eq!(standing(), Standing::New);
        assert!(!store.revoke("x", None).unwrap());
    }

    #[test]
    fn what_was_taken_back_is_not_carried_over() {
        let (_home, store, _) = store();
        let (one, two, asked) = ("1".repeat(64), "2".repeat(64), servers(&["a"]));
        store.allow(component(&one, &asked), &asked).unwrap();
        assert!(matches!(store.carry_over(component(&two, &asked)).unwrap(), Standing::Changed { .. }));
        assert_eq!(store.standing(component(&two, &asked)).unwrap(), Standing::Allowed(asked.clone()));
        // The bytes before stay allowed: another project may have them.
        assert_eq!(store.standing(component(&one, &asked)).unwrap(), Standing::Allowed(asked.clone()));
        assert!(store.revoke("y", Some("x.wasm")).unwrap());
        assert_eq!(store.carry_over(component(&two, &asked)).unwrap(), Standing::New);
        assert!(store.load().unwrap().is_empty());
    }

    #[test]
    fn old_digests_do_not_pile_up() {
        let (_home, store, _) = store();
        let asked = servers(&["a"]);
        let digests: Vec<String> = (0..20).map(|n| format!("{n:064}")).collect();
        store.allow(component(&digests[0], &asked), &asked).unwrap();
        for digest in &digests[1..] {
            store.carry_over(component(digest, &asked)).unwrap();
        }
        let kept: Vec<String> = store.load().unwrap().iter().map(|grant| grant.sha256.clone()).collect();
        assert_eq!(kept, digests[20 - KEPT..]);
    }

    #[test]
    fn a_damaged_file_is_neither_read_nor_replaced() {
        let (_home, store, path) = store();
        let asked = servers(&["a"]);
        let digest = "1".repeat(64);
        store.allow(component(&digest, &asked), &asked).unwrap();
        let whole = std::fs::read_to_string(&path).unwrap();
        let cases = [
            (String::new(), "damaged"),
            ("version = 2\nnew = []".to_owned(), "form 2"),
            (whole.replace("granted", "grunted"), "damaged"),
            (whole.replace(&digest, "1"), "sha256"),
            (whole[..whole.len() - 9].to_owned(), "damaged"),
            (format!("{whole}{}", whole.split_once("version = 1").unwrap().1), "twice"),
        ];
        for (text, word) in cases {
            std::fs::write(&path, &text).unwrap();
            let failures = [
                store.load().err(),
                store.allow(component(&digest, &asked), &asked).err(),
                store.carry_over(component(&digest, &asked)).err(),
            ];
            for failure in failures {
                let failure = failure.unwrap();
                assert_eq!(failure.kind, FailureKind::Denied);
                assert!(
                    failure.message.contains(word) && failure.message.contains("grants.toml"),
                    "{failure}"
                );
            }
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
    }

    #[test]
    fn many_programs_at_once_lose_nothing() {
        let (_home, _, path) = store();
        let names: Vec<String> = (0..8).map(|n| format!("s{n}")).collect();
        let all = servers(&names.iter().map(String::as_str).collect::<Vec<_>>());
        let digest = "1".repeat(64);
        std::thread::scope(|scope| {
            for name in &names {
                let (store, all, digest) = (GrantStore::new(Some(path.clone())), &all, &digest);
                scope.spawn(move || store.allow(component(digest, all), &servers(&[name])).unwrap());
            }
        });
        let store = GrantStore::new(Some(path));
        assert_eq!(store.standing(component(&digest, &all)).unwrap(), Standing::Allowed(all.clone()));
    }
}
