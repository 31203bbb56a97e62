//! How one OpenAI-compatible server differs from the next: data, out of an instance's settings.
//!
//! Problem: brands agree on the shape and differ in names, in how thinking is switched, in what they reject.
//! Decision: each difference is a setting with a default that suits most servers, so that a brand is a few lines of
//! configuration. An empty string or an empty object stands for "there is no such thing": TOML has no null. What can
//! be seen in an answer is no setting: all the places of reasoning, usage and citations are read everywhere.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::responses::ResponsesQuirks;
use super::schema;
use crate::{Failure, json as json_util};

/// The differences. The names in settings are those of the fields with `-` for `_`.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Quirks {
    /// The API that is spoken.
    pub api: Api,
    /// Where chats go, below the base URL. May hold a query.
    pub chat_path: String,
    /// Where models are listed, below the base URL; empty where they are not.
    pub models_path: String,
    /// The role of system messages: `system`, `developer`, or `user` for models that know neither.
    pub system_role: String,
    /// Ask for usage in streams with `stream_options.include_usage`.
    pub stream_usage: bool,
    /// Wire names of parameters by their portable ones (`max-tokens = "max_completion_tokens"`); a name may be a path
    /// (`a.b`), and an empty one drops the parameter with a warning.
    pub parameters: BTreeMap<String, String>,
    /// How thinking is controlled.
    pub thinking: ThinkingQuirks,
    /// How the assistant's reasoning goes back.
    pub reasoning_back: ReasoningBack,
    /// What a JSON Schema as response format becomes.
    pub structured_output: StructuredOutput,
    /// The word for "some tool must be called": `required`, or `any`.
    pub required_tool: String,
    /// What ids of tool calls must look like.
    pub tool_call_ids: ToolCallIds,
    /// Tool results may hold media. Elsewhere these follow in a user message.
    pub tool_media: bool,
    /// Parts and tools may carry `cache_control`.
    pub cache_control: bool,
    /// How documents are written.
    pub documents: Documents,
    /// How audio is written.
    pub audio: AudioForm,
    /// Reasoning in `<think>` tags at the start of the text.
    pub think_tags: ThinkTags,
    /// What is about the Responses API alone.
    pub responses: ResponsesQuirks,
    /// What is about embeddings alone.
    pub embeddings: EmbeddingsQuirks,
}

/// How embeddings are asked for.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct EmbeddingsQuirks {
    /// Where they are asked for, below the base URL; empty where the server has none.
    pub path: String,
    /// The member that names the vectors' length; empty where it can't be chosen.
    pub dimensions: String,
    /// Merged into the request for a purpose, by the contract's word for it.
    pub purposes: Map<String, Value>,
    /// The most inputs of one request.
    pub batch: u32,
}

/// The API that is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Api {
    /// <https://platform.openai.com/docs/api-reference/chat>
    ChatCompletions,
    /// <https://platform.openai.com/docs/api-reference/responses>
    Responses,
}

/// What goes out for the contract's `thinking`.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct ThinkingQuirks {
    /// Merged into the request when thinking is on.
    pub on: Map<String, Value>,
    /// Merged into the request when thinking is off; empty where it can't be turned off.
    pub off: Map<String, Value>,
    /// Path of the effort.
    pub effort: String,
    /// Path of the budget in tokens.
    pub budget: String,
    /// Path of the wish for a summary.
    pub summary: String,
}

/// How the assistant's reasoning goes back. What has a wire form of its own (`reasoning_details`, a thinking block)
/// goes back unchanged in any case.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(from = "String", into = "String")]
pub enum ReasoningBack {
    /// Not at all.
    Drop,
    /// `{"type":"thinking"}` blocks in a list of content (Mistral).
    Blocks,
    /// `<think>` tags in front of the text.
    Tags,
    /// A member of the message: `reasoning_content`, `reasoning`.
    Member(String),
}

impl From<String> for ReasoningBack {
    fn from(word: String) -> Self {
        match word.as_str() {
            "drop" | "" => Self::Drop,
            "blocks" => Self::Blocks,
            "tags" => Self::Tags,
            _ => Self::Member(word),
        }
    }
}

impl From<ReasoningBack> for String {
    fn from(back: ReasoningBack) -> Self {
        match back {
            ReasoningBack::Drop => "drop".into(),
            ReasoningBack::Blocks => "blocks".into(),
            ReasoningBack::Tags => "tags".into(),
            ReasoningBack::Member(name) => name,
        }
    }
}

/// What a JSON Schema as response format becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StructuredOutput {
    /// `json_schema` with the schema.
    JsonSchema,
    /// `json_object` without it, and a warning.
    JsonObject,
}

/// What ids of tool calls must look like. Those of another provider's calls are replaced where they don't.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ToolCallIds {
    /// Anything.
    Any,
    /// At most 40 characters (OpenAI).
    Max40,
    /// Nine letters and digits (Mistral).
    Alphanumeric9,
}

/// How documents are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Documents {
    /// `file` parts (OpenAI, OpenRouter).
    File,
    /// `document_url` parts (Mistral).
    DocumentUrl,
}

/// How audio is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AudioForm {
    /// `input_audio` with data and format (OpenAI).
    Object,
    /// `input_audio` as base64 or URL (Mistral).
    String,
}

/// Reasoning in `<think>` tags. Once reasoning comes in a field of its own, tags are text like any other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ThinkTags {
    /// The model writes both tags.
    Model,
    /// The prompt's template has written the opening one.
    Prompt,
    /// Tags are text.
    Off,
}

impl Default for Quirks {
    fn default() -> Self {
        Self {
            api: Api::ChatCompletions,
            chat_path: "chat/completions".into(),
            models_path: "models".into(),
            system_role: "system".into(),
            stream_usage: true,
            parameters: BTreeMap::new(),
            thinking: ThinkingQuirks::default(),
            reasoning_back: ReasoningBack::Drop,
            structured_output: StructuredOutput::JsonSchema,
            required_tool: "required".into(),
            tool_call_ids: ToolCallIds::Any,
            tool_media: false,
            cache_control: false,
            documents: Documents::File,
            audio: AudioForm::Object,
            think_tags: ThinkTags::Model,
            responses: ResponsesQuirks::default(),
            embeddings: EmbeddingsQuirks::default(),
        }
    }
}

/// Inputs of one request unless a brand says otherwise. OpenAI takes 2,048, but the text of their vectors, one number a
/// line, and what it is read into would fill a component's memory.
const BATCH: u32 = 256;

impl Default for EmbeddingsQuirks {
    fn default() -> Self {
        Self {
            path: "embeddings".into(),
            dimensions: "dimensions".into(),
            purposes: Map::new(),
            batch: BATCH,
        }
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

impl Default for ThinkingQuirks {
    fn default() -> Self {
        let mut off = Map::new();
        off.insert("reasoning_effort".into(), "none".into());
        Self {
            on: Map::new(),
            off,
            effort: "reasoning_effort".into(),
            budget: String::new(),
            summary: String::new(),
        }
    }
}

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

    /// The wire name of a parameter: as the settings rename it, else `usual`. `None`: it is not sent.
    #[must_use]
    pub fn wire_name<'q>(&'q self, portable: &str, usual: &'q str) -> Option<&'q str> {
        let name = self.parameters.get(portable).map_or(usual, String::as_str);
        (!name.is_empty()).then_some(name)
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
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
