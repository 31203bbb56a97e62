//! What an instance's settings say about Responses alone.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::super::schema;

/// The differences between servers of this API. The names in settings are those of the fields with `-` for `_`.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct ResponsesQuirks {
    /// Where answers are asked for, below the base URL. May hold a query.
    pub path: String,
    /// The first system message goes as `instructions`; else all are items.
    pub instructions: bool,
    /// Whether the server keeps the answer.
    pub store: Store,
    /// What answers should hold besides, in every request that does not say it itself.
    pub include: Vec<String>,
    /// The word for no effort; empty where thinking can't be turned off.
    pub no_effort: String,
    /// Wire names of parameters by their portable ones. Here a parameter that the API does not document is sent only
    /// if it is named.
    pub parameters: BTreeMap<String, String>,
}

/// Whether the server keeps the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Store {
    /// As the server does by itself: OpenAI keeps it for 30 days.
    Default,
    /// It is asked to.
    Yes,
    /// It is asked not to, and to hand over encrypted reasoning, without which the next turn could not go on.
    No,
}

impl Default for ResponsesQuirks {
    fn default() -> Self {
        Self {
            path: "responses".into(),
            // xAI refuses `instructions`; all take system messages.
            instructions: false,
            store: Store::Default,
            include: Vec::new(),
            no_effort: "none".into(),
            parameters: BTreeMap::new(),
        }
    }
}

impl ResponsesQuirks {
    /// The JSON Schema of these settings.
    pub(in super::super) fn schema() -> Value {
        schema::object(
            "What is about the Responses API alone.",
            &[
                (
                    "path",
                    schema::text(
                        "Where answers are asked for, below the base URL. May hold a query.",
                        Some("responses"),
                    ),
                ),
                (
                    "instructions",
                    schema::flag(
                        "The first system message goes as `instructions`. Else all are items.",
                        None,
                    ),
                ),
                (
                    "store",
                    schema::choice(
                        "Whether the server keeps the answer. `no` asks for encrypted reasoning too, without which \
                         the next turn could not go on.",
                        &["default", "yes", "no"],
                        Some("default"),
                    ),
                ),
                (
                    "include",
                    schema::list(
                        "What answers should hold besides (`reasoning.encrypted_content`), unless the request says \
                         it itself.",
                    ),
                ),
                (
                    "no-effort",
                    schema::text("The word for no effort. Empty: thinking can't be turned off.", None),
                ),
                (
                    "parameters",
                    schema::names(
                        "Wire names of parameters by their portable ones. A parameter that the API does not document \
                         is sent only if it is named here.",
                    ),
                ),
            ],
        )
    }
}
