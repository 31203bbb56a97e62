//! Executes `unreachable`, before its first event or, as model `late`, after some.

use aimu_sdk::{ChatRequest, Completion, Context, Description, Events, Failure, Provider};
use test_guests::{delta, start};

struct Guest;

impl Provider for Guest {
    fn describe() -> Description {
        test_guests::description("trap")
    }

    fn chat(_: Context, request: ChatRequest, events: &mut Events<'_>) -> Result<Completion, Failure> {
        if request.model == "late" {
            events.push(start(0));
            events.push(delta(0, "so far so good"));
            events.flush();
        }
        #[cfg(target_arch = "wasm32")]
        core::arch::wasm32::unreachable();
        #[cfg(not(target_arch = "wasm32"))]
        std::process::abort();
    }
}

aimu_sdk::export_provider!(Guest);
