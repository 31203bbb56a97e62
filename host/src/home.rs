//! Where the user's files are: configuration, data, cache.

use std::path::{Path, PathBuf};

/// The folders of one user. `AIMU_HOST_HOME` moves all of them into one, which tests use to be alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    config: Option<PathBuf>,
    data: Option<PathBuf>,
    cache: Option<PathBuf>,
}

impl Home {
    /// The folders that the environment names: `AIMU_HOST_HOME`, else the XDG ones.
    #[must_use]
    pub fn from_environment() -> Self {
        match absolute("AIMU_HOST_HOME") {
            Some(home) => Self::at(&home),
            None => Self {
                config: xdg("XDG_CONFIG_HOME", ".config"),
                data: xdg("XDG_DATA_HOME", ".local/share"),
                cache: xdg("XDG_CACHE_HOME", ".cache"),
            },
        }
    }

    /// Everything in one folder.
    #[must_use]
    pub fn at(folder: &Path) -> Self {
        Self { config: Some(folder.into()), data: Some(folder.into()), cache: Some(folder.join("cache")) }
    }

    /// Where the configuration is, and what was allowed.
    #[must_use]
    pub fn config_dir(&self) -> Option<PathBuf> {
        self.config.clone()
    }

    /// Where the user's own plugins are, and what was typed.
    #[must_use]
    pub fn data_dir(&self) -> Option<PathBuf> {
        self.data.clone()
    }

    /// `config.toml`.
    #[must_use]
    pub fn config_file(&self) -> Option<PathBuf> {
        self.config.as_ref().map(|folder| folder.join("config.toml"))
    }

    /// What the user has allowed components: written by the host alone.
    #[must_use]
    pub fn grants_file(&self) -> Option<PathBuf> {
        self.config.as_ref().map(|folder| folder.join("grants.toml"))
    }

    /// The user's own drop zone.
    #[must_use]
    pub fn plugins_dir(&self) -> Option<PathBuf> {
        self.data.as_ref().map(|folder| folder.join("plugins"))
    }

    /// What the user typed at the prompt.
    #[must_use]
    pub fn history_file(&self) -> Option<PathBuf> {
        self.data.as_ref().map(|folder| folder.join("history"))
    }

    /// What can be made again: compiled code, descriptions.
    #[must_use]
    pub fn cache_dir(&self) -> Option<PathBuf> {
        self.cache.clone()
    }
}

fn absolute(variable: &str) -> Option<PathBuf> {
    let path = PathBuf::from(std::env::var_os(variable).filter(|value| !value.is_empty())?);
    std::path::absolute(path).ok()
}

/// A folder of ours under an XDG base folder, which has to be absolute to count.
fn xdg(variable: &str, default: &str) -> Option<PathBuf> {
    let base = std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = base.or_else(|| Some(std::env::home_dir()?.join(default)))?;
    Some(base.join("aimu-host"))
}
