//! A plugin's own connections: pooled, and shared with no other plugin.

use super::address::Resolver;
use crate::model::{Failure, FailureKind, Result};
use rustls_platform_verifier::BuilderVerifierExt;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// What tells one client of a plugin from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Kind {
    /// With TLS. Loading the platform's roots takes milliseconds that a local server is spared.
    pub(super) tls: bool,
    /// May reach this machine or network.
    pub(super) local: bool,
    /// How long a connection may take.
    pub(super) connect: Duration,
}

/// The clients of one plugin, made when first used.
#[derive(Debug, Default)]
pub(crate) struct Clients(Mutex<HashMap<Kind, reqwest::Client>>);

/// Clients that a plugin may have: the deadline for connections is the only open number in their kind.
const MOST_CLIENTS: usize = 16;

impl Clients {
    pub(super) fn get(&self, kind: Kind) -> Result<reqwest::Client> {
        let mut clients = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(&kind) {
            return Ok(client.clone());
        }
        if clients.len() >= MOST_CLIENTS {
            clients.clear();
        }
        let client = build(kind)?;
        clients.insert(kind, client.clone());
        Ok(client)
    }
}

fn build(kind: Kind) -> Result<reqwest::Client> {
    let failed = |what: &dyn std::fmt::Display| {
        Failure::new(FailureKind::Internal, format!("could not set up HTTPS on this machine: {what}"))
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| failed(&error))?;
    let mut tls = if kind.tls {
        versions.with_platform_verifier().map_err(|error| failed(&error))?.with_no_client_auth()
    } else {
        versions.with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth()
    };
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .referer(false)
        .dns_resolver(Arc::new(Resolver { local: kind.local }))
        .connect_timeout(kind.connect)
        .pool_idle_timeout(Duration::from_secs(90))
        .tcp_nodelay(true)
        .user_agent(concat!("aimu-host/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| failed(&error))
}
