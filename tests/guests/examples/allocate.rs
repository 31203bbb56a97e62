//! Asks for memory without end.

use aimu_sdk::{ChatRequest, Completion, Context, Description, Events, Failure, Provider};

struct Guest;

impl Provider for Guest {
    fn describe() -> Description {
        test_guests::description("allocate")
    }

    fn chat(_: Context, _: ChatRequest, _: &mut Events<'_>) -> Result<Completion, Failure> {
        let mut hoard = Vec::new();
        loop {
            hoard.push(std::hint::black_box(vec![1_u8; 1 << 20]));
        }
    }
}

aimu_sdk::export_provider!(Guest);
