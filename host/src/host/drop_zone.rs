//! Components in and out of the user's plugin folder.

use super::builder::quoted;
use super::grants::first_party;
use super::{Host, PluginEntry};
use crate::grants::escaped;
use crate::model::{Failure, FailureKind, Result};
use crate::plugins::Plugin;
use crate::sandbox::{inspect, read_component};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

impl Host {
    /// Copies a component into the user's plugin folder (the first one that was named, where some were), under its id.
    /// What is copied is what was looked at. It is allowed nothing by this.
    ///
    /// # Errors
    /// It can't be used, its id is taken, or the folder can't be written.
    pub async fn add_plugin(&self, file: impl Into<PathBuf>) -> Result<PluginEntry> {
        self.put(file.into(), false).await
    }

    /// The same, and where a file in the plugin folders has its id already, it is exchanged, where it lies, for this one
    /// in a single step. What was allowed the one before holds as for any component that has changed.
    ///
    /// # Errors
    /// As [`Host::add_plugin`], or several files have its id.
    pub async fn replace_plugin(&self, file: impl Into<PathBuf>) -> Result<PluginEntry> {
        self.put(file.into(), true).await
    }

    async fn put(&self, file: PathBuf, replace: bool) -> Result<PluginEntry> {
        let shown = escaped(&file.display().to_string()).into_owned();
        let about =
            |failure: Failure| Failure { message: format!("{shown}: {}", failure.message), ..failure };
        let bytes = read_component(&file, self.0.limits.component).map_err(about)?;
        inspect(&bytes).map_err(about)?;
        // What it says of itself, from these very bytes.
        let label = file.file_stem().unwrap_or_default().to_string_lossy();
        let loaded = self.0.plugins.open_bytes(&bytes, &label).await.map_err(about)?;
        let id = loaded.description().id.clone();
        self.not_reserved(&id)?;
        let path = self.place(&id, &file, replace).await?;
        write_component(&path, &bytes, replace).map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => taken(
                &id,
                &format!(
                    "there is a file {}; {} replaces it",
                    escaped(&path.display().to_string()),
                    self.replacing(&file)
                ),
            ),
            _ => {
                let folder = path.parent().unwrap_or(Path::new("")).display().to_string();
                Failure::new(
                    FailureKind::Denied,
                    format!("can't write the plugin folder {}: {error}", escaped(&folder)),
                )
            }
        })?;
        self.0.plugins.changed(&path);
        Ok(self.entry(&Plugin { id, file: Some(path), state: Ok(loaded), broken: None }))
    }

    /// The command that puts a file in the place of another.
    fn replacing(&self, file: &Path) -> String {
        format!("`aimu-host plugins add {} --replace{}`", quoted(file), self.0.options)
    }

    /// Where the component of an id is to lie.
    async fn place(&self, id: &str, file: &Path, replace: bool) -> Result<PathBuf> {
        let Some(folder) = &self.0.drop_zone else {
            let what = "there is no folder for plugins: set HOME, XDG_DATA_HOME or AIMU_HOST_HOME";
            return Err(Failure::new(FailureKind::Denied, what));
        };
        let path = folder.join(format!("{id}.wasm"));
        let all = self.0.plugins.third_party().await;
        let of_id: Vec<&Path> =
            all.iter().filter(|plugin| plugin.id == id).filter_map(|plugin| plugin.file.as_deref()).collect();
        let shown = |path: &Path| escaped(&path.display().to_string()).into_owned();
        match of_id[..] {
            [] => match all.iter().find(|plugin| plugin.file.as_ref() == Some(&path) && plugin.state.is_ok())
            {
                // Only what is broken makes room for a component of another id.
                Some(other) => Err(taken(
                    id,
                    &format!(
                        "its file would be {}, which is that of the plugin `{}`; rename that one",
                        shown(&path),
                        escaped(&other.id)
                    ),
                )),
                None => Ok(path),
            },
            [one] if replace => Ok(one.to_owned()),
            [one] => {
                Err(taken(id, &format!("{} has it; {} replaces that one", shown(one), self.replacing(file))))
            }
            _ => {
                let files: Vec<String> = of_id.iter().map(|file| shown(file)).collect();
                Err(taken(
                    id,
                    &format!(
                        "several files have it; keep one with `aimu-host plugins remove FILE`: {}",
                        files.join(", ")
                    ),
                ))
            }
        }
    }

    /// Fails if an id is a name of the program's or of the configuration's.
    fn not_reserved(&self, id: &str) -> Result<()> {
        if self.0.plugins.embedded_ids().any(|shipped| shipped == id)
            || self.0.presets.providers.contains_key(id)
            || self.0.native.contains_key(id)
        {
            return Err(taken(id, "it is the name of a provider that comes with the program"));
        }
        if self.0.config.providers.contains_key(id) {
            return Err(taken(id, &format!("config.toml has a provider of that name, `[providers.{id}]`")));
        }
        Ok(())
    }

    /// Deletes a component from a plugin folder, a broken or refused one too, and takes back what it was allowed unless
    /// another file has its id. `name` is its id, or its file's path or name. Gives the file that was deleted.
    ///
    /// # Errors
    /// There is no such component in the plugin folders, there are several, or it can't be deleted. Grants that could not
    /// be taken back are an error too; the file is gone then.
    pub async fn remove_plugin(&self, name: &str) -> Result<PathBuf> {
        let all = self.0.plugins.third_party().await;
        let files: Vec<(&Plugin, &Path)> =
            all.iter().filter_map(|plugin| Some((plugin, plugin.file.as_deref()?))).collect();
        let is_file = |file: &Path| {
            file.file_name().is_some_and(|own| own == name)
                || (name.contains('/') && std::path::absolute(file).ok() == std::path::absolute(name).ok())
        };
        let mut named: Vec<_> = files.iter().filter(|(_, file)| is_file(file)).collect();
        if named.is_empty() {
            named = files.iter().filter(|(plugin, _)| plugin.id == name).collect();
        }
        let (plugin, file) = match named[..] {
            [one] => *one,
            [] if self.0.plugins.embedded_ids().any(|id| id == name) => return Err(first_party(name)),
            [] => return Err(self.no_plugin(name).await),
            _ => {
                let files: Vec<String> =
                    named.iter().map(|(_, file)| escaped(&file.display().to_string()).into_owned()).collect();
                let what =
                    format!("`{}` is more than one file; name one of {}", escaped(name), files.join(", "));
                return Err(Failure::new(FailureKind::InvalidRequest, what));
            }
        };
        let shown = escaped(&file.display().to_string()).into_owned();
        std::fs::remove_file(file)
            .map_err(|error| Failure::new(FailureKind::Denied, format!("can't delete {shown}: {error}")))?;
        self.0.plugins.changed(file);
        if !files.iter().any(|(other, path)| other.id == plugin.id && *path != file) {
            self.forget(&plugin.id, file).await.map_err(|failure| Failure {
                message: format!(
                    "{shown} is deleted, but what it was allowed is not taken back: {}",
                    failure.message
                ),
                ..failure
            })?;
        }
        Ok(file.to_owned())
    }
}

/// Writes a component as a whole or not at all; with `replace` in the place of what is there.
fn write_component(path: &Path, bytes: &[u8], replace: bool) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    // Under a name that no listing takes for a component's.
    let mode = std::fs::Permissions::from_mode(0o644);
    let mut copy = tempfile::Builder::new().prefix(".adding-").permissions(mode).tempfile_in(folder)?;
    copy.write_all(bytes)?;
    copy.as_file().sync_all()?;
    let kept = if replace { copy.persist(path) } else { copy.persist_noclobber(path) };
    kept.map(drop).map_err(|error| error.error)
}

fn taken(id: &str, why: &str) -> Failure {
    Failure::new(FailureKind::Denied, format!("the id `{id}` is taken: {why}"))
}
