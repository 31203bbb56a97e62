//! How a run ends when it doesn't end well, and what is said of it.

use super::terminal::{Stdout, printable};
use aimu_host::{Failure, FailureKind};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io::{self, Write as _};

/// Why a verb stopped.
#[derive(Debug)]
pub(super) enum Exit {
    /// What was asked failed.
    Failed(Failure),
    /// What was asked can't be: a wrong argument, model string or document.
    Usage(Failure),
    /// Ctrl-C.
    Interrupted,
    /// Nobody reads our output any more.
    Closed,
}

/// The command line's result type.
pub(super) type Result<T, E = Exit> = std::result::Result<T, E>;

impl Exit {
    /// A wrong argument.
    pub(super) fn usage(message: impl Into<String>) -> Self {
        Self::Usage(Failure::new(FailureKind::InvalidRequest, message))
    }

    /// A failure while what the user wrote is looked up: a word that means nothing is a wrong use, a server that
    /// refuses is a failure.
    pub(super) fn of_lookup(failure: Failure) -> Self {
        match failure.kind {
            FailureKind::InvalidRequest | FailureKind::NotFound if failure.http_status.is_none() => {
                Self::Usage(failure)
            }
            _ => Self::Failed(failure),
        }
    }

    /// The process's exit code.
    pub(super) fn code(&self) -> u8 {
        match self {
            // As `head` wants it: the reader has what it wanted.
            Self::Closed => 0,
            Self::Failed(_) => 1,
            Self::Usage(_) => 2,
            // As shells report a process that SIGINT ended.
            Self::Interrupted => 130,
        }
    }

    /// Says it on stderr, where there is something to say.
    pub(super) fn print(&self) {
        if let Self::Failed(failure) | Self::Usage(failure) = self {
            // Without a stderr there is nobody to tell.
            let _ = writeln!(io::stderr(), "error: {}", printable(&paragraph(failure)));
        }
    }
}

impl From<Failure> for Exit {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<io::Error> for Exit {
    /// For errors of writing to stdout.
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::Closed;
        }
        Self::Failed(Failure::new(FailureKind::Internal, format!("could not write to stdout: {error}")))
    }
}

/// Ends a verb that prints objects with `--json`: a failure is one, too.
pub(super) fn told(outcome: Result<()>, json: bool, stdout: &mut Stdout) -> Result<()> {
    if let (Err(Exit::Failed(failure) | Exit::Usage(failure)), true) = (&outcome, json) {
        stdout.json(&json!({ "ok": false, "error": object(failure) }))?;
    }
    stdout.flush()?;
    outcome
}

/// A failure as scripts get it.
pub(super) fn object(failure: &Failure) -> Value {
    json!({ "kind": failure.kind, "message": failure.message })
}

/// One paragraph: the message, and what else is known of the failure.
pub(super) fn paragraph(failure: &Failure) -> String {
    let message = failure.message.trim();
    let mut known = vec![];
    if let Some(provider) = failure.provider.as_deref().filter(|name| !message.contains(*name)) {
        known.push(format!("provider {provider}"));
    }
    if let Some(status) = failure.http_status.filter(|status| !message.contains(&status.to_string())) {
        known.push(format!("HTTP {status}"));
    }
    if let Some(wait) = failure.retry_after {
        known.push(format!("retry after {} s", wait.as_secs_f64().ceil()));
    }
    if let Some(id) = &failure.request_id {
        known.push(format!("request {id}"));
    }
    let mut text = message.split_whitespace().collect::<Vec<_>>().join(" ");
    if !known.is_empty() {
        // Writing to a `String` can't fail.
        let _ = write!(text, " ({})", known.join(", "));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_one_paragraph_with_what_is_known() {
        let mut failure =
            Failure::new(FailureKind::RateLimited, "slow down,\n\nplease").of_provider("openai");
        failure.http_status = Some(429);
        failure.request_id = Some("req_1".into());
        failure.retry_after = Some(std::time::Duration::from_millis(1500));
        let text = "slow down, please (provider openai, HTTP 429, retry after 2 s, request req_1)";
        assert_eq!(paragraph(&failure), text);
    }

    #[test]
    fn what_the_message_says_is_not_said_twice() {
        let mut failure = Failure::new(FailureKind::Server, "openai answered 500").of_provider("openai");
        failure.http_status = Some(500);
        assert_eq!(paragraph(&failure), "openai answered 500");
    }

    #[test]
    fn a_wrong_word_is_usage_and_a_refusal_is_not() {
        let exit = |kind| Exit::of_lookup(Failure::new(kind, "x")).code();
        assert_eq!(exit(FailureKind::InvalidRequest), 2);
        assert_eq!(exit(FailureKind::Denied), 1);
        assert_eq!(Exit::from(io::Error::from(io::ErrorKind::BrokenPipe)).code(), 0);
        assert_eq!(Exit::Interrupted.code(), 130);
    }
}
