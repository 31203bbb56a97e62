//! Embeddings (<https://docs.cohere.com/reference/embed>).

use aimu_sdk::embedding::vectors;
use aimu_sdk::{EmbedRequest, Embeddings, Failure, Purpose, Usage, json};
use serde_json::{Value, json};

use crate::errors;

/// The most inputs of one request.
pub(crate) const BATCH: usize = 96;

/// The body of a request.
pub(crate) fn body(request: &EmbedRequest) -> Result<Value, Failure> {
    let mut body = json!({
        "model": request.model,
        "texts": request.inputs,
        "input_type": input_type(request.purpose),
        "embedding_types": ["float"],
    });
    if let Some(dimensions) = request.dimensions {
        body["output_dimension"] = dimensions.into();
    }
    json::merge_extra(&mut body, request.extra.as_deref(), "the request")?;
    Ok(body)
}

/// Models from the third generation on must be told one. A text of which nobody says what it is for, or that is compared
/// with its like, is a document.
fn input_type(purpose: Option<Purpose>) -> &'static str {
    match purpose {
        Some(Purpose::Query) => "search_query",
        Some(Purpose::Classification) => "classification",
        Some(Purpose::Clustering) => "clustering",
        None | Some(Purpose::Document | Purpose::Similarity) => "search_document",
    }
}

/// The vectors of an answer: by type; or, as the first version of the API has it where none was asked for, of the only one.
pub(crate) fn answer(answer: &Value) -> Result<Embeddings, Failure> {
    let written = match answer.get("embeddings") {
        // A caller who asked for another type gets that.
        Some(Value::Object(types)) => {
            let floats = types.get("float").filter(|vectors| !vectors.is_null());
            let other = || types.values().find(|vectors| !vectors.is_null());
            floats.or_else(other).ok_or_else(|| Failure::protocol("the answer has no vectors of any type"))?
        }
        Some(list) => list,
        None => return Err(errors::of_body(answer)),
    };
    // Billed tokens are what is charged; the API counts no others for texts.
    let count = answer.pointer("/meta/billed_units/input_tokens").and_then(Value::as_f64);
    let count = count.filter(|count| (0.0..=f64::from(u32::MAX)).contains(count));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be in range")]
    let usage = count.map(|count| Usage::of_input(count as u32));
    Ok(Embeddings { vectors: vectors(written)?, usage })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn asked(purpose: Option<Purpose>, extra: Option<&str>) -> EmbedRequest {
        EmbedRequest {
            model: "m".into(),
            inputs: vec!["a".into()],
            dimensions: Some(256),
            purpose,
            extra: extra.map(str::to_owned),
        }
    }

    #[test]
    fn requests_say_what_texts_are_for() {
        assert_eq!(
            body(&asked(Some(Purpose::Query), Some(r#"{"truncate":"END"}"#))).unwrap(),
            json!({
                "model": "m", "texts": ["a"], "input_type": "search_query", "embedding_types": ["float"],
                "output_dimension": 256, "truncate": "END",
            })
        );
        assert_eq!(body(&asked(None, None)).unwrap()["input_type"], "search_document");
        let own = body(&asked(None, Some(r#"{"input_type":"classification"}"#))).unwrap();
        assert_eq!(own["input_type"], "classification");
    }

    #[test]
    fn answers_by_type_and_of_the_first_version() {
        let read =
            |body: &str| answer(&serde_json::from_str(body).unwrap()).map(|all| (all.vectors, all.usage));
        let usage = Some(Usage::of_input(2));
        let want = vec![vec![0.5, 1.0]];
        let typed = r#"{"id":"i","embeddings":{"float":[[0.5,1]],"int8":null},"meta":{"billed_units":{"input_tokens":2}}}"#;
        assert_eq!(read(typed).unwrap(), (want.clone(), usage));
        assert_eq!(read(r#"{"embeddings":[[0.5,1]]}"#).unwrap(), (want, None));
        assert_eq!(read(r#"{"embeddings":{"int8":[[-3,4]]}}"#).unwrap().0, [[-3.0, 4.0]]);
        assert!(read(r#"{"message":"too many tokens: size limit exceeded"}"#).is_err());
        assert!(read(r#"{"embeddings":{}}"#).is_err());
    }
}
