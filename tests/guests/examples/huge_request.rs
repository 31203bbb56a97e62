//! Sends requests that are too large: the model is `body` (100 MiB) or `header` (1 MiB).

use aimu_sdk::exchange::fetch_json;
use aimu_sdk::http::{HttpRequest, Method};
use aimu_sdk::{ChatRequest, Completion, Context, Description, Events, Failure, Provider};

struct Guest;

impl Provider for Guest {
    fn describe() -> Description {
        test_guests::networked("huge-request")
    }

    fn chat(ctx: Context, request: ChatRequest, events: &mut Events<'_>) -> Result<Completion, Failure> {
        let mut wire = HttpRequest::get(format!("{}/upload", ctx.base_url));
        if request.model == "body" {
            wire.method = Method::Post;
            wire.body = vec![b'x'; 100 << 20];
        } else {
            wire = wire.header("x-large", "x".repeat(1 << 20));
        }
        let answer = fetch_json(&wire, &Failure::from_response)?;
        test_guests::answer(events, answer.to_string())
    }
}

aimu_sdk::export_provider!(Guest);
