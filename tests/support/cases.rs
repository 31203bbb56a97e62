//! Recorded traffic of real services: the cases, a server that replays them, and the comparison of an outcome with
//! what a case expects.

use super::server::{Connection, Request, Server};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// One exchange of a case: what was asked, what came, what must come out.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// `case@number`.
    pub id: String,
    pub provider: String,
    pub api: String,
    pub features: BTreeSet<String>,
    /// The recorded request, if it is known.
    pub request: Option<Value>,
    pub response: Value,
    /// What the caller asked: a request document.
    pub input: Value,
    pub expect: Value,
}

/// The folder of cases: `AIMU_CASES`, else `../shared/cases` beside the repository. `None` where it is missing.
pub fn folder() -> Option<PathBuf> {
    let named = std::env::var_os("AIMU_CASES").map(PathBuf::from);
    let folder = named.unwrap_or_else(|| super::workspace().join("../shared/cases"));
    folder.is_dir().then_some(folder)
}

/// All exchanges of one API that have an input, sorted by id.
pub fn load(folder: &Path, api: &str) -> Vec<Exchange> {
    let mut found = load_all(folder, api);
    found.retain(|exchange| exchange.input.is_object());
    found
}

/// All exchanges of one API, sorted by id.
pub fn load_all(folder: &Path, api: &str) -> Vec<Exchange> {
    let mut found = Vec::new();
    for provider in fs::read_dir(folder).unwrap() {
        let provider = provider.unwrap().path();
        if !provider.is_dir() {
            continue;
        }
        for file in fs::read_dir(provider).unwrap() {
            let path = file.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "json") {
                // Some bodies hold lone surrogates, which no Rust string can; such a case is left out.
                let Ok(case) = serde_json::from_slice::<Value>(&fs::read(&path).unwrap()) else {
                    continue;
                };
                found.extend(exchanges(&case, api));
            }
        }
    }
    found.sort_by(|a, b| a.id.cmp(&b.id));
    found
}

fn exchanges(case: &Value, api: &str) -> Vec<Exchange> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let list = case["exchanges"].as_array().into_iter().flatten().enumerate();
    list.filter(|(_, exchange)| exchange["api"] == api)
        .map(|(number, exchange)| Exchange {
            id: format!("{}@{number}", text(&case["id"])),
            provider: text(&exchange["provider"]),
            api: api.to_owned(),
            features: exchange["features"].as_array().into_iter().flatten().map(text).collect(),
            request: exchange["request"].as_object().map(|_| exchange["request"].clone()),
            response: exchange["response"].clone(),
            input: exchange["input"].clone(),
            expect: exchange["expect"].clone(),
        })
        .collect()
}

/// A server that gives the exchange's response to whoever asks its path. `seed` decides where the body is cut.
pub fn replay(exchange: &Exchange, seed: u64) -> Server {
    let exchange = Arc::new(exchange.clone());
    Server::start(move |request, connection| {
        if let Some(recorded) = &exchange.request
            && !same_path(recorded["url"].as_str().unwrap_or_default(), &request.path)
        {
            let message = format!("recorded was {}, asked is {}", recorded["url"], request.path);
            return connection.answer(
                404,
                &[],
                json!({ "error": { "message": message } }).to_string().as_bytes(),
            );
        }
        send(&exchange.response, connection, seed)
    })
}

fn send(response: &Value, connection: &mut Connection, seed: u64) -> std::io::Result<()> {
    // These describe the recorded framing, not this one.
    const FRAMING: [&str; 4] = ["content-length", "transfer-encoding", "connection", "content-encoding"];
    let status = u16::try_from(response["status"].as_u64().unwrap()).unwrap();
    let headers = response["headers"].as_object().unwrap();
    let headers: Vec<(&str, &str)> = headers
        .iter()
        .filter(|(name, _)| !FRAMING.contains(&name.to_ascii_lowercase().as_str()))
        .map(|(name, value)| (name.as_str(), value.as_str().unwrap_or_default()))
        .collect();
    let body = body(response);
    if response["streaming"] != true {
        return connection.answer(status, &headers, &body);
    }
    connection.head(status, &headers)?;
    for piece in pieces(&body, seed) {
        connection.chunk(piece)?;
    }
    connection.end()
}

fn body(response: &Value) -> Vec<u8> {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    match (&response["body_base64"], &response["body_text"]) {
        (Value::String(base64), _) => STANDARD.decode(base64).unwrap(),
        (_, text) => text.as_str().unwrap_or_default().as_bytes().to_vec(),
    }
}

/// The body cut at any byte, inside characters and line ends too: always in the same way for a seed.
fn pieces(body: &[u8], seed: u64) -> Vec<&[u8]> {
    let sizes: &[usize] =
        if body.len() < 20_000 { &[1, 2, 3, 5, 7, 13, 61, 251, 1021] } else { &[1, 17, 503, 4001, 16_001] };
    let mut state = seed;
    let mut rest = body;
    let mut pieces = Vec::new();
    while !rest.is_empty() {
        // A linear congruential generator: any will do here.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let size = sizes[(state >> 33) as usize % sizes.len()].min(rest.len());
        let (piece, more) = rest.split_at(size);
        pieces.push(piece);
        rest = more;
    }
    pieces
}

/// Whether the shorter path is the end of the longer, segment by segment.
fn same_path(url: &str, asked: &str) -> bool {
    let segments = |path: &str| -> Vec<String> {
        let path = path.split(['?', '#']).next().unwrap_or_default();
        let path = path.replace("%3A", ":").replace("%3a", ":").replace("%2F", "/").replace("%2f", "/");
        path.split('/').filter(|segment| !segment.is_empty()).rev().map(str::to_owned).collect()
    };
    let after_host =
        url.split_once("://").map_or(url, |(_, rest)| rest.split_once('/').map_or("", |(_, path)| path));
    let (recorded, asked) = (segments(after_host), segments(asked));
    let shorter = recorded.len().min(asked.len());
    shorter > 0 && recorded[..shorter] == asked[..shorter]
}

/// The differences between the recorded request's body and the one that was sent, as paths into it. Null members
/// count as absent. A finding to judge: the clients that were recorded send defaults of their own.
pub fn request_differences(exchange: &Exchange, sent: &Request) -> Vec<String> {
    let recorded = exchange.request.as_ref().map(|request| &request["body"]);
    let (Some(recorded), Ok(sent)) = (recorded, serde_json::from_slice(&sent.body)) else {
        return Vec::new();
    };
    if recorded.is_null() {
        return Vec::new();
    }
    let mut found = Vec::new();
    difference(recorded, &sent, "", &mut found);
    found
}

fn difference(want: &Value, got: &Value, at: &str, found: &mut Vec<String>) {
    match (want, got) {
        (Value::Object(want), Value::Object(got)) => {
            let names: BTreeSet<&String> = want.keys().chain(got.keys()).collect();
            for name in names {
                match (some(want, name), some(got, name)) {
                    (Some(want), Some(got)) => difference(want, got, &format!("{at}/{name}"), found),
                    (Some(_), None) => found.push(format!("missing {at}/{name}")),
                    (None, Some(_)) => found.push(format!("extra {at}/{name}")),
                    (None, None) => {}
                }
            }
        }
        (Value::Array(want), Value::Array(got)) if want.len() == got.len() => {
            for (want, got) in want.iter().zip(got) {
                difference(want, got, &format!("{at}/#"), found);
            }
        }
        _ if plain(want) == plain(got) => {}
        _ => found.push(format!("changed {at}")),
    }
}

fn some<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    object.get(name).filter(|value| !value.is_null())
}

/// `1.0` is `1`, and members have no order.
fn plain(value: &Value) -> Value {
    match value {
        Value::Number(number) => match number.as_f64() {
            Some(float) if float.fract() == 0.0 && float.abs() < 9e15 => json!(float as i64),
            _ => value.clone(),
        },
        Value::Array(items) => items.iter().map(plain).collect(),
        Value::Object(object) => {
            let mut members: Vec<_> =
                object.iter().map(|(name, value)| (name.clone(), plain(value))).collect();
            members.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(members.into_iter().collect())
        }
        _ => value.clone(),
    }
}

/// What a result of `--json` gets wrong.
pub fn compare(expect: &Value, got: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    let is_error = expect["kind"] == "error";
    let error = if is_error { expect } else { &expect["stream_error"] };
    if error.is_object() {
        let kinds = list(&error["error_kind_ok"]).unwrap_or_else(|| vec![&error["error_kind"]]);
        if !kinds.contains(&&got["error"]["kind"]) {
            wrong.push(format!("error: wanted {kinds:?}, got {}", got["error"]));
        }
    } else if got["error"].is_object() {
        wrong.push(format!("failed: {}", got["error"]));
    }
    if expect["kind"] == "message" {
        message(expect, got, &mut wrong);
    }
    wrong
}

fn list(value: &Value) -> Option<Vec<&Value>> {
    value.as_array().map(|items| items.iter().collect())
}

fn words(value: &Value) -> String {
    value.as_str().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
}

fn letters(value: &Value) -> String {
    value.as_str().unwrap_or_default().split_whitespace().collect()
}

fn message(expect: &Value, got: &Value, wrong: &mut Vec<String>) {
    let notes: Vec<&str> =
        expect["notes"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let noted = |word: &str| notes.iter().any(|note| note.contains(word));
    let mut differs = |what: &str, want: &Value, got: &Value| {
        let clip = |value: &Value| value.to_string().chars().take(200).collect::<String>();
        wrong.push(format!("{what}: wanted {}, got {}", clip(want), clip(got)));
    };

    if noted("<think>") {
        // Lifting thoughts out of the text is right, and so is leaving them where the server put them.
        let bare = |text: String| text.replace("<think>", "").replace("</think>", "");
        let together = format!("{} {}", words(&got["reasoning"]), words(&got["text"]));
        let want: String = bare(words(&expect["text"])).split_whitespace().collect();
        if want != together.split_whitespace().collect::<String>()
            && words(&expect["text"]) != words(&got["text"])
        {
            differs("text with thoughts", &expect["text"], &got["text"]);
        }
    } else {
        if words(&expect["text"]) != words(&got["text"]) {
            differs("text", &expect["text"], &got["text"]);
        }
        let told = !expect["reasoning"].as_str().unwrap_or_default().is_empty();
        if told && !noted("tool_plan") && letters(&expect["reasoning"]) != letters(&got["reasoning"]) {
            differs("reasoning", &expect["reasoning"], &got["reasoning"]);
        }
    }
    if words(&expect["refusal"]) != words(&got["refusal"]) {
        differs("refusal", &expect["refusal"], &got["refusal"]);
    }

    let want = calls(&expect["tool_calls"]);
    let have = calls(&got["tool_calls"]);
    // The length limit may cut a call in two: it may be dropped or given as it came.
    let (want, have) = if expect["finish"] == "length" {
        let whole: Vec<_> = want.into_iter().filter(|call| call.whole).collect();
        let have = have.into_iter().filter(|call| whole.iter().any(|want| want.same(call))).collect();
        (whole, have)
    } else {
        (want, have)
    };
    if want.len() != have.len() || !want.iter().zip(&have).all(|(want, have)| want.same(have)) {
        differs("tool calls", &expect["tool_calls"], &got["tool_calls"]);
    }

    // An error in the stream ends the answer as failed, whatever reason had come before.
    if !expect["finish"].is_null() && !got["error"].is_object() {
        let allowed = list(&expect["finish_ok"]).unwrap_or_else(|| vec![&expect["finish"]]);
        if !allowed.contains(&&got["finish"]) {
            differs("finish", &expect["finish"], &got["finish"]);
        }
    }
    for (want, have) in [
        ("input_total", "input"),
        ("output_total", "output"),
        ("reasoning", "reasoning"),
        ("cache_read", "cache_read"),
        ("cache_write", "cache_write"),
    ] {
        let (want, have) = (&expect["usage"][want], &got["usage"][have]);
        // Not given and zero say the same about parts of a total.
        let same = plain(want) == plain(have) || (want == 0 && have.is_null());
        if !want.is_null() && !same {
            differs(&format!("usage {want}"), &expect["usage"], &got["usage"]);
            break;
        }
    }
}

/// A tool call as both sides tell it.
struct Call<'a> {
    id: Option<&'a str>,
    name: &'a Value,
    arguments: Value,
    /// Its arguments are valid JSON.
    whole: bool,
}

fn calls(value: &Value) -> Vec<Call<'_>> {
    // Some servers send an empty call in every answer, which is none.
    let list = value.as_array().into_iter().flatten().filter(|call| call["name"] != "");
    list.map(|call| {
        let whole = !call["arguments"].is_null() && call.get("arguments_raw").is_none();
        let arguments = if call["arguments"].is_null() { &call["arguments_raw"] } else { &call["arguments"] };
        Call { id: call["id"].as_str(), name: &call["name"], arguments: plain(arguments), whole }
    })
    .collect()
}

impl Call<'_> {
    fn same(&self, got: &Call<'_>) -> bool {
        // Where the wire has no id, the host mints one.
        let id = self.id.is_none_or(|id| id.is_empty() || got.id == Some(id));
        id && self.name == got.name && self.arguments == got.arguments
    }
}
