//! Answers embeddings wrongly, in the way that the model's name says.

use aimu_sdk::{
    ChatRequest, Completion, Context, Description, EmbedRequest, Embedding, Embeddings, Events, Failure,
    Provider,
};

struct Guest;

impl Provider for Guest {
    fn describe() -> Description {
        test_guests::description("embed-lies")
    }

    fn chat(_: Context, _: ChatRequest, _: &mut Events<'_>) -> Result<Completion, Failure> {
        test_guests::finish()
    }
}

impl Embedding for Guest {
    fn embed(_: Context, request: EmbedRequest) -> Result<Embeddings, Failure> {
        let mut vectors = vec![vec![0.5_f32; 4]; request.inputs.len()];
        match request.model.as_str() {
            "fewer" => drop(vectors.pop()),
            "more" => vectors.push(vec![0.5; 4]),
            "ragged" => vectors[0].push(0.5),
            "empty" => vectors.iter_mut().for_each(Vec::clear),
            "nan" => vectors[0][0] = f32::NAN,
            // 32 MiB a text.
            "flood" => vectors.iter_mut().for_each(|vector| vector.resize(8 << 20, 0.5)),
            "spin" => loop {
                std::hint::spin_loop();
            },
            _ => {}
        }
        Ok(Embeddings { vectors, usage: None })
    }
}

aimu_sdk::export_provider!(Guest: embedding);
