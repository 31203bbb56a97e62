//! Embeddings (<https://docs.ollama.com/api/embed>): vectors of length 1, of any model that the server can load.

use aimu_sdk::embedding::vectors;
use aimu_sdk::{EmbedRequest, Embeddings, Failure, Usage, json};
use serde_json::{Map, Value};

use crate::errors;

/// Inputs of one request. The server takes any number, and answers when it has them all: so many are some seconds'
/// work for a small model on a processor.
pub(crate) const BATCH: usize = 256;

/// The body of a request. Ollama's models make one sort of vector, so a purpose says nothing.
pub(crate) fn body(request: &EmbedRequest) -> Result<Value, Failure> {
    let mut body = Map::new();
    body.insert("model".into(), request.model.as_str().into());
    body.insert("input".into(), request.inputs.clone().into());
    json::put(&mut body, "dimensions", request.dimensions);
    let mut body = Value::Object(body);
    json::merge_extra(&mut body, request.extra.as_deref(), "the request")?;
    Ok(body)
}

/// The vectors of an answer.
pub(crate) fn answer(answer: &Value, model: &str) -> Result<Embeddings, Failure> {
    let Some(written) = answer.get("embeddings") else {
        return Err(match answer.get("error") {
            Some(_) => errors::of_body(answer, model),
            None => Failure::protocol("the answer has no `embeddings`"),
        });
    };
    let count = answer.get("prompt_eval_count").and_then(Value::as_u64);
    let usage = count.and_then(|count| u32::try_from(count).ok()).map(Usage::of_input);
    Ok(Embeddings { vectors: vectors(written)?, usage })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use aimu_sdk::{FailureKind, Purpose};
    use serde_json::json;

    #[test]
    fn requests_and_answers() {
        let request = EmbedRequest {
            model: "m".into(),
            inputs: vec!["a".into()],
            dimensions: Some(2),
            purpose: Some(Purpose::Query),
            extra: Some(r#"{"truncate":false,"options":{"num_ctx":8}}"#.into()),
        };
        assert_eq!(
            body(&request).unwrap(),
            json!({"model": "m", "input": ["a"], "dimensions": 2, "truncate": false, "options": {"num_ctx": 8}})
        );
        let read = answer(
            &json!({"model":"m","embeddings":[[0.5,1]],"total_duration":1,"prompt_eval_count":3}),
            "m",
        );
        let read = read.unwrap();
        assert_eq!((read.vectors, read.usage), (vec![vec![0.5, 1.0]], Some(Usage::of_input(3))));
        let kind = |body: Value| answer(&body, "m").unwrap_err().kind;
        assert_eq!(
            kind(json!({"error":"model \"m\" not found, try pulling it first"})),
            FailureKind::NotFound
        );
        assert_eq!(kind(json!({})), FailureKind::Protocol);
    }
}
