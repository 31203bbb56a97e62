//! What the protocol's library says went wrong, as people are told.

use super::lines::TOO_LONG;
use crate::model::{Failure, FailureKind};
use rmcp::ServiceError;
use rmcp::service::ClientInitializeError;
use rmcp::transport::DynamicTransportError;
use rmcp::transport::streamable_http_client::StreamableHttpError;

/// Characters of what a server says that are told.
const TOLD: usize = 500;

/// A text on one line, cut where it is too long.
pub(super) fn short(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(TOLD) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// Why there is no connection.
pub(super) fn of_start(error: ClientInitializeError) -> Failure {
    use ClientInitializeError as E;
    let protocol = |what: String| Failure::new(FailureKind::Protocol, what);
    match error {
        E::TransportError { error, .. } => of_transport(error),
        E::LegacyFallbackFailed { fallback, .. } => of_start(*fallback),
        E::ConnectionClosed(_) => {
            Failure::new(FailureKind::Network, "it ended before it answered as an MCP server")
        }
        E::JsonRpcError(error) => protocol(format!("it refused the connection: {}", short(&error.message))),
        E::NoCompatibleProtocolVersion { server_supported, .. } => {
            let theirs: Vec<String> = server_supported.iter().take(8).map(|it| short(it.as_str())).collect();
            let what =
                format!("it speaks only versions of MCP that this program does not: {}", theirs.join(", "));
            Failure::new(FailureKind::Unsupported, what)
        }
        E::ExpectedInitResponse(_) | E::ExpectedInitResult(_) => {
            protocol("it answered, but not as an MCP server does".to_owned())
        }
        other => protocol(short(&other.to_string())),
    }
}

/// Why a request has no result.
pub(super) fn of_request(error: ServiceError) -> Failure {
    match error {
        ServiceError::McpError(error) => Failure::new(FailureKind::Server, short(&error.message)),
        ServiceError::TransportSend(error) => of_transport(error),
        ServiceError::TransportClosed => {
            Failure::new(FailureKind::Network, "it ended in the middle of the call")
        }
        ServiceError::UnexpectedResponse => {
            Failure::new(FailureKind::Protocol, "it answered with something that is no result")
        }
        ServiceError::Cancelled { .. } => Failure::new(FailureKind::Server, "it gave the call up"),
        other => Failure::new(FailureKind::Protocol, short(&other.to_string())),
    }
}

fn of_transport(error: DynamicTransportError) -> Failure {
    let network = |what: String| Failure::new(FailureKind::Network, what);
    let error = match error.error.downcast::<StreamableHttpError<Failure>>() {
        Ok(error) => *error,
        Err(error) => return network(format!("it could not be spoken to ({})", short(&error.to_string()))),
    };
    match error {
        StreamableHttpError::Client(failure) => failure,
        StreamableHttpError::ResponseBodyTooLarge { .. } => Failure::new(FailureKind::Limit, TOO_LONG),
        StreamableHttpError::UnexpectedServerResponse(what) => {
            Failure::new(FailureKind::Protocol, short(&what))
        }
        StreamableHttpError::UnexpectedContentType(kind) => {
            let kind = kind.filter(|kind| !kind.is_empty()).unwrap_or_else(|| "without a type".to_owned());
            let what = format!("it answered with what is no MCP ({}); is the URL right?", short(&kind));
            Failure::new(FailureKind::Protocol, what)
        }
        StreamableHttpError::SessionExpired => network("it has forgotten the session".to_owned()),
        other => network(format!("it could not be spoken to ({})", short(&other.to_string()))),
    }
}
