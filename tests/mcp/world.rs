//! What the tests of MCP share: a configuration with servers that are this very test program, started again.

use aimu_host::{Failure, Host, McpCheck, ToolOutput, ToolReply, Toolbox};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Names the server that this program is.
pub(crate) const ROLE: &str = "MCP_TEST_SERVER";

/// A bound that nothing reaches unless it hangs.
pub(crate) const SOON: Duration = Duration::from_secs(60);

/// A folder with a configuration.
pub(crate) struct World {
    folder: TempDir,
    config: String,
}

impl World {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap(), config: String::new() }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn config_file(&self) -> PathBuf {
        self.path().join("config.toml")
    }

    /// Adds lines to the configuration.
    pub(crate) fn line(mut self, line: &str) -> Self {
        writeln!(self.config, "{line}").unwrap();
        std::fs::write(self.config_file(), &self.config).unwrap();
        self
    }

    /// Adds a server that is this program in a role, with further lines and variables.
    pub(crate) fn server(self, name: &str, role: &str, more: &str, variables: &str) -> Self {
        let program = std::env::current_exe().unwrap();
        // Not one after the other: the test's name would be printed before it runs, on the line of the first message.
        self.line(&format!(
            "[mcp.'{name}']\ncommand = '{}'\nargs = ['serves', '--exact', '--nocapture', '--test-threads=2']\n\
             env = {{ {ROLE} = '{role}', {variables} }}\n{more}",
            program.display()
        ))
    }

    /// Adds a server that is reached by a URL.
    pub(crate) fn url(self, name: &str, url: &str, more: &str) -> Self {
        self.line(&format!("[mcp.{name}]\nurl = '{url}'\n{more}"))
    }

    pub(crate) fn host(&self) -> Host {
        self.try_host().unwrap()
    }

    pub(crate) fn try_host(&self) -> Result<Host, Failure> {
        Host::builder().home(aimu_host::Home::at(self.path())).config_file(self.config_file()).build()
    }
}

/// Looks at a server.
pub(crate) async fn check(host: &Host, name: &str) -> McpCheck {
    tokio::time::timeout(SOON, host.mcp_check(name)).await.unwrap().unwrap()
}

/// What is wrong with a server that can't be used.
pub(crate) async fn failure(host: &Host, name: &str) -> Failure {
    match check(host, name).await.tools {
        Ok(tools) => panic!("{name} has {} tools", tools.len()),
        Err(failure) => failure,
    }
}

/// The tools of a server, to be called.
pub(crate) async fn toolbox(host: &Host, name: &str) -> Toolbox {
    let mut toolbox = Toolbox::new();
    for tool in check(host, name).await.tools.unwrap() {
        toolbox.add_shared(tool).unwrap();
    }
    toolbox
}

/// Calls a tool.
pub(crate) async fn call(toolbox: &Toolbox, name: &str, arguments: &str) -> ToolReply {
    tokio::time::timeout(SOON, toolbox.call(name, arguments)).await.unwrap().unwrap()
}

/// The text of an answer.
pub(crate) fn text(reply: &ToolReply) -> String {
    let piece = |piece: &ToolOutput| match piece {
        ToolOutput::Text(text) => text.clone(),
        ToolOutput::Json(value) => value.to_string(),
        ToolOutput::Media(media) => format!("[{}]", media.mime_type),
    };
    reply.output.iter().map(piece).collect()
}

/// Whether a process runs.
pub(crate) fn runs(id: &str) -> bool {
    // A zombie has ended, and waits for whoever started it to hear of it.
    let state = std::process::Command::new("ps").args(["-o", "stat=", "-p", id]).output().unwrap();
    let state = String::from_utf8(state.stdout).unwrap();
    !state.trim().is_empty() && !state.trim().starts_with('Z')
}

/// Waits until something is so.
pub(crate) fn until(what: &str, so: impl Fn() -> bool) {
    let start = Instant::now();
    while !so() {
        assert!(start.elapsed() < SOON, "{what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The number that a server wrote into a file.
pub(crate) fn number(file: &Path) -> String {
    until("it wrote no number", || std::fs::read_to_string(file).is_ok_and(|text| !text.is_empty()));
    std::fs::read_to_string(file).unwrap()
}
