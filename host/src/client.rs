//! The public face: a client for one model, with a conversation of its own.

use crate::answering::{Answering, Commit};
use crate::conversation::Conversation;
use crate::count::{Count, count_document};
use crate::document::{EmbedDocument, RequestDocument};
use crate::embed::Embed;
use crate::host::{Catalog, Host};
use crate::instance::Instance;
use crate::message::UserMessage;
use crate::model::{
    Capability, ChatRequest, Failure, FailureKind, GenerateRequest, Kind, Message, ModelSpec, Origin, Result,
    Role, Task, Tool,
};
use crate::model_string::ModelString;
use crate::openai;
use crate::options::{self, CallOptions, Known};
use crate::provider::{Call, EventSender, Provider};
use crate::pull::Pulling;
use crate::retry::{self, Asked};
use crate::turn::{Answer, Turn};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::collections::{BTreeSet, HashSet};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

/// How a client's instance is set up.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    /// Settings of the instance, over those of its configuration.
    pub settings: Map<String, Value>,
    /// Instructions in front of the conversation.
    pub system: Option<String>,
    /// Options of every call, below those of the call itself.
    pub defaults: CallOptions,
}

/// A model that is resolved: who answers, at which server, and what is known of it.
pub(crate) struct Target {
    pub(crate) provider: Arc<dyn Provider>,
    pub(crate) instance: Arc<Instance>,
    /// The model's id.
    pub(crate) id: String,
    /// `provider:model`, for messages.
    name: String,
    spec: Option<ModelSpec>,
    flags: BTreeSet<Capability>,
    catalog: Catalog,
}

impl Target {
    /// Fails for a model that there is not.
    pub(crate) fn new(
        provider: Arc<dyn Provider>,
        instance: Instance,
        string: &ModelString,
        catalog: Catalog,
    ) -> Result<Self> {
        Ok(Self {
            provider,
            instance: Arc::new(instance),
            id: string.model.clone(),
            name: format!("{}:{}", string.provider, string.model),
            spec: catalog.model(string)?,
            flags: string.flags.clone(),
            catalog,
        })
    }
}

/// A client for one model. Holds the conversation; gives answers.
pub struct Client {
    pub(crate) caller: Caller,
    conversation: Conversation,
}

impl Client {
    pub(crate) fn new(host: Host, target: Target, setup: Setup) -> Self {
        let mut conversation = Conversation::new();
        conversation.set_system(setup.system);
        let caller =
            Caller { host, target: Arc::new(target), defaults: setup.defaults, warned: Arc::default() };
        Self { caller, conversation }
    }

    /// `provider:model`.
    #[must_use]
    pub fn model(&self) -> &str {
        &self.caller.target.name
    }

    /// What the catalogue says of the model; `None` for an id that it does not know.
    #[must_use]
    pub fn spec(&self) -> Option<&ModelSpec> {
        self.caller.target.spec.as_ref()
    }

    /// Whether the model can do something; `None` where nobody has said.
    #[must_use]
    pub fn can(&self, capability: Capability) -> Option<bool> {
        match self.spec() {
            Some(spec) => Some(spec.capabilities.contains(&capability)),
            None => self.caller.target.flags.contains(&capability).then_some(true),
        }
    }

    /// The conversation in OpenAI format.
    #[must_use]
    pub fn conversation(&self) -> &Conversation {
        &self.conversation
    }

    /// The messages so far, in OpenAI format.
    #[must_use]
    pub fn history(&self) -> &[Value] {
        self.conversation.history()
    }

    /// Goes on from a history that was kept.
    pub fn set_conversation(&mut self, conversation: Conversation) {
        self.conversation = conversation;
    }

    /// Replaces, inserts or removes the instructions in front of the conversation.
    pub fn set_system(&mut self, system: Option<String>) {
        self.conversation.set_system(system);
    }

    /// Begins a new conversation under the same instructions.
    pub fn reset(&mut self) {
        self.conversation.reset();
    }

    /// Options of every call, below those of the call itself.
    pub fn defaults_mut(&mut self) -> &mut CallOptions {
        &mut self.caller.defaults
    }

    /// One turn of the conversation. The history keeps it if it succeeds, and nothing of it if it does not.
    pub fn chat(&mut self, message: impl Into<UserMessage>) -> Chat<'_> {
        let new = vec![message.into().into_value()];
        Chat { client: self, new, options: CallOptions::default() }
    }

    /// One turn without a new message: the model goes on from where the history ends.
    pub fn go_on(&mut self) -> Chat<'_> {
        Chat { client: self, new: Vec::new(), options: CallOptions::default() }
    }

    /// One turn that begins with messages in OpenAI format, such as the results of tool calls.
    pub fn chat_messages(&mut self, new: Vec<Value>) -> Chat<'_> {
        Chat { client: self, new, options: CallOptions::default() }
    }

    /// One prompt, without a system message, that neither sees nor touches the history.
    pub fn generate(&self, prompt: impl Into<UserMessage>) -> Generate<'_> {
        Generate { client: self, prompt: prompt.into(), options: CallOptions::default() }
    }

    /// A vector for each text, in their order. Neither sees nor touches the history.
    ///
    /// ```no_run
    /// # async fn example(host: aimu_host::Host) -> aimu_host::Result<()> {
    /// use aimu_host::Purpose;
    ///
    /// let client = host.client("openai:text-embedding-3-small").await?;
    /// let found = client.embed(["Rust", "Ferris"]).purpose(Purpose::Document).dimensions(256).await?;
    /// assert_eq!(found.vectors.len(), 2);
    /// # Ok(())
    /// # }
    /// ```
    pub fn embed(&self, inputs: impl IntoIterator<Item = impl Into<String>>) -> Embed<'_> {
        Embed::new(self, inputs.into_iter().map(Into::into).collect())
    }

    /// What a document says, once: no try after the first.
    pub fn embed_document(&self, document: EmbedDocument) -> Embed<'_> {
        Embed::of_document(self, document)
    }

    /// How many input tokens [`Client::chat`] would take for the history and this message, counted by the provider.
    pub fn count(&self, message: impl Into<UserMessage>) -> Count<'_> {
        Count::new(self, vec![message.into().into_value()])
    }

    /// The same for a whole request, as a document says it.
    ///
    /// # Errors
    /// The provider does not count, or the call failed.
    pub async fn count_document(&self, document: RequestDocument, check: bool) -> Result<u32> {
        count_document(self, document, check).await
    }

    /// The provider's server fetches the model; the stream says how far it is.
    #[must_use]
    pub fn pull(&self) -> Pulling {
        Pulling::new(self)
    }

    /// Exactly one request, as a document says it: no try after the first, nothing of the history.
    ///
    /// # Errors
    /// The model can't do what is asked, and `check` is on. Nothing has been sent then.
    pub fn send(&self, document: RequestDocument, check: bool) -> Result<Answering<'static>> {
        if check {
            self.caller.chats()?;
        }
        let (request, warnings) = self.caller.document(document, check)?;
        Ok(self.caller.start(Asked::Chat(request), warnings, 0, None))
    }
}

/// What a client calls with: all but its conversation.
#[derive(Clone)]
pub(crate) struct Caller {
    pub(crate) host: Host,
    pub(crate) target: Arc<Target>,
    pub(crate) defaults: CallOptions,
    /// What has been said about dropped parameters: once per client is enough.
    warned: Arc<Mutex<HashSet<String>>>,
}

impl Caller {
    fn fit(&self, request: &mut ChatRequest, cancelled: &[String], check: bool) -> Result<Vec<String>> {
        let Target { spec, catalog, name, .. } = &*self.target;
        let known = Known { spec: spec.as_ref(), catalog, name };
        options::fit(request, &known, cancelled, check)
            .map_err(|failure| failure.of_provider(&self.target.instance.name))
    }

    /// Tries after the first: the call's, else the client's, else the host's.
    pub(crate) fn retries(&self, call: Option<u32>) -> u32 {
        call.or(self.defaults.retries).unwrap_or(self.host.retries())
    }

    /// A failure of this instance that nothing but the host saw.
    pub(crate) fn named(&self, failure: Failure) -> Failure {
        let instance = &self.target.instance;
        let message = format!("the plugin `{}`: {}", instance.plugin, failure.message);
        Failure { message, ..failure }.of_provider(&instance.name)
    }

    /// The failure, and where nobody there can do it, who can.
    pub(crate) async fn instead(&self, mut failure: Failure, kind: Kind) -> Failure {
        if failure.kind == FailureKind::Unsupported && failure.http_status.is_none() {
            let instead = self.host.instead(kind).await;
            if !instead.is_empty() {
                failure.message = format!("{}. {instead}", failure.message);
            }
        }
        failure.of_provider(&self.target.instance.name)
    }

    /// What the catalogue says that the model is not for.
    fn is_for(&self, tasks: &[Task]) -> Option<bool> {
        let known = &self.target.spec.as_ref()?.tasks;
        (!known.is_empty()).then(|| tasks.iter().any(|task| known.contains(task)))
    }

    /// Refuses a model that the catalogue says is for something else, and names one that is for this.
    pub(crate) async fn fits(&self, tasks: &[Task], lack: &str) -> Result<()> {
        if self.is_for(tasks) != Some(false) {
            return Ok(());
        }
        let provider = &self.target.instance.name;
        let can = match self.host.embedder(Some(provider)).await {
            Some(model) => Some(model),
            None => self.host.embedder(None).await,
        };
        let can = can.map(|model| format!(" `{model}` does;")).unwrap_or_default();
        let what = format!(
            "{} {lack}.{can} `aimu-host models --embedding` lists all that do, and `--no-check` sends it anyway",
            self.target.name
        );
        Err(Failure::new(FailureKind::Unsupported, what).of_provider(provider))
    }

    /// Refuses a model that the catalogue says is for something other than text.
    fn chats(&self) -> Result<()> {
        if self.is_for(&[Task::Chat, Task::Generate]) != Some(false) {
            return Ok(());
        }
        let spec = self.target.spec.iter().flat_map(|spec| &spec.tasks);
        let tasks: Vec<&str> = spec.map(|task| task.as_str()).collect();
        let what = format!(
            "{} does not chat: it is for {}. `aimu-host models` lists those that do, and `--no-check` sends it anyway",
            self.target.name,
            tasks.join(", ")
        );
        Err(Failure::new(FailureKind::Unsupported, what).of_provider(&self.target.instance.name))
    }

    /// The request that a document says, and what was dropped of it.
    pub(crate) fn document(
        &self,
        document: RequestDocument,
        check: bool,
    ) -> Result<(ChatRequest, Vec<String>)> {
        let RequestDocument { mut request, cancelled, .. } = document;
        request.model.clone_from(&self.target.id);
        request.messages = openai::for_provider(request.messages, &self.target.instance.name);
        let warnings = self.fit(&mut request, &cancelled, check)?;
        Ok((request, warnings))
    }

    /// The request of a call, from its messages and the tiers of options, with its number of retries.
    pub(crate) fn request(
        &self,
        messages: Vec<Message>,
        options: CallOptions,
    ) -> Result<(ChatRequest, Vec<String>, u32)> {
        let defaults = &self.defaults;
        let (mut sampling, mut others) = options::split(&options.options)?;
        let (lower, lower_others) = options::split(&defaults.options)?;
        let mut cancelled = nulls(&options.options);
        options::fill(&mut sampling, &lower, &cancelled);
        cancelled.extend(nulls(&defaults.options));
        for (name, value) in lower_others {
            if !cancelled.contains(&name) {
                others.entry(name).or_insert(value);
            }
        }
        let mut request = ChatRequest {
            tools: options.tools.or_else(|| defaults.tools.clone()).unwrap_or_default(),
            tool_choice: options.tool_choice,
            parallel_tool_calls: options.parallel_tool_calls.or(defaults.parallel_tool_calls),
            response_format: options.response_format,
            thinking: options.thinking.or_else(|| defaults.thinking.clone()),
            sampling,
            streaming: !(options.no_stream || defaults.no_stream),
            extra: extra(others, options.extra.or_else(|| defaults.extra.clone())),
            ..ChatRequest::new(&self.target.id, openai::for_provider(messages, &self.target.instance.name))
        };
        let check = !(options.no_check || defaults.no_check);
        let warnings = self.fit(&mut request, &cancelled, check)?;
        Ok((request, warnings, self.retries(options.retries)))
    }

    fn start<'c>(
        &self,
        asked: Asked,
        warnings: Vec<String>,
        retries: u32,
        commit: Option<Commit<'c>>,
    ) -> Answering<'c> {
        let (sender, events) = EventSender::channel();
        let instance = &self.target.instance;
        let call = Call::new(instance.clone(), self.host.limits());
        let run = retry::run(self.target.provider.clone(), call.clone(), asked, sender, retries);
        let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        let warnings = warnings.into_iter().filter(|warning| warned.insert(warning.clone())).collect();
        let origin = Origin { provider: instance.name.clone(), model: self.target.id.clone() };
        let turn = Turn::new(&instance.plugin, origin, self.host.limits().emitted);
        Answering::new(Box::pin(run), events, turn, call, warnings, commit)
    }
}

fn nulls(options: &Map<String, Value>) -> Vec<String> {
    options.iter().filter(|(_, value)| value.is_null()).map(|(name, _)| name.clone()).collect()
}

/// Options that are the provider's own, with what the caller says in `extra` over them.
fn extra(mut others: Map<String, Value>, extra: Option<Value>) -> Option<Value> {
    match extra {
        Some(Value::Object(extra)) => others.extend(extra),
        Some(other) => return Some(other),
        None => {}
    }
    (!others.is_empty()).then_some(Value::Object(others))
}

/// One turn to come: options, then `.stream()` or `.await`.
#[must_use = "nothing is sent until it is awaited or streamed"]
pub struct Chat<'c> {
    client: &'c mut Client,
    new: Vec<Value>,
    options: CallOptions,
}

impl<'c> Chat<'c> {
    /// Options of this call.
    pub fn options(mut self, options: CallOptions) -> Self {
        self.options = options;
        self
    }

    /// Offers these tools in this call; an empty list offers none.
    pub fn tools(mut self, tools: Vec<Tool>) -> Self {
        self.options.tools = Some(tools);
        self
    }

    /// Sends it; events come as the model answers.
    ///
    /// # Errors
    /// The message or an option is wrong, or the model can't do what is asked. Nothing has been sent then.
    pub fn stream(self) -> Result<Answering<'c>> {
        let Self { client, new, options } = self;
        let Client { caller, conversation } = client;
        if !(options.no_check || caller.defaults.no_check) {
            caller.chats()?;
        }
        let messages: Vec<Cow<'_, Value>> = conversation.begin(&new).collect();
        let messages = openai::messages(messages.iter().map(|message| &**message))?;
        let (request, warnings, retries) = caller.request(messages, options)?;
        let commit =
            move |answer: &Answer| conversation.commit(new.into_iter().chain([answer.message.clone()]));
        Ok(caller.start(Asked::Chat(request), warnings, retries, Some(Box::new(commit))))
    }
}

impl<'c> IntoFuture for Chat<'c> {
    type Output = Result<Answer>;
    type IntoFuture = Pin<Box<dyn Future<Output = Result<Answer>> + Send + 'c>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { self.stream()?.finish().await })
    }
}

/// One prompt to come: options, then `.stream()` or `.await`.
#[must_use = "nothing is sent until it is awaited or streamed"]
pub struct Generate<'c> {
    client: &'c Client,
    prompt: UserMessage,
    options: CallOptions,
}

impl Generate<'_> {
    /// Options of this call. Tools are for conversations and are not offered.
    pub fn options(mut self, options: CallOptions) -> Self {
        self.options = options;
        self
    }

    /// Sends it; events come as the model answers.
    ///
    /// # Errors
    /// An option is wrong, or the model can't do what is asked. Nothing has been sent then.
    pub fn stream(self) -> Result<Answering<'static>> {
        let caller = &self.client.caller;
        if !(self.options.no_check || caller.defaults.no_check) {
            caller.chats()?;
        }
        let parts =
            self.prompt.media().map(|media| crate::model::PartContent::Media(media.clone()).into()).collect();
        // As a message, so that the same checks hold for its media.
        let message = Message { role: Role::User, parts, extra: None, origin: None };
        let options = CallOptions { tools: Some(Vec::new()), ..self.options };
        let (request, warnings, retries) = caller.request(vec![message], options)?;
        let request = GenerateRequest {
            model: request.model,
            media: self.prompt.media().cloned().collect(),
            prompt: self.prompt.into_text(),
            response_format: request.response_format,
            thinking: request.thinking,
            sampling: request.sampling,
            streaming: request.streaming,
            extra: request.extra,
        };
        Ok(caller.start(Asked::Generate(request), warnings, retries, None))
    }
}

impl<'c> IntoFuture for Generate<'c> {
    type Output = Result<Answer>;
    type IntoFuture = Pin<Box<dyn Future<Output = Result<Answer>> + Send + 'c>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { self.stream()?.finish().await })
    }
}
