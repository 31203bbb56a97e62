//! Why a request got no response: the same causes for a plugin's requests and for the host's own.

use super::dial::{ConnectTimeout, ProxyFailed};
use super::names::AddressRefused;
use crate::limits::deadline;
use crate::model::{Failure, FailureKind};
use hyper_util::client::legacy;
use std::error::Error as _;
use std::time::Duration;

/// What kept a request from being answered.
#[derive(Debug)]
pub(super) enum Unsent {
    /// Every address of the server's name was refused. What to do about it depends on who asked.
    Refused,
    /// The parser's own bound, for heads that never end; above any that `response-headers` may allow.
    EndlessHead,
    ConnectTimeout,
    /// The proxy that the configuration names made no connection.
    NoProxy(String),
    NoConnection(String),
    Cut(String),
}

impl Unsent {
    pub(super) fn of(error: &legacy::Error) -> Self {
        let mut source = error.source();
        while let Some(inner) = source {
            if inner.is::<AddressRefused>() {
                return Self::Refused;
            }
            if inner.is::<ConnectTimeout>() {
                return Self::ConnectTimeout;
            }
            if let Some(failed) = inner.downcast_ref::<ProxyFailed>() {
                return Self::NoProxy(failed.to_string());
            }
            if inner.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_parse_too_large) {
                return Self::EndlessHead;
            }
            source = inner.source();
        }
        if error.is_connect() { Self::NoConnection(cause(error)) } else { Self::Cut(cause(error)) }
    }

    /// What to tell of a request to `server`; `None` for addresses that were refused.
    pub(super) fn failure(&self, server: &str, connect: Duration) -> Option<Failure> {
        let network = |message| Some(Failure::new(FailureKind::Network, message));
        match self {
            Self::Refused => None,
            Self::EndlessHead => {
                let message =
                    format!("{server} sent headers without end (beyond what `response-headers` can allow)");
                Some(Failure::new(FailureKind::Limit, message))
            }
            Self::ConnectTimeout => {
                Some(deadline("connect", &format!("there was no connection to {server}"), connect))
            }
            Self::NoProxy(what) => network(format!(
                "could not connect to {server}: {what}; the configuration names it as `proxy`"
            )),
            Self::NoConnection(cause) => {
                let hint = if cause.contains("certificate") {
                    "`ca-file` in config.toml can name a file of further authorities"
                } else {
                    "is the server running, is the URL right?"
                };
                network(format!("could not connect to {server} ({cause}); {hint}"))
            }
            Self::Cut(cause) => {
                network(format!("the connection to {server} was cut before an answer came ({cause})"))
            }
        }
    }
}

/// The innermost cause of an HTTP error: what stands around it says no more than that a request failed.
pub(super) fn cause(error: &(dyn std::error::Error + 'static)) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
