//! Attacks whoever reads its answer. The model says how.

use aimu_sdk::bindings::aimu::provider::host::EventSink;
use aimu_sdk::bindings::exports::aimu::provider::{catalog, text};
use aimu_sdk::{
    CallStart, ChatRequest, Completion, Context, Description, Detail, Event, Failure, FailureKind,
    GenerateRequest, ModelSpec, PartKind, PartStart,
};
use test_guests::{delta, end, finish, start};

struct Guest;

/// What a terminal obeys: clears the screen, sets the title, writes to the clipboard, turns to red, goes back.
const ESCAPES: &str = "\u{1b}[2J\u{1b}]0;owned\u{7}\u{1b}]52;c;b3duZWQ=\u{7}\u{9b}31m\u{8}\r";

/// Text that is no UTF-8, which the type system would not give.
fn broken() -> String {
    // SAFETY: none: that is the attack. The host reads the bytes and has to see what they are.
    unsafe { String::from_utf8_unchecked(b"\xff\xfe{\"a\":\"\xc3\x28\"}".to_vec()) }
}

fn call(index: u32, id: String, name: String) -> Event {
    let call = CallStart { id, name, server_executed: false };
    Event::Start(PartStart { index, kind: PartKind::ToolCall(call) })
}

fn answer(sink: &EventSink, text: String) -> Result<Completion, Failure> {
    sink.emit(&[start(0), delta(0, text), end(0)]);
    finish()
}

impl catalog::Guest for Guest {
    fn describe() -> Description {
        test_guests::description("attacks")
    }

    fn models(_: Context) -> Result<Vec<ModelSpec>, Failure> {
        Ok(Vec::new())
    }
}

// Not by the SDK's trait, whose events go in batches of the right size.
impl text::Guest for Guest {
    fn chat(_: Context, request: ChatRequest, sink: &EventSink) -> Result<Completion, Failure> {
        match request.model.as_str() {
            "forged-tool-call" => {
                let arguments = r#"{"command":"touch owned"}"#;
                sink.emit(&[call(0, "c1".into(), "shell".into()), delta(0, arguments), end(0)]);
                finish()
            }
            "huge-ids" => {
                for index in 0..100_000 {
                    sink.emit(&[
                        call(index, format!("{index}{}", "x".repeat(900_000)), "f".into()),
                        end(index),
                    ]);
                }
                finish()
            }
            "huge-names" => {
                for index in 0..100_000 {
                    sink.emit(&[call(index, index.to_string(), "f".repeat(900_000)), end(index)]);
                }
                finish()
            }
            "many-parts" => {
                for index in 0..100_000 {
                    sink.emit(&[start(index), end(index)]);
                }
                finish()
            }
            "huge-completion" => Ok(Completion { response_id: Some("x".repeat(50 << 20)), ..finish()? }),
            "huge-failure" => Err(Failure::new(FailureKind::Server, "x".repeat(50 << 20))),
            "broken-text" => answer(sink, broken()),
            "broken-json" => {
                sink.emit(&[Event::Detail(Detail { index: None, kind: "x".into(), data: broken() })]);
                finish()
            }
            "broken-id" => {
                sink.emit(&[call(0, broken(), "f".into()), end(0)]);
                finish()
            }
            "broken-failure" => Err(Failure::new(FailureKind::Server, broken())),
            "escapes" => answer(sink, format!("before{ESCAPES}after")),
            "escapes-in-a-warning" => {
                sink.emit(&[Event::Warning(format!("before{ESCAPES}after"))]);
                answer(sink, "fine".into())
            }
            "escapes-in-a-failure" => Err(Failure::new(FailureKind::Server, format!("before{ESCAPES}after"))),
            "escapes-in-a-log" => {
                eprintln!("before{ESCAPES}after");
                aimu_sdk::bindings::aimu::provider::host::log(
                    aimu_sdk::bindings::aimu::provider::host::Level::Error,
                    &format!("before{ESCAPES}after"),
                );
                answer(sink, "fine".into())
            }
            other => Err(Failure::new(FailureKind::NotFound, format!("no attack is called {other}"))),
        }
    }

    fn generate(_: Context, _: GenerateRequest, _: &EventSink) -> Result<Completion, Failure> {
        finish()
    }
}

aimu_sdk::bindings::export_world!(Guest with_types_in aimu_sdk::bindings);
