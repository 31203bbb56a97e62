//! The host's own form of the contract's data: what every provider, wasm or native, takes and gives.
//!
//! Decision: these types are ours, not generated, so that they carry docs and serde and outlive a version of the
//! contract; `sandbox/v0_1` maps the generated ones to them. In JSON, fields are `snake_case` and the words of the
//! contract (kinds, roles, capabilities) stand as they do in `wit/`.

mod description;
mod embedding;
mod event;
mod failure;
mod message;
mod progress;
mod request;
mod tool_run;

pub use description::*;
pub use embedding::*;
pub use event::*;
pub use failure::*;
pub use message::*;
pub use progress::*;
pub use request::*;
pub use tool_run::*;
