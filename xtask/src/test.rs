//! `cargo xtask test`: every test of the workspace, and at the end what was replayed of recorded traffic, and what was
//! skipped, by name. `--live NAME` has the tests ask real models, too.

use crate::{cargo, ready, target_dir, wasm, workspace};
use anyhow::{Context, Result, anyhow, bail};
use std::io::{BufRead, BufReader, IsTerminal, Read, Write};
use std::process::{ExitCode, Stdio};
use std::thread;

/// A test that can't run here says so with a line that starts with this.
const SKIPPED: &str = "SKIPPED ";

/// What a replay of recorded traffic came to is said with a line that starts with this.
const REPLAYED: &str = "REPLAYED ";

/// Names the providers and models that live tests ask, one a line: see `tests/live.rs`.
const LIVE: &str = "AIMU_LIVE";

/// What the output of the tests says.
#[derive(Default)]
struct Tally {
    passed: u64,
    failed: u64,
    skipped: Vec<String>,
    replayed: Vec<String>,
}

pub(crate) fn run(arguments: &[String]) -> Result<ExitCode> {
    let (arguments, live) = split_live(arguments)?;
    ready()?;
    let target = target_dir()?.join("components");
    wasm::build(&workspace()?, &target, ["--package", "test-guests", "--examples"])
        .map_err(|error| anyhow!("{error}"))?;

    // Guests are programs for the sandbox only; everything else has tests that run natively.
    let mut command =
        cargo(&["test", "--release", "--workspace", "--exclude", "test-guests", "--no-fail-fast"]);
    if !live.is_empty() {
        command.env(LIVE, live.join("\n"));
    }
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    if std::io::stderr().is_terminal() {
        command.env("CARGO_TERM_COLOR", "always");
    }
    let mut child = command.spawn().context("cargo could not be started")?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let errors = thread::spawn(|| pass_on(stderr, std::io::stderr()));
    let mut tally = pass_on(stdout, std::io::stdout());
    let other = errors.join().map_err(|_| anyhow!("the reader of standard error failed"))?;
    tally.skipped.extend(other.skipped);
    tally.replayed.extend(other.replayed);
    let status = child.wait()?;

    println!();
    tally.replayed.sort();
    for result in &tally.replayed {
        println!("{REPLAYED}{result}");
    }
    for reason in &tally.skipped {
        println!("{SKIPPED}{reason}");
    }
    // A test target that does not compile fails, too, though it counts no test.
    let failed = if status.success() { tally.failed } else { tally.failed.max(1) };
    println!("{} passed, {failed} failed, {} skipped", tally.passed, tally.skipped.len());
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Takes `--live NAME` and `--live=NAME` out of the arguments; the rest is for `cargo test`.
fn split_live(arguments: &[String]) -> Result<(Vec<&str>, Vec<&str>)> {
    const OPTION: &str = "--live";
    let (mut rest, mut live) = (Vec::new(), Vec::new());
    let mut arguments = arguments.iter().map(String::as_str);
    while let Some(argument) = arguments.next() {
        // What follows is for the test programs.
        if argument == "--" {
            rest.push(argument);
            rest.extend(arguments.by_ref());
            break;
        }
        let name = match argument.strip_prefix(OPTION) {
            Some("") => arguments.next(),
            Some(name) if name.starts_with('=') => Some(&name[1..]),
            _ => {
                rest.push(argument);
                continue;
            }
        };
        match name.map(str::trim).filter(|name| !name.is_empty() && !name.starts_with('-')) {
            Some(name) => live.push(name),
            None => bail!(
                "{OPTION} needs a provider or a model: `{OPTION} anthropic`, `{OPTION} ollama:qwen3:8b`, or several \
                 with commas"
            ),
        }
    }
    Ok((rest, live))
}

/// Copies line by line, and counts.
fn pass_on(from: Option<impl Read>, mut to: impl Write) -> Tally {
    let mut tally = Tally::default();
    let Some(from) = from else { return tally };
    for line in BufReader::new(from).split(b'\n').map_while(Result::ok) {
        // Nobody reads on when the terminal has gone; the tests run to their end all the same.
        let _ = to.write_all(&line).and_then(|()| to.write_all(b"\n")).and_then(|()| to.flush());
        tally.note(&String::from_utf8_lossy(&line));
    }
    tally
}

impl Tally {
    fn note(&mut self, line: &str) {
        if let Some(reason) = line.strip_prefix(SKIPPED) {
            self.skipped.push(reason.to_owned());
        } else if let Some(result) = line.strip_prefix(REPLAYED) {
            self.replayed.push(result.to_owned());
        } else if let Some((name, reason)) =
            line.strip_prefix("test ").and_then(|it| it.split_once(" ... ignored"))
        {
            self.skipped.push(format!("{name}{}", reason.replacen(',', ":", 1)));
        } else if let Some(result) = line.strip_prefix("test result: ") {
            // `ok. 3 passed; 0 failed; 1 ignored; …`
            let counts = result.split_once(". ").map_or(result, |(_, counts)| counts);
            for count in counts.split("; ") {
                let Some((number, what)) = count.split_once(' ') else {
                    continue;
                };
                let Ok(number) = number.parse::<u64>() else {
                    continue;
                };
                match what {
                    "passed" => self.passed += number,
                    "failed" => self.failed += number,
                    _ => {}
                }
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn live_providers_are_taken_out() {
        let arguments = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let given = arguments("--live anthropic,openai --test live --live=ollama:qwen3:8b -- --live x");
        let (rest, live) = split_live(&given).unwrap();
        assert_eq!(live, ["anthropic,openai", "ollama:qwen3:8b"]);
        assert_eq!(rest, ["--test", "live", "--", "--live", "x"]);
        for wrong in ["--live", "--live=", "--live --test live"] {
            assert!(split_live(&arguments(wrong)).unwrap_err().to_string().contains("--live anthropic"));
        }
        // Another option that begins alike is another's.
        assert_eq!(split_live(&arguments("--lively x")).unwrap().0, ["--lively", "x"]);
    }

    #[test]
    fn lines_are_counted() {
        let mut tally = Tally::default();
        for line in [
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.1s",
            "test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.1s",
            "SKIPPED replay: no recorded cases",
            "REPLAYED messages: 2 exchanges, 2 passed",
            "test test_result ... ok",
            "test live::openai ... ignored, needs a key",
        ] {
            tally.note(line);
        }
        assert_eq!((tally.passed, tally.failed), (5, 1));
        assert_eq!(tally.replayed, ["messages: 2 exchanges, 2 passed"]);
        assert_eq!(tally.skipped, ["replay: no recorded cases", "live::openai: needs a key"]);
    }
}
