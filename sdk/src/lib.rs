//! Write an LLM provider for `aimu-host` in Rust.
//!
//! Problem: a provider is a WebAssembly component that must stream, parse what a socket cuts at any byte,
//! and never see a key. Decision: this crate owns the bindings of the contract in `wit/`; an author implements
//! [`Provider`] and exports it with [`export_provider!`]. Conversion of requests and of streams is pure
//! ([`Decoder`]), so that it is tested natively, without a component. Price: none at run time.
//!
//! A wire format of its own needs a function from [`ChatRequest`] to [`http::HttpRequest`] and a [`Decoder`];
//! [`exchange::run`] does the rest: it sends, tells streams from whole answers, maps errors, and batches events.
//!
//! What only some providers have is a trait of its own beside [`Provider`], and a word in the macro: [`Embedding`],
//! [`CountTokens`], [`Pull`].

pub mod bindings;
mod decoder;
mod defaults;
pub mod embedding;
mod events;
pub mod eventstream;
pub mod exchange;
mod export;
pub mod failure;
pub mod http;
pub mod json;
pub mod library;
pub mod media;
pub mod ndjson;
pub mod openai;
mod parts;
mod provider;
pub mod sse;
mod think;
pub mod tokens;

pub use bindings::aimu::provider::data::*;
pub use bindings::aimu::provider::host::Level;
pub use bindings::optional::embedding::exports::aimu::provider::embedding::{
    EmbedRequest, Embeddings, Purpose,
};
pub use decoder::{Decoder, Frame};
pub use embedding::Embedding;
pub use events::Events;
pub use library::Pull;
pub use parts::{CallPiece, Parts};
pub use provider::{Provider, chat_from_generate};
pub use think::{Opening, Piece, Think};
pub use tokens::CountTokens;
