//! Converse: thoughts with their signatures and hidden ones as blocks, results in one message of the user's.

use super::Trip;
use crate::support::wires::{CONVERSE, Wire};

pub const TRIP: Trip = Trip {
    wire: Wire { model: "bedrock:us.anthropic.claude-sonnet-4-5-20250929-v1:0", ..CONVERSE },
    answers: [
        &[
            ("messageStart", r#"{"role":"assistant"}"#),
            ("contentBlockDelta", r#"{"contentBlockIndex":0,"delta":{"reasoningContent":{"text":"Two "}}}"#),
            (
                "contentBlockDelta",
                r#"{"contentBlockIndex":0,"delta":{"reasoningContent":{"text":"calls."}}}"#,
            ),
            (
                "contentBlockDelta",
                r#"{"contentBlockIndex":0,"delta":{"reasoningContent":{"signature":"c2lnMQ=="}}}"#,
            ),
            ("contentBlockStop", r#"{"contentBlockIndex":0}"#),
            (
                "contentBlockDelta",
                r#"{"contentBlockIndex":1,"delta":{"reasoningContent":{"redactedContent":"aGlk"}}}"#,
            ),
            ("contentBlockStop", r#"{"contentBlockIndex":1}"#),
            ("contentBlockDelta", r#"{"contentBlockIndex":2,"delta":{"text":"Let me see."}}"#),
            ("contentBlockStop", r#"{"contentBlockIndex":2}"#),
            (
                "contentBlockStart",
                r#"{"contentBlockIndex":3,"start":{"toolUse":{"toolUseId":"tooluse_1","name":"weather"}}}"#,
            ),
            (
                "contentBlockDelta",
                r#"{"contentBlockIndex":3,"delta":{"toolUse":{"input":"{\"city\": \"Ro"}}}"#,
            ),
            ("contentBlockDelta", r#"{"contentBlockIndex":3,"delta":{"toolUse":{"input":"me\"}"}}}"#),
            ("contentBlockStop", r#"{"contentBlockIndex":3}"#),
            (
                "contentBlockStart",
                r#"{"contentBlockIndex":4,"start":{"toolUse":{"toolUseId":"tooluse_2","name":"weather"}}}"#,
            ),
            (
                "contentBlockDelta",
                r#"{"contentBlockIndex":4,"delta":{"toolUse":{"input":"{\"city\": \"Oslo\"}"}}}"#,
            ),
            ("contentBlockStop", r#"{"contentBlockIndex":4}"#),
            ("messageStop", r#"{"stopReason":"tool_use"}"#),
            ("metadata", r#"{"usage":{"inputTokens":7,"outputTokens":5}}"#),
        ],
        &[
            ("messageStart", r#"{"role":"assistant"}"#),
            ("contentBlockDelta", r#"{"contentBlockIndex":0,"delta":{"reasoningContent":{"text":"Easy."}}}"#),
            (
                "contentBlockDelta",
                r#"{"contentBlockIndex":0,"delta":{"reasoningContent":{"signature":"c2lnMg=="}}}"#,
            ),
            ("contentBlockStop", r#"{"contentBlockIndex":0}"#),
            ("contentBlockDelta", r#"{"contentBlockIndex":1,"delta":{"text":"Sunny, snow."}}"#),
            ("contentBlockStop", r#"{"contentBlockIndex":1}"#),
            ("messageStop", r#"{"stopReason":"end_turn"}"#),
            ("metadata", r#"{"usage":{"inputTokens":7,"outputTokens":5}}"#),
        ],
    ],
    messages: "messages",
    second: r#"{
      "messages": [
        {"role": "user", "content": [{"text": "Weather in Rome and Oslo?"}]},
        {
          "role": "assistant",
          "content": [
            {"reasoningContent": {"reasoningText": {"text": "Two calls.", "signature": "c2lnMQ=="}}},
            {"reasoningContent": {"redactedContent": "aGlk"}},
            {"text": "Let me see."},
            {"toolUse": {"toolUseId": "tooluse_1", "name": "weather", "input": {"city": "Rome"}}},
            {"toolUse": {"toolUseId": "tooluse_2", "name": "weather", "input": {"city": "Oslo"}}}
          ]
        },
        {
          "role": "user",
          "content": [
            {"toolResult": {"toolUseId": "tooluse_1", "content": [{"text": "sunny"}], "status": "success"}},
            {"toolResult": {"toolUseId": "tooluse_2", "content": [{"text": "snow"}], "status": "success"}}
          ]
        }
      ],
      "system": [{"text": "Be brief."}],
      "inferenceConfig": {"maxTokens": 500},
      "toolConfig": {
        "tools": [
          {
            "toolSpec": {
              "name": "weather",
              "description": "The weather.",
              "inputSchema": {
                "json": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
              }
            }
          }
        ]
      }
    }"#,
    added: r#"[
      {
        "role": "assistant",
        "content": [
          {"reasoningContent": {"reasoningText": {"text": "Easy.", "signature": "c2lnMg=="}}},
          {"text": "Sunny, snow."}
        ]
      },
      {"role": "user", "content": [{"text": "And tomorrow?"}]}
    ]"#,
};
