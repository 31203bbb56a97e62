//! Streamable HTTP, over the host's own way out.
//!
//! What is bounded here is what has to be held at once: a JSON body, one event of a stream, the part of an error's body
//! that is told. How long a call may take is bounded where it is made.

use super::lines::{Hearing, LONGEST, TOO_LONG};
use crate::egress::{Endpoint, Pieces};
use crate::model::{Failure, FailureKind};
use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use futures::stream::BoxStream;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header};
use rmcp::model::{ClientJsonRpcMessage, ClientRequest, ErrorData, ServerJsonRpcMessage};
use rmcp::transport::streamable_http_client::{
    SseError, StreamableHttpClient, StreamableHttpError, StreamableHttpPostResponse,
};
use sse_stream::{Sse, SseStream};
use std::collections::HashMap;
use std::sync::{Arc, PoisonError};

const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");
const LAST_EVENT: HeaderName = HeaderName::from_static("last-event-id");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const STREAM: HeaderValue = HeaderValue::from_static("text/event-stream");
const EITHER: HeaderValue = HeaderValue::from_static("application/json, text/event-stream");

/// Bytes of an error's body that are looked at: an error of the protocol, or a sentence.
const MOST_ERROR: usize = 16 << 10;

/// Characters of it that are told.
const TOLD: usize = 300;

/// A server on the network.
#[derive(Clone)]
pub(super) struct Http {
    pub(super) endpoint: Arc<Endpoint>,
    /// Where it is kept why a stream was ended, which the library does not tell.
    pub(super) heard: Hearing,
}

type Error = StreamableHttpError<Failure>;

impl Http {
    async fn send(
        &self,
        method: Method,
        accept: HeaderValue,
        session: Option<&str>,
        more: HashMap<HeaderName, HeaderValue>,
        body: Bytes,
    ) -> Result<Response<Pieces>, Error> {
        let mut headers: HeaderMap = more.into_iter().collect();
        headers.insert(header::ACCEPT, accept);
        if !body.is_empty() {
            headers.insert(header::CONTENT_TYPE, JSON);
        }
        if let Some(session) = session {
            headers.insert(SESSION, value(session)?);
        }
        self.endpoint.send(method, headers, body).await.map_err(Error::Client)
    }
}

impl StreamableHttpClient for Http {
    type Error = Failure;

    async fn post_message(
        &self,
        _: Arc<str>,
        message: ClientJsonRpcMessage,
        session: Option<Arc<str>>,
        _: Option<String>,
        headers: HashMap<HeaderName, HeaderValue>,
    ) -> Result<StreamableHttpPostResponse, Error> {
        let body = serde_json::to_vec(&message)?.into();
        let response = self.send(Method::POST, EITHER, session.as_deref(), headers, body).await?;
        let status = response.status();
        if status == StatusCode::NOT_FOUND && session.is_some() {
            return Err(Error::SessionExpired);
        }
        if matches!(status, StatusCode::ACCEPTED | StatusCode::NO_CONTENT) {
            return Ok(StreamableHttpPostResponse::Accepted);
        }
        let new_session =
            response.headers().get(SESSION).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let kind = media_type(&response);
        if !status.is_success() {
            return refused(&message, session.is_some(), status, new_session, response.into_body()).await;
        }
        let awaited = matches!(message, ClientJsonRpcMessage::Request(_));
        match kind.as_str() {
            // Nothing is awaited, so nothing that is said counts.
            _ if !awaited => Ok(StreamableHttpPostResponse::Accepted),
            "text/event-stream" => Ok(StreamableHttpPostResponse::Sse(
                events(response.into_body(), self.heard.clone()),
                new_session,
            )),
            "application/json" => {
                let (body, whole) = collect(response.into_body(), LONGEST).await?;
                if !whole {
                    return Err(Error::ResponseBodyTooLarge { max_size: LONGEST });
                }
                let parsed = serde_json::from_slice(&body).map_err(|_| {
                    Error::UnexpectedServerResponse("it answered with JSON that is no message of MCP".into())
                })?;
                Ok(StreamableHttpPostResponse::Json(parsed, new_session))
            }
            _ => Err(Error::UnexpectedContentType(Some(kind.chars().take(TOLD).collect()))),
        }
    }

    async fn delete_session(
        &self,
        _: Arc<str>,
        session: Arc<str>,
        _: Option<String>,
        headers: HashMap<HeaderName, HeaderValue>,
    ) -> Result<(), Error> {
        // Some servers have no such request; there is nothing to be done about it.
        self.send(Method::DELETE, EITHER, Some(&session), headers, Bytes::new()).await.map(drop)
    }

    async fn get_stream(
        &self,
        _: Arc<str>,
        session: Option<Arc<str>>,
        last_event: Option<String>,
        _: Option<String>,
        mut headers: HashMap<HeaderName, HeaderValue>,
    ) -> Result<BoxStream<'static, Result<Sse, SseError>>, Error> {
        if let Some(last) = last_event {
            headers.insert(LAST_EVENT, value(&last)?);
        }
        let response = self.send(Method::GET, STREAM, session.as_deref(), headers, Bytes::new()).await?;
        match response.status() {
            StatusCode::NOT_FOUND if session.is_some() => Err(Error::SessionExpired),
            status if status.is_success() && media_type(&response) == "text/event-stream" => {
                Ok(events(response.into_body(), self.heard.clone()))
            }
            // A server need not have one.
            _ => Err(Error::ServerDoesNotSupportSse),
        }
    }
}

fn value(text: &str) -> Result<HeaderValue, Error> {
    HeaderValue::from_str(text).map_err(|_| {
        Error::UnexpectedServerResponse("it named a session or event that no header can carry".into())
    })
}

fn media_type<T>(response: &Response<T>) -> String {
    let given = response.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    given.unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// What a status that is no success means.
async fn refused(
    message: &ClientJsonRpcMessage,
    in_session: bool,
    status: StatusCode,
    session: Option<String>,
    body: Pieces,
) -> Result<StreamableHttpPostResponse, Error> {
    let locked = matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
    let body = collect(body, MOST_ERROR).await.map(|(body, _)| body).unwrap_or_default();
    let error = match serde_json::from_slice::<ServerJsonRpcMessage>(&body) {
        Ok(ServerJsonRpcMessage::Error(error)) if !locked => Some(error),
        _ => None,
    };
    if let ClientJsonRpcMessage::Request(request) = message {
        // A server of an older protocol refuses what asks for the newer one in a way of its own, and the handshake of
        // its time is tried after any error of the protocol.
        let probe = matches!(request.request, ClientRequest::DiscoverRequest(_));
        if probe && !in_session && status.is_client_error() && !locked {
            let what = || ErrorData::invalid_request(format!("HTTP {status}"), None);
            let error = error.map_or_else(what, |error| error.error);
            let message = ServerJsonRpcMessage::error(error, Some(request.id.clone()));
            return Ok(StreamableHttpPostResponse::Json(message, None));
        }
    }
    if let Some(error) = error {
        return Ok(StreamableHttpPostResponse::Json(ServerJsonRpcMessage::Error(error), session));
    }
    let text: String = String::from_utf8_lossy(&body).chars().take(TOLD).collect();
    let said = match text.split_whitespace().collect::<Vec<_>>().join(" ") {
        text if text.is_empty() => String::new(),
        text => format!(" ({text})"),
    };
    let (kind, remedy) = match status.as_u16() {
        401 | 403 => {
            (FailureKind::Authentication, "; `credential` of the server in config.toml gives it a key")
        }
        300..=399 => (FailureKind::Network, "; redirects are not followed: give the URL that it ends at"),
        404 | 405 => (FailureKind::NotFound, "; is the URL right? It ends in `/mcp` at many servers"),
        429 => (FailureKind::RateLimited, ""),
        _ => (FailureKind::Server, ""),
    };
    let failure = Failure::new(kind, format!("it answered HTTP {}{said}{remedy}", status.as_u16()));
    Err(Error::Client(Failure { http_status: Some(status.as_u16()), ..failure }))
}

/// The beginning of a body, and whether that is all of it.
async fn collect(mut body: Pieces, most: usize) -> Result<(Bytes, bool), Error> {
    let mut bytes = BytesMut::new();
    while let Some(piece) = body.next().await {
        let piece = piece.map_err(Error::Client)?;
        if bytes.len() + piece.len() > most {
            return Ok((bytes.freeze(), false));
        }
        bytes.extend_from_slice(&piece);
    }
    Ok((bytes.freeze(), true))
}

/// The events of a stream, none of them too large.
fn events(body: Pieces, heard: Hearing) -> BoxStream<'static, Result<Sse, SseError>> {
    let mut length = EventLength::default();
    let bounded = body.map(move |piece| {
        let piece = piece?;
        if length.after(&piece) > LONGEST {
            heard.lock().unwrap_or_else(PoisonError::into_inner).fault = Some(TOO_LONG);
            return Err(Failure::new(FailureKind::Limit, TOO_LONG));
        }
        Ok(piece)
    });
    // The stream is at its end after an error.
    let mut failed = false;
    let bounded = bounded.take_while(move |piece| {
        let goes_on = !failed;
        failed |= piece.is_err();
        futures::future::ready(goes_on)
    });
    SseStream::from_bytes_stream(bounded).boxed()
}

/// How many bytes the event has that has begun.
#[derive(Default)]
struct EventLength {
    event: usize,
    line: usize,
}

impl EventLength {
    fn after(&mut self, piece: &[u8]) -> usize {
        let mut longest = self.event;
        for byte in piece {
            self.event += 1;
            longest = longest.max(self.event);
            match byte {
                // An empty line ends an event.
                b'\n' if self.line == 0 => self.event = 0,
                b'\n' => self.line = 0,
                b'\r' => {}
                _ => self.line += 1,
            }
        }
        longest
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use futures::stream::iter;

    fn pieces(pieces: Vec<Vec<u8>>) -> Pieces {
        iter(pieces.into_iter().map(|piece| Ok(Bytes::from(piece)))).boxed()
    }

    #[tokio::test]
    async fn events_are_as_long_as_they_may_be_and_no_longer() {
        let event = |length: usize| format!("data: {}\r\n\r\n", "x".repeat(length)).into_bytes();
        let read: Vec<_> = events(pieces(vec![event(LONGEST / 2); 3]), Hearing::default()).collect().await;
        assert!(read.len() == 3 && read.iter().all(Result::is_ok));
        let endless = vec![b"data: x\n".repeat(1 << 17); 64];
        let read: Vec<_> = events(pieces(endless), Hearing::default()).collect().await;
        assert!(
            read.len() == 1 && read[0].as_ref().unwrap_err().to_string().contains("16 MiB"),
            "{}",
            read.len()
        );
    }
}
