//! Requests made from the recorded cases' `input`, compared by meaning with what was recorded.
//!
//! Recorded clients spell members as protocol buffers do or as JSON does, and send defaults; each class of difference
//! that remains is declared here with its count.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs)]

mod document;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use aimu_plugin_gemini::request::{self, Service};
use serde_json::{Map, Value, json};

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

/// Members whose values are the caller's, not the API's.
const OPAQUE: [&str; 7] = [
    "args",
    "response",
    "parameters",
    "parametersJsonSchema",
    "responseJsonSchema",
    "responseSchema",
    "labels",
];

/// One spelling, without what stands for nothing.
fn normal(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(normal).collect(),
        Value::Object(members) => {
            let mut out = Map::new();
            for (name, value) in members {
                let name = camel(name);
                let default = value.is_null() || name == "thought" && value == false;
                if name == "data"
                    && let Some(data) = value.as_str()
                {
                    // One client writes the alphabet of URLs.
                    let data = data.replace('-', "+").replace('_', "/");
                    out.insert(name, data.trim_end_matches('=').into());
                } else if !default {
                    let value = if OPAQUE.contains(&name.as_str()) { number(value) } else { normal(value) };
                    out.insert(name, value);
                }
            }
            out.into()
        }
        other => number(other),
    }
}

/// 2.0 is 2.
fn number(value: &Value) -> Value {
    match value {
        Value::Number(n) if n.is_f64() => {
            let float = n.as_f64().unwrap();
            #[allow(clippy::cast_possible_truncation)]
            if float.fract() == 0.0 { json!(float as i64) } else { value.clone() }
        }
        Value::Array(items) => items.iter().map(number).collect(),
        Value::Object(members) => {
            members.iter().map(|(k, v)| (k.clone(), number(v))).collect::<Map<_, _>>().into()
        }
        other => other.clone(),
    }
}

fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let mut camel = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        camel.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        camel.push_str(letters.as_str());
    }
    camel
}

/// The tools as what they are, in order of their names: one entry may hold several.
fn tools(body: &Value) -> Vec<Value> {
    let mut tools = Vec::new();
    for (name, value) in
        body["tools"].as_array().into_iter().flatten().flat_map(|tool| tool.as_object().unwrap())
    {
        match value {
            Value::Array(declarations) => tools.extend(declarations.iter().map(|one| json!({ name: one }))),
            value => tools.push(json!({ name: value })),
        }
    }
    tools.sort_by_key(|tool| {
        let (kind, value) = tool.as_object().unwrap().iter().next().unwrap();
        (kind.clone(), value["name"].as_str().unwrap_or_default().to_owned())
    });
    tools
}

/// How many requests the declared counts are of.
const DECLARED_OF: usize = 375;

/// The classes of differences and their counts.
const DECLARED: [(&str, usize); 5] = [
    ("neighbours of one role are one turn or several", 31),
    ("schemas of parameters in the older member", 115),
    ("the input leaves it out", 6),
    ("the instruction has a role, which the API ignores", 163),
    ("the mode AUTO, which is the default, is said", 14),
];

/// Counts how often each declared class was met.
#[derive(Default)]
struct Classes(BTreeMap<&'static str, usize>);

impl Classes {
    fn count(&mut self, class: &'static str) {
        *self.0.entry(class).or_default() += 1;
    }

    /// A body in one form; what is only form is counted.
    fn settle(&mut self, body: &Value) -> Value {
        let mut body = normal(body);
        let members = body.as_object_mut().unwrap();
        if let Some(system) = members.get_mut("systemInstruction").and_then(Value::as_object_mut)
            && system.remove("role").is_some()
        {
            self.count("the instruction has a role, which the API ignores");
        }
        if members.get("safetySettings") == Some(&json!([])) {
            members.remove("safetySettings");
        }
        if members.get("generationConfig") == Some(&json!({})) {
            members.remove("generationConfig");
        }
        if members.get("toolConfig") == Some(&json!({"functionCallingConfig": {"mode": "AUTO"}})) {
            members.remove("toolConfig");
            self.count("the mode AUTO, which is the default, is said");
        }
        let contents = members["contents"].take();
        let mut turns: Vec<Value> = Vec::new();
        let mut joined = false;
        for turn in contents.as_array().unwrap() {
            match turns.last_mut() {
                Some(last) if last["role"] == turn["role"] => {
                    let parts = turn["parts"].as_array().unwrap().clone();
                    last["parts"].as_array_mut().unwrap().extend(parts);
                    joined = true;
                }
                _ => turns.push(turn.clone()),
            }
        }
        if joined {
            self.count("neighbours of one role are one turn or several");
        }
        let mut old = false;
        let mut list = tools(&Value::Object(members.clone()));
        for tool in &mut list {
            let Some(declaration) = tool.get_mut("functionDeclarations").and_then(Value::as_object_mut)
            else {
                continue;
            };
            if let Some(schema) = declaration.remove("parameters") {
                declaration.insert("parametersJsonSchema".into(), schema);
                old = true;
            }
        }
        if old {
            self.count("schemas of parameters in the older member");
        }
        members.insert("contents".into(), turns.into());
        members.remove("tools");
        if !list.is_empty() {
            members.insert("tools".into(), list.into());
        }
        body
    }
}

fn differences(path: &str, want: &Value, got: &Value, out: &mut Vec<String>) {
    match (want, got) {
        (Value::Object(a), Value::Object(b)) => {
            let names: std::collections::BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            for name in names {
                let null = &Value::Null;
                differences(
                    &format!("{path}.{name}"),
                    a.get(name).unwrap_or(null),
                    b.get(name).unwrap_or(null),
                    out,
                );
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (a, b) in a.iter().zip(b) {
                differences(&format!("{path}[]"), a, b, out);
            }
        }
        _ if want == got => {}
        _ => out.push(format!("{path}: want {want:.300}, got {got:.300}")),
    }
}

/// Recorded requests that their case's `input` does not say in full, by the path that it leaves out.
const UNSAID: [(&str, &str); 4] = [
    // The host refuses to ask for more than one answer.
    ("text-response-across-two-candidates-a1f3b5", ".generationConfig.candidateCount"),
    // The one function's name, in the spelling of protocol buffers, was not read.
    (
        "tool-choice-specific-add-raw-streaming-5a8b40",
        ".toolConfig.functionCallingConfig.allowedFunctionNames",
    ),
    // Two schemas were sent, of which the API took the other one.
    ("parameters-parameters-wins-f600fa", ".tools[].functionDeclarations.parametersJsonSchema"),
    // Images by address, without the type that was sent with it.
    ("test-multimodal-tool-return-matrix", ".contents[].parts[].fileData.mimeType"),
];

#[test]
fn recorded_requests_are_made() {
    let Some(folder) = cases() else {
        // Past the runner's capture, which shows only what fails; `cargo xtask test` lists such lines at its end.
        let mut stderr = std::io::stderr();
        writeln!(stderr, "SKIPPED recorded requests of gemini: no cases; set AIMU_CASES to their folder")
            .unwrap();
        return;
    };
    let mut classes = Classes::default();
    let mut wrong = BTreeMap::new();
    let mut made = 0;
    let mut paths = Vec::new();
    files(&folder, &mut paths);
    paths.sort();
    for path in paths {
        let case: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        for (number, exchange) in case["exchanges"].as_array().unwrap().iter().enumerate() {
            let (input, recorded) = (&exchange["input"], &exchange["request"]["body"]);
            if exchange["api"] != "generate-content" || input.is_null() || !recorded.is_object() {
                continue;
            }
            made += 1;
            let service = Service::of(exchange["request"]["url"].as_str().unwrap());
            let made = request::body(&document::request(input), service).unwrap().body;
            let want = classes.settle(recorded);
            let got = Classes::default().settle(&made);
            let mut found = Vec::new();
            differences("", &want, &got, &mut found);
            let file = path.file_name().unwrap().display().to_string();
            let unsaid = |difference: &String| {
                UNSAID.iter().any(|(name, path)| file.contains(name) && difference.starts_with(path))
            };
            if found.iter().any(unsaid) {
                classes.count("the input leaves it out");
            }
            found.retain(|difference| !unsaid(difference));
            if !found.is_empty() {
                wrong.insert(format!("{} {number}", path.file_name().unwrap().display()), found);
            }
        }
    }
    println!("{made} requests, {} differ; declared: {:#?}", wrong.len(), classes.0);
    assert!(wrong.is_empty(), "{wrong:#?}");
    // What is declared must not grow: nothing new hides behind it. Other folders may hold more of it.
    if made <= DECLARED_OF {
        assert_eq!(classes.0.keys().count(), DECLARED.len(), "a class that is not declared");
        for (class, most) in DECLARED {
            let count = classes.0.get(class).copied().unwrap_or_default();
            assert!(count <= most, "{class}: {count}, and {most} were declared");
        }
    }
    assert!(made > 0, "no case of the API in {}", folder.display());
}
