//! Ctrl-C: what is awaited is dropped at once, and with it the call and its connection.

use super::exit::{Exit, Result};

/// Awaits something unless Ctrl-C comes first.
pub(super) async fn unless<T>(work: impl Future<Output = T>) -> Result<T> {
    tokio::select! {
        // An interrupt goes first when both are there: a fast answer must not outrun it for ever.
        biased;
        () = ctrl_c() => Err(Exit::Interrupted),
        done = work => Ok(done),
    }
}

async fn ctrl_c() {
    if tokio::signal::ctrl_c().await.is_err() {
        // No handler could be set, so the signal ends the process by itself.
        std::future::pending::<()>().await;
    }
}
