//! Every recorded answer, cut at random places, must come out as it was meant, and go back as it came.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;
mod outcome;

use aimu_sdk::exchange::decode;
use aimu_sdk::http::{Body, Response};
use aimu_sdk::openai::error_from_response;
use aimu_sdk::openai::responses::{ResponsesDecoder, body};
use aimu_sdk::{ChatRequest, Context, Event, Events, Failure, Message, Role};
use serde_json::{Value, json};

use outcome::Outcome;

/// Each answer is cut in this many ways.
const CUTS: u64 = 8;

/// A body that comes in pieces of random size.
struct Cut<'a> {
    rest: &'a [u8],
    state: u64,
    longest: usize,
}

impl Body for Cut<'_> {
    fn read(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        // A linear congruential generator is random enough to find places to cut.
        self.state =
            self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let wish = 1 + (self.state >> 33) as usize % self.longest;
        let (now, later) = self.rest.split_at(wish.min(self.rest.len()));
        self.rest = later;
        Ok(Some(now.to_vec()))
    }
}

fn play(exchange: &common::Exchange, seed: u64) -> Outcome {
    let recorded = &exchange.data["response"];
    let headers = recorded["headers"].as_object().into_iter().flatten();
    let body = recorded["body_text"].as_str().unwrap().as_bytes();
    // From a few bytes to a few hundred; the first time in one piece.
    let longest = if seed == 0 { body.len().max(1) } else { [3, 17, 300, 2000][(seed % 4) as usize] };
    let response = Response {
        status: u16::try_from(recorded["status"].as_u64().unwrap()).unwrap(),
        headers: headers
            .map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().into()))
            .collect(),
        body: Cut { rest: body, state: seed, longest },
    };
    let model = exchange.data["request"]["body"]["model"].as_str().unwrap_or_default();
    let mut decoder = ResponsesDecoder::new(model);
    let mut events = Events::default();
    let result = decode(response, &mut decoder, &mut events, &error_from_response);
    Outcome::of(&events.pending, result)
}

/// The items of an answer as the server wrote them last.
fn written(exchange: &common::Exchange) -> Vec<Value> {
    let body = exchange.data["response"]["body_text"].as_str().unwrap();
    if let Ok(response) = serde_json::from_str::<Value>(body) {
        return response["output"].as_array().cloned().unwrap_or_default();
    }
    let events = body.lines().filter_map(|line| line.strip_prefix("data:"));
    let events = events.filter_map(|data| serde_json::from_str::<Value>(data).ok());
    events
        .filter(|event| event["type"] == "response.output_item.done")
        .map(|event| event["item"].clone())
        .collect()
}

/// An item without what says nothing: nulls, log-probabilities, which are for reading, and usual states.
fn meaning(item: &Value) -> Value {
    let mut item = item.clone();
    let members = item.as_object_mut().unwrap();
    let verbatim =
        !matches!(members["type"].as_str(), Some("message" | "function_call" | "custom_tool_call"));
    if verbatim {
        return item;
    }
    members.retain(|name, value| !(value.is_null() || name == "status" && value == "completed"));
    if let Some(arguments) = members.get_mut("arguments").filter(|arguments| *arguments == "") {
        *arguments = "{}".into();
    }
    for block in members.get_mut("content").and_then(Value::as_array_mut).into_iter().flatten() {
        let block = block.as_object_mut().unwrap();
        block.remove("logprobs");
        if block["type"] == "output_text" {
            block.entry("annotations").or_insert_with(|| json!([]));
        }
    }
    item
}

/// What is expected of an exchange.
fn expectation(exchange: &common::Exchange) -> Value {
    let mut expect = exchange.data["expect"].clone();
    // xAI answers a wrong key with 400; the body says what it is.
    if exchange.provider == "xai" && expect["message"].to_string().contains("Incorrect API key") {
        expect["error_kind"] = "authentication".into();
    }
    expect
}

#[test]
fn recorded_answers_come_out_as_they_were_meant() {
    let Some(exchanges) = common::exchanges() else {
        return;
    };
    let (mut failed, mut streamed, mut items) = (Vec::new(), 0, 0);
    for exchange in &exchanges {
        let whole = play(exchange, 0);
        for seed in 1..=CUTS {
            assert_eq!(play(exchange, seed), whole, "{}: cut with seed {seed}", exchange.name);
        }
        let mut found = whole.differences(&expectation(exchange));
        streamed += u32::from(exchange.data["response"]["streaming"] == true);
        if exchange.data["expect"]["kind"] == "message" {
            let back: Vec<Value> = sent_back(&whole).iter().map(meaning).collect();
            let want: Vec<Value> = written(exchange).iter().map(meaning).collect();
            items += want.len();
            if back != want {
                found.push(format!("sent back:\n  want {}\n  got  {}", json!(want), json!(back)));
            }
        }
        if !found.is_empty() {
            failed.push(format!("{}\n    {}", exchange.name, found.join("\n    ")));
        }
    }
    eprintln!(
        "{} recorded answers, {streamed} streamed, each whole and cut in {CUTS} ways; {items} items sent back; {} differ",
        exchanges.len(),
        failed.len()
    );
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// The items of the answer when it is part of the next request's history.
fn sent_back(outcome: &Outcome) -> Vec<Value> {
    let request = ChatRequest::new("m", vec![outcome.message(), Message::text(Role::User, "?")]);
    let ctx = Context {
        instance: "openai".into(),
        base_url: "https://api.example.com/v1".into(),
        settings: "{}".into(),
        credentials: Vec::new(),
    };
    let mut warnings = Vec::new();
    let made = body(&ctx, &request, &common::quirks("openai"), &mut warnings).unwrap();
    assert_eq!(warnings, [""; 0]);
    let mut items = made["input"].as_array().unwrap().clone();
    items.pop();
    items
}

#[test]
fn a_stream_that_is_cut_short_is_a_failure() {
    let Some(exchanges) = common::exchanges() else {
        return;
    };
    let mut checked = 0;
    for exchange in exchanges.iter().filter(|exchange| exchange.data["response"]["streaming"] == true) {
        let body = exchange.data["response"]["body_text"].as_str().unwrap();
        let Some(end) = ["response.completed", "response.incomplete"]
            .iter()
            .filter_map(|kind| {
                body.find(&format!("event: {kind}")).or_else(|| body.find(&format!("\"type\":\"{kind}\"")))
            })
            .min()
        else {
            continue;
        };
        let start = body[..end].rfind("\n\n").unwrap_or(0);
        let response = Response {
            status: 200,
            headers: vec![("content-type".into(), "text/event-stream".into())],
            body: Cut { rest: &body.as_bytes()[..start], state: 1, longest: 99 },
        };
        let mut decoder = ResponsesDecoder::new("m");
        let mut events = Events::default();
        let failure = decode(response, &mut decoder, &mut events, &error_from_response).unwrap_err();
        assert!(failure.message.contains("response.completed"), "{}: {failure:?}", exchange.name);
        assert!(!events.pending.iter().any(|event| matches!(event, Event::Usage(_))));
        checked += 1;
    }
    assert!(checked > 0);
    eprintln!("{checked} recorded streams cut before their end");
}
