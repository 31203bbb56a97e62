//! OpenAI's chat completions (<https://platform.openai.com/docs/api-reference/chat/streaming>).

use super::{Framing, Refusal, Wire};
use serde_json::json;

pub const CHAT_COMPLETIONS: Wire = Wire {
    model: "openai-compat:gpt-test",
    setting: None,
    key: ("OPENAI_API_KEY", "authorization"),
    path: "/chat/completions",
    request_id: "x-request-id",
    framing: Framing::Sse,
    stream: &[
        (
            "",
            concat!(
                r#"{"id":"c1","object":"chat.completion.chunk","created":1,"model":"gpt-test","choices":"#,
                r#"[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}"#
            ),
        ),
        (
            "",
            concat!(
                r#"{"id":"c1","object":"chat.completion.chunk","created":1,"model":"gpt-test","choices":"#,
                r#"[{"index":0,"delta":{"content":"Hello"},"finish_reason":null}]}"#
            ),
        ),
        (
            "",
            concat!(
                r#"{"id":"c1","object":"chat.completion.chunk","created":1,"model":"gpt-test","choices":"#,
                r#"[{"index":0,"delta":{"content":", world"},"finish_reason":null}]}"#
            ),
        ),
        (
            "",
            concat!(
                r#"{"id":"c1","object":"chat.completion.chunk","created":1,"model":"gpt-test","choices":"#,
                r#"[{"index":0,"delta":{},"finish_reason":"stop"}]}"#
            ),
        ),
        (
            "",
            concat!(
                r#"{"id":"c1","object":"chat.completion.chunk","created":1,"model":"gpt-test","choices":[],"#,
                r#""usage":{"prompt_tokens":7,"completion_tokens":5,"total_tokens":12}}"#
            ),
        ),
        ("", "[DONE]"),
    ],
    // Some servers end here, without `[DONE]`: the finish reason is the terminal event.
    complete: 4,
    open_ended: false,
    whole: concat!(
        r#"{"id":"c1","object":"chat.completion","created":1,"model":"gpt-test","choices":[{"index":0,"#,
        r#""message":{"role":"assistant","content":"Hello, world"},"finish_reason":"stop"}],"#,
        r#""usage":{"prompt_tokens":7,"completion_tokens":5,"total_tokens":12}}"#
    ),
    refusal,
    breaks: &[
        (("", r#"{"error":{"message":"it broke","type":"server_error","code":null}}"#), "server"),
        (("", r#"{"error":{"message":"it broke","type":"overloaded","code":503}}"#), "overloaded"),
        (("", r#"{"error":{"message":"it broke","code":"rate_limit_exceeded"}}"#), "rate-limited"),
        (("", r#"{"error":"it broke"}"#), "server"),
        // As OpenRouter does: in the shape of a chunk.
        (
            (
                "",
                concat!(
                    r#"{"id":"c1","object":"chat.completion.chunk","error":{"code":502,"message":"it broke"},"#,
                    r#""choices":[{"index":0,"delta":{"content":""},"finish_reason":"error"}]}"#
                ),
            ),
            "server",
        ),
        // As vLLM and others do.
        (
            ("", r#"{"object":"error","message":"it broke","type":"BadRequestError","code":400}"#),
            "invalid-request",
        ),
        (("error", r#"{"message":"it broke"}"#), "server"),
    ],
    disguise: (r#"{"error":{"message":"it broke","type":"overloaded_error","code":null}}"#, "overloaded"),
    ending: r#""finish_reason":"stop""#,
    endings: &[
        (r#""finish_reason":"length""#, "length"),
        (r#""finish_reason":"content_filter""#, "content-filter"),
        (r#""finish_reason":"insufficient_system_resource""#, "error"),
        (r#""finish_reason":"new_reason""#, "other"),
    ],
    unknown: &[
        ("new_event", r#"{"id":"c1","object":"new.object","choices":[]}"#),
        (
            "",
            concat!(
                r#"{"id":"c1","object":"chat.completion.chunk","choices":[{"index":0,"#,
                r#""delta":{"new_member":{"text":"no"}},"finish_reason":null,"new":[1]}],"new":{"a":null}}"#
            ),
        ),
        (
            "",
            concat!(
                r#"{"id":"c1","object":"chat.completion.chunk","choices":[{"index":0,"#,
                r#""delta":{"content":[{"type":"new_block","new":"no"}]},"finish_reason":null}]}"#
            ),
        ),
    ],
};

/// <https://platform.openai.com/docs/guides/error-codes>
fn refusal(status: u16) -> Refusal {
    let (kind, code) = match status {
        401 => ("invalid_request_error", json!("invalid_api_key")),
        404 => ("invalid_request_error", json!("model_not_found")),
        429 => ("requests", json!("rate_limit_exceeded")),
        500.. => ("server_error", json!(null)),
        _ => ("invalid_request_error", json!(null)),
    };
    let body = json!({"error": {"message": "it said no", "type": kind, "param": null, "code": code}});
    Refusal { headers: Vec::new(), body: body.to_string() }
}
