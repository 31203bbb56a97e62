//! A provider as the user set it up: one server, one account. One plugin serves many instances.

use crate::egress::Route;
use crate::grants::Ticket;
use crate::queue::Queue;
use crate::secrets::HeldCredential;
use serde_json::Value;
use std::sync::Arc;

/// Where an instance's base URL comes from: what it may receive depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BaseUrlSource {
    /// The plugin's own default.
    Plugin,
    /// A preset that comes with the program.
    Preset,
    /// The user's configuration, or the embedding program.
    Configuration,
    /// `@url` in a model string.
    ModelString,
}

/// A provider as it is called: plugin, server, account, settings.
#[derive(Clone, Debug)]
pub struct Instance {
    /// The `provider` in `provider:model`.
    pub name: String,
    /// The id of the plugin that answers.
    pub plugin: String,
    /// The server, without a trailing slash. `None` for a provider without a network.
    pub base_url: Option<url::Url>,
    /// Where the base URL comes from.
    pub base_url_source: BaseUrlSource,
    /// The instance's settings, valid against the plugin's schema.
    pub settings: Value,
    /// Headers that the host adds to each request to the base URL's origin.
    pub headers: http::HeaderMap,
    /// The only origins that it may reach; its base URL's is one of them once it is granted.
    pub origins: Vec<url::Origin>,
    /// Beyond them, any server of the internet: what the user has allowed a component of tools.
    pub(crate) anywhere: bool,
    /// Those of them that the user has named one by one, and which so may be of this machine.
    pub(crate) named: Vec<url::Origin>,
    /// What allows it another server, whose origin stands behind that: for errors.
    pub(crate) allows: Option<String>,
    /// Secrets that the host adds on the way out.
    pub credentials: Vec<HeldCredential>,
    /// What was declared but not granted, and the command that would allow it: for errors.
    pub refused: Option<String>,
    /// Shows that this still holds; `None` where nothing can be taken back.
    pub(crate) ticket: Option<Arc<Ticket>>,
    /// How its servers are reached.
    pub(crate) route: Route,
    /// Its calls, of all clients.
    pub(crate) queue: Arc<Queue>,
}

impl Instance {
    /// The base URL as the contract wants it: without a trailing slash, empty where there is none.
    #[must_use]
    pub fn base_url(&self) -> &str {
        self.base_url.as_ref().map_or("", |url| url.as_str().trim_end_matches('/'))
    }
}
