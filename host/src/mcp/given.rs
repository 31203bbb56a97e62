//! Values that a server is given, at the time when they are needed: as keys, they may come from the environment, from a
//! file, from a program.

use super::config::Given;
use crate::config::{CredentialSource, Names};
use crate::model::{Credential, CredentialField, CredentialPlacement, Failure, FailureKind, Result};
use crate::secrets::{Found, Keys, Secret, Supply, of_environment, of_files, of_keys};

/// A value, and whether it is one that nobody may be shown.
pub(super) struct Value {
    pub(super) text: Secret,
    pub(super) is_secret: bool,
}

impl Given {
    /// The value now. `what` says what it is for: "the variable `TOKEN`".
    pub(super) async fn value(&self, server: &str, what: &str, keys: &Keys) -> Result<Value> {
        match self {
            Self::Plain(text) => Ok(Value { text: text.clone(), is_secret: false }),
            Self::Template(text) => {
                let filled = fill(text.expose(), |name| std::env::var(name).ok());
                let text = filled.map_err(|why| {
                    Failure::new(FailureKind::Authentication, format!("{what} of it {why}"))
                })?;
                Ok(Value { text: Secret::new(text), is_secret: true })
            }
            Self::Source(source) => {
                let mut values = match supply(source, server, what, keys).await? {
                    Supply::Fixed(values) => values,
                    Supply::Renewable(renewable) => renewable.get().await?.values.clone(),
                }
                .into_values();
                match (values.next(), values.next()) {
                    (Some(text), None) => Ok(Value { text, is_secret: true }),
                    _ => Err(Failure::new(
                        FailureKind::Authentication,
                        format!("{what} of it takes one value, and its source gives several"),
                    )),
                }
            }
        }
    }
}

/// What a source of keys has, or an error that says what it lacks.
pub(super) async fn supply(
    source: &CredentialSource,
    server: &str,
    what: &str,
    keys: &Keys,
) -> Result<Supply> {
    let (names, remedy) = match source {
        CredentialSource::Command(line) => {
            // Where the same program gives several values, each is asked for by itself.
            let name = format!("mcp {server}: {what}");
            return Ok(Supply::Renewable(keys.renewables.command(&name, line)));
        }
        CredentialSource::Env(names) => (names, "set the environment variable"),
        CredentialSource::File(names) => (names, "write it into the file"),
        CredentialSource::Keyring(names) => (names, "run `aimu-host keys set` for"),
    };
    let names = match names {
        Names::One(name) => vec![name.clone()],
        Names::Many(names) => names.clone(),
        Names::Fields(_) => {
            let why = format!("{what} of it takes one value, and its source names several fields");
            return Err(Failure::new(FailureKind::InvalidRequest, why));
        }
    };
    let field = CredentialField { name: "value".to_owned(), env: names.clone(), optional: false };
    let credential = Credential {
        name: what.to_owned(),
        fields: vec![field],
        placement: CredentialPlacement::Bearer,
        send_to: Vec::new(),
        required: true,
        group: None,
    };
    let found = match source {
        CredentialSource::File(_) => of_files(&credential)?,
        CredentialSource::Keyring(_) => of_keys(&keys.store, &credential, |field| field.env.clone()).await?,
        _ => of_environment(&credential)?,
    };
    match found {
        Found::Whole(values) => Ok(Supply::Fixed(values)),
        Found::Part(_) | Found::Nothing(_) => {
            let why = format!("{what} of it has no value: {remedy} {}", names.join(" or "));
            Err(Failure::new(FailureKind::Authentication, why))
        }
    }
}

/// Fills in the variables of a text: `${NAME}`, `${env:NAME}`, `${NAME:-what stands for it where it is not set}`. The error
/// goes on after what the text is for, and quotes names alone.
fn fill(text: &str, get: impl Fn(&str) -> Option<String>) -> std::result::Result<String, String> {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        filled += before;
        let (inside, after) = after.split_once('}').ok_or("has a `${` without its `}`")?;
        let (name, default) = match inside.split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (inside, None),
        };
        let name = name.strip_prefix("env:").unwrap_or(name);
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            return Err("names in `${…}` something that is no variable of the environment".to_owned());
        }
        match get(name).filter(|value| !value.is_empty()) {
            Some(value) => filled += &value,
            None => {
                filled += default
                    .ok_or_else(|| format!("needs the environment variable {name}, which is not set"))?
            }
        }
        rest = after;
    }
    Ok(filled + rest)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_filled_in() {
        let get = |name: &str| (name == "A").then(|| "x${A}".to_owned());
        let of = |text| fill(text, get);
        // What a variable holds is not looked into again.
        assert_eq!(of("Bearer ${A}, ${env:A}!").unwrap(), "Bearer x${A}, x${A}!");
        assert_eq!(of("${B:-b:-c}$A").unwrap(), "b:-c$A");
        for (text, word) in [
            ("${B}", "variable B"),
            ("${A", "without its"),
            ("${input:hunter-2}", "no variable"),
            ("${}", "no variable"),
        ] {
            let told = of(text).unwrap_err();
            assert!(told.contains(word) && !told.contains("hunter"), "{told}");
        }
    }
}
