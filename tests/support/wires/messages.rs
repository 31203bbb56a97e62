//! Anthropic's Messages (<https://platform.claude.com/docs/en/build-with-claude/streaming>).

use super::{Framing, Refusal, Wire};
use serde_json::json;

pub const MESSAGES: Wire = Wire {
    model: "anthropic:claude-test",
    setting: None,
    key: ("ANTHROPIC_API_KEY", "x-api-key"),
    path: "/v1/messages",
    request_id: "request-id",
    framing: Framing::Sse,
    stream: &[
        (
            "message_start",
            concat!(
                r#"{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","#,
                r#""model":"claude-test","content":[],"stop_reason":null,"stop_sequence":null,"#,
                r#""usage":{"input_tokens":7,"output_tokens":1}}}"#
            ),
        ),
        (
            "content_block_start",
            r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#,
        ),
        ("ping", r#"{"type":"ping"}"#),
        (
            "content_block_delta",
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hello"}}"#,
        ),
        (
            "content_block_delta",
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":", world"}}"#,
        ),
        ("content_block_stop", r#"{"type":"content_block_stop","index":0}"#),
        (
            "message_delta",
            concat!(
                r#"{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"#,
                r#""usage":{"output_tokens":5}}"#
            ),
        ),
        ("message_stop", r#"{"type":"message_stop"}"#),
    ],
    complete: 8,
    open_ended: false,
    whole: concat!(
        r#"{"id":"msg_1","type":"message","role":"assistant","model":"claude-test","#,
        r#""content":[{"type":"text","text":"Hello, world"}],"stop_reason":"end_turn","stop_sequence":null,"#,
        r#""usage":{"input_tokens":7,"output_tokens":5}}"#
    ),
    refusal,
    breaks: &[
        (
            ("error", r#"{"type":"error","error":{"type":"overloaded_error","message":"it broke"}}"#),
            "overloaded",
        ),
        (("error", r#"{"type":"error","error":{"type":"api_error","message":"it broke"}}"#), "server"),
        (
            ("error", r#"{"type":"error","error":{"type":"rate_limit_error","message":"it broke"}}"#),
            "rate-limited",
        ),
        (("error", r#"{"type":"error","error":{"type":"new_error","message":"it broke"}}"#), "server"),
    ],
    disguise: (r#"{"type":"error","error":{"type":"overloaded_error","message":"it broke"}}"#, "overloaded"),
    ending: "\"end_turn\"",
    endings: &[
        ("\"refusal\"", "refusal"),
        ("\"pause_turn\"", "paused"),
        ("\"max_tokens\"", "length"),
        ("\"model_context_window_exceeded\"", "length"),
        ("\"stop_sequence\"", "stop"),
        ("\"new_reason\"", "other"),
    ],
    unknown: &[
        ("new_event", r#"{"type":"new_event","index":0,"delta":{"type":"text_delta","text":"no"}}"#),
        (
            "content_block_start",
            r#"{"type":"content_block_start","index":7,"content_block":{"type":"new_block","text":"no"}}"#,
        ),
        (
            "content_block_delta",
            r#"{"type":"content_block_delta","index":7,"delta":{"type":"new_delta","text":"no"}}"#,
        ),
        ("content_block_stop", r#"{"type":"content_block_stop","index":7,"new":[{}]}"#),
    ],
};

/// <https://platform.claude.com/docs/en/api/errors>
fn refusal(status: u16) -> Refusal {
    let word = match status {
        400 => "invalid_request_error",
        401 => "authentication_error",
        403 => "permission_error",
        404 => "not_found_error",
        429 => "rate_limit_error",
        503 | 529 => "overloaded_error",
        _ => "api_error",
    };
    let body = json!({"type": "error", "error": {"type": word, "message": "it said no"}});
    Refusal { headers: Vec::new(), body: body.to_string() }
}
