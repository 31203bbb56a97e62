//! Keys: found when a call needs them, added on the way out, never shown.
//!
//! Problem: a key that a plugin could read is a key that it can send anywhere, and one that is printed once is in a log
//! for ever. Decision: a secret lives in one type that prints as `…` and is wiped when it is dropped, so that no `Debug`
//! of anything that holds one can leak it; the component learns a credential's name only. A key comes from where the
//! instance's configuration says, else from what `aimu-host keys set` keeps, else from the environment variables that
//! the plugin names: [`sources`] has the order, [`store`] what is kept, [`command`] the programs that give keys which
//! expire. Price: keys are copied by what we send them with (the HTTP and TLS libraries), and those copies are not wiped.

mod command;
mod command_line;
mod held;
mod keyring;
mod renewable;
mod secret;
mod sources;
mod store;

pub(crate) use command_line::CommandLine;
pub use held::HeldCredential;
pub(crate) use held::{Form, Supply};
pub(crate) use renewable::{Renewable, Renewables};
pub use secret::Secret;
pub(crate) use sources::{Found, expanded, of_environment, of_files, of_keys, variables, whole};
pub use store::{KeptKey, KeyPlace};
pub(crate) use store::{KeyStore, names as key_names};

use std::collections::BTreeMap;

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
