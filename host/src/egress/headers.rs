//! Which words of a request are whose: the plugin's, the user's configuration's, or the host's alone.

use crate::model::{Failure, FailureKind, Result};
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use std::collections::BTreeMap;

/// Headers that carry credentials: the host's to set, whatever the plugin.
pub(super) const CREDENTIAL_HEADERS: [&str; 7] = [
    "authorization",
    "proxy-authorization",
    "cookie",
    "x-api-key",
    "api-key",
    "x-goog-api-key",
    "x-amz-security-token",
];

/// The headers that a configuration adds to an instance's requests.
///
/// # Errors
/// `invalid-request`: it is no header, or one that is the host's to set.
pub(crate) fn configured_headers(given: &BTreeMap<String, String>) -> Result<HeaderMap> {
    let mut headers = HeaderMap::with_capacity(given.len());
    for (name, value) in given {
        let wrong = |what: &str| {
            Failure::new(
                FailureKind::InvalidRequest,
                format!("the configured header `{}` {what}", name.escape_debug()),
            )
        };
        let header =
            HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong("has a name that no header has"))?;
        if CREDENTIAL_HEADERS.contains(&header.as_str()) {
            return Err(wrong("carries a key; say where that comes from in `credential`"));
        }
        if HOST_HEADERS.contains(&header) {
            return Err(wrong("is made by the host for each request; leave it out"));
        }
        let value =
            HeaderValue::from_str(value).map_err(|_| wrong("has a value that no header can carry"))?;
        headers.insert(header, value);
    }
    Ok(headers)
}

/// Whether a header that a configuration adds carries a key, whatever its value is.
///
/// # Errors
/// `invalid-request`: it is no header, or one that is the host's to set.
pub(crate) fn carries_key(name: &str) -> Result<bool> {
    let header = HeaderName::from_bytes(name.as_bytes()).ok().filter(|header| !HOST_HEADERS.contains(header));
    let header = header.ok_or_else(|| {
        let what = format!("the configured header `{}` is none that can be added", name.escape_debug());
        Failure::new(FailureKind::InvalidRequest, what)
    })?;
    Ok(CREDENTIAL_HEADERS.contains(&header.as_str()))
}

/// Headers that the host makes itself for each request. `accept-encoding` is among them, since a body that the guest
/// decompresses would pass the redaction.
pub(super) const HOST_HEADERS: [HeaderName; 13] = [
    header::HOST,
    header::CONTENT_LENGTH,
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::PROXY_AUTHENTICATE,
    header::TRANSFER_ENCODING,
    header::TE,
    header::TRAILER,
    header::UPGRADE,
    HeaderName::from_static("http2-settings"),
    header::EXPECT,
    header::ACCEPT_ENCODING,
];

/// Methods that an API has. `CONNECT` would make a tunnel, `TRACE` sends back what the host has added.
pub(super) const METHODS: [Method; 7] =
    [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS];
