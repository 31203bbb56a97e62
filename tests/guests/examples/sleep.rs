//! Waits in the host for ever, without a network.

use aimu_sdk::{ChatRequest, Completion, Context, Description, Events, Failure, Provider};
use std::time::Duration;

struct Guest;

impl Provider for Guest {
    fn describe() -> Description {
        test_guests::description("sleep")
    }

    fn chat(_: Context, _: ChatRequest, _: &mut Events<'_>) -> Result<Completion, Failure> {
        loop {
            std::thread::sleep(Duration::from_secs(3600));
        }
    }
}

aimu_sdk::export_provider!(Guest);
