//! Responses: thoughts go back as encrypted items, calls and results as items.

use super::Trip;
use crate::support::wires::{RESPONSES, Wire};

pub const TRIP: Trip = Trip {
    wire: Wire { model: "openai:gpt-5-mini", ..RESPONSES },
    answers: [
        &[
            (
                "response.created",
                r#"{"type":"response.created","response":{"id":"resp_1","status":"in_progress","output":[]}}"#,
            ),
            (
                "response.output_item.added",
                r#"{"type":"response.output_item.added","output_index":0,"item":{"id":"rs_1","type":"reasoning","summary":[],"encrypted_content":"ZW5j"}}"#,
            ),
            (
                "response.reasoning_summary_part.added",
                r#"{"type":"response.reasoning_summary_part.added","item_id":"rs_1","output_index":0,"summary_index":0,"part":{"type":"summary_text","text":""}}"#,
            ),
            (
                "response.reasoning_summary_text.delta",
                r#"{"type":"response.reasoning_summary_text.delta","item_id":"rs_1","output_index":0,"summary_index":0,"delta":"Two calls."}"#,
            ),
            (
                "response.output_item.done",
                r#"{"type":"response.output_item.done","output_index":0,"item":{"id":"rs_1","type":"reasoning","summary":[{"type":"summary_text","text":"Two calls."}],"encrypted_content":"ZW5jMQ=="}}"#,
            ),
            (
                "response.output_item.added",
                r#"{"type":"response.output_item.added","output_index":1,"item":{"id":"fc_1","type":"function_call","status":"in_progress","arguments":"","call_id":"call_1","name":"weather"}}"#,
            ),
            (
                "response.function_call_arguments.delta",
                r#"{"type":"response.function_call_arguments.delta","item_id":"fc_1","output_index":1,"delta":"{\"city\": \"Ro"}"#,
            ),
            (
                "response.function_call_arguments.delta",
                r#"{"type":"response.function_call_arguments.delta","item_id":"fc_1","output_index":1,"delta":"me\"}"}"#,
            ),
            (
                "response.output_item.added",
                r#"{"type":"response.output_item.added","output_index":2,"item":{"id":"fc_2","type":"function_call","status":"in_progress","arguments":"","call_id":"call_2","name":"weather"}}"#,
            ),
            (
                "response.output_item.done",
                r#"{"type":"response.output_item.done","output_index":1,"item":{"id":"fc_1","type":"function_call","status":"completed","arguments":"{\"city\": \"Rome\"}","call_id":"call_1","name":"weather"}}"#,
            ),
            (
                "response.output_item.done",
                r#"{"type":"response.output_item.done","output_index":2,"item":{"id":"fc_2","type":"function_call","status":"completed","arguments":"{\"city\": \"Oslo\"}","call_id":"call_2","name":"weather"}}"#,
            ),
            (
                "response.completed",
                r#"{"type":"response.completed","response":{"id":"resp_1","status":"completed","output":[]}}"#,
            ),
        ],
        &[
            (
                "response.created",
                r#"{"type":"response.created","response":{"id":"resp_2","status":"in_progress","output":[]}}"#,
            ),
            (
                "response.output_item.added",
                r#"{"type":"response.output_item.added","output_index":0,"item":{"id":"rs_2","type":"reasoning","summary":[]}}"#,
            ),
            (
                "response.output_item.done",
                r#"{"type":"response.output_item.done","output_index":0,"item":{"id":"rs_2","type":"reasoning","summary":[],"encrypted_content":"ZW5jMg=="}}"#,
            ),
            (
                "response.output_item.added",
                r#"{"type":"response.output_item.added","output_index":1,"item":{"id":"msg_2","type":"message","status":"in_progress","role":"assistant","content":[]}}"#,
            ),
            (
                "response.output_text.delta",
                r#"{"type":"response.output_text.delta","item_id":"msg_2","output_index":1,"content_index":0,"delta":"Sunny, snow."}"#,
            ),
            (
                "response.output_item.done",
                r#"{"type":"response.output_item.done","output_index":1,"item":{"id":"msg_2","type":"message","status":"completed","role":"assistant","content":[{"type":"output_text","text":"Sunny, snow.","annotations":[],"logprobs":[]}]}}"#,
            ),
            (
                "response.completed",
                r#"{"type":"response.completed","response":{"id":"resp_2","status":"completed","output":[]}}"#,
            ),
        ],
    ],
    messages: "input",
    second: r#"{
      "model": "gpt-5-mini",
      "instructions": "Be brief.",
      "input": [
        {"type": "message", "role": "user", "content": "Weather in Rome and Oslo?"},
        {
          "id": "rs_1",
          "type": "reasoning",
          "summary": [{"type": "summary_text", "text": "Two calls."}],
          "encrypted_content": "ZW5jMQ=="
        },
        {
          "type": "function_call",
          "call_id": "call_1",
          "name": "weather",
          "arguments": "{\"city\": \"Rome\"}",
          "id": "fc_1"
        },
        {
          "type": "function_call",
          "call_id": "call_2",
          "name": "weather",
          "arguments": "{\"city\": \"Oslo\"}",
          "id": "fc_2"
        },
        {"type": "function_call_output", "call_id": "call_1", "output": "sunny"},
        {"type": "function_call_output", "call_id": "call_2", "output": "snow"}
      ],
      "stream": true,
      "tools": [
        {
          "type": "function",
          "name": "weather",
          "description": "The weather.",
          "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
        }
      ],
      "max_output_tokens": 500
    }"#,
    added: r#"[
      {"id": "rs_2", "type": "reasoning", "summary": [], "encrypted_content": "ZW5jMg=="},
      {
        "type": "message",
        "id": "msg_2",
        "role": "assistant",
        "status": "completed",
        "content": [{"type": "output_text", "text": "Sunny, snow.", "annotations": []}]
      },
      {"type": "message", "role": "user", "content": "And tomorrow?"}
    ]"#,
};
