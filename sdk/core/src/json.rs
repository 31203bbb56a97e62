//! JSON that callers and providers hand in: `extra`, and documents that should parse.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::{Failure, ToolCall};

/// Reads any document. The one place that does: where it is used directly, serde's reader is built in once more.
///
/// # Errors
/// It is not JSON.
pub fn value(text: &str) -> serde_json::Result<Value> {
    serde_json::from_str(text)
}

/// The same of bytes, which have to be UTF-8 as JSON has it. `None`: they are no document.
#[must_use]
pub fn value_of_bytes(bytes: &[u8]) -> Option<Value> {
    value(std::str::from_utf8(bytes).ok()?).ok()
}

/// Merges a patch into a document as RFC 7396 has it: objects merge member by member at every depth, `null` removes,
/// everything else replaces.
pub fn merge(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    if let Value::Object(target) = target {
        for (name, value) in patch {
            if value.is_null() {
                // `remove` would put the last member in its place.
                target.shift_remove(&name);
            } else {
                merge(target.entry(name).or_insert(Value::Null), value);
            }
        }
    }
}

/// Merges the contract's `extra` of `what` (the request, a message, a part, a tool) into its wire form.
///
/// # Errors
/// `extra` is not a JSON object.
pub fn merge_extra(target: &mut Value, extra: Option<&str>, what: &str) -> Result<(), Failure> {
    let Some(extra) = extra else { return Ok(()) };
    match value(extra) {
        Ok(patch @ Value::Object(_)) => {
            merge(target, patch);
            Ok(())
        }
        Ok(_) => Err(Failure::invalid(format!("`extra` of {what} must be a JSON object"))),
        Err(error) => Err(Failure::invalid(format!("`extra` of {what} is not valid JSON: {error}"))),
    }
}

/// Reads a document that the contract carries as text: a schema, a replayed block.
///
/// # Errors
/// It is not JSON.
pub fn parse(text: &str, what: &str) -> Result<Value, Failure> {
    value(text).map_err(|error| Failure::invalid(format!("{what} is not valid JSON: {error}")))
}

/// The arguments of an earlier call, for a wire that wants an object. None are the empty object; the model shall see
/// what it wrote beside the error that it got for it, so text that is no object goes inside one, with a warning.
pub fn call_arguments(call: &ToolCall, warnings: &mut Vec<String>) -> Value {
    match value(&call.arguments) {
        Ok(arguments @ Value::Object(_)) => return arguments,
        _ if call.arguments.trim().is_empty() => return Value::Object(Map::new()),
        _ => {}
    }
    warnings.push(format!("the arguments of the call {} are no JSON object; sent inside one", call.id));
    Value::Object(Map::from_iter([("invalid_json".to_owned(), call.arguments.as_str().into())]))
}

/// Reads a whole answer.
///
/// # Errors
/// `protocol`, with the answer's first words: it is not JSON, or not of this shape.
pub fn answer<T: DeserializeOwned>(body: &[u8]) -> Result<T, Failure> {
    let Ok(text) = std::str::from_utf8(body) else { return Err(crate::exchange::not_json(body)) };
    serde_json::from_str(text).map_err(|error| {
        let mut failure = crate::exchange::not_json(body);
        if !error.is_syntax() && !error.is_eof() {
            failure.message = format!("the answer has an unexpected shape: {error}");
        }
        failure
    })
}

/// Adds a member unless it is absent.
pub fn put<T: Into<Value>>(object: &mut Map<String, Value>, name: &str, value: Option<T>) {
    if let Some(value) = value {
        object.insert(name.to_owned(), value.into());
    }
}

/// Closes every object of a schema that does not say whether it is: some APIs refuse an open one, and say so in an
/// error.
pub fn close_objects(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(close_objects),
        Value::Object(members) => {
            if members.get("type").is_some_and(|kind| kind == "object") {
                members.entry("additionalProperties").or_insert(Value::Bool(false));
            }
            for (name, value) in members.iter_mut() {
                match name.as_str() {
                    // Their members are names, not keywords.
                    "properties" | "$defs" | "definitions" => {
                        value.as_object_mut().into_iter().flat_map(Map::values_mut).for_each(close_objects);
                    }
                    "items" | "prefixItems" | "anyOf" | "oneOf" | "allOf" => close_objects(value),
                    _ => {}
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    #[test]
    fn arguments_are_an_object_whatever_the_model_wrote() {
        for (written, sent, warned) in [
            (r#" {"a": 1}"#, json!({"a": 1}), 0),
            ("", json!({}), 0),
            (" \n", json!({}), 0),
            (r#"{"a""#, json!({"invalid_json": r#"{"a""#}), 1),
            ("[1]", json!({"invalid_json": "[1]"}), 1),
        ] {
            let call = ToolCall {
                id: "c".into(),
                name: "f".into(),
                arguments: written.into(),
                server_executed: false,
            };
            let mut warnings = Vec::new();
            assert_eq!(call_arguments(&call, &mut warnings), sent, "{written}");
            assert_eq!(warnings.len(), warned, "{written}");
        }
    }

    #[test]
    fn merges_as_the_rfc_shows() {
        for (mut target, patch, want) in [
            (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "b", "b": 1}), json!({"a": null}), json!({"b": 1})),
            (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": {"b": "c"}}), json!({"a": {"b": "d", "c": null}}), json!({"a": {"b": "d"}})),
            (json!({"a": [1, 2]}), json!({"a": [3]}), json!({"a": [3]})),
            (json!(["a"]), json!({"a": 1}), json!({"a": 1})),
            (json!({}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}})),
            (json!({"a": 1}), json!("x"), json!("x")),
        ] {
            merge(&mut target, patch);
            assert_eq!(target, want);
        }
    }

    #[test]
    fn wrong_extra_is_explained() {
        let mut target = json!({"a": 1});
        merge_extra(&mut target, None, "the request").unwrap();
        merge_extra(&mut target, Some("{\"b\":2}"), "the request").unwrap();
        assert_eq!(target, json!({"a": 1, "b": 2}));
        for wrong in ["[]", "{", "1"] {
            let failure = merge_extra(&mut target, Some(wrong), "a part").unwrap_err();
            assert!(failure.message.contains("`extra` of a part"), "{}", failure.message);
        }
    }

    #[test]
    fn answers_of_the_wrong_shape() {
        let failure = answer::<Map<String, Value>>(b"[1]").unwrap_err();
        assert!(failure.message.contains("unexpected shape"), "{}", failure.message);
        let failure = answer::<Value>(b"oops").unwrap_err();
        assert!(failure.message.contains("oops"), "{}", failure.message);
    }

    #[test]
    fn objects_of_a_schema_are_closed() {
        let open = json!({"type": "object"});
        let closed = json!({"type": "object", "additionalProperties": false});
        let mut schema = json!({
            "type": "object", "additionalProperties": true,
            "properties": {"type": open, "a": {"type": "array", "items": open}, "b": {"anyOf": [open, {"const": open}]}},
            "$defs": {"d": open},
        });
        close_objects(&mut schema);
        let want = json!({
            "type": "object", "additionalProperties": true,
            "properties": {"type": closed, "a": {"type": "array", "items": closed}, "b": {"anyOf": [closed, {"const": open}]}},
            "$defs": {"d": closed},
        });
        assert_eq!(schema, want);
    }
}
