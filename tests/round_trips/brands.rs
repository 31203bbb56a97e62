//! Chat completions, whose thoughts each brand wants back in a form of its own.

use super::Trip;
use crate::support::wires::{CHAT_COMPLETIONS, Wire};

/// `reasoning_content` must come back while a turn's calls are answered
/// (<https://api-docs.deepseek.com/guides/thinking_mode>).
pub const DEEPSEEK: Trip = Trip {
    wire: Wire {
        model: "deepseek:deepseek-v4-flash",
        key: ("DEEPSEEK_API_KEY", "authorization"),
        ..CHAT_COMPLETIONS
    },
    answers: [
        &[
            (
                "",
                r#"{"id":"c1","choices":[{"index":0,"delta":{"role":"assistant","content":null,"reasoning_content":"Two "}}]}"#,
            ),
            (
                "",
                r#"{"id":"c1","choices":[{"index":0,"delta":{"content":null,"reasoning_content":"calls."}}]}"#,
            ),
            (
                "",
                r#"{"id":"c1","choices":[{"index":0,"delta":{"content":"Let me see.","reasoning_content":null}}]}"#,
            ),
            (
                "",
                r#"{"id":"c1","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"call_1","type":"function","function":{"name":"weather","arguments":""}}]}}]}"#,
            ),
            (
                "",
                r#"{"id":"c1","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"city\": \"Ro"}}]}}]}"#,
            ),
            (
                "",
                r#"{"id":"c1","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"me\"}"}}]}}]}"#,
            ),
            (
                "",
                r#"{"id":"c1","choices":[{"index":0,"delta":{"tool_calls":[{"index":1,"id":"call_2","type":"function","function":{"name":"weather","arguments":"{\"city\": \"Oslo\"}"}}]}}]}"#,
            ),
            (
                "",
                r#"{"id":"c1","choices":[{"index":0,"delta":{"content":""},"finish_reason":"tool_calls"}]}"#,
            ),
            ("", "[DONE]"),
        ],
        &[
            (
                "",
                r#"{"id":"c2","choices":[{"index":0,"delta":{"role":"assistant","reasoning_content":"Easy."}}]}"#,
            ),
            ("", r#"{"id":"c2","choices":[{"index":0,"delta":{"content":"Sunny, snow."}}]}"#),
            ("", r#"{"id":"c2","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#),
            ("", "[DONE]"),
        ],
    ],
    messages: "messages",
    second: r#"{
      "model": "deepseek-v4-flash",
      "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Weather in Rome and Oslo?"},
        {
          "role": "assistant",
          "content": "Let me see.",
          "reasoning_content": "Two calls.",
          "tool_calls": [
            {
              "id": "call_1",
              "type": "function",
              "function": {"name": "weather", "arguments": "{\"city\": \"Rome\"}"}
            },
            {
              "id": "call_2",
              "type": "function",
              "function": {"name": "weather", "arguments": "{\"city\": \"Oslo\"}"}
            }
          ]
        },
        {"role": "tool", "tool_call_id": "call_1", "content": "sunny"},
        {"role": "tool", "tool_call_id": "call_2", "content": "snow"}
      ],
      "stream": true,
      "stream_options": {"include_usage": true},
      "tools": [
        {
          "type": "function",
          "function": {
            "name": "weather",
            "description": "The weather.",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
          }
        }
      ],
      "max_tokens": 500
    }"#,
    added: r#"[
      {"role": "assistant", "content": "Sunny, snow.", "reasoning_content": "Easy."},
      {"role": "user", "content": "And tomorrow?"}
    ]"#,
};

/// `reasoning_details` must come back as they are
/// (<https://openrouter.ai/docs/use-cases/reasoning-tokens#preserving-reasoning-blocks>).
pub const OPENROUTER: Trip = Trip {
    wire: Wire {
        model: "openrouter:anthropic/claude-sonnet-4.5",
        key: ("OPENROUTER_API_KEY", "authorization"),
        ..CHAT_COMPLETIONS
    },
    answers: [
        &[
            (
                "",
                r#"{"id":"g1","choices":[{"index":0,"delta":{"role":"assistant","content":"","reasoning":"Two ","reasoning_details":[{"type":"reasoning.text","text":"Two ","format":"anthropic-claude-v1","index":0}]}}]}"#,
            ),
            (
                "",
                r#"{"id":"g1","choices":[{"index":0,"delta":{"content":"","reasoning":"calls.","reasoning_details":[{"type":"reasoning.text","text":"calls.","format":"anthropic-claude-v1","index":0}]}}]}"#,
            ),
            (
                "",
                r#"{"id":"g1","choices":[{"index":0,"delta":{"content":"","reasoning":null,"reasoning_details":[{"type":"reasoning.text","signature":"c2lnMQ==","format":"anthropic-claude-v1","index":0}]}}]}"#,
            ),
            (
                "",
                r#"{"id":"g1","choices":[{"index":0,"delta":{"content":null,"tool_calls":[{"index":0,"id":"toolu_1","type":"function","function":{"name":"weather","arguments":"{\"city\": \"Rome\"}"}}]}}]}"#,
            ),
            (
                "",
                r#"{"id":"g1","choices":[{"index":0,"delta":{"content":null,"tool_calls":[{"index":1,"id":"toolu_2","type":"function","function":{"name":"weather","arguments":"{\"city\": \"Oslo\"}"}}]}}]}"#,
            ),
            (
                "",
                r#"{"id":"g1","choices":[{"index":0,"delta":{"content":""},"finish_reason":"tool_calls","native_finish_reason":"tool_use"}]}"#,
            ),
            ("", "[DONE]"),
        ],
        &[
            (
                "",
                r#"{"id":"g2","choices":[{"index":0,"delta":{"role":"assistant","content":"","reasoning":"Easy.","reasoning_details":[{"type":"reasoning.text","text":"Easy.","signature":"c2lnMg==","format":"anthropic-claude-v1","index":0}]}}]}"#,
            ),
            ("", r#"{"id":"g2","choices":[{"index":0,"delta":{"content":"Sunny, snow."}}]}"#),
            ("", r#"{"id":"g2","choices":[{"index":0,"delta":{"content":""},"finish_reason":"stop"}]}"#),
            ("", "[DONE]"),
        ],
    ],
    messages: "messages",
    second: r#"{
      "model": "anthropic/claude-sonnet-4.5",
      "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Weather in Rome and Oslo?"},
        {
          "role": "assistant",
          "content": null,
          "reasoning_details": [
            {
              "format": "anthropic-claude-v1",
              "type": "reasoning.text",
              "text": "Two calls.",
              "index": 0,
              "signature": "c2lnMQ=="
            }
          ],
          "tool_calls": [
            {
              "id": "toolu_1",
              "type": "function",
              "function": {"name": "weather", "arguments": "{\"city\": \"Rome\"}"}
            },
            {
              "id": "toolu_2",
              "type": "function",
              "function": {"name": "weather", "arguments": "{\"city\": \"Oslo\"}"}
            }
          ]
        },
        {"role": "tool", "tool_call_id": "toolu_1", "content": "sunny"},
        {"role": "tool", "tool_call_id": "toolu_2", "content": "snow"}
      ],
      "stream": true,
      "tools": [
        {
          "type": "function",
          "function": {
            "name": "weather",
            "description": "The weather.",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
          }
        }
      ],
      "max_tokens": 500
    }"#,
    added: r#"[
      {
        "role": "assistant",
        "content": "Sunny, snow.",
        "reasoning_details": [
          {
            "format": "anthropic-claude-v1",
            "type": "reasoning.text",
            "text": "Easy.",
            "index": 0,
            "signature": "c2lnMg=="
          }
        ]
      },
      {"role": "user", "content": "And tomorrow?"}
    ]"#,
};
