//! What answers a component's `wasi:http/outgoing-handler`.

use super::address::{Reach, reach_of};
use super::authorize::Authorizing;
use super::body::GuestBody;
use super::client::{Client, Clients, Kind, ResponseBody};
use super::headers::{CREDENTIAL_HEADERS, HOST_HEADERS, METHODS};
use super::names::AddressRefused;
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
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use url::{Origin, Url};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

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
    /// Places for requests that are on their way at once, until their response's body has ended.
    places: Arc<Semaphore>,
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
            places: places(&call.limits),
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
            places: places(&limits),
            held: AtomicUsize::new(0),
            verdict: Verdict::default(),
            response: Arc::default(),
        }))
    }

    pub(crate) fn verdict(&self) -> Verdict {
        self.0.verdict.clone()
    }
}

fn places(limits: &Limits) -> Arc<Semaphore> {
    Arc::new(Semaphore::new(limits.concurrent_requests.min(Semaphore::MAX_PERMITS)))
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
            // Boxed, since this future is made on the guest's stack, of which every page counts.
            match Box::pin(inner.send(request, options)).await {
                Ok(response) => Ok((response, Box::new(async { Ok(()) }) as Io)),
                Err((failure, error)) => {
                    inner.verdict.set(failure);
                    Err(error)
                }
            }
        })
    }

    fn p2_outgoing_body_chunk_size(&mut self) -> usize {
        BODY_CHUNK.min(self.0.limits.event / 4)
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

/// The way to one server, and how long it may take.
struct Way<'a> {
    client: Client,
    server: &'a str,
    connect: Duration,
    first_byte: Duration,
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
        self.count().map_err(denied)?;
        let place = self.place().map_err(denied)?;
        let (instance, url) = self.target(&head.uri).map_err(denied)?;
        if !METHODS.contains(&head.method) {
            let what = format!("it asked with the method `{}`, which no API needs", head.method);
            return Err(denied(self.denied(&what)));
        }
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
        let connect = shorter(self.limits.connect, options.as_ref().and_then(|o| o.connect_timeout));
        let kind = Kind::new(&url, user_named(instance, &origin), connect, &instance.route);
        let client = self.clients.get(&kind, &instance.route.resolver);
        let client = client.map_err(|failure| (failure, Error::ConfigurationError))?;
        let first_byte = shorter(self.limits.first_byte, options.as_ref().and_then(|o| o.first_byte_timeout));
        let way = Way { client, server: &server, connect, first_byte };
        let mut response = self.exchange(&way, outgoing, headers).await?;
        // Nothing of a refusal has reached the guest, and nothing was done at the server: with a key that counts it is
        // the same request. Once only.
        let again = credentials.again(response.status(), response.headers()).await;
        if let Some(headers) = again.map_err(denied)? {
            self.count().map_err(denied)?;
            // To get another key may have taken a while.
            if let Some(ticket) = &instance.ticket {
                ticket.check().map_err(denied)?;
            }
            response = self.exchange(&way, outgoing, headers).await?;
        }
        let between = options.as_ref().and_then(|o| o.between_bytes_timeout);
        let limits = Limits { idle: shorter(self.limits.idle, between), ..self.limits };
        self.receive(instance, response, server, limits, place)
    }

    /// Counts a request.
    fn count(&self) -> Result<()> {
        if self.requests.fetch_add(1, Ordering::Relaxed) < self.limits.requests {
            return Ok(());
        }
        let what = format!("it made more than {} requests in one call", self.limits.requests);
        Err(self.named(reached("requests", &what)))
    }

    /// A place among the requests that are on their way.
    fn place(&self) -> Result<OwnedSemaphorePermit> {
        self.places.clone().try_acquire_owned().map_err(|_| {
            let most = self.limits.concurrent_requests;
            let what = format!("it has more than {most} requests on their way at once");
            self.named(reached("concurrent-requests", &what))
        })
    }

    /// Sends a request; waits for the head of its response.
    async fn exchange(
        &self,
        way: &Way<'_>,
        request: Outgoing<'_>,
        headers: HeaderMap,
    ) -> Result<Response<ResponseBody>, Refusal> {
        // All but the guest's own words is made anew: authority, length and framing come from the HTTP client.
        let finished = Request::builder().method(request.method).uri(request.url.as_str());
        let mut finished = finished.body(Full::new(request.body.clone())).map_err(|error| {
            let what = format!("it asked for a URL that can't be sent: {error}");
            (self.denied(&what), Error::HttpRequestDenied)
        })?;
        *finished.headers_mut() = headers;
        match tokio::time::timeout(way.first_byte, way.client.send(finished)).await {
            Err(_) => {
                let failure =
                    deadline("first-byte", &format!("{} did not answer", way.server), way.first_byte);
                Err((failure, Error::HttpResponseTimeout))
            }
            Ok(Err(error)) => Err(self.unsent(&error, way.server, way.connect)),
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
        let server = || origin.ascii_serialization();
        // Where it can have any server, what is missing is this one.
        let allows = || instance.allows.as_ref().map(|command| format!("`{command} {}` allows it", server()));
        if !instance.anywhere && !instance.origins.contains(&origin) {
            let why = allows().or_else(|| instance.refused.clone());
            let why = why.unwrap_or_else(|| "a plugin reaches its base URL and what it declares".to_owned());
            return Err(self.denied(&format!("{} is not granted to it: {why}", server())));
        }
        match reach_of(&url) {
            Some(Reach::Never) => Err(self
                .denied(&format!("{} is an address that no provider has, and can't be granted", server()))),
            Some(Reach::Local) if !user_named(instance, &origin) => {
                let how = allows().unwrap_or_else(|| "only a base URL that you name reaches it".to_owned());
                Err(self.denied(&format!("{} is of this machine or network; {how}", server())))
            }
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
        response: Response<ResponseBody>,
        server: Arc<str>,
        limits: Limits,
        place: OwnedSemaphorePermit,
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
            let names: Vec<http::HeaderName> =
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
        let body = GuestBody::new(body, redactor, limits, server, self.verdict.clone(), place);
        Ok(Response::from_parts(head, body.boxed_unsync()))
    }

    /// Why a request got no response.
    fn unsent(&self, error: &legacy::Error, server: &str, connect: Duration) -> Refusal {
        let unsent = Unsent::of(error);
        let failure = unsent.failure(server, connect).unwrap_or_else(|| {
            self.denied(&format!("{server}: {AddressRefused}; only a base URL that you name reaches those"))
        });
        let error = match unsent {
            Unsent::Refused => Error::DestinationIpProhibited,
            Unsent::EndlessHead => Error::HttpResponseHeaderSectionSize(None),
            Unsent::ConnectTimeout => Error::ConnectionTimeout,
            Unsent::NoConnection(_) | Unsent::NoProxy(_) => Error::ConnectionRefused,
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

/// Whether the user named this very server: only then may it be local. A preset of ours says so by `localhost` alone; the
/// name of a service on the internet does not become local by what it resolves to.
fn user_named(instance: &Instance, origin: &Origin) -> bool {
    let named = match instance.base_url_source {
        BaseUrlSource::ModelString | BaseUrlSource::Configuration => true,
        BaseUrlSource::Preset => super::is_loopback(origin),
        BaseUrlSource::Plugin => false,
    };
    let base = instance.base_url.as_ref().map(Url::origin);
    (named && base.as_ref() == Some(origin)) || instance.named.contains(origin)
}

fn shorter(ours: Duration, theirs: Option<Duration>) -> Duration {
    theirs.map_or(ours, |theirs| theirs.min(ours))
}
