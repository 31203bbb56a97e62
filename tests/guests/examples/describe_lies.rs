//! Describes itself with what no description may hold.

use aimu_sdk::{ChatRequest, Completion, Context, Description, Events, Failure, Provider};

struct Guest;

impl Provider for Guest {
    fn describe() -> Description {
        Description {
            default_base_url: Some("not a URL".into()),
            origins: vec!["*".into(), "http://plain.example".into()],
            settings_schema: Some("{ not JSON".into()),
            ..test_guests::description("Not An Id\u{1b}[31m")
        }
    }

    fn chat(_: Context, _: ChatRequest, events: &mut Events<'_>) -> Result<Completion, Failure> {
        test_guests::answer(events, "never called")
    }
}

aimu_sdk::export_provider!(Guest);
