//! Write an LLM provider for `aimu-host` in Rust.
//!
//! Problem: a provider is a WebAssembly component that must stream, parse what a socket cuts at any byte,
//! and never see a key. Decision: this crate owns the bindings of the contract in `wit/`; an author implements
//! [`Provider`] and exports it with [`export_provider!`]. Conversion of requests and of streams is pure
//! ([`Decoder`]), so that it is tested natively, without a component. Price: none at run time.

pub mod bindings;
mod decoder;
mod events;
mod export;
mod provider;

pub use bindings::aimu::provider::data::*;
pub use bindings::aimu::provider::host::Level;
pub use decoder::{Decoder, Frame};
pub use events::Events;
pub use provider::{Provider, chat_from_generate};
