//! The one way out: every HTTP request of a plugin passes here.
//!
//! Problem: a component that may speak HTTP could send what it sees anywhere. Decision: the host makes the request,
//! to granted origins only, connects to addresses that it has checked, adds the credential itself, and hides it again if
//! a server echoes it. Price: one more copy of a request's body, and a scan of each response's bytes where
//! a secret was sent.

mod address;
mod authorize;
mod body;
mod client;
mod dial;
mod endpoint;
mod fetch;
mod headers;
mod hook;
mod names;
mod redact;
mod route;
mod unsent;
mod verdict;

pub(crate) use client::Clients;
pub(crate) use endpoint::{Endpoint, Pieces};
pub(crate) use fetch::{Fetched, Fetcher, shown};
pub(crate) use headers::{carries_key, configured_headers};
pub(crate) use hook::Egress;
pub use names::Resolve;
pub(crate) use names::SystemResolver;
pub(crate) use redact::Patterns;
pub(crate) use route::Route;

use url::{Origin, Url};

/// An origin as a plugin declares it: `https://host[:port]`, or `http` for a server that the user runs.
pub(crate) fn parse_origin(text: &str) -> Option<Origin> {
    let url = Url::parse(text).ok()?;
    let plain = matches!(url.scheme(), "http" | "https")
        && url.has_host()
        && url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    plain.then(|| url.origin())
}

/// Whether an origin is this machine: a loopback address, or the name that stands for it.
pub(crate) fn is_loopback(origin: &Origin) -> bool {
    match origin {
        Origin::Tuple(_, url::Host::Ipv4(ip), _) => ip.is_loopback(),
        Origin::Tuple(_, url::Host::Ipv6(ip), _) => address::canonical((*ip).into()).is_loopback(),
        Origin::Tuple(_, url::Host::Domain(name), _) => names::is_localhost(name),
        Origin::Opaque(_) => false,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_no_more_than_that() {
        assert!(parse_origin("https://api.example.com").is_some());
        assert!(parse_origin("https://api.example.com:8443/").is_some());
        for bad in ["api.example.com", "https://a.b/c", "https://u@a.b", "ftp://a.b", "https://a.b?x", ""] {
            assert!(parse_origin(bad).is_none(), "{bad}");
        }
        assert_eq!(parse_origin("https://a.b"), parse_origin("https://A.b:443"));
    }

    #[test]
    fn loopback_has_many_names() {
        for here in [
            "http://127.0.0.1:1",
            "http://127.8.8.8",
            "http://[::1]:1",
            "http://localhost",
            "http://[::ffff:127.0.0.1]",
        ] {
            assert!(is_loopback(&parse_origin(here).unwrap()), "{here}");
        }
        for there in ["http://10.0.0.1", "http://localhost.example.com", "http://[::2]"] {
            assert!(!is_loopback(&parse_origin(there).unwrap()), "{there}");
        }
    }
}
