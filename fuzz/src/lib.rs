//! What takes hostile bytes, and what must hold of it, for `cargo fuzz`.
//!
//! Problem: a fuzzer builds everything with its instruments, and the engine takes minutes of that. Decision: the host's
//! parsers are compiled here from the host's own files, which need nothing of the engine; those of streams are a crate
//! anyway. What must hold stands in two files, which ordinary tests run over the corpora, too: `streams` in
//! `sdk/core/tests/corpora.rs`, `host` in the host's own tests. Price: the list of files below.
#![allow(dead_code, unused_imports, unreachable_pub, missing_docs, unfulfilled_lint_expectations)]

extern crate self as wasmtime;
pub use wasmparser;

pub mod host;
pub mod streams;

#[path = "../../host/src/config/mod.rs"]
mod config;
#[path = "../../host/src/document/mod.rs"]
mod document;
#[path = "../../host/src/limits.rs"]
mod limits;
#[path = "../../host/src/model/mod.rs"]
mod model;
#[path = "../../host/src/model_string.rs"]
mod model_string;
#[path = "../../host/src/openai/mod.rs"]
mod openai;
#[path = "../../host/src/ownership.rs"]
mod ownership;
#[path = "../../host/src/plain_file.rs"]
mod plain_file;
#[path = "../../host/src/stamp.rs"]
mod stamp;

#[path = "../../host/src/attachment"]
mod attachment {
    pub(crate) mod sniff;
}

#[path = "../../host/src/mcp"]
mod mcp {
    mod config;
    mod file;

    pub(crate) use config::ServerConfig;
    pub(crate) use file::parse as parse_file;
}

#[path = "../../host/src/sandbox"]
mod sandbox {
    mod cache;
    pub(crate) mod contract;
    mod digest;
    mod inspect;

    pub(crate) use cache::Cache;
    pub use inspect::{Inspection, inspect};
}

#[path = "../../host/src/secrets"]
mod secrets {
    mod command_line;
    mod secret;

    pub(crate) use command_line::CommandLine;
    pub use secret::Secret;
}
