//! Messages: thoughts with their signatures, hidden ones, and calls with their results as blocks.

use super::Trip;
use crate::support::Home;
use crate::support::server::Server;
use crate::support::wires::{MESSAGES, Wire};
use serde_json::{Value, json};

pub const TRIP: Trip = Trip {
    wire: Wire { model: "anthropic:claude-sonnet-4-5", ..MESSAGES },
    answers: [
        &[
            (
                "message_start",
                r#"{"type":"message_start","message":{"id":"msg_1","role":"assistant","content":[],"usage":{}}}"#,
            ),
            (
                "content_block_start",
                r#"{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}"#,
            ),
            (
                "content_block_delta",
                r#"{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"Two "}}"#,
            ),
            (
                "content_block_delta",
                r#"{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"calls."}}"#,
            ),
            (
                "content_block_delta",
                r#"{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"c2lnMQ=="}}"#,
            ),
            ("content_block_stop", r#"{"type":"content_block_stop","index":0}"#),
            (
                "content_block_start",
                r#"{"type":"content_block_start","index":1,"content_block":{"type":"redacted_thinking","data":"aGlk"}}"#,
            ),
            ("content_block_stop", r#"{"type":"content_block_stop","index":1}"#),
            (
                "content_block_start",
                r#"{"type":"content_block_start","index":2,"content_block":{"type":"text","text":""}}"#,
            ),
            (
                "content_block_delta",
                r#"{"type":"content_block_delta","index":2,"delta":{"type":"text_delta","text":"Let me see."}}"#,
            ),
            ("content_block_stop", r#"{"type":"content_block_stop","index":2}"#),
            (
                "content_block_start",
                r#"{"type":"content_block_start","index":3,"content_block":{"type":"tool_use","id":"toolu_1","name":"weather","input":{}}}"#,
            ),
            (
                "content_block_delta",
                r#"{"type":"content_block_delta","index":3,"delta":{"type":"input_json_delta","partial_json":"{\"city\": \"Ro"}}"#,
            ),
            (
                "content_block_delta",
                r#"{"type":"content_block_delta","index":3,"delta":{"type":"input_json_delta","partial_json":"me\"}"}}"#,
            ),
            ("content_block_stop", r#"{"type":"content_block_stop","index":3}"#),
            (
                "content_block_start",
                r#"{"type":"content_block_start","index":4,"content_block":{"type":"tool_use","id":"toolu_2","name":"weather","input":{}}}"#,
            ),
            (
                "content_block_delta",
                r#"{"type":"content_block_delta","index":4,"delta":{"type":"input_json_delta","partial_json":"{\"city\": \"Oslo\"}"}}"#,
            ),
            ("content_block_stop", r#"{"type":"content_block_stop","index":4}"#),
            ("message_delta", r#"{"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{}}"#),
            ("message_stop", r#"{"type":"message_stop"}"#),
        ],
        &[
            (
                "message_start",
                r#"{"type":"message_start","message":{"id":"msg_2","role":"assistant","content":[],"usage":{}}}"#,
            ),
            (
                "content_block_start",
                r#"{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}"#,
            ),
            (
                "content_block_delta",
                r#"{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"Easy."}}"#,
            ),
            (
                "content_block_delta",
                r#"{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"c2lnMg=="}}"#,
            ),
            ("content_block_stop", r#"{"type":"content_block_stop","index":0}"#),
            (
                "content_block_start",
                r#"{"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}}"#,
            ),
            (
                "content_block_delta",
                r#"{"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"Sunny, snow."}}"#,
            ),
            ("content_block_stop", r#"{"type":"content_block_stop","index":1}"#),
            ("message_delta", r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{}}"#),
            ("message_stop", r#"{"type":"message_stop"}"#),
        ],
    ],
    messages: "messages",
    second: r#"{
      "model": "claude-sonnet-4-5",
      "max_tokens": 500,
      "stream": true,
      "system": [{"type": "text", "text": "Be brief."}],
      "messages": [
        {"role": "user", "content": [{"type": "text", "text": "Weather in Rome and Oslo?"}]},
        {
          "role": "assistant",
          "content": [
            {"type": "thinking", "thinking": "Two calls.", "signature": "c2lnMQ=="},
            {"type": "redacted_thinking", "data": "aGlk"},
            {"type": "text", "text": "Let me see."},
            {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Rome"}},
            {"type": "tool_use", "id": "toolu_2", "name": "weather", "input": {"city": "Oslo"}}
          ]
        },
        {
          "role": "user",
          "content": [
            {"type": "tool_result", "tool_use_id": "toolu_1", "content": [{"type": "text", "text": "sunny"}]},
            {"type": "tool_result", "tool_use_id": "toolu_2", "content": [{"type": "text", "text": "snow"}]}
          ]
        }
      ],
      "tools": [
        {
          "name": "weather",
          "description": "The weather.",
          "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
        }
      ]
    }"#,
    added: r#"[
      {
        "role": "assistant",
        "content": [
          {"type": "thinking", "thinking": "Easy.", "signature": "c2lnMg=="},
          {"type": "text", "text": "Sunny, snow."}
        ]
      },
      {"role": "user", "content": [{"type": "text", "text": "And tomorrow?"}]}
    ]"#,
};

/// A turn of the server's own tools that it does not end at once
/// (<https://platform.claude.com/docs/en/build-with-claude/handling-stop-reasons>): the answer goes back as it is.
const PAUSED: &str = r#"[
    {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "Rome"}},
    {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": [{"type": "web_search_result", "url": "https://a.test", "encrypted_content": "ZW5j"}]},
    {"type": "text", "text": "So far"}
]"#;

#[test]
fn a_paused_turn_goes_on() {
    let blocks: Value = serde_json::from_str(PAUSED).unwrap();
    let answer = json!({"id": "msg_1", "role": "assistant", "content": blocks, "stop_reason": "pause_turn"});
    let server = Server::answering(200, &[("content-type", "application/json")], answer.to_string());
    let home = Home::new();
    let ask = |messages: &Value| {
        let call = TRIP.wire.ask(&home, &server.url()).env(TRIP.wire.key.0, "k");
        call.input(json!({ "messages": messages }).to_string()).run().ok().json()
    };
    let question = json!({"role": "user", "content": "Rome?"});
    let paused = ask(&json!([question]));
    assert_eq!(paused["finish"], "paused", "{paused}");
    ask(&json!([question, paused["message"]]));
    let turns = server.requests()[1].json()["messages"].take();
    assert_eq!(turns.as_array().unwrap().len(), 2, "{turns}");
    assert_eq!(turns[1], json!({"role": "assistant", "content": blocks}));
}

#[test]
fn why_it_was_refused_is_told() {
    let details = json!({"type": "refusal", "category": "cyber", "explanation": "I must not."});
    let answer =
        json!({"id": "msg_1", "content": [], "stop_reason": "refusal", "stop_details": details}).to_string();
    let server = Server::answering(200, &[("content-type", "application/json")], answer);
    let result = TRIP.wire.ask(&Home::new(), &server.url()).env(TRIP.wire.key.0, "k").run().ok().json();
    assert_eq!(
        (&result["finish"], &result["refusal"]),
        (&json!("refusal"), &json!("I must not.")),
        "{result}"
    );
}
