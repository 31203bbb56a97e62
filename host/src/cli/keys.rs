//! `aimu-host keys`: keeps keys for providers, and says which there are. A key is never an argument, which other users
//! of the machine and the shell's history would see, and never printed.

use super::exit::{Exit, Result, told};
use super::globals::Globals;
use super::table::Table;
use super::terminal::{Stderr, Stdout};
use super::unseen;
use aimu_host::{Failure, FailureKind, Host, KeyEntry, KeyPlace, KeySource, Secret, escaped};
use serde_json::json;
use std::io::{self, IsTerminal, Read};

/// The most that is read of standard input: a key is a line.
const MOST_BYTES: u64 = 64 << 10;

/// The arguments of `keys`.
#[derive(Debug, clap::Subcommand)]
pub(super) enum KeysVerb {
    /// Keep a key for a provider: it is typed without being shown, or read from standard input
    ///
    /// It goes into the system's keyring, or where none can be reached, into keys.toml in the configuration folder, which
    /// only you can read. A key that was kept goes before the environment variables that a provider names.
    Set {
        /// The provider, as in PROVIDER:MODEL; or PROVIDER/CREDENTIAL or PROVIDER/FIELD, where it has several
        name: String,
        /// Where to keep it
        #[arg(long, value_name = "PLACE", value_enum)]
        store: Option<Store>,
        /// Print a JSON object
        #[arg(long)]
        json: bool,
    },
    /// List the keys that there are, where they come from and who uses them; never the keys
    List {
        /// Print a JSON array
        #[arg(long)]
        json: bool,
    },
    /// Forget a key that was kept
    Remove {
        /// The name that it was kept under
        name: String,
        /// Print a JSON object
        #[arg(long)]
        json: bool,
    },
}

/// Where a key is kept.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(super) enum Store {
    /// The system's keyring
    Keyring,
    /// keys.toml in the configuration folder
    File,
}

impl KeysVerb {
    /// Does it; with `--json`, a failure is an object, too.
    pub(super) async fn run(self, globals: &Globals) -> Result<()> {
        let (Self::Set { json, .. } | Self::List { json } | Self::Remove { json, .. }) = &self;
        let json = *json;
        let mut stdout = Stdout::new();
        let outcome = self.act(globals, json, &mut stdout).await;
        told(outcome, json, &mut stdout)
    }

    async fn act(self, globals: &Globals, json: bool, stdout: &mut Stdout) -> Result<()> {
        let host = globals.host(&[])?;
        match self {
            Self::Set { name, store, .. } => set(&host, &name, store, json, stdout).await,
            Self::List { .. } => list(&host, json, stdout).await,
            Self::Remove { name, .. } => {
                if !host.forget_key(&name).await? {
                    let what = "no key of that name is kept; `aimu-host keys list` has those that are";
                    return Err(Exit::Usage(Failure::new(FailureKind::NotFound, what)));
                }
                if json {
                    return Ok(stdout.json(&json!({ "ok": true, "name": name, "removed": true }))?);
                }
                Ok(stdout.text(&format!("the key `{}` is forgotten\n", escaped(&name)))?)
            }
        }
    }
}

async fn set(host: &Host, name: &str, store: Option<Store>, json: bool, stdout: &mut Stdout) -> Result<()> {
    let key = read(name)?;
    let place = store.map(|store| match store {
        Store::Keyring => KeyPlace::Keyring,
        Store::File => KeyPlace::File,
    });
    let kept = host.keep_key(name, key, place).await.map_err(Exit::of_lookup)?;
    let mut stderr = Stderr::new();
    if let Some(note) = &kept.note {
        stderr.warning(&format!("{note}: the key is kept in a file instead"));
    }
    let entry = host.keys().await?.into_iter().find(|entry| entry.name == name && is_kept(entry));
    let Some(entry) = entry else { return Ok(()) };
    if entry.used_by.is_empty() && entry.not_allowed.is_empty() {
        stderr.line(
            "note: no provider uses a key of this name now; `aimu-host keys list` says who uses which, and \
             `aimu-host plugins list` which providers there are",
        );
    }
    if json {
        return Ok(stdout.json(&object(&entry))?);
    }
    let place = place_in_words(host, &entry);
    Ok(stdout.text(&format!("the key `{}` is kept in {place}\n", escaped(name)))?)
}

/// The key: typed where somebody is, else the text of standard input.
fn read(name: &str) -> Result<Secret> {
    let failed = |error: io::Error| {
        Exit::Failed(Failure::new(FailureKind::Internal, format!("the key could not be read: {error}")))
    };
    let text = if io::stdin().is_terminal() {
        let typed = unseen::read(&format!("Key for {}: ", escaped(name)));
        Secret::new(typed.map_err(|error| match error.kind() {
            io::ErrorKind::Interrupted => Exit::Interrupted,
            _ => failed(error),
        })?)
    } else {
        let mut text = String::with_capacity(4096);
        let length = io::stdin().lock().take(MOST_BYTES + 1).read_to_string(&mut text);
        let text = Secret::new(text);
        if length.map_err(failed)? as u64 > MOST_BYTES {
            return Err(Exit::usage("standard input has more than 64 KiB, and a key is a line"));
        }
        text
    };
    text.into_line().map_err(|what| Exit::usage(format!("that is no key: it is {what}")))
}

async fn list(host: &Host, json: bool, stdout: &mut Stdout) -> Result<()> {
    let keys = host.keys().await?;
    if json {
        return Ok(stdout.json(&keys)?);
    }
    if keys.is_empty() {
        return Ok(stdout.text("there are no keys; `aimu-host keys set PROVIDER` keeps one\n")?);
    }
    let mut table = Table::new(["KEY", "FROM", "USED BY"]);
    for entry in &keys {
        let not_allowed = entry.not_allowed.iter().map(|name| format!("{} (not allowed)", escaped(name)));
        let users: Vec<String> =
            entry.used_by.iter().map(|name| escaped(name).into_owned()).chain(not_allowed).collect();
        let users = if users.is_empty() { "nothing".to_owned() } else { users.join(", ") };
        table.row([escaped(&entry.name).into_owned(), place_in_words(host, entry), users]);
    }
    Ok(stdout.text(&table.to_string())?)
}

fn is_kept(entry: &KeyEntry) -> bool {
    matches!(entry.source, KeySource::Keyring | KeySource::KeysFile)
}

fn place_in_words(host: &Host, entry: &KeyEntry) -> String {
    match entry.source {
        KeySource::Keyring => "the system's keyring".to_owned(),
        KeySource::KeysFile => {
            let file = host.keys_file().map(|file| file.display().to_string());
            escaped(&file.unwrap_or_default()).into_owned()
        }
        other => other.as_str().to_owned(),
    }
}

fn object(entry: &KeyEntry) -> serde_json::Value {
    let mut object = json!(entry);
    object["ok"] = json!(true);
    object
}
