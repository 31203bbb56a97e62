//! One file, followed while the program runs.
//!
//! Problem: a component is exchanged under a running program, copied slowly, or broken. Decision: whoever needs the
//! component looks at the file's stamp. A stamp that has changed and then stood still is taken up: the bytes are
//! inspected, described, checked and linked, and only then take the place of those before. Bytes that fail at any of that
//! change nothing but what is said of the file. Calls hold the component that they began with. Price: a look at the
//! file's metadata (2 µs) a call, and the first call after a change waits until the new component is compiled.
//!
//! No notifications of the operating system: they are lost on network file systems and in containers, and a program
//! that calls nobody has no use for a new component.

use super::Plugin;
use super::opener::{How, Opener};
use crate::grants::escaped;
use crate::model::{Failure, FailureKind};
use crate::stamp::{COARSEST, Stamp};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a changed file has to stand still until it is taken up. Who copies writes more often than that, and a file
/// that is taken half all the same is broken, which changes nothing.
pub(super) const SETTLED: Duration = Duration::from_millis(500);

/// A file, and what was made of it.
pub(super) struct Followed {
    path: PathBuf,
    seen: Mutex<Seen>,
    /// Whoever has it opens the file; others go on with what there is.
    opening: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Seen {
    /// It came while the program ran, and may still be on its way.
    came_later: bool,
    taken: Option<Taken>,
    /// The stamp that is not taken yet, and when it was first seen.
    waiting: Option<(Stamp, Instant)>,
    /// The stamp of a file that this program has put there as a whole.
    whole: Option<Stamp>,
}

struct Taken {
    stamp: Stamp,
    plugin: Plugin,
    /// When to look at the bytes once more: a clock of coarse steps may have hidden a change.
    look_again: Option<Instant>,
}

/// What is to be done about a file.
enum Look {
    /// Nothing: this is it.
    Is(Box<Plugin>),
    /// It has to be opened.
    Open(Stamp),
    /// There is none.
    Gone,
}

impl Followed {
    pub(super) fn new(path: PathBuf, came_later: bool) -> Self {
        let seen = Seen { came_later, ..Seen::default() };
        Self { path, seen: Mutex::new(seen), opening: tokio::sync::Mutex::default() }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it had this id when it was last opened.
    pub(super) fn had(&self, id: &str) -> bool {
        self.seen().taken.as_ref().is_some_and(|taken| taken.plugin.id == id)
    }

    /// Whether there is something new that does not stand still yet.
    pub(super) fn is_settling(&self) -> bool {
        self.seen().waiting.is_some()
    }

    /// This program has just put the file there: there is nothing to wait for.
    pub(super) fn is_whole(&self) {
        self.seen().whole = Stamp::of(&self.path);
    }

    /// What failed is opened once more when it is next asked for: it may have been for want of time.
    pub(super) fn try_again(&self) {
        if let Some(taken) = &mut self.seen().taken
            && (taken.plugin.state.is_err() || taken.plugin.broken.is_some())
        {
            taken.look_again = Some(Instant::now());
        }
    }

    /// The component of the file; `None` once there is no file.
    pub(super) async fn plugin(&self, opener: &Opener) -> Option<Plugin> {
        match self.look() {
            Look::Is(plugin) => return Some(*plugin),
            Look::Gone => return None,
            Look::Open(_) => {}
        }
        let _opening = match self.opening.try_lock() {
            Ok(opening) => opening,
            // Somebody else is at it; until then the one before does.
            Err(_) => match self.working() {
                Some(plugin) => return Some(plugin),
                None => self.opening.lock().await,
            },
        };
        match self.look() {
            Look::Is(plugin) => Some(*plugin),
            Look::Gone => None,
            Look::Open(stamp) => Some(self.take(opener, stamp).await),
        }
    }

    fn look(&self) -> Look {
        let now = Stamp::of(&self.path);
        let mut seen = self.seen();
        let Some(now) = now else {
            // If it comes back, it comes later.
            *seen = Seen { came_later: true, ..Seen::default() };
            return Look::Gone;
        };
        if let Some(taken) = seen.taken.as_ref().filter(|taken| taken.stamp == now) {
            let due = taken.look_again.is_some_and(|time| time <= Instant::now());
            let look = if due { Look::Open(now) } else { Look::Is(Box::new(taken.plugin.clone())) };
            seen.waiting = None;
            return look;
        }
        // What was there when the program began is taken as it is.
        let first = seen.taken.is_none() && !seen.came_later;
        if first || seen.whole == Some(now) || seen.has_settled(now) {
            return Look::Open(now);
        }
        Look::Is(Box::new(match &seen.taken {
            Some(taken) => taken.plugin.clone(),
            None => self.on_its_way(),
        }))
    }

    fn working(&self) -> Option<Plugin> {
        let seen = self.seen();
        let plugin = &seen.taken.as_ref()?.plugin;
        plugin.state.is_ok().then(|| plugin.clone())
    }

    fn on_its_way(&self) -> Plugin {
        let what = format!(
            "{}: the file is new, and is taken up once nothing has been written to it for half a second",
            escaped(&self.path.display().to_string())
        );
        Plugin::of_file(&self.path, Failure::new(FailureKind::Unsupported, what))
    }

    /// Opens the file, and keeps what worked before where that fails.
    async fn take(&self, opener: &Opener, stamp: Stamp) -> Plugin {
        let look_again = stamp.is_fresh().then(|| Instant::now() + COARSEST);
        if self.are_the_same(opener, stamp).await {
            let mut seen = self.seen();
            if let Some(taken) = &mut seen.taken {
                taken.look_again = None;
                return taken.plugin.clone();
            }
        }
        let before = self.working();
        let how = How { again: false, ready: before.is_some() };
        let mut plugin = opener.file(&self.path, Some(stamp), how).await;
        if let (Err(failure), Some(before)) = (&plugin.state, before) {
            let broken = Failure {
                message: format!(
                    "the file has changed and is broken: {}; the earlier one is in use",
                    failure.message
                ),
                ..failure.clone()
            };
            // Once, however often it is looked at.
            if before.broken.as_ref().is_none_or(|known| known.message != broken.message) {
                tracing::warn!("the plugin `{}`: {}", escaped(&before.id), broken.message);
            }
            plugin = Plugin { broken: Some(broken), ..before };
        } else if let Ok(loaded) = &plugin.state
            && how.ready
        {
            let digest = &loaded.inspection.digest;
            tracing::info!("the plugin `{}` has changed: sha256 {digest:.12}…", escaped(&plugin.id));
        }
        let mut seen = self.seen();
        seen.waiting = None;
        seen.taken = Some(Taken { stamp, plugin: plugin.clone(), look_again });
        plugin
    }

    /// Whether the bytes are those that were taken under the same stamp.
    async fn are_the_same(&self, opener: &Opener, stamp: Stamp) -> bool {
        let digest = match &self.seen().taken {
            Some(taken) if taken.stamp == stamp && taken.plugin.broken.is_none() => {
                taken.plugin.state.as_ref().ok().map(|loaded| loaded.inspection.digest.clone())
            }
            _ => None,
        };
        match digest {
            Some(digest) => opener.digest(&self.path).await.is_ok_and(|now| now.to_string() == digest),
            None => false,
        }
    }
}

impl Seen {
    /// Whether a new stamp has stood still for long enough, by its own clock or by ours.
    fn has_settled(&mut self, now: Stamp) -> bool {
        let since = match self.waiting {
            Some((stamp, since)) if stamp == now => since,
            _ => {
                let since = Instant::now();
                self.waiting = Some((now, since));
                since
            }
        };
        since.elapsed() >= SETTLED || now.is_still_for(SETTLED)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::embedded;
    use crate::limits::Limits;
    use crate::sandbox::{Cache, Compiler, Sandbox};
    use std::sync::Arc;

    #[tokio::test]
    async fn a_change_that_a_coarse_clock_hides_is_found_later() {
        let home = tempfile::tempdir().unwrap();
        let limits = Limits::default();
        let cache = Cache::open(Some(home.path().join("cache")), limits.cache);
        let sandbox = Arc::new(Sandbox::new(cache, &limits, Compiler::Here).unwrap());
        let opener = Opener::new(sandbox, Limits::default(), None);
        let path = home.path().join("a.wasm");
        let put = |name: &str| {
            let entry = embedded::COMPONENTS.iter().find(|entry| entry.name == name).unwrap();
            std::fs::write(&path, entry.bytes).unwrap();
        };
        put("echo");
        let file = Followed::new(path.clone(), false);
        let id = async || file.plugin(&opener).await.unwrap().id;
        assert_eq!(id().await, "echo");
        put("ollama");
        // As if the clock had not moved.
        let hide = |look_again| {
            if let Some(taken) = &mut file.seen().taken {
                assert!(taken.look_again.is_some());
                taken.stamp = Stamp::of(&path).unwrap();
                taken.look_again = Some(look_again);
            }
        };
        hide(Instant::now() + COARSEST);
        assert_eq!(id().await, "echo");
        hide(Instant::now());
        assert_eq!(id().await, "ollama");
        // What has not changed is looked at once more, and no more after that.
        hide(Instant::now());
        assert_eq!(id().await, "ollama");
        assert!(file.seen().taken.as_ref().unwrap().look_again.is_none());
    }
}
