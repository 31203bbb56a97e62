//! A file of the user's alone: read only if nobody else can have written it, or, where it holds keys, can have read it;
//! changed by one program at a time.

use crate::model::{Failure, FailureKind, Result};
use crate::ownership::{is_ours, others_can_write};
use crate::stamp::Stamp;
use nix::fcntl::OFlag;
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

/// The most that is read: thousands of grants.
const MOST_BYTES: u64 = 4 << 20;

/// How long another program may hold the lock. A change takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(10);

/// No link is followed, and a pipe does not make the program wait.
const NOFOLLOW_NONBLOCK: i32 = OFlag::O_NOFOLLOW.union(OFlag::O_NONBLOCK).bits();

/// A file of the user's alone.
#[derive(Clone, Debug)]
pub(crate) struct PrivateFile {
    path: PathBuf,
    /// What it holds, for messages.
    what: &'static str,
    /// Nobody else may read it either.
    secret: bool,
}

impl PrivateFile {
    pub(crate) fn new(path: PathBuf, what: &'static str) -> Self {
        Self { path, what, secret: false }
    }

    /// One that nobody else may read.
    pub(crate) fn secret(path: PathBuf, what: &'static str) -> Self {
        Self { path, what, secret: true }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// A refusal that names the file and says what to do.
    pub(crate) fn refused(&self, what: &str) -> Failure {
        Failure::new(FailureKind::Denied, format!("{} in {} {what}", self.what, self.path.display()))
    }

    fn unreadable(&self, error: &std::io::Error) -> Failure {
        self.refused(&format!("can't be read: {error}"))
    }

    /// Whether it is the file that it was; `None`: there is none.
    pub(crate) fn stamp(&self) -> Result<Option<Stamp>> {
        match std::fs::symlink_metadata(&self.path) {
            Ok(metadata) => Ok(Some(Stamp::of_metadata(&metadata))),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.unreadable(&error)),
        }
    }

    /// Its text, if there is one; checked on what was opened, so that it can't be exchanged in between.
    pub(crate) fn read(&self) -> Result<Option<(Stamp, Zeroizing<String>)>> {
        let file = match OpenOptions::new().read(true).custom_flags(NOFOLLOW_NONBLOCK).open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(_) if self.path.is_symlink() => {
                return Err(self.refused("are a link, and must be a file; put the file itself there"));
            }
            Err(error) => return Err(self.unreadable(&error)),
        };
        let metadata = file.metadata().map_err(|error| self.unreadable(&error))?;
        self.check(&metadata)?;
        self.check_folder()?;
        // Large enough at once: what grows leaves its text behind.
        let room = usize::try_from(metadata.len().min(MOST_BYTES)).unwrap_or_default() + 1;
        let mut text = Zeroizing::new(String::with_capacity(room));
        let read = file.take(MOST_BYTES + 1).read_to_string(&mut text);
        match read {
            Ok(_) if text.len() as u64 > MOST_BYTES => {
                Err(self.refused("are larger than 4 MiB; look at it, and delete it if it is not yours"))
            }
            Ok(_) => Ok(Some((Stamp::of_metadata(&metadata), text))),
            Err(error) => Err(self.unreadable(&error)),
        }
    }

    fn check(&self, metadata: &std::fs::Metadata) -> Result<()> {
        let path = self.path.display();
        if !metadata.is_file() {
            return Err(self.refused("are no file; remove what is there"));
        }
        if !is_ours(metadata) {
            return Err(
                self.refused("belong to another user, who could allow anything; look at it, and remove it")
            );
        }
        if others_can_write(metadata) {
            return Err(self.refused(&format!(
                "could have been written by others (mode {:o}); look at it, and then `chmod 600 '{path}'`",
                metadata.mode() & 0o777
            )));
        }
        if self.secret && metadata.mode() & 0o044 != 0 {
            return Err(self.refused(&format!(
                "could have been read by others (mode {:o}); `chmod 600 '{path}'`, and think of what was in it as known",
                metadata.mode() & 0o777
            )));
        }
        Ok(())
    }

    /// Who can write its folder can put another file there.
    fn check_folder(&self) -> Result<()> {
        let folder = self.folder();
        let metadata = std::fs::metadata(folder).map_err(|error| self.unreadable(&error))?;
        if !is_ours(&metadata) || others_can_write(&metadata) {
            let folder = folder.display();
            return Err(self.refused(&format!(
                "could have been exchanged by others, who can write the folder; `chmod 700 '{folder}'`, and look at \
                 the file"
            )));
        }
        Ok(())
    }

    fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new("."))
    }

    /// Makes its folder, for the user alone, and keeps other programs out until what is returned is dropped.
    pub(crate) fn lock(&self) -> Result<File> {
        let failed = |error: &std::io::Error| self.refused(&format!("can't be changed: {error}"));
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(self.folder())
            .map_err(|error| failed(&error))?;
        self.check_folder()?;
        let name = self.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        // A file of its own: the one that is read is exchanged with each change.
        let path = self.folder().join(format!(".{name}.lock"));
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .custom_flags(NOFOLLOW_NONBLOCK)
            .open(&path)
            .map_err(|error| failed(&error))?;
        let start = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::WouldBlock) if start.elapsed() < PATIENCE => {
                    std::thread::sleep(Duration::from_millis(5));
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(self.refused("are being changed by another program, which does not finish"));
                }
                Err(TryLockError::Error(error)) => return Err(failed(&error)),
            }
        }
    }

    /// Writes it as a whole or not at all, for the user alone. Wants the lock.
    pub(crate) fn write(&self, text: &str, _: &File) -> Result<()> {
        let written = tempfile::NamedTempFile::new_in(self.folder()).and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.as_file().sync_all()?;
            file.persist(&self.path).map_err(|error| error.error)?;
            // The name, too, is on the disk when this returns.
            File::open(self.folder())?.sync_all()
        });
        written.map_err(|error| self.refused(&format!("can't be written: {error}")))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn file() -> (tempfile::TempDir, PrivateFile, PathBuf) {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("folder/file.toml");
        (home, PrivateFile::new(path.clone(), "the things"), path)
    }

    fn mode(path: &Path, mode: u32) {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn what_is_written_is_the_users_alone() {
        let (_home, file, path) = file();
        assert!(file.read().unwrap().is_none());
        let lock = file.lock().unwrap();
        file.write("a", &lock).unwrap();
        drop(lock);
        assert_eq!(file.read().unwrap().unwrap().1.as_str(), "a");
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    }

    #[test]
    fn what_others_can_read_is_no_place_for_keys() {
        let (_home, file, path) = file();
        let lock = file.lock().unwrap();
        file.write("a", &lock).unwrap();
        mode(&path, 0o644);
        assert!(file.read().is_ok());
        let failure = PrivateFile::secret(path.clone(), "your keys").read().unwrap_err();
        assert!(failure.message.contains("chmod 600") && failure.message.contains("644"), "{failure}");
        mode(&path, 0o600);
        assert!(PrivateFile::secret(path, "your keys").read().unwrap().is_some());
    }

    #[test]
    fn what_others_can_write_is_not_read() {
        let (_home, file, path) = file();
        let lock = file.lock().unwrap();
        file.write("a", &lock).unwrap();
        drop(lock);
        mode(&path, 0o620);
        assert!(file.read().unwrap_err().message.contains("chmod 600"));
        mode(&path, 0o600);
        mode(path.parent().unwrap(), 0o777);
        assert!(file.read().unwrap_err().message.contains("chmod 700"));
        assert!(file.lock().unwrap_err().message.contains("chmod 700"));
        mode(path.parent().unwrap(), 0o755);
        assert!(file.read().is_ok());
    }

    #[test]
    fn a_link_and_a_folder_are_no_file() {
        let (home, file, path) = file();
        drop(file.lock().unwrap());
        let other = home.path().join("other");
        std::fs::write(&other, "b").unwrap();
        std::os::unix::fs::symlink(&other, &path).unwrap();
        assert!(file.read().unwrap_err().message.contains("link"));
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        assert!(file.read().unwrap_err().message.contains("no file"));
    }
}
