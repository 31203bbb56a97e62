//! The host's own way to one server that the user named by URL, such as an MCP server.
//!
//! The same checks as for a plugin's requests hold: the address that is really connected to, no redirect, a credential
//! only where TLS or this machine keeps it, and hidden again in what the server answers. As it is the user who named it,
//! it may be of this machine or network.

use super::address::{Reach, reach_of};
use super::authorize::Authorizing;
use super::client::{Clients, Kind, ResponseBody};
use super::names::AddressRefused;
use super::redact::Redactor;
use super::route::Route;
use super::unsent::{Unsent, cause};
use crate::instance::{BaseUrlSource, Instance};
use crate::limits::{Limits, deadline, reached};
use crate::model::{Failure, FailureKind, Result};
use crate::queue::Queue;
use crate::secrets::HeldCredential;
use crate::sigv4::Outgoing;
use bytes::Bytes;
use futures::StreamExt;
use futures::stream::{BoxStream, unfold};
use http::{HeaderMap, Method, Request, Response};
use http_body_util::{BodyExt, Full};
use serde_json::{Map, Value};
use std::sync::Arc;
use url::Url;

/// The way to one server.
pub(crate) struct Endpoint {
    /// It, in the form in which providers have theirs.
    instance: Instance,
    url: Url,
    /// It, for messages.
    server: String,
    clients: Clients,
    limits: Limits,
}

/// What a server answers, as it comes.
pub(crate) type Pieces = BoxStream<'static, Result<Bytes>>;

impl Endpoint {
    /// # Errors
    /// The URL is one that nothing is at.
    pub(crate) fn new(
        name: &str,
        url: Url,
        headers: HeaderMap,
        credentials: Vec<HeldCredential>,
        route: Route,
        limits: Limits,
    ) -> Result<Self> {
        let server = url.origin().ascii_serialization();
        if reach_of(&url) == Some(Reach::Never) {
            let what = format!("{server} is an address that no server has, and can't be allowed");
            return Err(Failure::new(FailureKind::Denied, what));
        }
        let instance = Instance {
            name: name.to_owned(),
            plugin: name.to_owned(),
            base_url: Some(url.clone()),
            base_url_source: BaseUrlSource::Configuration,
            settings: Value::Object(Map::new()),
            headers,
            origins: vec![url.origin()],
            anywhere: false,
            named: Vec::new(),
            allows: None,
            credentials,
            refused: None,
            ticket: None,
            route,
            queue: Arc::new(Queue::new(usize::MAX)),
        };
        Ok(Self { instance, url, server, clients: Clients::default(), limits })
    }

    /// Sends a request; gives its response's head, and the body as it comes.
    pub(crate) async fn send(
        &self,
        method: Method,
        mut headers: HeaderMap,
        body: Bytes,
    ) -> Result<Response<Pieces>> {
        headers.extend(self.instance.headers.clone());
        let request = Outgoing { method: &method, url: &self.url, body: &body };
        let origin = self.url.origin();
        let mut credentials = Authorizing::add(&self.instance, &origin, request, &mut headers).await?;
        let mut response = self.exchange(request, headers).await?;
        if let Some(headers) = credentials.again(response.status(), response.headers()).await? {
            response = self.exchange(request, headers).await?;
        }
        let size: usize =
            response.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
        if size > self.limits.response_headers {
            return Err(reached(
                "response-headers",
                &format!("{} sent {size} bytes of headers", self.server),
            ));
        }
        Ok(response.map(|body| self.pieces(body)))
    }

    async fn exchange(&self, request: Outgoing<'_>, headers: HeaderMap) -> Result<Response<ResponseBody>> {
        let finished = Request::builder().method(request.method).uri(request.url.as_str());
        let mut finished = finished.body(Full::new(request.body.clone())).map_err(|error| {
            Failure::new(FailureKind::InvalidRequest, format!("its URL is none that can be asked: {error}"))
        })?;
        *finished.headers_mut() = headers;
        let kind = Kind::new(&self.url, true, self.limits.connect, &self.instance.route);
        let client = self.clients.get(&kind, &self.instance.route.resolver)?;
        match tokio::time::timeout(self.limits.first_byte, client.send(finished)).await {
            Err(_) => Err(deadline(
                "first-byte",
                &format!("{} did not answer", self.server),
                self.limits.first_byte,
            )),
            Ok(Err(error)) => {
                let failure = Unsent::of(&error).failure(&self.server, self.limits.connect);
                Err(failure.unwrap_or_else(|| {
                    Failure::new(FailureKind::Denied, format!("{} is refused: {AddressRefused}", self.server))
                }))
            }
            Ok(Ok(response)) => Ok(response),
        }
    }

    fn pieces(&self, body: ResponseBody) -> Pieces {
        let secrets = self.instance.credentials.iter().flat_map(HeldCredential::patterns);
        let state = (body, Redactor::new(secrets), self.server.clone(), false);
        let stream = unfold(state, |(mut body, mut redactor, server, ended)| async move {
            if ended {
                return None;
            }
            loop {
                let (piece, ended) = match body.frame().await {
                    Some(Ok(frame)) => {
                        let Ok(data) = frame.into_data() else { continue };
                        let data =
                            redactor.as_mut().map_or_else(|| data.clone(), |it| it.piece(data.clone()));
                        (Ok(data), false)
                    }
                    Some(Err(error)) => {
                        let cause = cause(&*error);
                        let what = format!(
                            "the connection to {server} was cut in the middle of the answer ({cause})"
                        );
                        (Err(Failure::new(FailureKind::Network, what)), true)
                    }
                    None => (Ok(redactor.as_mut().map(Redactor::rest).unwrap_or_default()), true),
                };
                if matches!(&piece, Ok(data) if data.is_empty()) {
                    if ended {
                        return None;
                    }
                    continue;
                }
                return Some((piece, (body, redactor, server, ended)));
            }
        });
        stream.boxed()
    }
}
