//! What one component may use in calls: decided before each client, and looked at again with each request.

use super::ask::{CredentialUse, Permissions};
use super::lock::LockedPlugin;
use super::servers::{ANY, base_origin, declared_origin};
use super::standing::Standing;
use super::store::{Component, GrantStore};
use crate::model::{Credential, Description, Failure, FailureKind, Result};
use std::sync::Arc;

/// What a component may use.
#[derive(Clone, Debug, Default)]
pub(crate) struct Permit {
    /// It came with the program: all that it declares.
    everything: bool,
    granted: Permissions,
    /// What is not granted and how to allow it, for errors.
    pub(crate) refused: Option<String>,
    /// What allows it another server, where it asks for any: the command, but for the server.
    pub(crate) allows: Option<String>,
    /// The user has decided about it.
    pub(crate) decided: bool,
    /// Nothing goes until the user has decided again, not even to a server that the user names.
    pub(crate) suspended: bool,
    /// Where to look whether it still holds.
    pub(crate) ticket: Option<Arc<Ticket>>,
}

impl Permit {
    /// Of a component that came with the program.
    pub(crate) fn everything() -> Self {
        Self { everything: true, decided: true, ..Self::default() }
    }

    /// Of one that the user has decided about.
    pub(crate) fn of(granted: Permissions, refused: Option<String>) -> Self {
        Self { granted, refused, decided: true, ..Self::default() }
    }

    /// Of one that nobody has allowed anything.
    pub(crate) fn none(refused: String, suspended: bool) -> Self {
        Self { refused: Some(refused), suspended, ..Self::default() }
    }

    /// Keeps what a lock file states, too.
    pub(crate) fn restrict(&mut self, locked: &LockedPlugin, plugin: &str) {
        let before = std::mem::take(&mut self.granted);
        self.granted = locked.restrict(&before);
        let lost = before.minus(&self.granted);
        if !lost.is_empty() {
            let what = format!("the lock file does not state {lost} for the plugin `{plugin}`");
            self.refused = Some(what);
        }
    }

    /// Whether the server of the default base URL is granted.
    pub(crate) fn base(&self, description: &Description) -> bool {
        self.everything
            || matches!(base_origin(description), Ok(Some(origin)) if self.granted.origins.contains(&origin))
    }

    /// The declared servers that are granted, as they are declared.
    pub(crate) fn origins<'a>(&self, description: &'a Description) -> impl Iterator<Item = &'a str> {
        let granted = |text: &&String| {
            self.everything
                || declared_origin(description, text)
                    .is_ok_and(|origin| self.granted.origins.contains(&origin))
        };
        description.origins.iter().filter(granted).map(String::as_str)
    }

    /// Whether any server of the internet is granted.
    pub(crate) fn anywhere(&self, description: &Description) -> bool {
        self.origins(description).any(|text| text == ANY)
    }

    /// The servers that the user has named to a component that asks for any.
    pub(crate) fn named<'a>(&'a self, description: &'a Description) -> impl Iterator<Item = &'a str> {
        let asks_for_any = description.origins.iter().any(|text| text == ANY);
        let declared = move |origin: &String| {
            description.origins.iter().any(|text| declared_origin(description, text).as_ref() == Ok(origin))
        };
        self.granted
            .origins
            .iter()
            .filter(move |origin| asks_for_any && *origin != ANY && !declared(origin))
            .map(String::as_str)
    }

    /// Whether a credential of the description is granted.
    pub(crate) fn credential(&self, description: &Description, credential: &Credential) -> bool {
        self.everything
            || CredentialUse::of(description, credential).is_ok_and(|wanted| self.granted.has(&wanted))
    }
}

/// Shows that a component was allowed something, as long as it is.
#[derive(Debug)]
pub(crate) struct Ticket {
    pub(crate) store: Arc<GrantStore>,
    pub(crate) plugin: String,
    pub(crate) sha256: String,
    pub(crate) source: String,
    pub(crate) asked: Permissions,
    /// What was granted.
    pub(crate) granted: Permissions,
}

impl Ticket {
    /// Fails once something of it has been taken back.
    pub(crate) fn check(&self) -> Result<()> {
        let component = Component {
            plugin: &self.plugin,
            sha256: &self.sha256,
            source: &self.source,
            asked: &self.asked,
        };
        let still = match self.store.standing(component)? {
            Standing::Allowed(granted) | Standing::Changed { granted, .. } => {
                self.granted.minus(&granted).is_empty()
            }
            Standing::Nothing => true,
            Standing::New | Standing::Suspended { .. } => false,
        };
        if still {
            return Ok(());
        }
        let what = format!(
            "what the plugin `{}` was allowed has been taken back; `aimu-host plugins allow {}` allows it again",
            self.plugin, self.plugin
        );
        Err(Failure::new(FailureKind::Denied, what))
    }
}
