//! Cohere: thoughts as blocks, the plan before calls in a member of its own, citations with the text.

use super::Trip;
use crate::support::wires::{COHERE, Wire};

pub const TRIP: Trip = Trip {
    wire: Wire { model: "cohere:command-a-reasoning-08-2025", ..COHERE },
    answers: [
        &[
            (
                "message-start",
                r#"{"id":"c1","type":"message-start","delta":{"message":{"role":"assistant","content":[]}}}"#,
            ),
            (
                "content-start",
                r#"{"type":"content-start","index":0,"delta":{"message":{"content":{"type":"thinking","thinking":""}}}}"#,
            ),
            (
                "content-delta",
                r#"{"type":"content-delta","index":0,"delta":{"message":{"content":{"thinking":"Two "}}}}"#,
            ),
            (
                "content-delta",
                r#"{"type":"content-delta","index":0,"delta":{"message":{"content":{"thinking":"calls."}}}}"#,
            ),
            ("content-end", r#"{"type":"content-end","index":0}"#),
            ("tool-plan-delta", r#"{"type":"tool-plan-delta","delta":{"message":{"tool_plan":"I ask."}}}"#),
            (
                "tool-call-start",
                r#"{"type":"tool-call-start","index":0,"delta":{"message":{"tool_calls":{"id":"w1","type":"function","function":{"name":"weather","arguments":""}}}}}"#,
            ),
            (
                "tool-call-delta",
                r#"{"type":"tool-call-delta","index":0,"delta":{"message":{"tool_calls":{"function":{"arguments":"{\"city\": \"Ro"}}}}}"#,
            ),
            (
                "tool-call-delta",
                r#"{"type":"tool-call-delta","index":0,"delta":{"message":{"tool_calls":{"function":{"arguments":"me\"}"}}}}}"#,
            ),
            ("tool-call-end", r#"{"type":"tool-call-end","index":0}"#),
            (
                "tool-call-start",
                r#"{"type":"tool-call-start","index":1,"delta":{"message":{"tool_calls":{"id":"w2","type":"function","function":{"name":"weather","arguments":"{\"city\": \"Oslo\"}"}}}}}"#,
            ),
            ("tool-call-end", r#"{"type":"tool-call-end","index":1}"#),
            ("message-end", r#"{"type":"message-end","delta":{"finish_reason":"TOOL_CALL","usage":{}}}"#),
        ],
        &[
            (
                "message-start",
                r#"{"id":"c2","type":"message-start","delta":{"message":{"role":"assistant","content":[]}}}"#,
            ),
            (
                "content-start",
                r#"{"type":"content-start","index":0,"delta":{"message":{"content":{"type":"thinking","thinking":"Easy."}}}}"#,
            ),
            ("content-end", r#"{"type":"content-end","index":0}"#),
            (
                "content-start",
                r#"{"type":"content-start","index":1,"delta":{"message":{"content":{"type":"text","text":""}}}}"#,
            ),
            (
                "content-delta",
                r#"{"type":"content-delta","index":1,"delta":{"message":{"content":{"text":"Sunny, snow."}}}}"#,
            ),
            (
                "citation-start",
                r#"{"type":"citation-start","index":0,"delta":{"message":{"citations":{"start":0,"end":5,"text":"Sunny","sources":[{"type":"tool","id":"w1:0","tool_output":{"content":"sunny"}}],"type":"TEXT_CONTENT","content_index":1}}}}"#,
            ),
            ("citation-end", r#"{"type":"citation-end","index":0}"#),
            ("content-end", r#"{"type":"content-end","index":1}"#),
            ("message-end", r#"{"type":"message-end","delta":{"finish_reason":"COMPLETE","usage":{}}}"#),
        ],
    ],
    messages: "messages",
    second: r#"{
      "model": "command-a-reasoning-08-2025",
      "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Weather in Rome and Oslo?"},
        {
          "role": "assistant",
          "content": [{"type": "thinking", "thinking": "Two calls."}],
          "tool_calls": [
            {
              "id": "w1",
              "type": "function",
              "function": {"name": "weather", "arguments": "{\"city\": \"Rome\"}"}
            },
            {
              "id": "w2",
              "type": "function",
              "function": {"name": "weather", "arguments": "{\"city\": \"Oslo\"}"}
            }
          ],
          "tool_plan": "I ask."
        },
        {"role": "tool", "tool_call_id": "w1", "content": "sunny"},
        {"role": "tool", "tool_call_id": "w2", "content": "snow"}
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
        "content": [{"type": "thinking", "thinking": "Easy."}, {"type": "text", "text": "Sunny, snow."}],
        "citations": [
          {
            "start": 0,
            "end": 5,
            "text": "Sunny",
            "sources": [{"type": "tool", "id": "w1:0", "tool_output": {"content": "sunny"}}],
            "type": "TEXT_CONTENT",
            "content_index": 1
          }
        ]
      },
      {"role": "user", "content": "And tomorrow?"}
    ]"#,
};
