//! `cargo xtask fuzz`: fuzzes what takes hostile bytes. What a run finds beyond the corpora in `fuzz/corpus` is kept in the
//! target folder; what breaks something is named, and belongs into the corpus once it is mended.

use crate::{cargo, target_dir, workspace};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

/// How long each target runs unless it is said.
const SECONDS: u32 = 60;

/// How far a target is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Until {
    /// By chance, which finds what is new.
    Seconds(u32),
    /// So many inputs within [`SECONDS`], the same each time: what CI says of a change depends on the change alone.
    Runs(u32),
}

/// The longest input: what the parsers do depends on structure, not on length.
const LONGEST: u32 = 1 << 16;

pub(crate) fn run(arguments: &[String]) -> Result<ExitCode> {
    let folder = workspace()?.join("fuzz");
    let all = targets(&folder)?;
    let (chosen, until) = chosen(arguments, &all)?;
    ready()?;
    let target = target_dir()?.join("fuzz");
    let mut failed = Vec::new();
    for name in &chosen {
        let (found, bound) = match until {
            Until::Seconds(seconds) => {
                eprintln!("== fuzzing {name} for {seconds} s");
                (target.join("corpus").join(name), vec![format!("-max_total_time={seconds}")])
            }
            Until::Runs(runs) => {
                eprintln!("== fuzzing {name} with {runs} inputs");
                let found = target.join("same").join(name);
                // What an earlier run found would make this one another.
                let _ = fs::remove_dir_all(&found);
                let longest = format!("-max_total_time={SECONDS}");
                (found, vec![format!("-runs={runs}"), "-seed=1".to_owned(), "-reload=0".to_owned(), longest])
            }
        };
        fs::create_dir_all(&found).with_context(|| format!("{} can't be made", found.display()))?;
        // What is found goes into the first folder.
        let status = fuzz(&folder, &target)
            .args(["run", name])
            .arg(&found)
            .arg(folder.join("corpus").join(name))
            .args(["--", &format!("-max_len={LONGEST}")])
            .args(bound)
            .args(["-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=1", "-verbosity=0"])
            .status()
            .context("cargo could not be started")?;
        if !status.success() {
            failed.push(name.as_str());
        }
    }
    if failed.is_empty() {
        eprintln!("nothing was found in {}", chosen.join(", "));
        return Ok(ExitCode::SUCCESS);
    }
    bail!(
        "{} failed; the input is named above, and lies in fuzz/artifacts. Mend it, and put the input into fuzz/corpus, where \
         ordinary tests run it",
        failed.join(", ")
    )
}

/// `cargo fuzz`, which wants a nightly toolchain: the instruments of the compiler are not stable.
fn fuzz(folder: &Path, target: &Path) -> Command {
    let mut command = Command::new("rustup");
    command.args(["run", "nightly", "cargo", "fuzz"]).current_dir(folder).env("CARGO_TARGET_DIR", target);
    // What the cargo around this program has set is of another toolchain.
    for name in ["RUSTUP_TOOLCHAIN", "CARGO", "RUSTC", "RUSTFLAGS"] {
        command.env_remove(name);
    }
    command
}

/// The targets that there are.
fn targets(folder: &Path) -> Result<Vec<String>> {
    let folder = folder.join("fuzz_targets");
    let mut names = Vec::new();
    for file in fs::read_dir(&folder).with_context(|| format!("{} can't be read", folder.display()))? {
        names.extend(file?.path().file_stem().map(|name| name.to_string_lossy().into_owned()));
    }
    names.sort();
    Ok(names)
}

/// What to fuzz, and how far.
fn chosen(arguments: &[String], all: &[String]) -> Result<(Vec<String>, Until)> {
    let (mut names, mut until) = (Vec::new(), Until::Seconds(SECONDS));
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        if argument == "--seconds" || argument == "--runs" {
            let number = arguments.next().and_then(|number| number.parse().ok()).filter(|number| *number > 0);
            let number = number.with_context(|| format!("{argument} needs a number: `{argument} 600`"))?;
            until = if argument == "--runs" { Until::Runs(number) } else { Until::Seconds(number) };
        } else if all.contains(argument) {
            names.push(argument.clone());
        } else {
            bail!("there is no fuzz target {argument:?}; there are {}", all.join(", "));
        }
    }
    Ok((if names.is_empty() { all.to_vec() } else { names }, until))
}

/// Says what is missing, with the command that adds it.
fn ready() -> Result<()> {
    let runs = |arguments: &[&str]| {
        let mut command = Command::new("rustup");
        command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    if !runs(&["run", "nightly", "rustc", "--version"]) {
        bail!("fuzzing wants a nightly toolchain: `rustup toolchain install nightly --profile minimal`");
    }
    let installed = cargo(&["fuzz", "--version"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !installed.is_ok_and(|status| status.success()) {
        bail!("cargo-fuzz is missing: `cargo install cargo-fuzz --locked --debug`");
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn targets_and_times_are_chosen() {
        let all = targets(&workspace().unwrap().join("fuzz")).unwrap();
        assert!(all.contains(&"sse".to_owned()) && all.len() == 7, "{all:?}");
        let given = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(chosen(&[], &all).unwrap(), (all.clone(), Until::Seconds(SECONDS)));
        let (names, until) = chosen(&given("sse --seconds 5 config"), &all).unwrap();
        assert_eq!((names, until), (given("sse config"), Until::Seconds(5)));
        assert_eq!(chosen(&given("--runs 9"), &all).unwrap(), (all.clone(), Until::Runs(9)));
        for wrong in ["nowhere", "--runs x", "--seconds", "--seconds 0", "--seconds sse"] {
            assert!(chosen(&given(wrong), &all).is_err(), "{wrong}");
        }
    }

    #[test]
    fn components_are_read_by_the_engines_own_parser() {
        let read = |path: &str| fs::read_to_string(workspace().unwrap().join(path)).unwrap();
        let engine = read("Cargo.lock");
        let (_, engine) = engine.split_once("name = \"wasmtime\"\n").unwrap();
        let (_, version) = engine.split_once("\"wasmparser ").unwrap();
        let (version, _) = version.split_once('"').unwrap();
        let named = format!("wasmparser = \"{}\"", version.rsplit_once('.').unwrap().0);
        assert!(read("fuzz/Cargo.toml").contains(&named), "fuzz/Cargo.toml has not {named}");
        let locked = format!("name = \"wasmparser\"\nversion = \"{version}\"");
        assert!(
            read("fuzz/Cargo.lock").contains(&locked),
            "run `cargo update wasmparser` in fuzz for {version}"
        );
    }

    #[test]
    fn every_target_has_a_corpus_and_is_built() {
        let folder = workspace().unwrap().join("fuzz");
        let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
        for name in targets(&folder).unwrap() {
            assert!(manifest.contains(&format!("name = \"{name}\"")), "{name} is not built");
            assert!(fs::read_dir(folder.join("corpus").join(&name)).unwrap().count() > 4, "{name}");
        }
    }
}
