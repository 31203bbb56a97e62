//! Asks for two servers and a key, and needs none of them: says which credentials it was given.

use aimu_sdk::{ChatRequest, Completion, Context, Description, Events, Failure, Provider};

struct Guest;

impl Provider for Guest {
    fn describe() -> Description {
        Description {
            origins: vec!["https://files.asks.example".into()],
            credentials: vec![test_guests::key("api-key", "ASKS_API_KEY")],
            ..test_guests::asking("asks")
        }
    }

    fn chat(ctx: Context, _: ChatRequest, events: &mut Events<'_>) -> Result<Completion, Failure> {
        test_guests::answer(events, format!("credentials: {:?}", ctx.credentials))
    }
}

aimu_sdk::export_provider!(Guest);
