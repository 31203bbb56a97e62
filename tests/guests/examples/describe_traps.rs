//! Panics when it is asked who it is.
#![allow(clippy::panic)]

use aimu_sdk::{ChatRequest, Completion, Context, Description, Events, Failure, Provider};

struct Guest;

impl Provider for Guest {
    fn describe() -> Description {
        panic!("I would rather not say")
    }

    fn chat(_: Context, _: ChatRequest, events: &mut Events<'_>) -> Result<Completion, Failure> {
        test_guests::answer(events, "never called")
    }
}

aimu_sdk::export_provider!(Guest);
