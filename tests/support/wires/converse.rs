//! Bedrock's Converse (<https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html>).

use super::{Framing, Refusal, Wire};
use serde_json::json;

pub const CONVERSE: Wire = Wire {
    model: "bedrock:us.amazon.nova-micro-v1:0",
    setting: None,
    key: ("AWS_BEARER_TOKEN_BEDROCK", "authorization"),
    path: "/converse-stream",
    request_id: "x-amzn-requestid",
    framing: Framing::EventStream,
    stream: &[
        ("messageStart", r#"{"p":"abc","role":"assistant"}"#),
        ("contentBlockDelta", r#"{"contentBlockIndex":0,"delta":{"text":"Hello"},"p":"abcd"}"#),
        ("contentBlockDelta", r#"{"contentBlockIndex":0,"delta":{"text":", world"},"p":"a"}"#),
        ("contentBlockStop", r#"{"contentBlockIndex":0,"p":"ab"}"#),
        ("messageStop", r#"{"p":"abc","stopReason":"end_turn"}"#),
        (
            "metadata",
            concat!(
                r#"{"metrics":{"latencyMs":3},"p":"a","#,
                r#""usage":{"inputTokens":7,"outputTokens":5,"totalTokens":12}}"#
            ),
        ),
    ],
    // The usage alone may be missing.
    complete: 5,
    open_ended: false,
    whole: concat!(
        r#"{"metrics":{"latencyMs":3},"output":{"message":{"content":[{"text":"Hello, world"}],"#,
        r#""role":"assistant"}},"stopReason":"end_turn","#,
        r#""usage":{"inputTokens":7,"outputTokens":5,"totalTokens":12}}"#
    ),
    refusal,
    breaks: &[
        (("throttlingException", r#"{"message":"it broke"}"#), "rate-limited"),
        (("modelStreamErrorException", r#"{"message":"it broke","originalStatusCode":500}"#), "server"),
        (("internalServerException", r#"{"message":"it broke"}"#), "server"),
        (("serviceUnavailableException", r#"{"message":"it broke"}"#), "overloaded"),
        (("validationException", r#"{"message":"it broke"}"#), "invalid-request"),
        (("someNewException", r#"{"message":"it broke"}"#), "server"),
    ],
    disguise: (
        r#"{"__type":"com.amazon.coral.service#ThrottlingException","message":"it broke"}"#,
        "rate-limited",
    ),
    ending: "\"end_turn\"",
    endings: &[
        ("\"max_tokens\"", "length"),
        ("\"stop_sequence\"", "stop"),
        ("\"guardrail_intervened\"", "content-filter"),
        ("\"content_filtered\"", "content-filter"),
        ("\"malformed_model_output\"", "error"),
        ("\"refusal\"", "refusal"),
        ("\"pause_turn\"", "paused"),
        ("\"new_reason\"", "other"),
    ],
    unknown: &[
        ("newEvent", r#"{"contentBlockIndex":0,"delta":{"text":"no"}}"#),
        ("", r#"{"new":1}"#),
        ("contentBlockStart", r#"{"contentBlockIndex":7,"start":{"newBlock":{"text":"no"}}}"#),
        ("contentBlockDelta", r#"{"contentBlockIndex":7,"delta":{"newBlock":{"text":"no"}}}"#),
        ("contentBlockStop", r#"{"contentBlockIndex":7}"#),
    ],
};

/// <https://docs.aws.amazon.com/bedrock/latest/userguide/troubleshooting-api-error-codes.html>
fn refusal(status: u16) -> Refusal {
    let name = match status {
        400 => "ValidationException",
        401 => "UnrecognizedClientException",
        403 => "AccessDeniedException",
        404 => "ResourceNotFoundException",
        429 => "ThrottlingException",
        503 => "ServiceUnavailableException",
        529 => "",
        _ => "InternalServerException",
    };
    Refusal { headers: vec![("x-amzn-errortype", name)], body: json!({"message": "it said no"}).to_string() }
}
