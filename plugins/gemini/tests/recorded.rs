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

use aimu_plugin_gemini::answer::Answer;
use aimu_plugin_gemini::{errors, request};
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

/// The parts of the answer when it is part of the next request's history.
fn sent_back(outcome: &Outcome) -> Vec<Value> {
    let question = Message::text(Role::User, "?");
    let request = ChatRequest::new("gemini-2.5-flash", vec![outcome.message(), question]);
    let body = request::body(&request, request::Service::Gemini).unwrap().body;
    match &body["contents"][0] {
        first if first["role"] == "model" => joined(first["parts"].as_array().unwrap()),
        _ => Vec::new(),
    }
}

/// The parts of the answer as the model wrote them.
fn written(body: &str, streamed: bool) -> Vec<Value> {
    let answers: Vec<Value> = if streamed {
        body.lines().filter_map(|line| serde_json::from_str(line.strip_prefix("data:")?).ok()).collect()
    } else {
        vec![serde_json::from_str(body).unwrap()]
    };
    let parts: Vec<Value> = answers
        .iter()
        .filter_map(|answer| answer["candidates"][0]["content"]["parts"].as_array())
        .flatten()
        .cloned()
        .collect();
    joined(&parts)
}

/// Without what says nothing, and with neighbours as one that a stream had cut. Signed parts stay alone.
fn joined(parts: &[Value]) -> Vec<Value> {
    let mut joined: Vec<Value> = Vec::new();
    let plain = |part: &Value| part.get("text").is_some() && part.get("thoughtSignature").is_none();
    for part in parts.iter().filter(|part| !plain(part) || part["text"] != "") {
        match joined.last_mut() {
            Some(last) if plain(last) && plain(part) && last.get("thought") == part.get("thought") => {
                let text = format!("{}{}", last["text"].as_str().unwrap(), part["text"].as_str().unwrap());
                last["text"] = text.into();
            }
            _ => joined.push(part.clone()),
        }
    }
    joined
}

#[test]
fn recorded_answers_come_out_as_expected() {
    let Some(folder) = cases() else {
        // Past the runner's capture, which shows only what fails; `cargo xtask test` lists such lines at its end.
        let mut stderr = std::io::stderr();
        writeln!(stderr, "SKIPPED recorded answers of gemini: no cases; set AIMU_CASES to their folder")
            .unwrap();
        return;
    };
    let mut paths = Vec::new();
    files(&folder, &mut paths);
    paths.sort();
    let (mut played, mut streamed, mut returned) = (0, 0, 0);
    let mut wrong = BTreeMap::new();
    for path in paths {
        let case: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        for (number, exchange) in case["exchanges"].as_array().unwrap().iter().enumerate() {
            if exchange["api"] != "generate-content" {
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
            if exchange["expect"]["kind"] == "message" {
                let body = exchange["response"]["body_text"].as_str().unwrap();
                let written = written(body, exchange["response"]["streaming"] == true);
                assert_eq!(sent_back(&first), written, "{} {number}: the answer, sent back", path.display());
                returned += written.len();
            }
            played += 1;
            streamed += u32::from(exchange["response"]["streaming"] == true);
        }
    }
    let differ = wrong.len();
    println!(
        "{played} exchanges, {streamed} streamed, {returned} parts went back unchanged, {differ} differ"
    );
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(played > 0, "no case of the API in {}", folder.display());
}
