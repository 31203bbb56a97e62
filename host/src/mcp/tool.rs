//! One tool of a server.

use super::server::Server;
use crate::model::{Result, ToolDefinition};
use crate::tools::{Callable, ToolContext, ToolReply};
use async_trait::async_trait;
use serde_json::{Map, Value};
use std::sync::Arc;
use std::time::Duration;

/// A tool of a server. It outlives a connection: the next call makes another.
pub(super) struct McpTool {
    pub(super) server: Arc<Server>,
    /// Its name there.
    pub(super) name: String,
    pub(super) definition: ToolDefinition,
}

#[async_trait]
impl Callable for McpTool {
    fn definition(&self) -> &ToolDefinition {
        &self.definition
    }

    fn timeout(&self) -> Option<Duration> {
        self.server.timeout()
    }

    async fn call(&self, _: &ToolContext, arguments: Map<String, Value>) -> Result<ToolReply> {
        self.server.call(&self.name, arguments).await
    }
}
