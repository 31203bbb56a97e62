//! A program that gives a key, as the configuration names it.

use std::time::Duration;

/// How long it may take unless the configuration says otherwise: a person may have to unlock something.
const PATIENCE: Duration = Duration::from_secs(60);

/// How a program is run.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct CommandLine {
    pub(super) program: String,
    pub(super) arguments: Vec<String>,
    /// How long what it prints holds, where it does not say that itself.
    pub(super) expires_in: Option<Duration>,
    pub(super) timeout: Duration,
}

/// Without the arguments, which may be private.
impl std::fmt::Debug for CommandLine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CommandLine").field("program", &self.program).finish_non_exhaustive()
    }
}

impl CommandLine {
    #[cfg(test)]
    pub(crate) fn new(program: &str, arguments: &[&str], expires_in: Option<Duration>) -> Self {
        let arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        Self { program: program.to_owned(), arguments, expires_in, timeout: PATIENCE }
    }

    /// Of the configuration: its words, how long its output holds, how long it may take.
    pub(crate) fn configured(
        words: Vec<String>,
        expires_in: Option<Duration>,
        timeout: Option<Duration>,
    ) -> std::result::Result<Self, &'static str> {
        let mut words = words.into_iter();
        let program = words.next().filter(|program| !program.trim().is_empty()).ok_or("names no program")?;
        Ok(Self { program, arguments: words.collect(), expires_in, timeout: timeout.unwrap_or(PATIENCE) })
    }

    /// The program's name, for people. Its arguments may be private.
    pub(crate) fn program(&self) -> &str {
        &self.program
    }
}
