//! What we are to a server: somebody who calls tools, and has nothing to give.
//!
//! Nothing of what a server may ask for (a model's answer, a user's, folders) is offered to it, and who asks all the same
//! is refused: the first two by what the library does by itself.
#![expect(deprecated, reason = "folders and log messages are of older protocols, which servers still speak")]

use super::failure::short;
use rmcp::model::{
    ClientCapabilities, ClientConfig, ErrorData, Implementation, ListRootsRequestMethod, ListRootsResult,
    LoggingMessageNotificationParam,
};
use rmcp::service::{NotificationContext, RequestContext};
use rmcp::{ClientHandler, RoleClient};

/// Our side of a connection.
pub(super) struct Client {
    pub(super) server: String,
}

impl ClientHandler for Client {
    fn get_info(&self) -> ClientConfig {
        let who = Implementation::new("aimu-host", env!("CARGO_PKG_VERSION"));
        ClientConfig::new(ClientCapabilities::default(), who)
    }

    async fn list_roots(&self, _: RequestContext<RoleClient>) -> Result<ListRootsResult, ErrorData> {
        Err(ErrorData::method_not_found::<ListRootsRequestMethod>())
    }

    async fn on_logging_message(
        &self,
        message: LoggingMessageNotificationParam,
        _: NotificationContext<RoleClient>,
    ) {
        let server = &*self.server;
        tracing::debug!(server, "{}", short(&message.data.to_string()));
    }
}
