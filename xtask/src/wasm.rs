//! How components are built: one way for the host's build script, for `cargo xtask` and for the tests.
//!
//! Problem: a component is built by a cargo inside a cargo, and whatever reaches the inner one from outside (flags,
//! a wrapper, a profile override, a linker) breaks a wasm build, or makes it start over at each turn. Decision: the
//! inner build has a target folder of its own and an environment cleared of all that. Paths of the machine are
//! mapped away, so that they are not in what is shipped. Price: flags for components go into the profile, only.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What components are compiled for.
pub(crate) const TARGET: &str = "wasm32-wasip2";

/// The profile of the workspace that components are built with.
pub(crate) const PROFILE: &str = "component";

/// What says how packages are fetched; every other `CARGO…` variable says what is built.
const KEPT: [&str; 7] = [
    "CARGO_HOME",
    "CARGO_HTTP_",
    "CARGO_MAKEFLAGS",
    "CARGO_NET_",
    "CARGO_REGISTR",
    "CARGO_SOURCE_",
    "CARGO_TERM_",
];

/// Other variables that a build would see.
const FLAGS: [&str; 6] = [
    "CLIPPY_ARGS",
    "RUSTC_LINKER",
    "RUSTC_WORKSPACE_WRAPPER",
    "RUSTDOCFLAGS",
    "RUSTFLAGS",
    "RUSTC_BOOTSTRAP",
];

/// What to do where the target is missing; `None` where it is installed.
pub(crate) fn missing_target() -> Option<String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).args(["--print", "target-libdir", "--target", TARGET]).output();
    let installed = output.is_ok_and(|output| {
        output.status.success() && Path::new(String::from_utf8_lossy(&output.stdout).trim()).is_dir()
    });
    (!installed).then(|| {
        format!(
            "the target {TARGET} is not installed, and the providers that come with aimu-host are built for it; \
             add it with: rustup target add {TARGET}"
        )
    })
}

/// Runs `cargo build ARGUMENTS` for components, and names the folder that holds the results.
pub(crate) fn build<A: AsRef<OsStr>>(
    workspace: &Path,
    target_dir: &Path,
    arguments: impl IntoIterator<Item = A>,
) -> Result<PathBuf, String> {
    if let Some(remedy) = missing_target() {
        return Err(remedy);
    }
    let mut command = Command::new(cargo());
    command.arg("build").args(["--locked", "--profile", PROFILE, "--target", TARGET, "--target-dir"]);
    command.arg(target_dir).args(arguments).current_dir(workspace).stdin(Stdio::null());
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        let cargos = text.starts_with("CARGO") && !KEPT.iter().any(|kept| text.starts_with(kept));
        if cargos || FLAGS.contains(&&*text) {
            command.env_remove(&name);
        }
    }
    // Set, though perhaps empty, it also keeps out flags from a configuration file.
    command.env("CARGO_ENCODED_RUSTFLAGS", flags(workspace));
    match command.status() {
        Ok(status) if status.success() => Ok(target_dir.join(TARGET).join(PROFILE)),
        Ok(status) => Err(format!("the components could not be built ({status}); cargo says why above")),
        Err(error) => Err(format!("cargo could not be started: {error}")),
    }
}

/// The cargo that runs this, else the one on the path.
pub(crate) fn cargo() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// The compiler's flags. They map the machine's paths, which panic messages carry, to names that are the same
/// everywhere.
fn flags(workspace: &Path) -> OsString {
    let home = std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::home_dir().map(|home| home.join(".cargo")));
    let sources = home.and_then(|home| home.join("registry/src").read_dir().ok());
    let mut sources: Vec<PathBuf> =
        sources.into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    sources.sort();
    // Every engine of the component model has it; finding line ends with it is several times faster.
    let mut flags = OsString::from("-Ctarget-feature=+simd128");
    let names =
        std::iter::once((workspace, "/aimu-host")).chain(sources.iter().map(|path| (&**path, "/crates")));
    for (path, name) in names {
        flags.push("\x1f--remap-path-prefix=");
        flags.push(path);
        flags.push("=");
        flags.push(name);
    }
    flags
}
