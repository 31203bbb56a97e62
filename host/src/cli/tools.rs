//! `aimu-host tools`: what tools there are, and one of them run by hand.

use super::call::read_document;
use super::exit::{Exit, Result, told};
use super::globals::Globals;
use super::interrupt;
use super::table::Table;
use super::terminal::{Stderr, Stdout};
use aimu_host::{Failure, FailureKind, ToolEntry, ToolOutput, ToolReply, escaped};
use serde_json::{Value, json};

/// What is done with tools.
#[derive(Debug, clap::Subcommand)]
pub(super) enum ToolsVerb {
    /// List tools that a conversation can offer with -T
    List(ListArgs),
    /// Show what a tool is: its description, its arguments, and whether somebody is asked before a call
    Inspect(InspectArgs),
    /// Run one tool, as a model's call of it is run
    Call(ToolCallArgs),
}

#[derive(Debug, clap::Args)]
pub(super) struct ListArgs {
    /// Only tools whose name or source fits: a glob; can be given several times
    #[arg(short = 'T', long = "tool", value_name = "NAME|GLOB")]
    tools: Vec<String>,

    /// Print one JSON value
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct InspectArgs {
    /// The tool, or a source of tools
    name: String,

    /// Print one JSON value
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  aimu-host tools call calculate '{\"expression\": \"2^64\"}'
  aimu-host tools call files_read=notes '{\"path\": \"today.md\"}'")]
pub(super) struct ToolCallArgs {
    /// The tool; `files_read=FOLDER` and `files_list=FOLDER` name the folder, too
    name: String,

    /// Its arguments, a JSON object, or `-` for standard input
    #[arg(value_name = "JSON|-", default_value = "{}")]
    arguments: String,

    /// How long it may take, for example 500ms, 30s or 5m
    #[arg(long, value_name = "DURATION", value_parser = super::globals::parse_duration)]
    tool_timeout: Option<std::time::Duration>,

    /// Print one JSON object, also when the call fails
    #[arg(long)]
    json: bool,
}

impl ToolsVerb {
    /// Does it.
    pub(super) async fn run(self, globals: &Globals) -> Result<()> {
        let mut stdout = Stdout::new();
        match self {
            Self::List(args) => {
                let outcome = list(&args, globals, &mut stdout).await;
                told(outcome, args.json, &mut stdout)
            }
            Self::Inspect(args) => {
                let outcome = inspect(&args, globals, &mut stdout).await;
                told(outcome, args.json, &mut stdout)
            }
            Self::Call(args) => match call(&args, globals).await {
                Ok(reply) => print(&reply, args.json, &mut stdout),
                Err(exit) => told(Err(exit), args.json, &mut stdout),
            },
        }
    }
}

async fn entries(patterns: &[String], globals: &Globals) -> Result<Vec<ToolEntry>> {
    let host = globals.host(&[])?;
    interrupt::unless(host.tools(patterns)).await?.map_err(Exit::of_lookup)
}

async fn list(args: &ListArgs, globals: &Globals, stdout: &mut Stdout) -> Result<()> {
    let entries = entries(&args.tools, globals).await?;
    if args.json {
        return Ok(stdout.json(&entries.iter().map(object).collect::<Vec<_>>())?);
    }
    let mut table = Table::new(["TOOL", "SOURCE", "CALLS", "WHAT IT DOES"]);
    let mut stderr = Stderr::new();
    for entry in &entries {
        match &entry.tool {
            Ok((definition, approval)) => table.row([
                escaped(&definition.name).into_owned(),
                escaped(&entry.source).into_owned(),
                approval.to_string(),
                short(&definition.description),
            ]),
            Err(failure) => {
                stderr.warning(&format!("{} has no tools now: {}", escaped(&entry.source), failure.message));
            }
        }
    }
    Ok(stdout.text(&table.to_string())?)
}

async fn inspect(args: &InspectArgs, globals: &Globals, stdout: &mut Stdout) -> Result<()> {
    let entries = entries(std::slice::from_ref(&args.name), globals).await?;
    if args.json {
        let objects: Vec<Value> = entries.iter().map(object).collect();
        match &objects[..] {
            [one] => stdout.json(one)?,
            several => stdout.json(&several)?,
        }
        return Ok(());
    }
    for entry in &entries {
        let ToolEntry { source, kind, tool } = entry;
        let (definition, approval) = tool.as_ref().map_err(|failure| Exit::Failed(failure.clone()))?;
        let lines: Vec<_> =
            definition.description.lines().map(|line| format!("  {}", escaped(line))).collect();
        let schema = serde_json::to_string_pretty(&definition.parameters).unwrap_or_default();
        let schema: Vec<_> = schema.lines().map(|line| format!("  {}", escaped(line))).collect();
        stdout.text(&format!(
            "{}\n{}\nsource     {} ({})\ncalls      {approval}\narguments\n{}\n",
            escaped(&definition.name),
            lines.join("\n"),
            escaped(source),
            json!(kind).as_str().unwrap_or_default(),
            schema.join("\n"),
        ))?;
    }
    Ok(())
}

/// Runs the tool. Who types its name and arguments has decided about them.
async fn call(args: &ToolCallArgs, globals: &Globals) -> Result<ToolReply> {
    let arguments = match args.arguments.as_str() {
        "-" => String::from_utf8(read_document("-")?)
            .map_err(|_| Exit::usage("the arguments on standard input are not UTF-8"))?,
        given => given.to_owned(),
    };
    let host = globals.host(&[])?;
    let pattern = std::slice::from_ref(&args.name);
    let mut toolbox = interrupt::unless(host.toolbox(pattern)).await?.map_err(Exit::of_lookup)?;
    if let Some(timeout) = args.tool_timeout {
        toolbox.timeout("*", timeout).map_err(Exit::Usage)?;
    }
    let name = args.name.split_once('=').map_or(args.name.as_str(), |(name, _)| name);
    interrupt::unless(toolbox.call(name, &arguments)).await?.map_err(Exit::of_lookup)
}

fn print(reply: &ToolReply, json: bool, stdout: &mut Stdout) -> Result<()> {
    if json {
        stdout.json(&json!({ "ok": !reply.is_error, "output": reply.output }))?;
    } else if !reply.is_error {
        for output in &reply.output {
            match output {
                ToolOutput::Text(text) => stdout.text(text)?,
                ToolOutput::Json(value) => stdout.json(value)?,
                ToolOutput::Media(media) => {
                    let what = format!("the answer holds {}, which only --json can print", media.mime_type);
                    Stderr::new().warning(&what);
                }
            }
            stdout.end_line()?;
        }
    }
    stdout.flush()?;
    if reply.is_error {
        let texts = reply.output.iter().filter_map(|output| match output {
            ToolOutput::Text(text) => Some(text.as_str()),
            _ => None,
        });
        let what = texts.collect::<Vec<_>>().join(" ");
        return Err(Failure::new(FailureKind::Server, what).into());
    }
    Ok(())
}

fn object(entry: &ToolEntry) -> Value {
    let ToolEntry { source, kind, tool } = entry;
    match tool {
        Ok((definition, approval)) => json!({
            "name": definition.name,
            "source": source,
            "kind": kind,
            "description": definition.description,
            "parameters": definition.parameters,
            "approval": approval.to_string(),
        }),
        Err(failure) => json!({ "source": source, "kind": kind, "error": super::exit::object(failure) }),
    }
}

/// As much of a description as fits a line.
fn short(description: &str) -> String {
    const LONGEST: usize = 72;
    let line = description.lines().next().unwrap_or_default();
    let cut: String = line.chars().take(LONGEST).collect();
    let dots = if cut.len() < description.trim_end().len() { "…" } else { "" };
    format!("{}{dots}", escaped(&cut))
}
