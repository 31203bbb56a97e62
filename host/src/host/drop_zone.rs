//! Components in and out of the user's plugin folder.

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
        let file = file.into();
        let shown = escaped(&file.display().to_string()).into_owned();
        let about =
            |failure: Failure| Failure { message: format!("{shown}: {}", failure.message), ..failure };
        let Some(folder) = &self.0.drop_zone else {
            let what = "there is no folder for plugins: set HOME, XDG_DATA_HOME or AIMU_HOST_HOME";
            return Err(Failure::new(FailureKind::Denied, what));
        };
        let bytes = read_component(&file, self.0.limits.component).map_err(about)?;
        inspect(&bytes).map_err(about)?;
        let failed = |error: std::io::Error| {
            let folder = folder.display().to_string();
            Failure::new(
                FailureKind::Denied,
                format!("can't write the plugin folder {}: {error}", escaped(&folder)),
            )
        };
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
        // In a folder within, so that no listing takes it for a component before it has been looked at; under its own name,
        // which messages have.
        let aside = tempfile::Builder::new().prefix(".adding-").tempdir_in(folder).map_err(failed)?;
        let mode = std::fs::Permissions::from_mode(0o644);
        let name = file.file_name().unwrap_or_default();
        let copy =
            tempfile::Builder::new().prefix(name).rand_bytes(0).permissions(mode).tempfile_in(aside.path());
        let mut copy = copy.map_err(failed)?;
        copy.write_all(&bytes).and_then(|()| copy.as_file().sync_all()).map_err(failed)?;
        let plugin = self.0.plugins.open_path(copy.path(), true).await;
        let loaded = plugin.state.map_err(|failure| {
            let own = escaped(&copy.path().display().to_string()).into_owned();
            Failure { message: failure.message.replace(&own, &shown), ..failure }
        })?;
        self.free(&plugin.id).await?;
        let path = folder.join(format!("{}.wasm", plugin.id));
        copy.persist_noclobber(&path).map_err(|error| match error.error.kind() {
            ErrorKind::AlreadyExists => taken(&plugin.id, &format!("there is a file {}", path.display())),
            _ => failed(error.error),
        })?;
        Ok(self.entry(&Plugin { file: Some(path), state: Ok(loaded), ..plugin }))
    }

    /// Fails if an id is somebody's.
    async fn free(&self, id: &str) -> Result<()> {
        if self.0.plugins.embedded_ids().any(|shipped| shipped == id)
            || self.0.presets.providers.contains_key(id)
            || self.0.native.contains_key(id)
        {
            return Err(taken(id, "it is the name of a provider that comes with the program"));
        }
        if self.0.config.providers.contains_key(id) {
            return Err(taken(id, &format!("config.toml has a provider of that name, `[providers.{id}]`")));
        }
        match self.0.plugins.third_party().await.iter().find(|plugin| plugin.id == id) {
            Some(other) => {
                let file = other.file.as_ref().map(|file| file.display().to_string()).unwrap_or_default();
                Err(taken(
                    id,
                    &format!("{} has it; `aimu-host plugins remove {id}` removes that one", escaped(&file)),
                ))
            }
            None => Ok(()),
        }
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

fn taken(id: &str, why: &str) -> Failure {
    Failure::new(FailureKind::Denied, format!("the id `{id}` is taken: {why}"))
}
