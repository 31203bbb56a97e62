//! `provider:model_id[@base_url][;flag,flag]`: how a model is named everywhere.

use crate::model::{Capability, Failure, FailureKind, Result};
use std::collections::BTreeSet;
use url::Url;

/// A model string, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelString {
    /// The instance's name.
    pub provider: String,
    /// The model's id; may hold `:`, `/` and `@`.
    pub model: String,
    /// The server, instead of the provider's own.
    pub base_url: Option<Url>,
    /// What a model can do that no catalogue knows.
    pub flags: BTreeSet<Capability>,
}

/// The flags and what they mean.
const FLAGS: [(&str, Capability); 5] = [
    ("tools", Capability::Tools),
    ("thinking", Capability::Thinking),
    ("vision", Capability::Vision),
    ("audio", Capability::Audio),
    ("structured", Capability::StructuredOutput),
];

fn wrong(message: String) -> Failure {
    Failure::new(FailureKind::InvalidRequest, message)
}

impl std::str::FromStr for ModelString {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Self> {
        // At the first `;`, then the first `@http(s)://`, then the first `:`: ids hold the same characters.
        let (rest, flags) = match text.split_once(';') {
            Some((rest, flags)) => (rest, parse_flags(flags, text)?),
            None => (text, BTreeSet::new()),
        };
        let at = ["@http://", "@https://"].iter().filter_map(|mark| rest.find(mark)).min();
        let (name, base_url) = match at {
            Some(at) => (&rest[..at], Some(parse_url(&rest[at + 1..], text)?)),
            None => (rest, None),
        };
        let (provider, model) = name.split_once(':').ok_or_else(|| {
            wrong(format!(
                "`{text}` names no model: write `provider:model-id`, for example `echo:echo`; `aimu-host models` \
                 lists them"
            ))
        })?;
        if provider.is_empty() || model.is_empty() {
            let missing = if provider.is_empty() { "provider before" } else { "model id after" };
            return Err(wrong(format!("`{text}` has no {missing} the colon: write `provider:model-id`")));
        }
        Ok(Self { provider: provider.to_owned(), model: model.to_owned(), base_url, flags })
    }
}

/// As it is written; it is read as the same again.
impl std::fmt::Display for ModelString {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.provider, self.model)?;
        if let Some(url) = &self.base_url {
            write!(f, "@{url}")?;
        }
        let flags = FLAGS.iter().filter(|(_, capability)| self.flags.contains(capability));
        for (at, (name, _)) in flags.enumerate() {
            write!(f, "{}{name}", if at == 0 { ';' } else { ',' })?;
        }
        Ok(())
    }
}

fn parse_flags(flags: &str, text: &str) -> Result<BTreeSet<Capability>> {
    flags
        .split(',')
        .map(str::trim)
        .map(|flag| {
            FLAGS.iter().find(|(name, _)| *name == flag).map(|(_, capability)| *capability).ok_or_else(|| {
                let known = FLAGS.map(|(name, _)| name).join(", ");
                wrong(format!("`{text}` has the flag `{flag}`, which there is not; there are {known}"))
            })
        })
        .collect()
}

/// A base URL as the user gives it.
pub(crate) fn parse_url(url: &str, text: &str) -> Result<Url> {
    let url = Url::parse(url).map_err(|error| wrong(format!("the base URL in `{text}` is none: {error}")))?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(wrong(format!("the base URL in `{text}` must begin with https:// or http://")));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong(
            "a base URL must not hold a user or password; keys come from the environment variables that the plugin \
             names (`aimu-host plugins list`)"
                .to_owned(),
        ));
    }
    // Percent-encoded in what is typed, such characters stand plain in the URL, which then would be read as another.
    let is_name =
        |host: &str| host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
    if !url.domain().is_none_or(is_name) {
        return Err(wrong(format!(
            "the base URL in `{text}` has a server's name with characters that none can have"
        )));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong(format!("the base URL in `{text}` must not have a `?` or `#`")));
    }
    Ok(url)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn parse(text: &str) -> ModelString {
        text.parse().unwrap()
    }

    #[test]
    fn ids_may_hold_anything() {
        for (text, provider, model) in [
            ("ollama:qwen3:8b", "ollama", "qwen3:8b"),
            ("hf-openai:Qwen/Qwen3-8B", "hf-openai", "Qwen/Qwen3-8B"),
            ("lmstudio:qwen3@q4_k_m", "lmstudio", "qwen3@q4_k_m"),
        ] {
            let parsed = parse(text);
            assert_eq!((parsed.provider.as_str(), parsed.model.as_str()), (provider, model));
            assert_eq!(parsed.base_url, None);
        }
    }

    #[test]
    fn url_and_flags_come_off_first() {
        let parsed = parse("openai-compat:q@q4:x@http://localhost:9000/v1;tools, vision");
        assert_eq!(parsed.model, "q@q4:x");
        assert_eq!(parsed.base_url.unwrap().as_str(), "http://localhost:9000/v1");
        assert_eq!(parsed.flags, [Capability::Tools, Capability::Vision].into());
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, word) in [
            ("gpt", "provider:model-id"),
            (":x", "no provider before"),
            ("x:", "no model id after"),
            ("x:y;fast", "tools, thinking, vision, audio, structured"),
            ("x:y;", "the flag ``"),
            ("x:y@https://", "is none"),
            ("x:y@https://u:p@h", "must not hold a user"),
            ("x:y@https://h?key=1", "must not have"),
            ("x:y@http://a%3Btools", "characters that none can have"),
            ("x:y@http://a%40http", "is none"),
        ] {
            let message = text.parse::<ModelString>().unwrap_err().message;
            assert!(message.contains(word), "{text}: {message}");
        }
    }
}
