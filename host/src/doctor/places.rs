//! Folders and files: whether they are there, who may write them, and what is wrong with that.

use crate::grants::escaped;
use crate::host::HostBuilder;
use crate::ownership::{is_ours, others_can_write};
use nix::unistd::{AccessFlags, access};
use serde::Serialize;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// A folder or a file that the program uses.
#[derive(Clone, Debug, Serialize)]
pub struct Place {
    /// What it is for.
    pub what: &'static str,
    /// Where it is.
    pub path: PathBuf,
    /// It is there.
    pub exists: bool,
    /// Its permissions, as `700`.
    pub mode: Option<String>,
    /// Whether this user may write it.
    pub writable: bool,
    /// What is wrong with it.
    pub problem: Option<String>,
}

/// What a place has to be.
#[derive(Clone, Copy, PartialEq)]
enum Rule {
    /// Nobody else may write it.
    Guarded,
    /// Nobody else may write it, and this user may.
    Written,
    /// Nobody else may enter it, and this user may write it.
    Private,
    /// Anything that can be read.
    Open,
}

/// All places, with what is wrong about them added to the problems.
pub(super) fn look(builder: &HostBuilder, problems: &mut Vec<String>) -> Vec<Place> {
    let home = builder.home_folders();
    let mut places = Vec::new();
    let mut add = |what, path: Option<PathBuf>, rule| {
        if let Some(path) = path {
            places.push(Place::of(what, &path, rule));
        }
    };
    add("configuration", home.config_dir(), Rule::Guarded);
    add("configuration file", builder.config_path(), Rule::Guarded);
    add("grants", home.grants_file(), Rule::Guarded);
    add("data", home.data_dir(), Rule::Written);
    add("cache", home.cache_dir(), Rule::Private);
    for path in builder.plugin_folders() {
        add("plugins", Some(path), Rule::Open);
    }
    let named = builder.names_folders();
    for place in places.iter_mut().filter(|place| named && place.what == "plugins" && !place.exists) {
        place.problem = Some("it was named, and is not there".to_owned());
    }
    let wrong = places.iter().filter_map(|place| {
        let path = place.path.display().to_string();
        Some(format!("{} ({}): {}", escaped(&path), place.what, place.problem.as_ref()?))
    });
    problems.extend(wrong);
    places
}

impl Place {
    fn of(what: &'static str, path: &Path, rule: Rule) -> Self {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let mut place =
            Self { what, path: path.clone(), exists: true, mode: None, writable: false, problem: None };
        match std::fs::metadata(&path) {
            Ok(metadata) => {
                place.mode = Some(format!("{:o}", metadata.mode() & 0o7777));
                place.writable = access(&path, AccessFlags::W_OK).is_ok();
                place.problem = wrong(&path, &metadata, rule);
            }
            Err(error) => {
                place.exists = error.kind() != ErrorKind::NotFound;
                // What is not there is made when it is needed.
                place.problem = place.exists.then(|| format!("it can't be looked at: {error}"));
            }
        }
        place
    }
}

fn wrong(path: &Path, metadata: &std::fs::Metadata, rule: Rule) -> Option<String> {
    let mode = metadata.mode() & 0o777;
    let shown = path.display().to_string();
    let shown = escaped(&shown);
    let read = if metadata.is_dir() { AccessFlags::R_OK | AccessFlags::X_OK } else { AccessFlags::R_OK };
    if access(path, read).is_err() {
        return Some("it can't be read by this user".to_owned());
    }
    match rule {
        Rule::Open if mode & 0o002 != 0 => {
            Some(format!("everybody can exchange components in it (mode {mode:o}): `chmod o-w '{shown}'`"))
        }
        Rule::Open => None,
        _ if !is_ours(metadata) => Some("it belongs to another user".to_owned()),
        Rule::Guarded | Rule::Written if others_can_write(metadata) => {
            Some(format!("others can write it (mode {mode:o}): `chmod go-w '{shown}'`"))
        }
        Rule::Private if mode & 0o077 != 0 => {
            Some(format!("others can enter it, and so it is not used (mode {mode:o}): `chmod 700 '{shown}'`"))
        }
        // A configuration may well be kept by somebody else.
        Rule::Guarded => None,
        Rule::Written | Rule::Private => access(path, AccessFlags::W_OK)
            .is_err()
            .then(|| format!("this user can't write it: `chmod u+w '{shown}'`")),
    }
}
