//! Recorded traffic through the decoder: each body is cut at random places, and what comes out is compared with what
//! the case expects.
//!
//! The cases are not part of the project. They are found under `AIMU_CASES`, or in `shared/cases` beside the checkout;
//! without them the test says that it is skipped.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs)]

mod outcome;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use aimu_plugin_anthropic::answer::Answer;
use aimu_plugin_anthropic::{errors, request};
use aimu_sdk::http::{Body, Response};
use aimu_sdk::{ChatRequest, Events, Failure, Message, Role, exchange};
use serde_json::Value;

use outcome::Outcome;

/// Each case is cut in this many ways.
const CUTS: u64 = 8;

struct Chunks(std::vec::IntoIter<Vec<u8>>);

impl Body for Chunks {
    fn read(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        Ok(self.0.next())
    }
}

fn cases() -> Option<PathBuf> {
    let folder = match std::env::var_os("AIMU_CASES") {
        Some(folder) => PathBuf::from(folder),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/cases"),
    };
    folder.is_dir().then_some(folder)
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "json") {
            found.push(path);
        }
    }
}

/// A small generator: the same cuts in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % below.max(1)
    }
}

fn cut(body: &[u8], seed: u64) -> Vec<Vec<u8>> {
    if seed == 0 {
        return vec![body.to_vec()];
    }
    let mut dice = Dice(seed);
    // From single bytes to a few hundred.
    let longest = [1, 3, 17, 300][usize::try_from(seed % 4).unwrap()];
    let (mut chunks, mut rest) = (Vec::new(), body);
    while !rest.is_empty() {
        let (chunk, later) = rest.split_at((1 + dice.roll(longest)).min(rest.len()));
        chunks.push(chunk.to_vec());
        rest = later;
    }
    chunks
}

fn play(exchange: &Value, body: &[u8], seed: u64) -> Outcome {
    let response = exchange.get("response").unwrap();
    let headers = response.get("headers").and_then(Value::as_object).into_iter().flatten();
    let response = Response {
        status: u16::try_from(response["status"].as_u64().unwrap()).unwrap(),
        headers: headers
            .map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned()))
            .collect(),
        body: Chunks(cut(body, seed).into_iter()),
    };
    let mut answer = Answer::new("");
    let mut events = Events::default();
    let result = exchange::decode(response, &mut answer, &mut events, &errors::of_response);
    Outcome::of(&events.pending, result)
}

/// The blocks of the answer when it is part of the next request's history.
fn sent_back(outcome: &Outcome) -> Value {
    let question = Message::text(Role::User, "?");
    let request = ChatRequest::new("claude", vec![outcome.message(), question]);
    let body = request::body(&request).unwrap().body;
    match &body["messages"][0] {
        first if first["role"] == "assistant" => first["content"].clone(),
        _ => Value::Array(Vec::new()),
    }
}

/// The blocks of the answer as the provider wrote them, but for empty texts, which it would refuse, and empty members.
fn written(body: &[u8]) -> Value {
    let body: Value = serde_json::from_slice(body).unwrap();
    let mut blocks = body["content"].as_array().unwrap().clone();
    blocks.retain(|block| block["type"] != "text" || !block["text"].as_str().unwrap().trim().is_empty());
    for block in blocks.iter_mut().filter_map(Value::as_object_mut) {
        block.retain(|name, value| {
            !(name == "citations" && (value.is_null() || *value == Value::Array(Vec::new())))
        });
    }
    blocks.into()
}

#[test]
fn recorded_answers_come_out_as_expected() {
    let Some(folder) = cases() else {
        // Past the runner's capture, which shows only what fails; `cargo xtask test` lists such lines at its end.
        let mut stderr = std::io::stderr();
        writeln!(stderr, "SKIPPED recorded answers of anthropic: no cases; set AIMU_CASES to their folder")
            .unwrap();
        return;
    };
    let mut paths = Vec::new();
    files(&folder, &mut paths);
    paths.sort();
    let (mut played, mut streamed) = (0, 0);
    let mut wrong = BTreeMap::new();
    for path in paths {
        let case: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        for (number, exchange) in case["exchanges"].as_array().unwrap().iter().enumerate() {
            if exchange["api"] != "messages" {
                continue;
            }
            let body = exchange["response"]["body_text"].as_str().unwrap_or_default().as_bytes();
            let first = play(exchange, body, 0);
            for seed in 1..CUTS {
                let again = play(exchange, body, seed);
                assert_eq!(again, first, "{}: cut {seed}", path.display());
            }
            let differences = first.differences(&exchange["expect"]);
            if !differences.is_empty() {
                wrong.insert(format!("{} {number}", path.display()), differences);
            }
            if exchange["response"]["streaming"] == false && exchange["expect"]["kind"] == "message" {
                let path = path.display();
                assert_eq!(sent_back(&first), written(body), "{path} {number}: the answer, sent back");
            }
            played += 1;
            streamed += u32::from(exchange["response"]["streaming"] == true);
        }
    }
    println!("{played} exchanges, {streamed} streamed, {} differ", wrong.len());
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(played > 0, "no case of the API in {}", folder.display());
}
