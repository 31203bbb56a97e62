//! The arguments of a call: read, checked against the tool's schema, and put right where it is plain what was meant.

use crate::schema;
use jsonschema::Validator;
use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::types::{JsonType, JsonTypeSet};
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use std::fmt;

/// Bytes of one call's arguments: a model writes a few thousand tokens, some of them a file.
const MOST_BYTES: usize = 4 << 20;

/// Levels of nesting: schemas of tools have fewer than ten.
const DEEPEST: usize = 64;

/// Characters of a key that are told.
const KEY_LENGTH: usize = 60;

/// Passes of putting right: a text that holds an object may hold another text.
const PASSES: usize = 4;

/// The arguments that a model wrote, as the schema wants them. The error is for the model.
pub(super) fn read(text: &str, validator: &Validator) -> Result<Map<String, Value>, String> {
    if text.len() > MOST_BYTES {
        return Err(format!("the arguments have more than {} MiB", MOST_BYTES >> 20));
    }
    let mut value = if text.trim().is_empty() { Value::Object(Map::new()) } else { parse(text)? };
    // What some models write where there are no arguments.
    if value.is_null() {
        value = Value::Object(Map::new());
    }
    for _ in 0..PASSES {
        let wrong = wrong_types(&value, validator);
        let mended = wrong.into_iter().filter(|(place, types)| mend(&mut value, place, *types)).count();
        if mended == 0 {
            break;
        }
    }
    if let Some(faults) = schema::faults(validator, &value) {
        return Err(format!("the arguments do not fit the tool's schema: {faults}"));
    }
    match value {
        Value::Object(arguments) => Ok(arguments),
        _ => Err("the arguments must be a JSON object".to_owned()),
    }
}

/// The places whose values are of another type than the schema wants, and the types that it wants.
fn wrong_types(value: &Value, validator: &Validator) -> Vec<(String, JsonTypeSet)> {
    let errors = validator.iter_errors(value).filter_map(|error| {
        let types = match error.kind() {
            ValidationErrorKind::Type { kind: TypeKind::Single(one) } => JsonTypeSet::empty().insert(*one),
            ValidationErrorKind::Type { kind: TypeKind::Multiple(some) } => *some,
            _ => return None,
        };
        Some((error.instance_path().as_str().to_owned(), types))
    });
    errors.collect()
}

/// Puts one value right, if it can only mean one thing.
fn mend(value: &mut Value, place: &str, wanted: JsonTypeSet) -> bool {
    let Some(found) = value.pointer_mut(place) else { return false };
    let wants = |one| wanted.contains(one);
    let number = wants(JsonType::Number) || wants(JsonType::Integer);
    let mended = match &*found {
        Value::String(text) => match serde_json::from_str(text.trim()) {
            Ok(Value::Number(read)) if number => whole(&read, wanted).map(Value::Number),
            Ok(read @ Value::Bool(_)) if wants(JsonType::Boolean) => Some(read),
            Ok(Value::Null) if wants(JsonType::Null) => Some(Value::Null),
            Ok(Value::Object(_)) if wants(JsonType::Object) => parse(text).ok(),
            Ok(Value::Array(_)) if wants(JsonType::Array) => parse(text).ok(),
            _ => match text.trim() {
                "True" if wants(JsonType::Boolean) => Some(Value::Bool(true)),
                "False" if wants(JsonType::Boolean) => Some(Value::Bool(false)),
                _ => None,
            },
        },
        Value::Number(_) | Value::Bool(_) if wants(JsonType::String) => {
            Some(Value::String(found.to_string()))
        }
        _ => None,
    };
    mended.map(|mended| *found = mended).is_some()
}

/// A number as the schema wants it: a whole one without a fraction.
fn whole(number: &Number, wanted: JsonTypeSet) -> Option<Number> {
    if wanted.contains(JsonType::Number) || number.is_i64() || number.is_u64() {
        return Some(number.clone());
    }
    // Up to 2⁵³ a float says exactly which whole number it is.
    let float =
        number.as_f64().filter(|float| float.fract() == 0.0 && float.abs() <= 9_007_199_254_740_992.0)?;
    #[allow(clippy::cast_possible_truncation)]
    Some(Number::from(float as i64))
}

/// Reads JSON whose objects have each key once and that is not nested without end.
fn parse(text: &str) -> Result<Value, String> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let read =
        Strict(DEEPEST).deserialize(&mut deserializer).and_then(|value| deserializer.end().map(|()| value));
    read.map_err(|error| format!("the arguments are not valid JSON: {error}"))
}

/// A value that says only one thing, with so many levels left. `serde_json` takes the last of two equal keys, and a person
/// who is asked might see the first.
struct Strict(usize);

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Strict {
    fn deeper<E: serde::de::Error>(&self) -> Result<usize, E> {
        self.0.checked_sub(1).ok_or_else(|| E::custom(format!("nested more than {DEEPEST} levels deep")))
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let left = self.deeper()?;
        let mut values = Vec::new();
        while let Some(value) = list.next_element_seed(Strict(left))? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let left = self.deeper()?;
        let mut members = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            if members.contains_key(&key) {
                let key: String = key.chars().take(KEY_LENGTH).collect();
                return Err(A::Error::custom(format!("the key `{key}` stands twice in one object")));
            }
            members.insert(key, map.next_value_seed(Strict(left))?);
        }
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(schema: Value, text: &str) -> Result<Value, String> {
        read(text, &jsonschema::validator_for(&schema).unwrap()).map(Value::Object)
    }

    fn of(kind: Value) -> Value {
        json!({"type": "object", "properties": {"a": {"type": kind}}, "required": ["a"]})
    }

    #[test]
    fn what_can_only_mean_one_thing_is_put_right() {
        for (kind, written, meant) in [
            (json!("integer"), r#"{"a": "3"}"#, json!(3)),
            (json!("integer"), r#"{"a": "3.0"}"#, json!(3)),
            (json!("number"), r#"{"a": " 2.5 "}"#, json!(2.5)),
            (json!("boolean"), r#"{"a": "True"}"#, json!(true)),
            (json!(["integer", "null"]), r#"{"a": "null"}"#, json!(null)),
            (json!("string"), r#"{"a": 7}"#, json!("7")),
            (json!("array"), r#"{"a": "[1]"}"#, json!([1])),
            (json!("object"), r#"{"a": "{\"b\": 1}"}"#, json!({"b": 1})),
        ] {
            assert_eq!(check(of(kind), written).unwrap()["a"], meant, "{written}");
        }
        let nested = json!({"type": "object", "properties": {"p": {"$ref": "#/$defs/p"}}, "$defs": {
            "p": {"type": "object", "properties": {"x": {"type": "integer"}}}}});
        assert_eq!(check(nested, r#"{"p": "{\"x\": \"4\"}"}"#).unwrap(), json!({"p": {"x": 4}}));
    }

    #[test]
    fn what_is_wrong_is_told_to_the_model() {
        for (written, told) in [
            (r#"{"a": "three"}"#, "/a: \"three\" is not of type \"integer\""),
            (r#"{"a": "3.5"}"#, "integer"),
            ("{}", "\"a\" is a required property"),
            (r#"{"a": 1"#, "not valid JSON: EOF"),
            (r#"{"a": 1, "a": 2}"#, "the key `a` stands twice"),
            ("[1]", "object"),
        ] {
            let error = check(of(json!("integer")), written).unwrap_err();
            assert!(error.contains(told), "{written}: {error}");
        }
    }

    #[test]
    fn nothing_is_an_object_without_members() {
        for nothing in ["", "  ", "null", "{}"] {
            assert_eq!(check(json!({"type": "object"}), nothing).unwrap(), json!({}));
        }
    }

    #[test]
    fn what_is_deep_or_long_ends_in_a_short_message() {
        let deep = format!("{{\"a\": {}1{}}}", "[".repeat(100), "]".repeat(100));
        assert!(check(json!(true), &deep).unwrap_err().contains("64 levels"));
        let long = format!("{{\"a\": \"{}\"}}", "x".repeat(100_000));
        let told = check(of(json!("integer")), &long).unwrap_err();
        assert!(told.len() < 1_000 && told.ends_with("is not of type \"integer\""), "{told}");
        assert!(
            check(json!(true), &format!("\"{}\"", "x".repeat(MOST_BYTES))).unwrap_err().contains("4 MiB")
        );
    }
}
