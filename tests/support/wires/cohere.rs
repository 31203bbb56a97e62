//! Cohere's chat, second version (<https://docs.cohere.com/v2/docs/streaming>).

use super::{Framing, Refusal, Wire};
use serde_json::json;

pub const COHERE: Wire = Wire {
    model: "cohere:command-test",
    setting: None,
    key: ("CO_API_KEY", "authorization"),
    path: "/v2/chat",
    request_id: "x-request-id",
    framing: Framing::Sse,
    stream: &[
        (
            "message-start",
            concat!(
                r#"{"id":"c1","type":"message-start","delta":{"message":{"role":"assistant","content":[],"#,
                r#""tool_plan":"","tool_calls":[],"citations":[]}}}"#
            ),
        ),
        (
            "content-start",
            r#"{"type":"content-start","index":0,"delta":{"message":{"content":{"type":"text","text":""}}}}"#,
        ),
        (
            "content-delta",
            r#"{"type":"content-delta","index":0,"delta":{"message":{"content":{"text":"Hello"}}}}"#,
        ),
        (
            "content-delta",
            r#"{"type":"content-delta","index":0,"delta":{"message":{"content":{"text":", world"}}}}"#,
        ),
        ("content-end", r#"{"type":"content-end","index":0}"#),
        (
            "message-end",
            concat!(
                r#"{"type":"message-end","delta":{"finish_reason":"COMPLETE","usage":{"#,
                r#""billed_units":{"input_tokens":2,"output_tokens":5},"tokens":{"input_tokens":7,"#,
                r#""output_tokens":5}}}}"#
            ),
        ),
    ],
    complete: 6,
    open_ended: false,
    whole: concat!(
        r#"{"id":"c1","finish_reason":"COMPLETE","message":{"role":"assistant","#,
        r#""content":[{"type":"text","text":"Hello, world"}]},"usage":{"#,
        r#""billed_units":{"input_tokens":2,"output_tokens":5},"tokens":{"input_tokens":7,"output_tokens":5}}}"#
    ),
    refusal,
    breaks: &[
        (("", r#"{"id":"e1","message":"it broke"}"#), "server"),
        (("error", r#"{"type":"error","message":"it broke"}"#), "server"),
        (("error", r#"{"message":"it broke"}"#), "server"),
    ],
    disguise: (r#"{"id":"e1","message":"it broke"}"#, "server"),
    ending: "\"COMPLETE\"",
    endings: &[
        ("\"MAX_TOKENS\"", "length"),
        ("\"STOP_SEQUENCE\"", "stop"),
        ("\"ERROR\",\"error\":\"it broke\"", "error"),
        ("\"TIMEOUT\"", "error"),
        ("\"NEW_REASON\"", "other"),
    ],
    unknown: &[
        ("new-event", r#"{"type":"new-event","index":0,"delta":{"message":{"content":{"text":"no"}}}}"#),
        (
            "content-start",
            r#"{"type":"content-start","index":7,"delta":{"message":{"content":{"type":"new","new":"no"}}}}"#,
        ),
        (
            "content-delta",
            r#"{"type":"content-delta","index":7,"delta":{"message":{"content":{"new":"no"}}}}"#,
        ),
        ("content-end", r#"{"type":"content-end","index":7}"#),
    ],
};

/// <https://docs.cohere.com/reference/errors>
fn refusal(_: u16) -> Refusal {
    Refusal { headers: Vec::new(), body: json!({"id": "e1", "message": "it said no"}).to_string() }
}
