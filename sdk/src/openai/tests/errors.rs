//! Answers that are failures: errors inside a success, and streams that end too early.

use super::answers::{chunks, whole};
use crate::FailureKind;

#[test]
fn an_error_in_a_stream_or_a_body() {
    for (json, kind) in [
        (r#"{"error":{"message":"slow down","code":429}}"#, FailureKind::RateLimited),
        (r#"{"error":"boom"}"#, FailureKind::Server),
        (
            r#"{"id":"i","error":{"code":400,"message":"m"},"choices":[{"delta":{}}]}"#,
            FailureKind::InvalidRequest,
        ),
        (r#"{"choices":[{"error":{"code":503,"message":"upstream"},"delta":{}}]}"#, FailureKind::Overloaded),
        (
            r#"{"object":"error","message":"m","type":"BadRequestError","code":400}"#,
            FailureKind::InvalidRequest,
        ),
        (r#"{"detail":"Not allowed","code":403}"#, FailureKind::Permission),
        (r#"{"x_groq":{"error":{"message":"over capacity","code":503}}}"#, FailureKind::Overloaded),
        (
            r#"{"error":{"message":"m","type":"insufficient_quota","code":"insufficient_quota"}}"#,
            FailureKind::Quota,
        ),
    ] {
        let (outcome, _) = chunks(&[r#"{"choices":[{"delta":{"content":"a"}}]}"#, json]);
        assert_eq!(outcome.unwrap_err().kind, kind, "{json}");
        assert_eq!(whole(json).0.unwrap_err().kind, kind, "{json}");
    }
}

#[test]
fn a_stream_that_ends_too_early() {
    let text = r#"{"choices":[{"delta":{"content":"a"}}]}"#;
    let end = r#"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#;
    let (outcome, _) = chunks(&[text]);
    let failure = outcome.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Protocol);
    assert!(failure.message.contains("truncated"), "{}", failure.message);
    assert!(chunks(&[]).0.is_err());
    assert!(chunks(&[text, end]).0.is_ok(), "complete without [DONE]");
    assert!(chunks(&[text, "[DONE]"]).0.is_ok(), "complete without a finish reason");
}

#[test]
fn what_makes_no_sense() {
    for json in ["oops", "[1]", r#"{"choices":"#, r#"{"choices":7}"#] {
        assert_eq!(chunks(&[json]).0.unwrap_err().kind, FailureKind::Protocol, "{json}");
    }
    for json in ["", "[]", "{}", r#"{"choices":[]}"#, r#"{"choices":null}"#] {
        assert_eq!(whole(json).0.unwrap_err().kind, FailureKind::Protocol, "{json}");
    }
    // Pings and unknown documents of a stream say nothing.
    let end = r#"{"choices":[{"finish_reason":"stop"}]}"#;
    assert!(chunks(&["", r#"{"type":"ping"}"#, r#"{"choices":null}"#, end]).0.is_ok());
}
