//! How far a server is that fetches a model.

use super::Event;
use serde::{Deserialize, Serialize};

/// What a server does at the moment, and how much of it is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// What it does, in its own words.
    pub status: String,
    /// Bytes that are there, where it tells them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed: Option<u64>,
    /// Bytes that there will be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
}

impl Progress {
    /// The progress that an event tells of; a warning is a word of the server, too. `None` for other events.
    #[must_use]
    pub fn of(event: Event) -> Option<Self> {
        match event {
            Event::Detail(detail) if detail.kind == "progress" => serde_json::from_value(detail.data).ok(),
            Event::Warning { message } => Some(Self { status: message, completed: None, total: None }),
            _ => None,
        }
    }
}
