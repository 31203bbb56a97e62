//! Values that can be got again: when they expire, and once more when a server refuses them.

use super::{CommandLine, Values, of_files, sources::Found};
use crate::model::{Credential, Failure, FailureKind, Result};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// So long before they expire values are got anew, so that a request does not arrive too late with them.
const EARLY: Duration = Duration::from_secs(60);

/// Where values come from, and those that came last.
#[derive(Debug)]
pub(crate) struct Renewable {
    supplier: Supplier,
    /// Whoever comes while they are got waits for those.
    last: tokio::sync::Mutex<Option<Arc<Batch>>>,
}

#[derive(Debug)]
enum Supplier {
    /// A program of the user's, for the provider of this name.
    Command(CommandLine, String),
    /// Files, one for each field, named in the place of its variables.
    Files(Credential),
}

/// Values that came together.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) values: Values,
    /// Counts up with values that are others.
    pub(crate) version: u64,
    /// When to get others.
    until: Option<SystemTime>,
}

impl Renewable {
    pub(crate) fn files(credential: Credential) -> Self {
        Self { supplier: Supplier::Files(credential), last: tokio::sync::Mutex::default() }
    }

    fn command(line: CommandLine, provider: &str) -> Self {
        Self { supplier: Supplier::Command(line, provider.to_owned()), last: tokio::sync::Mutex::default() }
    }

    /// The values, as long as they hold.
    pub(crate) async fn get(&self) -> Result<Arc<Batch>> {
        let mut last = self.last.lock().await;
        match &*last {
            Some(batch) if batch.until.is_none_or(|until| SystemTime::now() < until) => Ok(batch.clone()),
            _ => self.next(&mut last).await,
        }
    }

    /// The values after those of this version, which a server has refused.
    pub(crate) async fn renew(&self, refused: u64) -> Result<Arc<Batch>> {
        let mut last = self.last.lock().await;
        match &*last {
            // Another call was refused, too, and has got them.
            Some(batch) if batch.version > refused => Ok(batch.clone()),
            _ => self.next(&mut last).await,
        }
    }

    async fn next(&self, last: &mut Option<Arc<Batch>>) -> Result<Arc<Batch>> {
        let (values, lifetime) = match &self.supplier {
            Supplier::Command(line, provider) => line.run(provider).await?,
            Supplier::Files(credential) => match of_files(credential)? {
                Found::Whole(values) => (values, None),
                Found::Part(missing) | Found::Nothing(missing) => {
                    let what =
                        format!("the file {missing} for the credential `{}` has gone", credential.name);
                    return Err(Failure::new(FailureKind::Authentication, what));
                }
            },
        };
        let until =
            lifetime.and_then(|lifetime| SystemTime::now().checked_add(lifetime - EARLY.min(lifetime / 2)));
        let version = match &*last {
            Some(before) if before.values == values => before.version,
            Some(before) => before.version + 1,
            None => 1,
        };
        let batch = Arc::new(Batch { values, version, until });
        *last = Some(batch.clone());
        Ok(batch)
    }
}

/// What the commands of the configuration gave, for all clients of a host: a program is asked once, and not by each.
#[derive(Debug, Default)]
pub(crate) struct Renewables(Mutex<HashMap<String, Arc<Renewable>>>);

impl Renewables {
    /// The one of a provider.
    pub(crate) fn command(&self, provider: &str, line: &CommandLine) -> Arc<Renewable> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Arc::new(Renewable::command(line.clone(), provider));
        all.entry(provider.to_owned()).or_insert_with(new).clone()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// A program that counts how often it was run.
    fn counter(print: &str, expires_in: Option<u64>) -> (tempfile::TempDir, Renewable) {
        let folder = tempfile::tempdir().unwrap();
        let script = format!(
            "echo >>'{0}/runs'; n=$(wc -l <'{0}/runs' | tr -d ' '); {print}",
            folder.path().display()
        );
        let line = CommandLine::new("sh", &["-c", &script], expires_in.map(Duration::from_secs));
        (folder, Renewable::command(line, "x"))
    }

    fn text(batch: &Batch) -> &str {
        batch.values.values().next().unwrap().expose()
    }

    #[tokio::test]
    async fn values_are_got_once_and_again_when_they_expire_or_are_refused() {
        let (_folder, lasting) = counter("echo key-$n", None);
        assert_eq!(text(&lasting.get().await.unwrap()), "key-1");
        assert_eq!(text(&lasting.get().await.unwrap()), "key-1");
        let next = lasting.renew(1).await.unwrap();
        assert_eq!((text(&next), next.version), ("key-2", 2));
        // The refusal of those before comes late.
        assert_eq!(text(&lasting.renew(1).await.unwrap()), "key-2");

        let (_folder, same) = counter("echo key", None);
        same.get().await.unwrap();
        assert_eq!(same.renew(1).await.unwrap().version, 1);

        // Half of so short a time is over at once.
        let short = r#"printf '{"access_token":"key-%s","expires_in":0.002}' "$n""#;
        let (_folder, short) = counter(short, None);
        assert_eq!(text(&short.get().await.unwrap()), "key-1");
        tokio::time::sleep(Duration::from_millis(5)).await;
        assert_eq!(text(&short.get().await.unwrap()), "key-2");
        // The configuration's word counts where the program has none.
        let (_folder, hour) = counter("echo key-$n", Some(3600));
        let until = hour.get().await.unwrap().until.unwrap();
        let left = until.duration_since(SystemTime::now()).unwrap();
        assert!(left > Duration::from_secs(3500) && left < Duration::from_secs(3600), "{left:?}");
    }
}
