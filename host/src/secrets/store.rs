//! Keys that the user keeps: in the system's keyring, else in a file that only the user can read.
//!
//! A keyring can't be asked what it has. So `keys.toml` in the configuration folder names all keys, and has the values of
//! those that no keyring has; a run that needs no key of a keyring never asks one.

use super::keyring::{self, Refused};
use super::{SIGNING_FIELDS, Secret};
use crate::model::{Credential, CredentialField, Failure, FailureKind, Result};
use crate::private_file::PrivateFile;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// The form of the file.
const VERSION: u32 = 1;

/// The longest name of a key.
const LONGEST: usize = 128;

const HEAD: &str = "\
# Keys that you keep with `aimu-host keys set`. Nobody else may read this file.
# `aimu-host keys set`, `list` and `remove` change and show it.
";

/// Where a key is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyPlace {
    /// The system's keyring.
    Keyring,
    /// `keys.toml` in the configuration folder, which only the user can read.
    File,
}

/// A key that was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptKey {
    /// Where it is now.
    pub place: KeyPlace,
    /// Why it is not in the system's keyring, where nobody asked for that.
    pub note: Option<String>,
}

/// A key as the file has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    File(Secret),
    Keyring,
}

impl Kept {
    pub(crate) fn place(&self) -> KeyPlace {
        match self {
            Self::File(_) => KeyPlace::File,
            Self::Keyring => KeyPlace::Keyring,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    version: u32,
    #[serde(default)]
    keys: BTreeMap<String, Entry>,
}

/// `{ value = "…" }` or `{ keyring = true }`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    value: Option<Secret>,
    #[serde(default)]
    keyring: bool,
}

/// The keys of one user.
#[derive(Debug)]
pub(crate) struct KeyStore {
    /// `None`: this user has no configuration folder.
    file: Option<PrivateFile>,
    /// Keys may go into the system's keyring.
    keyring: bool,
}

impl KeyStore {
    pub(crate) fn new(path: Option<PathBuf>, keyring: bool) -> Self {
        Self { file: path.map(|path| PrivateFile::secret(path, "your keys")), keyring }
    }

    /// Where the file is.
    pub(crate) fn path(&self) -> Option<&Path> {
        self.file.as_ref().map(PrivateFile::path)
    }

    /// All keys by name.
    pub(crate) fn list(&self) -> Result<BTreeMap<String, Kept>> {
        let Some(file) = &self.file else { return Ok(BTreeMap::new()) };
        match file.read()? {
            Some((_, text)) => parse(file, &text),
            None => Ok(BTreeMap::new()),
        }
    }

    /// Keeps a key. Without a place, it is the keyring where there is one.
    pub(crate) async fn set(&self, name: &str, secret: Secret, place: Option<KeyPlace>) -> Result<KeptKey> {
        check(name)?;
        if place == Some(KeyPlace::Keyring) && !self.keyring {
            let what = "a folder of its own (AIMU_HOST_HOME) keeps its keys in a file there, and not in the user's keyring";
            return Err(Failure::new(FailureKind::InvalidRequest, what));
        }
        let mut note = None;
        if self.keyring && place != Some(KeyPlace::File) {
            match keyring::set(name, &secret).await {
                Ok(()) => {
                    self.change(|keys| keys.insert(name.to_owned(), Kept::Keyring))?;
                    return Ok(KeptKey { place: KeyPlace::Keyring, note });
                }
                Err(refused) if place.is_some() => return Err(refused.failure(name)),
                Err(refused) => note = Some(refused.words()),
            }
        }
        let before = self.change(|keys| keys.insert(name.to_owned(), Kept::File(secret)))?;
        if before == Some(Kept::Keyring) {
            // The old one is of no more use. That it can't be removed is no reason to fail: it is not looked at again.
            let _ = keyring::delete(name).await;
        }
        Ok(KeptKey { place: KeyPlace::File, note })
    }

    /// Forgets a key; `false`: there is none of that name.
    pub(crate) async fn remove(&self, name: &str) -> Result<bool> {
        // Nothing is made where nothing is.
        match self.list()?.get(name) {
            None => return Ok(false),
            Some(Kept::Keyring) => match keyring::delete(name).await {
                Ok(()) | Err(Refused::NoEntry) => {}
                Err(refused) => return Err(refused.failure(name)),
            },
            Some(Kept::File(_)) => {}
        }
        Ok(self.change(|keys| keys.remove(name))?.is_some())
    }

    /// Changes the file while no other program does.
    fn change<T>(&self, change: impl FnOnce(&mut BTreeMap<String, Kept>) -> T) -> Result<T> {
        let Some(file) = &self.file else {
            return Err(Failure::new(
                FailureKind::Denied,
                "there is no folder to keep keys in: set HOME, XDG_CONFIG_HOME or AIMU_HOST_HOME",
            ));
        };
        let lock = file.lock()?;
        let mut keys = match file.read()? {
            Some((_, text)) => parse(file, &text)?,
            None => BTreeMap::new(),
        };
        let outcome = change(&mut keys);
        file.write(&text(&keys), &lock)?;
        Ok(outcome)
    }
}

/// A key that is in the system's keyring.
pub(crate) async fn of_keyring(name: &str) -> Result<Secret> {
    keyring::get(name).await.map_err(|refused| refused.failure(name))
}

impl Refused {
    fn words(&self) -> String {
        match self {
            Self::Absent(why) => format!("no keyring of this system can be reached ({why})"),
            Self::NoEntry => "the system's keyring has it no more".to_owned(),
            Self::Failed(why) => format!("the system's keyring failed ({why})"),
        }
    }

    fn failure(&self, name: &str) -> Failure {
        let what = format!("the key `{name}`: {}; `aimu-host keys set {name}` keeps it anew", self.words());
        Failure::new(FailureKind::Authentication, what)
    }
}

/// What the fields of a provider's credential are kept under. A name alone is that of the first credential which is one
/// key (`plain`); every other has its own behind a slash.
pub(crate) fn names(
    provider: &str,
    plain: bool,
    credential: &Credential,
    field: &CredentialField,
) -> Vec<String> {
    // A name with a slash would be another provider's field.
    if provider.contains('/') {
        return Vec::new();
    }
    let own = match credential.fields.len() {
        1 => &credential.name,
        _ => &field.name,
    };
    let mut names = vec![format!("{provider}/{own}")];
    if plain {
        names.push(provider.to_owned());
    }
    names
}

/// Whether a key can have this name.
fn check(name: &str) -> Result<()> {
    let part = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    let parts: Vec<&str> = name.split('/').collect();
    if name.len() <= LONGEST && parts.len() <= 2 && parts.into_iter().all(part) {
        return Ok(());
    }
    // What was written may be the key itself.
    let what = format!(
        "a key has the name of its provider, as `groq`, or of one of its credentials or fields, as `bedrock/{}`; what you \
         wrote is no such name",
        SIGNING_FIELDS[0]
    );
    Err(Failure::new(FailureKind::InvalidRequest, what))
}

fn parse(file: &PrivateFile, text: &str) -> Result<BTreeMap<String, Kept>> {
    // The parser's own words may hold a line of the file.
    let damaged = |what: &str| {
        file.refused(&format!(
            "are damaged ({what}), and nothing is taken from there; mend the file, or delete it and set them anew"
        ))
    };
    #[derive(Deserialize)]
    struct Version {
        version: u32,
    }
    let Version { version } = toml::from_str(text).map_err(|_| damaged("it is no TOML with a version"))?;
    if version != VERSION {
        return Err(
            file.refused(&format!("have the form {version}, and this program knows {VERSION}; update it"))
        );
    }
    let document: Document = toml::from_str(text).map_err(|_| damaged("it has what it can't have"))?;
    debug_assert_eq!(document.version, VERSION);
    let mut keys = BTreeMap::new();
    for (name, entry) in document.keys {
        let kept = match (entry.value, entry.keyring) {
            (Some(secret), false) => Kept::File(secret),
            (None, true) => Kept::Keyring,
            _ => return Err(damaged(&format!("the key `{}` has no value", crate::grants::escaped(&name)))),
        };
        keys.insert(name, kept);
    }
    Ok(keys)
}

/// The file's text. Written by hand, since a serialiser leaves copies behind; names and values need no more than JSON's
/// way to quote, which is TOML's, too.
fn text(keys: &BTreeMap<String, Kept>) -> Zeroizing<String> {
    let secrets: usize =
        keys.values().map(|kept| if let Kept::File(secret) = kept { secret.expose().len() } else { 0 }).sum();
    // What a value can grow to when it is quoted.
    let mut text =
        Zeroizing::new(String::with_capacity(HEAD.len() + 6 * secrets + keys.len() * (LONGEST + 64) + 64));
    text.push_str(HEAD);
    // Writing to a `String` can't fail.
    let _ = writeln!(text, "version = {VERSION}\n\n[keys]");
    for (name, kept) in keys {
        let _ = match kept {
            Kept::Keyring => writeln!(text, "{} = {{ keyring = true }}", quoted(name).as_str()),
            Kept::File(secret) => {
                writeln!(
                    text,
                    "{} = {{ value = {} }}",
                    quoted(name).as_str(),
                    quoted(secret.expose()).as_str()
                )
            }
        };
    }
    text
}

/// A text as a basic string of TOML.
fn quoted(text: &str) -> Zeroizing<String> {
    let mut quoted = Zeroizing::new(String::with_capacity(text.len() * 6 + 2));
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn store() -> (tempfile::TempDir, KeyStore, PathBuf) {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("keys.toml");
        (home, KeyStore::new(Some(path.clone()), false), path)
    }

    fn secret(text: &str) -> Secret {
        Secret::new(text.to_owned())
    }

    #[tokio::test]
    async fn keys_are_kept_for_the_user_alone() {
        let (_home, store, path) = store();
        let kept = store.set("groq", secret("sk-\"a\\é\u{1}"), None).await.unwrap();
        assert_eq!(kept, KeptKey { place: KeyPlace::File, note: None });
        store.set("bedrock/access-key-id", secret("b"), Some(KeyPlace::File)).await.unwrap();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600);
        let all = store.list().unwrap();
        assert_eq!(all["groq"], Kept::File(secret("sk-\"a\\é\u{1}")));
        assert_eq!(all.keys().collect::<Vec<_>>(), ["bedrock/access-key-id", "groq"]);
        assert!(!format!("{all:?}").contains("sk-"));
        assert!(store.remove("groq").await.unwrap() && !store.remove("groq").await.unwrap());
        assert_eq!(store.list().unwrap().len(), 1);
        // A home apart has no keyring.
        let refused = store.set("x", secret("a"), Some(KeyPlace::Keyring)).await.unwrap_err();
        assert!(refused.message.contains("AIMU_HOST_HOME"), "{refused}");
    }

    #[tokio::test]
    async fn names_are_those_of_providers() {
        let (_home, store, path) = store();
        for bad in ["", "a b", "a/b/c", "/a", "a/", "a\u{1b}", &"x".repeat(129), "sk-proj+abc="] {
            assert!(store.set(bad, secret("a"), None).await.is_err(), "{bad}");
        }
        assert!(!path.exists());
    }

    #[test]
    fn a_damaged_file_is_told_without_its_text() {
        let (_home, store, path) = store();
        for (text, word) in [
            ("version = 1\n[keys]\na = { value = sk-secret }", "damaged"),
            ("version = 1\n[keys]\na = { value = [\"sk-secret\"] }", "damaged"),
            ("version = 1\n[keys]\na = { }", "`a` has no value"),
            ("version = 2\nnew = \"sk-secret\"", "form 2"),
            ("", "damaged"),
        ] {
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
            let failure = store.list().unwrap_err();
            assert_eq!(failure.kind, FailureKind::Denied);
            assert!(failure.message.contains(word) && !failure.message.contains("sk-"), "{failure}");
        }
    }
}
