//! The same without `async`: a thin face for programs that wait.

use crate::answering::Answering;
use crate::client::Setup;
use crate::default_model::DefaultModel;
use crate::embed::Embed;
use crate::grants::{Permissions, PluginLock};
use crate::host::{McpCheck, ModelHandle, ModelQuery, ModelRef, PluginEntry, PluginGrants, ProviderEntry};
use crate::message::UserMessage;
use crate::model::{Embeddings, Event, Failure, FailureKind, ModelSpec, Progress, Result};
use crate::options::CallOptions;
use crate::tools::Callable;
use crate::turn::Answer;
use futures::StreamExt;
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::runtime::Runtime;

/// A [`Host`](crate::Host) whose calls wait. Not for use inside `async` code.
#[derive(Clone)]
pub struct Host {
    inner: crate::Host,
    runtime: Arc<Runtime>,
}

impl Host {
    /// Wraps a host with a runtime of its own.
    ///
    /// # Errors
    /// The machine gives no threads.
    pub fn new(inner: crate::Host) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .map_err(|error| Failure::new(FailureKind::Internal, format!("no runtime: {error}")))?;
        Ok(Self { inner, runtime: Arc::new(runtime) })
    }

    /// As [`crate::Host::client`].
    ///
    /// # Errors
    /// As there.
    pub fn client(&self, model: impl Into<ModelRef>) -> Result<Client> {
        self.client_with(model, Setup::default())
    }

    /// As [`crate::Host::client_with`].
    ///
    /// # Errors
    /// As there.
    pub fn client_with(&self, model: impl Into<ModelRef>, setup: Setup) -> Result<Client> {
        let inner = self.runtime.block_on(self.inner.client_with(model, setup))?;
        Ok(Client { inner, runtime: self.runtime.clone() })
    }

    /// As [`crate::Host::pull`]: says how far it is until the model is there.
    ///
    /// # Errors
    /// As there.
    pub fn pull(&self, model: impl Into<ModelRef>) -> Result<Pulling> {
        let inner = self.runtime.block_on(self.inner.pull(model))?;
        Ok(Pulling { inner, runtime: self.runtime.clone() })
    }
}

/// Calls of a [`crate::Host`] that wait for what it gives, and do nothing else.
macro_rules! waiting {
    ($($name:ident($($argument:ident: $given:ty),*) -> $what:ty;)*) => {
        impl Host {
            $(
                #[doc = concat!("As [`crate::Host::", stringify!($name), "`].")]
                ///
                /// # Errors
                /// As there.
                pub fn $name(&self, $($argument: $given),*) -> $what {
                    self.runtime.block_on(self.inner.$name($($argument),*))
                }
            )*
        }
    };
}

waiting! {
    providers() -> Vec<ProviderEntry>;
    plugins() -> Vec<PluginEntry>;
    reload() -> ();
    inspect(file: impl Into<PathBuf>) -> PluginEntry;
    models(query: &ModelQuery) -> Result<Vec<ModelHandle>>;
    model(model: &str) -> Result<Option<ModelSpec>>;
    refresh(provider: &str, settings: &Map<String, Value>) -> Result<Vec<ModelHandle>>;
    default_model() -> Result<DefaultModel>;
    plugin_grants(name: &str) -> Result<PluginGrants>;
    undecided(model: &str) -> Result<Option<PluginGrants>>;
    allow_plugin(seen: &PluginGrants, allowed: &Permissions) -> Result<PluginGrants>;
    revoke_plugin(id: &str) -> Result<bool>;
    plugin_lock(path: &Path) -> Result<(PluginLock, Vec<Failure>)>;
    add_plugin(file: impl Into<PathBuf>) -> Result<PluginEntry>;
    replace_plugin(file: impl Into<PathBuf>) -> Result<PluginEntry>;
    remove_plugin(name: &str) -> Result<PathBuf>;
    tools_of(component: &str) -> Result<Vec<Arc<dyn Callable>>>;
    mcp_check(name: &str) -> Result<McpCheck>;
}

/// A [`Client`](crate::Client) whose calls wait.
pub struct Client {
    inner: crate::Client,
    runtime: Arc<Runtime>,
}

impl Client {
    /// As [`crate::Client::chat`]: waits for the whole answer.
    ///
    /// # Errors
    /// The call failed.
    pub fn chat(&mut self, message: impl Into<UserMessage>) -> Result<Answer> {
        self.runtime.block_on(self.inner.chat(message).into_future())
    }

    /// As [`crate::Client::chat`]: gives events as they come.
    ///
    /// # Errors
    /// The message or an option is wrong.
    pub fn chat_stream(
        &mut self,
        message: impl Into<UserMessage>,
        options: CallOptions,
    ) -> Result<Events<'_>> {
        let answering = self.inner.chat(message).options(options).stream()?;
        Ok(Events { answering, runtime: self.runtime.clone() })
    }

    /// As [`crate::Client::generate`]: waits for the whole answer.
    ///
    /// # Errors
    /// The call failed.
    pub fn generate(&self, prompt: impl Into<UserMessage>) -> Result<Answer> {
        self.runtime.block_on(self.inner.generate(prompt).into_future())
    }

    /// As [`crate::Client::embed`], whose options `set` may set.
    ///
    /// # Errors
    /// The call failed.
    pub fn embed(
        &self,
        inputs: impl IntoIterator<Item = impl Into<String>>,
        set: impl for<'e> FnOnce(Embed<'e>) -> Embed<'e>,
    ) -> Result<Embeddings> {
        self.runtime.block_on(set(self.inner.embed(inputs)).into_future())
    }

    /// As [`crate::Client::count`].
    ///
    /// # Errors
    /// The call failed.
    pub fn count(&self, message: impl Into<UserMessage>) -> Result<u32> {
        self.runtime.block_on(self.inner.count(message).into_future())
    }

    /// The messages so far, in OpenAI format.
    #[must_use]
    pub fn history(&self) -> &[Value] {
        self.inner.history()
    }

    /// Everything else that a client can do and that does not wait.
    pub fn inner(&mut self) -> &mut crate::Client {
        &mut self.inner
    }
}

/// The events of a call, as they come.
pub struct Events<'c> {
    answering: Answering<'c>,
    runtime: Arc<Runtime>,
}

impl Events<'_> {
    /// The answer, once the events have ended well.
    #[must_use]
    pub fn answer(&self) -> Option<&Answer> {
        self.answering.answer()
    }
}

impl Iterator for Events<'_> {
    type Item = Result<Event>;

    fn next(&mut self) -> Option<Result<Event>> {
        self.runtime.block_on(self.answering.next())
    }
}

/// How far a server is with a model, until it is there.
pub struct Pulling {
    inner: crate::Pulling,
    runtime: Arc<Runtime>,
}

impl Iterator for Pulling {
    type Item = Result<Progress>;

    fn next(&mut self) -> Option<Result<Progress>> {
        self.runtime.block_on(self.inner.next())
    }
}
