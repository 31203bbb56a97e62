//! `aimu-host mcp`: which MCP servers the configuration names, and whether they work.

use super::exit::{Exit, Result, object, told};
use super::globals::Globals;
use super::interrupt;
use super::table::Table;
use super::terminal::Stdout;
use aimu_host::{Failure, FailureKind, Host, McpCheck, McpServer, McpState, McpWay, escaped};
use futures::future::join_all;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// The arguments of `mcp`.
#[derive(Debug, clap::Subcommand)]
pub(super) enum McpVerb {
    /// List the MCP servers that the configuration names, without starting them
    List {
        /// Print a JSON array
        #[arg(long)]
        json: bool,
    },
    /// Start MCP servers and list their tools; the exit code is 1 where something is wrong
    Check {
        /// The servers; all that are not disabled, if none is named
        #[arg(value_name = "NAME")]
        names: Vec<String>,
        /// Print a JSON array
        #[arg(long)]
        json: bool,
    },
}

impl McpVerb {
    /// Does it; with `--json`, a failure is an object, too.
    pub(super) async fn run(self, globals: &Globals) -> Result<()> {
        let mut stdout = Stdout::new();
        match self {
            Self::List { json } => {
                let outcome = globals.host(&[]).and_then(|host| list(&host, json, &mut stdout));
                told(outcome, json, &mut stdout)
            }
            Self::Check { names, json } => {
                let checks = interrupt::unless(checks(globals, names)).await.and_then(|checks| checks);
                let checks = match checks {
                    Ok(checks) => checks,
                    Err(exit) => return told(Err(exit), json, &mut stdout),
                };
                if json {
                    stdout.json(&checks.iter().map(report).collect::<Vec<_>>())?;
                } else {
                    stdout.text(&in_words(&checks))?;
                }
                stdout.flush()?;
                match checks.iter().filter(|check| !check.is_ok()).count() {
                    0 => Ok(()),
                    1 => Err(broken("one MCP server is")),
                    number => Err(broken(&format!("{number} MCP servers are"))),
                }
            }
        }
    }
}

fn broken(what: &str) -> Exit {
    let what = format!("{what} not as they should be; the report on stdout says why");
    Failure::new(FailureKind::InvalidRequest, what).into()
}

fn list(host: &Host, json: bool, stdout: &mut Stdout) -> Result<()> {
    let servers = host.mcp_servers();
    if json {
        return Ok(stdout.json(&servers)?);
    }
    if servers.is_empty() {
        return Ok(stdout.text("there are no MCP servers; `[mcp.NAME]` in config.toml names one\n")?);
    }
    let mut table = Table::new(["SERVER", "REACHED BY", "STATE"]);
    for server in &servers {
        table.row([escaped(&server.name).into_owned(), way(server), state(server)]);
    }
    Ok(stdout.text(&table.to_string())?)
}

fn way(server: &McpServer) -> String {
    match &server.way {
        McpWay::Command(program) => format!("the program {}", escaped(program)),
        McpWay::Url(url) => escaped(url).into_owned(),
        McpWay::None => "-".to_owned(),
    }
}

fn state(server: &McpServer) -> String {
    match (server.state, &server.reason) {
        (McpState::Usable, _) => "usable".to_owned(),
        (McpState::Disabled, _) => "disabled".to_owned(),
        (McpState::Wrong, reason) => format!("wrong: {}", escaped(reason.as_deref().unwrap_or_default())),
    }
}

/// Looks at servers, all at once.
async fn checks(globals: &Globals, names: Vec<String>) -> Result<Vec<McpCheck>> {
    let host = globals.host(&[])?;
    let names = if names.is_empty() {
        let enabled = host.mcp_servers().into_iter().filter(|server| server.state != McpState::Disabled);
        enabled.map(|server| server.name).collect()
    } else {
        names
    };
    let checks = join_all(names.iter().map(|name| host.mcp_check(name))).await;
    checks.into_iter().collect::<Result<_, _>>().map_err(Exit::of_lookup)
}

fn report(check: &McpCheck) -> Value {
    let mut report = json!({
        "name": check.name,
        "ok": check.is_ok(),
        "protocol": check.protocol,
        "about": check.about,
        "milliseconds": u64::try_from(check.time.as_millis()).unwrap_or(u64::MAX),
        "problems": check.problems,
    });
    match &check.tools {
        Ok(tools) => {
            report["tools"] = tools.iter().map(|tool| tool.definition().name.as_str()).collect();
        }
        Err(failure) => report["error"] = object(failure),
    }
    report
}

fn in_words(checks: &[McpCheck]) -> String {
    if checks.is_empty() {
        return "there are no MCP servers to look at; `aimu-host mcp list` has those that are disabled\n"
            .to_owned();
    }
    let mut text = String::new();
    for check in checks {
        let name = escaped(&check.name);
        // Writing to a `String` can't fail.
        let _ = match &check.tools {
            Ok(tools) => {
                let about =
                    check.about.as_deref().map(|about| format!("{}, ", escaped(about))).unwrap_or_default();
                let protocol = escaped(check.protocol.as_deref().unwrap_or("unknown"));
                let number = tools.len();
                let seconds = check.time.as_secs_f64();
                let plural = if number == 1 { "" } else { "s" };
                writeln!(text, "{name}: {about}protocol {protocol}, {number} tool{plural}, {seconds:.1} s")
            }
            Err(failure) => writeln!(text, "{name}: {}", escaped(&failure.message)),
        };
        for tool in check.tools.iter().flatten() {
            let _ = writeln!(text, "  {}", escaped(&tool.definition().name));
        }
        for problem in &check.problems {
            let _ = writeln!(text, "  problem: {}", escaped(problem));
        }
    }
    text
}
