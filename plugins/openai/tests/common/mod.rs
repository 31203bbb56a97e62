//! The recorded exchanges of the Responses API, and the settings of the server that each was recorded from.

use std::io::Write;
use std::path::{Path, PathBuf};

use aimu_plugin_openai::OpenAi;
use aimu_sdk::openai::{Api, Compatible, Quirks};
use serde_json::Value;

/// One recorded exchange.
pub(crate) struct Exchange {
    /// The case's id, with the exchange's number.
    pub(crate) name: String,
    /// The service that it was recorded from.
    pub(crate) provider: String,
    /// `request`, `response`, `input`, `expect`.
    pub(crate) data: Value,
}

/// All recorded exchanges; `None`, said aloud, where the recordings are not at hand.
pub(crate) fn exchanges() -> Option<Vec<Exchange>> {
    let folder = match std::env::var_os("AIMU_CASES") {
        Some(folder) => PathBuf::from(folder),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/cases"),
    };
    if !folder.is_dir() {
        // Past the runner's capture, which shows only what fails; `cargo xtask test` lists such lines at its end.
        let skipped = "SKIPPED recorded traffic of openai: no cases at";
        let mut stderr = std::io::stderr();
        writeln!(stderr, "{skipped} {}; set AIMU_CASES to their folder", folder.display()).unwrap();
        return None;
    }
    let mut files: Vec<PathBuf> = folders(&folder).iter().flat_map(|folder| folders(folder)).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    let mut found = Vec::new();
    for file in files {
        let mut case: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        let id = case["id"].as_str().unwrap().to_owned();
        let Value::Array(exchanges) = case["exchanges"].take() else { panic!("{id} has no exchanges") };
        for (number, data) in exchanges.into_iter().enumerate() {
            if data["api"] == "responses" {
                let provider = data["provider"].as_str().unwrap().to_owned();
                found.push(Exchange { name: format!("{id}@{number}"), provider, data });
            }
        }
    }
    Some(found)
}

fn folders(path: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(path).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path())).collect()
}

/// The quirks of the server behind a service's name.
pub(crate) fn quirks(provider: &str) -> Quirks {
    match provider {
        "openai" | "azure" | "chatgpt" | "bedrock-mantle" => OpenAi::quirks(),
        _ => Quirks { api: Api::Responses, ..Quirks::default() },
    }
}
