//! A plugin's own connections: pooled, and shared with no other plugin.

use super::dial::{Deadline, Dial};
use super::names::Resolve;
use super::route::{Proxy, Route};
use crate::model::{Failure, FailureKind, Result};
use bytes::Bytes;
use http::{HeaderValue, Request, Response, header};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::client::legacy;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::pki_types::CertificateDer;
use rustls_platform_verifier::Verifier;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tower_http::decompression::{Decompression, DecompressionBody};
use tower_service::Service;

/// A response's body, decompressed.
pub(super) type ResponseBody = DecompressionBody<Incoming>;

/// What tells one client of a plugin from another.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Kind {
    /// With TLS. Loading the platform's roots takes milliseconds that a local server is spared.
    tls: bool,
    /// May reach this machine or network.
    pub(super) local: bool,
    /// How long a connection may take.
    pub(super) connect: Duration,
    proxy: Option<Arc<Proxy>>,
    roots: Arc<[CertificateDer<'static>]>,
}

impl Kind {
    pub(super) fn new(url: &url::Url, local: bool, connect: Duration, route: &Route) -> Self {
        let tls = url.scheme() == "https";
        let roots = if tls { route.roots.clone() } else { Arc::default() };
        Self { tls, local, connect, proxy: route.proxy.clone(), roots }
    }
}

/// The clients of one plugin, made when first used.
#[derive(Debug, Default)]
pub(crate) struct Clients(Mutex<HashMap<Kind, Client>>);

/// Clients that a plugin may have: the deadline for connections is the only open number in their kind.
const MOST_CLIENTS: usize = 16;

/// Bytes of a head that HTTP/2 takes at all, as HTTP/1 does by hyper's own bound; `response-headers` is what counts.
const MOST_HEADERS: u32 = 400 << 10;

impl Clients {
    pub(super) fn get(&self, kind: &Kind, resolver: &Arc<dyn Resolve>) -> Result<Client> {
        let mut clients = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(kind) {
            return Ok(client.clone());
        }
        if clients.len() >= MOST_CLIENTS {
            clients.clear();
        }
        let client = Client::new(kind, resolver.clone())?;
        clients.insert(kind.clone(), client.clone());
        Ok(client)
    }
}

/// Sends requests, and decompresses what comes back. It follows no redirect.
#[derive(Clone, Debug)]
pub(super) struct Client(Decompression<legacy::Client<Deadline, Full<Bytes>>>);

impl Client {
    fn new(kind: &Kind, resolver: Arc<dyn Resolve>) -> Result<Self> {
        let failed = |what: &dyn std::fmt::Display| {
            Failure::new(FailureKind::Internal, format!("could not set up HTTPS on this machine: {what}"))
        };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let versions = rustls::ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(|error| failed(&error))?;
        let tls = if kind.tls {
            let verifier = Verifier::new_with_extra_roots(kind.roots.iter().cloned(), provider);
            let verifier = verifier.map_err(|error| failed(&error))?;
            // What is called dangerous is any verifier but the simplest; this one is the platform's.
            versions.dangerous().with_custom_certificate_verifier(Arc::new(verifier)).with_no_client_auth()
        } else {
            versions.with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth()
        };
        let dial = Dial { resolver, local: kind.local, proxy: kind.proxy.clone() };
        let https = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http();
        let https = https.enable_all_versions().wrap_connector(dial);
        let client = legacy::Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_secs(90))
            .http2_max_header_list_size(MOST_HEADERS)
            .build(Deadline { inner: https, connect: kind.connect });
        Ok(Self(Decompression::new(client)))
    }

    /// Sends a request; gives its response's head.
    pub(super) async fn send(
        &self,
        mut request: Request<Full<Bytes>>,
    ) -> std::result::Result<Response<ResponseBody>, legacy::Error> {
        let headers = request.headers_mut();
        headers.entry(header::ACCEPT).or_insert(HeaderValue::from_static("*/*"));
        let agent = concat!("aimu-host/", env!("CARGO_PKG_VERSION"));
        headers.entry(header::USER_AGENT).or_insert(HeaderValue::from_static(agent));
        // hyper's client is always ready.
        self.0.clone().call(request).await
    }
}
