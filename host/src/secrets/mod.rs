//! Keys: found when a call needs them, added on the way out, never shown.
//!
//! Problem: a key that a plugin could read is a key that it can send anywhere, and one that is printed once is in a log
//! for ever. Decision: a secret lives in one type that prints as `…` and is wiped when it is dropped, so that no `Debug`
//! of anything that holds one can leak it; the component learns a credential's name only. A key comes from where the
//! instance's configuration says, else from what `aimu-host keys set` keeps, else from the environment variables that
//! the plugin names: [`sources`] has the order, [`store`] what is kept, [`command`] the programs that give keys which
//! expire. Price: keys are copied by what we send them with (the HTTP and TLS libraries), and those copies are not wiped.

mod command;
mod held;
mod keyring;
mod renewable;
mod sources;
mod store;

pub(crate) use command::CommandLine;
pub use held::HeldCredential;
pub(crate) use held::{Form, Supply};
pub(crate) use renewable::{Renewable, Renewables};
pub(crate) use sources::{Found, expanded, of_environment, of_files, of_keys, variables, whole};
pub use store::{KeptKey, KeyPlace};
pub(crate) use store::{KeyStore, names as key_names};

use std::collections::BTreeMap;
use zeroize::Zeroizing;

/// A secret value. Prints as `…`; wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes a secret's text.
    #[must_use]
    pub fn new(value: String) -> Self {
        Self(Zeroizing::new(value))
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    /// A key as a person gives it: one line, without the space around it.
    ///
    /// # Errors
    /// Says what it is instead, without any of the text.
    pub fn into_line(self) -> Result<Self, &'static str> {
        Self::line(self.expose())
    }

    /// A key as a file or a program gives it. The error says what is there instead, without any of the text.
    pub(crate) fn line(text: &str) -> Result<Self, &'static str> {
        let text = text.trim();
        match text {
            "" => Err("nothing"),
            text if text.contains(['\n', '\r']) => Err("several lines, and a key is one"),
            text if text.chars().any(char::is_control) => Err("characters that no key has"),
            text => Ok(Self::new(text.to_owned())),
        }
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}

impl<'de> serde::Deserialize<'de> for Secret {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

/// The fields of a credential that signs (`aws-sigv4`).
pub(crate) const SIGNING_FIELDS: [&str; 3] = ["access-key-id", "secret-access-key", "session-token"];

/// The secret values of a credential, by the names of its fields.
pub(crate) type Values = BTreeMap<String, Secret>;

/// Where the keys of one user come from, beside the environment and files.
#[derive(Debug)]
pub(crate) struct Keys {
    pub(crate) store: KeyStore,
    pub(crate) renewables: Renewables,
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_never_printed() {
        let secret = Secret::new("sk-very-secret".to_owned());
        assert_eq!(format!("{secret:?}"), "…");
    }

    #[test]
    fn a_key_is_a_line() {
        assert_eq!(Secret::line(" sk-a \n").unwrap().expose(), "sk-a");
        for (text, what) in [(" \n", "nothing"), ("a\nb", "several lines"), ("a\u{1b}b", "no key has")] {
            let error = Secret::line(text).unwrap_err();
            assert!(error.contains(what), "{error}");
        }
    }
}
