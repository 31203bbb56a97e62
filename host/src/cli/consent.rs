//! The question whether a plugin may have what it asks for.
//!
//! It is asked where a person is, on the terminal that the person types at, before a call; what is answered yes is kept.
//! Where nobody can answer, the call fails with the command that allows it. Nothing that a model says comes this way.

use super::exit::{Exit, Result};
use super::interrupt;
use super::terminal::Stderr;
use aimu_host::{Client, Failure, FailureKind, Host, PluginGrants, Setup, escaped};
use nix::sys::termios::{FlushArg, tcflush};
use std::io::{self, IsTerminal};
use std::path::Path;

/// A client for a model, once the user has decided about its component: the one way to a client from the command line.
pub(super) async fn client(host: &Host, model: &str, setup: Setup) -> Result<Client> {
    if somebody_is_there()
        // What is wrong with the model is told by the client.
        && let Ok(Some(wanted)) = interrupt::unless(host.undecided(model)).await?
        && ask(&wanted).await?
    {
        host.allow_plugin(&wanted, &wanted.asked).await?;
    }
    interrupt::unless(host.client_with(model, setup)).await?.map_err(Exit::of_lookup)
}

/// Somebody sees the question and can answer it.
pub(super) fn somebody_is_there() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Shows what a component asks for, and asks whether it may have that.
pub(super) async fn ask(wanted: &PluginGrants) -> Result<bool> {
    let mut stderr = Stderr::new();
    stderr.line(&shown(wanted));
    // What was typed or pasted before the question is no answer to it.
    let _ = tcflush(io::stdin(), FlushArg::TCIFLUSH);
    stderr.question(&format!(
        "Allow it that, until `aimu-host plugins revoke {}` takes it back? [y/N] ",
        escaped(&wanted.plugin)
    ));
    let answer = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        io::stdin().read_line(&mut line).map(|_| line)
    });
    let answer = interrupt::unless(answer).await?;
    let line =
        answer.map_err(|error| error.to_string()).and_then(|line| line.map_err(|error| error.to_string()));
    let line = line.map_err(|error| {
        Failure::new(FailureKind::Internal, format!("the terminal can't be read: {error}"))
    })?;
    Ok(is_yes(&line))
}

/// Who asks for what, with nothing in it that a terminal obeys.
pub(super) fn shown(wanted: &PluginGrants) -> String {
    let file = wanted.file.as_deref().unwrap_or(Path::new("")).display().to_string();
    let lines = |permissions: &aimu_host::Permissions| {
        let lines = permissions.lines();
        if lines.is_empty() {
            "nothing: no network, no keys".to_owned()
        } else {
            lines.join("\n            ")
        }
    };
    let mut text = format!(
        "The plugin `{}` did not come with this program.\n  file      {}\n  sha256    {}\n  asks for  {}",
        escaped(&wanted.plugin),
        escaped(&file),
        wanted.sha256,
        lines(&wanted.asked)
    );
    if !wanted.new.is_empty() {
        text += &format!("\n  new       {}", lines(&wanted.new));
    }
    text
}

fn is_yes(line: &str) -> bool {
    matches!(line.trim().to_ascii_lowercase().as_str(), "y" | "yes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_yes_is_yes() {
        assert!(["y\n", "Y", " yes \n"].into_iter().all(is_yes));
        assert!(!["", "\n", "n\n", "yep\n", "yy\n", "y y\n"].into_iter().any(is_yes));
    }
}
