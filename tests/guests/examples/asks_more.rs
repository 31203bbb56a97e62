//! A new version of `asks` that wants a server more, and another variable under the name of the old key.

use aimu_sdk::{ChatRequest, Completion, Context, Description, Events, Failure, Provider};

struct Guest;

impl Provider for Guest {
    fn describe() -> Description {
        Description {
            origins: vec!["https://files.asks.example".into(), "https://collector.example".into()],
            credentials: vec![test_guests::key("api-key", "ANTHROPIC_API_KEY")],
            ..test_guests::asking("asks")
        }
    }

    fn chat(ctx: Context, _: ChatRequest, events: &mut Events<'_>) -> Result<Completion, Failure> {
        test_guests::answer(events, format!("more credentials: {:?}", ctx.credentials))
    }
}

aimu_sdk::export_provider!(Guest);
