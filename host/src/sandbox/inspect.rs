//! What a component is, read from its bytes before anything of it is compiled or run.

use super::contract::{PACKAGE, TOOL_PACKAGE, TOOL_VERSION, VERSION, package_of};
use super::digest::Digest;
use crate::model::{Failure, FailureKind, Kind, Result};
use serde::{Deserialize, Serialize};
use wasmtime::wasmparser::{Encoding, Parser, Payload};

/// What a component's bytes say of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inspection {
    /// SHA-256 of the bytes, hexadecimal.
    pub digest: String,
    /// Bytes.
    pub size: usize,
    /// The version of the contract that it is made for: of providers, or of tools.
    pub contract: String,
    /// The interfaces that it imports.
    pub imports: Vec<String>,
    /// The interfaces that it exports.
    pub exports: Vec<String>,
}

impl Inspection {
    /// What it answers, by the interfaces that it exports.
    #[must_use]
    pub fn kinds(&self) -> Vec<Kind> {
        let exported = |kind: &Kind| exports(&self.exports, package_of(*kind), kind.as_str());
        Kind::ALL.into_iter().filter(exported).collect()
    }
}

/// Whether an interface of a contract is among the exports, in whatever version.
fn exports(exports: &[String], package: &str, interface: &str) -> bool {
    let wanted = format!("{package}/{interface}@");
    exports.iter().any(|export| export.starts_with(&wanted))
}

/// WASI packages that are linked, all of them inert but `io`, `clocks`, `random` and `http`.
const WASI: [&str; 7] = ["cli", "clocks", "filesystem", "http", "io", "random", "sockets"];

/// Reads what a component is, without compiling it.
///
/// # Errors
/// The bytes are not a component, or one of another contract: the message says what they are and what to do.
pub fn inspect(bytes: &[u8]) -> Result<Inspection> {
    let (imports, exports) = names(bytes)?;
    let has = |package: &str| exports.iter().any(|export| in_package(export, package));
    let contract = match (has(TOOL_PACKAGE), has(PACKAGE)) {
        (true, true) => {
            return Err(unfit(format!(
                "it exports both `{TOOL_PACKAGE}` and `{PACKAGE}`, and a component is a provider or has tools: make two of it"
            )));
        }
        (true, false) => {
            // The data that it shares with providers.
            if let Some(version) = version_in(&imports, PACKAGE) {
                check_version(PACKAGE, version, VERSION)?;
            }
            tools(&exports)?
        }
        (false, _) => provider(&imports, &exports)?,
    };
    for import in &imports {
        check_import(import)?;
    }
    Ok(Inspection { digest: Digest::of(bytes).to_string(), size: bytes.len(), contract, imports, exports })
}

/// The contract of a component that has something of the package of tools.
fn tools(exports: &[String]) -> Result<String> {
    let version = version_in(exports, TOOL_PACKAGE).unwrap_or_default();
    check_version(TOOL_PACKAGE, version, TOOL_VERSION)?;
    if !self::exports(exports, TOOL_PACKAGE, Kind::Tools.as_str()) {
        return Err(unfit(format!(
            "it does not export `{TOOL_PACKAGE}/{}@{version}`, which a component of tools must; build it for the world \
             `tool` of `{TOOL_PACKAGE}@{TOOL_VERSION}`",
            Kind::Tools
        )));
    }
    Ok(version.to_owned())
}

/// The contract of a component that can only be a provider.
fn provider(imports: &[String], exports: &[String]) -> Result<String> {
    let version = version_in(exports, PACKAGE).or_else(|| version_in(imports, PACKAGE)).ok_or_else(|| {
        unfit(format!(
            "it is a component, but not a provider, and has no tools: it has nothing of `{PACKAGE}` or \
                 `{TOOL_PACKAGE}`; this host speaks `{PACKAGE}@{VERSION}` and `{TOOL_PACKAGE}@{TOOL_VERSION}`"
        ))
    })?;
    check_version(PACKAGE, version, VERSION)?;
    let has = |interface: &str| self::exports(exports, PACKAGE, interface);
    // A provider says who it is, and has models of some kind. What it can do beside them is optional.
    let lacks = if !has("catalog") {
        Some("catalog")
    } else if ![Kind::Text, Kind::Embedding].iter().any(|kind| has(kind.as_str())) {
        Some("text")
    } else {
        None
    };
    if let Some(interface) = lacks {
        return Err(unfit(format!(
            "it does not export `{PACKAGE}/{interface}@{version}`, which a provider must; build it for the world `provider` \
             of `{PACKAGE}@{VERSION}`"
        )));
    }
    Ok(version.to_owned())
}

fn unfit(message: impl Into<String>) -> Failure {
    Failure::new(FailureKind::Unsupported, message)
}

/// The names of what a component imports and exports.
fn names(bytes: &[u8]) -> Result<(Vec<String>, Vec<String>)> {
    if bytes.get(..4) != Some(b"\0asm") {
        return Err(unfit("it is not WebAssembly: a plugin is a component, a `.wasm` file"));
    }
    let damaged = |error: &dyn std::fmt::Display| {
        unfit(format!("it is damaged or cut off ({error}); copy or build it again"))
    };
    let (mut imports, mut exports) = (Vec::new(), Vec::new());
    let mut depth = 0_usize;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.map_err(|error| damaged(&error))? {
            Payload::Version { encoding: Encoding::Module, .. } if depth == 0 => {
                return Err(unfit(
                    "it is a core WebAssembly module, not a component: build it for `wasm32-wasip2`, or make it one \
                     with `wasm-tools component new`",
                ));
            }
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(section) if depth == 0 => {
                for import in section {
                    imports.push(import.map_err(|error| damaged(&error))?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) if depth == 0 => {
                for export in section {
                    exports.push(export.map_err(|error| damaged(&error))?.name.name.to_owned());
                }
            }
            _ => {}
        }
    }
    Ok((imports, exports))
}

/// Whether an interface is of a package.
fn in_package(name: &str, package: &str) -> bool {
    name.strip_prefix(package).is_some_and(|rest| rest.starts_with('/'))
}

/// The version of a package, from any name of it.
fn version_in<'a>(names: &'a [String], package: &str) -> Option<&'a str> {
    let name = names.iter().find(|name| in_package(name, package) && name.contains('@'))?;
    name.split_once('@').map(|(_, version)| version)
}

fn check_version(package: &str, version: &str, ours: &str) -> Result<()> {
    if compatible(version, ours) {
        return Ok(());
    }
    if version.is_empty() {
        return Err(unfit(format!(
            "it says no version of `{package}`, and this host speaks `{package}@{ours}`: build the plugin again with the SDK"
        )));
    }
    Err(unfit(format!(
        "it is made for `{package}@{version}`, and this host speaks `{package}@{ours}`: {remedy}",
        remedy = if newer(version, ours) {
            "update aimu-host, or get a build of the plugin for the older contract"
        } else {
            "build the plugin again with the SDK of this version, or get a newer build of it"
        }
    )))
}

fn check_import(name: &str) -> Result<()> {
    if in_package(name, PACKAGE) || in_package(name, TOOL_PACKAGE) {
        return Ok(());
    }
    if let Some(wasi) = name.strip_prefix("wasi:") {
        let (package, rest) = wasi.split_once('/').unwrap_or((wasi, ""));
        let version = rest.split_once('@').map_or("", |(_, version)| version);
        if WASI.contains(&package) && compatible(version, "0.2.0") {
            return Ok(());
        }
    }
    Err(unfit(format!(
        "it imports `{name}`, which this host does not have: a component may import `{PACKAGE}` and WASI 0.2 ({})",
        WASI.map(|package| format!("wasi:{package}")).join(", ")
    )))
}

/// Numbers of a version, without what stands behind a `-` or `+`.
fn numbers(version: &str) -> [u64; 3] {
    let core = version.split(['-', '+']).next().unwrap_or_default();
    let mut parts = core.split('.').map(|part| part.parse().unwrap_or(u64::MAX));
    [(); 3].map(|()| parts.next().unwrap_or(0))
}

/// Semver compatibility, as the component linker has it: below 1.0 the minor number counts.
fn compatible(version: &str, ours: &str) -> bool {
    let ([a, b, _], [x, y, _]) = (numbers(version), numbers(ours));
    a == x && (a > 0 || b == y)
}

fn newer(version: &str, ours: &str) -> bool {
    numbers(version) > numbers(ours)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_the_linker_does() {
        assert!(compatible("0.1.7", "0.1.0"));
        assert!(!compatible("0.2.0", "0.1.0"));
        assert!(!compatible("1.0.0", "0.1.0"));
        assert!(!compatible("", "0.1.0"));
        assert!(newer("0.2.0", "0.1.0") && !newer("0.0.9", "0.1.0"));
    }

    #[test]
    fn imports_outside_the_contract_are_named() {
        assert!(check_import("wasi:http/types@0.2.3").is_ok());
        assert!(check_import("wasi:http/types@0.3.0").unwrap_err().message.contains("wasi:http/types@0.3.0"));
        assert!(check_import("wasi:keyvalue/store@0.2.0").is_err());
        assert!(check_import("acme:gpu/run@1.0.0").is_err());
    }

    #[test]
    fn what_is_no_component_is_said_to_be_what_it_is() {
        assert!(inspect(b"#!/bin/sh").unwrap_err().message.contains("not WebAssembly"));
        assert!(inspect(b"\0asm\x01\0\0\0").unwrap_err().message.contains("core WebAssembly module"));
        assert!(inspect(b"\0asm\x0d\0\x01\0").unwrap_err().message.contains("not a provider"));
        assert!(inspect(b"\0asm\x0d\0\x01\0").unwrap_err().message.contains("aimu:tool"));
        assert!(inspect(b"\0asm\x0d\0\x01\0\x07").unwrap_err().message.contains("damaged or cut off"));
    }

    /// A component that exports interfaces of these names, with nothing in them.
    fn exporting(names: &[&str]) -> Vec<u8> {
        let count = |items: usize| u8::try_from(items).unwrap();
        let mut exports = vec![count(names.len())];
        for name in names {
            exports.extend([0, count(name.len())]);
            exports.extend(name.bytes());
            // The first instance, without a type.
            exports.extend([5, 0, 0]);
        }
        let mut bytes = b"\0asm\x0d\0\x01\0".to_vec();
        bytes.extend([5, 3, 1, 1, 0]);
        bytes.extend([11, count(exports.len())]);
        bytes.extend(exports);
        bytes
    }

    #[test]
    fn tools_are_told_from_providers_by_what_is_exported() {
        let tools = inspect(&exporting(&["aimu:tool/tools@0.1.3"])).unwrap();
        assert_eq!((tools.kinds(), &*tools.contract), (vec![Kind::Tools], "0.1.3"));
        let provider = inspect(&exporting(&["aimu:provider/catalog@0.1.0", "aimu:provider/text@0.1.0"]));
        assert_eq!(provider.unwrap().kinds(), [Kind::Text]);
        for (names, word) in [
            (&["aimu:tool/tools@0.2.0"][..], "`aimu:tool@0.2.0`, and this host speaks `aimu:tool@0.1.0`"),
            (&["aimu:tool/tools"], "build the plugin again"),
            (&["aimu:tool/other@0.1.0"], "does not export `aimu:tool/tools@0.1.0`"),
            (&["aimu:tools/tools@0.1.0"], "not a provider, and has no tools"),
            (&["aimu:tool/tools@0.1.0", "aimu:provider/text@0.1.0"], "exports both"),
        ] {
            let failure = inspect(&exporting(names)).unwrap_err();
            assert!(failure.message.contains(word), "{names:?}: {failure}");
        }
    }
}
