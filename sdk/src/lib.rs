//! Write an LLM provider, or tools for models, for `aimu-host` in Rust.
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
//!
//! [`tool`] is for components of another kind: tools that models call.

pub mod embedding;
mod export;
pub mod library;
pub mod openai;
mod provider;
pub mod tokens;
pub mod tool;

pub use aimu_sdk_core::*;
pub use embedding::Embedding;
pub use library::Pull;
pub use provider::{Provider, chat_from_generate};
pub use tokens::CountTokens;
