//! What a conversation offers, and who may run it.

use super::approval::{Ask, Rules};
use super::{Approval, AskedTool, Callable};
use crate::model::{Failure, FailureKind, Result, ToolDefinition};
use crate::schema;
use futures::future::BoxFuture;
use jsonschema::Validator;
use std::sync::Arc;
use std::time::Duration;

/// Requests with tools in one run: most questions take two or three, and a model that goes round in circles has to end.
const ROUNDS: u32 = 10;

/// How long a call of a tool may take, where nobody says.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Bytes of a tool's answer that go to the model: some 60,000 tokens, more than most windows have to spare.
const REPLY: usize = 256 << 10;

/// Tools that a model may call, and the rules for it.
///
/// ```
/// use aimu_host::{Approval, Function, Toolbox, ToolContext, schemars};
///
/// #[derive(serde::Deserialize, schemars::JsonSchema)]
/// struct Nothing {}
///
/// # fn example() -> aimu_host::Result<()> {
/// let mut toolbox = Toolbox::new();
/// toolbox.add(Function::new("dice", "Throws a die", |_: ToolContext, _: Nothing| async { Ok::<_, String>(4) }))?;
/// toolbox.approve("dice", Approval::Allow)?;
/// # Ok(())
/// # }
/// # example().unwrap();
/// ```
#[derive(Clone)]
pub struct Toolbox {
    tools: Vec<Arc<Offered>>,
    approvals: Rules<Approval>,
    timeouts: Rules<Duration>,
    pub(super) ask: Option<Ask>,
    pub(super) values: http::Extensions,
    pub(crate) rounds: u32,
    pub(super) reply: usize,
}

/// A tool that is offered.
pub(super) struct Offered {
    pub(super) tool: Arc<dyn Callable>,
    pub(super) validator: Validator,
}

impl Offered {
    pub(super) fn name(&self) -> &str {
        &self.tool.definition().name
    }
}

impl Default for Toolbox {
    fn default() -> Self {
        Self::new()
    }
}

impl Toolbox {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self {
            tools: Vec::new(),
            approvals: Rules::default(),
            timeouts: Rules::default(),
            ask: None,
            values: http::Extensions::new(),
            rounds: ROUNDS,
            reply: REPLY,
        }
    }

    /// Adds a tool.
    ///
    /// # Errors
    /// There is one of this name, the name is one that no service takes, or its schema is none.
    pub fn add(&mut self, tool: impl Callable + 'static) -> Result<()> {
        self.add_shared(Arc::new(tool))
    }

    /// Adds a tool that others have, too.
    ///
    /// # Errors
    /// As [`Toolbox::add`].
    pub fn add_shared(&mut self, tool: Arc<dyn Callable>) -> Result<()> {
        let ToolDefinition { name, parameters, .. } = tool.definition();
        let refused =
            |what: String| Failure::new(FailureKind::InvalidRequest, format!("the tool `{name}` {what}"));
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        if name.is_empty() || name.len() > 64 || !name.bytes().all(plain) {
            return Err(refused(
                "has a name that services do not take: 1 to 64 of A–Z, a–z, 0–9, `_` and `-`".to_owned(),
            ));
        }
        if self.find(name).is_some() {
            return Err(refused("stands there twice; the later one is refused".to_owned()));
        }
        let validator =
            schema::validator(parameters).map_err(|what| refused(format!("has a schema that {what}")))?;
        self.tools.push(Arc::new(Offered { tool, validator }));
        Ok(())
    }

    /// Whether tools may be run whose names fit a glob (`files_*`). A later rule goes before an earlier one, and every rule
    /// before what the tool itself wants.
    ///
    /// # Errors
    /// The glob is none.
    pub fn approve(&mut self, names: &str, approval: Approval) -> Result<()> {
        self.approvals.add(names, approval)
    }

    /// How long a call may take, of tools whose names fit a glob; 60 seconds unless it is said.
    ///
    /// # Errors
    /// The glob is none.
    pub fn timeout(&mut self, names: &str, timeout: Duration) -> Result<()> {
        self.timeouts.add(names, timeout)
    }

    /// Who is asked, one call after the other. Without it, what wants consent is denied.
    pub fn on_ask(&mut self, ask: impl Fn(AskedTool) -> BoxFuture<'static, bool> + Send + Sync + 'static) {
        self.ask = Some(Arc::new(ask));
    }

    /// A value that calls find by its type: [`ToolContext::get`](super::ToolContext::get).
    pub fn context<T: Clone + Send + Sync + 'static>(&mut self, value: T) {
        self.values.insert(value);
    }

    /// Requests with tools in one run; 10 unless it is said. After them, one without tools has the model wrap up.
    pub fn max_rounds(&mut self, rounds: u32) {
        self.rounds = rounds.max(1);
    }

    /// Bytes of one answer of a tool that go to the model; the rest is cut, with a note. 256 KiB unless it is said.
    pub fn max_reply(&mut self, bytes: usize) {
        self.reply = bytes;
    }

    /// What is offered, in the order in which it was added.
    pub fn definitions(&self) -> impl Iterator<Item = &ToolDefinition> {
        self.tools.iter().map(|offered| offered.tool.definition())
    }

    /// Whether nothing is offered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tools.is_empty()
    }

    pub(super) fn find(&self, name: &str) -> Option<&Arc<Offered>> {
        self.tools.iter().find(|offered| offered.name() == name)
    }

    pub(super) fn approval_of(&self, offered: &Offered) -> Approval {
        self.approvals.of(offered.name()).unwrap_or_else(|| offered.tool.approval())
    }

    pub(super) fn timeout_of(&self, offered: &Offered) -> Duration {
        self.timeouts.of(offered.name()).or_else(|| offered.tool.timeout()).unwrap_or(TIMEOUT)
    }
}

impl std::fmt::Debug for Toolbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<&str> = self.tools.iter().map(|offered| offered.name()).collect();
        f.debug_struct("Toolbox").field("tools", &names).finish_non_exhaustive()
    }
}
