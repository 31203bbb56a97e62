//! Keys: found when a call needs them, added on the way out, never shown.
//!
//! Decision: a secret lives in one type that prints as `…`, so that no `Debug` of anything that holds one can
//! leak it. The component learns a credential's name only.

use crate::model::{Credential, CredentialPlacement, Failure, FailureKind, Result};
use http::{HeaderName, HeaderValue};
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

/// A credential with its value, and where it may go.
#[derive(Clone, Debug)]
pub struct HeldCredential {
    /// Its name in the plugin's description.
    pub name: String,
    /// The header that carries it.
    pub(crate) header: HeaderName,
    /// What stands before the value in the header.
    pub(crate) prefix: String,
    /// The value.
    pub(crate) secret: Secret,
    /// The only origins that it is sent to.
    pub(crate) send_to: Vec<url::Origin>,
}

impl HeldCredential {
    /// The header's value, marked sensitive.
    pub(crate) fn header_value(&self) -> Result<HeaderValue> {
        let text = Zeroizing::new(format!("{}{}", self.prefix, self.secret.expose()));
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
        Ok(value)
    }
}

/// The header of a placement: its name, and what stands before the value.
pub(crate) fn header_of(placement: &CredentialPlacement) -> Result<(HeaderName, String)> {
    match placement {
        CredentialPlacement::Bearer => Ok((http::header::AUTHORIZATION, "Bearer ".to_owned())),
        CredentialPlacement::Header { name, prefix } => {
            HeaderName::from_bytes(name.as_bytes()).map(|name| (name, prefix.clone())).map_err(|_| {
                Failure::new(FailureKind::Internal, format!("declares a header `{name}` that can't be"))
            })
        }
        CredentialPlacement::AwsSigv4 { .. } => Err(Failure::new(
            FailureKind::Unsupported,
            "wants its requests signed (SigV4), which this version of the host can't do",
        )),
    }
}

/// Looks a plain credential up in the environment variables that its description names, in order.
pub(crate) fn from_environment(credential: &Credential) -> Option<Secret> {
    let [field] = credential.fields.as_slice() else {
        return None;
    };
    field
        .env
        .iter()
        .filter_map(|name| std::env::var(name).ok())
        .map(|value| value.trim().to_owned())
        .find(|value| !value.is_empty())
        .map(Secret::new)
}

/// The variables that a credential may come from, for messages.
pub(crate) fn variables(credential: &Credential) -> String {
    let names: Vec<&str> =
        credential.fields.iter().flat_map(|field| field.env.iter().map(String::as_str)).collect();
    names.join(" or ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_never_printed() {
        let secret = Secret::new("sk-very-secret".to_owned());
        assert_eq!(format!("{secret:?}"), "…");
    }
}
