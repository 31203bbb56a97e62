//! Fails in every export but `describe`: the model, or the first text, says how, `trap` or `spin`. The list of models
//! traps.
#![allow(clippy::panic)]

use aimu_sdk::{
    ChatRequest, Completion, Context, CountTokens, Description, EmbedRequest, Embedding, Embeddings, Events,
    Failure, GenerateRequest, ModelSpec, Provider, Pull,
};

struct Guest;

fn fail(how: &str) -> ! {
    if how.contains("spin") {
        loop {
            std::hint::spin_loop();
        }
    }
    panic!("it fails here, too")
}

impl Provider for Guest {
    fn describe() -> Description {
        test_guests::description("fails-everywhere")
    }

    fn models(_: Context) -> Result<Vec<ModelSpec>, Failure> {
        fail("trap")
    }

    fn chat(_: Context, request: ChatRequest, _: &mut Events<'_>) -> Result<Completion, Failure> {
        fail(&request.model)
    }

    fn generate(_: Context, request: GenerateRequest, _: &mut Events<'_>) -> Result<Completion, Failure> {
        fail(&request.model)
    }
}

impl Embedding for Guest {
    fn embed(_: Context, request: EmbedRequest) -> Result<Embeddings, Failure> {
        fail(&request.model)
    }
}

impl CountTokens for Guest {
    fn count(_: Context, request: ChatRequest) -> Result<u32, Failure> {
        fail(&request.model)
    }
}

impl Pull for Guest {
    fn pull(_: Context, model: String, _: &mut Events<'_>) -> Result<(), Failure> {
        fail(&model)
    }
}

aimu_sdk::export_provider!(Guest: embedding, tokens, library);
