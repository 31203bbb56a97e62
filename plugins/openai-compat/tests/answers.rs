//! Every recorded answer, cut at random places, must come out as it was meant.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::collections::BTreeMap;

use aimu_sdk::exchange::decode;
use aimu_sdk::http::{Body, Response};
use aimu_sdk::openai::{ChatDecoder, error_from_response};
use aimu_sdk::{
    Completion, Event, Events, Failure, FailureKind, FinishReason, PartContent, PartKind, Reasoning,
};
use serde_json::{Map, Value, json};

/// A body that comes in pieces of random size.
struct Cut<'a> {
    rest: &'a [u8],
    state: u64,
    whole: bool,
}

impl Body for Cut<'_> {
    fn read(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        // A linear congruential generator is random enough to find places to cut.
        self.state =
            self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let wish = if self.whole { usize::MAX } else { 1 + (self.state >> 33) as usize % 700 };
        let (now, later) = self.rest.split_at(wish.min(self.rest.len()));
        self.rest = later;
        Ok(Some(now.to_vec()))
    }
}

/// What came out, in the words of the recordings.
fn play(exchange: &common::Exchange, seed: u64) -> (Value, Vec<Event>, Result<Completion, Failure>) {
    let recorded = &exchange.data["response"];
    let headers = recorded["headers"].as_object().into_iter().flatten();
    let response = Response {
        status: u16::try_from(recorded["status"].as_u64().unwrap()).unwrap(),
        headers: headers
            .map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().into()))
            .collect(),
        body: Cut { rest: recorded["body_text"].as_str().unwrap().as_bytes(), state: seed, whole: seed == 0 },
    };
    let model = exchange.data["request"]["body"]["model"].as_str().unwrap_or_default();
    let mut decoder = ChatDecoder::new(model, &common::quirks(&exchange.provider));
    let mut events = Events::default();
    let outcome = decode(response, &mut decoder, &mut events, &error_from_response);
    (assemble(&events.pending, &outcome), events.pending, outcome)
}

fn assemble(events: &[Event], outcome: &Result<Completion, Failure>) -> Value {
    let (mut text, mut reasoning, mut refusal) = (String::new(), String::new(), String::new());
    let mut kinds: BTreeMap<u32, PartKind> = BTreeMap::new();
    let mut calls: Vec<(u32, String, String, String)> = Vec::new();
    let (mut citations, mut ended) = (0, 0);
    for event in events {
        match event {
            Event::Start(start) => {
                if let PartKind::ToolCall(call) = &start.kind {
                    calls.push((start.index, call.id.clone(), call.name.clone(), String::new()));
                }
                assert!(kinds.insert(start.index, start.kind.clone()).is_none(), "a part starts twice");
            }
            Event::Delta(delta) => {
                assert!(!delta.text.is_empty(), "an empty delta");
                match kinds.get(&delta.index).expect("a delta of no part") {
                    PartKind::Text => text.push_str(&delta.text),
                    PartKind::Refusal => refusal.push_str(&delta.text),
                    PartKind::ReasoningText | PartKind::ReasoningSummary => reasoning.push_str(&delta.text),
                    PartKind::ToolCall(_) => {
                        calls.iter_mut().find(|call| call.0 == delta.index).unwrap().3.push_str(&delta.text);
                    }
                    PartKind::Media(_) => panic!("text in a medium"),
                }
            }
            Event::Whole(part) => match &part.content {
                PartContent::Reasoning(Reasoning::Redacted(_))
                | PartContent::Opaque(_)
                | PartContent::Media(_) => {}
                other => panic!("unexpected whole part {other:?}"),
            },
            Event::Citation(citation) => {
                assert!(matches!(kinds.get(&citation.index), Some(PartKind::Text)), "a citation of no text");
                citations += 1;
            }
            Event::End(_) => ended += 1,
            Event::Bytes(_) | Event::Usage(_) | Event::Detail(_) | Event::Warning(_) => {}
        }
    }
    let calls: Vec<Value> = calls
        .into_iter()
        .map(|(_, id, name, raw)| {
            let text = if raw.trim().is_empty() { "{}" } else { &raw };
            let arguments: Value = serde_json::from_str(text).unwrap_or_default();
            json!({"id": id, "name": name, "arguments": arguments, "arguments_raw": raw})
        })
        .collect();
    let mut got = json!({
        "text": text, "reasoning": reasoning, "refusal": refusal, "tool_calls": calls, "citations": citations,
    });
    match outcome {
        Ok(done) => {
            assert_eq!(ended, kinds.len(), "every part ends");
            got["finish"] = finish(&done.finish).into();
            let usage = done.usage.map(|usage| {
                json!({"input_total": usage.input, "output_total": usage.output, "reasoning": usage.reasoning,
                    "cache_read": usage.cache_read, "cache_write": usage.cache_write})
            });
            got["usage"] = usage.unwrap_or_default();
            got["raw_finish"] = done.raw_finish.clone().into();
        }
        Err(failure) => {
            got["finish"] = "error".into();
            got["error_kind"] = kind(failure.kind).into();
            got["message"] = failure.message.clone().into();
        }
    }
    got
}

fn finish(reason: &FinishReason) -> &str {
    match reason {
        FinishReason::Stop => "stop",
        FinishReason::Length => "length",
        FinishReason::ToolCalls => "tool-calls",
        FinishReason::ContentFilter => "content-filter",
        FinishReason::Refusal => "refusal",
        FinishReason::Paused => "paused",
        FinishReason::Error => "error",
        FinishReason::Other(_) => "other",
    }
}

fn kind(kind: FailureKind) -> String {
    let name = format!("{kind:?}").to_lowercase();
    name.rsplit("::").next().unwrap_or_default().to_owned()
}

/// The differences that matter, as the recordings' own rules have them.
fn differences(want: &Value, got: &Value) -> Vec<String> {
    let mut out = Vec::new();
    let is_error = want["kind"] == "error";
    let error = if is_error { want } else { &want["stream_error"] };
    if error.is_object() {
        let kinds =
            error["error_kind_ok"].as_array().cloned().unwrap_or_else(|| vec![error["error_kind"].clone()]);
        let fits = kinds.iter().any(|kind| plain(kind) == plain(&got["error_kind"]));
        if !fits {
            out.push(format!("error kind: want {}, got {}", error["error_kind"], got["error_kind"]));
        }
    } else if !got["error_kind"].is_null() {
        out.push(format!("failed: {} {}", got["error_kind"], got["message"]));
    }
    if is_error {
        return out;
    }
    let noted = want["notes"]
        .as_array()
        .is_some_and(|notes| notes.iter().any(|note| note.to_string().contains("<think>")));
    if noted {
        let bare = |text: String| words(&text.replace("<think>", " ").replace("</think>", " "));
        let all = format!("{} {}", text(&got["reasoning"]), text(&got["text"]));
        if bare(text(&want["text"])) != bare(all) {
            out.push("text with tags".into());
        }
    } else {
        for name in ["text", "reasoning", "refusal"] {
            if words(&text(&want[name])) != words(&text(&got[name])) {
                out.push(format!("{name}: want {}, got {}", want[name], got[name]));
            }
        }
    }
    let calls = |calls: &Value, cut: bool| -> Vec<Value> {
        let calls =
            calls.as_array().into_iter().flatten().filter(|call| !(cut && call["arguments"].is_null()));
        calls.map(call).collect()
    };
    let cut = want["finish"] == "length";
    if calls(&want["tool_calls"], cut) != calls(&got["tool_calls"], cut) {
        out.push(format!("calls: want {}, got {}", want["tool_calls"], got["tool_calls"]));
    }
    let fine = match want["finish_ok"].as_array() {
        Some(reasons) => reasons.contains(&got["finish"]),
        None => want["finish"].is_null() || error.is_object() || want["finish"] == got["finish"],
    };
    if !fine {
        out.push(format!("finish: want {}, got {}", want["finish"], got["finish"]));
    }
    if !error.is_object() {
        for name in ["input_total", "output_total", "reasoning", "cache_read", "cache_write"] {
            let (want, got) = (&want["usage"][name], &got["usage"][name]);
            // The recordings' own reading knows fewer names of the caches.
            if want != got && !(want.is_null() && name.starts_with("cache")) {
                out.push(format!("usage {name}: want {want}, got {got}"));
            }
        }
    }
    out
}

fn plain(kind: &Value) -> Option<String> {
    kind.as_str().map(|kind| kind.replace(['-', '_'], ""))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Name and arguments; an id only where the wire has one.
fn call(call: &Value) -> Value {
    let id = call["id"].as_str().filter(|id| !id.is_empty());
    let arguments = match &call["arguments"] {
        Value::Null => call["arguments_raw"].clone(),
        arguments => numbers(arguments),
    };
    json!([id, call["name"], arguments])
}

/// `1.0` is `1`.
fn numbers(value: &Value) -> Value {
    match value {
        Value::Number(number) => number.as_f64().map_or(value.clone(), Value::from),
        Value::Array(items) => items.iter().map(numbers).collect(),
        Value::Object(members) => {
            let mut sorted: Vec<_> =
                members.iter().map(|(name, value)| (name.clone(), numbers(value))).collect();
            sorted.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(sorted.into_iter().collect::<Map<_, _>>())
        }
        other => other.clone(),
    }
}

#[test]
fn recorded_answers_come_out_as_they_were_meant() {
    let Some(exchanges) = common::exchanges() else {
        return;
    };
    let (mut failed, mut unanswered) = (Vec::new(), 0);
    for exchange in &exchanges {
        if !exchange.data["response"]["body_text"].is_string() {
            unanswered += 1;
            continue;
        }
        let mut want = exchange.data["expect"].clone();
        // Some gateways fill every structure with zeroes; an empty `function_call` is no call.
        if let Some(calls) = want["tool_calls"].as_array_mut() {
            calls.retain(|call| call["name"] != "");
        }
        let (whole, _, _) = play(exchange, 0);
        let found = differences(&want, &whole);
        for seed in 1..4 {
            assert_eq!(play(exchange, seed).0, whole, "{}: cut with seed {seed}", exchange.name);
        }
        if !found.is_empty() {
            failed.push(format!("{}\n    {}", exchange.name, found.join("\n    ")));
        }
    }
    eprintln!("{} recorded answers, {unanswered} without a text, {} differ", exchanges.len(), failed.len());
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}
