//! `cargo xtask`: the usual way to build, run and test, which adds what is missing on the machine.

use anyhow::{Context, Result, anyhow, bail};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

mod fuzz;
mod test;
mod wasm;

const HELP: &str = "\
Usage: cargo xtask COMMAND

  chat [ARGUMENTS]   build aimu-host and run `aimu-host chat ARGUMENTS`; without any, say hello to `echo`
  test [ARGUMENTS]   build everything and run all tests; ARGUMENTS are those of `cargo test`, and
                     `--live NAME`: ask a model that is really there too, by a provider (`anthropic`, with its
                     key in the environment; `ollama`, with its server running) or a model (`ollama:qwen3:8b`);
                     may be given several times, or several names with commas
  bench [ARGUMENTS]  run the benchmarks; ARGUMENTS are those of the benchmark
  fuzz [TARGET…] [--seconds N | --runs N]
                     fuzz what takes hostile bytes, each target for N seconds (60) or with N inputs that are the same
                     each time; wants a nightly toolchain
                     and cargo-fuzz, and says how to get them
  build              build aimu-host, with the providers that come with it
";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let command = arguments.next().unwrap_or_default();
    let rest: Vec<String> = arguments.collect();
    let outcome = match command.as_str() {
        "chat" => chat(&rest),
        "test" => test::run(&rest),
        "fuzz" => fuzz::run(&rest),
        "bench" => {
            ready().and_then(|()| replace(cargo(&["bench", "--package", "aimu-host", "--"]).args(&rest)))
        }
        "build" => {
            ready().and_then(|()| replace(&mut cargo(&["build", "--release", "--package", "aimu-host"])))
        }
        "" | "help" | "--help" | "-h" => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        other => {
            eprint!("cargo xtask: there is no command {other:?}\n\n{HELP}");
            return ExitCode::from(2);
        }
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("cargo xtask: {error:#}");
        ExitCode::FAILURE
    })
}

fn chat(arguments: &[String]) -> Result<ExitCode> {
    ready()?;
    let mut command =
        cargo(&["run", "--release", "--package", "aimu-host", "--bin", "aimu-host", "--", "chat"]);
    if arguments.is_empty() {
        command.args(["echo:echo", "Hello from a sandboxed component"]);
    }
    replace(command.args(arguments))
}

/// Adds the wasm target where it is missing.
fn ready() -> Result<()> {
    if wasm::missing_target().is_none() {
        return Ok(());
    }
    eprintln!("The target {} is missing; adding it with rustup.", wasm::TARGET);
    // In the workspace, so that rustup takes the toolchain that builds it.
    let added =
        Command::new("rustup").args(["target", "add", wasm::TARGET]).current_dir(workspace()?).status();
    match added {
        Ok(status) if status.success() => {}
        Ok(status) => bail!("`rustup target add {}` failed ({status})", wasm::TARGET),
        Err(error) => bail!(
            "the target {} is missing, and rustup can't be run to add it ({error}); install the standard library \
             for that target with what installed Rust (a package `libstd-rust-dev-wasm32` or the like), or use rustup",
            wasm::TARGET
        ),
    }
    wasm::missing_target().map_or(Ok(()), |remedy| {
        Err(anyhow!(
            "{remedy} (rustup has added it to a toolchain other than the one in use: `rustup show` tells)"
        ))
    })
}

/// A cargo command without what the cargo around this program has set: some build scripts (ring's) look at the
/// package's variables, and would run again at every change between `cargo xtask` and plain `cargo`.
fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(wasm::cargo());
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    command.args(arguments);
    command
}

/// Runs a command in the place of this one, so that it has the terminal and its signals to itself.
fn replace(command: &mut Command) -> Result<ExitCode> {
    #[cfg(unix)]
    {
        let error = std::os::unix::process::CommandExt::exec(command);
        Err(error).context("cargo could not be started")
    }
    #[cfg(not(unix))]
    {
        let status = command.status().context("cargo could not be started")?;
        Ok(status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from))
    }
}

/// The root of the workspace.
fn workspace() -> Result<PathBuf> {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_owned).context("xtask lies in a workspace")
}

/// The target folder that this program was built into.
fn target_dir() -> Result<PathBuf> {
    let program = std::env::current_exe()?;
    program.ancestors().nth(2).map(Path::to_owned).context("xtask is run from a target folder")
}
