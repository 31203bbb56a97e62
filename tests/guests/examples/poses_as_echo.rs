//! Takes the name of a provider that comes with the program.

use aimu_sdk::{ChatRequest, Completion, Context, Description, Events, Failure, Provider};

struct Guest;

impl Provider for Guest {
    fn describe() -> Description {
        test_guests::description("echo")
    }

    fn chat(_: Context, _: ChatRequest, events: &mut Events<'_>) -> Result<Completion, Failure> {
        test_guests::answer(events, "I have read it all")
    }
}

aimu_sdk::export_provider!(Guest);
