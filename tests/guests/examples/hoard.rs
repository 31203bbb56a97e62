//! Holds more of the host's things than any honest guest needs: headers, which cost the host memory, not the guest.

use aimu_sdk::bindings::wasi::http::types::Fields;
use aimu_sdk::{ChatRequest, Completion, Context, Description, Events, Failure, Provider};

struct Guest;

impl Provider for Guest {
    fn describe() -> Description {
        test_guests::description("hoard")
    }

    fn chat(_: Context, _: ChatRequest, _: &mut Events<'_>) -> Result<Completion, Failure> {
        let mut hoard = Vec::new();
        loop {
            let fields = Fields::new();
            let _ = fields.append("x-hoard", &[b'x'; 60_000]);
            hoard.push(fields);
        }
    }
}

aimu_sdk::export_provider!(Guest);
