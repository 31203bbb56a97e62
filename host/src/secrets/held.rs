//! A credential that an instance has: what it adds to a request, and where to.

use super::{Renewable, SIGNING_FIELDS, Secret, Values};
use crate::egress::Patterns;
use crate::model::{CredentialPlacement, Failure, FailureKind, Result};
use crate::sigv4::{self, Outgoing, Signer};
use http::{HeaderMap, HeaderName, HeaderValue};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;
use zeroize::Zeroizing;

/// A credential with its values, and where it may go.
#[derive(Clone, Debug)]
pub struct HeldCredential {
    /// Its name in the plugin's description.
    pub name: String,
    placement: CredentialPlacement,
    /// Of a signature.
    region: Option<String>,
    /// The only origins that it is sent to.
    pub(crate) send_to: Vec<url::Origin>,
    /// Where its values come from again; `None` for values that stay.
    renewable: Option<Arc<Renewable>>,
    state: Arc<Mutex<State>>,
}

/// What there is of a credential now, and was before: a server that echoes an old key is not to be believed either.
#[derive(Debug, Default)]
struct State {
    now: Option<Arc<Form>>,
    before: Option<Arc<Form>>,
}

/// Where a credential's values come from.
pub(crate) enum Supply {
    /// They are these.
    Fixed(Values),
    /// They may expire.
    Renewable(Arc<Renewable>),
}

/// What a credential adds to a request.
#[derive(Debug)]
pub(crate) struct Form {
    place: Place,
    /// Which of a renewable credential's values these are.
    pub(crate) version: u64,
    /// What of it no server may show to the component.
    patterns: Arc<Patterns>,
}

#[derive(Debug)]
enum Place {
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
    /// A credential whose values are there. `region` is of a signature.
    pub(crate) async fn new(
        name: String,
        placement: CredentialPlacement,
        region: Option<String>,
        send_to: Vec<url::Origin>,
        supply: Supply,
    ) -> Result<Self> {
        let held = |renewable| Self { name, placement, region, send_to, renewable, state: Arc::default() };
        match supply {
            Supply::Fixed(values) => {
                let held = held(None);
                held.keep(held.form(values, 0)?);
                Ok(held)
            }
            Supply::Renewable(renewable) => {
                let held = held(Some(renewable));
                held.current().await?;
                Ok(held)
            }
        }
    }

    /// What it adds now. Values that have expired are got anew.
    pub(crate) async fn current(&self) -> Result<Arc<Form>> {
        let now = self.state().now.clone();
        let Some(renewable) = &self.renewable else {
            return now.ok_or_else(|| Failure::new(FailureKind::Internal, "the credential has no values"));
        };
        let batch = renewable.get().await?;
        match now {
            Some(form) if form.version == batch.version => Ok(form),
            _ => Ok(self.keep(self.form(batch.values.clone(), batch.version)?)),
        }
    }

    /// What it adds once the server has refused what it added; `None` where that is no other.
    pub(crate) async fn renewed(&self, refused: &Form) -> Result<Option<Arc<Form>>> {
        let Some(renewable) = &self.renewable else { return Ok(None) };
        let batch = renewable.renew(refused.version).await?;
        if batch.version == refused.version {
            return Ok(None);
        }
        Ok(Some(self.keep(self.form(batch.values.clone(), batch.version)?)))
    }

    /// Whether it can get other values.
    pub(crate) fn is_renewable(&self) -> bool {
        self.renewable.is_some()
    }

    /// What of it no server may show to the component: of the values before, too.
    pub(crate) fn patterns(&self) -> impl Iterator<Item = Arc<Patterns>> + use<> {
        let state = self.state();
        let forms = [&state.now, &state.before].map(|form| form.as_ref().map(|form| form.patterns.clone()));
        drop(state);
        forms.into_iter().flatten()
    }

    /// Whether it sets this header.
    pub(crate) fn sets(&self, header: &HeaderName) -> bool {
        match &self.placement {
            CredentialPlacement::Bearer => *header == http::header::AUTHORIZATION,
            CredentialPlacement::Header { name, .. } => name.eq_ignore_ascii_case(header.as_str()),
            CredentialPlacement::AwsSigv4 { .. } => sigv4::HEADERS.contains(header),
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, form: Form) -> Arc<Form> {
        let mut state = self.state();
        // Another request was quicker: what was before is what was before these.
        if let Some(now) = state.now.as_ref().filter(|now| now.version == form.version) {
            return now.clone();
        }
        let form = Arc::new(form);
        state.before = state.now.replace(form.clone());
        form
    }

    fn form(&self, values: Values, version: u64) -> Result<Form> {
        let patterns = Arc::new(Patterns::of(values.values()));
        Ok(Form { place: place(&self.placement, values, self.region.as_deref())?, version, patterns })
    }
}

impl Form {
    /// Adds it to the headers of a request that is otherwise finished. `name` is the credential's.
    pub(crate) fn add(&self, name: &str, request: Outgoing<'_>, headers: &mut HeaderMap) -> Result<()> {
        match &self.place {
            Place::Header { name: header, prefix, secret } => {
                let text = Zeroizing::new(format!("{prefix}{}", secret.expose()));
                let mut value = HeaderValue::from_str(&text).map_err(|_| {
                    Failure::new(
                        FailureKind::Authentication,
                        format!(
                            "the credential `{name}` holds characters that no header can carry; is there a line break in it?"
                        ),
                    )
                })?;
                value.set_sensitive(true);
                headers.insert(header.clone(), value);
                Ok(())
            }
            Place::Signature(signer) => signer.sign(request, headers, SystemTime::now()),
        }
    }

    /// Whether it signs.
    pub(crate) fn signs(&self) -> bool {
        matches!(self.place, Place::Signature(_))
    }
}

/// A credential's place in a request, with its values.
fn place(placement: &CredentialPlacement, mut values: Values, region: Option<&str>) -> Result<Place> {
    let only = |values: Values| {
        let mut values = values.into_values();
        values.next().filter(|_| values.next().is_none()).ok_or_else(|| {
            Failure::new(FailureKind::Authentication, "a header carries one key, and there are several")
        })
    };
    match placement {
        CredentialPlacement::Bearer => Ok(Place::Header {
            name: http::header::AUTHORIZATION,
            prefix: "Bearer ".to_owned(),
            secret: only(values)?,
        }),
        CredentialPlacement::Header { name, prefix } => {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| {
                Failure::new(FailureKind::Internal, format!("declares a header `{name}` that can't be"))
            })?;
            Ok(Place::Header { name, prefix: prefix.clone(), secret: only(values)? })
        }
        CredentialPlacement::AwsSigv4 { service, .. } => {
            let [id, key, token] = SIGNING_FIELDS.map(|name| values.remove(name));
            let (Some(access_key_id), Some(secret_access_key)) = (id, key) else {
                return Err(Failure::new(
                    FailureKind::Authentication,
                    "a signature takes an `access-key-id` and a `secret-access-key`",
                ));
            };
            Ok(Place::Signature(Box::new(Signer {
                service: service.clone(),
                region: region.unwrap_or_default().to_owned(),
                access_key_id,
                secret_access_key,
                session_token: token,
            })))
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::model::{Credential, CredentialField};

    async fn signing(values: &[(&str, &str)]) -> Result<HeldCredential> {
        let values = values
            .iter()
            .map(|(name, value)| ((*name).to_owned(), Secret::new((*value).to_owned())))
            .collect();
        let placement =
            CredentialPlacement::AwsSigv4 { service: "s".to_owned(), region_setting: "region".to_owned() };
        let region = Some("eu-1".to_owned());
        HeldCredential::new("aws".to_owned(), placement, region, Vec::new(), Supply::Fixed(values)).await
    }

    #[tokio::test]
    async fn all_fields_of_a_signature_are_secret() {
        let values = [
            ("access-key-id", "first-one"),
            ("secret-access-key", "second-one"),
            ("session-token", "third-one"),
        ];
        let held = signing(&values).await.unwrap();
        let printed = format!("{held:?}");
        assert!(printed.contains("eu-1"), "{printed}");
        let patterns = held.patterns().next().unwrap();
        for (_, secret) in values {
            assert!(!printed.contains(secret), "{printed}");
            assert!(!patterns.blanked(secret.as_bytes()).contains(&b'-'), "{secret}");
        }
        for name in ["authorization", "x-amz-date", "x-amz-security-token"] {
            assert!(held.sets(&HeaderName::from_static(name)), "{name}");
        }
        assert!(!held.sets(&HeaderName::from_static("x-amz-target")));
        assert!(signing(&values[..2]).await.is_ok());
        assert!(signing(&values[1..]).await.is_err() && signing(&values[..1]).await.is_err());
    }

    #[tokio::test]
    async fn a_key_that_two_requests_had_refused_is_still_looked_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let field = CredentialField {
            name: "k".to_owned(),
            env: vec![path.to_str().unwrap().to_owned()],
            optional: false,
        };
        let credential = Credential {
            name: "k".to_owned(),
            fields: vec![field],
            placement: CredentialPlacement::Bearer,
            send_to: Vec::new(),
            required: true,
            group: None,
        };
        std::fs::write(&path, "the-first-key").unwrap();
        let supply = Supply::Renewable(Arc::new(Renewable::files(credential)));
        let placement = CredentialPlacement::Bearer;
        let held = HeldCredential::new("k".to_owned(), placement, None, Vec::new(), supply).await.unwrap();
        let refused = held.current().await.unwrap();
        std::fs::write(&path, "the-second-key").unwrap();
        for _ in 0..2 {
            assert_ne!(held.renewed(&refused).await.unwrap().unwrap().version, refused.version);
        }
        for key in ["the-first-key", "the-second-key"] {
            let found = |patterns: Arc<Patterns>| !patterns.blanked(key.as_bytes()).contains(&b'-');
            assert!(held.patterns().any(found), "{key}");
        }
    }
}
