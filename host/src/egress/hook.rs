//! What answers a component's `wasi:http/outgoing-handler`.

use super::address::{AddressRefused, Reach, reach_of};
use super::authorize::Authorizing;
use super::body::GuestBody;
use super::client::{Clients, Kind};
use super::redact::Redactor;
use super::unsent::Unsent;
use super::verdict::Verdict;
use crate::instance::{BaseUrlSource, Instance};
use crate::limits::{Limits, deadline, reached};
use crate::model::{Failure, FailureKind, Result};
use crate::provider::{Call, ResponseHead};
use crate::secrets::HeldCredential;
use crate::sigv4::Outgoing;
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, header};
use http_body_util::BodyExt;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use url::{Origin, Url};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

/// Headers that carry credentials: the host's to set, whatever the plugin.
const CREDENTIAL_HEADERS: [&str; 7] = [
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

/// Headers that the host makes itself for each request. `accept-encoding` is among them, since a body that the guest
/// decompresses would pass the redaction.
const HOST_HEADERS: [HeaderName; 8] = [
    header::HOST,
    header::CONTENT_LENGTH,
    header::CONNECTION,
    header::TRANSFER_ENCODING,
    header::TE,
    header::TRAILER,
    header::UPGRADE,
    header::ACCEPT_ENCODING,
];

/// Bytes of one write of a request's body: several fit into what one host call may allocate.
const BODY_CHUNK: usize = 256 << 10;

/// The way out of one call.
pub(crate) struct Egress(Arc<Inner>);

struct Inner {
    plugin: Arc<str>,
    /// `None` for a call that has no business on the network.
    instance: Option<Arc<Instance>>,
    limits: Limits,
    clients: Arc<Clients>,
    requests: AtomicUsize,
    /// Bytes of request bodies that the host holds for this call now.
    held: AtomicUsize,
    verdict: Verdict,
    response: Arc<Mutex<Option<ResponseHead>>>,
}

impl Egress {
    pub(crate) fn new(plugin: Arc<str>, call: &Call, clients: Arc<Clients>) -> Self {
        Self(Arc::new(Inner {
            plugin,
            instance: Some(call.instance.clone()),
            limits: call.limits,
            clients,
            requests: AtomicUsize::new(0),
            held: AtomicUsize::new(0),
            verdict: Verdict::default(),
            response: call.response.clone(),
        }))
    }

    /// A way out that leads nowhere.
    pub(crate) fn closed(plugin: Arc<str>, limits: Limits) -> Self {
        Self(Arc::new(Inner {
            plugin,
            instance: None,
            limits,
            clients: Arc::default(),
            requests: AtomicUsize::new(0),
            held: AtomicUsize::new(0),
            verdict: Verdict::default(),
            response: Arc::default(),
        }))
    }

    pub(crate) fn verdict(&self) -> Verdict {
        self.0.verdict.clone()
    }
}

type Io = Box<dyn Future<Output = Result<(), Error>> + Send>;

impl WasiHttpHooks for Egress {
    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _: Io,
    ) -> Box<dyn Future<Output = Result<(Response<WasiBody>, Io), Error>> + Send> {
        let inner = self.0.clone();
        Box::new(async move {
            inner.verdict.clear();
            match inner.send(request, options).await {
                Ok(response) => Ok((response, Box::new(async { Ok(()) }) as Io)),
                Err((failure, error)) => {
                    inner.verdict.set(failure);
                    Err(error)
                }
            }
        })
    }

    fn p2_outgoing_body_chunk_size(&mut self) -> usize {
        BODY_CHUNK
    }
}

/// The share of one request in what the host holds for its call; given back when the request is over.
struct Held<'a> {
    total: &'a AtomicUsize,
    own: usize,
}

impl Held<'_> {
    /// Adds some bytes; gives what all requests of the call hold together.
    fn add(&mut self, bytes: usize) -> usize {
        self.own += bytes;
        self.total.fetch_add(bytes, Ordering::Relaxed) + bytes
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.total.fetch_sub(self.own, Ordering::Relaxed);
    }
}

/// What happened, for the caller, and what the guest is told.
type Refusal = (Failure, Error);

impl Inner {
    async fn send(
        &self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
    ) -> Result<Response<WasiBody>, Refusal> {
        let (head, body) = request.into_parts();
        // The body is taken before anything is refused: refused at once, JavaScript's runtime aborts the instance,
        // and Rust and Python see a closed stream.
        let mut held = Held { total: &self.held, own: 0 };
        let body = self.collect(body, &mut held).await?;
        let denied = |failure| (failure, Error::HttpRequestDenied);
        if self.requests.fetch_add(1, Ordering::Relaxed) >= self.limits.requests {
            let what = format!("it made more than {} requests in one call", self.limits.requests);
            return Err(denied(self.named(reached("requests", &what))));
        }
        let (instance, url) = self.target(&head.uri).map_err(denied)?;
        if let Some(ticket) = &instance.ticket {
            ticket.check().map_err(denied)?;
        }
        let origin = url.origin();
        let server: Arc<str> = origin.ascii_serialization().into();
        let mut headers = self.headers(instance, &head.headers).map_err(denied)?;
        if instance.base_url.as_ref().is_some_and(|base| base.origin() == origin) {
            headers.extend(instance.headers.clone());
        }
        let outgoing = Outgoing { method: &head.method, url: &url, body: &body };
        let credentials = Authorizing::add(instance, &origin, outgoing, &mut headers).await;
        let mut credentials = credentials.map_err(denied)?;
        let kind = Kind {
            tls: url.scheme() == "https",
            local: user_named(instance, &origin),
            connect: shorter(self.limits.connect, options.as_ref().and_then(|o| o.connect_timeout)),
        };
        let first_byte = shorter(self.limits.first_byte, options.as_ref().and_then(|o| o.first_byte_timeout));
        let mut response = self.exchange(outgoing, headers, &server, kind, first_byte).await?;
        // Nothing of a refusal has reached the guest, and nothing was done at the server: with a key that counts it is
        // the same request. Once only.
        let again = credentials.again(response.status(), response.headers()).await;
        if let Some(headers) = again.map_err(denied)? {
            response = self.exchange(outgoing, headers, &server, kind, first_byte).await?;
        }
        let between = options.as_ref().and_then(|o| o.between_bytes_timeout);
        let limits = Limits { idle: shorter(self.limits.idle, between), ..self.limits };
        self.receive(instance, response.into(), server, limits)
    }

    /// Sends a request that is finished; waits for the head of its response.
    async fn exchange(
        &self,
        request: Outgoing<'_>,
        headers: HeaderMap,
        server: &str,
        kind: Kind,
        first_byte: Duration,
    ) -> Result<reqwest::Response, Refusal> {
        let client = self.clients.get(kind).map_err(|failure| (failure, Error::ConfigurationError))?;
        let mut finished = reqwest::Request::new(request.method.clone(), request.url.clone());
        *finished.headers_mut() = headers;
        *finished.body_mut() = (!request.body.is_empty()).then(|| request.body.clone().into());
        match tokio::time::timeout(first_byte, client.execute(finished)).await {
            Err(_) => {
                let failure = deadline("first-byte", &format!("{server} did not answer"), first_byte);
                Err((failure, Error::HttpResponseTimeout))
            }
            Ok(Err(error)) => Err(self.unsent(&error, server, kind)),
            Ok(Ok(response)) => Ok(response),
        }
    }

    /// Reads the whole request body, so that a refusal never breaks the guest and a connection that turns out to be
    /// closed can be tried again.
    async fn collect(&self, mut body: WasiBody, held: &mut Held<'_>) -> Result<Bytes, Refusal> {
        let mut bytes = BytesMut::new();
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.map_err(|error| self.broken_body(error))?.into_data() else { continue };
            if held.add(data.len()) > self.limits.request_body {
                let what = format!("it sends more than {} bytes at once", self.limits.request_body);
                let failure = self.named(reached("request-body", &what));
                return Err((failure, Error::HttpRequestBodySize(Some(self.limits.request_body as u64))));
            }
            bytes.extend_from_slice(&data);
        }
        Ok(bytes.freeze())
    }

    fn broken_body(&self, error: Error) -> Refusal {
        let failure = Failure::new(FailureKind::Internal, "it did not finish the body of its request");
        (self.named(failure), error)
    }

    /// Where a request goes, if it may.
    fn target(&self, uri: &http::Uri) -> Result<(&Arc<Instance>, Url)> {
        let Some(instance) = &self.instance else {
            return Err(self.denied("it asked for the network where it describes itself; that needs none"));
        };
        let url = Url::parse(&uri.to_string())
            .map_err(|error| self.denied(&format!("it asked for a URL that is none: {error}")))?;
        if !matches!(url.scheme(), "http" | "https") || !url.username().is_empty() || url.password().is_some()
        {
            return Err(self.denied("it asked for a URL with a scheme or a user that is not allowed"));
        }
        let origin = url.origin();
        if !instance.origins.contains(&origin) {
            let server = origin.ascii_serialization();
            let why =
                instance.refused.as_deref().unwrap_or("a plugin reaches its base URL and what it declares");
            return Err(self.denied(&format!("{server} is not granted to it: {why}")));
        }
        match reach_of(&url) {
            Some(Reach::Never) => Err(self.denied(&format!(
                "{} is an address that no provider has, and can't be granted",
                origin.ascii_serialization()
            ))),
            Some(Reach::Local) if !user_named(instance, &origin) => Err(self.denied(&format!(
                "{} is of this machine or network; only a base URL that you name reaches it",
                origin.ascii_serialization()
            ))),
            _ => Ok((instance, url)),
        }
    }

    /// The guest's headers, less what is the host's to say.
    fn headers(&self, instance: &Instance, given: &HeaderMap) -> Result<HeaderMap> {
        let mut headers = HeaderMap::with_capacity(given.len() + 1);
        for (name, value) in given {
            let held = instance.credentials.iter().any(|credential| credential.sets(name));
            if held || CREDENTIAL_HEADERS.contains(&name.as_str()) {
                return Err(self.denied(&format!(
                    "it set the header `{name}` itself; credentials are added by the host, and a plugin names the \
                     ones that it needs in its description"
                )));
            }
            if !HOST_HEADERS.contains(name) {
                headers.append(name.clone(), value.clone());
            }
        }
        Ok(headers)
    }

    /// A response that is within its limits.
    fn receive(
        &self,
        instance: &Instance,
        response: Response<reqwest::Body>,
        server: Arc<str>,
        limits: Limits,
    ) -> Result<Response<WasiBody>, Refusal> {
        let (mut head, body) = response.into_parts();
        let size: usize =
            head.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
        if size > self.limits.response_headers {
            let what = format!("{server} sent {size} bytes of headers");
            let error = Error::HttpResponseHeaderSectionSize(u32::try_from(size).ok());
            return Err((reached("response-headers", &what), error));
        }
        let redactor = Redactor::new(instance.credentials.iter().flat_map(HeldCredential::patterns));
        if let Some(redactor) = &redactor {
            let names: Vec<HeaderName> =
                head.headers.keys().filter(|name| redactor.is_named(name.as_str())).cloned().collect();
            names.iter().for_each(|name| drop(head.headers.remove(name)));
        }
        for value in head.headers.values_mut() {
            // A copy in any case: as they come, headers are slices of the connection's 8 KiB buffer, and keep it as
            // long as the guest keeps them.
            let clean = redactor.as_ref().map(|redactor| redactor.text(value.as_bytes()));
            if let Ok(own) = http::HeaderValue::from_bytes(clean.as_deref().unwrap_or(value.as_bytes())) {
                *value = own;
            }
        }
        *self.response.lock().unwrap_or_else(PoisonError::into_inner) = Some(ResponseHead {
            status: head.status.as_u16(),
            headers: head
                .headers
                .iter()
                .map(|(name, value)| {
                    (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
                })
                .collect(),
        });
        let body = GuestBody::new(body, redactor, limits, server, self.verdict.clone());
        Ok(Response::from_parts(head, body.boxed_unsync()))
    }

    /// Why a request got no response.
    fn unsent(&self, error: &reqwest::Error, server: &str, kind: Kind) -> Refusal {
        let unsent = Unsent::of(error);
        let failure = unsent.failure(server, kind.connect).unwrap_or_else(|| {
            self.denied(&format!("{server}: {AddressRefused}; only a base URL that you name reaches those"))
        });
        let error = match unsent {
            Unsent::Refused => Error::DestinationIpProhibited,
            Unsent::EndlessHead => Error::HttpResponseHeaderSectionSize(None),
            Unsent::ConnectTimeout => Error::ConnectionTimeout,
            Unsent::NoConnection(_) => Error::ConnectionRefused,
            Unsent::Cut(_) => Error::ConnectionTerminated,
        };
        (failure, error)
    }

    fn denied(&self, what: &str) -> Failure {
        Failure::new(FailureKind::Denied, format!("the plugin `{}` was refused: {what}", self.plugin))
    }

    fn named(&self, failure: Failure) -> Failure {
        Failure { message: format!("the plugin `{}`: {}", self.plugin, failure.message), ..failure }
    }
}

/// Whether the user, or a preset of ours, named this very server: only then may it be local.
fn user_named(instance: &Instance, origin: &Origin) -> bool {
    instance.base_url_source != BaseUrlSource::Plugin
        && instance.base_url.as_ref().is_some_and(|base| base.origin() == *origin)
}

fn shorter(ours: Duration, theirs: Option<Duration>) -> Duration {
    theirs.map_or(ours, |theirs| theirs.min(ours))
}
