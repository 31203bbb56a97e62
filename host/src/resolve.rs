//! From a model string to an instance: which plugin answers, at which server, with which grants and keys.
//!
//! A name is the user's instance, else a preset that comes with the program, else a plugin's id. Nothing runs here but
//! the question `describe` to a component that has not been seen before.

use crate::config::{CredentialConfig, CredentialSource, EnvNames, InstanceConfig, OneOrMany};
use crate::egress::{Route, configured_headers, is_loopback, parse_origin};
use crate::grants::{Permit, base_origin, declared_origin};
use crate::instance::{BaseUrlSource, Instance};
use crate::model::{
    Credential, CredentialField, CredentialPlacement, Description, Failure, FailureKind, Result,
};
use crate::model_string::parse_url;
use crate::plugins::{Loaded, Plugin};
use crate::queue::Queues;
use crate::secrets::{self, Found, HeldCredential};
use crate::settings::{self, Place};
use http::HeaderMap;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use url::{Origin, Url};

/// What decides how an instance may be called.
pub(crate) struct Request<'a> {
    /// The `provider` of the model string.
    pub(crate) name: &'a str,
    pub(crate) plugin: &'a Plugin,
    pub(crate) loaded: &'a Loaded,
    /// The configured instance or preset, if the name is one.
    pub(crate) config: Option<&'a InstanceConfig>,
    /// The configuration is the user's own, not a preset.
    pub(crate) is_users: bool,
    /// `@url` of the model string.
    pub(crate) base_url: Option<Url>,
    /// Settings of this run.
    pub(crate) settings: &'a Map<String, Value>,
    /// What of that which the plugin declares it may use.
    pub(crate) permit: &'a Permit,
    /// The way to all servers, which the instance may change for its own.
    pub(crate) route: &'a Route,
    pub(crate) queues: &'a Queues,
    /// Calls that run at once, unless the instance says otherwise.
    pub(crate) calls: usize,
}

impl Request<'_> {
    pub(crate) fn instance(self) -> Result<Instance> {
        if let Some(how) = self.permit.refused.as_ref().filter(|_| self.permit.suspended) {
            return Err(self.denied(how));
        }
        let description = self.loaded.description();
        let mut configured = self.config.map(|config| config.settings.clone()).unwrap_or_default();
        let mut given = self.settings.clone();
        let url = self.config.and_then(|config| config.base_url.as_deref()).unwrap_or_default();
        let names = settings::of_url(url, description.settings_schema.as_ref());
        let of_url: Map<String, Value> =
            settings::take(&names, &mut configured).chain(settings::take(&names, &mut given)).collect();
        let mut settings = settings::merge(description, Some(&configured), &given, self.name)?;
        region_of_environment(description, self.permit, &mut settings);
        let for_url = settings.clone().into_iter().chain(of_url).collect();
        let (base_url, base_url_source) = self.base_url(description, &for_url)?;
        let named_by_user =
            matches!(base_url_source, BaseUrlSource::ModelString | BaseUrlSource::Configuration);

        let mut origins = Vec::new();
        for text in self.permit.origins(description) {
            origins.extend(self.declared_server(description, &settings, text)?);
        }
        let base_origin = base_url.as_ref().map(Url::origin);
        // A preset, which stands on a plugin of ours, is as good as what the plugin declares.
        let may_base =
            named_by_user || base_url_source == BaseUrlSource::Preset || self.permit.base(description);
        if let Some(origin) = base_origin.clone().filter(|_| may_base) {
            origins.push(origin);
        }
        let undecided = base_origin.is_none() && !self.permit.decided;
        if let Some(how) = &self.permit.refused
            && (undecided || (base_origin.is_some() && !may_base))
        {
            return Err(self.denied(how));
        }
        let credentials = match &base_origin {
            Some(origin) => self.credentials(description, &settings, origin, base_url_source)?,
            None => Vec::new(),
        };
        let headers = match self.config {
            Some(config) => {
                configured_headers(&config.headers).map_err(|failure| failure.of_provider(self.name))?
            }
            None => HeaderMap::new(),
        };
        let route = match self.config {
            Some(config) => {
                self.route.with(&config.network()).map_err(|failure| failure.of_provider(self.name))?
            }
            None => self.route.clone(),
        };
        let most = self.config.and_then(|config| config.max_concurrent).map_or(self.calls, NonZeroUsize::get);
        let queue = self.queues.of(self.name, base_url.as_ref().map_or("", Url::as_str), most);
        Ok(Instance {
            name: self.name.to_owned(),
            plugin: description.id.clone(),
            base_url,
            base_url_source,
            settings: Value::Object(settings),
            headers,
            origins,
            credentials,
            refused: self.permit.refused.clone(),
            ticket: self.permit.ticket.clone(),
            route,
            queue,
        })
    }

    fn base_url(
        &self,
        description: &Description,
        settings: &Map<String, Value>,
    ) -> Result<(Option<Url>, BaseUrlSource)> {
        let wrong = |message| Failure::new(FailureKind::InvalidRequest, message).of_provider(self.name);
        let schema = description.settings_schema.as_ref();
        let fill = |text: &str| settings::fill(text, Place::BaseUrl, settings, schema, self.name);
        if let Some(url) = &self.base_url {
            if !self.loaded.speaks_http() {
                return Err(wrong(format!(
                    "`{}` has no network and takes no base URL: leave out `@{url}`",
                    self.name
                )));
            }
            return Ok((Some(url.clone()), BaseUrlSource::ModelString));
        }
        if let Some(text) = self.config.and_then(|config| config.base_url.as_deref()) {
            let url = parse_url(&fill(text)?, text)?;
            let source = if self.is_users { BaseUrlSource::Configuration } else { BaseUrlSource::Preset };
            return Ok((Some(url), source));
        }
        if let Some(text) = &description.default_base_url {
            let url = parse_url(&fill(text)?, text)?;
            // What a plugin of ours declares is as good as a preset.
            let first_party = self.plugin.is_first_party();
            return Ok((Some(url), if first_party { BaseUrlSource::Preset } else { BaseUrlSource::Plugin }));
        }
        if self.loaded.speaks_http() && description.origins.is_empty() {
            return Err(wrong(format!(
                "`{name}` needs a base URL: write `{name}:model@https://host/v1`, or name the server in config.toml as \
                 `[providers.myserver]` with `plugin = \"{name}\"` and `base-url = \"…\"`",
                name = self.name
            )));
        }
        Ok((None, BaseUrlSource::Plugin))
    }

    /// A server that the plugin declares, with this instance's settings in it.
    fn declared_server(
        &self,
        description: &Description,
        settings: &Map<String, Value>,
        text: &str,
    ) -> Result<Option<Origin>> {
        let schema = description.settings_schema.as_ref();
        Ok(parse_origin(&settings::fill(text, Place::Origin, settings, schema, self.name)?))
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

    /// A grant is missing.
    fn denied(&self, how: &str) -> Failure {
        Failure::new(FailureKind::Denied, how).of_provider(self.name)
    }

    /// The credentials that the host holds for this instance.
    fn credentials(
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
        let declared = self.declared_credentials(description)?;
        let wrong = |kind, message| Failure::new(kind, message).of_provider(self.name);
        let mut held: Vec<HeldCredential> = Vec::new();
        let mut groups: Vec<&str> = Vec::new();
        let mut missing: Vec<&Credential> = Vec::new();
        let mut forbidden: Vec<&Credential> = Vec::new();
        let mut half = None;
        for credential in &declared {
            // One of a group is enough, and the first that is there is it: two of them may set the same header.
            if credential.group.as_deref().is_some_and(|group| groups.contains(&group)) {
                continue;
            }
            if !self.may_use(description, credential) {
                forbidden.extend(credential.required.then_some(credential));
                continue;
            }
            let values = match secrets::from_environment(credential) {
                Found::Whole(values) => values,
                found => {
                    if let Found::Part(variables) = found {
                        half = half.or(Some((credential, variables)));
                    }
                    if credential.required {
                        missing.push(credential);
                    }
                    continue;
                }
            };
            let form = secrets::form(&credential.placement, values, |setting| {
                region(description, settings, setting)
                    .map(str::to_owned)
                    .map_err(|message| wrong(FailureKind::InvalidRequest, message))
            })?;
            let send_to = self.send_to(description, settings, base, credential)?;
            held.push(HeldCredential { name: credential.name.clone(), form, send_to });
            groups.extend(credential.group.as_deref());
        }
        let served = |credential: &Credential| {
            credential.group.as_deref().is_some_and(|group| groups.contains(&group))
        };
        if let Some((credential, variables)) = half.filter(|(credential, _)| !served(credential)) {
            let what = format!("the credential `{}` is not whole: set {variables} too", credential.name);
            return Err(wrong(FailureKind::Authentication, what));
        }
        missing.retain(|credential| !served(credential));
        forbidden.retain(|credential| !served(credential));
        if let Some(how) = self.permit.refused.as_ref().filter(|_| !typed && !forbidden.is_empty()) {
            return Err(self.denied(how));
        }
        match missing.first() {
            // A server that the user typed may want no key at all; it will say so itself if it does.
            Some(first) if !typed => {
                let same =
                    |credential: &&&Credential| credential.group.is_some() && credential.group == first.group;
                let mut ways: Vec<String> =
                    missing.iter().filter(same).map(|credential| secrets::variables(credential)).collect();
                if ways.is_empty() {
                    ways.push(secrets::variables(first));
                }
                let what = format!(
                    "`{}` needs a key, and there is none: set the environment variable {}",
                    self.name,
                    ways.join(", or ")
                );
                Err(wrong(FailureKind::Authentication, what))
            }
            _ => Ok(held),
        }
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

    /// The plugin's credentials, or the instance's own in their place.
    pub(crate) fn declared_credentials(&self, description: &Description) -> Result<Vec<Credential>> {
        let Some(own) = self.config.and_then(|config| config.credential.as_ref()) else {
            return Ok(description.credentials.clone());
        };
        let wrong = |message| Failure::new(FailureKind::InvalidRequest, message).of_provider(self.name);
        let variables = match &own.source {
            CredentialSource::Env(EnvNames::Fields(fields)) => {
                return self
                    .credential_of_fields(description, own, fields)
                    .map(|credential| vec![credential]);
            }
            CredentialSource::Env(EnvNames::One(name)) => vec![name.clone()],
            CredentialSource::Env(EnvNames::Many(names)) => names.clone(),
        };
        // One key is for a place that takes one.
        let plain =
            |placement: &CredentialPlacement| !matches!(placement, CredentialPlacement::AwsSigv4 { .. });
        let declared = description.credentials.iter().find(|credential| plain(&credential.placement));
        let name = declared.map_or("api-key", |credential| &credential.name).to_owned();
        let placement =
            own.placement.clone().or_else(|| declared.map(|credential| credential.placement.clone()));
        if placement.as_ref().is_some_and(|placement| !plain(placement)) {
            return Err(wrong(
                "a signature takes several keys; name a variable for each: `source = { env = { access-key-id = \"…\", \
                 secret-access-key = \"…\" } }`"
                    .to_owned(),
            ));
        }
        Ok(vec![Credential {
            fields: vec![CredentialField { name: name.clone(), env: variables, optional: !own.required }],
            name,
            placement: placement.unwrap_or(CredentialPlacement::Bearer),
            send_to: self.own_send_to(declared),
            required: own.required,
            group: None,
        }])
    }

    /// The plugin's credential that has these fields, looked up in the variables of the instance's own.
    fn credential_of_fields(
        &self,
        description: &Description,
        own: &CredentialConfig,
        fields: &BTreeMap<String, OneOrMany>,
    ) -> Result<Credential> {
        let has = |credential: &&Credential| {
            fields.keys().all(|name| credential.fields.iter().any(|field| field.name == *name))
        };
        let mut credential = description.credentials.iter().find(has).cloned().ok_or_else(|| {
            let names: Vec<&str> = fields.keys().map(String::as_str).collect();
            let what = format!("no credential of `{}` has the fields {}", description.id, names.join(", "));
            Failure::new(FailureKind::InvalidRequest, what).of_provider(self.name)
        })?;
        for field in &mut credential.fields {
            // A field that is not named has no variable: keys of two accounts must not mix.
            field.env = fields.get(&field.name).map(OneOrMany::to_vec).unwrap_or_default();
        }
        credential.send_to = self.own_send_to(Some(&credential));
        credential.placement = own.placement.clone().unwrap_or(credential.placement);
        Ok(Credential { required: own.required, group: None, ..credential })
    }

    /// Where a key of the instance's own goes: where the declared one does, if it is for the same server. A key for a
    /// base URL of the instance's own is for that alone.
    fn own_send_to(&self, declared: Option<&Credential>) -> Vec<String> {
        let elsewhere =
            self.base_url.is_some() || self.config.is_some_and(|config| config.base_url.is_some());
        declared.filter(|_| !elsewhere).map(|declared| declared.send_to.clone()).unwrap_or_default()
    }
}

/// The settings that hold the region of a signature.
fn region_settings<'a>(description: &'a Description, permit: &Permit) -> impl Iterator<Item = &'a str> {
    let granted =
        description.credentials.iter().filter(|credential| permit.credential(description, credential));
    granted.filter_map(|credential| match &credential.placement {
        CredentialPlacement::AwsSigv4 { region_setting, .. } => Some(region_setting.as_str()),
        _ => None,
    })
}

/// Takes the region from where every tool for AWS takes it, if no setting names one: for a plugin whose requests are
/// signed.
fn region_of_environment(description: &Description, permit: &Permit, settings: &mut Map<String, Value>) {
    for setting in region_settings(description, permit) {
        if settings.contains_key(setting) {
            continue;
        }
        let named =
            ["AWS_REGION", "AWS_DEFAULT_REGION"].into_iter().filter_map(|name| std::env::var(name).ok());
        if let Some(region) = named.map(|region| region.trim().to_owned()).find(|region| is_region(region)) {
            settings.insert(setting.to_owned(), region.into());
        }
    }
}

/// The region that a setting holds.
fn region<'a>(
    description: &'a Description,
    settings: &'a Map<String, Value>,
    setting: &str,
) -> std::result::Result<&'a str, String> {
    match settings::text(settings, description.settings_schema.as_ref(), setting) {
        Some(region) if is_region(region) => Ok(region),
        Some(_) => Err(format!("the setting `{setting}` must be a region, as `us-east-1`")),
        None => {
            Err(format!("the setting `{setting}` must name a region: add `--setting {setting}=us-east-1`"))
        }
    }
}

/// What may stand in a host's name and in a signature's scope.
fn is_region(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}
