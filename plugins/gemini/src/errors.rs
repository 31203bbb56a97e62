//! Errors (<https://ai.google.dev/gemini-api/docs/troubleshooting>): `{"error": {code, message, status, details}}`, in
//! a list where a stream was asked for without `alt=sse`. The status word and the details say more than the number:
//! a wrong key comes as 400, and how long to wait is not a header.

use aimu_sdk::failure::{ErrorFacts, kind_of_status};
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
    let facts = ErrorFacts::of(body);
    let failure = Failure {
        provider_error: Some(body.to_string()),
        http_status: facts.status(),
        ..Failure::new(
            // It was answering: whatever went wrong without a name went wrong there.
            facts.status().map_or(FailureKind::Server, kind_of_status),
            facts.message.unwrap_or_else(|| "the provider reported an error".into()),
        )
    };
    refine(failure, body)
}

fn refine(mut failure: Failure, body: &Value) -> Failure {
    let body = body.get(0).unwrap_or(body);
    let Some(error) = body.get("error") else { return failure };
    let word = error.get("status").and_then(Value::as_str).unwrap_or_default();
    let details = error.get("details").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if let Some(kind) = kind(word, &failure.message, details) {
        failure.kind = kind;
    }
    failure.retry_after_ms = failure.retry_after_ms.or_else(|| details.iter().find_map(retry_delay));
    failure
}

/// <https://ai.google.dev/gemini-api/docs/troubleshooting#error-codes>
fn kind(word: &str, message: &str, details: &[Value]) -> Option<FailureKind> {
    let reason = |wanted: &str| {
        details.iter().any(|detail| detail.get("reason").and_then(Value::as_str) == Some(wanted))
    };
    Some(match word {
        _ if reason("API_KEY_INVALID") => FailureKind::Authentication,
        "INVALID_ARGUMENT" if message.contains("API key not valid") => FailureKind::Authentication,
        "INVALID_ARGUMENT" if is_too_long(message) => FailureKind::ContextLength,
        "INVALID_ARGUMENT" | "OUT_OF_RANGE" => FailureKind::InvalidRequest,
        // The country or the account has no such service; no other request would succeed.
        "FAILED_PRECONDITION" => FailureKind::Permission,
        "UNAUTHENTICATED" => FailureKind::Authentication,
        "PERMISSION_DENIED" => FailureKind::Permission,
        "NOT_FOUND" => FailureKind::NotFound,
        "RESOURCE_EXHAUSTED" if is_spent(message, details) => FailureKind::Quota,
        "RESOURCE_EXHAUSTED" => FailureKind::RateLimited,
        "UNAVAILABLE" => FailureKind::Overloaded,
        "DEADLINE_EXCEEDED" => FailureKind::Timeout,
        "INTERNAL" | "UNKNOWN" | "ABORTED" | "CANCELLED" | "DATA_LOSS" => FailureKind::Server,
        _ => return None,
    })
}

/// `The input token count (…) exceeds the maximum number of tokens allowed (…)`.
fn is_too_long(message: &str) -> bool {
    message.contains("token count") && message.contains("exceeds the maximum")
}

/// One word stands for a limit a minute, which heals soon, and for a day's quota or money that has run out, which does
/// not: the quota's name tells them apart.
fn is_spent(message: &str, details: &[Value]) -> bool {
    let mut violations =
        details.iter().filter_map(|detail| detail.get("violations").and_then(Value::as_array)).flatten();
    message.contains("credits are depleted")
        || message.contains("spending cap")
        || message.contains("limit: 0")
        || violations.any(|violation| {
            violation.get("quotaId").and_then(Value::as_str).is_some_and(|id| id.contains("PerDay"))
        })
}

/// `{"@type": ".../google.rpc.RetryInfo", "retryDelay": "34.07s"}`.
fn retry_delay(detail: &Value) -> Option<u32> {
    let text = detail.get("retryDelay")?.as_str()?.strip_suffix('s')?;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let milliseconds: u32 = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
    whole.parse::<u32>().ok()?.checked_mul(1000)?.checked_add(milliseconds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn failure(status: u16, body: &Value) -> Failure {
        of_response(&ErrorResponse { status, headers: Vec::new(), body: body.to_string().into_bytes() })
    }

    #[test]
    fn the_words_and_details_decide() {
        let error = |code: u16, word: &str, message: &str, details: Value| {
            let body =
                json!({"error": {"code": code, "status": word, "message": message, "details": details}});
            let got = failure(code, &body);
            assert_eq!(got.message, message);
            // The same in a list, and in a stream.
            assert_eq!(failure(code, &json!([body])).kind, got.kind);
            assert_eq!(of_body(&body).kind, got.kind);
            assert_eq!(of_body(&json!([body])).retry_after_ms, got.retry_after_ms);
            (got.kind, got.retry_after_ms)
        };
        let key = json!([{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}]);
        assert_eq!(error(400, "INVALID_ARGUMENT", "bad", key), (FailureKind::Authentication, None));
        let long = "The input token count (5) exceeds the maximum number of tokens allowed (4).";
        assert_eq!(error(400, "INVALID_ARGUMENT", long, json!([])).0, FailureKind::ContextLength);
        assert_eq!(error(400, "FAILED_PRECONDITION", "no", json!(null)).0, FailureKind::Permission);
        let minute = json!([
            {"violations": [{"quotaId": "GenerateRequestsPerMinutePerProjectPerModel"}]},
            {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.0741s"},
        ]);
        let wait = (FailureKind::RateLimited, Some(34_074));
        assert_eq!(error(429, "RESOURCE_EXHAUSTED", "slow", minute), wait);
        let day = json!([
            {"violations": [{"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier"}]},
            {"retryDelay": "7s"},
        ]);
        assert_eq!(error(429, "RESOURCE_EXHAUSTED", "day", day), (FailureKind::Quota, Some(7000)));
        assert_eq!(error(503, "UNAVAILABLE", "busy", json!([])).0, FailureKind::Overloaded);
        assert_eq!(error(504, "DEADLINE_EXCEEDED", "late", json!([])).0, FailureKind::Timeout);
        assert_eq!(error(499, "CANCELLED", "cut", json!([])).0, FailureKind::Server);
        assert_eq!(error(418, "TEA", "pot", json!([])).0, FailureKind::InvalidRequest);
    }
}
