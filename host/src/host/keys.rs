//! Which keys there are, where they come from and who would use them; never their values.

use super::Host;
use crate::grants::CredentialUse;
use crate::model::{Credential, Description, Result};
use crate::resolve::{Declared, Place, declared};
use crate::secrets::{Found, KeptKey, KeyPlace, Secret, whole};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;

/// Where a key comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeySource {
    /// The system's keyring, where `aimu-host keys set` has put it.
    Keyring,
    /// `keys.toml` in the configuration folder, where `aimu-host keys set` has put it.
    KeysFile,
    /// An environment variable.
    Environment,
    /// A file that the configuration names.
    File,
    /// A program that the configuration names. Whether it gives a key is not known until it is run.
    Command,
}

impl KeySource {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Keyring => "keyring",
            Self::KeysFile => "keys-file",
            Self::Environment => "environment",
            Self::File => "file",
            Self::Command => "command",
        }
    }
}

/// A credential that a provider can have, and whether it is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CredentialStatus {
    /// The `provider` in `provider:model`, or the id of a component of tools.
    pub provider: String,
    /// The plugin that answers for it.
    pub plugin: String,
    /// The credential's name in the plugin's description.
    pub credential: String,
    /// A call without it can't succeed; or without another of its group.
    pub required: bool,
    /// One of a group is enough.
    pub group: Option<String>,
    /// Where it comes from; `None`: it is not there.
    pub source: Option<KeySource>,
    /// The variables, files, kept keys or the program that give it; of one that is not there, those that would.
    pub names: Vec<String>,
    /// Of a credential with several fields of which only some are there: what one that is not is looked up under.
    pub lacks: Option<String>,
    /// It is there, granted, and no other of its group goes before it.
    pub used: bool,
    /// The plugin may use it: it came with the program, or the user has allowed it.
    pub granted: bool,
}

/// A key that is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KeyEntry {
    /// The name that it is kept under, or its variable, file or program.
    pub name: String,
    /// Where it comes from.
    pub source: KeySource,
    /// The providers that would send it.
    pub used_by: Vec<String>,
    /// The providers that would, and are not allowed to.
    pub not_allowed: Vec<String>,
}

impl Host {
    /// Keeps a key for a provider: in the system's keyring, or where there is none, in a file that only the user can read.
    /// `name` is the provider's, or `provider/credential` for one of several, or `provider/field` for a credential of
    /// several fields. Clients that are made later have it.
    ///
    /// # Errors
    /// No key can have this name, or it can't be kept.
    pub async fn keep_key(&self, name: &str, key: Secret, place: Option<KeyPlace>) -> Result<KeptKey> {
        self.0.keys.store.set(name, key, place).await
    }

    /// Forgets a key that was kept; `false`: there is none of that name.
    ///
    /// # Errors
    /// The keys can't be read or written.
    pub async fn forget_key(&self, name: &str) -> Result<bool> {
        self.0.keys.store.remove(name).await
    }

    /// The file of the keys that are kept and not in a keyring; `None` for a user without a configuration folder.
    #[must_use]
    pub fn keys_file(&self) -> Option<&Path> {
        self.0.keys.store.path()
    }

    /// Every credential of every provider and component of tools that can be named, and whether it is there. Nothing is read but names: no
    /// program is run, and no keyring is asked.
    ///
    /// # Errors
    /// The keys or the grants can't be read.
    pub async fn credentials(&self) -> Result<Vec<CredentialStatus>> {
        let kept: BTreeMap<String, KeySource> = self.kept()?;
        let mut all = Vec::new();
        let providers = self.providers().await;
        let mut called = Vec::new();
        for entry in &providers {
            if entry.status.is_ok() && !self.0.native.contains_key(&entry.name) {
                called.push((entry.name.clone(), entry.plugin.clone(), self.find(&entry.name).await?));
            }
        }
        for found in self.tool_components().await {
            called.push((found.plugin.id.clone(), found.plugin.id.clone(), found));
        }
        for (name, plugin, found) in called {
            let Ok(loaded) = &found.plugin.state else { continue };
            let description = loaded.description();
            let allowed = match found.plugin.is_first_party() || self.0.allow {
                true => None,
                false => Some(self.grants_of(&found.plugin, loaded)?.granted),
            };
            let users = found.is_users && found.config.is_some_and(|config| config.credential.is_some());
            let granted = |credential: &Credential| {
                let Some(allowed) = &allowed else { return true };
                match description.credentials.iter().find(|declared| declared.name == credential.name) {
                    Some(declared) => {
                        CredentialUse::of(description, declared).is_ok_and(|wanted| allowed.has(&wanted))
                    }
                    None => users,
                }
            };
            let elsewhere = found.config.is_some_and(|config| config.base_url.is_some());
            // What is wrong with a configuration is told where it is used.
            let Ok(declared) = declared(description, found.config, found.is_users, elsewhere) else {
                continue;
            };
            let of_provider = match declared {
                Declared::Command(own, line) => vec![CredentialStatus {
                    credential: first_name(description),
                    required: own.required,
                    group: None,
                    source: Some(KeySource::Command),
                    names: vec![line.program().to_owned()],
                    lacks: None,
                    used: true,
                    granted: match &allowed {
                        None => true,
                        Some(_) if description.credentials.is_empty() => users,
                        Some(_) => description.credentials.iter().any(granted),
                    },
                    provider: name.clone(),
                    plugin: plugin.clone(),
                }],
                Declared::Places(credentials, places) => {
                    let status = |credential: &Credential| {
                        let (source, names, lacks) =
                            self.place_of(&name, &credentials, credential, places, &kept)?;
                        Ok(CredentialStatus {
                            provider: name.clone(),
                            plugin: plugin.clone(),
                            credential: credential.name.clone(),
                            required: credential.required,
                            group: credential.group.clone(),
                            source,
                            names,
                            lacks,
                            used: source.is_some(),
                            granted: granted(credential),
                        })
                    };
                    credentials.iter().map(status).collect::<Result<Vec<_>>>()?
                }
            };
            all.extend(in_use(of_provider));
        }
        Ok(all)
    }

    /// Every key that there is: those that are kept, whoever uses them, and those that providers have from elsewhere.
    ///
    /// # Errors
    /// The keys or the grants can't be read.
    pub async fn keys(&self) -> Result<Vec<KeyEntry>> {
        let mut all: BTreeMap<(KeySource, String), (Vec<String>, Vec<String>)> = BTreeMap::new();
        for (name, source) in self.kept()? {
            all.insert((source, name), Default::default());
        }
        for status in self.credentials().await? {
            let Some(source) = status.source else { continue };
            for name in status.names {
                let (used_by, not_allowed) = all.entry((source, name)).or_default();
                let list = match (status.used, status.granted) {
                    (true, true) => used_by,
                    (_, false) => not_allowed,
                    (false, true) => continue,
                };
                if !list.contains(&status.provider) {
                    list.push(status.provider.clone());
                }
            }
        }
        let entry =
            |((source, name), (used_by, not_allowed))| KeyEntry { name, source, used_by, not_allowed };
        Ok(all.into_iter().map(entry).collect())
    }

    fn kept(&self) -> Result<BTreeMap<String, KeySource>> {
        let source = |place| match place {
            KeyPlace::Keyring => KeySource::Keyring,
            KeyPlace::File => KeySource::KeysFile,
        };
        let kept = self.0.keys.store.list()?;
        Ok(kept.into_iter().map(|(name, kept)| (name, source(kept.place()))).collect())
    }

    /// The first place that has a credential, and the names that it has there; else where it would be, and what is not
    /// where some of it is.
    fn place_of(
        &self,
        provider: &str,
        all: &[Credential],
        credential: &Credential,
        places: &[Place],
        kept: &BTreeMap<String, KeySource>,
    ) -> Result<(Option<KeySource>, Vec<String>, Option<String>)> {
        let mut lacks = None;
        for place in places {
            let found = whole(
                credential,
                |field| place.names(provider, all, credential, field),
                |name| {
                    let source = match place {
                        Place::Environment => KeySource::Environment,
                        Place::Files => KeySource::File,
                        Place::Named | Place::Kept => match kept.get(name) {
                            Some(source) => *source,
                            None => return Ok(None),
                        },
                    };
                    Ok(place.has(name).then(|| (name.to_owned(), source)))
                },
            )?;
            match found {
                Found::Whole(fields) => {
                    // Fields of one credential may be kept in both places; the first says it.
                    let source = fields.values().map(|(_, source)| *source).next();
                    return Ok((source, fields.into_values().map(|(name, _)| name).collect(), None));
                }
                Found::Part(names) => lacks = lacks.or(Some(names)),
                Found::Nothing(_) => {}
            }
        }
        let names = credential.fields.iter().flat_map(|field| field.env.iter().cloned());
        Ok((None, names.collect(), lacks))
    }
}

/// Of a group, the first that is there and granted is used.
fn in_use(mut all: Vec<CredentialStatus>) -> Vec<CredentialStatus> {
    let mut groups: Vec<String> = Vec::new();
    for status in &mut all {
        status.used = status.used && status.granted;
        if let Some(group) = status.group.clone().filter(|_| status.used) {
            status.used = !groups.contains(&group);
            groups.push(group);
        }
    }
    all
}

fn first_name(description: &Description) -> String {
    description.credentials.first().map_or("api-key", |credential| &credential.name).to_owned()
}
