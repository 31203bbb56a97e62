//! `aimu-host plugins`: which components there are, where they come from, and what they may use.

mod decide;
mod files;
mod listing;

use super::exit::{Result, told};
use super::globals::{Globals, LOCK_FILE};
use super::terminal::Stdout;
use std::path::PathBuf;

/// The arguments of `plugins`.
#[derive(Debug, clap::Subcommand)]
pub(super) enum PluginsVerb {
    /// List the components that there are, broken ones with the reason
    List {
        /// Print a JSON array
        #[arg(long)]
        json: bool,
    },
    /// Say what a component is, what it asks for and what it may use, without letting it reach anything
    Inspect {
        /// The component's file, or the id of a plugin in the list
        file: PathBuf,
        /// Print a JSON object
        #[arg(long)]
        json: bool,
    },
    /// Let a component that did not come with the program have what it asks for, or some of it
    ///
    /// What it asks for is shown first; at a terminal you are asked once. Servers and keys that are named are added to
    /// what it is allowed already.
    Allow(decide::AllowArgs),
    /// Take back all that a plugin was allowed; from now on its requests are refused
    Revoke {
        /// The plugin's id
        name: String,
        /// Print a JSON object
        #[arg(long)]
        json: bool,
    },
    /// Copy a component into your plugin folder, once it has been looked at; it is allowed nothing by that
    Add {
        /// The component's file
        file: PathBuf,
        /// Put it in the place of the component that has its id, in a single step; programs that run take it up
        ///
        /// What was allowed the one before holds as for any component that has changed: one that asks for more is
        /// suspended until you have seen the difference.
        #[arg(long)]
        replace: bool,
        /// Print a JSON object
        #[arg(long)]
        json: bool,
    },
    /// Delete a component from a plugin folder, a broken one too, and take back what it was allowed
    Remove {
        /// The plugin's id, or its file's name or path
        name: String,
        /// Print a JSON object
        #[arg(long)]
        json: bool,
    },
    /// Write a lock file of the components in the plugin folders, for --locked
    Lock {
        /// The lock file
        #[arg(long, value_name = "FILE", default_value = LOCK_FILE)]
        output: PathBuf,
        /// Print what was written as a JSON object
        #[arg(long)]
        json: bool,
    },
}

impl PluginsVerb {
    /// Does it; with `--json`, a failure is an object, too.
    pub(super) async fn run(self, globals: &Globals) -> Result<()> {
        // `inspect` has said what is wrong with a component already.
        let json = self.json() && !matches!(self, Self::Inspect { .. });
        let mut stdout = Stdout::new();
        let outcome = self.act(globals, &mut stdout).await;
        told(outcome, json, &mut stdout)
    }

    fn json(&self) -> bool {
        match self {
            Self::Allow(args) => args.json,
            Self::List { json }
            | Self::Inspect { json, .. }
            | Self::Revoke { json, .. }
            | Self::Add { json, .. }
            | Self::Remove { json, .. }
            | Self::Lock { json, .. } => *json,
        }
    }

    async fn act(self, globals: &Globals, stdout: &mut Stdout) -> Result<()> {
        let host = globals.host(&[])?;
        match self {
            Self::List { json } => listing::list(&host, json, stdout).await,
            Self::Inspect { file, json } => listing::inspect(&host, file, json, stdout).await,
            Self::Allow(args) => args.run(&host, stdout).await,
            Self::Revoke { name, json } => decide::revoke(&host, &name, json, stdout).await,
            Self::Add { file, replace, json } => files::add(&host, file, replace, json, stdout).await,
            Self::Remove { name, json } => files::remove(&host, &name, json, stdout).await,
            Self::Lock { output, json } => files::lock(&host, &output, json, stdout).await,
        }
    }
}
