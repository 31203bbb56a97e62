//! Adds an instance's credentials to a request, and others once the server has refused them.

use crate::instance::Instance;
use crate::model::{Failure, FailureKind, Result};
use crate::secrets::{Form, HeldCredential};
use crate::sigv4::Outgoing;
use http::{HeaderMap, StatusCode};
use std::sync::Arc;
use url::Origin;

/// The credentials of a request that are for its server.
pub(super) struct Authorizing<'a> {
    request: Outgoing<'a>,
    /// The headers before any credential; kept where they may be needed again.
    bare: Option<HeaderMap>,
    used: Vec<(&'a HeldCredential, Arc<Form>)>,
}

impl<'a> Authorizing<'a> {
    /// Adds what goes to this server. Last, as a signature is over everything else.
    pub(super) async fn add(
        instance: &'a Instance,
        origin: &Origin,
        request: Outgoing<'a>,
        headers: &mut HeaderMap,
    ) -> Result<Self> {
        let mut used = Vec::new();
        for credential in instance.credentials.iter().filter(|held| held.send_to.contains(origin)) {
            // A key in clear text is for this machine alone.
            if !matches!(origin, Origin::Tuple(scheme, ..) if scheme == "https")
                && !super::is_loopback(origin)
            {
                let what = format!(
                    "{} has no TLS, and the credential `{}` would go there in clear text; use https",
                    origin.ascii_serialization(),
                    credential.name
                );
                return Err(Failure::new(FailureKind::Denied, what));
            }
            used.push((credential, credential.current().await?));
        }
        let bare = used.iter().any(|(credential, _)| credential.is_renewable()).then(|| headers.clone());
        let authorizing = Self { request, bare, used };
        authorizing.write(headers)?;
        Ok(authorizing)
    }

    /// The headers with other values, after a response that refuses those that were sent; `None` where it does not, or
    /// where there are no others.
    pub(super) async fn again(
        &mut self,
        status: StatusCode,
        response: &HeaderMap,
    ) -> Result<Option<HeaderMap>> {
        let Some(bare) = &self.bare else { return Ok(None) };
        let mut other = false;
        for (credential, form) in &mut self.used {
            if refuses(status, response, form.signs())
                && let Some(renewed) = credential.renewed(form).await?
            {
                *form = renewed;
                other = true;
            }
        }
        if !other {
            return Ok(None);
        }
        let mut headers = bare.clone();
        self.write(&mut headers)?;
        Ok(Some(headers))
    }

    fn write(&self, headers: &mut HeaderMap) -> Result<()> {
        self.used.iter().try_for_each(|(credential, form)| form.add(&credential.name, self.request, headers))
    }
}

/// Whether a response says that a key does not count any more. Amazon says so of a signature with 403 and a name.
fn refuses(status: StatusCode, headers: &HeaderMap, signed: bool) -> bool {
    let name = || headers.get("x-amzn-errortype").and_then(|name| name.to_str().ok()).unwrap_or_default();
    status == StatusCode::UNAUTHORIZED
        || (signed && status == StatusCode::FORBIDDEN && name().starts_with("ExpiredToken"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_have_expired() {
        let named = |name: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("x-amzn-errortype", name.parse().unwrap());
            headers
        };
        let expired = named("ExpiredTokenException:http://x");
        assert!(refuses(StatusCode::UNAUTHORIZED, &HeaderMap::new(), false));
        assert!(refuses(StatusCode::FORBIDDEN, &expired, true));
        assert!(!refuses(StatusCode::FORBIDDEN, &expired, false));
        assert!(!refuses(StatusCode::FORBIDDEN, &named("AccessDeniedException"), true));
        assert!(!refuses(StatusCode::FORBIDDEN, &HeaderMap::new(), true));
    }
}
