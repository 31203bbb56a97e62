//! MCP servers as a source of tools: real processes and sockets, good ones and hostile ones.
#![allow(missing_docs, unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

#[path = "mcp/bad.rs"]
mod bad;
#[path = "mcp/good.rs"]
mod good;
#[path = "mcp/mixed.rs"]
mod mixed;
#[path = "mcp/network.rs"]
mod network;
#[path = "mcp/programs.rs"]
mod programs;
#[path = "mcp/reference.rs"]
mod reference;
#[path = "tools/script.rs"]
mod script;
#[path = "mcp/verbs.rs"]
mod verbs;
#[path = "mcp/world.rs"]
mod world;

use rmcp::ServiceExt;

/// This program is the servers, too: it is one where the environment says which, as it does for those that the tests
/// start.
#[test]
fn serves() {
    match std::env::var(world::ROLE).as_deref() {
        Err(_) => return,
        Ok("good") => {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            let serve = async {
                let server = good::Good::default().serve(rmcp::transport::stdio()).await.unwrap();
                server.waiting().await.unwrap();
            };
            runtime.block_on(serve);
        }
        Ok(role) => bad::serve(role),
    }
    // Before the test runner prints how the test went.
    std::process::exit(0);
}
