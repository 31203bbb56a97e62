//! Errors of OpenAI-compatible servers, refined from what all APIs share.
//!
//! Source: <https://platform.openai.com/docs/guides/error-codes> and the recorded bodies of the brands.

use serde_json::Value;

use crate::failure::ErrorFacts;
use crate::http::ErrorResponse;
use crate::json::value;
use crate::{Failure, FailureKind};

/// The failure that an HTTP error response stands for.
#[must_use]
pub fn from_response(response: &ErrorResponse) -> Failure {
    let mut failure = Failure::from_response(response);
    if let Ok(body) = serde_json::from_slice::<Value>(&response.body) {
        refine(&mut failure, &body);
    }
    failure
}

/// The failure that an error inside a stream, or inside an answer with status 200, stands for.
#[must_use]
pub fn from_body(body: &Value) -> Failure {
    let facts = ErrorFacts::of(body);
    let mut failure = Failure::from_error_body(body).unwrap_or_else(|| {
        let message = facts.message.clone().unwrap_or_else(|| "the provider reported an error".into());
        let kind = facts.kind_word.as_deref().and_then(kind_of_word).unwrap_or(FailureKind::Server);
        Failure { provider_error: Some(body.to_string()), ..Failure::new(kind, message) }
    });
    refine(&mut failure, body);
    failure
}

/// Words that only servers of this wire format use, where no word that all share has settled the kind.
fn kind_of_word(word: &str) -> Option<FailureKind> {
    Some(match word {
        "invalid_request_error" | "BadRequestError" | "invalid_request_invalid_args" | "tool_use_failed" => {
            FailureKind::InvalidRequest
        }
        "NotFoundError" => FailureKind::NotFound,
        "RateLimitError" | "too_many_requests" => FailureKind::RateLimited,
        "service_unavailable" | "engine_overloaded_error" => FailureKind::Overloaded,
        _ => return None,
    })
}

fn refine(failure: &mut Failure, body: &Value) {
    let facts = ErrorFacts::of(body);
    // OpenRouter and its like say only "Provider returned error"; what the provider said is beside it.
    let raw = body.pointer("/error/metadata/raw").and_then(Value::as_str);
    if let Some(raw) = raw.filter(|raw| !raw.is_empty()) {
        let inner = value(raw).unwrap_or_else(|_| raw.into());
        let inner = ErrorFacts::of(&inner);
        if inner.kind() == Some(FailureKind::ContextLength) {
            failure.kind = FailureKind::ContextLength;
        }
        if let Some(said) = inner.message {
            failure.message = format!("{}: {said}", failure.message);
        }
    }
    let said = facts.message.as_deref().unwrap_or_default().to_ascii_lowercase();
    let is = |word: &str| facts.code.as_deref() == Some(word) || facts.kind_word.as_deref() == Some(word);
    match failure.kind {
        FailureKind::InvalidRequest | FailureKind::Server if is_context_length(&said) => {
            failure.kind = FailureKind::ContextLength;
        }
        FailureKind::InvalidRequest | FailureKind::Server
            if is("content_filter") || is("ResponsibleAIPolicyViolation") =>
        {
            failure.kind = FailureKind::ContentFilter;
        }
        // xAI answers a wrong key with 400.
        FailureKind::InvalidRequest
            if said.contains("incorrect api key") || said.contains("invalid api key") =>
        {
            failure.kind = FailureKind::Authentication;
        }
        // Local servers answer an unknown model with 400.
        FailureKind::InvalidRequest
            if said.contains("model") && (said.contains("does not exist") || said.contains("not found")) =>
        {
            failure.kind = FailureKind::NotFound;
        }
        FailureKind::RateLimited | FailureKind::Permission if is_about_money(&said) => {
            failure.kind = FailureKind::Quota;
        }
        _ => {}
    }
}

/// The ways in which servers of this wire format say that the conversation is too long.
fn is_context_length(said: &str) -> bool {
    const SIGNS: [&str; 6] = [
        "context length",
        "context window",
        "context size",
        "too many tokens",
        "reduce the length of the messages",
        "prompt is too long",
    ];
    SIGNS.iter().any(|sign| said.contains(sign))
        || (said.contains("token")
            && said.contains("exceed")
            && (said.contains("input") || said.contains("prompt")))
}

/// Whether a 403 or 429 will not heal by waiting.
fn is_about_money(said: &str) -> bool {
    const SIGNS: [&str; 6] = [
        "exceeded your current quota",
        "insufficient balance",
        "insufficient credits",
        "out of credits",
        "credit balance",
        "spending limit",
    ];
    SIGNS.iter().any(|sign| said.contains(sign))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(status: u16, body: &str) -> FailureKind {
        from_response(&ErrorResponse { status, headers: Vec::new(), body: body.into() }).kind
    }

    #[test]
    fn errors_by_brand() {
        use FailureKind::{
            Authentication, ContentFilter, ContextLength, InvalidRequest, NotFound, Permission, Quota,
            RateLimited,
        };
        for (status, body, want) in [
            // OpenAI
            (
                400,
                r#"{"error":{"code":"context_length_exceeded","message":"m","type":"invalid_request_error"}}"#,
                ContextLength,
            ),
            (
                429,
                r#"{"error":{"code":"insufficient_quota","message":"m","type":"insufficient_quota"}}"#,
                Quota,
            ),
            (429, r#"{"error":{"code":"rate_limit_exceeded","message":"m","type":"requests"}}"#, RateLimited),
            (
                404,
                r#"{"error":{"code":"model_not_found","message":"m","type":"invalid_request_error"}}"#,
                NotFound,
            ),
            (
                401,
                r#"{"error":{"code":"invalid_api_key","message":"m","type":"invalid_request_error"}}"#,
                Authentication,
            ),
            (
                400,
                r#"{"error":{"code":"unsupported_value","message":"m","type":"invalid_request_error"}}"#,
                InvalidRequest,
            ),
            // Azure
            (400, r#"{"error":{"code":"content_filter","message":"m","status":400}}"#, ContentFilter),
            // llama-server
            (
                400,
                r#"{"error":{"code":400,"message":"request (9 tokens) exceeds the available context size (5 tokens)","type":"exceed_context_size_error"}}"#,
                ContextLength,
            ),
            // vLLM
            (
                400,
                r#"{"object":"error","message":"This model's maximum context length is 8 tokens.","type":"BadRequestError","code":400}"#,
                ContextLength,
            ),
            (
                404,
                r#"{"object":"error","message":"The model `x` does not exist.","type":"NotFoundError","code":404}"#,
                NotFound,
            ),
            // Groq
            (
                400,
                r#"{"error":{"message":"Please reduce the length of the messages or completion.","type":"invalid_request_error","code":"context_length_exceeded"}}"#,
                ContextLength,
            ),
            // DeepSeek, Mistral, Z.ai
            (
                402,
                r#"{"error":{"message":"Insufficient Balance","type":"unknown_error","code":"invalid_request_error"}}"#,
                Quota,
            ),
            (401, r#"{"detail":"Invalid API Key"}"#, Authentication),
            (
                400,
                r#"{"object":"error","message":"Prompt contains 9 tokens and exceeds the input limit","type":"invalid_request_invalid_args","code":"3051"}"#,
                ContextLength,
            ),
            (
                429,
                r#"{"error":{"code":"1113","message":"Insufficient balance or no resource package."}}"#,
                Quota,
            ),
            // xAI
            (
                400,
                r#"{"code":"Client specified an invalid argument","error":"Incorrect API key provided: x."}"#,
                Authentication,
            ),
            // OpenRouter
            (
                400,
                r#"{"error":{"code":400,"message":"Provider returned error","metadata":{"raw":"{\"error\":{\"code\":\"context_length_exceeded\",\"message\":\"m\"}}"}}}"#,
                ContextLength,
            ),
            (402, r#"{"error":{"code":402,"message":"Insufficient credits"}}"#, Quota),
            (403, r#"{"error":{"code":"forbidden","message":"Forbidden"}}"#, Permission),
            // LM Studio
            (400, r#"{"error":"Model \"x\" not found."}"#, NotFound),
        ] {
            assert_eq!(kind(status, body), want, "{body}");
        }
    }

    #[test]
    fn errors_in_a_stream() {
        let of = |text: &str| serde_json::from_str(text).map(|body| from_body(&body)).ok();
        let failure = of(
            r#"{"error":{"message":"Tool call validation failed","type":"invalid_request_error","code":"tool_use_failed","status_code":400}}"#,
        );
        assert_eq!(failure.map(|failure| failure.kind), Some(FailureKind::InvalidRequest));
        let failure = of(r#"{"error":{"message":"boom"}}"#);
        assert_eq!(
            failure.map(|failure| (failure.kind, failure.message)),
            Some((FailureKind::Server, "boom".into()))
        );
        let failure = of(
            r#"{"error":{"code":429,"message":"Provider returned error","metadata":{"raw":"slow down"}}}"#,
        );
        let failure = failure.map(|failure| (failure.kind, failure.message));
        assert_eq!(failure, Some((FailureKind::RateLimited, "Provider returned error: slow down".into())));
    }
}
