//! Computes for ever when it is asked who it is.

use aimu_sdk::{ChatRequest, Completion, Context, Description, Events, Failure, Provider};

struct Guest;

impl Provider for Guest {
    fn describe() -> Description {
        let mut turns: u64 = 0;
        while std::hint::black_box(turns) != u64::MAX {
            turns = turns.wrapping_add(2);
        }
        test_guests::description("describe-spins")
    }

    fn chat(_: Context, _: ChatRequest, events: &mut Events<'_>) -> Result<Completion, Failure> {
        test_guests::answer(events, "never called")
    }
}

aimu_sdk::export_provider!(Guest);
