//! The host's own way out: files that the user names by URL, and pages that a model asks for.
//!
//! Problem: a model whose provider takes bytes is shown a URL, and whoever fetches it may be sent anywhere by it.
//! Decision: the same checks as for a plugin's requests (the address that is really connected to, sizes, deadlines), on
//! each hop of a redirect; no credential, no cookie, nothing of the conversation goes along. A server of this machine or
//! network answers only where the user allowed its origin. Price: what needs a login has to be attached as a file.

use super::address::{Reach, reach_of};
use super::client::{Clients, Kind, ResponseBody};
use super::names::AddressRefused;
use super::route::Route;
use super::unsent::{Unsent, cause};
use crate::limits::{Limits, deadline};
use crate::model::{Failure, FailureKind, Result};
use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use url::{Origin, Url};

/// Redirects of one file. Shorteners and image stores take one or two.
const REDIRECTS: usize = 5;

/// What fetches, and where it may go beyond the internet.
#[derive(Debug, Default)]
pub(crate) struct Fetcher {
    clients: Clients,
    local: Vec<Origin>,
    route: Route,
}

/// A file as its server gave it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fetched {
    pub(crate) bytes: Vec<u8>,
    /// What the server calls it: lower case, without parameters, empty where it says nothing.
    pub(crate) mime_type: String,
    /// There was more of it.
    pub(crate) cut: bool,
}

/// What becomes of a file that is too large.
#[derive(Clone, Copy)]
enum Bound<'a> {
    /// It is refused: the limit `media` is for all files of a call, whose bytes so far are counted here.
    Refused(&'a AtomicUsize),
    /// So many bytes of it are taken.
    Cut(usize),
}

impl Bound<'_> {
    /// What to do where a file can't be fetched.
    fn instead(self) -> &'static str {
        match self {
            Self::Refused(_) => "; attach the file itself",
            Self::Cut(_) => "",
        }
    }
}

/// A URL for messages: without its query and its user, which may hold secrets.
pub(crate) fn shown(url: &str) -> String {
    match Url::parse(url) {
        Ok(url) => format!("{}{}", url.origin().ascii_serialization(), url.path()),
        Err(_) => url.split(['?', '#']).next().unwrap_or_default().to_owned(),
    }
}

impl Fetcher {
    /// One that reaches these origins even if they are of this machine or network.
    pub(crate) fn new(local: Vec<Origin>, route: Route) -> Self {
        Self { local, route, ..Self::default() }
    }

    /// Fetches a file. `held` counts the bytes of all files of a call.
    pub(crate) async fn get(&self, url: &str, limits: &Limits, held: &AtomicUsize) -> Result<Fetched> {
        self.fetch(url, limits, Bound::Refused(held)).await
    }

    /// Fetches a page, or so many bytes of it.
    pub(crate) async fn page(&self, url: &str, limits: &Limits, most: usize) -> Result<Fetched> {
        self.fetch(url, limits, Bound::Cut(most)).await
    }

    async fn fetch(&self, url: &str, limits: &Limits, bound: Bound<'_>) -> Result<Fetched> {
        let fetched = match Url::parse(url) {
            Ok(parsed) => self.follow(parsed, limits, bound).await,
            Err(error) => Err(Failure::new(FailureKind::InvalidRequest, format!("it is no URL: {error}"))),
        };
        fetched.map_err(|failure| {
            let message = format!("could not fetch {}: {}", shown(url), failure.message);
            Failure { message, ..failure }
        })
    }

    /// Through redirects to the file.
    async fn follow(&self, mut url: Url, limits: &Limits, bound: Bound<'_>) -> Result<Fetched> {
        for _ in 0..=REDIRECTS {
            let kind = self.kind(&url, limits.connect, bound.instead())?;
            let server = url.origin().ascii_serialization();
            let request = Request::get(url.as_str()).body(Full::<Bytes>::default());
            let request = request.map_err(|error| {
                Failure::new(
                    FailureKind::InvalidRequest,
                    format!("it is no URL that can be asked for: {error}"),
                )
            })?;
            let client = self.clients.get(&kind, &self.route.resolver)?;
            let sent = client.send(request);
            let response = match tokio::time::timeout(limits.first_byte, sent).await {
                Err(_) => {
                    let what = format!("{server} did not answer");
                    return Err(deadline("first-byte", &what, limits.first_byte));
                }
                Ok(Err(error)) => {
                    let failure = Unsent::of(&error).failure(&server, kind.connect);
                    return Err(failure.unwrap_or_else(|| refused(&url, &AddressRefused)));
                }
                Ok(Ok(response)) => response,
            };
            match next(&url, &response)? {
                Some(next) => url = next,
                None => return receive(response, &server, limits, bound).await,
            }
        }
        let what = format!("it was redirected more than {REDIRECTS} times; give the URL that it ends at");
        Err(Failure::new(FailureKind::Network, what))
    }

    /// How a URL is reached, if it may be.
    fn kind(&self, url: &Url, connect: Duration, instead: &str) -> Result<Kind> {
        let denied = |what: &str| Err(Failure::new(FailureKind::Denied, what));
        if !matches!(url.scheme(), "http" | "https") {
            return denied(&format!("only http and https URLs are fetched{instead}"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return denied(&format!("no user and password are sent{instead}"));
        }
        let local = self.local.contains(&url.origin());
        match reach_of(url) {
            Some(Reach::Never) => {
                let server = url.origin().ascii_serialization();
                denied(&format!("{server} is an address that no file is at, and can't be allowed"))
            }
            Some(Reach::Local) if !local => Err(refused(url, &"it is of this machine or network")),
            _ => Ok(Kind::new(url, local, connect, &self.route)),
        }
    }
}

/// An address that the user has not allowed.
fn refused(url: &Url, why: &dyn std::fmt::Display) -> Failure {
    let server = url.origin().ascii_serialization();
    let what =
        format!("{server} is refused: {why}. If you trust it, `--allow-media-from {server}` allows it");
    Failure::new(FailureKind::Denied, what)
}

/// Where a redirect leads; `None` for an answer that is none.
fn next(url: &Url, response: &Response<ResponseBody>) -> Result<Option<Url>> {
    // 300 and 304 lead nowhere.
    if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let location = response.headers().get(header::LOCATION).and_then(|location| location.to_str().ok());
    let Some(next) = location.and_then(|location| url.join(location).ok()) else {
        return Err(Failure::new(FailureKind::Network, "its server redirects it to nowhere"));
    };
    if url.scheme() == "https" && next.scheme() != "https" {
        let what = format!("it is redirected to {}, without TLS", shown(next.as_str()));
        return Err(Failure::new(FailureKind::Denied, what));
    }
    Ok(Some(next))
}

/// The file of an answer, within its limits.
async fn receive(
    response: Response<ResponseBody>,
    server: &str,
    limits: &Limits,
    bound: Bound<'_>,
) -> Result<Fetched> {
    if !response.status().is_success() {
        return Err(status(response.status(), server, bound.instead()));
    }
    let content_type = response.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let mime_type = content_type.unwrap_or_default().split(';').next().unwrap_or_default();
    let mime_type = mime_type.trim().to_ascii_lowercase();
    let mut body = response.into_body();
    let mut bytes = Vec::new();
    loop {
        let piece = match tokio::time::timeout(limits.idle, body.frame()).await {
            Err(_) => return Err(deadline("idle", &format!("{server} sent nothing more"), limits.idle)),
            Ok(Some(Err(error))) => {
                let cause = cause(&*error);
                let what = format!("the connection to {server} was cut in the middle of the file ({cause})");
                return Err(Failure::new(FailureKind::Network, what));
            }
            Ok(None) => return Ok(Fetched { bytes, mime_type, cut: false }),
            Ok(Some(Ok(frame))) => frame.into_data().unwrap_or_default(),
        };
        match bound {
            Bound::Refused(held) => {
                if held.fetch_add(piece.len(), Ordering::Relaxed) + piece.len() > limits.media {
                    return Err(too_much(limits.media));
                }
            }
            Bound::Cut(most) if bytes.len() + piece.len() > most => {
                bytes.extend(piece.into_iter().take(most - bytes.len()));
                return Ok(Fetched { bytes, mime_type, cut: true });
            }
            Bound::Cut(_) => {}
        }
        bytes.extend_from_slice(&piece);
    }
}

fn too_much(most: usize) -> Failure {
    let what = format!(
        "the media that are fetched for one call have more than {most} bytes. Few services take more; raise it with \
         `--limit media=…`, or give a model that takes URLs itself (`aimu-host models --media-urls`)"
    );
    Failure::new(FailureKind::Limit, what)
}

/// What a status says that is no success. It is the file's server that said it, so it is in words alone.
fn status(status: StatusCode, server: &str, instead: &str) -> Failure {
    let (kind, why) = match status.as_u16() {
        401 | 403 | 407 => (
            FailureKind::NotFound,
            format!("it is not for everyone, and the host sends no credential{instead}"),
        ),
        429 | 500.. => (FailureKind::Network, format!("try again later{instead}")),
        _ => (FailureKind::NotFound, "is the URL right? It must be the file's own".to_owned()),
    };
    Failure::new(kind, format!("{server} answered {}; {why}", status.as_u16()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn kind(fetcher: &Fetcher, url: &str) -> Result<Kind> {
        fetcher.kind(&Url::parse(url).unwrap(), Duration::from_secs(1), "")
    }

    #[test]
    fn only_the_internet_is_reached() {
        let fetcher = Fetcher::default();
        for good in ["https://example.com/a.png", "http://1.1.1.1/a", "http://[2606:4700::1111]:81/"] {
            assert!(!kind(&fetcher, good).unwrap().local, "{good}");
        }
        for bad in [
            "file:///etc/passwd",
            "ftp://example.com/a",
            "https://user@example.com/a",
            "https://:secret@example.com/a",
            "http://127.0.0.1/a",
            "http://2130706433/a",
            "http://[::ffff:10.0.0.1]/a",
            "http://192.168.1.1/a",
            "http://169.254.169.254/latest/meta-data",
            "http://[fd00:ec2::254]/",
            "http://0.0.0.0/",
        ] {
            assert_eq!(kind(&fetcher, bad).unwrap_err().kind, FailureKind::Denied, "{bad}");
        }
    }

    #[test]
    fn an_origin_is_allowed_and_nothing_beside_it() {
        let origins = ["http://127.0.0.1:81", "http://169.254.169.254"];
        let origins = origins.map(|origin| super::super::parse_origin(origin).unwrap());
        let fetcher = Fetcher::new(origins.into(), Route::default());
        assert!(kind(&fetcher, "http://127.0.0.1:81/a").unwrap().local);
        let failure = kind(&fetcher, "http://127.0.0.1:82/a").unwrap_err();
        assert!(failure.message.contains("--allow-media-from http://127.0.0.1:82"), "{failure}");
        assert!(kind(&fetcher, "https://127.0.0.1:81/a").is_err());
        let failure = kind(&fetcher, "http://169.254.169.254/a").unwrap_err();
        assert!(failure.message.ends_with("can't be allowed"), "{failure}");
    }

    #[test]
    fn what_may_be_secret_is_not_shown() {
        assert_eq!(shown("https://u:p@x.test:8443/a/b.png?sig=1#f"), "https://x.test:8443/a/b.png");
        assert_eq!(shown("http://x.test"), "http://x.test/");
        assert_eq!(shown("no url?secret"), "no url");
    }
}
