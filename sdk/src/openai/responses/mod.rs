//! OpenAI's Responses, the second wire format of the brands that speak chat completions.
//!
//! Problem: here a conversation is a list of items, each with an id of its own, and the service checks on the next turn
//! that they came back as they were. Decision: what the contract has a shape for becomes parts whose `replay` holds the
//! rest; every other item is an opaque part, or a server-executed call, and goes back verbatim and in its place. Price:
//! items with media inside are held twice while they are decoded.
//!
//! Source: <https://platform.openai.com/docs/api-reference/responses>.

mod content;
mod count;
mod decode;
mod input;
mod items;
mod outcome;
mod piece;
mod request;
mod settings;
#[cfg(test)]
mod tests;

pub use count::{count_in, count_request};
pub use decode::ResponsesDecoder;
pub use request::{body, request};
pub use settings::{ResponsesQuirks, Store};
