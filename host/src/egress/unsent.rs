//! Why a request got no response: the same causes for a plugin's requests and for the host's own.

use super::address::AddressRefused;
use crate::limits::deadline;
use crate::model::{Failure, FailureKind};
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
    NoConnection(String),
    Cut(String),
}

impl Unsent {
    pub(super) fn of(error: &reqwest::Error) -> Self {
        let mut source = error.source();
        while let Some(inner) = source {
            if inner.is::<AddressRefused>() {
                return Self::Refused;
            }
            if inner.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_parse_too_large) {
                return Self::EndlessHead;
            }
            source = inner.source();
        }
        match (error.is_connect(), error.is_timeout()) {
            (true, true) => Self::ConnectTimeout,
            (true, false) => Self::NoConnection(cause(error)),
            _ => Self::Cut(cause(error)),
        }
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
            Self::NoConnection(cause) => {
                let hint = if cause.contains("certificate") {
                    "the variable SSL_CERT_FILE can name a file of further authorities"
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

/// The innermost cause of an HTTP error, without the URL (which may hold what is private).
pub(super) fn cause(error: &reqwest::Error) -> String {
    let mut innermost: &dyn std::error::Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    let text = innermost.to_string();
    if std::ptr::eq(innermost as *const _ as *const (), error as *const _ as *const ()) {
        "no more is known".to_owned()
    } else {
        text
    }
}
