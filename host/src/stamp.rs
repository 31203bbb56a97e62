//! What changes when a file does, without reading it.

use serde::{Deserialize, Serialize};
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// The steps of the coarsest clock that a file system has: FAT counts in two seconds.
pub(crate) const COARSEST: Duration = Duration::from_secs(2);

/// Device, inode, size, and the times of the last write and of the last change of anything. A file that is exchanged by
/// renaming has another inode; one that is written in place has other times, but within one step of the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    written: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    /// Of the file at a path; `None` where there is none.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        std::fs::metadata(path).ok().map(|metadata| Self::of_metadata(&metadata))
    }

    /// Of a file whose metadata are at hand: of a link itself, or of what was opened.
    pub(crate) fn of_metadata(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.len(),
            written: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    /// Whether nothing has been written for that long, by a clock that may be another machine's.
    pub(crate) fn is_still_for(&self, time: Duration) -> bool {
        since(self.written).is_some_and(|since| since >= time)
    }

    /// Whether it is so new that another change could have the same times.
    pub(crate) fn is_fresh(&self) -> bool {
        since(self.changed).is_none_or(|since| since < COARSEST)
    }
}

/// How long ago a time was; `None` for one that is yet to come.
fn since((seconds, nanoseconds): (i64, i64)) -> Option<Duration> {
    let time = Duration::new(u64::try_from(seconds).ok()?, u32::try_from(nanoseconds).ok()?);
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok()?.checked_sub(time)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::fs::{self, File, FileTimes};

    #[test]
    fn every_way_to_change_a_file_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let (path, other) = (folder.path().join("a"), folder.path().join("b"));
        fs::write(&path, "1").unwrap();
        let first = Stamp::of(&path).unwrap();
        assert_eq!(Stamp::of(&path).unwrap(), first);
        // Exchanged, with the size and the time of the one before.
        fs::write(&other, "2").unwrap();
        let times = FileTimes::new().set_modified(fs::metadata(&path).unwrap().modified().unwrap());
        File::options().write(true).open(&other).unwrap().set_times(times).unwrap();
        fs::rename(&other, &path).unwrap();
        let second = Stamp::of(&path).unwrap();
        assert_ne!(second, first);
        // Written in place.
        fs::write(&path, "10").unwrap();
        assert_ne!(Stamp::of(&path).unwrap(), second);
        fs::remove_file(&path).unwrap();
        assert_eq!(Stamp::of(&path), None);
    }

    #[test]
    fn new_and_future_times_are_not_believed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, "1").unwrap();
        let stamp = Stamp::of(&path).unwrap();
        assert!(stamp.is_fresh() && !stamp.is_still_for(Duration::from_secs(3600)));
        let hour = Duration::from_secs(3600);
        let old = |time: SystemTime| {
            let times = FileTimes::new().set_modified(time);
            File::options().write(true).open(&path).unwrap().set_times(times).unwrap();
            Stamp::of(&path).unwrap()
        };
        assert!(old(SystemTime::now() - 2 * hour).is_still_for(hour));
        assert!(!old(SystemTime::now() + hour).is_still_for(Duration::ZERO));
        assert!(Stamp { changed: (i64::MAX, 0), ..stamp }.is_fresh());
        assert!(!Stamp { changed: (1, 0), ..stamp }.is_fresh());
    }
}
