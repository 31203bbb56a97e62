//! Logs and writes to stderr without measure, with control characters and endless lines, then answers.

use aimu_sdk::bindings::aimu::provider::host::{Level, log};
use aimu_sdk::{ChatRequest, Completion, Context, Description, Events, Failure, Provider};

struct Guest;

impl Provider for Guest {
    fn describe() -> Description {
        test_guests::description("log-flood")
    }

    fn chat(_: Context, _: ChatRequest, events: &mut Events<'_>) -> Result<Completion, Failure> {
        for n in 0..20_000 {
            log(Level::Error, &format!("\u{1b}[2Jflood {n}"));
            eprintln!("flood {n}");
        }
        for _ in 0..100 {
            eprint!("{}", "x".repeat(1 << 16));
        }
        test_guests::answer(events, "dry again")
    }
}

aimu_sdk::export_provider!(Guest);
