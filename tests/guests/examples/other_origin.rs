//! Asks a server that was not granted: the model is its URL.

use aimu_sdk::exchange::fetch_json;
use aimu_sdk::http::HttpRequest;
use aimu_sdk::{ChatRequest, Completion, Context, Description, Events, Failure, Provider};

struct Guest;

impl Provider for Guest {
    fn describe() -> Description {
        test_guests::networked("other-origin")
    }

    fn chat(_: Context, request: ChatRequest, events: &mut Events<'_>) -> Result<Completion, Failure> {
        let answer = fetch_json(&HttpRequest::get(request.model), &Failure::from_response)?;
        test_guests::answer(events, answer.to_string())
    }
}

aimu_sdk::export_provider!(Guest);
