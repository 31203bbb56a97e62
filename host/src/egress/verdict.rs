//! What the host itself saw go wrong in a call's requests: more exact than what the guest can learn or tell.

use crate::model::Failure;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The failure of a call's last request, if it failed in the host's hands. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Verdict(Arc<Mutex<Option<Failure>>>);

impl Verdict {
    fn slot(&self) -> MutexGuard<'_, Option<Failure>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set(&self, failure: Failure) {
        *self.slot() = Some(failure);
    }

    /// A new request makes what the last one died of irrelevant.
    pub(super) fn clear(&self) {
        *self.slot() = None;
    }

    pub(crate) fn take(&self) -> Option<Failure> {
        self.slot().take()
    }
}
