//! What an instance's settings say about Responses alone.

use serde_json::{Map, Value};

/// The differences between servers of this API. The names in settings are those of the fields with `-` for `_`.
#[derive(Clone, Debug, PartialEq)]
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
    pub parameters: Map<String, Value>,
}

/// Whether the server keeps the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
            parameters: Map::new(),
        }
    }
}
