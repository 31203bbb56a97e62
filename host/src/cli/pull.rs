//! `aimu-host pull`: a provider's server fetches a model.

use super::call::RunArgs;
use super::consent;
use super::exit::Result;
use super::globals::Globals;
use super::interrupt;
use super::terminal::{Stderr, Stdout};
use aimu_host::{Progress, Setup};
use futures::StreamExt;

/// The arguments of `pull`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  aimu-host pull ollama:qwen3:8b

How far it is is told on stderr: on one line at a terminal, else a line for each thing that the server does.")]
pub(super) struct PullArgs {
    /// provider:model-id[@base-url], of a provider whose server keeps models
    #[arg(value_name = "MODEL")]
    model: String,

    /// Print each step on stdout as a JSON object a line: status, completed, total
    #[arg(long, help_heading = "Output")]
    json: bool,

    #[command(flatten)]
    run: RunArgs,
}

impl PullArgs {
    /// Waits until the model is there.
    pub(super) async fn run(self, globals: &Globals) -> Result<()> {
        let host = globals.host(&self.run.limits())?;
        let mut setup = Setup { settings: self.run.settings(), ..Setup::default() };
        setup.defaults.retries = self.run.retries;
        let mut pulling = consent::client(&host, &self.model, setup).await?.pull();
        let mut teller =
            Teller { stderr: Stderr::new(), stdout: Stdout::new(), json: self.json, said: String::new() };
        let outcome = interrupt::unless(async {
            while let Some(progress) = pulling.next().await {
                teller.tell(&progress?)?;
            }
            Ok(())
        });
        let outcome = outcome.await.flatten();
        teller.stderr.end_line();
        outcome
    }
}

/// Tells how far it is.
struct Teller {
    stderr: Stderr,
    stdout: Stdout,
    json: bool,
    /// What was told last.
    said: String,
}

impl Teller {
    fn tell(&mut self, progress: &Progress) -> Result<()> {
        if self.json {
            self.stdout.json(progress)?;
            return Ok(self.stdout.flush()?);
        }
        let terminal = self.stderr.is_terminal();
        let said = if terminal { line(progress) } else { progress.status.clone() };
        if said == self.said {
            return Ok(());
        }
        if terminal {
            self.stderr.over(&said)
        } else {
            self.stderr.line(&said)
        }
        self.said = said;
        Ok(())
    }
}

/// `pulling 1a2b3c: 42 % of 5.2 GB`
fn line(progress: &Progress) -> String {
    let Progress { status, completed, total } = progress;
    match total.filter(|total| *total > 0) {
        Some(total) => {
            let percent = u128::from(completed.unwrap_or(0)) * 100 / u128::from(total);
            format!("{status}: {percent} % of {}", size(total))
        }
        None => status.clone(),
    }
}

/// Bytes, for people.
fn size(bytes: u64) -> String {
    match bytes {
        0..1_000_000 => format!("{} kB", bytes.div_ceil(1_000)),
        1_000_000..1_000_000_000 => format!("{} MB", bytes / 1_000_000),
        _ => format!("{}.{} GB", bytes / 1_000_000_000, bytes % 1_000_000_000 / 100_000_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_much_of_what() {
        let told = |completed, total| line(&Progress { status: "pulling".to_owned(), completed, total });
        assert_eq!(told(None, None), "pulling");
        assert_eq!(told(None, Some(5_230_000_000)), "pulling: 0 % of 5.2 GB");
        assert_eq!(told(Some(21), Some(42)), "pulling: 50 % of 1 kB");
        assert_eq!(told(Some(7_000_000), Some(7_000_000)), "pulling: 100 % of 7 MB");
        assert_eq!(told(Some(7), Some(0)), "pulling");
    }
}
