//! What a failed call says.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::time::Duration;

/// Why a call failed: one set of kinds for every provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// The key is missing or wrong.
    Authentication,
    /// The key may not do this.
    Permission,
    /// No such model or endpoint.
    NotFound,
    /// The request is wrong.
    InvalidRequest,
    /// The conversation does not fit the model's context window.
    ContextLength,
    /// Too many requests; waiting heals it.
    RateLimited,
    /// Out of money or quota; waiting does not heal it.
    Quota,
    /// The provider has no capacity now.
    Overloaded,
    /// The provider's filter refused.
    ContentFilter,
    /// A deadline passed; the message names which.
    Timeout,
    /// The connection failed or was cut.
    Network,
    /// The host refused it: a grant is missing.
    Denied,
    /// A limit of the host was reached.
    Limit,
    /// Bytes that make no sense, or a stream without its end.
    Protocol,
    /// The provider or the model can't do this.
    Unsupported,
    /// The provider failed inside.
    Server,
    /// The component trapped, panicked or broke the contract.
    Internal,
}

impl FailureKind {
    /// The contract's word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Authentication => "authentication",
            Self::Permission => "permission",
            Self::NotFound => "not-found",
            Self::InvalidRequest => "invalid-request",
            Self::ContextLength => "context-length",
            Self::RateLimited => "rate-limited",
            Self::Quota => "quota",
            Self::Overloaded => "overloaded",
            Self::ContentFilter => "content-filter",
            Self::Timeout => "timeout",
            Self::Network => "network",
            Self::Denied => "denied",
            Self::Limit => "limit",
            Self::Protocol => "protocol",
            Self::Unsupported => "unsupported",
            Self::Server => "server",
            Self::Internal => "internal",
        }
    }

    /// Whether the same request may succeed a little later.
    #[must_use]
    pub fn can_heal(self) -> bool {
        matches!(self, Self::RateLimited | Self::Overloaded | Self::Network | Self::Server)
    }
}

impl std::fmt::Display for FailureKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A failed call, or a request that could not be made. The crate's error type.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// What sort.
    pub kind: FailureKind,
    /// What failed and what to do, for people.
    pub message: String,
    /// The status of the response, where one came.
    pub http_status: Option<u16>,
    /// How long the provider asks to wait.
    pub retry_after: Option<Duration>,
    /// The request's id at the provider, for its support.
    pub request_id: Option<String>,
    /// The instance that was called: `provider` in `provider:model`.
    pub provider: Option<String>,
    /// The provider's own error.
    pub provider_error: Option<Value>,
}

impl Failure {
    /// A failure of the host's own, without anything from a provider.
    #[must_use]
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            http_status: None,
            retry_after: None,
            request_id: None,
            provider: None,
            provider_error: None,
        }
    }

    /// The same, with the instance named.
    #[must_use]
    pub fn of_provider(mut self, provider: impl Into<String>) -> Self {
        self.provider.get_or_insert_with(|| provider.into());
        self
    }
}

/// The crate's result type.
pub type Result<T, E = Failure> = std::result::Result<T, E>;
