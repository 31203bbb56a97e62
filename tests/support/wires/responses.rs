//! OpenAI's Responses (<https://platform.openai.com/docs/api-reference/responses-streaming>).

use super::{CHAT_COMPLETIONS, Framing, Wire};

pub const RESPONSES: Wire = Wire {
    model: "openai:gpt-test",
    setting: Some(("api", "responses")),
    key: ("OPENAI_API_KEY", "authorization"),
    path: "/responses",
    request_id: "x-request-id",
    framing: Framing::Sse,
    stream: &[
        (
            "response.created",
            concat!(
                r#"{"type":"response.created","sequence_number":0,"response":{"id":"resp_1","object":"response","#,
                r#""status":"in_progress","model":"gpt-test","output":[],"usage":null}}"#
            ),
        ),
        (
            "response.output_item.added",
            concat!(
                r#"{"type":"response.output_item.added","sequence_number":1,"output_index":0,"#,
                r#""item":{"id":"msg_1","type":"message","status":"in_progress","role":"assistant","content":[]}}"#
            ),
        ),
        (
            "response.content_part.added",
            concat!(
                r#"{"type":"response.content_part.added","sequence_number":2,"output_index":0,"content_index":0,"#,
                r#""item_id":"msg_1","part":{"type":"output_text","text":"","annotations":[]}}"#
            ),
        ),
        (
            "response.output_text.delta",
            concat!(
                r#"{"type":"response.output_text.delta","sequence_number":3,"output_index":0,"content_index":0,"#,
                r#""item_id":"msg_1","delta":"Hello"}"#
            ),
        ),
        (
            "response.output_text.delta",
            concat!(
                r#"{"type":"response.output_text.delta","sequence_number":4,"output_index":0,"content_index":0,"#,
                r#""item_id":"msg_1","delta":", world"}"#
            ),
        ),
        (
            "response.output_text.done",
            concat!(
                r#"{"type":"response.output_text.done","sequence_number":5,"output_index":0,"content_index":0,"#,
                r#""item_id":"msg_1","text":"Hello, world"}"#
            ),
        ),
        (
            "response.output_item.done",
            concat!(
                r#"{"type":"response.output_item.done","sequence_number":6,"output_index":0,"#,
                r#""item":{"id":"msg_1","type":"message","status":"completed","role":"assistant","#,
                r#""content":[{"type":"output_text","text":"Hello, world","annotations":[]}]}}"#
            ),
        ),
        (
            "response.completed",
            concat!(
                r#"{"type":"response.completed","sequence_number":7,"response":{"id":"resp_1","#,
                r#""object":"response","status":"completed","incomplete_details":null,"error":null,"#,
                r#""model":"gpt-test","output":[{"id":"msg_1","type":"message","status":"completed","#,
                r#""role":"assistant","content":[{"type":"output_text","text":"Hello, world","#,
                r#""annotations":[]}]}],"usage":{"input_tokens":7,"output_tokens":5,"total_tokens":12}}}"#
            ),
        ),
    ],
    complete: 8,
    open_ended: false,
    whole: concat!(
        r#"{"id":"resp_1","object":"response","status":"completed","incomplete_details":null,"error":null,"#,
        r#""model":"gpt-test","output":[{"id":"msg_1","type":"message","status":"completed","#,
        r#""role":"assistant","content":[{"type":"output_text","text":"Hello, world","annotations":[]}]}],"#,
        r#""usage":{"input_tokens":7,"output_tokens":5,"total_tokens":12}}"#
    ),
    refusal: CHAT_COMPLETIONS.refusal,
    breaks: &[
        (
            (
                "error",
                r#"{"type":"error","sequence_number":5,"code":"server_error","message":"it broke","param":null}"#,
            ),
            "server",
        ),
        (
            (
                "error",
                r#"{"type":"error","sequence_number":5,"code":"rate_limit_exceeded","message":"it broke"}"#,
            ),
            "rate-limited",
        ),
        (
            (
                "error",
                concat!(
                    r#"{"type":"error","sequence_number":5,"error":{"type":"overloaded_error","#,
                    r#""code":null,"message":"it broke"}}"#
                ),
            ),
            "overloaded",
        ),
        (
            (
                "response.failed",
                concat!(
                    r#"{"type":"response.failed","sequence_number":5,"response":{"id":"resp_1","status":"failed","#,
                    r#""error":{"code":"server_error","message":"it broke"},"output":[],"usage":null}}"#
                ),
            ),
            "server",
        ),
        (
            (
                "response.failed",
                concat!(
                    r#"{"type":"response.failed","response":{"id":"resp_1","status":"failed","output":[],"#,
                    r#""error":{"code":"rate_limit_exceeded","message":"it broke"}}}"#
                ),
            ),
            "rate-limited",
        ),
    ],
    disguise: (
        r#"{"id":"resp_1","status":"failed","error":{"code":"server_error","message":"it broke"},"output":[]}"#,
        "server",
    ),
    ending: r#""status":"completed","incomplete_details":null"#,
    endings: &[
        (r#""status":"incomplete","incomplete_details":{"reason":"max_output_tokens"}"#, "length"),
        (r#""status":"incomplete","incomplete_details":{"reason":"content_filter"}"#, "content-filter"),
        (r#""status":"failed","incomplete_details":null"#, "error"),
        (r#""status":"incomplete","incomplete_details":{"reason":"new_reason"}"#, "other"),
        (r#""status":"cancelled","incomplete_details":null"#, "other"),
    ],
    unknown: &[
        ("response.new_thing", r#"{"type":"response.new_thing","text":"no"}"#),
        (
            "response.output_item.added",
            concat!(
                r#"{"type":"response.output_item.added","output_index":9,"#,
                r#""item":{"id":"new_1","type":"new_item","status":"in_progress"}}"#
            ),
        ),
        (
            "response.new_item.delta",
            r#"{"type":"response.new_item.delta","output_index":9,"item_id":"new_1","delta":"no"}"#,
        ),
        (
            "response.output_item.done",
            concat!(
                r#"{"type":"response.output_item.done","output_index":9,"#,
                r#""item":{"id":"new_1","type":"new_item","status":"completed","text":"no"}}"#
            ),
        ),
    ],
};
