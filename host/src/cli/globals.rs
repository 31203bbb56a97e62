//! Options that every verb takes: which plugins there are, and what they may do.

use super::consent;
use super::exit::{Exit, Result};
use super::terminal::Stderr;
use aimu_host::{Host, HostBuilder, Limits};
use std::path::PathBuf;
use std::time::Duration;

/// The lock file where none is named.
pub(super) const LOCK_FILE: &str = "plugins.lock";

/// Where plugins are, and what they may do.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Global options")]
pub(super) struct Globals {
    /// A folder of provider components (*.wasm); can be given several times
    ///
    /// Default: ./plugins and the folder `plugins` in the user's data folder. Those that come with the program are
    /// there always.
    #[arg(long = "plugins", value_name = "DIR", global = true)]
    folders: Vec<PathBuf>,

    /// The configuration file, instead of the user's config.toml
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,

    /// For this run, grant plugins the origins and keys that they declare; `plugins allow` keeps it
    ///
    /// Those that come with the program have theirs anyway. `aimu-host plugins inspect FILE` says what one asks for.
    #[arg(long, global = true)]
    allow: bool,

    /// Refuse plugins that neither came with the program nor stand in a lock file, by default ./plugins.lock
    ///
    /// It restricts what you have allowed to what it states, and allows nothing. `aimu-host plugins lock` writes one.
    #[arg(
        long,
        value_name = "FILE",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = LOCK_FILE,
        global = true
    )]
    locked: Option<PathBuf>,

    /// Fetch attached URLs from this server of your machine or network too; can be given several times
    ///
    /// Where a provider takes no URLs, the host fetches them, from the internet alone unless this names a server.
    #[arg(long, value_name = "ORIGIN", global = true)]
    allow_media_from: Vec<String>,

    /// A limit of each call, for example memory=512m or first-byte=10m; can be given several times
    #[arg(
        long = "limit",
        value_name = "NAME=VALUE",
        value_parser = parse_limit,
        global = true,
        long_help = format!(
            "A limit of each call, for example memory=512m or first-byte=10m; can be given several times\n\n\
             There are {}. Sizes take k, m or g, times ms, s, m or h.",
            Limits::NAMES.join(", ")
        )
    )]
    limits: Vec<(String, String)>,

    /// Say more on stderr of what happens; -vv and -vvv say even more
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    pub(super) verbose: u8,
}

impl Globals {
    /// The host as these options have it.
    pub(super) fn host(&self, call_limits: &[(&str, &str)]) -> Result<Host> {
        for folder in self.folders.iter().filter(|folder| !folder.exists()) {
            Stderr::new().warning(&format!("the plugin folder {} is not there", folder.display()));
        }
        self.builder(call_limits)?.build().map_err(Exit::of_lookup)
    }

    /// The same, not yet built.
    pub(super) fn builder(&self, call_limits: &[(&str, &str)]) -> Result<HostBuilder> {
        let mut limits = Limits::default();
        let given = self.limits.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        for (name, value) in given.chain(call_limits.iter().copied()) {
            limits.set(name, value).map_err(Exit::Usage)?;
        }
        let notice = |text: &str| Stderr::new().line(&format!("note: {text}"));
        let mut builder = Host::builder().limits(limits).allow(self.allow).on_notice(notice).compile_apart();
        builder = builder.unattended(!consent::somebody_is_there());
        for origin in &self.allow_media_from {
            builder = builder.allow_media_from(origin);
        }
        for folder in &self.folders {
            builder = builder.plugin_dir(folder);
        }
        if let Some(file) = &self.config {
            builder = builder.config_file(file);
        }
        if let Some(file) = &self.locked {
            builder = builder.locked(file);
        }
        Ok(builder)
    }
}

/// `name=value`, checked here so that clap says which argument is wrong.
fn parse_limit(text: &str) -> Result<(String, String), String> {
    let (name, value) = split_pair(text)?;
    Limits::default().set(name, value).map_err(|failure| failure.message)?;
    Ok((name.to_owned(), value.to_owned()))
}

/// A time such as `30s`, as limits have it.
pub(super) fn parse_duration(text: &str) -> Result<Duration, String> {
    let mut limits = Limits::default();
    match limits.set("total", text) {
        Ok(()) => Ok(limits.total),
        Err(_) => Err("write a time such as 500ms, 30s or 5m".to_owned()),
    }
}

/// Both sides of `key=value`.
pub(super) fn split_pair(text: &str) -> Result<(&str, &str), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => Ok((key.trim(), value)),
        _ => Err("write it as key=value".to_owned()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_checked_where_it_is_written() {
        assert_eq!(parse_limit("memory=64m").unwrap(), ("memory".to_owned(), "64m".to_owned()));
        assert!(parse_limit("memroy=1").unwrap_err().contains("memroy"));
        assert!(parse_limit("memory").unwrap_err().contains("key=value"));
    }

    #[test]
    fn a_value_may_hold_an_equals_sign() {
        assert_eq!(split_pair("a=b=c").unwrap(), ("a", "b=c"));
        assert!(split_pair("=b").is_err());
    }
}
