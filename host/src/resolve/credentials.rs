//! Which credentials an instance has, and where their values come from.
//!
//! The order: what the instance's own configuration says, then what `aimu-host keys` keeps under the provider's name, then
//! the environment variables that the plugin names. A key that was kept on purpose goes before a variable that may have
//! been set for another program. Where the user's configuration names a source, the plugin's variables are not looked at:
//! keys of two accounts never mix.

use super::{Request, region};
use crate::config::{CredentialConfig, CredentialSource, InstanceConfig, Names, OneOrMany};
use crate::egress::is_loopback;
use crate::grants::{base_origin, declared_origin};
use crate::instance::BaseUrlSource;
use crate::model::{
    Credential, CredentialField, CredentialPlacement, Description, Failure, FailureKind, Result,
};
use crate::secrets::{
    self, CommandLine, Found, HeldCredential, Renewable, SIGNING_FIELDS, Supply, key_names,
};
use serde_json::{Map, Value};
use std::sync::Arc;
use url::Origin;

/// A place in which the fields of a credential are looked up by names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// The environment.
    Environment,
    /// Files.
    Files,
    /// Keys that are kept, under names that the configuration gives.
    Named,
    /// Keys that are kept, under the provider's name.
    Kept,
}

/// The credentials of a provider, and where their values come from.
pub(crate) enum Declared<'a> {
    /// From these places, in order.
    Places(Vec<Credential>, &'static [Place]),
    /// From a program, whose output decides which credential it is.
    Command(&'a CredentialConfig, &'a CommandLine),
}

/// What a provider declares, or its configuration in the place of that. `elsewhere`: its base URL is another than the
/// plugin's own. The error says what is wrong with the configuration.
pub(crate) fn declared<'a>(
    description: &Description,
    config: Option<&'a InstanceConfig>,
    is_users: bool,
    elsewhere: bool,
) -> std::result::Result<Declared<'a>, String> {
    let Some(own) = config.and_then(|config| config.credential.as_ref()) else {
        return Ok(Declared::Places(description.credentials.clone(), &[Place::Kept, Place::Environment]));
    };
    let (names, places): (_, &[Place]) = match &own.source {
        // What a preset names is a default, as what a plugin names is.
        CredentialSource::Env(names) if !is_users => (names, &[Place::Kept, Place::Environment]),
        CredentialSource::Env(names) => (names, &[Place::Environment, Place::Kept]),
        CredentialSource::File(names) => (names, &[Place::Files, Place::Kept]),
        CredentialSource::Keyring(names) => (names, &[Place::Named, Place::Kept]),
        CredentialSource::Command(line) => return Ok(Declared::Command(own, line)),
    };
    let credential = match names {
        Names::Fields(fields) => {
            let has = |credential: &&Credential| {
                fields.keys().all(|name| credential.fields.iter().any(|field| field.name == *name))
            };
            let mut credential = description.credentials.iter().find(has).cloned().ok_or_else(|| {
                let names: Vec<&str> = fields.keys().map(String::as_str).collect();
                format!("no credential of `{}` has the fields {}", description.id, names.join(", "))
            })?;
            for field in &mut credential.fields {
                // A field that is not named has no variable: keys of two accounts must not mix.
                field.env = fields.get(&field.name).map(OneOrMany::to_vec).unwrap_or_default();
            }
            instances(credential, own, elsewhere)
        }
        Names::One(name) => plain(description, own, vec![name.clone()], elsewhere)?,
        Names::Many(names) => plain(description, own, names.clone(), elsewhere)?,
    };
    Ok(Declared::Places(vec![credential], places))
}

/// A credential that is one key, for a place that takes one.
fn plain(
    description: &Description,
    own: &CredentialConfig,
    names: Vec<String>,
    elsewhere: bool,
) -> std::result::Result<Credential, String> {
    let plain = |placement: &CredentialPlacement| !matches!(placement, CredentialPlacement::AwsSigv4 { .. });
    let declared = description.credentials.iter().find(|credential| plain(&credential.placement)).cloned();
    if own.placement.as_ref().is_some_and(|placement| !plain(placement)) {
        return Err("a signature takes several keys; name a variable for each: `source = { env = { access-key-id = \"…\", \
                    secret-access-key = \"…\" } }`, or a command that prints them as AWS's `credential_process` does"
            .to_owned());
    }
    let mut credential = declared.unwrap_or_else(|| Credential {
        name: "api-key".to_owned(),
        fields: Vec::new(),
        placement: CredentialPlacement::Bearer,
        send_to: Vec::new(),
        required: own.required,
        group: None,
    });
    credential.fields =
        vec![CredentialField { name: credential.name.clone(), env: names, optional: !own.required }];
    Ok(instances(credential, own, elsewhere))
}

/// A credential as an instance has it. It goes where the declared one does, if it is for the same server; a key for a base
/// URL of the instance's own is for that alone.
fn instances(mut credential: Credential, own: &CredentialConfig, elsewhere: bool) -> Credential {
    if elsewhere {
        credential.send_to.clear();
    }
    let placement = own.placement.clone().unwrap_or(credential.placement);
    Credential { placement, required: own.required, group: None, ..credential }
}

impl Place {
    /// The names that a field of a provider's credential has here.
    pub(crate) fn names(
        self,
        provider: &str,
        all: &[Credential],
        own: &Credential,
        field: &CredentialField,
    ) -> Vec<String> {
        let first = all.iter().find(|credential| credential.fields.len() == 1);
        match self {
            Self::Kept => key_names(provider, first.is_some_and(|first| first.name == own.name), own, field),
            Self::Environment | Self::Files | Self::Named => field.env.clone(),
        }
    }

    /// Whether something is there under a name, without its value; of kept keys, who has their names knows.
    pub(crate) fn has(self, name: &str) -> bool {
        match self {
            Self::Environment => {
                std::env::var_os(name).is_some_and(|value| !value.to_string_lossy().trim().is_empty())
            }
            Self::Files => secrets::expanded(name).is_file(),
            Self::Named | Self::Kept => true,
        }
    }

    /// What to do so that something is found here.
    fn remedy(self, names: &str) -> String {
        match self {
            Self::Environment => format!("set the environment variable {names}"),
            Self::Files => format!("write it into the file {names}"),
            Self::Named | Self::Kept => format!("run `aimu-host keys set {names}`"),
        }
    }
}

/// What was looked for and not found.
#[derive(Default)]
struct Missing<'a> {
    /// Required, and nothing of it is there.
    absent: Vec<&'a Credential>,
    /// Required, and not granted.
    forbidden: Vec<&'a Credential>,
    /// A part of it is there, and what would make it whole.
    half: Option<(&'a Credential, String)>,
}

impl Request<'_> {
    /// The credentials that the host holds for this instance.
    pub(super) async fn credentials(
        &self,
        description: &Description,
        settings: &Map<String, Value>,
        base: &Origin,
        source: BaseUrlSource,
    ) -> Result<Vec<HeldCredential>> {
        let typed = source == BaseUrlSource::ModelString;
        // A mistyped or copied URL never receives a key.
        if typed && !is_loopback(base) {
            return Ok(Vec::new());
        }
        let elsewhere =
            self.base_url.is_some() || self.config.is_some_and(|config| config.base_url.is_some());
        let declared = declared(description, self.config, self.is_users, elsewhere);
        let (declared, places) =
            match declared.map_err(|what| self.wrong(FailureKind::InvalidRequest, what))? {
                Declared::Places(credentials, places) => (credentials, places),
                Declared::Command(own, line) => {
                    let (credential, renewable) =
                        match self.by_command(description, own, line, elsewhere).await? {
                            Some(found) => found,
                            None => return self.without(own.required && !typed),
                        };
                    let supply = Supply::Renewable(renewable);
                    return Ok(vec![self.hold(description, settings, base, &credential, supply).await?]);
                }
            };
        let mut held: Vec<HeldCredential> = Vec::new();
        let mut groups: Vec<&str> = Vec::new();
        let mut missing = Missing::default();
        for credential in &declared {
            // One of a group is enough, and the first that is there is it: two of them may set the same header.
            if credential.group.as_deref().is_some_and(|group| groups.contains(&group)) {
                continue;
            }
            if !self.may_use(description, credential) {
                missing.forbidden.extend(credential.required.then_some(credential));
                continue;
            }
            let (mut supply, mut part) = (None, None);
            for place in places {
                match self.look(*place, &declared, credential).await? {
                    Found::Whole(values) => {
                        supply = Some(values);
                        break;
                    }
                    Found::Part(names) => part = part.or(Some(place.remedy(&names))),
                    Found::Nothing(_) => {}
                }
            }
            if let Some(supply) = supply {
                held.push(self.hold(description, settings, base, credential, supply).await?);
                groups.extend(credential.group.as_deref());
            } else {
                missing.half = missing.half.or(part.map(|remedy| (credential, remedy)));
                missing.absent.extend(credential.required.then_some(credential));
            }
        }
        let served = |credential: &Credential| {
            credential.group.as_deref().is_some_and(|group| groups.contains(&group))
        };
        if let Some((credential, remedy)) = missing.half.filter(|(credential, _)| !served(credential)) {
            let what = format!("the credential `{}` is not whole: {remedy}, too", credential.name);
            return Err(self.wrong(FailureKind::Authentication, what));
        }
        missing.absent.retain(|credential| !served(credential));
        missing.forbidden.retain(|credential| !served(credential));
        if let Some(how) = self.permit.refused.as_ref().filter(|_| !typed && !missing.forbidden.is_empty()) {
            return Err(self.denied(how));
        }
        match missing.absent.first() {
            // A server that the user typed may want no key at all; it will say so itself if it does.
            Some(first) if !typed => Err(self.needs_key(first, &missing.absent, places)),
            _ => Ok(held),
        }
    }

    /// There is no key, and what would give one.
    fn needs_key(&self, first: &Credential, absent: &[&Credential], places: &[Place]) -> Failure {
        let same = |credential: &&&Credential| {
            credential.name == first.name || (credential.group.is_some() && credential.group == first.group)
        };
        let names: Vec<String> =
            absent.iter().filter(same).map(|credential| secrets::variables(credential)).collect();
        let mut ways = Vec::new();
        // The names are those of the place that is the provider's own.
        if let Some(place) = places.iter().find(|place| **place != Place::Kept) {
            ways.push(place.remedy(&names.join(", or ")));
        }
        // Others have several names, which the documentation has.
        if absent.iter().filter(same).any(|credential| credential.fields.len() == 1)
            && !self.name.contains('/')
        {
            ways.push(Place::Kept.remedy(self.name));
        }
        let what = format!("`{}` needs a key, and there is none: {}", self.name, ways.join(", or "));
        self.wrong(FailureKind::Authentication, what)
    }

    /// No credential, since none is granted.
    fn without(&self, required: bool) -> Result<Vec<HeldCredential>> {
        match &self.permit.refused {
            Some(how) if required => Err(self.denied(how)),
            _ => Ok(Vec::new()),
        }
    }

    /// Looks a credential up in one place.
    async fn look(&self, place: Place, all: &[Credential], credential: &Credential) -> Result<Found<Supply>> {
        let names = |field: &CredentialField| place.names(self.name, all, credential, field);
        let found = match place {
            Place::Environment => secrets::of_environment(credential),
            Place::Named | Place::Kept => secrets::of_keys(&self.keys.store, credential, names).await,
            Place::Files => secrets::of_files(credential),
        };
        let found = found.map_err(|failure| failure.of_provider(self.name))?;
        Ok(match found {
            // Read again where a server refuses it: what writes such files writes them anew.
            Found::Whole(_) if place == Place::Files => {
                Found::Whole(Supply::Renewable(Arc::new(Renewable::files(credential.clone()))))
            }
            Found::Whole(values) => Found::Whole(Supply::Fixed(values)),
            Found::Part(names) => Found::Part(names),
            Found::Nothing(names) => Found::Nothing(names),
        })
    }

    /// What a program gives, and which credential that is; `None` where it may give none. A program is not run for a
    /// plugin that nothing is granted to.
    async fn by_command(
        &self,
        description: &Description,
        own: &CredentialConfig,
        line: &CommandLine,
        elsewhere: bool,
    ) -> Result<Option<(Credential, Arc<Renewable>)>> {
        let wrong = |what| self.wrong(FailureKind::InvalidRequest, what);
        let signing = description.credentials.iter().find(|credential| {
            SIGNING_FIELDS[..2].iter().all(|name| credential.fields.iter().any(|field| field.name == *name))
        });
        let signing = signing.map(|credential| instances(credential.clone(), own, elsewhere));
        let plain = plain(description, own, Vec::new(), elsewhere);
        let may = |credential: &Credential| self.may_use(description, credential);
        if !signing.iter().chain(plain.as_ref().ok()).any(may) {
            return Ok(None);
        }
        let renewable = self.keys.renewables.command(self.name, line);
        let batch = renewable.get().await.map_err(|failure| failure.of_provider(self.name))?;
        let credential = match batch.values.contains_key(SIGNING_FIELDS[0]) {
            true => signing.ok_or_else(|| {
                wrong(format!(
                    "the command `{}` gives keys that sign, and `{}` takes none",
                    line.program(),
                    description.id
                ))
            })?,
            false => plain.map_err(wrong)?,
        };
        Ok(may(&credential).then_some((credential, renewable)))
    }

    /// A credential with its values.
    async fn hold(
        &self,
        description: &Description,
        settings: &Map<String, Value>,
        base: &Origin,
        credential: &Credential,
        supply: Supply,
    ) -> Result<HeldCredential> {
        let region = match &credential.placement {
            CredentialPlacement::AwsSigv4 { region_setting, .. } => {
                let region = region(description, settings, region_setting);
                Some(region.map_err(|what| self.wrong(FailureKind::InvalidRequest, what))?.to_owned())
            }
            _ => None,
        };
        let send_to = self.send_to(description, settings, base, credential)?;
        let (name, placement) = (credential.name.clone(), credential.placement.clone());
        HeldCredential::new(name, placement, region, send_to, supply)
            .await
            .map_err(|failure| failure.of_provider(self.name))
    }

    /// Where a credential goes: to the base URL, unless its description names servers. Among these, the one of the
    /// default base URL stands for the base URL that the instance has.
    fn send_to(
        &self,
        description: &Description,
        settings: &Map<String, Value>,
        base: &Origin,
        credential: &Credential,
    ) -> Result<Vec<Origin>> {
        if credential.send_to.is_empty() {
            return Ok(vec![base.clone()]);
        }
        let default = base_origin(description).ok().flatten();
        let mut origins = Vec::new();
        for text in &credential.send_to {
            if default.is_some() && declared_origin(description, text).ok() == default {
                origins.push(base.clone());
            } else {
                origins.extend(self.declared_server(description, settings, text)?);
            }
        }
        Ok(origins)
    }

    /// Whether a credential is granted: one of the instance's own as the declared one in whose place it stands.
    fn may_use(&self, description: &Description, credential: &Credential) -> bool {
        if self.config.is_none_or(|config| config.credential.is_none()) {
            return self.permit.credential(description, credential);
        }
        match description.credentials.iter().find(|declared| declared.name == credential.name) {
            Some(declared) => self.permit.credential(description, declared),
            // The plugin asks for none, and so there is nothing to grant: the user's file gives the base URL, which is
            // granted, a key that it names.
            None => self.plugin.is_first_party() || self.is_users,
        }
    }

    fn wrong(&self, kind: FailureKind, what: String) -> Failure {
        Failure::new(kind, what).of_provider(self.name)
    }
}
