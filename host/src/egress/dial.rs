//! Connections: to addresses that have been checked, and to no other.
//!
//! Problem: a name that is looked up twice can have two answers. Decision: every connection begins here, with one
//! look-up; what is connected to, directly or by way of a proxy, is an address of that answer that was checked. Price: a
//! connection of its own for each plugin and way; the HTTP client's pool keeps them.

use super::address::canonical;
use super::names::{self, Resolve};
use super::route::Proxy;
use super::unsent::cause;
use futures::future::BoxFuture;
use http::Uri;
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::Name;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::future::{Ready, ready};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::net::TcpStream;
use tower_service::Service;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// How often a silent connection is asked whether it is still there: models that think are silent for minutes, and
/// routers forget connections.
const ALIVE: Duration = Duration::from_secs(15);

/// Addresses of a server that a proxy is asked for, one after the other.
const PROXY_TRIES: usize = 3;

/// Opens connections to servers whose addresses pass.
#[derive(Clone)]
pub(super) struct Dial {
    pub(super) resolver: Arc<dyn Resolve>,
    /// The user named a server of this machine or network.
    pub(super) local: bool,
    pub(super) proxy: Option<Arc<Proxy>>,
}

impl Service<Uri> for Dial {
    type Response = TokioIo<TcpStream>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Self::Response, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, target: Uri) -> Self::Future {
        Box::pin(self.clone().connect(target))
    }
}

impl Dial {
    async fn connect(self, target: Uri) -> Result<TokioIo<TcpStream>, BoxError> {
        let host = target.host().unwrap_or_default();
        let addresses = names::addresses(host, self.local, &*self.resolver).await?;
        let elsewhere: Vec<IpAddr> =
            addresses.iter().copied().filter(|ip| !canonical(*ip).is_loopback()).collect();
        match &self.proxy {
            Some(proxy) if !elsewhere.is_empty() => self.tunnel(proxy, &target, elsewhere).await,
            _ => Ok(connector(&addresses).call(target).await?),
        }
    }

    /// A tunnel to one of these addresses.
    async fn tunnel(
        &self,
        proxy: &Proxy,
        target: &Uri,
        addresses: Vec<IpAddr>,
    ) -> Result<TokioIo<TcpStream>, BoxError> {
        let default_port = if target.scheme_str() == Some("https") { 443 } else { 80 };
        let port = target.port_u16().unwrap_or(default_port);
        // The user named the proxy, which may be of this machine or network.
        let host = proxy.uri.host().unwrap_or_default();
        let of_proxy = names::addresses(host, true, &*self.resolver).await;
        let failed = |what: String| ProxyFailed { proxy: proxy.uri.clone(), what };
        let of_proxy = of_proxy.map_err(|error| failed(format!("was not found: {error}")))?;
        let mut refused = String::new();
        for ip in addresses.into_iter().take(PROXY_TRIES) {
            let address = SocketAddr::new(ip, port);
            let mut tunnel = Tunnel::new(proxy.uri.clone(), connector(&of_proxy));
            if let Some(authorization) = proxy.authorization() {
                tunnel = tunnel.with_auth(authorization);
            }
            match tunnel.call(Uri::try_from(format!("http://{address}"))?).await {
                Ok(connection) => return Ok(connection),
                // "tunnel error: proxy authorization required" and the like.
                Err(error) => refused = format!("did not connect to {address} ({})", cause(&error)),
            }
        }
        Err(failed(refused).into())
    }
}

/// What connects to these addresses, the quicker family first, and looks nothing up.
fn connector(addresses: &[IpAddr]) -> HttpConnector<Found> {
    // The port is the target's.
    let found = Found(addresses.iter().map(|ip| SocketAddr::new(*ip, 0)).collect());
    let mut connector = HttpConnector::new_with_resolver(found);
    connector.enforce_http(false);
    connector.set_nodelay(true);
    connector.set_keepalive(Some(ALIVE));
    connector.set_keepalive_interval(Some(ALIVE));
    connector.set_keepalive_retries(Some(3));
    #[cfg(target_os = "linux")]
    connector.set_tcp_user_timeout(Some(2 * ALIVE));
    connector
}

/// The answer to a look-up that has been made.
#[derive(Clone)]
struct Found(Vec<SocketAddr>);

impl Service<Name> for Found {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Name) -> Self::Future {
        ready(Ok(self.0.clone().into_iter()))
    }
}

/// A proxy that made no connection.
#[derive(Debug, thiserror::Error)]
#[error("the proxy {proxy} {what}")]
pub(super) struct ProxyFailed {
    proxy: Uri,
    what: String,
}

/// A connection, TLS and all, within its deadline.
#[derive(Clone)]
pub(super) struct Deadline {
    pub(super) inner: HttpsConnector<Dial>,
    pub(super) connect: Duration,
}

/// There was no connection in time.
#[derive(Debug, thiserror::Error)]
#[error("there was no connection in time")]
pub(super) struct ConnectTimeout;

impl Service<Uri> for Deadline {
    type Response = MaybeHttpsStream<TokioIo<TcpStream>>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Self::Response, BoxError>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, target: Uri) -> Self::Future {
        let connecting = tokio::time::timeout(self.connect, self.inner.call(target));
        Box::pin(async move {
            match connecting.await {
                Ok(connected) => connected,
                Err(_) => Err(ConnectTimeout.into()),
            }
        })
    }
}
