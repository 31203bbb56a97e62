//! Where the user's files are: configuration, data, cache.

use std::path::{Path, PathBuf};

/// The folders of one user. `AIMU_HOST_HOME` moves all of them into one, which tests use to be alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    config: Option<PathBuf>,
    data: Option<PathBuf>,
    cache: Option<PathBuf>,
    /// It is the user's own, and no folder apart from it.
    users: bool,
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
                users: true,
            },
        }
    }

    /// Everything in one folder.
    #[must_use]
    pub fn at(folder: &Path) -> Self {
        let cache = Some(folder.join("cache"));
        Self { config: Some(folder.into()), data: Some(folder.into()), cache, users: false }
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

    /// Which keys are kept, and those that no keyring has: written by the host alone.
    #[must_use]
    pub fn keys_file(&self) -> Option<PathBuf> {
        self.config.as_ref().map(|folder| folder.join("keys.toml"))
    }

    /// Whether keys may be kept in the system's keyring. It is the user's: a folder that stands apart, as tests have
    /// one, has nothing to do with it.
    #[must_use]
    pub fn has_keyring(&self) -> bool {
        self.users
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
