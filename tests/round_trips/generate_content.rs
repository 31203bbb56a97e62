//! generateContent: a thought's signature is on the part after it, and goes back on that part
//! (<https://ai.google.dev/gemini-api/docs/thought-signatures>).

use super::Trip;
use crate::support::wires::{GENERATE_CONTENT, Wire};

pub const TRIP: Trip = Trip {
    wire: Wire { model: "gemini:gemini-2.5-flash", ..GENERATE_CONTENT },
    answers: [
        &[
            (
                "",
                r#"{"candidates":[{"content":{"role":"model","parts":[{"text":"Two ","thought":true}]},"index":0}]}"#,
            ),
            (
                "",
                r#"{"candidates":[{"content":{"role":"model","parts":[{"text":"calls.","thought":true}]},"index":0}]}"#,
            ),
            (
                "",
                r#"{"candidates":[{"content":{"role":"model","parts":[{"functionCall":{"name":"weather","args":{"city":"Rome"}},"thoughtSignature":"c2lnMQ=="}]},"index":0}]}"#,
            ),
            (
                "",
                r#"{"candidates":[{"content":{"role":"model","parts":[{"functionCall":{"name":"weather","args":{"city":"Oslo"}}}]},"finishReason":"STOP","index":0}]}"#,
            ),
        ],
        &[
            (
                "",
                r#"{"candidates":[{"content":{"role":"model","parts":[{"text":"Easy.","thought":true}]},"index":0}]}"#,
            ),
            ("", r#"{"candidates":[{"content":{"role":"model","parts":[{"text":"Sunny, "}]},"index":0}]}"#),
            ("", r#"{"candidates":[{"content":{"role":"model","parts":[{"text":"snow."}]},"index":0}]}"#),
            (
                "",
                r#"{"candidates":[{"content":{"role":"model","parts":[{"text":"","thoughtSignature":"c2lnMg=="}]},"finishReason":"STOP","index":0}]}"#,
            ),
        ],
    ],
    messages: "contents",
    second: r#"{
      "systemInstruction": {"parts": [{"text": "Be brief."}]},
      "contents": [
        {"role": "user", "parts": [{"text": "Weather in Rome and Oslo?"}]},
        {
          "role": "model",
          "parts": [
            {"text": "Two calls.", "thought": true},
            {"functionCall": {"name": "weather", "args": {"city": "Rome"}}, "thoughtSignature": "c2lnMQ=="},
            {"functionCall": {"name": "weather", "args": {"city": "Oslo"}}}
          ]
        },
        {
          "role": "user",
          "parts": [
            {"functionResponse": {"name": "weather", "response": {"output": "sunny"}}},
            {"functionResponse": {"name": "weather", "response": {"output": "snow"}}}
          ]
        }
      ],
      "tools": [
        {
          "functionDeclarations": [
            {
              "name": "weather",
              "description": "The weather.",
              "parametersJsonSchema": {
                "type": "object",
                "properties": {"city": {"type": "string"}},
                "required": ["city"]
              }
            }
          ]
        }
      ],
      "generationConfig": {"maxOutputTokens": 500}
    }"#,
    added: r#"[
      {
        "role": "model",
        "parts": [
          {"text": "Easy.", "thought": true},
          {"text": "Sunny, snow."},
          {"text": "", "thoughtSignature": "c2lnMg=="}
        ]
      },
      {"role": "user", "parts": [{"text": "And tomorrow?"}]}
    ]"#,
};
