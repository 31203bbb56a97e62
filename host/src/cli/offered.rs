//! The tools that a conversation offers, and who is asked before one is run.
//!
//! The question is asked on the terminal that the person types at, with all that the tool would get. Where nobody can
//! answer, the call is denied, and it is said how to allow it.

use super::consent::somebody_is_there;
use super::exit::{Exit, Result};
use super::globals::parse_duration;
use super::interrupt;
use super::terminal::Stderr;
use aimu_host::{Approval, AskedTool, Host, ToolOutcome, ToolOutput, ToolRun, Toolbox, escaped};
use nix::sys::termios::{FlushArg, tcflush};
use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Which tools are offered, and how they are run.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Tools")]
pub(super) struct ToolArgs {
    /// Offer a tool, or all of a source: a name or a glob; can be given several times
    ///
    /// Built in are the sources time, calculator, files and web; files=FOLDER names the folder to read. `aimu-host tools
    /// list` lists all.
    #[arg(short = 'T', long = "tool", value_name = "NAME|GLOB")]
    tools: Vec<String>,

    /// Whether tools may be run without a question; a later rule goes before an earlier one
    ///
    /// Without `=`, they may. Where nobody can be asked, what is to be asked is denied.
    #[arg(long, value_name = "GLOB[=allow|ask|deny]", value_parser = parse_rule, requires = "tools")]
    tools_approve: Vec<(String, Approval)>,

    /// Requests with tools in one turn [default: 10]
    #[arg(long, value_name = "N", requires = "tools", value_parser = clap::value_parser!(u32).range(1..))]
    max_rounds: Option<u32>,

    /// How long one call of a tool may take, for example 500ms, 30s or 5m
    #[arg(long, value_name = "DURATION", requires = "tools", value_parser = parse_duration)]
    tool_timeout: Option<Duration>,
}

/// The tools that the user has allowed for as long as a conversation lasts.
#[derive(Clone, Debug, Default)]
pub(super) struct Allowed(Arc<Mutex<BTreeSet<String>>>);

impl ToolArgs {
    /// The tools as they are now; nothing where none are offered.
    pub(super) async fn toolbox(&self, host: &Host, allowed: &Allowed) -> Result<Option<Arc<Toolbox>>> {
        if self.tools.is_empty() {
            return Ok(None);
        }
        let mut toolbox = interrupt::unless(host.toolbox(&self.tools)).await?.map_err(Exit::of_lookup)?;
        for (names, approval) in &self.tools_approve {
            toolbox.approve(names, *approval).map_err(Exit::Usage)?;
        }
        if let Some(rounds) = self.max_rounds {
            toolbox.max_rounds(rounds);
        }
        if let Some(timeout) = self.tool_timeout {
            toolbox.timeout("*", timeout).map_err(Exit::Usage)?;
        }
        let allowed = allowed.clone();
        toolbox.on_ask(move |asked| {
            let allowed = allowed.clone();
            Box::pin(async move { allowed.decide(&asked).await })
        });
        Ok(Some(Arc::new(toolbox)))
    }
}

impl Allowed {
    fn tools(&self) -> std::sync::MutexGuard<'_, BTreeSet<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn decide(&self, asked: &AskedTool) -> bool {
        let name = &asked.definition.name;
        if self.tools().contains(name) {
            return true;
        }
        // What was said before the call is shown before the question.
        tokio::task::yield_now().await;
        let mut stderr = Stderr::new();
        if !somebody_is_there() {
            stderr.warning(&format!(
                "the call of {name} was denied, as nobody can be asked; `--tools-approve {name}` allows it"
            ));
            return false;
        }
        stderr.line(&shown(asked));
        // What was typed or pasted before the question is no answer to it.
        let _ = tcflush(io::stdin(), FlushArg::TCIFLUSH);
        stderr.question("Run it? [y]es, [n]o, [a]lways in this conversation: ");
        let Ok(line) = typed().await else { return false };
        match line.trim().to_ascii_lowercase().as_str() {
            "y" | "yes" => true,
            "a" | "always" => {
                self.tools().insert(name.clone());
                true
            }
            _ => false,
        }
    }
}

/// A line from the terminal. It is looked for, not waited for: a read that nobody waits for any more would take what is
/// typed next.
async fn typed() -> io::Result<String> {
    /// Nobody notices this after a key.
    const PAUSE: Duration = Duration::from_millis(30);
    // A terminal has something to read when a whole line is there.
    while rustix::io::ioctl_fionread(io::stdin())? == 0 {
        tokio::time::sleep(PAUSE).await;
    }
    let mut line = String::new();
    io::stdin().read_line(&mut line).map(|_| line)
}

/// The call with all its arguments, and nothing in it that a terminal obeys.
fn shown(asked: &AskedTool) -> String {
    let arguments = serde_json::to_string_pretty(&asked.arguments).unwrap_or_default();
    let lines: Vec<_> = arguments.lines().map(|line| format!("  {}", escaped(line))).collect();
    format!("The model wants to run {} with\n{}", escaped(&asked.definition.name), lines.join("\n"))
}

/// What became of a call: the tool, how long it took, and the first lines of its answer.
pub(super) fn ran(run: &ToolRun) -> (String, String) {
    /// Lines and characters of an answer that are shown: enough to see what it is.
    const LINES: usize = 3;
    const LONGEST: usize = 120;
    let arguments = run.arguments.as_ref().map(|arguments| serde_json::json!(arguments).to_string());
    let arguments = arguments.map(|arguments| format!(" {}", cut(&arguments, LONGEST))).unwrap_or_default();
    let word = if run.is_error { "failed" } else { "answered" };
    let head = match run.outcome {
        ToolOutcome::Ran => {
            format!("{}{arguments} {word} after {:.1?}", escaped(&run.name), run.duration)
        }
        ToolOutcome::Denied => format!("{}{arguments} was denied", escaped(&run.name)),
        _ => format!("{}{arguments} was not run", escaped(&run.name)),
    };
    let text = run.text();
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let mut shown: Vec<String> =
        lines.by_ref().take(LINES).map(|line| format!("  {}", cut(line, LONGEST))).collect();
    let more = lines.count();
    if more > 0 {
        shown.push(format!("  … {more} more lines"));
    }
    let media = run.output.iter().filter(|output| matches!(output, ToolOutput::Media(_))).count();
    if media > 0 {
        shown.push(format!("  and {media} media"));
    }
    (head, shown.join("\n"))
}

fn cut(line: &str, longest: usize) -> String {
    match line.char_indices().nth(longest) {
        Some((at, _)) => format!("{}…", escaped(&line[..at])),
        None => escaped(line).into_owned(),
    }
}

/// `GLOB` or `GLOB=allow|ask|deny`.
fn parse_rule(text: &str) -> Result<(String, Approval), String> {
    match text.rsplit_once('=') {
        Some((names, approval)) => {
            let approval = approval.parse().map_err(|failure: aimu_host::Failure| failure.message)?;
            Ok((names.to_owned(), approval))
        }
        None => Ok((text.to_owned(), Approval::Allow)),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_allows_unless_it_says_otherwise() {
        assert_eq!(parse_rule("git__*").unwrap(), ("git__*".to_owned(), Approval::Allow));
        assert_eq!(parse_rule("*=ask").unwrap(), ("*".to_owned(), Approval::Ask));
        assert!(parse_rule("x=maybe").unwrap_err().contains("allow, ask and deny"));
    }

    #[test]
    fn a_long_answer_is_folded_and_obeyed_by_no_terminal() {
        let run = ToolRun {
            id: "1".to_owned(),
            name: "t".to_owned(),
            arguments: Some(serde_json::Map::new()),
            outcome: ToolOutcome::Ran,
            output: vec![ToolOutput::Text(format!("a\u{1b}[2J\n{}\nb\nc\nd", "x".repeat(500)))],
            is_error: false,
            duration: Duration::from_millis(12),
        };
        let (head, text) = ran(&run);
        assert_eq!(head, "t {} answered after 12.0ms");
        assert!(text.starts_with("  a\\u{1b}[2J\n") && text.ends_with("  … 2 more lines"), "{text}");
        assert!(text.len() < 300, "{text}");
    }
}
