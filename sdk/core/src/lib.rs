//! What every event of an answer passes on its way through a component: the contract's types, the way to the network,
//! the parsers of streams and the parts of an answer. Authors use it by way of the crate `aimu-sdk`.
//!
//! Problem: a component should be small, and quick where it handles what streams; a compiler does one or the other, by
//! the crate. Decision: what runs once a call is in `aimu-sdk` and in the providers, built for size; what runs for
//! each event is here, built for speed (the profile `component` of the workspace). Price: one crate more.

pub mod bindings;
mod decoder;
mod defaults;
mod events;
pub mod eventstream;
pub mod exchange;
pub mod failure;
pub mod http;
pub mod json;
pub mod media;
pub mod ndjson;
mod parts;
mod repeat;
pub mod sse;
mod think;

pub use bindings::aimu::provider::data::*;
pub use bindings::aimu::provider::host::Level;
pub use bindings::optional::embedding::exports::aimu::provider::embedding::{
    EmbedRequest, Embeddings, Purpose,
};
pub use decoder::{Decoder, Frame, OnFrame};
pub use events::Events;
pub use parts::{CallPiece, Parts};
pub use repeat::{Grows, Repeat};
pub use think::{Opening, Piece, Think};
