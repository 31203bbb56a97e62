//! The system's keyring: Secret Service on Linux, the Keychain on macOS. It may ask the user to unlock it, and so each
//! use of it is off the threads that calls run on, and bounded in time.

use super::Secret;
use keyring::{Entry, Error};
use std::time::Duration;

/// The name of this program among those that keep something there.
const SERVICE: &str = "aimu-host";

/// How long a person may take to unlock it.
const PATIENCE: Duration = Duration::from_secs(60);

/// Why a keyring did not do what it was asked.
#[derive(Debug)]
pub(super) enum Refused {
    /// There is none that can be reached here.
    Absent(String),
    /// It has no such key.
    NoEntry,
    /// It is there, and does not do it.
    Failed(String),
}

pub(super) async fn get(name: &str) -> Result<Secret, Refused> {
    let password = asked(name, |entry| entry.get_password()).await?;
    Ok(Secret::new(password))
}

pub(super) async fn set(name: &str, secret: &Secret) -> Result<(), Refused> {
    let secret = secret.clone();
    asked(name, move |entry| entry.set_password(secret.expose())).await
}

pub(super) async fn delete(name: &str) -> Result<(), Refused> {
    asked(name, |entry| entry.delete_credential()).await
}

async fn asked<T: Send + 'static>(
    name: &str,
    ask: impl FnOnce(&Entry) -> keyring::Result<T> + Send + 'static,
) -> Result<T, Refused> {
    let name = name.to_owned();
    let work = tokio::task::spawn_blocking(move || {
        if let Err(error) = Entry::store_status() {
            return Err(Refused::Absent(error.to_string()));
        }
        let entry = Entry::new(SERVICE, &name).map_err(told)?;
        ask(&entry).map_err(told)
    });
    match tokio::time::timeout(PATIENCE, work).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(error)) => Err(Refused::Failed(format!("asking it failed inside the host: {error}"))),
        Err(_) => Err(Refused::Failed(format!("it did not answer within {PATIENCE:?}; is it locked?"))),
    }
}

/// An error in words. Two kinds of them carry what was stored.
fn told(error: Error) -> Refused {
    match error {
        Error::NoEntry => Refused::NoEntry,
        Error::NoDefaultStore => Refused::Absent("this system has none".to_owned()),
        Error::BadEncoding(_) | Error::BadDataFormat(..) => {
            Refused::Failed("what is stored there is no text".to_owned())
        }
        error => Refused::Failed(error.to_string()),
    }
}
