//! `aimu_host`: loads each LLM provider as a sandboxed WebAssembly component and gives every application one way
//! to talk to all of them.
//!
//! ```no_run
//! # async fn example() -> aimu_host::Result<()> {
//! use aimu_host::Host;
//!
//! let host = Host::builder().plugin_dir("plugins").build()?;
//! let mut client = host.client("anthropic:claude-sonnet-4-5").await?;
//! let answer = client.chat("Why is the sky blue?").await?;
//! println!("{}", answer.text);
//! # Ok(())
//! # }
//! ```
//!
//! A model has one name everywhere, `provider:model_id[@base_url][;flag,flag]`. A [`Client`] holds a conversation,
//! whose history is OpenAI-format messages and only grows. [`Client::chat`] gives the whole answer when it is awaited,
//! and its events as they come when it is streamed. [`Client::embed`] turns texts into vectors, [`Client::count`] counts
//! tokens, [`Host::pull`] has a server fetch a model: of providers that do that. The same without `async` is in
//! [`blocking`].
//!
//! Tools are the host's: a [`Toolbox`] has those that a model may call, such as a [`Function`] of the program, and the rules
//! for them; [`Chat::toolbox`] runs what the model calls until it answers.

mod answering;
mod attachment;
pub mod blocking;

mod builtin;
mod caller;
mod chunks;
mod client;
mod config;
mod conversation;
mod count;
mod default_model;
mod doctor;
mod document;
mod egress;
mod embed;
mod embedded;
mod events;
mod grants;
mod home;
mod host;
mod instance;
mod limits;
mod mcp;
mod media_urls;
mod message;
mod model;
mod model_string;
mod openai;
mod options;
mod ownership;
mod plain_file;
mod plugins;
mod private_file;
mod provider;
mod pull;
mod queue;
mod resolve;
mod retry;
mod rounds;
mod sandbox;
mod schema;
mod secrets;
mod series;
mod settings;
mod sigv4;
mod stamp;
mod structured;
mod tools;
mod turn;

/// What fuzzers run, run over their corpora.
#[cfg(test)]
#[allow(unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod corpora;

pub use answering::Answering;
pub use attachment::Attachment;
pub use chunks::{Chunk, Phase};
pub use client::{Chat, Client, Generate, Setup};
pub use conversation::Conversation;
pub use count::Count;
pub use default_model::{DEFAULT_EMBEDDING_MODEL_VARIABLE, DEFAULT_MODEL_VARIABLE, DefaultModel};
pub use doctor::{Checkup, KeyReport, KeyState, Place, PluginReport, ServerReport, Versions};
pub use document::{EmbedDocument, RequestDocument};
pub use egress::Resolve;
pub use embed::{Embed, EmbedResult};
pub use events::{RunEvent, RunId, RunStep};
pub use grants::{CredentialUse, LockedPlugin, Permissions, PluginLock, escaped};
pub use home::Home;
pub use host::{
    CredentialStatus, GrantState, Host, HostBuilder, KeyEntry, KeySource, McpCheck, McpServer, McpState,
    McpWay, ModelHandle, ModelQuery, ModelRef, PluginEntry, PluginGrants, ProviderEntry, ToolEntry,
};
pub use instance::{BaseUrlSource, Instance};
pub use limits::Limits;
pub use message::UserMessage;
pub use model::*;
pub use model_string::ModelString;
pub use options::CallOptions;
pub use provider::{Call, EventReceiver, EventSender, Provider, ResponseHead};
pub use pull::Pulling;
pub use sandbox::{Inspection, compile_if_asked, inspect};
pub use schemars;
pub use secrets::{HeldCredential, KeptKey, KeyPlace, Secret};
pub use tools::{Approval, AskedTool, Callable, Function, ToolContext, ToolReply, ToolSource, Toolbox};
pub use turn::{Answer, done_json, event_json, result_json};
