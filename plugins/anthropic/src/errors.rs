//! Errors (<https://platform.claude.com/docs/en/api/errors>): the body's own type wins over the status.

use aimu_sdk::failure::{ErrorFacts, is_context_length};
use aimu_sdk::http::ErrorResponse;
use aimu_sdk::{Failure, FailureKind};
use serde_json::Value;

/// The failure of an error response.
#[must_use]
pub(crate) fn of_response(response: &ErrorResponse) -> Failure {
    let failure = Failure::from_response(response);
    let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    refine(failure, &body)
}

/// The failure of an error in a stream, or in a response of status 200.
#[must_use]
pub(crate) fn of_body(body: &Value) -> Failure {
    let message = ErrorFacts::of(body).message.unwrap_or_else(|| "the provider reported an error".into());
    let failure = Failure {
        provider_error: Some(body.to_string()),
        // It was answering: whatever went wrong without a name went wrong there.
        ..Failure::new(FailureKind::Server, message)
    };
    refine(failure, body)
}

fn refine(mut failure: Failure, body: &Value) -> Failure {
    let word = ErrorFacts::of(body).kind_word.unwrap_or_default();
    if let Some(kind) = kind(&word, &failure.message) {
        failure.kind = kind;
    }
    if failure.request_id.is_none() {
        failure.request_id = body.get("request_id").and_then(Value::as_str).map(str::to_owned);
    }
    failure
}

fn kind(word: &str, message: &str) -> Option<FailureKind> {
    Some(match word {
        "invalid_request_error" if is_context_length(message) => FailureKind::ContextLength,
        "invalid_request_error" if message.contains("credit balance") => FailureKind::Quota,
        "invalid_request_error" if message.contains("content filtering policy") => FailureKind::ContentFilter,
        "invalid_request_error" => FailureKind::InvalidRequest,
        "request_too_large" => FailureKind::ContextLength,
        "authentication_error" => FailureKind::Authentication,
        "billing_error" => FailureKind::Quota,
        "permission_error" => FailureKind::Permission,
        "not_found_error" => FailureKind::NotFound,
        "rate_limit_error" => FailureKind::RateLimited,
        "timeout_error" => FailureKind::Timeout,
        "overloaded_error" => FailureKind::Overloaded,
        "api_error" => FailureKind::Server,
        _ => return None,
    })
}
