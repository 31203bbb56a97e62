//! OpenAI's chat completions, the wire format that most servers speak.
//!
//! Problem: dozens of brands speak it, each with differences; a component for each would be the same code again.
//! Decision: one base. What a server's answers show of themselves is understood everywhere; what differs in requests
//! is [`Quirks`], data out of an instance's settings. A brand is an instance of one component, or a component of its
//! own in a few lines: see [`Compatible`]. [`request()`] and [`ChatDecoder`] are pure. The younger API of the same house
//! is beside it, in [`responses`], for the brands that have it: the quirk `api` chooses.
//!
//! Source: <https://platform.openai.com/docs/api-reference/chat>.

mod citations;
mod compatible;
mod content;
mod decode;
mod delta;
mod details;
mod embeddings;
mod error;
mod media;
mod messages;
mod models;
mod outcome;
mod quirks;
mod request;
pub mod responses;
mod sampling;
mod settings;
#[cfg(test)]
mod tests;
mod wire;

pub use citations::bytes as bytes_of_chars;
pub use compatible::{Brand, Compatible};
pub use decode::ChatDecoder;
pub use embeddings::{answer as embeddings_answer, request as embeddings_request};
pub use error::{from_body as error_from_body, from_response as error_from_response};
pub use models::parse as parse_models;
pub use quirks::{
    Api, AudioForm, Documents, EmbeddingsQuirks, Quirks, ReasoningBack, StructuredOutput, ThinkTags,
    ThinkingQuirks, ToolCallIds,
};
pub use request::{Prepared, body, request};
