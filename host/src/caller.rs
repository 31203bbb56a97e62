//! What a client calls with: a model that is resolved, the options of all its calls, and what they share.

use crate::answering::{Answering, Commit, Running};
use crate::document::RequestDocument;
use crate::events::Report;
use crate::host::{Catalog, Host};
use crate::instance::Instance;
use crate::media_urls::{Files, MediaUrls};
use crate::message::UserMessage;
use crate::model::{
    Capability, ChatRequest, Failure, FailureKind, GenerateRequest, Kind, Message, ModelSpec, Origin,
    PartContent, ResponseFormat, Result, Role, Task, Tool,
};
use crate::model_string::ModelString;
use crate::openai;
use crate::options::{self, CallOptions, Known};
use crate::provider::{Call, EventSender, Provider};
use crate::retry::{self, Asked};
use crate::rounds::{Rounds, Subject};
use crate::sandbox::Component;
use crate::structured::{Again, Form, Watch};
use crate::tools::Toolbox;
use crate::turn::Turn;
use serde_json::{Map, Value};
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// A model that is resolved: who answers, at which server, and what is known of it.
pub(crate) struct Target {
    pub(crate) provider: Arc<dyn Provider>,
    pub(crate) instance: Arc<Instance>,
    /// The model's id.
    pub(crate) id: String,
    /// `provider:model`, for messages.
    pub(crate) name: String,
    pub(crate) spec: Option<ModelSpec>,
    /// The model string that it is of.
    pub(crate) string: ModelString,
    /// Where its component may change.
    pub(crate) file: Option<OfFile>,
    catalog: Catalog,
}

/// What a target was made from that another can be made from.
pub(crate) struct OfFile {
    pub(crate) component: Arc<Component>,
    pub(crate) settings: Map<String, Value>,
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
            string: string.clone(),
            file: None,
            catalog,
        })
    }

    /// The same, of a component that lies in a file.
    pub(crate) fn of_file(self, component: Arc<Component>, settings: Map<String, Value>) -> Self {
        Self { file: Some(OfFile { component, settings }), ..self }
    }

    /// Whether the model can do something; `None` where nobody has said.
    pub(crate) fn can(&self, capability: Capability) -> Option<bool> {
        match &self.spec {
            Some(spec) => Some(spec.capabilities.contains(&capability)),
            None => self.string.flags.contains(&capability).then_some(true),
        }
    }
}

/// What a client calls with: all but its conversation.
#[derive(Clone)]
pub(crate) struct Caller {
    pub(crate) host: Host,
    pub(crate) target: Arc<Target>,
    pub(crate) defaults: CallOptions,
    /// Models that are asked where this one fails, in their order.
    pub(crate) fallbacks: Arc<[Fallback]>,
    /// What has been said about dropped parameters: once per client is enough.
    warned: Arc<Mutex<HashSet<String>>>,
    /// What was fetched for the last call.
    files: Arc<Files>,
}

/// A model that is asked where another fails.
#[derive(Clone)]
pub(crate) struct Fallback {
    pub(crate) name: String,
    /// It, or why it can't be asked.
    pub(crate) target: Result<Arc<Target>>,
}

/// A call that has been started, and what sees to it.
pub(crate) struct Started {
    pub(crate) running: Running,
    /// What was dropped of what the caller asked for.
    pub(crate) warnings: Vec<String>,
    /// Sees to the form of the answer, where one was asked for.
    pub(crate) watch: Option<Watch>,
}

/// A call that can be made: its request, and how it is made.
pub(crate) struct Prepared {
    pub(crate) request: ChatRequest,
    /// What was dropped of what the caller asked for.
    pub(crate) warnings: Vec<String>,
    pub(crate) manner: Manner,
    /// The form of its answer, and whether the request has yet to say it.
    pub(crate) form: Option<Form>,
}

impl Prepared {
    /// The request of a chat, with all that its instructions have to say.
    pub(crate) fn chat(&mut self) -> ChatRequest {
        if let Some(form) = &self.form {
            form.instruct(&mut self.request);
        }
        std::mem::replace(&mut self.request, ChatRequest::new("", Vec::new()))
    }
}

/// How a call is made, whatever it asks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Manner {
    /// Tries after the first.
    pub(crate) retries: u32,
    /// What the catalogue says that the model can't do is not sent.
    pub(crate) check: bool,
    /// How often an answer in a wrong form is asked for again; `None` makes one request, exactly.
    pub(crate) again: Option<u32>,
    /// When the run began: all its requests and tools together take no more time than one call may.
    pub(crate) since: Instant,
}

/// Answers in a wrong form that are asked for again: a model that has not seen it after the second has most often
/// misunderstood something else.
const AGAIN: u32 = 2;

impl Caller {
    pub(crate) fn new(host: Host, target: Target, fallbacks: Vec<Fallback>, defaults: CallOptions) -> Self {
        let (target, fallbacks) = (Arc::new(target), fallbacks.into());
        Self { host, target, defaults, fallbacks, warned: Arc::default(), files: Arc::default() }
    }

    /// The same caller with its component as it is now.
    pub(crate) async fn renewed(&self) -> Result<Self> {
        let target = self.host.current(&self.target).await?;
        Ok(Self { target, ..self.clone() })
    }

    /// What is done about media that are named by URL.
    pub(crate) fn media_urls(&self, check: bool) -> MediaUrls {
        // Sent in spite of the catalogue, a URL goes as it is.
        let takes_urls = self.target.can(Capability::MediaUrls).filter(|takes| check || *takes);
        MediaUrls::new(self.host.fetcher(), self.files.clone(), takes_urls)
    }

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
    pub(crate) fn chats(&self) -> Result<()> {
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
    pub(crate) fn document(&self, document: RequestDocument, check: bool) -> Result<Prepared> {
        let RequestDocument { mut request, cancelled, .. } = document;
        request.model.clone_from(&self.target.id);
        request.messages = openai::for_provider(request.messages, &self.target.instance.name);
        let warnings = self.fit(&mut request, &cancelled, check)?;
        // Exactly as the document has it: a schema that the host can't read may be one that the provider can.
        let form = self.form(&mut request.response_format, check).unwrap_or_default();
        let manner = Manner { retries: 0, check, again: None, since: Instant::now() };
        Ok(Prepared { request, warnings, manner, form })
    }

    /// The request of a call, from its messages and the tiers of options, with how it is made.
    pub(crate) fn request(
        &self,
        messages: Vec<Message>,
        options: CallOptions,
        since: Instant,
    ) -> Result<Prepared> {
        let defaults = &self.defaults;
        let again = options.schema_retries.or(defaults.schema_retries).unwrap_or(AGAIN);
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
            tools: self.tools(&options)?,
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
        let form = self
            .form(&mut request.response_format, check)
            .map_err(|failure| failure.of_provider(&self.target.instance.name))?;
        let manner = Manner { retries: self.retries(options.retries), check, again: Some(again), since };
        Ok(Prepared { request, warnings, manner, form })
    }

    /// All tools that a request offers: those of the caller, and those that the host runs.
    fn tools(&self, options: &CallOptions) -> Result<Vec<Tool>> {
        let mut tools = options.tools.as_ref().or(self.defaults.tools.as_ref()).cloned().unwrap_or_default();
        for definition in self.toolbox(options).into_iter().flat_map(|toolbox| toolbox.definitions()) {
            if tools.iter().any(|tool| matches!(tool, Tool::Function(own) if own.name == definition.name)) {
                let what = format!(
                    "the tool `{}` stands there twice: in the toolbox and beside it",
                    definition.name
                );
                return Err(Failure::new(FailureKind::InvalidRequest, what));
            }
            tools.push(Tool::Function(definition.clone()));
        }
        Ok(tools)
    }

    /// The form that an answer is to have. The catalogue's no is what has it asked for in the prompt.
    fn form(&self, format: &mut ResponseFormat, check: bool) -> Result<Option<Form>> {
        Form::of(format, check && self.target.can(Capability::StructuredOutput) == Some(false))
    }

    /// The tools of a call: its own, else the client's, unless the call names other tools.
    pub(crate) fn toolbox<'a>(&'a self, options: &'a CallOptions) -> Option<&'a Arc<Toolbox>> {
        let clients = self.defaults.toolbox.as_ref().filter(|_| options.tools.is_none());
        options.toolbox.as_ref().or(clients).filter(|toolbox| !toolbox.is_empty())
    }

    /// Makes a call with all that may follow from it: tools, other models.
    pub(crate) fn run<'c>(
        &self,
        subject: Subject,
        options: CallOptions,
        commit: Option<Commit<'c>>,
    ) -> Result<Answering<'c>> {
        let report = Report::new(self.host.sink(), options.parent);
        let (started, rounds) = if Rounds::may_follow(self, &options) {
            let mut rounds = Rounds::new(self, subject, options);
            (rounds.begin()?, Some(rounds))
        } else {
            (self.start(subject, options, Instant::now())?, None)
        };
        Ok(Answering::new(started, rounds, report, commit))
    }

    /// Starts one request of a run that began at a time.
    pub(crate) fn start(&self, subject: Subject, options: CallOptions, since: Instant) -> Result<Started> {
        if !(options.no_check || self.defaults.no_check) {
            self.chats()?;
        }
        match subject {
            Subject::Chat(messages) => Ok(self.started_chat(self.request(messages, options, since)?)),
            Subject::Generate(prompt) => self.generate(&prompt, options, since),
        }
    }

    fn generate(&self, prompt: &UserMessage, options: CallOptions, since: Instant) -> Result<Started> {
        let parts = prompt.media().map(|media| PartContent::Media(media.clone()).into()).collect();
        // As a message, so that the same checks hold for its media.
        let message = Message { role: Role::User, parts, extra: None, origin: None };
        let Prepared { request, warnings, manner, form } = self.request(vec![message], options, since)?;
        let text = prompt.text().to_owned();
        let request = GenerateRequest {
            model: request.model,
            media: prompt.media().cloned().collect(),
            prompt: form.as_ref().map_or(text.clone(), |form| form.in_prompt(text)),
            response_format: request.response_format,
            thinking: request.thinking,
            sampling: request.sampling,
            streaming: request.streaming,
            extra: request.extra,
        };
        Ok(self.started(Asked::Generate(request), warnings, manner, form))
    }

    pub(crate) fn started_chat(&self, mut prepared: Prepared) -> Started {
        let asked = Asked::Chat(prepared.chat());
        self.started(asked, prepared.warnings, prepared.manner, prepared.form)
    }

    fn started(&self, asked: Asked, warnings: Vec<String>, manner: Manner, form: Option<Form>) -> Started {
        let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        let warnings = warnings.into_iter().filter(|warning| warned.insert(warning.clone())).collect();
        let watch = form.map(|form| {
            let again =
                manner.again.map(|left| Again { caller: self.clone(), asked: asked.clone(), manner, left });
            Watch::new(form, again)
        });
        let call = Call::new(self.target.instance.clone(), self.host.limits());
        Started { running: self.running(asked, manner, call), warnings, watch }
    }

    /// Starts a call of the provider.
    pub(crate) fn running(&self, asked: Asked, manner: Manner, mut call: Call) -> Running {
        call.limits.total = self.host.limits().total.saturating_sub(manner.since.elapsed());
        let (sender, events) = EventSender::channel();
        let instance = &self.target.instance;
        let media = self.media_urls(manner.check);
        let (host, target, mut own) = (self.host.clone(), self.target.clone(), call.clone());
        let asked = Box::new(asked);
        let run = Box::pin(async move {
            let target = host.current(&target).await?;
            own.instance = target.instance.clone();
            retry::run(target.provider.clone(), own, *asked, sender, manner.retries, media).await
        });
        let origin = Origin { provider: instance.name.clone(), model: self.target.id.clone() };
        let turn = Turn::new(&instance.plugin, origin, &self.host.limits());
        Running { run, events, turn, call, target: self.target.clone() }
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
