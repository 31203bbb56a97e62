//! `aimu-host doctor`: what there is, what works, and what to do about the rest.

use super::exit::Result;
use super::globals::Globals;
use super::interrupt;
use super::table::Table;
use super::terminal::Stdout;
use aimu_host::{
    Checkup, Failure, FailureKind, GrantState, KeyReport, KeyState, PluginReport, ServerReport, escaped,
};
use std::fmt::Write as _;

/// The arguments of `doctor`.
#[derive(Debug, clap::Args)]
pub(super) struct DoctorArgs {
    /// Print a JSON object
    #[arg(long)]
    json: bool,
}

impl DoctorArgs {
    /// Looks, and tells; fails where there is something to act on.
    pub(super) async fn run(self, globals: &Globals) -> Result<()> {
        let checkup = interrupt::unless(globals.builder(&[])?.checkup()).await?;
        let mut stdout = Stdout::new();
        if self.json {
            stdout.json(&checkup)?;
        } else {
            stdout.text(&report(&checkup))?;
        }
        stdout.flush()?;
        match checkup.problems.len() {
            0 => Ok(()),
            1 => Err(failed("one thing is")),
            number => Err(failed(&format!("{number} things are"))),
        }
    }
}

fn failed(what: &str) -> super::exit::Exit {
    let what = format!("{what} to be done; the report on stdout says what");
    Failure::new(FailureKind::InvalidRequest, what).into()
}

fn report(checkup: &Checkup) -> String {
    let versions = &checkup.versions;
    let mut text =
        format!("aimu-host {}, contract {}, {}\n\n", versions.program, versions.contract, versions.engine);
    text += &places(checkup);
    text += "\n";
    text += &plugins(&checkup.plugins);
    text += "\n";
    for (title, state) in [
        ("keys present", KeyState::Present),
        ("keys incomplete", KeyState::Incomplete),
        ("keys missing", KeyState::Missing),
    ] {
        let keys = checkup.keys.iter().filter(|key| key.state == state).map(key);
        list(&mut text, title, keys);
    }
    list(&mut text, "local servers", checkup.servers.iter().map(server));
    list(&mut text, "not checked", checkup.not_checked.iter().map(|what| (*what).to_owned()));
    if checkup.ok {
        text += "nothing is wrong\n";
    } else {
        list(&mut text, "to be done", checkup.problems.iter().map(|problem| one_line(problem)));
    }
    text
}

fn places(checkup: &Checkup) -> String {
    let mut table = Table::new(["PLACE", "MODE", "WRITABLE", "PATH"]);
    for place in &checkup.places {
        let mode = place.mode.as_deref().unwrap_or("not there");
        let writable = if place.writable { "yes" } else { "no" };
        let path = place.path.display().to_string();
        table.row([
            place.what.to_owned(),
            mode.to_owned(),
            if place.exists { writable } else { "-" }.to_owned(),
            escaped(&path).into_owned(),
        ]);
    }
    table.to_string()
}

fn plugins(plugins: &[PluginReport]) -> String {
    let mut table = Table::new(["PLUGIN", "STATE", "FROM"]);
    for plugin in plugins {
        let file = plugin.file.as_ref().map(|file| file.display().to_string());
        let from = file.as_deref().map_or("comes with the program".into(), escaped);
        table.row([escaped(&plugin.id).into_owned(), state(plugin).to_owned(), from.into_owned()]);
    }
    table.to_string()
}

fn state(plugin: &PluginReport) -> &'static str {
    match plugin.grants {
        _ if !plugin.ok => "can't be used",
        Some(GrantState::NotAllowed) => "not allowed yet",
        Some(GrantState::PartlyAllowed) => "allowed in part",
        Some(GrantState::Suspended) => "suspended",
        Some(GrantState::FirstParty | GrantState::NothingAsked | GrantState::Allowed) => "usable",
        None => "grants can't be read",
    }
}

fn key(key: &KeyReport) -> String {
    let optional = if key.required { "" } else { ", optional" };
    format!("{} ({}{optional})", escaped(&key.from), escaped(&key.provider))
}

fn server(server: &ServerReport) -> String {
    let url = server.base_url.as_deref().unwrap_or_default();
    let found = match (server.models, &server.reason) {
        (Some(1), _) => "1 model".to_owned(),
        (Some(models), _) => format!("{models} models"),
        (None, Some(reason)) => one_line(reason),
        (None, None) => "nobody answers".to_owned(),
    };
    format!("{} at {}: {found}", escaped(&server.provider), escaped(url))
}

/// A heading, and a line for each thing.
fn list(text: &mut String, title: &str, lines: impl Iterator<Item = String>) {
    let lines: Vec<String> = lines.collect();
    if !lines.is_empty() {
        // Writing to a `String` can't fail.
        let _ = write!(text, "{title}:\n  {}\n\n", lines.join("\n  "));
    }
}

fn one_line(text: &str) -> String {
    escaped(&text.split_whitespace().collect::<Vec<_>>().join(" ")).into_owned()
}
