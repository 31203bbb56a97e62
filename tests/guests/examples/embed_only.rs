//! A provider without text models: its world is the contract's `embedding-only`. Each vector is a text's length.
#![allow(missing_docs)]

wit_bindgen::generate!({ path: "../../wit", world: "aimu:provider/embedding-only", generate_all });

use aimu::provider::data::{Context, Description, Failure, ModelSpec};
use exports::aimu::provider::{catalog, embedding};

struct Guest;

impl catalog::Guest for Guest {
    fn describe() -> Description {
        Description {
            id: "embed-only".into(),
            display_name: "Test guest embed-only".into(),
            version: "0.1.0".into(),
            homepage: None,
            default_base_url: None,
            origins: Vec::new(),
            credentials: Vec::new(),
            settings_schema: None,
            models: Vec::new(),
            open_catalog: true,
            parameters: Vec::new(),
        }
    }

    fn models(_: Context) -> Result<Vec<ModelSpec>, Failure> {
        Ok(Vec::new())
    }
}

impl embedding::Guest for Guest {
    fn embed(_: Context, request: embedding::EmbedRequest) -> Result<embedding::Embeddings, Failure> {
        let length = |input: &String| vec![f32::from(u16::try_from(input.len()).unwrap_or(u16::MAX))];
        Ok(embedding::Embeddings { vectors: request.inputs.iter().map(length).collect(), usage: None })
    }
}

export!(Guest);
