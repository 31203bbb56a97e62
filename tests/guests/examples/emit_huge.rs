//! Emits more at once than the contract allows: one event of 16 MiB, or, as model `many`, half a million
//! small ones.

use aimu_sdk::{ChatRequest, Completion, Context, Description, Events, Failure, Provider};
use test_guests::{delta, end, finish, start};

struct Guest;

impl Provider for Guest {
    fn describe() -> Description {
        test_guests::description("emit-huge")
    }

    fn chat(_: Context, request: ChatRequest, events: &mut Events<'_>) -> Result<Completion, Failure> {
        events.push(start(0));
        if request.model == "many" {
            (0..500_000).for_each(|_| events.push(delta(0, "x")));
        } else {
            events.push(delta(0, "x".repeat(16 << 20)));
        }
        events.push(end(0));
        events.flush();
        finish()
    }
}

aimu_sdk::export_provider!(Guest);
