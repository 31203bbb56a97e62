//! Describes itself with more than anybody can want to know.

use aimu_sdk::{
    Capabilities, ChatRequest, Completion, Context, Description, Events, Failure, ModelSpec, Provider,
};

struct Guest;

impl Provider for Guest {
    fn describe() -> Description {
        let models = (0..200_000).map(|n| ModelSpec::new(format!("model-{n:0100}"), Capabilities::empty()));
        Description { models: models.collect(), ..test_guests::description("describe-floods") }
    }

    fn chat(_: Context, _: ChatRequest, events: &mut Events<'_>) -> Result<Completion, Failure> {
        test_guests::answer(events, "never called")
    }
}

aimu_sdk::export_provider!(Guest);
