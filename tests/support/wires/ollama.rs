//! Ollama's own (<https://docs.ollama.com/api/chat>).

use super::{Framing, Refusal, Wire};
use serde_json::json;

pub const OLLAMA: Wire = Wire {
    model: "ollama:test",
    setting: None,
    key: ("OLLAMA_API_KEY", "authorization"),
    path: "/api/chat",
    // It has none; what stands before it may.
    request_id: "x-request-id",
    framing: Framing::Ndjson,
    stream: &[
        (
            "",
            r#"{"model":"test","created_at":"t","message":{"role":"assistant","content":"Hello"},"done":false}"#,
        ),
        (
            "",
            r#"{"model":"test","created_at":"t","message":{"role":"assistant","content":", world"},"done":false}"#,
        ),
        (
            "",
            concat!(
                r#"{"model":"test","created_at":"t","message":{"role":"assistant","content":""},"done":true,"#,
                r#""done_reason":"stop","total_duration":9,"prompt_eval_count":7,"eval_count":5}"#
            ),
        ),
    ],
    complete: 3,
    open_ended: false,
    whole: concat!(
        r#"{"model":"test","created_at":"t","message":{"role":"assistant","content":"Hello, world"},"#,
        r#""done":true,"done_reason":"stop","total_duration":9,"prompt_eval_count":7,"eval_count":5}"#
    ),
    refusal,
    breaks: &[
        (("", r#"{"error":"it broke"}"#), "server"),
        (("", r#"{"error":"it broke: the input exceeds the context length"}"#), "context-length"),
        (("", r#"{"error":{"code":503,"message":"it broke"}}"#), "overloaded"),
    ],
    disguise: (r#"{"error":"it broke"}"#, "server"),
    ending: r#""done_reason":"stop""#,
    endings: &[
        (r#""done_reason":"length""#, "length"),
        (r#""done_reason":"load""#, "other"),
        (r#""done_reason":"new_reason""#, "other"),
    ],
    unknown: &[
        ("", r#"{"new_line":{"text":"no"}}"#),
        (
            "",
            concat!(
                r#"{"model":"test","new":[1],"message":{"role":"assistant","content":"","new_member":{"a":"no"}},"#,
                r#""done":false}"#
            ),
        ),
    ],
};

/// <https://docs.ollama.com/api/errors>
fn refusal(_: u16) -> Refusal {
    Refusal { headers: Vec::new(), body: json!({"error": "it said no"}).to_string() }
}
