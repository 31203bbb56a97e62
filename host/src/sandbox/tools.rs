//! A component as one of tools.

use super::component::Component;
use super::room::Room;
use super::v0_1;
use crate::model::{Failure, FailureKind, Result};
use crate::provider::Call;
use crate::tools::ToolReply;

impl Component {
    /// Runs a tool, by the component's own name for it, in a store of its own. `arguments` is a JSON object.
    pub(crate) async fn call_tool(&self, call: &Call, name: &str, arguments: String) -> Result<ToolReply> {
        let tools = &self.pre(&call.limits).await?.tools;
        let tools = tools.as_ref().ok_or_else(|| {
            self.named(Failure::new(FailureKind::Unsupported, "it is a provider, and has no tools"))
        })?;
        let context = v0_1::context(call);
        let reply = self
            .run(call, Room::tool_reply(&call.limits), async |store| {
                let instance = tools.instantiate_async(&mut *store).await?;
                instance.aimu_tool_tools().call_call(store, &context, name, &arguments).await
            })
            .await?;
        v0_1::reply(reply, &call.limits).map_err(|failure| self.named(failure))
    }
}
