//! Opens plain files, and nothing else that a path may lead to.
//!
//! Problem: a pipe in the place of a file makes whoever opens it wait for its other end, and a device may never end.
//! Decision: what is no plain file is refused, before it is opened and once more on what was opened, and nothing waits.
//! Price: a program's output (`<(…)` of a shell) is no file here.

use nix::fcntl::OFlag;
use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Opens a plain file, or a link to one, to be read.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    // Opening a device may already do something.
    plain(&std::fs::metadata(path)?)?;
    let file = OpenOptions::new().read(true).custom_flags(OFlag::O_NONBLOCK.bits()).open(path)?;
    plain(&file.metadata()?)?;
    Ok(file)
}

fn plain(metadata: &Metadata) -> io::Result<()> {
    if metadata.is_file() { Ok(()) } else { Err(io::Error::other("it is not a file")) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_pipe_makes_nobody_wait_and_a_device_is_no_file() {
        let home = tempfile::tempdir().unwrap();
        let pipe = home.path().join("pipe");
        nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
        let link = home.path().join("link");
        std::os::unix::fs::symlink(&pipe, &link).unwrap();
        for path in [&pipe, &link, Path::new("/dev/zero"), home.path()] {
            assert!(open(path).unwrap_err().to_string().contains("not a file"), "{}", path.display());
        }
        let file = home.path().join("file");
        std::fs::write(&file, "a").unwrap();
        assert_eq!(io::read_to_string(open(&file).unwrap()).unwrap(), "a");
    }
}
