//! Writes the schema of the settings without its white space: it lies in the memory of every running component.

use std::path::Path;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let from = "src/openai/settings.schema.json";
    println!("cargo::rerun-if-changed={from}");
    let schema: serde_json::Value = serde_json::from_slice(&fs::read(from)?)?;
    let out = env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?;
    fs::write(Path::new(&out).join("settings.schema.json"), schema.to_string())
}
