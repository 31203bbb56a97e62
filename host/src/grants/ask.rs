//! What a component asks for: servers and credentials, in a form that can be shown, kept and compared.
//!
//! A credential is more than its name: a new version that reads another variable under the old name, or sends the key to
//! another place, asks for more.

use super::escaped;
use super::servers::{ANY, base_origin, common, covers, declared_origin, origin};
use crate::model::{Credential, CredentialPlacement, Description};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;

/// Servers of one component that a person can still look through. The most that a provider of ours names is three.
const MOST_ORIGINS: usize = 32;
/// Credentials of one component that a person can still look through.
const MOST_CREDENTIALS: usize = 16;
/// Variables of one credential; AWS has three fields with one or two each.
const MOST_VARIABLES: usize = 16;
/// The longest name of a credential or a variable, and the longest server: a DNS name has up to 253 characters.
const LONGEST: usize = 300;

/// What a component may use, or asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Permissions {
    /// Servers, as `https://host[:port]`. Where a setting is part of the host, it stands in braces, with its default:
    /// `https://{account}.{region=eu}.example.com`. `*` is any server of the internet.
    #[serde(default)]
    pub origins: BTreeSet<String>,
    /// Credentials.
    #[serde(default)]
    pub credentials: BTreeSet<CredentialUse>,
}

/// A credential, and what is done with it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CredentialUse {
    /// Its name in the component's description.
    pub name: String,
    /// The environment variables that it is looked up in; `field: VARIABLE` where it has several fields.
    pub from: BTreeSet<String>,
    /// How it is added to a request.
    pub placement: String,
    /// The servers that it is sent to; none means the base URL's.
    #[serde(default)]
    pub to: BTreeSet<String>,
}

impl Permissions {
    /// What a description asks for. The error says what is wrong with it, in words.
    pub(crate) fn of(description: &Description) -> Result<Self, String> {
        let mut asked = Self::default();
        asked.origins.extend(base_origin(description)?);
        for text in &description.origins {
            asked.origins.insert(declared_origin(description, text)?);
        }
        for credential in &description.credentials {
            asked.credentials.insert(CredentialUse::of(description, credential)?);
        }
        let most =
            |what: &str, most| Err(format!("asks for more than {most} {what}, which nobody looks through"));
        if asked.origins.len() > MOST_ORIGINS {
            return most("servers", MOST_ORIGINS);
        }
        if asked.credentials.len() > MOST_CREDENTIALS {
            return most("credentials", MOST_CREDENTIALS);
        }
        if asked.origins.iter().any(|origin| origin.len() > LONGEST) {
            return Err(format!("names a server with more than {LONGEST} characters"));
        }
        Ok(asked)
    }

    /// There is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.origins.is_empty() && self.credentials.is_empty()
    }

    /// What of this the other does not have.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        Self {
            origins: self.origins.iter().filter(|own| !covers(&other.origins, own)).cloned().collect(),
            credentials: self.credentials.iter().filter(|own| !other.has(own)).cloned().collect(),
        }
    }

    /// What of this the other has, too.
    #[must_use]
    pub fn within(&self, other: &Self) -> Self {
        Self {
            origins: common(&self.origins, &other.origins),
            credentials: self.credentials.iter().filter(|own| other.has(own)).cloned().collect(),
        }
    }

    /// Both together.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        Self { origins: &self.origins | &other.origins, credentials: &self.credentials | &other.credentials }
    }

    /// Those of these servers and credentials that are named. The error names the first that is not among them.
    ///
    /// # Errors
    /// Something was named that is not among these.
    pub fn named(&self, origins: &[String], credentials: &[String]) -> Result<Self, String> {
        let mut named = Self::default();
        for text in origins {
            // As it is shown, or any other way to write the same origin.
            let known = origin(text).ok().filter(|origin| covers(&self.origins, origin));
            let known = known.or_else(|| self.origins.get(text).cloned());
            named
                .origins
                .insert(known.ok_or_else(|| format!("does not ask for the server {}", escaped(text)))?);
        }
        for name in credentials {
            let before = named.credentials.len();
            named.credentials.extend(self.credentials.iter().filter(|have| have.name == *name).cloned());
            if named.credentials.len() == before && !named.credentials.iter().any(|have| have.name == *name) {
                return Err(format!("does not ask for a credential `{}`", escaped(name)));
            }
        }
        Ok(named)
    }

    /// A credential that does no more than one of these.
    pub(crate) fn has(&self, wanted: &CredentialUse) -> bool {
        self.credentials.iter().any(|have| have.covers(wanted))
    }

    /// A line for each thing, for people.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let servers = self.origins.iter().map(|origin| match origin.as_str() {
            ANY => "network: any server of the internet".to_owned(),
            origin => format!("network: {}", escaped(origin)),
        });
        let keys = self.credentials.iter().map(|credential| format!("key: {credential}"));
        servers.chain(keys).collect()
    }
}

/// In one sentence, for messages.
impl fmt::Display for Permissions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let servers = self.origins.iter().map(|origin| match origin.as_str() {
            ANY => "any server (or those that you name with `--origin`)".to_owned(),
            origin => escaped(origin).into_owned(),
        });
        let keys = self.credentials.iter().map(|credential| {
            format!("the key `{}` ({})", escaped(&credential.name), joined(&credential.from, " or "))
        });
        let all: Vec<String> = servers.chain(keys).collect();
        f.write_str(if all.is_empty() { "nothing" } else { "" })?;
        f.write_str(&all.join(", "))
    }
}

impl CredentialUse {
    pub(crate) fn of(description: &Description, credential: &Credential) -> Result<Self, String> {
        let several = credential.fields.len() > 1;
        let mut from = BTreeSet::new();
        for field in &credential.fields {
            // Which field a variable is for counts: an id is sent in clear, a secret key is not.
            let named = |variable: &String| match several {
                true => format!("{}: {variable}", field.name),
                false => variable.clone(),
            };
            from.extend(field.env.iter().map(named));
        }
        let placement = match &credential.placement {
            CredentialPlacement::Bearer => "authorization: Bearer".to_owned(),
            CredentialPlacement::Header { name, prefix } => {
                format!("{}: {}", name.to_ascii_lowercase(), prefix.trim_end()).trim_end().to_owned()
            }
            CredentialPlacement::AwsSigv4 { service, .. } => format!("signature for {service}"),
        };
        let to = credential.send_to.iter().map(|text| declared_origin(description, text));
        let to = to.collect::<Result<_, _>>()?;
        let asked = Self { name: credential.name.clone(), from, placement, to };
        let texts = asked.from.iter().chain([&asked.name, &asked.placement]);
        if asked.from.len() > MOST_VARIABLES || texts.into_iter().any(|text| text.len() > LONGEST) {
            let name: String = asked.name.chars().take(40).collect();
            return Err(format!("has a credential `{}…` that is too long to look at", escaped(&name)));
        }
        Ok(asked)
    }

    fn covers(&self, wanted: &Self) -> bool {
        let to_less = self.to == wanted.to || (!wanted.to.is_empty() && wanted.to.is_subset(&self.to));
        self.name == wanted.name
            && self.placement == wanted.placement
            && wanted.from.is_subset(&self.from)
            && to_less
    }
}

/// `api-key from ACME_KEY, sent to the base URL as authorization: Bearer`
impl fmt::Display for CredentialUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let from = joined(&self.from, " or ");
        let to = if self.to.is_empty() { "the base URL".into() } else { joined(&self.to, ", ") };
        write!(f, "{} from {from}, sent to {to} as {}", escaped(&self.name), escaped(&self.placement))
    }
}

fn joined(texts: &BTreeSet<String>, between: &str) -> String {
    texts.iter().map(|text| escaped(text)).collect::<Vec<_>>().join(between)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::servers::tests::described;
    use super::*;
    use crate::model::CredentialField;

    fn credential(env: &str, send_to: &[&str]) -> CredentialUse {
        let credential = Credential {
            name: "k".to_owned(),
            fields: vec![CredentialField {
                name: "f".to_owned(),
                env: vec![env.to_owned()],
                optional: false,
            }],
            placement: CredentialPlacement::Bearer,
            send_to: send_to.iter().map(|origin| (*origin).to_owned()).collect(),
            required: true,
            group: None,
        };
        CredentialUse::of(&described("https://x.test", &[]), &credential).unwrap()
    }

    fn with(credentials: &[CredentialUse]) -> Permissions {
        Permissions { credentials: credentials.iter().cloned().collect(), ..Permissions::default() }
    }

    #[test]
    fn a_server_has_one_form() {
        let asked =
            Permissions::of(&described("https://API.x.test:443/v1/{account}", &["https://api.x.test"]))
                .unwrap();
        assert_eq!(asked.origins.into_iter().collect::<Vec<_>>(), ["https://api.x.test"]);
        // Letters of another alphabet do not pass for ours.
        let asked = Permissions::of(&described("https://\u{430}pple.test", &[])).unwrap();
        assert_eq!(asked.origins.first().unwrap(), "https://xn--pple-43d.test");
    }

    #[test]
    fn other_variables_and_places_of_a_key_are_more() {
        let one = credential("A", &[]);
        let have = with(std::slice::from_ref(&one));
        assert!(have.has(&one));
        assert!(!have.has(&credential("B", &[])));
        assert!(!have.has(&credential("A", &["https://x.test"])));
        let mut signed = one.clone();
        signed.placement = "signature for x".to_owned();
        assert!(!have.has(&signed));
        let wide = with(&[credential("A", &["https://x.test", "https://y.test"])]);
        assert!(wide.has(&credential("A", &["https://y.test"])) && !wide.has(&one));
    }

    #[test]
    fn only_what_is_asked_for_can_be_named() {
        let asked = Permissions::of(&described("https://api.x.test/v1", &[]))
            .unwrap()
            .plus(&with(&[credential("A", &[])]));
        let named = |origin: &str, key: &str| asked.named(&[origin.to_owned()], &[key.to_owned()]);
        assert_eq!(named("https://API.x.test:443", "k").unwrap(), asked);
        assert!(named("https://y.test", "k").unwrap_err().contains("https://y.test"));
        assert!(named("https://api.x.test", "z\u{1b}").unwrap_err().contains("`z\\u{1b}`"));
    }

    #[test]
    fn floods_are_refused() {
        let many: Vec<String> = (0..100).map(|n| format!("https://{n}x.test")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert!(Permissions::of(&described("https://x.test", &many)).unwrap_err().contains("32 servers"));
    }

    #[test]
    fn where_a_key_goes_may_have_a_setting_and_another_is_another_place() {
        let to = |server: &str| credential("A", &[server]).to;
        assert_ne!(to("https://{region}.x.test"), to("https://{account}.x.test"));
    }

    #[test]
    fn any_server_has_each_that_is_named() {
        let servers = |names: &[&str]| Permissions {
            origins: names.iter().map(|name| (*name).to_owned()).collect(),
            ..Permissions::default()
        };
        let (any, one) = (servers(&[ANY]), servers(&["https://a.test"]));
        assert!(one.minus(&any).is_empty());
        assert_eq!(any.minus(&one), any);
        assert!(any.within(&one) == one && one.within(&any) == one);
        assert_eq!(any.named(&["HTTPS://A.test:443/".to_owned()], &[]).unwrap(), one);
        assert_eq!(any.named(&[ANY.to_owned()], &[]).unwrap(), any);
        assert!(any.named(&["a.test".to_owned()], &[]).is_err());
        // To have any is what only tools can ask for.
        let provider = described("https://x.test", &[ANY]);
        assert!(Permissions::of(&provider).unwrap_err().contains("`*` is not"));
        let tool = crate::model::ToolDefinition {
            name: "t".to_owned(),
            description: String::new(),
            parameters: serde_json::json!({}),
            strict: None,
            cache_here: false,
            extra: None,
        };
        let tools = Description { tools: vec![tool], ..provider };
        assert!(Permissions::of(&tools).unwrap().origins.contains(ANY));
    }
}
