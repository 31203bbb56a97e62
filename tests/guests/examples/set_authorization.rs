//! Sets a credential's header by itself. The model is the header's name.

use aimu_sdk::exchange::fetch_json;
use aimu_sdk::http::HttpRequest;
use aimu_sdk::{ChatRequest, Completion, Context, Description, Events, Failure, Provider};

struct Guest;

impl Provider for Guest {
    fn describe() -> Description {
        test_guests::networked("set-authorization")
    }

    fn chat(ctx: Context, request: ChatRequest, events: &mut Events<'_>) -> Result<Completion, Failure> {
        let request =
            HttpRequest::get(format!("{}/models", ctx.base_url)).header(request.model, "Bearer smuggled");
        let answer = fetch_json(&request, &Failure::from_response)?;
        test_guests::answer(events, answer.to_string())
    }
}

aimu_sdk::export_provider!(Guest);
