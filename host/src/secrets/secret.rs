//! A secret value.

use zeroize::Zeroizing;

/// A secret value. Prints as `…`; wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
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

    /// A key as a person gives it: one line, without the space around it.
    ///
    /// # Errors
    /// Says what it is instead, without any of the text.
    pub fn into_line(self) -> Result<Self, &'static str> {
        Self::line(self.expose())
    }

    /// A key as a file or a program gives it. The error says what is there instead, without any of the text.
    pub(crate) fn line(text: &str) -> Result<Self, &'static str> {
        let text = text.trim();
        match text {
            "" => Err("nothing"),
            text if text.contains(['\n', '\r']) => Err("several lines, and a key is one"),
            text if text.chars().any(char::is_control) => Err("characters that no key has"),
            text => Ok(Self::new(text.to_owned())),
        }
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}

impl<'de> serde::Deserialize<'de> for Secret {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_never_printed() {
        let secret = Secret::new("sk-very-secret".to_owned());
        assert_eq!(format!("{secret:?}"), "…");
    }

    #[test]
    fn a_key_is_a_line() {
        assert_eq!(Secret::line(" sk-a \n").unwrap().expose(), "sk-a");
        for (text, what) in [(" \n", "nothing"), ("a\nb", "several lines"), ("a\u{1b}b", "no key has")] {
            let error = Secret::line(text).unwrap_err();
            assert!(error.contains(what), "{error}");
        }
    }
}
