//! Panics.
#![allow(clippy::panic)]

use aimu_sdk::{ChatRequest, Completion, Context, Description, Events, Failure, Provider};

struct Guest;

impl Provider for Guest {
    fn describe() -> Description {
        test_guests::description("panic")
    }

    fn chat(_: Context, _: ChatRequest, _: &mut Events<'_>) -> Result<Completion, Failure> {
        panic!("there is no cheese left")
    }
}

aimu_sdk::export_provider!(Guest);
