//! Builds the providers that come with the program, and embeds them.
//!
//! Every crate under `plugins/` is one, unless its manifest says `embed = false`. They are built into a target folder of their own, `components`, which all
//! profiles share. `embedded.rs` in the output folder lists name, bytes and digest of each.

use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::{env, fs};

#[path = "../xtask/src/wasm.rs"]
mod wasm;

/// A provider of our own.
struct Plugin {
    /// The name of its folder.
    name: String,
    package: String,
}

fn main() {
    if let Err(message) = embed() {
        println!("cargo::error={}", message.replace('\n', " "));
    }
}

fn embed() -> Result<(), String> {
    let workspace = PathBuf::from(variable("CARGO_MANIFEST_DIR")?).join("..");
    let workspace = workspace.canonicalize().map_err(|error| about(&workspace, &error))?;
    let out = PathBuf::from(variable("OUT_DIR")?);

    let plugins = find(&workspace.join("plugins"))?;
    // Not `plugins` itself: components that a user drops in there are nothing to build.
    for plugin in &plugins {
        watch(&workspace.join("plugins").join(&plugin.name));
    }
    for path in [
        "sdk/core/src",
        "sdk/core/Cargo.toml",
        "sdk/build.rs",
        "sdk/src",
        "sdk/Cargo.toml",
        "wit",
        "Cargo.toml",
        "Cargo.lock",
        "xtask/src/wasm.rs",
        "host/build.rs",
    ] {
        watch(&workspace.join(path));
    }

    let packages = plugins.iter().flat_map(|plugin| ["--package", &*plugin.package]);
    let built = wasm::build(&workspace, &target_dir(&out)?, packages.chain(["--lib"]))?;

    let mut list = String::from("pub(crate) static COMPONENTS: &[Embedded] = &[\n");
    for Plugin { name, package } in &plugins {
        let from = built.join(format!("{}.wasm", package.replace('-', "_")));
        let bytes = fs::read(&from).map_err(|error| about(&from, &error))?;
        // A copy, which no later build of another profile changes.
        let copy = out.join(format!("{name}.wasm"));
        fs::write(&copy, &bytes).map_err(|error| about(&copy, &error))?;
        let digest: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        list += &format!(
            "    Embedded {{ name: {name:?}, bytes: include_bytes!({copy:?}), sha256: {digest:?} }},\n"
        );
    }
    list += "];\n";
    let file = out.join("embedded.rs");
    fs::write(&file, list).map_err(|error| about(&file, &error))?;
    println!("cargo::rustc-env=AIMU_WASMTIME={}", engine(&workspace)?);
    Ok(())
}

/// The version of the engine, which does not say it itself.
fn engine(workspace: &Path) -> Result<String, String> {
    let file = workspace.join("Cargo.lock");
    let text = fs::read_to_string(&file).map_err(|error| about(&file, &error))?;
    let version =
        text.split_once("name = \"wasmtime\"\nversion = \"").and_then(|(_, rest)| rest.split_once('"'));
    version
        .map(|(version, _)| version.to_owned())
        .ok_or_else(|| format!("{}: no wasmtime in it", file.display()))
}

/// The crates under `plugins` that come with the program, by name.
fn find(folder: &Path) -> Result<Vec<Plugin>, String> {
    let mut found = Vec::new();
    for entry in folder.read_dir().map_err(|error| about(folder, &error))? {
        let entry = entry.map_err(|error| about(folder, &error))?;
        let manifest = entry.path().join("Cargo.toml");
        let Ok(text) = fs::read_to_string(&manifest) else {
            continue;
        };
        // Under `[package.metadata.aimu]`: an example to drop in.
        if text.lines().any(|line| line.trim() == "embed = false") {
            continue;
        }
        // The first `name` of a manifest is the package's.
        let package = text.lines().find_map(|line| {
            let (key, value) = line.split_once('=')?;
            (key.trim() == "name").then(|| value.trim().trim_matches('"').to_owned())
        });
        let package = package.ok_or_else(|| format!("{} names no package", manifest.display()))?;
        found.push(Plugin { name: entry.file_name().to_string_lossy().into_owned(), package });
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

/// `components` in the target folder that this build writes to: the output folder is `TARGET/PROFILE/build/…/out`.
fn target_dir(out: &Path) -> Result<PathBuf, String> {
    let build = out.ancestors().find(|folder| folder.file_name().is_some_and(|name| name == "build"));
    let target = build.and_then(|build| build.ancestors().nth(2));
    target
        .map(|target| target.join("components"))
        .ok_or_else(|| format!("{} is in no target folder", out.display()))
}

fn variable(name: &str) -> Result<String, String> {
    env::var(name).map_err(|error| format!("{name}: {error}"))
}

fn about(path: &Path, error: &std::io::Error) -> String {
    format!("{}: {error}", path.display())
}

fn watch(path: &Path) {
    println!("cargo::rerun-if-changed={}", path.display());
}
