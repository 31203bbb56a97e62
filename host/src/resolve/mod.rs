//! From a model string to an instance: which plugin answers, at which server, with which grants and keys.
//!
//! A name is the user's instance, else a preset that comes with the program, else a plugin's id. Nothing runs here but
//! the question `describe` to a component that has not been seen before.

mod credentials;

pub(crate) use credentials::{Declared, Place, declared};

use crate::config::InstanceConfig;
use crate::egress::{Route, configured_headers, parse_origin};
use crate::grants::{ANY, Permit};
use crate::instance::{BaseUrlSource, Instance};
use crate::model::{CredentialPlacement, Description, Failure, FailureKind, Result};
use crate::model_string::parse_url;
use crate::plugins::{Loaded, Plugin};
use crate::queue::Queues;
use crate::secrets::Keys;
use crate::settings::{self, Filled};
use http::HeaderMap;
use serde_json::{Map, Value};
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
    /// Where keys come from.
    pub(crate) keys: &'a Keys,
    /// The way to all servers, which the instance may change for its own.
    pub(crate) route: &'a Route,
    pub(crate) queues: &'a Queues,
    /// Calls that run at once, unless the instance says otherwise.
    pub(crate) calls: usize,
}

impl Request<'_> {
    pub(crate) async fn instance(self) -> Result<Instance> {
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
        for text in self.permit.origins(description).filter(|text| *text != ANY) {
            origins.extend(self.declared_server(description, &settings, text)?);
        }
        let base_origin = base_url.as_ref().map(Url::origin);
        // A preset, which stands on a plugin of ours, is as good as what the plugin declares.
        let may_base =
            named_by_user || base_url_source == BaseUrlSource::Preset || self.permit.base(description);
        if let Some(origin) = base_origin.clone().filter(|_| may_base) {
            origins.push(origin);
        }
        let named: Vec<Origin> = self.permit.named(description).filter_map(parse_origin).collect();
        origins.extend(named.iter().cloned());
        let undecided = base_origin.is_none() && !self.permit.decided;
        if let Some(how) = &self.permit.refused
            && (undecided || (base_origin.is_some() && !may_base))
        {
            return Err(self.denied(how));
        }
        let credentials = match &base_origin {
            Some(origin) => self.credentials(description, &settings, origin, base_url_source).await?,
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
            anywhere: self.permit.anywhere(description),
            named,
            allows: self.permit.allows.clone(),
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
        let fill = |text: &str| settings::fill(text, Filled::BaseUrl, settings, schema, self.name);
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
        if self.loaded.speaks_http() && description.origins.is_empty() && !description.is_of_tools() {
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
        Ok(parse_origin(&settings::fill(text, Filled::Origin, settings, schema, self.name)?))
    }

    /// A grant is missing.
    fn denied(&self, how: &str) -> Failure {
        Failure::new(FailureKind::Denied, how).of_provider(self.name)
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
