//! Says that it has a thousand models, which is many and nothing bad.

use aimu_sdk::{
    Capabilities, ChatRequest, Completion, Context, Description, Events, Failure, ModelSpec, Provider,
};

struct Guest;

impl Provider for Guest {
    fn describe() -> Description {
        let models = (0..1000).map(|n| ModelSpec::new(format!("model-{n}"), Capabilities::empty()));
        Description { models: models.collect(), ..test_guests::description("describe-thousand") }
    }

    fn chat(_: Context, _: ChatRequest, events: &mut Events<'_>) -> Result<Completion, Failure> {
        test_guests::answer(events, "one of a thousand")
    }
}

aimu_sdk::export_provider!(Guest);
