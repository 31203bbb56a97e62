//! Emits without end: many small events in small batches, or, as model `batched`, many in each.

use aimu_sdk::{ChatRequest, Completion, Context, Description, Events, Failure, Provider};
use test_guests::{delta, start};

struct Guest;

impl Provider for Guest {
    fn describe() -> Description {
        test_guests::description("emit-flood")
    }

    fn chat(_: Context, request: ChatRequest, events: &mut Events<'_>) -> Result<Completion, Failure> {
        let batch = if request.model == "batched" { 1000 } else { 1 };
        events.push(start(0));
        loop {
            for _ in 0..batch {
                events.push(delta(0, "flood "));
            }
            events.flush();
        }
    }
}

aimu_sdk::export_provider!(Guest);
