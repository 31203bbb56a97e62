//! From a model string to an instance: which plugin answers, at which server, with which grants and keys.
//!
//! A name is the user's instance, else a preset that comes with the program, else a plugin's id. Nothing runs here but
//! the question `describe` to a component that has not been seen before.

use crate::config::{CredentialSource, InstanceConfig};
use crate::egress::{is_loopback, parse_origin};
use crate::instance::{BaseUrlSource, Instance};
use crate::model::{
    Credential, CredentialField, CredentialPlacement, Description, Failure, FailureKind, Result,
};
use crate::model_string::parse_url;
use crate::plugins::{Loaded, Plugin};
use crate::secrets::{self, HeldCredential};
use crate::settings;
use serde_json::{Map, Value};
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
    /// The user allows what the plugin declares, for this run.
    pub(crate) allow: bool,
}

impl Request<'_> {
    pub(crate) fn instance(self) -> Result<Instance> {
        let description = self.loaded.description();
        let configured = self.config.map(|config| &config.settings);
        let settings = settings::merge(description, configured, self.settings, self.name)?;
        let (base_url, base_url_source) = self.base_url(description, &settings)?;
        let trusted = self.plugin.is_first_party() || self.allow;
        let named_by_user =
            matches!(base_url_source, BaseUrlSource::ModelString | BaseUrlSource::Configuration);

        let mut origins: Vec<Origin> = Vec::new();
        if trusted {
            origins.extend(description.origins.iter().filter_map(|origin| parse_origin(origin)));
        }
        let base_origin = base_url.as_ref().map(Url::origin);
        if let Some(origin) = base_origin.clone().filter(|_| trusted || named_by_user) {
            origins.push(origin);
        }
        let refused = (!trusted).then(|| self.how_to_allow(description)).flatten();
        if let Some(how) = &refused
            && !named_by_user
        {
            return Err(Failure::new(FailureKind::Denied, how.clone()).of_provider(self.name));
        }
        let credentials = match (&base_origin, trusted) {
            (Some(origin), true) => self.credentials(description, origin, base_url_source)?,
            _ => Vec::new(),
        };
        Ok(Instance {
            name: self.name.to_owned(),
            plugin: description.id.clone(),
            base_url,
            base_url_source,
            settings: Value::Object(settings),
            origins,
            credentials,
            refused,
        })
    }

    fn base_url(
        &self,
        description: &Description,
        settings: &Map<String, Value>,
    ) -> Result<(Option<Url>, BaseUrlSource)> {
        let wrong = |message| Failure::new(FailureKind::InvalidRequest, message).of_provider(self.name);
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
            let url = parse_url(&settings::fill(text, settings, self.name)?, text)?;
            let source = if self.is_users { BaseUrlSource::Configuration } else { BaseUrlSource::Preset };
            return Ok((Some(url), source));
        }
        if let Some(text) = &description.default_base_url {
            let url = parse_url(&settings::fill(text, settings, self.name)?, text)?;
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

    /// What a plugin that nobody has allowed asks for, and the command that allows it; `None` if it asks for nothing.
    fn how_to_allow(&self, description: &Description) -> Option<String> {
        let mut wants: Vec<String> =
            description.default_base_url.iter().chain(&description.origins).cloned().collect();
        for credential in &description.credentials {
            wants.push(format!("the key `{}` ({})", credential.name, secrets::variables(credential)));
        }
        (!wants.is_empty()).then(|| {
            let file = self.plugin.file.as_ref().map(|path| path.display().to_string()).unwrap_or_default();
            format!(
                "the plugin `{}` ({file}, sha256 {:.12}…) is not from this program and asks for {}. If you trust it \
                 with that, add `--allow` to allow it for this run",
                description.id,
                self.loaded.inspection.digest,
                wants.join(", ")
            )
        })
    }

    /// The credentials that the host holds for this instance.
    fn credentials(
        &self,
        description: &Description,
        base: &Origin,
        source: BaseUrlSource,
    ) -> Result<Vec<HeldCredential>> {
        let typed = source == BaseUrlSource::ModelString;
        // A mistyped or copied URL never receives a key.
        if typed && !is_loopback(base) {
            return Ok(Vec::new());
        }
        let declared = self.declared_credentials(description);
        let mut held: Vec<HeldCredential> = Vec::new();
        let mut missing: Vec<&Credential> = Vec::new();
        for credential in &declared {
            match secrets::from_environment(credential) {
                Some(secret) => {
                    let (header, prefix) = secrets::header_of(&credential.placement)?;
                    let named: Vec<Origin> =
                        credential.send_to.iter().filter_map(|origin| parse_origin(origin)).collect();
                    let send_to = if named.is_empty() { vec![base.clone()] } else { named };
                    held.push(HeldCredential {
                        name: credential.name.clone(),
                        header,
                        prefix,
                        secret,
                        send_to,
                    });
                }
                None if credential.required => missing.push(credential),
                None => {}
            }
        }
        missing.retain(|credential| {
            credential.group.is_none()
                || !declared.iter().any(|other| {
                    other.group == credential.group && held.iter().any(|held| held.name == other.name)
                })
        });
        match missing.first() {
            // A server that the user typed may want no key at all; it will say so itself if it does.
            Some(credential) if !typed => Err(Failure::new(
                FailureKind::Authentication,
                format!(
                    "`{}` needs a key, and there is none: set the environment variable {}",
                    self.name,
                    secrets::variables(credential)
                ),
            )
            .of_provider(self.name)),
            _ => Ok(held),
        }
    }

    /// The plugin's credentials, or the instance's own in their place.
    fn declared_credentials(&self, description: &Description) -> Vec<Credential> {
        let Some(own) = self.config.and_then(|config| config.credential.as_ref()) else {
            return description.credentials.clone();
        };
        let declared = description.credentials.first();
        let CredentialSource::Env(variables) = &own.source;
        let name = declared.map_or("api-key", |credential| &credential.name).to_owned();
        let placement =
            own.placement.clone().or_else(|| declared.map(|credential| credential.placement.clone()));
        vec![Credential {
            fields: vec![CredentialField {
                name: name.clone(),
                env: variables.to_vec(),
                optional: !own.required,
            }],
            name,
            placement: placement.unwrap_or(CredentialPlacement::Bearer),
            send_to: Vec::new(),
            required: own.required,
            group: None,
        }]
    }
}
