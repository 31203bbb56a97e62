//! A server that is a program of the user's: started, heard, and ended with all that it started.
//!
//! Problem: launchers (`npx`, `uvx`, shells) start the server as a child of theirs, so ending what we started leaves the
//! server. Decision: each has a process group of its own, which is killed as one when its connection is dropped; standard
//! input closes with us, too, which ends servers whose host was killed. Its environment is what the configuration gives,
//! and the few variables without which programs are not found or speak another language: keys in ours are not its.
//! Price: it is given no time to say good-bye, and what leaves the group of its own accord (a daemon) is not ended.

use super::config::ProgramConfig;
use super::lines::{Hearing, Lines};
use crate::egress::Patterns;
use crate::model::{Failure, FailureKind, Result};
use crate::secrets::{Secret, expanded};
use rustix::process::{Pid, Signal, kill_process_group};
use std::collections::{BTreeMap, VecDeque};
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// Variables that every server has of ours.
pub(super) const INHERITED: [&str; 12] = [
    "HOME", "LANG", "LC_ALL", "LC_CTYPE", "LOGNAME", "PATH", "SHELL", "TEMP", "TERM", "TMPDIR", "TZ", "USER",
];

/// Lines of standard error that are kept to be told.
const TAIL: usize = 8;

/// Bytes of such a line; more is cut.
const LINE: usize = 400;

/// Lines of standard error that go into the log, of a connection.
const LOGGED: usize = 1_000;

/// How long a program that has closed its output may take to end by itself, so that how it ended can be told; and to say
/// why.
const LAST_WORDS: Duration = Duration::from_millis(100);

/// A running server.
pub(super) struct Process {
    child: Child,
    group: Option<Pid>,
    tail: Tail,
}

/// The last lines of standard error.
type Tail = Arc<Mutex<VecDeque<String>>>;

/// Who is started, for those who listen to it.
pub(super) struct About {
    pub(super) server: String,
    /// What it was given that nobody may be shown.
    pub(super) secrets: Arc<Patterns>,
    pub(super) heard: Hearing,
}

/// Both ends of a server's pipes.
pub(super) type Pipes = (Lines<ChildStdout>, ChildStdin);

impl Process {
    /// Starts a server.
    pub(super) fn start(
        config: &ProgramConfig,
        arguments: &[Secret],
        environment: &BTreeMap<String, Secret>,
        about: About,
    ) -> Result<(Self, Pipes)> {
        let inherited = INHERITED.iter().filter_map(|name| Some((name, std::env::var_os(name)?)));
        let mut command = Command::new(expanded(&config.command));
        command
            .args(arguments.iter().map(Secret::expose))
            .env_clear()
            .envs(inherited)
            .envs(environment.iter().map(|(name, value)| (name, value.expose())))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        if let Some(folder) = &config.folder {
            command.current_dir(folder);
        }
        let mut child = command.spawn().map_err(|error| {
            let hint = match error.kind() {
                std::io::ErrorKind::NotFound => "; is it installed and in PATH, is `cwd` there?",
                _ => "",
            };
            let what = format!("its program `{}` could not be started: {error}{hint}", config.command);
            Failure::new(FailureKind::NotFound, what)
        })?;
        let group = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        let (Some(stdin), Some(stdout), Some(stderr)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(Failure::new(FailureKind::Internal, "its program has no standard streams"));
        };
        let tail = Tail::default();
        let lines = Lines::new(stdout, about.heard.clone());
        tokio::spawn(listen(about, stderr, tail.clone()));
        Ok((Self { child, group, tail }, (lines, stdin)))
    }

    /// Ends it, once it has closed its output; says how it ended, if by itself.
    pub(super) async fn ended(&mut self) -> Option<ExitStatus> {
        tokio::time::sleep(LAST_WORDS).await;
        // Before it is waited for: until then, its number is no other process's.
        self.kill();
        let status = self.child.wait().await.ok()?;
        (status.signal() != Some(Signal::KILL.as_raw())).then_some(status)
    }

    /// The last lines that it wrote to standard error.
    pub(super) fn last_words(&self) -> Vec<String> {
        self.tail.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    fn kill(&mut self) {
        if let Some(group) = self.group.take() {
            // Nobody is left in it where that fails.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Reads standard error to its end: into the log, and its last lines into memory.
async fn listen(about: About, mut stderr: impl AsyncRead + Unpin, tail: Tail) {
    let mut chunk = vec![0; 8192];
    let mut line = Vec::new();
    let mut lines = 0_usize;
    while let Ok(read @ 1..) = stderr.read(&mut chunk).await {
        for byte in chunk.iter().take(read) {
            match byte {
                b'\n' => keep(&about, &mut line, &mut lines, &tail),
                byte if line.len() < LINE => line.push(*byte),
                _ => {}
            }
        }
    }
    keep(&about, &mut line, &mut lines, &tail);
}

fn keep(about: &About, line: &mut Vec<u8>, lines: &mut usize, tail: &Tail) {
    let text = about.secrets.hidden(String::from_utf8_lossy(line).trim());
    line.clear();
    if text.is_empty() {
        return;
    }
    *lines += 1;
    let server = &*about.server;
    match *lines {
        ..=LOGGED => tracing::debug!(server, "{text}"),
        number if number == LOGGED + 1 => {
            tracing::debug!(server, "says more on standard error than is logged")
        }
        _ => {}
    }
    let mut tail = tail.lock().unwrap_or_else(PoisonError::into_inner);
    if tail.len() == TAIL {
        tail.pop_front();
    }
    tail.push_back(text);
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn standard_error_is_kept_in_part() {
        let tail = Tail::default();
        let long = "x".repeat(100_000);
        let text: String =
            (0..19).map(|n| format!("line {n}\n")).chain(["sk-secret\n".to_owned(), long]).collect();
        let secrets = Arc::new(Patterns::of([Secret::new("sk-secret".to_owned())].iter()));
        let about = About { server: "s".to_owned(), secrets, heard: Hearing::default() };
        listen(about, text.as_bytes(), tail.clone()).await;
        let tail = tail.lock().unwrap();
        assert_eq!((tail.len(), tail[0].as_str(), tail[TAIL - 1].len()), (TAIL, "line 13", LINE));
        assert_eq!(tail[TAIL - 2], "*********");
    }
}
