//! Recorded traffic of real services: the cases, and a server that plays one exchange again.
//!
//! The cases are no part of the repository, so nothing here knows one by name; the folder's `README.md` describes the
//! format. Any folder of that format will do: `AIMU_CASES` names it.

use crate::support::server::{Connection, Server};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

/// How many files the folder holds that the declared counts are of.
const COUNTED_FILES: usize = 1841;

/// One exchange of a case: what was asked, what came, what must come out.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// `case@number`.
    pub id: String,
    pub provider: String,
    pub api: String,
    /// The recorded request, if it is known.
    pub request: Option<Value>,
    pub response: Value,
    /// What the caller asked: a request document.
    pub input: Value,
    /// The case says what was asked. Else the input is one that only fetches the answer.
    pub asked: bool,
    pub expect: Value,
}

/// All cases of a folder.
#[derive(Debug, Default)]
pub struct Cases {
    pub folder: PathBuf,
    /// Those that hold an answer, an error or a count, sorted by id.
    pub exchanges: Vec<Exchange>,
    /// Files that no JSON reader of this language takes: a lone surrogate is no character.
    pub unreadable: Vec<String>,
    /// The folder is the one that the declared counts are of. Another may hold more of everything.
    pub counted: bool,
}

/// The cases of `AIMU_CASES`, else of `../shared/cases` beside the repository. `None` where there are none.
pub fn cases() -> Option<&'static Cases> {
    static CASES: LazyLock<Option<Cases>> = LazyLock::new(|| {
        let named = std::env::var_os("AIMU_CASES").map(PathBuf::from);
        let usual = crate::support::workspace().join("../shared/cases");
        let folder = named.unwrap_or_else(|| usual.clone());
        folder.is_dir().then(|| load(folder, &usual))
    });
    CASES.as_ref()
}

fn load(folder: PathBuf, usual: &Path) -> Cases {
    let mut cases = Cases::default();
    let mut files = 0;
    for provider in fs::read_dir(&folder).unwrap() {
        let provider = provider.unwrap().path();
        if !provider.is_dir() {
            continue;
        }
        for file in fs::read_dir(provider).unwrap() {
            let path = file.unwrap().path();
            if path.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            files += 1;
            match serde_json::from_slice::<Value>(&fs::read(&path).unwrap()) {
                Ok(case) => cases.exchanges.extend(exchanges(&case)),
                Err(error) => cases.unreadable.push(format!("{}: {error}", path.display())),
            }
        }
    }
    cases.exchanges.sort_by(|a, b| a.id.cmp(&b.id));
    let same = |a: &Path, b: &Path| fs::canonicalize(a).ok() == fs::canonicalize(b).ok();
    cases.counted = files == COUNTED_FILES && same(&folder, usual);
    cases.folder = folder;
    cases
}

fn exchanges(case: &Value) -> Vec<Exchange> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let list = case["exchanges"].as_array().into_iter().flatten().enumerate();
    let replayed = |exchange: &Value| is_answer(exchange) || exchange["api"] == "count-tokens";
    list.filter(|(_, exchange)| exchange["input"].is_object() || replayed(exchange))
        .map(|(number, exchange)| Exchange {
            id: format!("{}@{number}", text(&case["id"])),
            provider: text(&exchange["provider"]),
            api: text(&exchange["api"]),
            request: exchange["request"].as_object().map(|_| exchange["request"].clone()),
            response: exchange["response"].clone(),
            input: if exchange["input"].is_object() { exchange["input"].clone() } else { any(exchange) },
            asked: exchange["input"].is_object(),
            expect: exchange["expect"].clone(),
        })
        .collect()
}

fn is_answer(exchange: &Value) -> bool {
    exchange["expect"]["kind"] == "message" || exchange["expect"]["kind"] == "error"
}

/// Where a case can't say what was asked, its answer can still be fetched by asking anything.
fn any(exchange: &Value) -> Value {
    let url = exchange["request"]["url"].as_str().unwrap_or_default();
    let in_path = url.split_once("/models/").and_then(|(_, rest)| rest.split([':', '/']).next());
    // Bedrock's ids hold colons and, as ARNs, slashes.
    let bedrock = url.split_once("/model/").and_then(|(_, rest)| rest.split('/').next());
    let bedrock = bedrock.map(|id| id.replace("%3A", ":").replace("%2F", "/"));
    let in_url = in_path.or(bedrock.as_deref());
    let body = &exchange["request"]["body"]["model"];
    let model = in_url.or(body.as_str()).or(exchange["expect"]["model"].as_str()).unwrap_or("unnamed");
    let streams = exchange["response"]["streaming"] == true;
    json!({"model": model, "stream": streams, "messages": [{"role": "user", "content": "?"}]})
}

impl Exchange {
    /// The recorded answer's bytes.
    pub fn body(&self) -> Vec<u8> {
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        match (&self.response["body_base64"], &self.response["body_text"]) {
            (Value::String(base64), _) => STANDARD.decode(base64).unwrap(),
            (_, text) => text.as_str().unwrap_or_default().as_bytes().to_vec(),
        }
    }

    /// Where the recorded request went.
    pub fn url(&self) -> &str {
        self.request.as_ref().and_then(|request| request["url"].as_str()).unwrap_or_default()
    }

    /// The same as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body()).into_owned()
    }

    /// More than one choice is asked for.
    pub fn asks_for_choices(&self) -> bool {
        self.input["options"]["n"].as_u64().is_some_and(|choices| choices > 1)
    }

    /// A number that is this exchange's own, in every run the same.
    pub fn seed(&self) -> u64 {
        // FNV-1a.
        let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        self.id.bytes().fold(0xcbf2_9ce4_8422_2325, step)
    }
}

/// How a body goes over the wire.
#[derive(Clone, Copy, Debug)]
pub enum Delivery {
    /// In one piece.
    Whole,
    /// In chunks that are cut anywhere, always in the same way for a seed.
    Cut(u64),
}

/// A server that gives the exchange's response to whoever asks its path: to the first as the first delivery says, and
/// so on.
pub fn replay(exchange: &Exchange, deliveries: Vec<Delivery>) -> Server {
    let exchange = Arc::new(exchange.clone());
    let asked = AtomicUsize::new(0);
    Server::start(move |request, connection| {
        if exchange.request.is_some() && !same_path(exchange.url(), &request.path) {
            let message = format!("recorded was {}, asked is {}", exchange.url(), request.path);
            let body = json!({ "error": { "message": message } }).to_string();
            return connection.answer(404, &[], body.as_bytes());
        }
        let turn = asked.fetch_add(1, Ordering::SeqCst);
        send(&exchange, connection, deliveries.get(turn).copied().unwrap_or(Delivery::Whole))
    })
}

fn send(exchange: &Exchange, connection: &mut Connection, delivery: Delivery) -> io::Result<()> {
    // These describe the recorded framing, not this one.
    const FRAMING: [&str; 4] = ["content-length", "transfer-encoding", "connection", "content-encoding"];
    let response = &exchange.response;
    let status = u16::try_from(response["status"].as_u64().unwrap()).unwrap();
    let headers = response["headers"].as_object().unwrap();
    let headers: Vec<(&str, &str)> = headers
        .iter()
        .filter(|(name, _)| !FRAMING.contains(&name.to_ascii_lowercase().as_str()))
        .map(|(name, value)| (name.as_str(), value.as_str().unwrap_or_default()))
        .collect();
    let body = exchange.body();
    match delivery {
        Delivery::Whole => connection.answer(status, &headers, &body),
        Delivery::Cut(seed) => {
            connection.head(status, &headers)?;
            for piece in pieces(&body, seed) {
                connection.chunk(piece)?;
            }
            connection.end()
        }
    }
}

/// The body cut at any byte, and inside characters and line ends more often than chance would.
fn pieces(body: &[u8], seed: u64) -> Vec<&[u8]> {
    let sizes: &[usize] =
        if body.len() < 20_000 { &[1, 2, 3, 5, 7, 13, 61, 251, 1021] } else { &[1, 17, 503, 4001, 16_001] };
    let mut state = seed;
    let mut roll = |sides: usize| {
        // A linear congruential generator: any will do here.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % sides
    };
    let mut cuts = BTreeSet::from([0, body.len()]);
    let mut place = 0;
    while place < body.len() {
        place += sizes[roll(sizes.len())];
        cuts.insert(place.min(body.len()));
    }
    for (place, pair) in body.windows(2).enumerate() {
        let inside = pair[1] & 0b1100_0000 == 0b1000_0000 || matches!(pair, b"\r\n" | b"\n\n");
        if inside && roll(3) == 0 {
            cuts.insert(place + 1);
        }
    }
    let cuts: Vec<usize> = cuts.into_iter().collect();
    cuts.windows(2).map(|ends| &body[ends[0]..ends[1]]).collect()
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
