//! Reading JSON that a person wrote.
//!
//! Every wrong document must be answered with the place, what is wrong there and what is accepted, so all reading
//! goes through this one cursor; a `null` member counts as absent everywhere.

use crate::model::{Failure, FailureKind, Result};
use serde_json::{Map, Value};

/// A failure at a place of the caller's document.
pub(crate) fn invalid(path: &str, what: impl std::fmt::Display) -> Failure {
    let message = if path.is_empty() { what.to_string() } else { format!("{path}: {what}") };
    Failure::new(FailureKind::InvalidRequest, message)
}

/// What a value is, for messages.
pub(crate) fn sort_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// The candidate that was probably meant.
pub(crate) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    /// Below this Jaro-Winkler likeness a guess confuses more than it helps: `temprature` has 0.98, `stop` for
    /// `top_p` 0.78.
    const LIKENESS: f64 = 0.82;
    candidates
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(word, candidate), candidate))
        .filter(|(likeness, _)| *likeness >= LIKENESS)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

/// An object of the document and where it stands.
pub(crate) struct Fields<'a> {
    path: String,
    map: &'a Map<String, Value>,
}

impl<'a> Fields<'a> {
    /// The object at `path`; anything else is refused.
    pub(crate) fn of(value: &'a Value, path: impl Into<String>) -> Result<Self> {
        let path = path.into();
        match value {
            Value::Object(map) => Ok(Self { path, map }),
            other => Err(invalid(&path, format_args!("must be an object, not {}", sort_of(other)))),
        }
    }

    /// Where this object stands.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// Where a member stands.
    pub(crate) fn at(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// A member; `null` is absent.
    pub(crate) fn get(&self, key: &str) -> Option<&'a Value> {
        self.map.get(key).filter(|value| !value.is_null())
    }

    /// Whether a member is there and says `null`.
    pub(crate) fn is_null(&self, key: &str) -> bool {
        self.map.get(key).is_some_and(Value::is_null)
    }

    /// All members, as they are.
    pub(crate) fn members(&self) -> &'a Map<String, Value> {
        self.map
    }

    /// Whether a member is there.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    fn read<T>(
        &self,
        key: &str,
        accepted: &str,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<Option<T>> {
        let Some(value) = self.get(key) else {
            return Ok(None);
        };
        match read(value) {
            Some(read) => Ok(Some(read)),
            None => {
                let given = match value {
                    Value::Bool(_) | Value::Number(_) => value.to_string(),
                    Value::String(text) if text.len() <= 40 => value.to_string(),
                    other => sort_of(other).to_owned(),
                };
                Err(invalid(&self.at(key), format_args!("must be {accepted}, not {given}")))
            }
        }
    }

    /// A string member.
    pub(crate) fn text(&self, key: &str) -> Result<Option<&'a str>> {
        self.read(key, "a string", Value::as_str)
    }

    /// A string member that must be there.
    pub(crate) fn required_text(&self, key: &str) -> Result<&'a str> {
        self.text(key)?.ok_or_else(|| self.missing(key, "a string"))
    }

    /// A boolean member.
    pub(crate) fn flag(&self, key: &str) -> Result<Option<bool>> {
        self.read(key, "true or false", Value::as_bool)
    }

    /// A number.
    pub(crate) fn number(&self, key: &str) -> Result<Option<f64>> {
        self.read(key, "a number", Value::as_f64)
    }

    /// A whole number from 0 that fits `T`. `1.0` counts as whole, as JSON has one sort of number.
    pub(crate) fn count<T: TryFrom<u64>>(&self, key: &str) -> Result<Option<T>> {
        self.read(key, "a whole number from 0 in range", |value| {
            whole(value).and_then(|n| T::try_from(n).ok())
        })
    }

    /// A list.
    pub(crate) fn list(&self, key: &str) -> Result<Option<&'a [Value]>> {
        self.read(key, "a list", |value| value.as_array().map(Vec::as_slice))
    }

    /// An object.
    pub(crate) fn object(&self, key: &str) -> Result<Option<Fields<'a>>> {
        self.get(key).map(|value| Fields::of(value, self.at(key))).transpose()
    }

    /// The failure of a member that must be there.
    pub(crate) fn missing(&self, key: &str, accepted: &str) -> Failure {
        invalid(&self.path, format_args!("`{key}` is missing; it must be {accepted}"))
    }

    /// The members beside these, as they are.
    pub(crate) fn others(&self, known: &[&str]) -> Map<String, Value> {
        let other = self.map.iter().filter(|(key, value)| !value.is_null() && !known.contains(&key.as_str()));
        other.map(|(key, value)| (key.clone(), value.clone())).collect()
    }

    /// Refuses members beside these.
    pub(crate) fn only(&self, known: &[&str]) -> Result<()> {
        let Some(unknown) = self
            .map
            .iter()
            .find(|(key, value)| !value.is_null() && !known.contains(&key.as_str()))
            .map(|(key, _)| key)
        else {
            return Ok(());
        };
        let guess = nearest(unknown, known.iter().copied())
            .map(|guess| format!(" Did you mean `{guess}`?"))
            .unwrap_or_default();
        let what = format!("`{unknown}` is not known here.{guess} Accepted: {}", known.join(", "));
        Err(invalid(&self.path, what))
    }
}

/// A number that is whole and from 0.
fn whole(value: &Value) -> Option<u64> {
    /// Above 2^53 a float no longer says which whole number was meant.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked to be whole and in range"
    )]
    value.as_u64().or_else(|| {
        value.as_f64().filter(|n| n.fract() == 0.0 && (0.0..=EXACT).contains(n)).map(|n| n as u64)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn null_is_absent_and_whole_floats_count() {
        let value = json!({"a": null, "b": 2.0, "c": -1, "d": 2.5, "e": 300});
        let fields = Fields::of(&value, "").unwrap();
        assert!(!fields.has("a"));
        assert_eq!(fields.text("a").unwrap(), None);
        assert_eq!(fields.count::<u32>("b").unwrap(), Some(2));
        assert!(fields.count::<u32>("c").is_err());
        assert!(fields.count::<u32>("d").is_err());
        assert_eq!(
            fields.count::<u8>("e").unwrap_err().message,
            "e: must be a whole number from 0 in range, not 300"
        );
    }

    #[test]
    fn an_unknown_member_is_named_with_the_near_match_and_what_is_accepted() {
        let value = json!({"mesages": [], "ignored": null});
        let failure = Fields::of(&value, "doc").unwrap().only(&["model", "messages"]).unwrap_err();
        assert_eq!(
            failure.message,
            "doc: `mesages` is not known here. Did you mean `messages`? Accepted: model, messages"
        );
        assert_eq!(failure.kind, FailureKind::InvalidRequest);
        assert_eq!(nearest("stop", ["top_p", "seed"]), None);
    }
}
