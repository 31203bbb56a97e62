//! What the end-to-end tests share: the program in a home of its own, test guests, servers.
//!
//! Everything is real: the built binary, components compiled for the sandbox, sockets on the loopback interface.
#![allow(
    dead_code,
    unused_imports,
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic
)]

pub mod canary;
pub mod event_stream;
pub mod program;
pub mod server;
pub mod terminal;
pub mod wires;

#[path = "../../xtask/src/wasm.rs"]
mod wasm;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

pub use program::Home;

/// The root of the workspace.
pub fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// The target folder's `components`, which first-party providers are built in too.
fn components() -> PathBuf {
    let program = Path::new(env!("CARGO_BIN_EXE_aimu-host"));
    program.ancestors().nth(2).unwrap().join("components")
}

/// The component of a test guest: an example of `tests/guests`, by its file's name.
///
/// Guests are built when the first is asked for; nothing happens when they are up to date. Cargo's own lock keeps
/// several test programs apart.
pub fn guest(name: &str) -> PathBuf {
    static GUESTS: LazyLock<PathBuf> = LazyLock::new(|| {
        let arguments = ["--quiet", "--package", "test-guests", "--examples"];
        wasm::build(workspace(), &components(), arguments).unwrap().join("examples")
    });
    let path = GUESTS.join(format!("{name}.wasm"));
    assert!(path.is_file(), "there is no guest {name}: {} is missing", path.display());
    path
}

/// A component of `plugins/` that does not come with the program, by its package's name.
pub fn example(package: &str) -> PathBuf {
    static EXAMPLES: LazyLock<PathBuf> = LazyLock::new(|| {
        let packages = ["aimu-tool-calculator", "aimu-tool-fetch"].map(|name| ["--package", name]);
        wasm::build(workspace(), &components(), ["--quiet", "--lib"].iter().chain(packages.iter().flatten()))
            .unwrap()
    });
    EXAMPLES.join(format!("{}.wasm", package.replace('-', "_")))
}

/// The bytes of a guest with something behind them that changes nothing but the digest: a section of no meaning.
pub fn changed(guest_name: &str, note: u8) -> Vec<u8> {
    let mut bytes = std::fs::read(guest(guest_name)).unwrap();
    bytes.extend([0, 3, 1, b'x', note]);
    bytes
}

/// Says that a test can't run here. Past the capture of the test runner, which shows only what fails, and as a line
/// that `cargo xtask test` lists at its end.
pub fn skip(test: &str, reason: &str) {
    let mut stderr = std::io::stderr();
    writeln!(stderr, "SKIPPED {test}: {reason}").unwrap();
}
