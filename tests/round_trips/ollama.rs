//! Ollama: thoughts in a member of their own, calls of recent servers with ids, and results by name.

use super::Trip;
use crate::support::wires::{OLLAMA, Wire};

pub const TRIP: Trip = Trip {
    wire: Wire { model: "ollama:qwen3:4b", ..OLLAMA },
    answers: [
        &[
            (
                "",
                r#"{"model":"qwen3:4b","message":{"role":"assistant","content":"","thinking":"Two "},"done":false}"#,
            ),
            (
                "",
                r#"{"model":"qwen3:4b","message":{"role":"assistant","content":"","thinking":"calls."},"done":false}"#,
            ),
            (
                "",
                r#"{"model":"qwen3:4b","message":{"role":"assistant","content":"","tool_calls":[{"id":"call_1","function":{"index":0,"name":"weather","arguments":{"city":"Rome"}}}]},"done":false}"#,
            ),
            (
                "",
                r#"{"model":"qwen3:4b","message":{"role":"assistant","content":"","tool_calls":[{"function":{"index":1,"name":"weather","arguments":{"city":"Oslo"}}}]},"done":false}"#,
            ),
            (
                "",
                r#"{"model":"qwen3:4b","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop"}"#,
            ),
        ],
        &[
            (
                "",
                r#"{"model":"qwen3:4b","message":{"role":"assistant","content":"","thinking":"Easy."},"done":false}"#,
            ),
            (
                "",
                r#"{"model":"qwen3:4b","message":{"role":"assistant","content":"Sunny, snow."},"done":false}"#,
            ),
            (
                "",
                r#"{"model":"qwen3:4b","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop"}"#,
            ),
        ],
    ],
    messages: "messages",
    second: r#"{
      "model": "qwen3:4b",
      "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Weather in Rome and Oslo?"},
        {
          "role": "assistant",
          "content": "",
          "thinking": "Two calls.",
          "tool_calls": [
            {
              "type": "function",
              "function": {"name": "weather", "arguments": {"city": "Rome"}, "index": 0},
              "id": "call_1"
            },
            {"type": "function", "function": {"name": "weather", "arguments": {"city": "Oslo"}, "index": 1}}
          ]
        },
        {"role": "tool", "content": "sunny", "tool_name": "weather", "tool_call_id": "call_1"},
        {"role": "tool", "content": "snow", "tool_name": "weather"}
      ],
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
      "stream": true,
      "options": {"num_predict": 500}
    }"#,
    added: r#"[
      {"role": "assistant", "content": "Sunny, snow.", "thinking": "Easy."},
      {"role": "user", "content": "And tomorrow?"}
    ]"#,
};
