//! What came out of a call, put together as a host would, and compared with what a case expects.

use aimu_sdk::{
    Completion, Event, Failure, FailureKind, FinishReason, Message, Opaque, Part, PartContent, PartKind,
    Reasoning, Replay, Role, ToolCall, Usage,
};
use serde_json::{Value, json};

/// One part, put together.
#[derive(Clone, Debug, PartialEq)]
struct Whole {
    kind: &'static str,
    text: String,
    /// A call's id and name, an opaque part's kind.
    name: (String, String),
    replay: Option<Replay>,
    ended: bool,
}

/// The outcome of a call.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Outcome {
    parts: Vec<Whole>,
    citations: usize,
    logprobs: bool,
    result: Result<Completion, Failure>,
}

impl Outcome {
    pub(crate) fn of(events: &[Event], result: Result<Completion, Failure>) -> Self {
        let mut parts: Vec<Whole> = Vec::new();
        let mut places: Vec<usize> = Vec::new();
        let (mut citations, mut logprobs) = (0, false);
        for event in events {
            match event {
                Event::Start(start) => {
                    assert_eq!(start.index as usize, places.len(), "indices count up");
                    places.push(parts.len());
                    let (kind, name) = match &start.kind {
                        PartKind::Text => ("text", Default::default()),
                        PartKind::Refusal => ("refusal", Default::default()),
                        PartKind::ReasoningText | PartKind::ReasoningSummary => {
                            ("reasoning", Default::default())
                        }
                        PartKind::ToolCall(call) => (
                            if call.server_executed { "server-call" } else { "call" },
                            (call.id.clone(), call.name.clone()),
                        ),
                        PartKind::Media(_) => ("media", Default::default()),
                    };
                    parts.push(Whole { kind, text: String::new(), name, replay: None, ended: false });
                }
                Event::Delta(delta) => {
                    let part = &mut parts[places[delta.index as usize]];
                    assert!(!part.ended, "a delta after the end");
                    assert!(!delta.text.is_empty(), "an empty delta");
                    part.text.push_str(&delta.text);
                }
                Event::End(end) => {
                    let part = &mut parts[places[end.index as usize]];
                    assert!(!part.ended, "a second end");
                    part.ended = true;
                    part.replay.clone_from(&end.replay);
                }
                Event::Whole(part) => parts.push(Whole::of(part)),
                Event::Citation(citation) => {
                    assert!(!parts[places[citation.index as usize]].ended, "a citation after the end");
                    citations += 1;
                }
                Event::Detail(detail) => logprobs |= detail.kind == "logprobs",
                Event::Usage(_) | Event::Warning(_) => {}
                Event::Bytes(_) => panic!("no recording holds media"),
            }
        }
        if result.is_ok() {
            assert!(parts.iter().all(|part| part.ended), "a part that never ends");
        }
        Self { parts, citations, logprobs, result }
    }

    /// The answer as a message of the history, its parts with what the provider needs back.
    pub(crate) fn message(&self) -> Message {
        let parts =
            self.parts.iter().map(|part| Part { replay: part.replay.clone(), ..part.content().into() });
        Message::new(Role::Assistant, parts.collect())
    }

    fn joined(&self, kind: &str) -> String {
        self.parts.iter().filter(|part| part.kind == kind).map(|part| part.text.as_str()).collect()
    }

    /// What differs from a case's `expect`.
    pub(crate) fn differences(&self, expect: &Value) -> Vec<String> {
        let mut found = Vec::new();
        let mut check = |what: &str, want: Value, got: Value| {
            if want != got {
                found.push(format!("{what}: want {want}, got {got}"));
            }
        };
        let completion = match (&self.result, expect["kind"].as_str()) {
            (Err(failure), Some("error")) => {
                let mut kinds = expect["error_kind_ok"].as_array().cloned().unwrap_or_default();
                kinds.push(expect["error_kind"].clone());
                if !kinds.contains(&json!(word(failure.kind))) {
                    found.push(format!("error kind: want one of {kinds:?}, got {:?}", failure.kind));
                } else if expect["message"].as_str().is_some_and(|message| message != failure.message) {
                    found.push(format!("message: want {}, got {}", expect["message"], failure.message));
                }
                return found;
            }
            (Ok(completion), Some("message")) => completion,
            (result, kind) => return vec![format!("want {kind:?}, got {result:?}")],
        };
        check("text", spaced(expect["text"].as_str()), spaced(Some(&self.joined("text"))));
        check("refusal", spaced(expect["refusal"].as_str()), spaced(Some(&self.joined("refusal"))));
        check("reasoning", bare(expect["reasoning"].as_str()), bare(Some(&self.joined("reasoning"))));
        let want = expect["tool_calls"].as_array().into_iter().flatten();
        let want: Vec<Value> = want
            .map(|call| {
                let raw = call["arguments"].is_null().then(|| call["arguments_raw"].clone());
                let arguments = raw.unwrap_or_else(|| call["arguments"].clone());
                json!({"id": call["id"], "name": call["name"], "arguments": arguments})
            })
            .collect();
        check("tool calls", want.into(), self.calls().collect());
        let finish = json!(finish(&completion.finish));
        let fits = match expect["finish_ok"].as_array() {
            Some(allowed) => allowed.contains(&finish),
            None => expect["finish"].is_null() || expect["finish"] == finish,
        };
        if !fits {
            check("finish", expect["finish"].clone(), finish);
        }
        check("raw finish", expect["finish_raw"].clone(), json!(completion.raw_finish));
        check("id", expect["id"].clone(), json!(completion.response_id));
        let count = |name: &str| expect.get(name).cloned().unwrap_or(json!(0));
        check("citations", count("citations"), json!(self.citations));
        check("logprobs", json!(expect["logprobs"] == true), json!(self.logprobs));
        check("signatures", count("signatures"), json!(self.encrypted()));
        let want = expect["server_tools"].as_array().into_iter().flatten();
        let want: Vec<Value> = want.map(|tool| tool["type"].clone()).collect();
        check("server tools", want.into(), self.server_tools().into());
        check_usage(&expect["usage"], completion.usage, &mut check);
        found
    }

    /// How many items hold encrypted reasoning.
    fn encrypted(&self) -> usize {
        let items = self.parts.iter().filter_map(|part| match part.kind {
            "opaque" => Some(part.text.as_str()),
            "reasoning" => part.replay.as_ref()?.data.as_deref(),
            _ => None,
        });
        let items = items.filter_map(|item| serde_json::from_str::<Value>(item).ok());
        items.filter(|item| item["type"] == "reasoning" && item["encrypted_content"].is_string()).count()
    }

    fn calls(&self) -> impl Iterator<Item = Value> {
        self.parts.iter().filter(|part| part.kind == "call").map(|part| {
            let text = if part.text.is_empty() { "{}" } else { &part.text };
            let arguments: Value = serde_json::from_str(text).unwrap_or_else(|_| text.into());
            json!({ "id": part.name.0, "name": part.name.1, "arguments": arguments })
        })
    }

    /// The types of the items that are neither messages nor reasoning nor calls of the caller's tools.
    fn server_tools(&self) -> Vec<Value> {
        let items = self.parts.iter().filter_map(|part| match part.kind {
            "server-call" => {
                let item = part.replay.as_ref()?.data.as_deref()?;
                Some(serde_json::from_str::<Value>(item).unwrap()["type"].clone())
            }
            "opaque" => Some(json!(part.name.0)),
            _ => None,
        });
        items.filter(|kind| kind != "reasoning").collect()
    }
}

fn check_usage(want: &Value, got: Option<Usage>, check: &mut impl FnMut(&str, Value, Value)) {
    let Some(got) = got else {
        return check("usage", want.clone(), Value::Null);
    };
    for (name, got) in [
        ("input_total", got.input),
        ("output_total", got.output),
        ("reasoning", got.reasoning),
        ("cache_read", got.cache_read),
    ] {
        check(name, want[name].clone(), json!(got));
    }
}

impl Whole {
    fn content(&self) -> PartContent {
        let text = self.text.clone();
        match self.kind {
            "text" => PartContent::Text(text),
            "refusal" => PartContent::Refusal(text),
            "redacted" => PartContent::Reasoning(Reasoning::Redacted(text)),
            "reasoning" => PartContent::Reasoning(Reasoning::Text(text)),
            "opaque" => PartContent::Opaque(Opaque { kind: self.name.0.clone(), data: text }),
            kind => PartContent::ToolCall(ToolCall {
                id: self.name.0.clone(),
                name: self.name.1.clone(),
                arguments: text,
                server_executed: kind == "server-call",
            }),
        }
    }

    fn of(part: &Part) -> Self {
        let (kind, text, name) = match &part.content {
            PartContent::Text(text) => ("text", text.clone(), Default::default()),
            PartContent::Refusal(text) => ("refusal", text.clone(), Default::default()),
            PartContent::Reasoning(Reasoning::Redacted(data)) => {
                ("redacted", data.clone(), Default::default())
            }
            PartContent::Reasoning(Reasoning::Text(text) | Reasoning::Summary(text)) => {
                ("reasoning", text.clone(), Default::default())
            }
            PartContent::Opaque(opaque) => {
                ("opaque", opaque.data.clone(), (opaque.kind.clone(), String::new()))
            }
            other => panic!("a whole part that is not expected: {other:?}"),
        };
        Self { kind, text, name, replay: part.replay.clone(), ended: true }
    }
}

/// With runs of space as one.
fn spaced(text: Option<&str>) -> Value {
    json!(text.unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" "))
}

fn bare(text: Option<&str>) -> Value {
    json!(text.unwrap_or_default().split_whitespace().collect::<String>())
}

fn finish(reason: &FinishReason) -> &str {
    match reason {
        FinishReason::Stop => "stop",
        FinishReason::Length => "length",
        FinishReason::ToolCalls => "tool-calls",
        FinishReason::ContentFilter | FinishReason::Refusal => "content-filter",
        FinishReason::Paused => "paused",
        FinishReason::Error => "error",
        FinishReason::Other(_) => "other",
    }
}

fn word(kind: FailureKind) -> &'static str {
    match kind {
        FailureKind::Authentication => "authentication",
        FailureKind::Permission => "permission",
        FailureKind::NotFound => "not-found",
        FailureKind::InvalidRequest => "invalid-request",
        FailureKind::ContextLength => "context-length",
        FailureKind::RateLimited => "rate-limited",
        FailureKind::Quota => "quota",
        FailureKind::Overloaded => "overloaded",
        _ => "other",
    }
}
