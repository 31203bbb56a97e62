//! Asks its server again and again, without end.

use aimu_sdk::exchange::fetch_json;
use aimu_sdk::http::HttpRequest;
use aimu_sdk::{ChatRequest, Completion, Context, Description, Events, Failure, Provider};

struct Guest;

impl Provider for Guest {
    fn describe() -> Description {
        test_guests::networked("many-requests")
    }

    fn chat(ctx: Context, _: ChatRequest, _: &mut Events<'_>) -> Result<Completion, Failure> {
        loop {
            fetch_json(&HttpRequest::get(format!("{}/again", ctx.base_url)), &Failure::from_response)?;
        }
    }
}

aimu_sdk::export_provider!(Guest);
