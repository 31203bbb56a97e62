//! Which keys there are, by name.

use crate::grants::escaped;
use crate::host::{CredentialStatus, KeySource};
use serde::Serialize;

/// A credential of a provider, and whether it is there.
#[derive(Clone, Debug, Serialize)]
pub struct KeyReport {
    /// The provider that has use for it.
    pub provider: String,
    /// Its name in the plugin's description.
    pub credential: String,
    /// The names that it has there or would have, in words: variables, files, kept keys, a program.
    pub from: String,
    /// Where it comes from, if it is there.
    pub source: Option<KeySource>,
    /// A call without it can't succeed.
    pub required: bool,
    /// Whether it is there.
    pub state: KeyState,
    /// What an incomplete one lacks.
    pub lacks: Option<String>,
}

/// Whether a key is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyState {
    /// All of it.
    Present,
    /// Nothing of it.
    Missing,
    /// Some of its fields.
    Incomplete,
}

impl KeyReport {
    /// The report on a credential; `None` for one that comes from nowhere, which is how a preset says that its server wants
    /// none.
    pub(super) fn of(status: CredentialStatus) -> Option<Self> {
        let state = match (status.source, &status.lacks) {
            (Some(_), _) => KeyState::Present,
            (None, Some(_)) => KeyState::Incomplete,
            (None, None) => KeyState::Missing,
        };
        (!status.names.is_empty()).then(|| Self {
            from: status.names.join(" or "),
            state,
            lacks: status.lacks.filter(|_| state == KeyState::Incomplete),
            provider: status.provider,
            credential: status.credential,
            source: status.source,
            required: status.required,
        })
    }

    /// A key that is missing is nobody's fault, and half a key is a mistake.
    pub(super) fn problem(&self) -> Option<String> {
        let lacks = self.lacks.as_ref()?;
        Some(format!(
            "the credential `{}` of `{}` is not whole: set {} too",
            escaped(&self.credential),
            escaped(&self.provider),
            escaped(lacks)
        ))
    }
}
