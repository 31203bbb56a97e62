//! Looks the fields of a credential up in one place: the environment, files, or the keys that are kept.

use super::store::{self, Kept};
use super::{KeyStore, Secret, Values};
use crate::model::{Credential, CredentialField, Failure, FailureKind, Result};
use std::collections::BTreeMap;
use std::io::{ErrorKind, Read};
use std::path::PathBuf;
use zeroize::Zeroizing;

/// The most that is read of a file with a key.
const MOST_BYTES: u64 = 64 << 10;

/// What a place has of a credential.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found<T = Values> {
    /// All that it needs.
    Whole(T),
    /// Some of it: what a field that is missing is looked up under.
    Part(String),
    /// Nothing: what it is looked up under.
    Nothing(String),
}

/// Looks a credential up, field by field, under the names that each has there.
pub(crate) fn whole<T>(
    credential: &Credential,
    names: impl Fn(&CredentialField) -> Vec<String>,
    mut get: impl FnMut(&str) -> Result<Option<T>>,
) -> Result<Found<BTreeMap<String, T>>> {
    let mut values = BTreeMap::new();
    let mut missing = None;
    for field in &credential.fields {
        let names = names(field);
        let mut value = None;
        for name in &names {
            value = get(name)?;
            if value.is_some() {
                break;
            }
        }
        match value {
            Some(value) => {
                values.insert(field.name.clone(), value);
            }
            None if field.optional && credential.fields.len() > 1 => {}
            None => missing = missing.or(Some(names.join(" or "))),
        }
    }
    // An optional field alone is nothing: a token without its keys opens no door.
    let begun = credential.fields.iter().any(|field| !field.optional && values.contains_key(&field.name));
    Ok(match missing {
        None if !values.is_empty() => Found::Whole(values),
        Some(names) if begun => Found::Part(names),
        missing => Found::Nothing(missing.unwrap_or_default()),
    })
}

/// In the environment variables that the credential names.
pub(crate) fn of_environment(credential: &Credential) -> Result<Found> {
    whole(
        credential,
        |field| field.env.clone(),
        |name| {
            let value = std::env::var(name).ok().map(Zeroizing::new);
            let value = value.map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
            Ok(value.map(Secret::new))
        },
    )
}

/// In files, which the credential names in the place of variables.
pub(crate) fn of_files(credential: &Credential) -> Result<Found> {
    whole(
        credential,
        |field| field.env.clone(),
        |name| {
            let failed = |what: &dyn std::fmt::Display| {
                let what = format!("the file {name} for the credential `{}` {what}", credential.name);
                Failure::new(FailureKind::Authentication, what)
            };
            let mut text = Zeroizing::new(String::with_capacity(1024));
            let read = crate::plain_file::open(&expanded(name))
                .and_then(|file| file.take(MOST_BYTES + 1).read_to_string(&mut text));
            match read {
                Ok(_) if text.len() as u64 > MOST_BYTES => {
                    Err(failed(&"is larger than 64 KiB, and a key is a line"))
                }
                Ok(_) => Secret::line(&text).map(Some).map_err(|what| failed(&format!("holds {what}"))),
                Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
                Err(error) => Err(failed(&format!("can't be read: {error}"))),
            }
        },
    )
}

/// Among the keys that are kept, under these names of each field.
pub(crate) async fn of_keys(
    store: &KeyStore,
    credential: &Credential,
    names: impl Fn(&CredentialField) -> Vec<String>,
) -> Result<Found> {
    let kept = store.list()?;
    let found =
        whole(credential, names, |name| Ok(kept.get(name).map(|kept| (name.to_owned(), kept.clone()))))?;
    Ok(match found {
        Found::Part(missing) => Found::Part(missing),
        Found::Nothing(missing) => Found::Nothing(missing),
        Found::Whole(found) => {
            let mut values = Values::new();
            for (field, (name, kept)) in found {
                let secret = match kept {
                    Kept::File(secret) => secret,
                    Kept::Keyring => store::of_keyring(&name).await?,
                };
                values.insert(field, secret);
            }
            Found::Whole(values)
        }
    })
}

/// What a credential is looked up under, for messages.
pub(crate) fn variables(credential: &Credential) -> String {
    let needed = credential.fields.iter().filter(|field| !field.optional || credential.fields.len() == 1);
    let names: Vec<String> = needed.map(|field| field.env.join(" or ")).collect();
    names.join(" and ")
}

/// A path, whose `~/` is the user's folder.
pub(crate) fn expanded(path: &str) -> PathBuf {
    match (path.strip_prefix("~/"), std::env::home_dir()) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => path.into(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::model::CredentialPlacement;

    fn field(name: &str, env: &[&str], optional: bool) -> CredentialField {
        let env = env.iter().map(|name| (*name).to_owned()).collect();
        CredentialField { name: name.to_owned(), env, optional }
    }

    fn credential(fields: Vec<CredentialField>) -> Credential {
        Credential {
            name: "k".to_owned(),
            fields,
            placement: CredentialPlacement::Bearer,
            send_to: Vec::new(),
            required: true,
            group: None,
        }
    }

    #[test]
    fn variables_in_words() {
        let one = credential(vec![field("a", &["A", "B"], true)]);
        assert_eq!(variables(&one), "A or B");
        let several = credential(vec![
            field("a", &["A"], false),
            field("b", &["B", "C"], false),
            field("c", &["D"], true),
        ]);
        assert_eq!(variables(&several), "A and B or C");
    }

    #[test]
    fn a_credential_is_whole_or_not() {
        let of = |have: &[&str], fields: Vec<CredentialField>| {
            whole(
                &credential(fields),
                |field| field.env.clone(),
                |name| Ok(have.contains(&name).then_some(())),
            )
            .unwrap()
        };
        let three =
            || vec![field("a", &["A"], false), field("b", &["B", "C"], false), field("c", &["D"], true)];
        assert!(matches!(of(&["A", "C"], three()), Found::Whole(values) if values.len() == 2));
        assert!(matches!(of(&["A", "B", "C", "D"], three()), Found::Whole(values) if values.len() == 3));
        assert_eq!(of(&["A"], three()), Found::Part("B or C".to_owned()));
        assert_eq!(of(&["D"], three()), Found::Nothing("A".to_owned()));
        assert_eq!(of(&[], vec![field("a", &["A"], true)]), Found::Nothing("A".to_owned()));
    }

    #[test]
    fn files_hold_a_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let name = path.to_str().unwrap();
        let read = || of_files(&credential(vec![field("a", &["/no/such", name], false)]));
        assert_eq!(read().unwrap(), Found::Nothing(format!("/no/such or {name}")));
        std::fs::write(&path, "sk-a\n").unwrap();
        assert!(matches!(read().unwrap(), Found::Whole(values) if values["a"].expose() == "sk-a"));
        for (text, word) in [("sk-a\nsk-b".to_owned(), "several lines"), ("x".repeat(70_000), "64 KiB")] {
            std::fs::write(&path, text).unwrap();
            let failure = read().unwrap_err();
            assert!(failure.message.contains(word) && !failure.message.contains("sk-a"), "{failure}");
        }
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        assert!(read().unwrap_err().message.contains("can't be read"));
        // One that nobody writes to would hold up every call.
        std::fs::remove_dir(&path).unwrap();
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
        assert!(read().unwrap_err().message.contains("not a file"));
    }
}
