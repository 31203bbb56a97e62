//! Errors: `{"id", "message"}` (<https://docs.cohere.com/reference/errors>). The status tells the kind, but for some that
//! only the words tell apart.

use aimu_sdk::failure::ErrorFacts;
use aimu_sdk::http::ErrorResponse;
use aimu_sdk::{Failure, FailureKind};
use serde_json::Value;

/// The failure of an error response.
#[must_use]
pub fn of_response(response: &ErrorResponse) -> Failure {
    let mut failure = Failure::from_response(response);
    if failure.request_id.is_none() {
        let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
        let id = body.get("id").and_then(Value::as_str).or_else(|| response.header("x-debug-trace-id"));
        failure.request_id = id.map(str::to_owned);
    }
    refine(failure)
}

/// The failure of an error in a stream, or in a response of status 200.
#[must_use]
pub fn of_body(body: &Value) -> Failure {
    let failure = Failure::from_error_body(body).unwrap_or_else(|| {
        let message = ErrorFacts::of(body).message;
        let message = message.unwrap_or_else(|| "the provider reported an error".into());
        // It was answering: whatever went wrong without a name went wrong there.
        Failure { provider_error: Some(body.to_string()), ..Failure::new(FailureKind::Server, message) }
    });
    refine(failure)
}

fn refine(mut failure: Failure) -> Failure {
    let said = failure.message.to_ascii_lowercase();
    let says = |words: &str| said.contains(words);
    failure.kind = match (failure.kind, failure.http_status) {
        // A word of the request or the answer is on a list of forbidden ones.
        (_, Some(498)) => FailureKind::ContentFilter,
        (_, Some(501)) => FailureKind::Unsupported,
        // "max tokens must be less than or equal to 4096" is a wrong parameter.
        (FailureKind::InvalidRequest | FailureKind::Server, _)
            if says("too many tokens") && !says("max tokens must") =>
        {
            FailureKind::ContextLength
        }
        (FailureKind::InvalidRequest, _) if says("invalid api token") => FailureKind::Authentication,
        // "… a Trial key, which is limited to 1000 API calls / month": no wait that a call could make helps.
        (FailureKind::RateLimited, _) if says("month") || says("billing") => FailureKind::Quota,
        (kind, _) => kind,
    };
    failure
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn words_tell_apart_what_the_status_does_not() {
        use FailureKind::{
            Authentication, ContentFilter, ContextLength, InvalidRequest, NotFound, Quota, RateLimited,
            Server, Unsupported,
        };
        for (status, message, kind) in [
            (400, "invalid request: message must be at least 1 token long", InvalidRequest),
            (
                400,
                "too many tokens: size limit exceeded by 11326 tokens. Try using shorter inputs",
                ContextLength,
            ),
            (
                400,
                "too many tokens: max tokens must be less than or equal to 4096, the maximum output for this model",
                InvalidRequest,
            ),
            (401, "invalid api token", Authentication),
            (402, "Please add or update your payment method", Quota),
            (404, "model 'x' not found, make sure the correct model ID was used", NotFound),
            (422, "unknown field: parameter 'x' is not a valid field", InvalidRequest),
            (429, "You are using a Trial key, which is limited to 20 API calls / minute.", RateLimited),
            (429, "You are using a Trial key, which is limited to 1000 API calls / month.", Quota),
            (498, "invalid token", ContentFilter),
            (501, "not implemented", Unsupported),
            (500, "internal server error", Server),
        ] {
            let body = json!({"id": "i", "message": message}).to_string().into_bytes();
            let failure = of_response(&ErrorResponse { status, headers: Vec::new(), body });
            assert_eq!((failure.kind, failure.message.as_str()), (kind, message));
            assert_eq!(failure.request_id.as_deref(), Some("i"));
        }
        assert_eq!(of_body(&json!({"message": "too many tokens: size limit exceeded"})).kind, ContextLength);
        assert_eq!(of_body(&json!({})).kind, Server);
    }
}
