//! A plausible value for a JSON Schema: what a model would fill in that knows one text only.

use serde_json::{Map, Value, json};

/// Deeper than any schema that is written by hand; a schema that refers to itself ends here.
const DEPTH: usize = 16;

/// A value of this schema that says `text` wherever a string goes.
pub(crate) fn plausible(schema: &Value, text: &str) -> Value {
    value(schema, schema, text, DEPTH)
}

fn value(schema: &Value, root: &Value, text: &str, depth: usize) -> Value {
    let Some(depth) = depth.checked_sub(1) else {
        return Value::Null;
    };
    if let Some(target) = schema.get("$ref").and_then(Value::as_str).and_then(|path| path.strip_prefix('#')) {
        return root.pointer(target).map_or(Value::Null, |schema| value(schema, root, text, depth));
    }
    if let Some(fixed) =
        schema.get("const").or_else(|| schema.pointer("/enum/0")).or_else(|| schema.get("default"))
    {
        return fixed.clone();
    }
    if let Some(first) = ["anyOf", "oneOf", "allOf"].iter().find_map(|name| schema.get(*name)?.get(0)) {
        return value(first, root, text, depth);
    }
    let kind = schema.get("type");
    let kind = kind.and_then(Value::as_str).or_else(|| kind?.get(0)?.as_str());
    match kind {
        Some("string") => json!(text),
        Some("integer") => json!(number(text).map_or(1, |number| number as i64)),
        Some("number") => json!(number(text).unwrap_or(1.0)),
        Some("boolean") => json!(true),
        Some("null") => Value::Null,
        Some("array") => {
            let item =
                schema.get("items").map_or_else(|| json!(text), |items| value(items, root, text, depth));
            json!([item])
        }
        _ => {
            let properties = schema.get("properties").and_then(Value::as_object);
            let members: Map<String, Value> = properties
                .into_iter()
                .flatten()
                .map(|(name, schema)| (name.clone(), value(schema, root, text, depth)))
                .collect();
            Value::Object(members)
        }
    }
}

/// The first number in a text.
pub(crate) fn number(text: &str) -> Option<f64> {
    text.split_whitespace()
        .find_map(|word| word.trim_matches(|c: char| !c.is_ascii_digit() && c != '-').parse().ok())
}
