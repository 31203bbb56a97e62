//! Servers that are spoken to over HTTP.

use crate::good::Good;
use crate::support::canary::CANARY;
use crate::world::{World, call, check, failure, text, toolbox};
use aimu_host::FailureKind;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rmcp::transport::StreamableHttpService;
use rmcp::transport::streamable_http_server::StreamableHttpServerConfig;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;

type Service = StreamableHttpService<Good, LocalSessionManager>;
type Answer = Response<BoxBody<Bytes, Infallible>>;

fn service(good: &Good, json: bool) -> Service {
    let good = good.clone();
    let config = StreamableHttpServerConfig::default().with_json_response(json);
    // One that answers in JSON has no sessions.
    let config = config.with_legacy_session_mode(!json);
    StreamableHttpService::new(move || Ok(good.clone()), Arc::default(), config)
}

fn plain(status: StatusCode, body: &str) -> Answer {
    let body = Full::new(Bytes::from(body.to_owned())).boxed();
    Response::builder().status(status).header("location", "/elsewhere").body(body).unwrap()
}

/// Serves on the loopback interface; gives the URL.
async fn serve<F, A>(answer: F) -> String
where
    F: Fn(Request<Incoming>) -> A + Clone + Send + 'static,
    A: Future<Output = Answer> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/mcp", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let answer = answer.clone();
            let service = service_fn(move |request| {
                let answer = answer(request);
                async move { Ok::<_, Infallible>(answer.await) }
            });
            let connection = hyper::server::conn::http1::Builder::new();
            tokio::spawn(connection.serve_connection(TokioIo::new(stream), service));
        }
    });
    url
}

/// A good server that wants a key, and may be exchanged.
#[derive(Clone)]
struct Guarded(Arc<Mutex<Service>>);

impl Guarded {
    async fn answer(self, request: Request<Incoming>) -> Answer {
        let key = format!("Bearer {CANARY}");
        if request.headers().get("authorization").is_none_or(|given| given != key.as_str()) {
            return plain(StatusCode::UNAUTHORIZED, "who are you?");
        }
        let service = self.0.lock().unwrap().clone();
        service.handle(request).await
    }
}

fn with_key(url: &str) -> World {
    let world = World::new();
    let key = world.path().join("key");
    std::fs::write(&key, CANARY).unwrap();
    let credential = format!("credential = {{ source = {{ file = '{}' }} }}", key.display());
    world.url("web", url, &format!("{credential}\ntimeout = '20s'"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_of_each_era_answers_over_http() {
    for (old, json, protocol) in [
        (false, true, "2026-07-28"),
        (false, false, "2026-07-28"),
        (true, true, "2025-11-25"),
        (true, false, "2025-11-25"),
    ] {
        let good = if old { Good::old() } else { Good::default() };
        let guarded = Guarded(Arc::new(Mutex::new(service(&good, json))));
        let url = serve(move |request| guarded.clone().answer(request)).await;
        let world = with_key(&url);
        let host = world.host();
        let checked = check(&host, "web").await;
        let why = checked.tools.as_ref().err();
        assert_eq!(checked.protocol.as_deref(), Some(protocol), "old {old}, json {json}: {why:?}");
        let tools = toolbox(&host, "web").await;
        let answer = call(&tools, "web__echo", r#"{"text": "over the wire"}"#).await;
        assert_eq!(text(&answer), "over the wire", "old {old}, json {json}");
        // What could be a key that was echoed is no longer one.
        let answer = call(&tools, "web__echo", &format!(r#"{{"text": "{CANARY}"}}"#)).await;
        assert!(!text(&answer).contains(CANARY) && !answer.is_error, "{answer:?}");
        call(&tools, "web__grow", "{}").await;
        assert_eq!(check(&host, "web").await.tools.unwrap().len(), 10);
        let huge = call(&tools, "web__big", r#"{"bytes": 52428800}"#).await;
        // A stream of before is asked for the rest of it, again and again, until the call's time is over.
        let end = if old && !json { "was ended" } else { "16 MiB" };
        assert!(huge.is_error && text(&huge).contains(end), "old {old}, json {json}: {huge:?}");
        assert_eq!(text(&call(&tools, "web__echo", r#"{"text": "after"}"#).await), "after");
        if old && !json {
            assert_eq!(text(&call(&tools, "web__ask", "{}").await), "declined");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_is_gone_is_opened_again() {
    let good = Good::old();
    let guarded = Guarded(Arc::new(Mutex::new(service(&good, false))));
    let (exchanged, served) = (guarded.0.clone(), guarded.clone());
    let url = serve(move |request| served.clone().answer(request)).await;
    let world = with_key(&url);
    let host = world.host();
    let tools = toolbox(&host, "web").await;
    assert_eq!(text(&call(&tools, "web__echo", r#"{"text": "before"}"#).await), "before");
    // As a server that was started again: it knows no session.
    *exchanged.lock().unwrap() = service(&good, false);
    assert_eq!(text(&call(&tools, "web__echo", r#"{"text": "after"}"#).await), "after");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_server_refuses_is_told_without_the_key() {
    let guarded = Guarded(Arc::new(Mutex::new(service(&Good::default(), true))));
    let locked = serve(move |request| guarded.clone().answer(request)).await;
    let moved = serve(|_| async { plain(StatusCode::TEMPORARY_REDIRECT, "") }).await;
    let gone = serve(|_| async { plain(StatusCode::NOT_FOUND, "no such page") }).await;
    let broken = serve(|request| async move {
        let key = request.headers().get("x-key").map(|key| key.to_str().unwrap().to_owned());
        plain(StatusCode::INTERNAL_SERVER_ERROR, &format!("your key is {}", key.unwrap_or_default()))
    })
    .await;
    let page = serve(|_| async { plain(StatusCode::OK, "<html>") }).await;
    let world = World::new();
    let key = world.path().join("key");
    std::fs::write(&key, CANARY).unwrap();
    let header = format!("headers = {{ x-key = {{ file = '{}' }} }}", key.display());
    let world = world
        .url("locked", &locked, "")
        .url("moved", &moved, "")
        .url("gone", &gone, "")
        .url("broken", &broken, &header)
        .url("page", &page, "")
        .url("metadata", "http://169.254.169.254/mcp", "")
        .url("clear", "http://mcp.example/mcp", &header)
        .url("user", "http://me:hunter2@127.0.0.1/mcp", "")
        .url("nobody", "http://127.0.0.1:9/mcp", "");
    let host = world.host();
    for (name, kind, word) in [
        ("locked", FailureKind::Authentication, "who are you?"),
        ("moved", FailureKind::Network, "redirects are not followed"),
        ("gone", FailureKind::NotFound, "is the URL right?"),
        ("broken", FailureKind::Server, "your key is ***"),
        ("page", FailureKind::Protocol, "no MCP"),
        ("metadata", FailureKind::Denied, "can't be allowed"),
        ("clear", FailureKind::Denied, "no TLS"),
        ("user", FailureKind::InvalidRequest, "no user and password"),
        ("nobody", FailureKind::Network, "could not connect"),
    ] {
        let told = failure(&host, name).await;
        assert!(told.kind == kind && told.message.contains(word), "{name}: {told:?}");
        assert!(!told.message.contains(CANARY) && !told.message.contains("hunter2"), "{told}");
    }
}
