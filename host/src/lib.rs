//! `aimu_host`: loads each LLM provider as a sandboxed WebAssembly component and gives every application one way
//! to talk to all of them.

mod model;

pub use model::*;
