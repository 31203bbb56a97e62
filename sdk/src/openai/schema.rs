//! JSON Schemas of settings, property by property.
//!
//! Functions, not one large `json!`: that would be 20 KiB of every component.

use serde_json::{Map, Value};

use super::sampling::PORTABLE;

fn property(kind: &str, what: &str, more: &[(&str, Value)]) -> Value {
    let mut members = Map::new();
    members.insert("type".into(), kind.into());
    if !what.is_empty() {
        members.insert("description".into(), what.into());
    }
    members.extend(more.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    Value::Object(members)
}

fn with_default(kind: &str, what: &str, default: Option<Value>) -> Value {
    let default = default.map(|default| ("default", default));
    property(kind, what, default.as_slice())
}

fn strings(words: &[&str]) -> Value {
    words.iter().map(|word| Value::from(*word)).collect()
}

/// A text.
pub(super) fn text(what: &str, default: Option<&str>) -> Value {
    with_default("string", what, default.map(Value::from))
}

/// Yes or no.
pub(super) fn flag(what: &str, default: Option<bool>) -> Value {
    with_default("boolean", what, default.map(Value::from))
}

/// One of some words.
pub(super) fn choice(what: &str, words: &[&str], default: Option<&str>) -> Value {
    let mut property = text(what, default);
    if let Some(members) = property.as_object_mut() {
        members.insert("enum".into(), strings(words));
    }
    property
}

/// A list of texts, by default empty.
pub(super) fn list(what: &str) -> Value {
    let more = [("items", property("string", "", &[])), ("default", strings(&[]))];
    property("array", what, &more)
}

/// An object with any members; a default of one member.
pub(super) fn any_object(what: &str, default: Option<(&str, &str)>) -> Value {
    let member = |(name, value): (&str, &str)| Value::Object(Map::from_iter([(name.into(), value.into())]));
    with_default("object", what, default.map(member))
}

/// An object of texts by the names of portable parameters.
pub(super) fn names(what: &str) -> Value {
    let portable = Value::Object(Map::from_iter([("enum".to_owned(), strings(&PORTABLE))]));
    let more = [("propertyNames", portable), ("additionalProperties", property("string", "", &[]))];
    property("object", what, &more)
}

/// An object of these members and no others.
pub(super) fn object(what: &str, properties: &[(&str, Value)]) -> Value {
    let properties = properties.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    let more = [("additionalProperties", false.into()), ("properties", Value::Object(properties))];
    property("object", what, &more)
}
