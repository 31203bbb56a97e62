//! Quirks as an instance's settings: how they are read, and the JSON Schema that documents them.
//!
//! Problem: a brand is data, so its author needs to be told what may be said and what was said wrongly. Decision: the
//! host checks settings against the schema before a component gets them, and it is what `aimu-host plugins inspect`
//! prints. The schema is a file and the settings are read by hand: made and read by derived code, they would be a
//! tenth of a component. Price: each setting stands here, in the schema and in [`Quirks`]; a test compares them.

use serde_json::{Map, Value};

use super::quirks::{
    Api, AudioForm, Documents, EmbeddingsQuirks, Quirks, ReasoningBack, StructuredOutput, ThinkTags,
    ThinkingQuirks, ToolCallIds,
};
use super::responses::{ResponsesQuirks, Store};
use crate::Failure;
use crate::json::{merge, value};

impl Quirks {
    /// These quirks as an instance's settings change them. An object in `thinking` replaces as a whole.
    ///
    /// # Errors
    /// The settings are not what [`Quirks::schema`] describes.
    pub fn with_settings(&self, settings: &str) -> Result<Self, Failure> {
        let mut quirks = self.clone();
        if matches!(settings.trim(), "" | "null") {
            return Ok(quirks);
        }
        let wrong = |why: String| Failure::invalid(format!("the instance's settings are wrong: {why}"));
        let Value::Object(settings) = value(settings).map_err(|error| wrong(error.to_string()))? else {
            return Err(wrong("they are not an object".to_owned()));
        };
        each(settings, |name, value| quirks.set(name, value)).map_err(|name| {
            wrong(format!(
                "`{name}` is not one of them, or not with that value; the plugin's schema has them all"
            ))
        })?;
        Ok(quirks)
    }

    /// The JSON Schema of the settings.
    #[must_use]
    pub fn schema() -> &'static str {
        include_str!(concat!(env!("OUT_DIR"), "/settings.schema.json"))
    }

    fn set(&mut self, name: &str, value: Value) -> Taken {
        match name {
            "api" => word(
                &mut self.api,
                &value,
                &[("chat-completions", Api::ChatCompletions), ("responses", Api::Responses)],
            ),
            "chat-path" => text(&mut self.chat_path, value),
            "models-path" => text(&mut self.models_path, value),
            "system-role" => text(&mut self.system_role, value),
            "stream-usage" => flag(&mut self.stream_usage, &value),
            "parameters" => add(&mut self.parameters, value),
            "thinking" => group(value, |name, value| self.thinking.set(name, value)),
            "reasoning-back" => {
                let mut back = String::new();
                text(&mut back, value)?;
                self.reasoning_back = match back.as_str() {
                    "drop" | "" => ReasoningBack::Drop,
                    "blocks" => ReasoningBack::Blocks,
                    "tags" => ReasoningBack::Tags,
                    _ => ReasoningBack::Member(back),
                };
                Ok(())
            }
            "structured-output" => word(
                &mut self.structured_output,
                &value,
                &[
                    ("json_schema", StructuredOutput::JsonSchema),
                    ("json_object", StructuredOutput::JsonObject),
                ],
            ),
            "required-tool" => text(&mut self.required_tool, value),
            "tool-call-ids" => word(
                &mut self.tool_call_ids,
                &value,
                &[
                    ("any", ToolCallIds::Any),
                    ("max40", ToolCallIds::Max40),
                    ("alphanumeric9", ToolCallIds::Alphanumeric9),
                ],
            ),
            "tool-media" => flag(&mut self.tool_media, &value),
            "cache-control" => flag(&mut self.cache_control, &value),
            "documents" => word(
                &mut self.documents,
                &value,
                &[("file", Documents::File), ("document_url", Documents::DocumentUrl)],
            ),
            "audio" => {
                word(&mut self.audio, &value, &[("object", AudioForm::Object), ("string", AudioForm::String)])
            }
            "think-tags" => word(
                &mut self.think_tags,
                &value,
                &[("model", ThinkTags::Model), ("prompt", ThinkTags::Prompt), ("off", ThinkTags::Off)],
            ),
            "responses" => group(value, |name, value| self.responses.set(name, value)),
            "embeddings" => group(value, |name, value| self.embeddings.set(name, value)),
            _ => Err(Refused),
        }
    }
}

impl ThinkingQuirks {
    fn set(&mut self, name: &str, value: Value) -> Taken {
        match name {
            "on" => object(&mut self.on, value),
            "off" => object(&mut self.off, value),
            "effort" => text(&mut self.effort, value),
            "budget" => text(&mut self.budget, value),
            "summary" => text(&mut self.summary, value),
            _ => Err(Refused),
        }
    }
}

impl ResponsesQuirks {
    fn set(&mut self, name: &str, value: Value) -> Taken {
        match name {
            "path" => text(&mut self.path, value),
            "instructions" => flag(&mut self.instructions, &value),
            "store" => word(
                &mut self.store,
                &value,
                &[("default", Store::Default), ("yes", Store::Yes), ("no", Store::No)],
            ),
            "include" => {
                let Value::Array(names) = value else { return Err(Refused) };
                self.include = Vec::new();
                for name in names {
                    let mut include = String::new();
                    text(&mut include, name)?;
                    self.include.push(include);
                }
                Ok(())
            }
            "no-effort" => text(&mut self.no_effort, value),
            "parameters" => object(&mut self.parameters, value),
            _ => Err(Refused),
        }
    }
}

impl EmbeddingsQuirks {
    fn set(&mut self, name: &str, value: Value) -> Taken {
        match name {
            "path" => text(&mut self.path, value),
            "dimensions" => text(&mut self.dimensions, value),
            "purposes" => object(&mut self.purposes, value),
            "batch" => {
                self.batch = value
                    .as_u64()
                    .and_then(|batch| u32::try_from(batch).ok())
                    .filter(|&batch| batch > 0)
                    .ok_or(Refused)?;
                Ok(())
            }
            _ => Err(Refused),
        }
    }
}

/// There is no such setting, or it can't have that value.
struct Refused;

type Taken = Result<(), Refused>;

/// Hands over members one by one; the error is the name of the one that is refused.
fn each(members: Map<String, Value>, mut set: impl FnMut(&str, Value) -> Taken) -> Result<(), String> {
    for (name, value) in members {
        if set(&name, value).is_err() {
            return Err(name);
        }
    }
    Ok(())
}

fn group(value: Value, set: impl FnMut(&str, Value) -> Taken) -> Taken {
    match value {
        Value::Object(members) => each(members, set).map_err(|_| Refused),
        _ => Err(Refused),
    }
}

fn text(target: &mut String, value: Value) -> Taken {
    match value {
        Value::String(text) => *target = text,
        _ => return Err(Refused),
    }
    Ok(())
}

fn flag(target: &mut bool, value: &Value) -> Taken {
    *target = value.as_bool().ok_or(Refused)?;
    Ok(())
}

/// One of some words.
fn word<T: Copy>(target: &mut T, value: &Value, words: &[(&str, T)]) -> Taken {
    let found = words.iter().find(|(word, _)| value == word);
    *target = found.map(|(_, meaning)| *meaning).ok_or(Refused)?;
    Ok(())
}

/// An object in place of the one there is.
fn object(target: &mut Map<String, Value>, value: Value) -> Taken {
    match value {
        Value::Object(members) => *target = members,
        _ => return Err(Refused),
    }
    Ok(())
}

/// Members that are added to those there are.
fn add(target: &mut Map<String, Value>, value: Value) -> Taken {
    let Value::Object(_) = value else { return Err(Refused) };
    let mut all = Value::Object(std::mem::take(target));
    merge(&mut all, value);
    object(target, all)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::super::sampling;
    use super::*;
    use crate::Sampling;
    use serde_json::json;

    #[test]
    fn settings_change_a_brand() {
        let brand = Quirks { stream_usage: false, ..Quirks::default() };
        let quirks = brand
            .with_settings(r#"{"reasoning-back":"reasoning","tool-call-ids":"max40","thinking":{"off":{},"budget":"a.b"}}"#)
            .unwrap();
        assert!(!quirks.stream_usage);
        assert_eq!(quirks.reasoning_back, ReasoningBack::Member("reasoning".into()));
        assert_eq!(quirks.tool_call_ids, ToolCallIds::Max40);
        assert!(quirks.thinking.off.is_empty());
        assert_eq!(
            (quirks.thinking.effort.as_str(), quirks.thinking.budget.as_str()),
            ("reasoning_effort", "a.b")
        );
        assert_eq!(brand.with_settings("{}").unwrap(), brand);
        for base in [Quirks::default(), brand] {
            let failure = base.with_settings(r#"{"think-tag":"off"}"#).unwrap_err();
            assert!(failure.message.contains("think-tag"), "{}", failure.message);
        }
    }

    /// Every property of a schema by its path, with a value that is not the default.
    fn others(schema: &Value) -> Vec<(String, Value)> {
        let mut found = Vec::new();
        for (name, property) in schema["properties"].as_object().unwrap() {
            if name != "purposes" && property.get("properties").is_some() {
                let inner = others(property);
                found.extend(inner.into_iter().map(|(inner, value)| (format!("{name}/{inner}"), value)));
                continue;
            }
            let default = property.get("default").cloned().unwrap_or_default();
            let other = match (property["enum"].as_array(), property["type"].as_str().unwrap()) {
                (Some(words), _) => words.iter().rfind(|word| **word != default).unwrap().clone(),
                (None, "string") => json!("other"),
                (None, "boolean") => json!(!default.as_bool().unwrap_or_default()),
                (None, "integer") => json!(7),
                (None, "array") => json!(["x"]),
                (None, "object") if name == "purposes" => json!({"query": {"task": "q"}}),
                (None, "object") => json!({"top-k": "k"}),
                (None, other) => panic!("{other}"),
            };
            found.push((name.clone(), other));
        }
        found
    }

    fn nested(path: &str, value: Value) -> String {
        path.rsplit('/').fold(value, |value, name| json!({ name: value })).to_string()
    }

    #[test]
    fn the_schema_says_what_is_read() {
        let schema: Value = serde_json::from_str(Quirks::schema()).unwrap();
        let usual = Quirks::default();
        let settings = others(&schema);
        assert_eq!(settings.len(), 15 + 5 + 6 + 4, "{settings:?}");
        for (path, other) in settings {
            let changed = usual.with_settings(&nested(&path, other)).unwrap();
            assert_ne!(changed, usual, "{path}");
            // The default that is named is the one there is.
            let pointer = format!("/properties/{}/default", path.replace('/', "/properties/"));
            if let Some(default) = schema.pointer(&pointer) {
                assert_eq!(usual.with_settings(&nested(&path, default.clone())).unwrap(), usual, "{path}");
            }
            for wrong in [json!(null), json!([[1]])] {
                let failure = usual.with_settings(&nested(&path, wrong)).unwrap_err();
                assert!(failure.message.contains(path.split('/').next().unwrap()), "{}", failure.message);
            }
        }
        let portable: Vec<_> =
            sampling::values(&Sampling::default()).into_iter().map(|(name, _)| name).collect();
        assert_eq!(schema["properties"]["parameters"]["propertyNames"]["enum"], json!(portable));
    }
}
