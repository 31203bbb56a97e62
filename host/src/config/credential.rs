//! Where keys come from, as it is written.

use crate::limits::parse_duration;
use crate::model::CredentialPlacement;
use crate::secrets::CommandLine;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Where an instance's key comes from, and how it is added.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CredentialConfig {
    pub(crate) source: CredentialSource,
    pub(crate) placement: Option<CredentialPlacement>,
    /// A call without it can't succeed.
    #[serde(default)]
    pub(crate) required: bool,
}

/// Where a key comes from: one of these.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "SourceTable")]
pub(crate) enum CredentialSource {
    /// Environment variables.
    Env(Names),
    /// Files.
    File(Names),
    /// Keys that `aimu-host keys` keeps, under their names.
    Keyring(Names),
    /// A program that prints it.
    Command(CommandLine),
}

/// The names of a key in one place.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Names {
    /// One.
    One(String),
    /// Several, in order.
    Many(Vec<String>),
    /// Those of each field, for a credential of several.
    Fields(BTreeMap<String, OneOrMany>),
}

/// One name, or several.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum OneOrMany {
    /// One.
    One(String),
    /// Several, in order.
    Many(Vec<String>),
}

impl OneOrMany {
    pub(crate) fn to_vec(&self) -> Vec<String> {
        match self {
            Self::One(name) => vec![name.clone()],
            Self::Many(names) => names.clone(),
        }
    }
}

/// A source as it is written.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct SourceTable {
    env: Option<Names>,
    file: Option<Names>,
    keyring: Option<Names>,
    /// A line as for a shell, or words.
    command: Option<OneOrMany>,
    expires_in: Option<String>,
    timeout: Option<String>,
}

impl TryFrom<SourceTable> for CredentialSource {
    type Error = String;

    fn try_from(table: SourceTable) -> std::result::Result<Self, String> {
        let SourceTable { env, file, keyring, command, expires_in, timeout } = table;
        let times = expires_in.is_some() || timeout.is_some();
        let time = |name: &str, text: Option<String>| {
            let time = text.map(|text| {
                parse_duration(&text).ok_or_else(|| {
                    format!("`{name}` of a credential's source is a time such as 30s, 50m or 1h")
                })
            });
            time.transpose()
        };
        match (env, file, keyring, command) {
            (None, None, None, Some(command)) => {
                let words = match command {
                    OneOrMany::One(line) => shlex::split(&line)
                        .ok_or("`command` of a credential's source has a quotation mark without its other")?,
                    OneOrMany::Many(words) => words,
                };
                let line = CommandLine::configured(
                    words,
                    time("expires-in", expires_in)?,
                    time("timeout", timeout)?,
                );
                line.map(Self::Command).map_err(|what| format!("`command` of a credential's source {what}"))
            }
            _ if times => {
                Err("`expires-in` and `timeout` of a credential's source are for a `command`".to_owned())
            }
            (Some(names), None, None, None) => Ok(Self::Env(names)),
            (None, Some(names), None, None) => Ok(Self::File(names)),
            (None, None, Some(names), None) => Ok(Self::Keyring(names)),
            _ => Err("a credential's `source` is one of `env`, `command`, `file` and `keyring`".to_owned()),
        }
    }
}
