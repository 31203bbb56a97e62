//! Where third-party code runs.
//!
//! Problem: a plugin is code that nobody here wrote. Decision: it is a WebAssembly component whose only way out is
//! HTTP that the host answers; every call gets a fresh store with a memory limit and a CPU budget, and is dropped
//! with everything that it holds. Price: some 20 µs a call for the store.

mod cache;
mod compile;
mod component;
mod contract;
mod description;
mod digest;
mod engine;
mod inspect;
mod log;
mod meter;
mod room;
mod store;
mod tools;
mod v0_1;

/// The contract that this host speaks, as `package@version`.
pub(crate) fn contract() -> String {
    format!("{}@{}", contract::PACKAGE, contract::VERSION)
}

pub(crate) use cache::Cache;
pub(crate) use compile::Compiler;
pub use compile::compile_if_asked;
pub(crate) use component::{Component, Source, read_component};
pub(crate) use digest::{Digest, DigestIndex};
pub(crate) use engine::Sandbox;
pub use inspect::{Inspection, inspect};
