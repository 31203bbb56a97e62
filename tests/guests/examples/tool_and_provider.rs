//! Wants to be a provider and a component of tools at once.

use aimu_sdk::tool::Description;
use aimu_sdk::{ChatRequest, Completion, Context, Events, Failure, Provider};
use test_guests::Looks;

struct Guest;

impl Provider for Guest {
    fn describe() -> aimu_sdk::Description {
        test_guests::description("tool-and-provider")
    }

    fn chat(_: Context, _: ChatRequest, events: &mut Events<'_>) -> Result<Completion, Failure> {
        test_guests::answer(events, "never called")
    }
}

fn about() -> Description {
    Description::new("tool-and-provider", "Both", "0.1.0")
}

aimu_sdk::export_provider!(Guest);
aimu_sdk::export_tools!(about: Looks);
