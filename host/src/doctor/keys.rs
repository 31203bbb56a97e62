//! Which keys there are, by name. The one place of the checkup that knows where keys come from.

use crate::grants::escaped;
use crate::host::Host;
use crate::model::{Credential, Result};
use crate::secrets::{self, Found};
use serde::Serialize;

/// A credential of a provider, and whether it is there.
#[derive(Clone, Debug, Serialize)]
pub struct KeyReport {
    /// The provider that has use for it.
    pub provider: String,
    /// Its name in the plugin's description.
    pub credential: String,
    /// The environment variables that it comes from, in words.
    pub from: String,
    /// A call without it can't succeed.
    pub required: bool,
    /// Whether it is there.
    pub state: KeyState,
    /// The variables that an incomplete one lacks.
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
    fn of(provider: &str, credential: &Credential) -> Self {
        let (state, lacks) = match secrets::from_environment(credential) {
            Found::Whole(_) => (KeyState::Present, None),
            Found::Part(lacks) => (KeyState::Incomplete, Some(lacks)),
            Found::Nothing => (KeyState::Missing, None),
        };
        Self {
            provider: provider.to_owned(),
            credential: credential.name.clone(),
            from: secrets::variables(credential),
            required: credential.required,
            state,
            lacks,
        }
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

impl Host {
    /// The keys that a provider has use for.
    pub(super) async fn keys(&self, name: &str) -> Result<Vec<KeyReport>> {
        let credentials = self.credentials(name).await?;
        let keys = credentials.iter().map(|credential| KeyReport::of(name, credential));
        // One that comes from nowhere is how a preset says that its server wants none.
        Ok(keys.filter(|key| !key.from.is_empty()).collect())
    }
}
