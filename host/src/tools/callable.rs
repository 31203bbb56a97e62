//! One tool, wherever it comes from.

use super::{Approval, ToolReply};
use crate::events::RunId;
use crate::model::{Result, ToolCall, ToolDefinition};
use async_trait::async_trait;
use serde_json::{Map, Value};
use std::time::Duration;

/// A tool that the host can run: a function of the program, a tool of an MCP server, a tool component, a built-in.
#[async_trait]
pub trait Callable: Send + Sync {
    /// Its name (1 to 64 of `A–Z a–z 0–9 _ -`, as the services want it), what it does, and the JSON Schema of its
    /// arguments.
    fn definition(&self) -> &ToolDefinition;

    /// Whether a call wants somebody's consent, where no rule of the [`Toolbox`](super::Toolbox) says.
    fn approval(&self) -> Approval {
        Approval::Ask
    }

    /// How long a call may take, where the toolbox does not say.
    fn timeout(&self) -> Option<Duration> {
        None
    }

    /// Runs it. The arguments fit the schema. Dropping the future is all the notice of a cancelled or timed-out call.
    ///
    /// # Errors
    /// The tool failed; the message goes to the model.
    async fn call(&self, context: &ToolContext, arguments: Map<String, Value>) -> Result<ToolReply>;
}

/// The surroundings of one call of a tool.
#[derive(Clone, Debug)]
pub struct ToolContext {
    /// The call, as the model wrote it.
    pub call: ToolCall,
    /// The run that it belongs to: the parent of runs that the tool makes.
    pub run: RunId,
    values: http::Extensions,
}

impl ToolContext {
    /// The surroundings of a call by itself, with values of the program's.
    #[must_use]
    pub fn new(call: ToolCall, values: http::Extensions) -> Self {
        Self { call, run: RunId::new(), values }
    }

    /// The same within a run.
    pub(super) fn within(self, run: RunId) -> Self {
        Self { run, ..self }
    }

    /// A value that the program gave to [`Toolbox::context`](super::Toolbox::context), by its type.
    #[must_use]
    pub fn get<T: Send + Sync + 'static>(&self) -> Option<&T> {
        self.values.get()
    }
}
