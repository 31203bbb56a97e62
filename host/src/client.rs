//! The public face: a client for one model, with a conversation of its own.

use crate::answering::Answering;
use crate::caller::{Caller, Fallback, Target};
use crate::conversation::Conversation;
use crate::count::{Count, count_document};
use crate::document::{EmbedDocument, RequestDocument};
use crate::embed::Embed;
use crate::events::Report;
use crate::host::Host;
use crate::message::UserMessage;
use crate::model::{Capability, ModelSpec, ResponseFormat, Result, SchemaFormat, Tool};
use crate::openai;
use crate::options::CallOptions;
use crate::pull::Pulling;
use crate::rounds::Subject;
use crate::tools::Toolbox;
use crate::turn::Answer;
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::pin::Pin;
use std::sync::Arc;

/// How a client's instance is set up.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    /// Settings of the instance, over those of its configuration.
    pub settings: Map<String, Value>,
    /// Instructions in front of the conversation.
    pub system: Option<String>,
    /// Options of every call, below those of the call itself.
    pub defaults: CallOptions,
    /// Models, in model strings, that are asked one after the other where the first fails before its answer begins. They
    /// get the whole history and the same options; settings are the first one's.
    pub fallbacks: Vec<String>,
}

/// A client for one model. Holds the conversation; gives answers.
pub struct Client {
    pub(crate) caller: Caller,
    conversation: Conversation,
}

impl Client {
    pub(crate) fn new(host: Host, target: Target, fallbacks: Vec<Fallback>, setup: Setup) -> Self {
        let mut conversation = Conversation::new();
        conversation.set_system(setup.system);
        Self { caller: Caller::new(host, target, fallbacks, setup.defaults), conversation }
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
        self.caller.target.can(capability)
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

    /// Takes up the model's component as it is now, if its file has changed. Every call does so by itself; what a stream
    /// checks before it is sent, and what [`Client::spec`] says, is of the component that was last taken up.
    ///
    /// # Errors
    /// The component is gone, or has changed and asks for more than it was allowed.
    pub async fn renew(&mut self) -> Result<()> {
        self.caller.target = self.caller.host.current(&self.caller.target).await?;
        Ok(())
    }

    /// Begins a new conversation under the same instructions.
    pub fn reset(&mut self) {
        self.conversation.reset();
    }

    /// Options of every call, below those of the call itself.
    pub fn defaults_mut(&mut self) -> &mut CallOptions {
        &mut self.caller.defaults
    }

    /// Offers these tools in every turn, and runs what the model calls of them; `None` offers none.
    pub fn set_toolbox(&mut self, toolbox: Option<Toolbox>) {
        self.caller.defaults.toolbox = toolbox.map(Arc::new);
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
        let started = self.caller.started_chat(self.caller.document(document, check)?);
        Ok(Answering::new(started, None, Report::new(self.caller.host.sink(), None), None))
    }
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

    /// Offers these tools in this call and leaves their calls to the caller; an empty list offers none.
    pub fn tools(mut self, tools: Vec<Tool>) -> Self {
        self.options.tools = Some(tools);
        self
    }

    /// Offers these tools in this call, and runs what the model calls of them, until it answers without a call. The history
    /// keeps all that was said on the way.
    pub fn toolbox(mut self, toolbox: impl Into<Arc<Toolbox>>) -> Self {
        self.options.toolbox = Some(toolbox.into());
        self
    }

    /// Asks for an answer in the form of a JSON Schema: [`Answer::json`] has its value. An answer that does not fit is
    /// asked for again, [`CallOptions::schema_retries`] times; in a stream, a warning stands between the two.
    pub fn schema(mut self, schema: impl Into<SchemaFormat>) -> Self {
        self.options.response_format = ResponseFormat::Schema(schema.into());
        self
    }

    /// Sends it; events come as the model answers.
    ///
    /// # Errors
    /// The message or an option is wrong, or the model can't do what is asked. Nothing has been sent then.
    pub fn stream(self) -> Result<Answering<'c>> {
        let Self { client, new, options } = self;
        let Client { caller, conversation } = client;
        let messages: Vec<Cow<'_, Value>> = conversation.begin(&new).collect();
        let messages = openai::messages(messages.iter().map(|message| &**message))?;
        let commit = move |answer: &Answer| {
            conversation.commit(new.into_iter().chain(answer.turn().iter().cloned()));
        };
        caller.run(Subject::Chat(messages), options, Some(Box::new(commit)))
    }
}

impl<'c> IntoFuture for Chat<'c> {
    type Output = Result<Answer>;
    type IntoFuture = Pin<Box<dyn Future<Output = Result<Answer>> + Send + 'c>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            self.client.renew().await?;
            self.stream()?.finish().await
        })
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

    /// Asks for an answer in the form of a JSON Schema, as [`Chat::schema`] does.
    pub fn schema(mut self, schema: impl Into<SchemaFormat>) -> Self {
        self.options.response_format = ResponseFormat::Schema(schema.into());
        self
    }

    /// Sends it; events come as the model answers.
    ///
    /// # Errors
    /// An option is wrong, or the model can't do what is asked. Nothing has been sent then.
    pub fn stream(self) -> Result<Answering<'static>> {
        let caller = &self.client.caller;
        self.start(caller)
    }

    fn start(self, caller: &Caller) -> Result<Answering<'static>> {
        let options = CallOptions { tools: Some(Vec::new()), toolbox: None, ..self.options };
        caller.run(Subject::Generate(self.prompt), options, None)
    }
}

impl<'c> IntoFuture for Generate<'c> {
    type Output = Result<Answer>;
    type IntoFuture = Pin<Box<dyn Future<Output = Result<Answer>> + Send + 'c>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let caller = self.client.caller.renewed().await?;
            self.start(&caller)?.finish().await
        })
    }
}
