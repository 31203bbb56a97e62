//! The program under test: started with a home, a folder of plugins and an environment of its own.

use super::canary;
use serde_json::Value;
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, Weak};
use std::thread;
use std::time::{Duration, Instant, SystemTime};
use tempfile::TempDir;

/// Far beyond what any test needs, on a busy machine too: what is not over by then hangs.
const PATIENCE: Duration = Duration::from_secs(120);

/// A home of the program with a folder of plugins, deleted at the end.
#[derive(Clone)]
pub struct Home {
    data: Arc<TempDir>,
    plugins: Arc<TempDir>,
}

impl Home {
    /// An empty folder of plugins, over configuration and cache that the tests of one program share: compiling
    /// the same components for each test would take most of its time.
    pub fn new() -> Self {
        static SHARED: Mutex<Weak<TempDir>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap();
        let data = shared.upgrade().unwrap_or_else(|| Arc::new(folder()));
        *shared = Arc::downgrade(&data);
        Self { data, plugins: Arc::new(folder()) }
    }

    /// The same with configuration and cache of its own.
    pub fn fresh() -> Self {
        Self { data: Arc::new(folder()), plugins: Arc::new(folder()) }
    }

    /// A home with these guests in its folder of plugins.
    pub fn with(guests: &[&str]) -> Self {
        let home = Self::new();
        guests.iter().for_each(|guest| drop(home.install(guest)));
        home
    }

    /// Where configuration, data and cache are.
    pub fn data(&self) -> &Path {
        self.data.path()
    }

    pub fn plugins(&self) -> &Path {
        self.plugins.path()
    }

    /// Copies a guest into the folder of plugins.
    pub fn install(&self, guest: &str) -> PathBuf {
        let path = self.plugins().join(format!("{guest}.wasm"));
        fs::copy(super::guest(guest), &path).unwrap();
        path
    }

    /// Puts a file of any content into the folder of plugins.
    pub fn put(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.plugins().join(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    /// The program with these arguments.
    pub fn aimu<I: AsRef<str>>(&self, arguments: impl IntoIterator<Item = I>) -> Program {
        let mut command = Command::new(env!("CARGO_BIN_EXE_aimu-host"));
        command.env_clear().current_dir(self.data());
        for kept in ["PATH", "SystemRoot", "LD_LIBRARY_PATH", "LLVM_PROFILE_FILE"] {
            if let Some(value) = std::env::var_os(kept) {
                command.env(kept, value);
            }
        }
        command.env("HOME", self.data()).env("AIMU_HOST_HOME", self.data()).env("TERM", "dumb");
        command.args(arguments.into_iter().map(|argument| argument.as_ref().to_owned()));
        let plugins = Some(self.plugins().to_owned());
        Program { command, plugins, input: Vec::new(), armed: false, home: self.clone() }
    }
}

fn folder() -> TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap()
}

/// The program, not yet started.
pub struct Program {
    command: Command,
    plugins: Option<PathBuf>,
    input: Vec<u8>,
    armed: bool,
    /// Kept until the program has ended.
    home: Home,
}

impl Program {
    /// With the canary in all variables of keys and the logs at their finest; what it writes to disk is searched, too.
    pub fn armed(mut self) -> Self {
        self.command.envs(canary::VARIABLES.map(|name| (name, canary::CANARY))).arg("-vvv");
        self.armed = true;
        self
    }

    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    pub fn arg(mut self, argument: &str) -> Self {
        self.command.arg(argument);
        self
    }

    pub fn input(mut self, input: impl Into<Vec<u8>>) -> Self {
        self.input = input.into();
        self
    }

    /// Without `--plugins`: the default folders.
    pub fn default_plugins(mut self) -> Self {
        self.plugins = None;
        self
    }

    pub fn in_folder(mut self, folder: &Path) -> Self {
        self.command.current_dir(folder);
        self
    }

    pub fn start(mut self) -> Running {
        if let Some(plugins) = &self.plugins {
            self.command.arg("--plugins").arg(plugins);
        }
        self.command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let started = self.armed.then(SystemTime::now);
        let mut child = self.command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = self.input;
        // A program that fails early closes its input unread.
        thread::spawn(move || stdin.write_all(&input));
        let stdout = collect(child.stdout.take().unwrap());
        let stderr = collect(child.stderr.take().unwrap());
        Running { child, stdout, stderr, started, home: self.home }
    }

    /// Starts it, and reads nothing of what it prints.
    pub fn start_unread(mut self) -> Child {
        self.command.arg("--plugins").arg(self.home.plugins());
        self.command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        self.command.spawn().unwrap()
    }

    /// Runs it to its end.
    pub fn run(self) -> Outcome {
        self.start().wait()
    }
}

fn collect(mut from: impl Read + Send + 'static) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        from.read_to_end(&mut bytes).unwrap();
        bytes
    })
}

/// The program while it runs.
pub struct Running {
    child: Child,
    stdout: thread::JoinHandle<Vec<u8>>,
    stderr: thread::JoinHandle<Vec<u8>>,
    /// When it was, if it is armed.
    started: Option<SystemTime>,
    home: Home,
}

impl Running {
    /// The process's number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// As Ctrl-C does.
    pub fn interrupt(&self) {
        let sent = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    pub fn wait(mut self) -> Outcome {
        let start = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break Some(status);
            }
            if start.elapsed() > PATIENCE {
                self.child.kill().unwrap();
                self.child.wait().unwrap();
                break None;
            }
            thread::sleep(Duration::from_millis(2));
        };
        let text = |reader: thread::JoinHandle<Vec<u8>>| String::from_utf8(reader.join().unwrap()).unwrap();
        let outcome = Outcome {
            code: status.and_then(|status| status.code()),
            stdout: text(self.stdout),
            stderr: text(self.stderr),
        };
        for (name, text) in [("stdout", &outcome.stdout), ("stderr", &outcome.stderr)] {
            let form = canary::found(text.as_bytes());
            assert!(form.is_none(), "the key is on {name} ({}): {outcome:?}", form.unwrap_or_default());
        }
        if let Some(started) = self.started {
            // File systems may count in whole seconds.
            let since = started - Duration::from_secs(2);
            canary::search(self.home.data(), since);
            canary::search(self.home.plugins(), since);
        }
        assert!(status.is_some(), "the program did not end within {PATIENCE:?}: {outcome:?}");
        outcome
    }
}

/// How the program ended, and what it wrote.
#[derive(Debug)]
pub struct Outcome {
    /// `None`: ended by a signal.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Outcome {
    /// Checks the exit code.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:?}");
        self
    }

    #[track_caller]
    pub fn ok(self) -> Self {
        self.exits(0)
    }

    /// Standard output as one JSON value.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("not one JSON value ({error}): {self:?}"))
    }

    /// Standard output as one JSON value a line.
    #[track_caller]
    pub fn lines(&self) -> Vec<Value> {
        let line =
            |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in {line:?}: {self:?}"));
        self.stdout.lines().map(line).collect()
    }

    /// The result of a call with `--json` that failed, checked: exit code 1, and an error of this kind that names
    /// its provider and says something.
    #[track_caller]
    pub fn failed(self, kinds: &[&str]) -> Value {
        let outcome = self.exits(1);
        let result = outcome.json();
        let error = &result["error"];
        let kind = error["kind"].as_str().unwrap_or_default();
        assert!(kinds.contains(&kind), "the kind is not one of {kinds:?}: {outcome:?}");
        assert_eq!(result["finish"], "error", "{outcome:?}");
        assert!(error["message"].as_str().is_some_and(|message| message.len() > 2), "{outcome:?}");
        result
    }

    /// Checks that an error is told as one paragraph on standard error that holds all of `words`.
    #[track_caller]
    pub fn says(&self, words: &[&str]) {
        let text = self.stderr.trim();
        assert!(!text.is_empty(), "nothing is said: {self:?}");
        assert!(!text.contains("\n\n"), "more than a paragraph: {self:?}");
        assert!(!text.contains("panicked") && !text.contains("RUST_BACKTRACE"), "{self:?}");
        for word in words {
            assert!(text.contains(word), "{word:?} is not said: {self:?}");
        }
    }
}
