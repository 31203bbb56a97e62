//! Failures: how to make one, and how an HTTP error becomes one.
//!
//! Every provider answers errors in a shape of its own, and a proxy in front of it in yet another. What is common
//! is here: the kind by status, the waiting time, and the message out of the usual JSON shapes or out of a page that
//! is no JSON at all. What only one API says is refined by its adapter, starting from [`Failure::from_response`].

use std::time::SystemTime;

use serde_json::Value;

use crate::http::ErrorResponse;
use crate::{Failure, FailureKind};

/// How much of a body that is not JSON is quoted in a message: enough to recognise a proxy's page.
const EXCERPT: usize = 200;

/// The longest wait that is believed. A week is beyond any rate limit; more is a clock that is wrong.
const MAX_RETRY_AFTER_MS: u128 = 7 * 24 * 60 * 60 * 1000;

impl Failure {
    /// A failure that no HTTP response stands behind.
    #[must_use]
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            http_status: None,
            retry_after_ms: None,
            request_id: None,
            provider_error: None,
        }
    }

    /// The provider sent what makes no sense in its wire format.
    #[must_use]
    pub fn protocol(message: impl Into<String>) -> Self {
        Self::new(FailureKind::Protocol, message)
    }

    /// The request can't be put into this wire format, or is wrong.
    #[must_use]
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(FailureKind::InvalidRequest, message)
    }

    /// The provider or the model has no such thing.
    #[must_use]
    pub fn unsupported(message: impl Into<String>) -> Self {
        Self::new(FailureKind::Unsupported, message)
    }

    /// The stream ended without `terminal`, the event that ends a complete answer.
    #[must_use]
    pub fn truncated(terminal: &str) -> Self {
        Self::protocol(format!("the answer was truncated: the stream ended without {terminal}"))
    }

    /// The failure that an HTTP error response stands for, as far as that is the same everywhere: kind by status and
    /// by the words that OpenAI-like APIs share, message, waiting time, request id.
    #[must_use]
    pub fn from_response(response: &ErrorResponse) -> Self {
        let body = crate::json::value_of_bytes(&response.body);
        let facts = body.as_ref().map(ErrorFacts::of).unwrap_or_default();
        let message = match &facts.message {
            Some(message) => message.clone(),
            None => format!("HTTP {}{}", response.status, page(response)),
        };
        Self {
            kind: facts.kind().unwrap_or_else(|| kind_of_status(response.status)),
            message,
            http_status: Some(response.status),
            retry_after_ms: retry_after_ms(response),
            request_id: response.request_id(),
            provider_error: body.map(|body| body.to_string()),
        }
    }

    /// The failure that an error object inside a stream, or inside a response of status 200, stands for.
    /// `None` if it says nothing about its kind: the caller knows what is likely then.
    #[must_use]
    pub fn from_error_body(body: &Value) -> Option<Self> {
        let facts = ErrorFacts::of(body);
        let kind = facts.kind().or_else(|| facts.status().map(kind_of_status));
        let message = facts.message.clone().unwrap_or_else(|| "the provider reported an error".into());
        kind.map(|kind| Self { provider_error: Some(body.to_string()), ..Self::new(kind, message) })
    }
}

/// What error bodies usually say, out of the shapes `{"error": {"message", "type", "code"}}`, `{"error": "text"}`,
/// `{"message"}`, `{"detail"}`, and a list of any of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ErrorFacts {
    /// The text for the user.
    pub message: Option<String>,
    /// The `type` (or `status`) word.
    pub kind_word: Option<String>,
    /// The `code`; a number as text.
    pub code: Option<String>,
}

impl ErrorFacts {
    /// Reads a JSON error body of any of the usual shapes.
    #[must_use]
    pub fn of(body: &Value) -> Self {
        // One item of a list, or the object under `error`, says it; what is outside fills the gaps.
        match body {
            Value::Array(items) => items.first().map(Self::of).unwrap_or_default(),
            Value::String(text) => Self { message: Some(text.clone()), ..Self::default() },
            Value::Object(object) => {
                let inner = object
                    .get("error")
                    .or_else(|| object.get("errors"))
                    .filter(|inner| !inner.is_null())
                    .map(Self::of)
                    .unwrap_or_default();
                let word = |name: &str| object.get(name).and_then(scalar);
                Self {
                    message: inner.message.or_else(|| {
                        ["message", "msg", "detail", "error_description"]
                            .iter()
                            .find_map(|name| object.get(*name).and_then(text_of))
                    }),
                    kind_word: inner.kind_word.or_else(|| word("type")).or_else(|| word("status")),
                    code: inner.code.or_else(|| word("code")),
                }
            }
            _ => Self::default(),
        }
    }

    /// The kind, where the words are ones that several APIs share.
    #[must_use]
    pub fn kind(&self) -> Option<FailureKind> {
        let words = [self.code.as_deref(), self.kind_word.as_deref()];
        words.into_iter().flatten().find_map(kind_of_word).or_else(|| {
            let message = self.message.as_deref()?;
            is_context_length(message).then_some(FailureKind::ContextLength)
        })
    }

    /// The HTTP status that the body itself names as its code.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.code.as_deref()?.parse().ok().filter(|status| (400..600).contains(status))
    }
}

/// The kind of an HTTP status, where the body says nothing better.
#[must_use]
pub fn kind_of_status(status: u16) -> FailureKind {
    match status {
        401 => FailureKind::Authentication,
        402 => FailureKind::Quota,
        403 => FailureKind::Permission,
        404 | 410 => FailureKind::NotFound,
        408 | 504 => FailureKind::Timeout,
        429 => FailureKind::RateLimited,
        503 | 529 => FailureKind::Overloaded,
        400..=499 => FailureKind::InvalidRequest,
        500..=599 => FailureKind::Server,
        _ => FailureKind::Protocol,
    }
}

/// The kind of a `code` or `type` word of an error body, for words whose meaning does not differ between APIs.
#[must_use]
pub fn kind_of_word(word: &str) -> Option<FailureKind> {
    Some(match word {
        "context_length_exceeded" | "exceed_context_size_error" | "model_max_length_exceeded" => {
            FailureKind::ContextLength
        }
        "insufficient_quota" | "billing_error" | "billing_hard_limit_reached" | "insufficient_balance" => {
            FailureKind::Quota
        }
        "rate_limit_exceeded" | "rate_limit_error" | "RESOURCE_EXHAUSTED" => FailureKind::RateLimited,
        "content_filter" | "content_policy_violation" => FailureKind::ContentFilter,
        "authentication_error" | "invalid_api_key" | "UNAUTHENTICATED" => FailureKind::Authentication,
        "permission_error" | "PERMISSION_DENIED" => FailureKind::Permission,
        "not_found_error" | "model_not_found" | "NOT_FOUND" => FailureKind::NotFound,
        "overloaded_error" | "UNAVAILABLE" => FailureKind::Overloaded,
        _ => return None,
    })
}

/// Whether a message says that the conversation does not fit the model's context.
#[must_use]
pub fn is_context_length(message: &str) -> bool {
    const SIGNS: [&str; 6] = [
        "prompt is too long",
        "maximum context length",
        "exceed context limit",
        "exceeds the context window",
        "exceeds the available context size",
        "context length exceeded",
    ];
    let message = message.to_ascii_lowercase();
    SIGNS.iter().any(|sign| message.contains(sign))
}

/// How long the response asks to wait: `retry-after-ms`, or `retry-after` in seconds or as a date.
#[must_use]
pub fn retry_after_ms(response: &ErrorResponse) -> Option<u32> {
    let asked = response.header("retry-after-ms").and_then(|text| decimal(text, 0));
    let milliseconds = match asked {
        Some(milliseconds) => milliseconds,
        None => {
            let text = response.header("retry-after")?.trim();
            match decimal(text, 3) {
                Some(milliseconds) => milliseconds,
                None => {
                    // The server's own clock wrote the date, so it is the one to compare with.
                    let now = response
                        .header("date")
                        .and_then(|date| httpdate::parse_http_date(date).ok())
                        .unwrap_or_else(SystemTime::now);
                    let then = httpdate::parse_http_date(text).ok()?;
                    then.duration_since(now).unwrap_or_default().as_millis()
                }
            }
        }
    };
    u32::try_from(milliseconds.min(MAX_RETRY_AFTER_MS)).ok()
}

/// A plain decimal number, times ten to the `places`, rounded up. Not by way of a float: the tables that parse one
/// are 10 KiB of every running call's memory.
fn decimal(text: &str, places: usize) -> Option<u128> {
    let (whole, fraction) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) {
        return None;
    }
    // More digits than any honest wait has.
    if whole.len() > 18 {
        return Some(u128::MAX);
    }
    let (kept, rest) = fraction.split_at(fraction.len().min(places));
    let number: u128 = format!("{whole}{kept:0<places$}").parse().ok()?;
    Some(number + u128::from(rest.bytes().any(|byte| byte != b'0')))
}

/// The first characters of a body on one line, for a message.
#[must_use]
pub fn excerpt(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body.get(..EXCERPT * 4).unwrap_or(body));
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(EXCERPT) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// `: what` for a response whose body names no message: where it redirects, the page's title, or its first words.
fn page(response: &ErrorResponse) -> String {
    if let (300..=399, Some(place)) = (response.status, response.header("location")) {
        return format!(": redirected to {place}, which is not followed; use that address as the base URL");
    }
    let text = String::from_utf8_lossy(&response.body);
    let what = match title(&text) {
        Some(title) => excerpt(title.as_bytes()),
        None => excerpt(&response.body),
    };
    if what.is_empty() { String::new() } else { format!(": {what}") }
}

/// The title of an HTML page.
fn title(page: &str) -> Option<&str> {
    // ASCII lower case keeps every byte's place.
    let lower = page.to_ascii_lowercase();
    let start = lower.find("<title>")? + "<title>".len();
    let end = start + lower.get(start..)?.find("</title>")?;
    page.get(start..end)
}

/// A string or a number as text.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A message: text, or the messages of a list of problems (`[{"loc": [..], "msg": ".."}]`) or of a nested error.
fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Array(items) => {
            let texts: Vec<String> = items.iter().filter_map(text_of).collect();
            (!texts.is_empty()).then(|| texts.join("; "))
        }
        Value::Object(_) => ErrorFacts::of(value).message,
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn response(status: u16, headers: &[(&str, &str)], body: &str) -> ErrorResponse {
        ErrorResponse {
            status,
            headers: headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
            body: body.into(),
        }
    }

    #[test]
    fn messages_of_the_usual_shapes() {
        for (body, want) in [
            (r#"{"error":{"message":"m","type":"t","code":"c"}}"#, "m"),
            (r#"{"type":"error","error":{"type":"x","message":"m"}}"#, "m"),
            (r#"{"error":"m"}"#, "m"),
            (r#"{"message":"m"}"#, "m"),
            (r#"{"detail":"m"}"#, "m"),
            (r#"{"detail":[{"loc":["body"],"msg":"m"},{"msg":"n"}]}"#, "m; n"),
            (r#"[{"error":{"code":400,"message":"m","status":"INVALID_ARGUMENT"}}]"#, "m"),
            (r#"{"error":{"error":{"message":"m"}}}"#, "m"),
            (r#"{"error":{},"message":"m"}"#, "m"),
            (r#"{"error":{}}"#, "HTTP 400: {\"error\":{}}"),
        ] {
            let failure = Failure::from_response(&response(400, &[], body));
            assert_eq!(failure.message, want, "{body}");
            assert_eq!(failure.kind, FailureKind::InvalidRequest);
        }
    }

    #[test]
    fn kinds_by_status_and_by_word() {
        for (status, kind) in [
            (401, FailureKind::Authentication),
            (403, FailureKind::Permission),
            (404, FailureKind::NotFound),
            (422, FailureKind::InvalidRequest),
            (402, FailureKind::Quota),
            (429, FailureKind::RateLimited),
            (503, FailureKind::Overloaded),
            (529, FailureKind::Overloaded),
            (502, FailureKind::Server),
            (302, FailureKind::Protocol),
        ] {
            assert_eq!(Failure::from_response(&response(status, &[], "")).kind, kind);
        }
        let body = r#"{"error":{"message":"m","code":"insufficient_quota"}}"#;
        assert_eq!(Failure::from_response(&response(429, &[], body)).kind, FailureKind::Quota);
        let body = r#"{"error":{"message":"This model's maximum context length is 10 tokens"}}"#;
        assert_eq!(Failure::from_response(&response(400, &[], body)).kind, FailureKind::ContextLength);
    }

    #[test]
    fn a_page_is_quoted_by_its_title() {
        let page = "<html>\n<head><TITLE>502 Bad\n Gateway</TITLE></head>";
        assert_eq!(Failure::from_response(&response(502, &[], page)).message, "HTTP 502: 502 Bad Gateway");
        let failure = Failure::from_response(&response(301, &[("Location", "https://b/")], ""));
        assert!(failure.message.contains("https://b/"), "{}", failure.message);
        assert_eq!(Failure::from_response(&response(500, &[], "")).message, "HTTP 500");
        assert_eq!(excerpt("ü".repeat(999).as_bytes()).chars().count(), 201);
    }

    #[test]
    fn waiting_times() {
        let wait = |headers: &[(&str, &str)]| retry_after_ms(&response(429, headers, ""));
        assert_eq!(wait(&[]), None);
        assert_eq!(wait(&[("Retry-After", "2")]), Some(2000));
        assert_eq!(wait(&[("retry-after", "0.5")]), Some(500));
        assert_eq!(wait(&[("retry-after", "2"), ("retry-after-ms", "150")]), Some(150));
        let date = ("date", "Wed, 21 Oct 2026 07:28:00 GMT");
        assert_eq!(wait(&[date, ("retry-after", "Wed, 21 Oct 2026 07:28:30 GMT")]), Some(30_000));
        assert_eq!(wait(&[date, ("retry-after", "Wed, 21 Oct 2026 07:27:00 GMT")]), Some(0));
        assert_eq!(wait(&[("retry-after", "soon")]), None);
        assert_eq!(wait(&[("retry-after", "-1")]), None);
        assert_eq!(wait(&[("retry-after", "99999999999999999999999999")]), Some(604_800_000));
    }

    #[test]
    fn errors_in_a_stream() {
        let body = serde_json::json!({"error": {"message": "m", "code": 429}});
        assert_eq!(Failure::from_error_body(&body).unwrap().kind, FailureKind::RateLimited);
        assert!(Failure::from_error_body(&serde_json::json!({"error": {"message": "m"}})).is_none());
    }
}
