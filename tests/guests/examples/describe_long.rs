//! Describes itself with a name of 10 MB.

use aimu_sdk::{ChatRequest, Completion, Context, Description, Events, Failure, Provider};

struct Guest;

impl Provider for Guest {
    fn describe() -> Description {
        Description { display_name: "n".repeat(10_000_000), ..test_guests::description("describe-long") }
    }

    fn chat(_: Context, _: ChatRequest, events: &mut Events<'_>) -> Result<Completion, Failure> {
        test_guests::answer(events, "never called")
    }
}

aimu_sdk::export_provider!(Guest);
