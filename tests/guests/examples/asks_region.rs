//! Asks for a server whose name has a setting in it, and asks what the model's id says: a URL.

use aimu_sdk::exchange::fetch_json;
use aimu_sdk::http::HttpRequest;
use aimu_sdk::{ChatRequest, Completion, Context, Description, Events, Failure, Provider};

struct Guest;

impl Provider for Guest {
    fn describe() -> Description {
        Description {
            // A name that needs no look-up, and that no plugin reaches without the user's word.
            origins: vec!["https://{region}.0.0.1".into()],
            settings_schema: Some(
                r#"{"properties": {"region": {"type": "string", "default": "10"}}}"#.into(),
            ),
            ..test_guests::asking("asks-region")
        }
    }

    fn chat(_: Context, request: ChatRequest, events: &mut Events<'_>) -> Result<Completion, Failure> {
        let answer = fetch_json(&HttpRequest::get(request.model), &Failure::from_response)?;
        test_guests::answer(events, answer.to_string())
    }
}

aimu_sdk::export_provider!(Guest);
