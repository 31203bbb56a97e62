//! Calls itself until its stack is full.

use aimu_sdk::{ChatRequest, Completion, Context, Description, Events, Failure, Provider};

struct Guest;

#[allow(unconditional_recursion)]
fn deeper(depth: u64) -> u64 {
    let frame = std::hint::black_box([depth; 64]);
    // Not the last thing that it does, so that no compiler makes a loop of it.
    deeper(depth + 1).wrapping_add(frame.iter().sum())
}

impl Provider for Guest {
    fn describe() -> Description {
        test_guests::description("recurse")
    }

    fn chat(_: Context, _: ChatRequest, events: &mut Events<'_>) -> Result<Completion, Failure> {
        let depth = deeper(0);
        test_guests::answer(events, depth.to_string())
    }
}

aimu_sdk::export_provider!(Guest);
