//! Google's generateContent (<https://ai.google.dev/api/generate-content>).

use super::{Framing, Refusal, Wire};
use serde_json::json;

pub const GENERATE_CONTENT: Wire = Wire {
    model: "gemini:gemini-test",
    setting: None,
    key: ("GEMINI_API_KEY", "x-goog-api-key"),
    path: "/models/gemini-test:streamGenerateContent?alt=sse",
    request_id: "x-goog-request-id",
    framing: Framing::Sse,
    stream: &[
        (
            "",
            concat!(
                r#"{"candidates":[{"content":{"parts":[{"text":"Hello"}],"role":"model"},"index":0}],"#,
                r#""usageMetadata":{"promptTokenCount":7},"modelVersion":"gemini-test","responseId":"r1"}"#
            ),
        ),
        (
            "",
            concat!(
                r#"{"candidates":[{"content":{"parts":[{"text":", world"}],"role":"model"},"index":0}],"#,
                r#""usageMetadata":{"promptTokenCount":7},"modelVersion":"gemini-test","responseId":"r1"}"#
            ),
        ),
        (
            "",
            concat!(
                r#"{"candidates":[{"content":{"parts":[{"text":""}],"role":"model"},"finishReason":"STOP","#,
                r#""index":0}],"usageMetadata":{"promptTokenCount":7,"candidatesTokenCount":5,"#,
                r#""totalTokenCount":12},"modelVersion":"gemini-test","responseId":"r1"}"#
            ),
        ),
    ],
    complete: 3,
    open_ended: true,
    whole: concat!(
        r#"{"candidates":[{"content":{"parts":[{"text":"Hello, world"}],"role":"model"},"finishReason":"STOP","#,
        r#""index":0}],"usageMetadata":{"promptTokenCount":7,"candidatesTokenCount":5,"totalTokenCount":12},"#,
        r#""modelVersion":"gemini-test","responseId":"r1"}"#
    ),
    refusal,
    breaks: &[
        (("", r#"{"error":{"code":503,"message":"it broke","status":"UNAVAILABLE"}}"#), "overloaded"),
        (("", r#"{"error":{"code":500,"message":"it broke","status":"INTERNAL"}}"#), "server"),
        (
            ("", r#"{"error":{"code":429,"message":"it broke","status":"RESOURCE_EXHAUSTED"}}"#),
            "rate-limited",
        ),
        (("", r#"[{"error":{"code":504,"message":"it broke","status":"DEADLINE_EXCEEDED"}}]"#), "timeout"),
        (("", r#"{"error":{"message":"it broke"}}"#), "server"),
    ],
    disguise: (r#"{"error":{"code":503,"message":"it broke","status":"UNAVAILABLE"}}"#, "overloaded"),
    ending: "\"STOP\"",
    endings: &[
        ("\"MAX_TOKENS\"", "length"),
        ("\"SAFETY\"", "content-filter"),
        ("\"RECITATION\"", "content-filter"),
        ("\"PROHIBITED_CONTENT\"", "content-filter"),
        ("\"MALFORMED_FUNCTION_CALL\"", "error"),
        ("\"NEW_REASON\"", "other"),
    ],
    unknown: &[
        ("new_event", r#"{"newMember":{"text":"no"}}"#),
        (
            "",
            concat!(
                r#"{"candidates":[{"content":{"parts":[{"newPart":{"text":"no"}},{}],"role":"model","new":1},"#,
                r#""new":[1],"index":0}],"new":{"text":"no"}}"#
            ),
        ),
    ],
};

/// <https://ai.google.dev/gemini-api/docs/troubleshooting#error-codes>
fn refusal(status: u16) -> Refusal {
    let word = match status {
        400 => "INVALID_ARGUMENT",
        401 => "UNAUTHENTICATED",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        429 => "RESOURCE_EXHAUSTED",
        503 | 529 => "UNAVAILABLE",
        _ => "INTERNAL",
    };
    let body = json!({"error": {"code": status, "message": "it said no", "status": word}});
    Refusal { headers: Vec::new(), body: body.to_string() }
}
