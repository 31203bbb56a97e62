//! How servers are reached: the resolver, a proxy and further authorities, as the configuration has them.
//!
//! Problem: a proxy that looks names up itself would undo every check of addresses. Decision: the host resolves and
//! checks the target, and asks the proxy (`CONNECT`) for the address that it has checked; TLS goes through the tunnel to
//! the target itself. This machine's own addresses are never asked of a proxy, whose own they would be. No proxy of the
//! environment is taken. Price: a network whose names only the proxy can resolve is not reached.

use super::names::{Resolve, SystemResolver};
use crate::config::{NetworkConfig, ProxyUrl};
use crate::model::{Failure, FailureKind, Result};
use crate::secrets::Secret;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderValue, Uri};
use percent_encoding::percent_decode_str;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::hash::{Hash, Hasher};
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use url::Url;
use zeroize::Zeroizing;

/// The way to an instance's servers.
#[derive(Clone)]
pub(crate) struct Route {
    pub(super) resolver: Arc<dyn Resolve>,
    pub(super) proxy: Option<Arc<Proxy>>,
    /// Authorities beside the machine's own.
    pub(super) roots: Arc<[CertificateDer<'static>]>,
}

impl Default for Route {
    fn default() -> Self {
        Self { resolver: Arc::new(SystemResolver), proxy: None, roots: Arc::default() }
    }
}

impl std::fmt::Debug for Route {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Route").field("proxy", &self.proxy).field("roots", &self.roots.len()).finish()
    }
}

impl Route {
    pub(crate) fn new(resolver: Arc<dyn Resolve>) -> Self {
        Self { resolver, ..Self::default() }
    }

    /// The same, changed by a configuration: its proxy takes the place of the one before, its authorities are added.
    ///
    /// # Errors
    /// `invalid-request`: the proxy is none, or the file has no certificates.
    pub(crate) fn with(&self, config: &NetworkConfig) -> Result<Self> {
        let mut route = self.clone();
        if let Some(url) = &config.proxy {
            route.proxy = Proxy::parse(url)?.map(Arc::new);
        }
        if let Some(file) = &config.ca_file {
            route.roots = self.roots.iter().cloned().chain(authorities(file)?).collect();
        }
        Ok(route)
    }
}

/// A proxy that makes tunnels.
pub(super) struct Proxy {
    /// Without user and password.
    pub(super) uri: Uri,
    /// The value of `proxy-authorization`.
    authorization: Option<Secret>,
}

impl std::fmt::Debug for Proxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.uri.fmt(f)
    }
}

impl PartialEq for Proxy {
    fn eq(&self, other: &Self) -> bool {
        let authorization = |proxy: &Self| proxy.authorization.as_ref().map(|it| it.expose().to_owned());
        self.uri == other.uri
            && authorization(self).map(Zeroizing::new) == authorization(other).map(Zeroizing::new)
    }
}

impl Eq for Proxy {}

impl Hash for Proxy {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.uri.hash(state);
    }
}

impl Proxy {
    /// `None` for `none`.
    fn parse(text: &ProxyUrl) -> Result<Option<Self>> {
        // Not quoted: there may be a password in it.
        let wrong = || {
            Failure::new(
                FailureKind::InvalidRequest,
                "the `proxy` of the configuration is not `http://host:port` (with `user:password@` before the host if it \
                 wants them), or `none`",
            )
        };
        let text = text.0.expose().trim();
        if text == "none" {
            return Ok(None);
        }
        let url = Url::parse(text).map_err(|_| wrong())?;
        if url.scheme() != "http" || url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            return Err(wrong());
        }
        let uri = url.origin().ascii_serialization().parse().map_err(|_| wrong())?;
        let authorization = (!url.username().is_empty() || url.password().is_some()).then(|| {
            let user: Vec<u8> = percent_decode_str(url.username()).collect();
            let password: Vec<u8> = percent_decode_str(url.password().unwrap_or_default()).collect();
            let plain = Zeroizing::new([user, b":".to_vec(), password].concat());
            Secret::new(format!("Basic {}", STANDARD.encode(&*plain)))
        });
        Ok(Some(Self { uri, authorization }))
    }

    pub(super) fn authorization(&self) -> Option<HeaderValue> {
        // Base64 is what a header can carry.
        let mut value = HeaderValue::from_str(self.authorization.as_ref()?.expose()).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

/// The most that is read of a file of authorities.
const MOST_BYTES: u64 = 4 << 20;

/// The certificates of a PEM file.
fn authorities(file: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let wrong = |what: &dyn std::fmt::Display| {
        let what = format!("the `ca-file` {} of the configuration {what}", file.display());
        Failure::new(FailureKind::InvalidRequest, what)
    };
    let mut bytes = Vec::new();
    let read =
        crate::plain_file::open(file).and_then(|file| file.take(MOST_BYTES + 1).read_to_end(&mut bytes));
    read.map_err(|error| wrong(&format_args!("can't be read: {error}")))?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(wrong(&"is larger than 4 MiB, and a machine's whole bundle has less than one"));
    }
    let found: std::result::Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    let found = found.map_err(|error| wrong(&format_args!("is not a PEM file of certificates: {error}")))?;
    if found.is_empty() {
        return Err(wrong(&"has no certificate in it (`-----BEGIN CERTIFICATE-----`)"));
    }
    Ok(found)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Option<Proxy>> {
        Proxy::parse(&ProxyUrl(Secret::new(text.to_owned())))
    }

    #[test]
    fn a_proxy_is_a_server_and_perhaps_a_user() {
        let plain = parse("http://proxy.example:3128").unwrap().unwrap();
        assert_eq!(plain.uri, "http://proxy.example:3128");
        assert!(plain.authorization().is_none());
        let known = parse("http://me:p%40ss@proxy.example:3128/").unwrap().unwrap();
        // me:p@ss
        assert_eq!(known.authorization().unwrap(), "Basic bWU6cEBzcw==");
        assert_eq!(known.uri, plain.uri);
        assert_ne!(known, plain);
        assert_eq!(format!("{known:?}"), "http://proxy.example:3128/");
        assert!(parse("none").unwrap().is_none());
    }

    #[test]
    fn a_file_of_authorities_is_bounded() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        std::fs::File::create(&path).unwrap().set_len(MOST_BYTES + 1).unwrap();
        assert!(authorities(&path).unwrap_err().message.contains("larger than 4 MiB"));
        assert!(authorities(Path::new("/dev/zero")).unwrap_err().message.contains("not a file"));
    }

    #[test]
    fn what_is_no_proxy_is_not_quoted() {
        for text in [
            "proxy:3128",
            "https://me:hunter2@p",
            "socks5://me:hunter2@p",
            "http://me:hunter2@p/x",
            "me:hunter2",
        ] {
            let failure = parse(text).unwrap_err();
            assert!(
                !failure.message.contains("hunter2") && failure.message.contains("http://host:port"),
                "{text}"
            );
        }
        let config = format!(
            "{:?}",
            NetworkConfig { proxy: Some(ProxyUrl(Secret::new("hunter2".into()))), ca_file: None }
        );
        assert!(!config.contains("hunter2"), "{config}");
    }
}
