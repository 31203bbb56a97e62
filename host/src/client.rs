//! The public face: a client for one model, with a conversation of its own.

use crate::answering::Answering;
use crate::caller::{Caller, Prepared, Target};
use crate::conversation::Conversation;
use crate::count::{Count, count_document};
use crate::document::{EmbedDocument, RequestDocument};
use crate::embed::Embed;
use crate::host::Host;
use crate::message::UserMessage;
use crate::model::{
    Capability, GenerateRequest, Message, ModelSpec, PartContent, ResponseFormat, Result, Role, SchemaFormat,
    Tool,
};
use crate::openai;
use crate::options::CallOptions;
use crate::pull::Pulling;
use crate::retry::Asked;
use crate::turn::Answer;
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::pin::Pin;

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

/// A client for one model. Holds the conversation; gives answers.
pub struct Client {
    pub(crate) caller: Caller,
    conversation: Conversation,
}

impl Client {
    pub(crate) fn new(host: Host, target: Target, setup: Setup) -> Self {
        let mut conversation = Conversation::new();
        conversation.set_system(setup.system);
        Self { caller: Caller::new(host, target, setup.defaults), conversation }
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
        Ok(self.caller.start_chat(self.caller.document(document, check)?, None))
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

    /// Offers these tools in this call; an empty list offers none.
    pub fn tools(mut self, tools: Vec<Tool>) -> Self {
        self.options.tools = Some(tools);
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
        if !(options.no_check || caller.defaults.no_check) {
            caller.chats()?;
        }
        let messages: Vec<Cow<'_, Value>> = conversation.begin(&new).collect();
        let messages = openai::messages(messages.iter().map(|message| &**message))?;
        let prepared = caller.request(messages, options)?;
        let commit =
            move |answer: &Answer| conversation.commit(new.into_iter().chain([answer.message.clone()]));
        Ok(caller.start_chat(prepared, Some(Box::new(commit))))
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
        if !(self.options.no_check || caller.defaults.no_check) {
            caller.chats()?;
        }
        let parts = self.prompt.media().map(|media| PartContent::Media(media.clone()).into()).collect();
        // As a message, so that the same checks hold for its media.
        let message = Message { role: Role::User, parts, extra: None, origin: None };
        let options = CallOptions { tools: Some(Vec::new()), ..self.options };
        let Prepared { request, warnings, manner, form } = caller.request(vec![message], options)?;
        let prompt = self.prompt.text().to_owned();
        let request = GenerateRequest {
            model: request.model,
            media: self.prompt.media().cloned().collect(),
            prompt: form.as_ref().map_or(prompt.clone(), |form| form.in_prompt(prompt)),
            response_format: request.response_format,
            thinking: request.thinking,
            sampling: request.sampling,
            streaming: request.streaming,
            extra: request.extra,
        };
        Ok(caller.start(Asked::Generate(request), warnings, manner, form, None))
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
