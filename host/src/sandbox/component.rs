//! A component: each call runs in a store of its own. Here as a provider; its tools are in [`tools`](super::tools).

use super::description::check_description;
use super::digest::Digest;
use super::engine::{Sandbox, offline_limits};
use super::inspect::inspect;
use super::room::{Room, beyond};
use super::store::State;
use super::v0_1;
use crate::egress::{Clients, Egress};
use crate::limits::{Limits, deadline, reached};
use crate::model::{
    ChatRequest, Completion, Description, EmbedRequest, Embeddings, Failure, FailureKind, GenerateRequest,
    Kind, ModelSpec, Result,
};
use crate::provider::{Call, EventSender, Provider, lacks};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::OnceCell;
use wasmtime::component::{Resource, ResourceTableError};
use wasmtime::{Store, Trap};

/// The longest vector that is expected, where nobody asked for a length or a server ignores it: four times what the
/// largest models give, which is 4,096.
const LONGEST_VECTOR: usize = 16_384;

/// Where a component's bytes are.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// In the program.
    Embedded(&'static [u8]),
    /// In a file.
    File(PathBuf),
    /// In memory.
    Bytes(Arc<[u8]>),
}

/// What came of asking a component who it is.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Remembered {
    Description(Box<Description>),
    Failure {
        kind: FailureKind,
        message: String,
        /// What it was asked within: with other limits it is asked again.
        #[serde(default)]
        limits: String,
    },
}

impl Remembered {
    fn of(described: &Result<Description>, limits: &Limits) -> Option<Self> {
        use FailureKind::{Internal, Limit, Timeout};
        match described {
            Ok(description) => Some(Self::Description(Box::new(description.clone()))),
            // What the component itself did wrong; a file that could not be read may be read tomorrow.
            Err(failure) if matches!(failure.kind, Internal | Limit | Timeout) => Some(Self::Failure {
                kind: failure.kind,
                message: format!("{} (`aimu-host plugins inspect FILE` asks it again)", failure.message),
                limits: format!("{limits:?}"),
            }),
            Err(_) => None,
        }
    }
}

/// A component that can be called: a provider, or one of tools.
pub(crate) struct Component {
    sandbox: Arc<Sandbox>,
    source: Source,
    digest: Digest,
    /// Names the plugin in errors: its id, once it has been described.
    name: Arc<str>,
    description: Description,
    /// Linked at the first call: listing and resolving names run nothing.
    pre: OnceCell<v0_1::Linked>,
    clients: Arc<Clients>,
}

impl Component {
    /// Describes a component: from the cache, or by asking it once.
    ///
    /// `label` names it in errors until its id is known. One that could not say who it is is not asked again, unless
    /// `again`: a start must not wait for the same spin each time.
    pub(crate) async fn open(
        sandbox: Arc<Sandbox>,
        source: Source,
        digest: Digest,
        label: &str,
        limits: &Limits,
        again: bool,
    ) -> Result<Self> {
        let mut component = Self {
            sandbox,
            source,
            digest,
            name: label.into(),
            description: Description::default(),
            pre: OnceCell::new(),
            clients: Arc::default(),
        };
        let entry = format!("{}.description.json", component.digest);
        let cache = component.sandbox.cache().clone();
        let cached = cache.read(&entry).and_then(|bytes| serde_json::from_slice(&bytes).ok());
        component.description = match cached {
            Some(Remembered::Description(description)) => *description,
            Some(Remembered::Failure { kind, message, limits: within })
                if !again && within == format!("{limits:?}") =>
            {
                return Err(Failure::new(kind, message));
            }
            _ => {
                let described = component.describe(limits).await;
                if let Some(remembered) = Remembered::of(&described, limits)
                    && let Ok(bytes) = serde_json::to_vec(&remembered)
                {
                    cache.write(&entry, &bytes);
                }
                described?
            }
        };
        component.name = component.description.id.as_str().into();
        Ok(component)
    }

    /// The same, whose bytes are there from now on.
    pub(crate) fn at(self, source: Source) -> Self {
        Self { source, ..self }
    }

    /// Compiles and links it now, before somebody calls it.
    pub(crate) async fn link(&self, limits: &Limits) -> Result<()> {
        self.pre(limits).await.map(drop)
    }

    async fn describe(&self, limits: &Limits) -> Result<Description> {
        let pre = self.pre(limits).await?;
        let limits = offline_limits(limits);
        let state = State::new(&self.name, &limits, Egress::closed(self.name.clone(), limits));
        let room = Room::catalog(&limits);
        let mut store = self.sandbox.store(state, room.bytes);
        let run = async {
            if let Some(tools) = &pre.tools {
                let instance = tools.instantiate_async(&mut store).await?;
                let description = instance.aimu_tool_tools().call_describe(&mut store).await?;
                return Ok(v0_1::tool_description(description));
            }
            let Some(catalog) = &pre.catalog else { return Ok(Err(self.no_provider())) };
            let instance = catalog.instantiate_async(&mut store).await?;
            let description = instance.aimu_provider_catalog().call_describe(&mut store).await?;
            Ok(v0_1::description(description))
        };
        let outcome = tokio::time::timeout(limits.total, run).await;
        let description = match outcome {
            Ok(Ok(description)) => description.map_err(|failure| self.named(failure))?,
            Ok(Err(error)) => return Err(self.trapped(&mut store, &error, &limits, room)),
            Err(_) => return Err(self.named(deadline("total", "did not describe itself", limits.total))),
        };
        check_description(&description).map_err(|failure| self.named(failure))?;
        Ok(description)
    }

    /// The component, compiled and linked: from the cache, or now.
    pub(super) async fn pre(&self, limits: &Limits) -> Result<&v0_1::Linked> {
        self.pre
            .get_or_try_init(|| async {
                if let Some(pre) = self.sandbox.load(&self.digest) {
                    return Ok(pre);
                }
                self.compile(limits).await.map_err(|failure| self.named(failure))
            })
            .await
    }

    async fn compile(&self, limits: &Limits) -> Result<v0_1::Linked> {
        let (digest, source, limit) = (self.digest.clone(), self.source.clone(), limits.component);
        let reading = tokio::task::spawn_blocking(move || {
            let bytes = match &source {
                Source::Embedded(bytes) => Cow::Borrowed(*bytes),
                Source::Bytes(bytes) => Cow::Owned(bytes.to_vec()),
                Source::File(path) => Cow::Owned(read_component(path, limit)?),
            };
            if matches!(source, Source::File(_)) && Digest::of(&bytes) != digest {
                return Err(Failure::new(
                    FailureKind::Unsupported,
                    "its file is being exchanged, and these bytes were not compiled yet; try again",
                ));
            }
            inspect(&bytes)?;
            Ok(bytes)
        });
        let bytes = reading.await.map_err(|error| {
            Failure::new(FailureKind::Internal, format!("reading it failed inside the host: {error}"))
        })??;
        let trusted = matches!(self.source, Source::Embedded(_));
        self.sandbox.compile(bytes, &self.digest, limits, trusted).await
    }

    /// Runs one exported function in a store of its own, within the call's limits.
    pub(super) async fn run<T>(
        &self,
        call: &Call,
        room: Room,
        export: impl AsyncFnOnce(&mut Store<State>) -> wasmtime::Result<Result<T, v0_1::wire::Failure>>,
    ) -> Result<T> {
        let _place = call.instance.queue.enter(&call.limits).await.map_err(|failure| self.named(failure))?;
        let egress = Egress::new(self.name.clone(), call, self.clients.clone());
        let verdict = egress.verdict();
        let state = State::new(&self.name, &call.limits, egress);
        let mut store = self.sandbox.store(state, room.bytes);
        let outcome = tokio::time::timeout(call.limits.total, export(&mut store)).await;
        let failure = match outcome {
            Ok(Ok(Ok(value))) => return Ok(value),
            Ok(Ok(Err(reported))) => {
                let reported = v0_1::failure(reported);
                // What the host saw on the wire is more exact than what the guest made of it.
                match verdict.take() {
                    Some(seen) => {
                        Failure { http_status: reported.http_status, request_id: reported.request_id, ..seen }
                    }
                    None => reported,
                }
            }
            Ok(Err(error)) => match verdict.take() {
                // A guest that aborts because it was refused: the refusal is what happened.
                Some(seen) => seen,
                None => self.trapped(&mut store, &error, &call.limits, room),
            },
            Err(_) => self.named(deadline("total", "did not finish", call.limits.total)),
        };
        Err(failure.of_provider(&call.instance.name))
    }

    /// The failure of a call that only a provider answers.
    fn no_provider(&self) -> Failure {
        Failure::new(FailureKind::Unsupported, format!("the plugin `{}` is no provider", self.name))
    }

    /// Puts the plugin's name in front of what it did.
    pub(super) fn named(&self, failure: Failure) -> Failure {
        Failure { message: format!("the plugin `{}`: {}", self.name, failure.message), ..failure }
    }

    /// What a call that ended in the middle died of.
    fn trapped(
        &self,
        store: &mut Store<State>,
        error: &wasmtime::Error,
        limits: &Limits,
        room: Room,
    ) -> Failure {
        let state = store.data_mut();
        let last_words = state.log.last_words();
        if let Some(failure) = state.meter.take_failure() {
            return self.named(failure);
        }
        if let Some(ResourceTableError::Full) = error.downcast_ref() {
            return self.named(reached("resources", "it holds too many headers, bodies or timers at once"));
        }
        if let Some(failure) = beyond(error, limits, room) {
            return self.named(failure);
        }
        let happened = match (error.downcast_ref::<Trap>(), &last_words) {
            (Some(Trap::UnreachableCodeReached), Some(words)) => format!("it panicked ({words})"),
            (Some(Trap::UnreachableCodeReached), None) => "it trapped: it reached `unreachable`".to_owned(),
            // A compiler lays the guest's own stack at the start of its memory.
            (Some(trap @ Trap::MemoryOutOfBounds), _) => {
                format!("it trapped: {trap}, as a guest does that has used up its stack")
            }
            (Some(trap), _) => format!("it trapped: {trap}"),
            (None, _) => format!("it broke the contract: {}", error.root_cause()),
        };
        self.named(Failure::new(
            FailureKind::Internal,
            format!("{happened}. This call is lost, other calls are not; report it to the plugin's author"),
        ))
    }
}

#[async_trait]
impl Provider for Component {
    fn description(&self) -> &Description {
        &self.description
    }

    async fn models(&self, call: &Call) -> Result<Vec<ModelSpec>> {
        let catalog = &self.pre(&call.limits).await?.catalog;
        let catalog = catalog.as_ref().ok_or_else(|| self.no_provider())?;
        let context = v0_1::context(call);
        let specs = self
            .run(call, Room::catalog(&call.limits), async |store| {
                let instance = catalog.instantiate_async(&mut *store).await?;
                instance.aimu_provider_catalog().call_models(store, &context).await
            })
            .await?;
        specs.into_iter().map(v0_1::model_spec).collect::<Result<_>>().map_err(|failure| self.named(failure))
    }

    async fn chat(&self, call: &Call, request: ChatRequest, events: EventSender) -> Result<Completion> {
        let text = &self.pre(&call.limits).await?.text;
        let text = text.as_ref().ok_or_else(|| lacks(call, Kind::Text))?;
        let (context, request) = (v0_1::context(call), v0_1::chat_request(request));
        let completion = self
            .run(call, Room::event(&call.limits), async |store| {
                let instance = text.instantiate_async(&mut *store).await?;
                let sink = sink(store, events)?;
                instance.aimu_provider_text().call_chat(store, &context, &request, sink).await
            })
            .await?;
        v0_1::completion(completion).map_err(|failure| self.named(failure))
    }

    async fn generate(
        &self,
        call: &Call,
        request: GenerateRequest,
        events: EventSender,
    ) -> Result<Completion> {
        let text = &self.pre(&call.limits).await?.text;
        let text = text.as_ref().ok_or_else(|| lacks(call, Kind::Text))?;
        let (context, request) = (v0_1::context(call), v0_1::generate_request(request));
        let completion = self
            .run(call, Room::event(&call.limits), async |store| {
                let instance = text.instantiate_async(&mut *store).await?;
                let sink = sink(store, events)?;
                instance.aimu_provider_text().call_generate(store, &context, &request, sink).await
            })
            .await?;
        v0_1::completion(completion).map_err(|failure| self.named(failure))
    }

    async fn embed(&self, call: &Call, request: EmbedRequest) -> Result<Embeddings> {
        let embedding = &self.pre(&call.limits).await?.embedding;
        let embedding = embedding.as_ref().ok_or_else(|| lacks(call, Kind::Embedding))?;
        let room = Room { bytes: vector_bytes(&request, &call.limits), limit: None };
        let (context, request) = (v0_1::context(call), v0_1::embed_request(request));
        let embeddings = self
            .run(call, room, async |store| {
                let instance = embedding.instantiate_async(&mut *store).await?;
                instance.aimu_provider_embedding().call_embed(store, &context, &request).await
            })
            .await?;
        Ok(v0_1::embeddings(embeddings))
    }

    async fn count(&self, call: &Call, request: ChatRequest) -> Result<u32> {
        let tokens = &self.pre(&call.limits).await?.tokens;
        let tokens = tokens.as_ref().ok_or_else(|| lacks(call, Kind::Tokens))?;
        let (context, request) = (v0_1::context(call), v0_1::chat_request(request));
        self.run(call, Room::event(&call.limits), async |store| {
            let instance = tokens.instantiate_async(&mut *store).await?;
            instance.aimu_provider_tokens().call_count(store, &context, &request).await
        })
        .await
    }

    async fn pull(&self, call: &Call, model: String, events: EventSender) -> Result<()> {
        let library = &self.pre(&call.limits).await?.library;
        let library = library.as_ref().ok_or_else(|| lacks(call, Kind::Library))?;
        let context = v0_1::context(call);
        self.run(call, Room::event(&call.limits), async |store| {
            let instance = library.instantiate_async(&mut *store).await?;
            let sink = sink(store, events)?;
            instance.aimu_provider_library().call_pull(store, &context, &model, sink).await
        })
        .await
    }
}

/// The guest's end of a call's events.
fn sink(store: &mut Store<State>, events: EventSender) -> wasmtime::Result<Resource<EventSender>> {
    let sink = store.data_mut().table.push(events)?;
    Ok(Resource::new_borrow(sink.rep()))
}

/// What the vectors of a request may take, at most what a call may emit.
fn vector_bytes(request: &EmbedRequest, limits: &Limits) -> usize {
    let length = request.dimensions.and_then(|length| usize::try_from(length).ok()).unwrap_or(0);
    let vector = length.max(LONGEST_VECTOR).saturating_mul(size_of::<f32>()) + size_of::<Vec<f32>>();
    request.inputs.len().saturating_mul(vector).saturating_add(limits.event).min(limits.emitted)
}

/// Reads a component's file, up to the limit.
pub(crate) fn read_component(path: &std::path::Path, limit: usize) -> Result<Vec<u8>> {
    use std::io::Read;
    let unfit = |what: String| Failure::new(FailureKind::Unsupported, what);
    let unreadable = |error: std::io::Error| unfit(format!("the file can't be read: {error}"));
    // Before it is opened: a pipe would wait for its other end.
    if !std::fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(unfit("it is not a file".to_owned()));
    }
    let file = crate::plain_file::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    file.take(limit as u64 + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() > limit {
        let what = format!("the file is larger than {} MiB", limit >> 20);
        return Err(crate::limits::reached("component", &what));
    }
    Ok(bytes)
}
