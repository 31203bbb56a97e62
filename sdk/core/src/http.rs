//! HTTP for components: plain data natively, wasi-http behind it in a component.
//!
//! The host adds credentials, follows no redirects and owns every deadline and limit; what is here makes one
//! request and hands over the response's body as it comes.

use crate::bindings::wasi::clocks::monotonic_clock;
use crate::bindings::wasi::http::outgoing_handler;
use crate::bindings::wasi::http::types::{
    ErrorCode, Fields, FutureIncomingResponse, IncomingBody, IncomingResponse, OutgoingBody, OutgoingRequest,
    Scheme, http_error_code,
};
use crate::bindings::wasi::io::poll;
use crate::bindings::wasi::io::streams::{InputStream, StreamError};
use crate::{Failure, FailureKind};

pub use crate::bindings::wasi::http::types::Method;

/// The most that one read asks for. A read returns what is there; larger only serves whole media.
const READ: u64 = 64 * 1024;

/// A request as plain data. A credential is never part of it: the host adds it.
#[derive(Clone, Debug, PartialEq)]
pub struct HttpRequest {
    /// The method.
    pub method: Method,
    /// The whole URL, `http` or `https`.
    pub url: String,
    /// Header fields; `content-length` is added when it is sent.
    pub headers: Vec<(String, String)>,
    /// The body; empty for none.
    pub body: Vec<u8>,
}

impl HttpRequest {
    /// A `GET`.
    #[must_use]
    pub fn get(url: impl Into<String>) -> Self {
        Self { method: Method::Get, url: url.into(), headers: Vec::new(), body: Vec::new() }
    }

    /// A `POST` of a JSON document.
    #[must_use]
    pub fn post(url: impl Into<String>, body: &serde_json::Value) -> Self {
        Self {
            method: Method::Post,
            url: url.into(),
            headers: vec![("content-type".into(), "application/json".into())],
            body: body.to_string().into_bytes(),
        }
    }

    /// The same with one more header field.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }
}

/// A response whose body is still to be read.
#[derive(Debug)]
pub struct Response<B> {
    /// The status.
    pub status: u16,
    /// Header fields, in the order and case in which they came.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: B,
}

impl<B> Response<B> {
    /// The first value of a header field, its name in any case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(have, _)| have.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The id under which the provider's support finds the request.
    #[must_use]
    pub fn request_id(&self) -> Option<String> {
        ["request-id", "x-request-id", "x-amzn-requestid", "apim-request-id", "x-goog-request-id"]
            .iter()
            .find_map(|name| self.header(name))
            .map(str::to_owned)
    }
}

/// A response that is not a success, with as much of its body as was read.
pub type ErrorResponse = Response<Vec<u8>>;

/// Where bytes come from: a response's body, or a list of chunks in tests.
pub trait Body {
    /// Waits for the next bytes. `None` is the end.
    ///
    /// # Errors
    /// The connection was cut, or the host's deadline or limit was reached.
    fn read(&mut self) -> Result<Option<Vec<u8>>, Failure>;

    /// Waits a moment for the end after the last byte that matters, so that the connection can be used again.
    fn drain(&mut self) {}
}

/// Sends a request and waits for the response's header.
///
/// # Errors
/// The URL is wrong, the host refuses it, or the connection fails.
pub fn send(request: &HttpRequest) -> Result<Response<IncomingHttpBody>, Failure> {
    begin(request)?.wait()
}

/// A request that is on its way.
#[derive(Debug)]
pub struct Pending(FutureIncomingResponse);

impl Pending {
    /// Waits for the response's header.
    ///
    /// # Errors
    /// The host refuses the request, or the connection fails.
    pub fn wait(self) -> Result<Response<IncomingHttpBody>, Failure> {
        let response = wait(&self.0)?;
        let status = response.status();
        let headers = response
            .headers()
            .entries()
            .into_iter()
            .map(|(name, value)| (name, String::from_utf8_lossy(&value).into_owned()))
            .collect();
        let taken = || Failure::new(FailureKind::Internal, "a response has one body");
        let body = response.consume().map_err(|()| taken())?;
        let stream = body.stream().map_err(|()| taken())?;
        Ok(Response { status, headers, body: IncomingHttpBody { stream, _body: body, _response: response } })
    }
}

/// Sends a request and does not wait: several can be on their way at once.
///
/// # Errors
/// As [`send`], as far as it shows at once.
pub fn begin(request: &HttpRequest) -> Result<Pending, Failure> {
    let (scheme, authority, path) = split_url(&request.url)?;
    let mut fields: Vec<(String, Vec<u8>)> =
        request.headers.iter().map(|(name, value)| (name.clone(), value.clone().into_bytes())).collect();
    if !request.body.is_empty() {
        // Without it the body goes out chunked, which some servers refuse.
        fields.push(("content-length".into(), request.body.len().to_string().into_bytes()));
    }
    let headers =
        Fields::from_list(&fields).map_err(|_| Failure::invalid("a header of the request is not allowed"))?;
    let outgoing = OutgoingRequest::new(headers);
    let accepted = outgoing.set_method(&request.method).is_ok()
        && outgoing.set_scheme(Some(&scheme)).is_ok()
        && outgoing.set_authority(Some(authority)).is_ok()
        && outgoing.set_path_with_query(Some(path)).is_ok();
    let Ok(body) = outgoing.body() else {
        return Err(Failure::new(FailureKind::Internal, "a request has one body"));
    };
    if !accepted {
        return Err(Failure::invalid(format!("not a URL that can be asked: {}", request.url)));
    }
    // First handed over, then filled: nobody drains the body before.
    let future = outgoing_handler::handle(outgoing, None).map_err(|code| failure_of(&code))?;
    if write(&body, &request.body) {
        // A body that was cut short by an early answer is dropped instead; the answer says why.
        OutgoingBody::finish(body, None).map_err(|code| failure_of(&code))?;
    }
    Ok(Pending(future))
}

/// A response's body in a component.
#[derive(Debug)]
pub struct IncomingHttpBody {
    // Fields drop in this order, and a child must go before its parent.
    stream: InputStream,
    _body: IncomingBody,
    _response: IncomingResponse,
}

impl IncomingHttpBody {
    fn outcome(result: Result<Vec<u8>, StreamError>) -> Result<Option<Vec<u8>>, Failure> {
        match result {
            Ok(bytes) => Ok(Some(bytes)),
            Err(StreamError::Closed) => Ok(None),
            Err(StreamError::LastOperationFailed(error)) => Err(match http_error_code(&error) {
                Some(code) => failure_of(&code),
                None => {
                    // A host may put a backtrace behind its first line.
                    let text = error.to_debug_string();
                    let line = text.lines().next().unwrap_or_default();
                    Failure::new(FailureKind::Network, format!("the connection was cut: {line}"))
                }
            }),
        }
    }
}

impl Body for IncomingHttpBody {
    fn read(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        Self::outcome(self.stream.blocking_read(READ))
    }

    fn drain(&mut self) {
        // Long enough for the bytes that end a chunked body, short enough that nobody notices.
        const GRACE_NS: u64 = 50_000_000;
        let timer = monotonic_clock::subscribe_duration(GRACE_NS);
        loop {
            let ready = self.stream.subscribe();
            poll::poll(&[&ready, &timer]);
            if timer.ready() || !matches!(Self::outcome(self.stream.read(READ)), Ok(Some(_))) {
                return;
            }
        }
    }
}

/// Writes a body as the host takes it. False: the other side took no more.
fn write(body: &OutgoingBody, mut rest: &[u8]) -> bool {
    if rest.is_empty() {
        return true;
    }
    let Ok(stream) = body.write() else { return false };
    let ready = stream.subscribe();
    while !rest.is_empty() {
        let Ok(room) = stream.check_write() else {
            return false;
        };
        if room == 0 {
            ready.block();
            continue;
        }
        let (now, later) = rest.split_at(rest.len().min(usize::try_from(room).unwrap_or(usize::MAX)));
        if stream.write(now).is_err() {
            return false;
        }
        rest = later;
    }
    stream.flush().is_ok()
}

/// Waits for the header of the response.
fn wait(future: &FutureIncomingResponse) -> Result<IncomingResponse, Failure> {
    loop {
        match future.get() {
            Some(Ok(outcome)) => return outcome.map_err(|code| failure_of(&code)),
            Some(Err(())) => {
                return Err(Failure::new(FailureKind::Internal, "the response was taken already"));
            }
            None => future.subscribe().block(),
        }
    }
}

/// Scheme, authority, and path with query.
fn split_url(url: &str) -> Result<(Scheme, &str, &str), Failure> {
    let (scheme, rest) = match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
        (Some(rest), _) => (Scheme::Https, rest),
        (None, Some(rest)) => (Scheme::Http, rest),
        (None, None) => return Err(Failure::invalid(format!("not an http or https URL: {url}"))),
    };
    let rest = rest.split_once('#').map_or(rest, |(rest, _)| rest);
    let (authority, path) = match rest.find(['/', '?']) {
        Some(end) => rest.split_at(end),
        None => (rest, "/"),
    };
    if authority.is_empty() {
        Err(Failure::invalid(format!("a URL without a host: {url}")))
    } else {
        Ok((scheme, authority, path))
    }
}

/// The failure that an error code of wasi-http stands for.
fn failure_of(code: &ErrorCode) -> Failure {
    use FailureKind::{Denied, Limit, Network, Protocol, Timeout};
    let (kind, what) = match code {
        ErrorCode::DnsTimeout => (Timeout, "looking up the host's name took too long"),
        ErrorCode::ConnectionTimeout => (Timeout, "connecting took too long"),
        ErrorCode::ConnectionReadTimeout => (Timeout, "the server was silent for too long"),
        ErrorCode::ConnectionWriteTimeout => (Timeout, "the server took the request too slowly"),
        ErrorCode::HttpResponseTimeout => (Timeout, "the response took too long"),
        ErrorCode::HttpRequestDenied | ErrorCode::DestinationIpProhibited => {
            (Denied, "the host refused the request")
        }
        ErrorCode::DnsError(_) | ErrorCode::DestinationNotFound => {
            (Network, "the host's name could not be found")
        }
        ErrorCode::DestinationUnavailable | ErrorCode::DestinationIpUnroutable => {
            (Network, "the server can't be reached")
        }
        ErrorCode::ConnectionRefused => (Network, "the connection was refused"),
        ErrorCode::ConnectionTerminated | ErrorCode::HttpResponseIncomplete => {
            (Network, "the connection was cut")
        }
        ErrorCode::TlsProtocolError | ErrorCode::TlsCertificateError | ErrorCode::TlsAlertReceived(_) => {
            (Network, "no secure connection could be made")
        }
        ErrorCode::ConnectionLimitReached
        | ErrorCode::HttpRequestBodySize(_)
        | ErrorCode::HttpResponseHeaderSectionSize(_)
        | ErrorCode::HttpResponseHeaderSize(_)
        | ErrorCode::HttpResponseBodySize(_) => (Limit, "a limit of the host was reached"),
        ErrorCode::InternalError(Some(why)) => {
            return Failure::new(Network, format!("the request failed: {why}"));
        }
        ErrorCode::InternalError(None) => (Network, "the request failed"),
        _ => (Protocol, "the HTTP exchange failed"),
    };
    // Without the code itself: its names are a hundredth of a component, and the host says what it saw.
    Failure::new(kind, what)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn urls_are_split() {
        let parts = |url| {
            let (scheme, authority, path) = split_url(url).unwrap();
            (matches!(scheme, Scheme::Https), authority, path)
        };
        assert_eq!(parts("https://a.b/v1/x?y=1#z"), (true, "a.b", "/v1/x?y=1"));
        assert_eq!(parts("http://[::1]:80"), (false, "[::1]:80", "/"));
        for wrong in ["a.b/c", "ftp://a", "https:///x", ""] {
            assert!(split_url(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn headers_are_found_in_any_case() {
        let response = Response { status: 200, headers: vec![("X-Request-ID".into(), "r".into())], body: () };
        assert_eq!(response.request_id().as_deref(), Some("r"));
        assert_eq!(response.header("request-id"), None);
    }

    #[test]
    fn codes_become_kinds() {
        assert_eq!(failure_of(&ErrorCode::HttpRequestDenied).kind, FailureKind::Denied);
        assert_eq!(failure_of(&ErrorCode::ConnectionRefused).kind, FailureKind::Network);
        assert_eq!(failure_of(&ErrorCode::ConnectionReadTimeout).kind, FailureKind::Timeout);
    }
}
