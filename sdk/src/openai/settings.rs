//! Quirks as an instance's settings: how they are read, and the JSON Schema that documents them.
//!
//! Problem: a brand is data, so its author needs to be told what may be said and what was said wrongly. Decision: the
//! host checks settings against this schema before a component gets them, and it is what `aimu-host plugins inspect`
//! prints. Price: each default stands here and in [`Quirks`]; a test compares them.

use serde_json::{Map, Value, json};

use super::quirks::{EmbeddingsQuirks, Quirks};
use super::responses::ResponsesQuirks;
use super::schema;
use crate::{Failure, json as json_util};

impl Quirks {
    /// These quirks as an instance's settings change them. An object in `thinking` replaces as a whole.
    ///
    /// # Errors
    /// The settings are not what [`Quirks::schema`] describes.
    pub fn with_settings(&self, settings: &str) -> Result<Self, Failure> {
        if matches!(settings.trim(), "" | "{}" | "null") {
            return Ok(self.clone());
        }
        let wrong = |error: serde_json::Error| {
            Failure::invalid(format!("the instance's settings are wrong: {error}"))
        };
        if *self == Self::default() {
            return serde_json::from_str(settings).map_err(wrong);
        }
        let patch: Map<String, Value> = serde_json::from_str(settings).map_err(wrong)?;
        // By way of text: a reader that takes values apart would be a twentieth of a component.
        let own = serde_json::to_string(self).map_err(wrong)?;
        let mut document: Value = serde_json::from_str(&own).map_err(wrong)?;
        for (name, value) in patch {
            match (name.as_str(), value, document.get_mut(&name)) {
                (
                    "thinking" | "responses" | "embeddings",
                    Value::Object(members),
                    Some(Value::Object(have)),
                ) => have.extend(members),
                (_, value, Some(have)) => json_util::merge(have, value),
                // An unknown name is refused below, with its name.
                (_, value, None) => json_util::merge(&mut document, json!({ name: value })),
            }
        }
        serde_json::from_str(&document.to_string()).map_err(wrong)
    }

    /// The JSON Schema of the settings.
    #[must_use]
    pub fn schema() -> Value {
        let thinking = schema::object(
            "What goes out when the caller controls thinking.",
            &[
                ("on", schema::any_object("Merged into the request when thinking is on.", None)),
                (
                    "off",
                    schema::any_object(
                        "Merged into the request when thinking is off. Empty: it can't be.",
                        Some(("reasoning_effort", "none")),
                    ),
                ),
                (
                    "effort",
                    schema::text("Path of the effort. Empty: there is none.", Some("reasoning_effort")),
                ),
                ("budget", schema::text("Path of the budget in tokens. Empty: there is none.", Some(""))),
                ("summary", schema::text("Path of the wish for a summary. Empty: there is none.", Some(""))),
            ],
        );
        schema::object(
            "How this server differs from OpenAI's own.",
            &[
                (
                    "api",
                    schema::choice(
                        "The API that is spoken. Where it is not said, the model's entry decides, else it is chat \
                         completions.",
                        &["chat-completions", "responses"],
                        None,
                    ),
                ),
                (
                    "chat-path",
                    schema::text(
                        "Where chats go, below the base URL. May hold a query.",
                        Some("chat/completions"),
                    ),
                ),
                (
                    "models-path",
                    schema::text(
                        "Where models are listed, below the base URL. Empty: they are not.",
                        Some("models"),
                    ),
                ),
                (
                    "system-role",
                    schema::text(
                        "The role of system messages: `system`, `developer` or `user`.",
                        Some("system"),
                    ),
                ),
                (
                    "stream-usage",
                    schema::flag("Ask for usage in streams with `stream_options.include_usage`.", Some(true)),
                ),
                (
                    "parameters",
                    schema::names(
                        "Wire names of parameters by their portable ones, as in `repetition-penalty = \
                         \"repeat_penalty\"`. May be a path (`a.b`). Empty: not sent.",
                    ),
                ),
                ("thinking", thinking),
                (
                    "reasoning-back",
                    schema::text(
                        "How the assistant's reasoning goes back: `drop`, `blocks` (thinking blocks), `tags` \
                         (<think>), or the name of a member of the message (`reasoning_content`, `reasoning`).",
                        Some("drop"),
                    ),
                ),
                (
                    "structured-output",
                    schema::choice(
                        "What a JSON Schema as response format becomes.",
                        &["json_schema", "json_object"],
                        Some("json_schema"),
                    ),
                ),
                (
                    "required-tool",
                    schema::text("The word for \"some tool must be called\".", Some("required")),
                ),
                (
                    "tool-call-ids",
                    schema::choice(
                        "What ids of tool calls must look like; others are replaced.",
                        &["any", "max40", "alphanumeric9"],
                        Some("any"),
                    ),
                ),
                (
                    "tool-media",
                    schema::flag(
                        "Tool results may hold media. Else these follow in a user message.",
                        Some(false),
                    ),
                ),
                ("cache-control", schema::flag("Parts and tools may carry `cache_control`.", Some(false))),
                (
                    "documents",
                    schema::choice("How documents are written.", &["file", "document_url"], Some("file")),
                ),
                (
                    "audio",
                    schema::choice(
                        "How audio is written: data and format, or one string.",
                        &["object", "string"],
                        Some("object"),
                    ),
                ),
                (
                    "think-tags",
                    schema::choice(
                        "Reasoning in <think> tags: the model writes both, the prompt's template the first, or they \
                         are text.",
                        &["model", "prompt", "off"],
                        Some("model"),
                    ),
                ),
                ("responses", ResponsesQuirks::schema()),
                ("embeddings", EmbeddingsQuirks::schema()),
            ],
        )
    }
}

impl EmbeddingsQuirks {
    /// The JSON Schema of these settings. As text, since to build it member by member is 10 KiB of code; that it parses
    /// and says the defaults is a test.
    fn schema() -> Value {
        serde_json::from_str(
            r#"{
                "type": "object",
                "description": "What is about embeddings alone.",
                "additionalProperties": false,
                "properties": {
                    "path": {
                        "type": "string",
                        "description": "Where they are asked for, below the base URL. Empty: there are none.",
                        "default": "embeddings"
                    },
                    "dimensions": {
                        "type": "string",
                        "description": "The member that names the vectors' length. Empty: it can't be chosen.",
                        "default": "dimensions"
                    },
                    "purposes": {
                        "type": "object",
                        "description": "Merged into the request for a purpose.",
                        "additionalProperties": false,
                        "properties": {
                            "query": {"type": "object"},
                            "document": {"type": "object"},
                            "classification": {"type": "object"},
                            "clustering": {"type": "object"},
                            "similarity": {"type": "object"}
                        },
                        "default": {}
                    },
                    "batch": {
                        "type": "integer",
                        "description": "The most inputs of one request; more are split.",
                        "minimum": 1,
                        "default": 256
                    }
                }
            }"#,
        )
        .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::quirks::{ReasoningBack, ToolCallIds};
    use super::*;

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

    #[test]
    fn the_schema_names_every_setting_with_its_default() {
        let quirks = serde_json::to_value(Quirks::default()).unwrap();
        let schema = Quirks::schema();
        let properties = schema["properties"].as_object().unwrap();
        let names: Vec<_> = quirks.as_object().unwrap().keys().collect();
        assert_eq!(properties.keys().collect::<Vec<_>>(), names);
        for (name, property) in properties {
            if let Some(default) = property.get("default") {
                assert_eq!(default, &quirks[name], "{name}");
            }
        }
        let thinking = schema["properties"]["thinking"]["properties"].as_object().unwrap();
        let responses = schema["properties"]["responses"]["properties"].as_object().unwrap();
        assert_eq!(
            responses.keys().collect::<Vec<_>>(),
            quirks["responses"].as_object().unwrap().keys().collect::<Vec<_>>()
        );
        let embeddings = schema["properties"]["embeddings"]["properties"].as_object().unwrap();
        let defaults: Map<String, Value> =
            embeddings.iter().map(|(name, setting)| (name.clone(), setting["default"].clone())).collect();
        assert_eq!(Value::Object(defaults), quirks["embeddings"]);
        assert_eq!(
            thinking.keys().collect::<Vec<_>>(),
            quirks["thinking"].as_object().unwrap().keys().collect::<Vec<_>>()
        );
    }
}
