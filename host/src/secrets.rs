//! Keys: found when a call needs them, added on the way out, never shown.
//!
//! Decision: a secret lives in one type that prints as `…`, so that no `Debug` of anything that holds one can
//! leak it. The component learns a credential's name only.

use crate::model::{Credential, CredentialPlacement, Failure, FailureKind, Result};
use crate::sigv4::{self, Outgoing, Signer};
use http::{HeaderMap, HeaderName, HeaderValue};
use std::collections::BTreeMap;
use std::time::SystemTime;
use zeroize::Zeroizing;

/// A secret value. Prints as `…`; wiped when dropped.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes a secret's text.
    #[must_use]
    pub fn new(value: String) -> Self {
        Self(Zeroizing::new(value))
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}

/// A credential with its values, and where it may go.
#[derive(Clone, Debug)]
pub struct HeldCredential {
    /// Its name in the plugin's description.
    pub name: String,
    /// What it adds to a request.
    pub(crate) form: Form,
    /// The only origins that it is sent to.
    pub(crate) send_to: Vec<url::Origin>,
}

/// What a credential adds to a request.
#[derive(Clone, Debug)]
pub(crate) enum Form {
    /// Itself, in a header.
    Header {
        name: HeaderName,
        /// What stands before the value.
        prefix: String,
        secret: Secret,
    },
    /// A signature.
    Signature(Box<Signer>),
}

impl HeldCredential {
    /// Its secret values: none of them may reach the component.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &Secret> {
        let (secret, signer) = match &self.form {
            Form::Header { secret, .. } => (Some(secret), None),
            Form::Signature(signer) => (None, Some(signer)),
        };
        let signers = signer.into_iter().flat_map(|signer| {
            [Some(&signer.access_key_id), Some(&signer.secret_access_key), signer.session_token.as_ref()]
        });
        secret.into_iter().chain(signers.flatten())
    }

    /// Whether it sets this header.
    pub(crate) fn sets(&self, header: &HeaderName) -> bool {
        match &self.form {
            Form::Header { name, .. } => name == header,
            Form::Signature(_) => sigv4::HEADERS.contains(header),
        }
    }

    /// Adds it to the headers of a request that is otherwise finished.
    pub(crate) fn add(&self, request: Outgoing<'_>, headers: &mut HeaderMap) -> Result<()> {
        match &self.form {
            Form::Header { name, prefix, secret } => {
                let text = Zeroizing::new(format!("{prefix}{}", secret.expose()));
                let mut value = HeaderValue::from_str(&text).map_err(|_| {
                    Failure::new(
                        FailureKind::Authentication,
                        format!(
                            "the credential `{}` holds characters that no header can carry; is there a line break in it?",
                            self.name
                        ),
                    )
                })?;
                value.set_sensitive(true);
                headers.insert(name.clone(), value);
                Ok(())
            }
            Form::Signature(signer) => signer.sign(request, headers, SystemTime::now()),
        }
    }
}

/// The fields of a credential that signs (`aws-sigv4`).
pub(crate) const SIGNING_FIELDS: [&str; 3] = ["access-key-id", "secret-access-key", "session-token"];

/// The secret values of a credential, by the names of its fields.
pub(crate) type Values = BTreeMap<String, Secret>;

/// A credential's form with its values. `region` looks up the setting that holds the region.
pub(crate) fn form(
    placement: &CredentialPlacement,
    mut values: Values,
    region: impl FnOnce(&str) -> Result<String>,
) -> Result<Form> {
    let only = |values: Values| {
        let mut values = values.into_values();
        values.next().filter(|_| values.next().is_none()).ok_or_else(|| {
            Failure::new(FailureKind::Internal, "declares a key of several fields, which no header can carry")
        })
    };
    match placement {
        CredentialPlacement::Bearer => Ok(Form::Header {
            name: http::header::AUTHORIZATION,
            prefix: "Bearer ".to_owned(),
            secret: only(values)?,
        }),
        CredentialPlacement::Header { name, prefix } => {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| {
                Failure::new(FailureKind::Internal, format!("declares a header `{name}` that can't be"))
            })?;
            Ok(Form::Header { name, prefix: prefix.clone(), secret: only(values)? })
        }
        CredentialPlacement::AwsSigv4 { service, region_setting } => {
            let [id, key, token] = SIGNING_FIELDS.map(|name| values.remove(name));
            let (Some(access_key_id), Some(secret_access_key)) = (id, key) else {
                return Err(Failure::new(
                    FailureKind::Internal,
                    "wants its requests signed, which takes an `access-key-id` and a `secret-access-key`",
                ));
            };
            Ok(Form::Signature(Box::new(Signer {
                service: service.clone(),
                region: region(region_setting)?,
                access_key_id,
                secret_access_key,
                session_token: token,
            })))
        }
    }
}

/// What the environment has of a credential.
pub(crate) enum Found {
    /// All that it needs.
    Whole(Values),
    /// Some of it: the variables of a field that is missing.
    Part(String),
    /// Nothing.
    Nothing,
}

/// Looks a credential up in the environment variables that its description names, in order.
pub(crate) fn from_environment(credential: &Credential) -> Found {
    let mut values = Values::new();
    let mut missing = None;
    for field in &credential.fields {
        let names = field.env.iter().filter_map(|name| std::env::var(name).ok());
        match names.map(|value| value.trim().to_owned()).find(|value| !value.is_empty()) {
            Some(value) => {
                values.insert(field.name.clone(), Secret::new(value));
            }
            None if field.optional && credential.fields.len() > 1 => {}
            None => missing = missing.or(Some(field.env.join(" or "))),
        }
    }
    // An optional field alone is nothing: a token without its keys opens no door.
    let begun = credential.fields.iter().any(|field| !field.optional && values.contains_key(&field.name));
    match missing {
        None if !values.is_empty() => Found::Whole(values),
        Some(names) if begun => Found::Part(names),
        _ => Found::Nothing,
    }
}

/// The variables that a credential comes from, for messages.
pub(crate) fn variables(credential: &Credential) -> String {
    let needed = credential.fields.iter().filter(|field| !field.optional || credential.fields.len() == 1);
    let names: Vec<String> = needed.map(|field| field.env.join(" or ")).collect();
    names.join(" and ")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::model::CredentialField;

    #[test]
    fn a_secret_is_never_printed() {
        let secret = Secret::new("sk-very-secret".to_owned());
        assert_eq!(format!("{secret:?}"), "…");
    }

    fn signing(values: &[(&str, &str)]) -> Result<Form> {
        let values = values
            .iter()
            .map(|(name, value)| ((*name).to_owned(), Secret::new((*value).to_owned())))
            .collect();
        let placement =
            CredentialPlacement::AwsSigv4 { service: "s".to_owned(), region_setting: "region".to_owned() };
        form(&placement, values, |setting| Ok(format!("of {setting}")))
    }

    #[test]
    fn all_fields_of_a_signature_are_secret() {
        let values = [("access-key-id", "one"), ("secret-access-key", "two"), ("session-token", "three")];
        let form = signing(&values).unwrap();
        let held = HeldCredential { name: "aws".to_owned(), form, send_to: Vec::new() };
        assert_eq!(held.secrets().map(Secret::expose).collect::<Vec<_>>(), ["one", "two", "three"]);
        let printed = format!("{held:?}");
        assert!(printed.contains("of region"), "{printed}");
        assert!(["one", "two", "three"].iter().all(|secret| !printed.contains(secret)), "{printed}");
        for name in ["authorization", "x-amz-date", "x-amz-security-token"] {
            assert!(held.sets(&HeaderName::from_static(name)), "{name}");
        }
        assert!(!held.sets(&HeaderName::from_static("x-amz-target")));
        assert!(signing(&values[..2]).is_ok());
        assert!(signing(&values[1..]).is_err() && signing(&values[..1]).is_err());
    }

    #[test]
    fn variables_in_words() {
        let field = |name: &str, env: &[&str], optional| CredentialField {
            name: name.to_owned(),
            env: env.iter().map(|name| (*name).to_owned()).collect(),
            optional,
        };
        let credential = |fields| Credential {
            name: "k".to_owned(),
            fields,
            placement: CredentialPlacement::Bearer,
            send_to: Vec::new(),
            required: true,
            group: None,
        };
        let one = credential(vec![field("a", &["A", "B"], true)]);
        assert_eq!(variables(&one), "A or B");
        let several = credential(vec![
            field("a", &["A"], false),
            field("b", &["B", "C"], false),
            field("c", &["D"], true),
        ]);
        assert_eq!(variables(&several), "A and B or C");
    }
}
