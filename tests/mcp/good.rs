//! A server of `rmcp`'s own, for both transports.

use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, ErrorData, Implementation,
    ListToolsResult, PaginatedRequestParams, ServerCapabilities, ServerConfig, Tool,
};
use rmcp::service::RequestContext;
use rmcp::{RoleServer, ServerHandler};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// What all sessions of a server share.
#[derive(Clone, Default)]
pub(crate) struct Good {
    /// Tools that were added while it ran.
    grown: Arc<AtomicUsize>,
    /// Calls that were given up by their caller.
    cancelled: Arc<AtomicUsize>,
    old: bool,
}

impl Good {
    /// One that knows nothing of the handshake of today.
    pub(crate) fn old() -> Self {
        Self { old: true, ..Self::default() }
    }
}

/// Tools of a page of its list.
const PAGE: usize = 3;

impl Good {
    fn tools(&self) -> Vec<Tool> {
        let named = ["echo", "environment", "picture", "fail", "slow", "cancelled", "grow", "big", "ask"];
        let grown = (0..self.grown.load(Ordering::SeqCst)).map(|n| format!("grown.{n}"));
        let tool = |name: String| {
            let schema = match name.as_str() {
                "echo" => {
                    json!({"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]})
                }
                _ => json!({"type": "object"}),
            };
            let Value::Object(schema) = schema else { unreachable!() };
            Tool::new(name.clone(), format!("the tool {name}"), schema)
        };
        named.map(str::to_owned).into_iter().chain(grown).map(tool).collect()
    }

    async fn run(
        &self,
        name: &str,
        arguments: &Map<String, Value>,
        context: &RequestContext<RoleServer>,
    ) -> Result<CallToolResult, ErrorData> {
        let text = |text: String| CallToolResult::success(vec![ContentBlock::text(text)]);
        let number = |key: &str| arguments.get(key).and_then(Value::as_u64).unwrap_or_default();
        Ok(match name {
            "echo" => text(arguments["text"].as_str().unwrap().to_owned()),
            "environment" => {
                CallToolResult::structured(std::env::vars().map(|(key, value)| (key, json!(value))).collect())
            }
            "picture" => CallToolResult::success(vec![ContentBlock::image("iVBORw0KGgo=", "image/png")]),
            "fail" => CallToolResult::error(vec![ContentBlock::text("it is Sunday")]),
            "slow" => tokio::select! {
                () = context.ct.cancelled() => {
                    self.cancelled.fetch_add(1, Ordering::SeqCst);
                    text("cancelled".to_owned())
                }
                () = tokio::time::sleep(Duration::from_millis(number("ms"))) => text("done".to_owned()),
            },
            "cancelled" => text(self.cancelled.load(Ordering::SeqCst).to_string()),
            "grow" => {
                self.grown.fetch_add(1, Ordering::SeqCst);
                let _ = context.peer.notify_tool_list_changed().await;
                text("grown".to_owned())
            }
            "big" => text("x".repeat(usize::try_from(number("bytes")).unwrap())),
            #[allow(deprecated)]
            "ask" => match context.peer.list_roots().await {
                Ok(_) => text("it gave folders".to_owned()),
                Err(_) => text("declined".to_owned()),
            },
            name if name.starts_with("grown.") => text(name.to_owned()),
            _ => return Err(ErrorData::invalid_params(format!("no tool {name}"), None)),
        })
    }
}

impl ServerHandler for Good {
    fn get_info(&self) -> ServerConfig {
        let can = ServerCapabilities::builder().enable_tools().enable_tool_list_changed().build();
        let mut config = ServerConfig::new(can);
        config.server_info = Implementation::new("good", "1.2.3");
        config
    }

    async fn discover(
        &self,
        context: RequestContext<RoleServer>,
    ) -> Result<rmcp::model::DiscoverResult, ErrorData> {
        if self.old {
            return Err(ErrorData::method_not_found::<rmcp::model::DiscoverRequestMethod>());
        }
        let _ = context;
        Ok(rmcp::model::DiscoverResult::from_server_info(
            rmcp::model::ProtocolVersion::KNOWN_VERSIONS.to_vec(),
            self.get_info(),
        ))
    }

    async fn list_tools(
        &self,
        page: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let start = page.and_then(|page| page.cursor).map_or(0, |cursor| cursor.parse().unwrap());
        let all = self.tools();
        let end = all.len().min(start + PAGE);
        let mut list = ListToolsResult::with_all_items(all[start..end].to_vec());
        list.next_cursor = (end < all.len()).then(|| end.to_string());
        Ok(list)
    }

    async fn call_tool(
        &self,
        call: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let arguments = call.arguments.unwrap_or_default();
        self.run(&call.name, &arguments, &context).await.map(CallToolResponse::Complete)
    }
}
