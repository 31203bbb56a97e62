//! OpenAI-format messages to the contract's messages, and back.
//!
//! The history is kept in OpenAI format and is the truth; a provider sees parts. Both ways are pure functions that
//! never change a history.
//!
//! Decision: OpenAI's keys (`content`, `tool_calls`, `refusal`) and a few extensions beside them (`reasoning`,
//! `thought_signature`, `item_id`, `id_synthetic`, `origin`) carry an answer as long as they can say it in full. Where
//! they can't (text between two calls, opaque blocks, media, calls that the provider ran itself), the message holds
//! the ordered list as `parts` besides. Reading prefers `parts` while the plain keys still say the same, so who edits
//! `content` by hand wins. Price: such an answer's text stands in the history twice.

mod adapt;
pub(crate) mod data_url;
pub(crate) mod fields;
pub(crate) mod media;
mod read;
mod reasoning;
mod write;

pub(crate) use adapt::for_provider;
pub(crate) use read::{cache_extra, message, messages, synthetic_id};
pub(crate) use write::{assistant_message, tool_message};
