//! Makes the requests that its prompt says, past the SDK and its checks, and tells how each ended. The prompt is a JSON
//! array: `[{"method", "scheme", "authority", "path", "headers": [[name, value]], "body", "trailers": [[name, value]],
//! "hold": true, "times": 1}]`, all of them optional; the authority is that of the base URL unless it is said. A response
//! that is held is not read, and kept until the end. What failed last is what the call fails with.

use aimu_sdk::bindings::wasi::http::outgoing_handler;
use aimu_sdk::bindings::wasi::http::types::{
    ErrorCode, Fields, FutureIncomingResponse, IncomingResponse, Method, OutgoingBody, OutgoingRequest,
    Scheme,
};
use aimu_sdk::{
    ChatRequest, Completion, Context, Description, Events, Failure, FailureKind, PartContent, Provider,
};
use serde_json::Value;

struct Guest;

/// A response that has come, or why none has.
type Outcome = Result<IncomingResponse, String>;

fn fields(of: &Value) -> Result<Fields, String> {
    let fields = Fields::new();
    for pair in of.as_array().into_iter().flatten() {
        let (name, value) = (pair[0].as_str().unwrap_or_default(), pair[1].as_str().unwrap_or_default());
        fields
            .append(name, value.as_bytes())
            .map_err(|error| format!("the header {name} was refused: {error:?}"))?;
    }
    Ok(fields)
}

fn begin(ctx: &Context, wish: &Value) -> Result<FutureIncomingResponse, String> {
    let (scheme, rest) = ctx.base_url.split_once("://").unwrap_or(("https", &ctx.base_url));
    let (base, _) = rest.split_once('/').unwrap_or((rest, ""));
    let request = OutgoingRequest::new(fields(&wish["headers"])?);
    let method = match wish["method"].as_str() {
        None | Some("GET") => Method::Get,
        Some("POST") => Method::Post,
        Some("CONNECT") => Method::Connect,
        Some("TRACE") => Method::Trace,
        Some(other) => Method::Other(other.into()),
    };
    let scheme = match wish["scheme"].as_str().unwrap_or(scheme) {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        other => Scheme::Other(other.into()),
    };
    let refused = |what: &str| format!("the {what} was refused");
    request.set_method(&method).map_err(|()| refused("method"))?;
    request.set_scheme(Some(&scheme)).map_err(|()| refused("scheme"))?;
    request
        .set_authority(Some(wish["authority"].as_str().unwrap_or(base)))
        .map_err(|()| refused("authority"))?;
    request.set_path_with_query(Some(wish["path"].as_str().unwrap_or("/"))).map_err(|()| refused("path"))?;
    let body = request.body().map_err(|()| refused("body"))?;
    let future = outgoing_handler::handle(request, None).map_err(|code| format!("{code:?}"))?;
    let text = wish["body"].as_str().unwrap_or_default();
    if !text.is_empty()
        && let Ok(stream) = body.write()
    {
        let _ = stream.blocking_write_and_flush(text.as_bytes());
    }
    let trailers = wish["trailers"].is_array().then(|| fields(&wish["trailers"])).transpose()?;
    // A body that does not fit its length is refused here; the request says so, too.
    let _ = OutgoingBody::finish(body, trailers);
    Ok(future)
}

fn wait(future: &FutureIncomingResponse) -> Outcome {
    loop {
        match future.get() {
            Some(Ok(outcome)) => return outcome.map_err(|code: ErrorCode| format!("{code:?}")),
            Some(Err(())) => return Err("taken twice".into()),
            None => future.subscribe().block(),
        }
    }
}

/// Status, headers and body of a response, as text.
fn read(response: &IncomingResponse) -> String {
    let mut text = response.status().to_string();
    for (name, value) in response.headers().entries() {
        text += &format!("\n{name}: {}", String::from_utf8_lossy(&value));
    }
    let Ok(body) = response.consume() else { return text };
    if let Ok(stream) = body.stream() {
        text += "\n\n";
        while let Ok(bytes) = stream.blocking_read(1 << 16) {
            text += &String::from_utf8_lossy(&bytes);
        }
    }
    text
}

fn prompt(request: &ChatRequest) -> String {
    let texts =
        request.messages.iter().flat_map(|message| &message.parts).filter_map(|part| match &part.content {
            PartContent::Text(text) => Some(text.as_str()),
            _ => None,
        });
    texts.collect()
}

impl Provider for Guest {
    fn describe() -> Description {
        Description {
            credentials: vec![test_guests::key("api-key", "RAW_REQUEST_KEY")],
            ..test_guests::asking("raw-request")
        }
    }

    fn chat(ctx: Context, request: ChatRequest, events: &mut Events<'_>) -> Result<Completion, Failure> {
        let wishes: Value = serde_json::from_str(&prompt(&request))
            .map_err(|error| Failure::new(FailureKind::InvalidRequest, error.to_string()))?;
        let mut lines = Vec::new();
        let mut held = Vec::new();
        let mut failed = None;
        for wish in wishes.as_array().into_iter().flatten() {
            for _ in 0..wish["times"].as_u64().unwrap_or(1) {
                match begin(&ctx, wish).and_then(|future| wait(&future)) {
                    Ok(response) if wish["hold"] == true => held.push(response),
                    Ok(response) => {
                        lines.push(read(&response));
                        failed = None;
                    }
                    Err(why) => {
                        lines.push(why.clone());
                        failed = Some(why);
                    }
                }
            }
        }
        // What an author would do with what came back: log it, show it, send it on.
        aimu_sdk::bindings::aimu::provider::host::log(
            aimu_sdk::bindings::aimu::provider::host::Level::Error,
            &lines.join(" "),
        );
        eprintln!("{}", lines.join(" "));
        match failed {
            Some(why) => Err(Failure::new(FailureKind::Network, why)),
            None => test_guests::answer(events, lines.join("\n---\n")),
        }
    }
}

aimu_sdk::export_provider!(Guest);
