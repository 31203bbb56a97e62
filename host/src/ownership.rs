//! Who could have put a file where it is: what is trusted must be the user's own, and nobody else's to write.

use rustix::process::geteuid;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;

/// Belongs to the user, or to the administrator, who can do anything anyway.
pub(crate) fn is_ours(metadata: &Metadata) -> bool {
    metadata.uid() == geteuid().as_raw() || metadata.uid() == 0
}

/// Users other than its owner can write it.
pub(crate) fn others_can_write(metadata: &Metadata) -> bool {
    metadata.mode() & 0o022 != 0
}
