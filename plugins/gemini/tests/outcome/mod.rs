//! What came out of a call, put together as a host would, and compared with what a case expects.

use aimu_sdk::{
    Completion, Event, Failure, FailureKind, FinishReason, Media, MediaKind, MediaSource, Message, Opaque,
    Part, PartContent, PartKind, Reasoning, Replay, Role, ToolCall, Usage,
};
use serde_json::{Value, json};

/// One part, put together.
#[derive(Clone, Debug, PartialEq)]
struct Whole {
    kind: &'static str,
    text: String,
    /// A call's id and name, an opaque part's kind.
    name: (String, String),
    bytes: Vec<u8>,
    replay: Option<Replay>,
    ended: bool,
}

/// The outcome of a call.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Outcome {
    parts: Vec<Whole>,
    citations: usize,
    result: Result<Completion, Failure>,
}

impl Outcome {
    pub(crate) fn of(events: &[Event], result: Result<Completion, Failure>) -> Self {
        let mut parts: Vec<Whole> = Vec::new();
        let mut places: Vec<usize> = Vec::new();
        let mut citations = 0;
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
                        PartKind::Media(media) => ("media", (media.mime_type.clone(), String::new())),
                    };
                    parts.push(Whole {
                        kind,
                        text: String::new(),
                        name,
                        bytes: Vec::new(),
                        replay: None,
                        ended: false,
                    });
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
                Event::Usage(_) | Event::Detail(_) | Event::Warning(_) => {}
                Event::Bytes(bytes) => {
                    let part = &mut parts[places[bytes.index as usize]];
                    assert!(!part.ended && part.kind == "media", "bytes of what is no open medium");
                    part.bytes.extend_from_slice(&bytes.data);
                }
            }
        }
        if result.is_ok() {
            assert!(parts.iter().all(|part| part.ended), "a part that never ends");
        }
        Self { parts, citations, result }
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
        if let Some(reasoning) = expect["reasoning"].as_str().filter(|reasoning| !reasoning.is_empty()) {
            check("reasoning", bare(reasoning), bare(&self.joined("reasoning")));
        }
        let cut = completion.finish == FinishReason::Length;
        let calls: Vec<Value> = self.calls().filter(|call| !cut || !call["arguments"].is_null()).collect();
        let want: Vec<Value> = expect["tool_calls"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|call| !cut || !call["arguments"].is_null())
            .map(|call| json!({ "id": call["id"], "name": call["name"], "arguments": call["arguments"] }))
            .collect();
        // Where the wire has no ids there are none to compare.
        let same = |(want, got): (&Value, &Value)| {
            (want["id"].is_null() || want["id"] == got["id"])
                && want["name"] == got["name"]
                && want["arguments"] == got["arguments"]
        };
        if want.len() != calls.len() || !want.iter().zip(&calls).all(same) {
            check("tool calls", want.into(), calls.into());
        }
        let finish = json!(finish(&completion.finish));
        let fits = match expect["finish_ok"].as_array() {
            Some(allowed) => allowed.contains(&finish),
            None => expect["finish"].is_null() || expect["finish"] == finish,
        };
        if !fits {
            check("finish", expect["finish"].clone(), finish);
        }
        check("raw finish", expect["finish_raw"].clone(), json!(completion.raw_finish));
        check("id", expect.get("id").cloned().unwrap_or_default(), json!(completion.response_id));
        check("model", expect["model"].clone(), json!(completion.model));
        self.check_usage(&expect["usage"], completion.usage, &mut check);
        // The cases count sources; there is a citation for each span that stands on one.
        let sources = expect.get("citations").and_then(Value::as_u64).unwrap_or(0);
        if (sources == 0) != (self.citations == 0) || (self.citations as u64) < sources {
            check("citations", json!(sources), json!(self.citations));
        }
        let signed = |part: &&Whole| part.replay.as_ref().is_some_and(|replay| replay.signature.is_some());
        let signatures = self.parts.iter().filter(signed).count();
        check("signatures", expect.get("signatures").cloned().unwrap_or(json!(0)), json!(signatures));
        if let Some(want) = expect["server_tools"].as_array() {
            // The searches that only the grounding tells of are no parts.
            let ran = |tool: &&Value| tool["type"] != "googleSearch" && tool["type"] != "urlContext";
            let want: Vec<&Value> = want.iter().filter(ran).map(|tool| &tool["type"]).collect();
            check("server tools", json!(want), self.server_tools().into());
        }
        found
    }

    fn check_usage(&self, want: &Value, got: Option<Usage>, check: &mut impl FnMut(&str, Value, Value)) {
        let Some(got) = got else {
            return check("usage", want.clone(), Value::Null);
        };
        for (name, got) in [
            ("input_total", got.input),
            ("output_total", got.output),
            ("cache_read", got.cache_read),
            ("reasoning", got.reasoning),
        ] {
            if want[name].is_number() {
                check(name, want[name].clone(), json!(got));
            }
        }
    }

    fn calls(&self) -> impl Iterator<Item = Value> {
        self.parts.iter().filter(|part| part.kind == "call").map(|part| {
            let text = if part.text.is_empty() { "{}" } else { &part.text };
            let arguments: Value = serde_json::from_str(text).unwrap_or_default();
            json!({ "id": part.name.0, "name": part.name.1, "arguments": arguments })
        })
    }

    /// The members of the wire that the parts of server tools were.
    fn server_tools(&self) -> Vec<Value> {
        self.parts
            .iter()
            .filter_map(|part| match part.kind {
                "server-call" => {
                    let data = part.replay.as_ref().and_then(|replay| replay.data.as_deref()).unwrap_or("{}");
                    let data: Value = serde_json::from_str(data).unwrap_or_default();
                    let name = data.as_object().and_then(|data| data.keys().next());
                    name.map(|name| json!(name))
                }
                "opaque" => Some(json!(part.name.0)),
                _ => None,
            })
            .collect()
    }
}

impl Whole {
    fn content(&self) -> PartContent {
        let text = self.text.clone();
        match self.kind {
            "text" => PartContent::Text(text),
            "refusal" => PartContent::Refusal(text),
            "media" => PartContent::Media(Media {
                kind: MediaKind::Image,
                mime_type: self.name.0.clone(),
                source: MediaSource::Bytes(self.bytes.clone()),
                name: None,
                detail: None,
            }),
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
            PartContent::ToolCall(call) => (
                if call.server_executed { "server-call" } else { "call" },
                call.arguments.clone(),
                (call.id.clone(), call.name.clone()),
            ),
            PartContent::Opaque(opaque) => {
                ("opaque", opaque.data.clone(), (opaque.kind.clone(), String::new()))
            }
            other => panic!("a whole part that is not expected: {other:?}"),
        };
        Self { kind, text, name, bytes: Vec::new(), replay: part.replay.clone(), ended: true }
    }
}

/// With runs of space as one.
fn spaced(text: Option<&str>) -> Value {
    json!(text.unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" "))
}

fn bare(text: &str) -> Value {
    json!(text.split_whitespace().collect::<String>())
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
