//! Embeddings in OpenAI's form, which many brands share.
//!
//! Source: <https://platform.openai.com/docs/api-reference/embeddings/create>; what differs is [`EmbeddingsQuirks`].

use serde_json::{Value, json};

use super::error;
use super::quirks::{EmbeddingsQuirks, Quirks};
use crate::embedding::vector;
use crate::http::HttpRequest;
use crate::json::{merge, merge_extra};
use crate::{Context, EmbedRequest, Embeddings, Failure, Purpose, Usage};

/// The HTTP request for vectors.
///
/// # Errors
/// The server has no embeddings, or `extra` is no JSON object.
pub fn request(ctx: &Context, request: &EmbedRequest, quirks: &Quirks) -> Result<HttpRequest, Failure> {
    let quirks = &quirks.embeddings;
    if quirks.path.is_empty() {
        return Err(Failure::unsupported(format!("`{}` has no embeddings", ctx.instance)));
    }
    let url = format!("{}/{}", ctx.base_url.trim_end_matches('/'), quirks.path);
    Ok(HttpRequest::post(url, &body(ctx, request, quirks)?))
}

fn body(ctx: &Context, request: &EmbedRequest, quirks: &EmbeddingsQuirks) -> Result<Value, Failure> {
    let mut body = json!({"model": request.model, "input": request.inputs});
    if let Some(dimensions) = request.dimensions {
        if quirks.dimensions.is_empty() {
            return Err(Failure::unsupported(format!(
                "the models of `{}` have vectors of one length: leave out the dimensions",
                ctx.instance
            )));
        }
        merge(&mut body, json!({ quirks.dimensions.clone(): dimensions }));
    }
    if let Some(purpose) = request.purpose.and_then(|purpose| quirks.purposes.get(word(purpose))) {
        merge(&mut body, purpose.clone());
    }
    merge_extra(&mut body, request.extra.as_deref(), "the request")?;
    Ok(body)
}

/// The contract's word for a purpose.
fn word(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Query => "query",
        Purpose::Document => "document",
        Purpose::Classification => "classification",
        Purpose::Clustering => "clustering",
        Purpose::Similarity => "similarity",
    }
}

/// The vectors of an answer, in the order of the inputs.
///
/// # Errors
/// The answer is none, or is an error in disguise.
pub fn answer(answer: &Value) -> Result<Embeddings, Failure> {
    let Some(items) = answer.get("data").and_then(Value::as_array) else {
        return Err(match answer.get("error").filter(|error| !error.is_null()) {
            Some(_) => error::from_body(answer),
            None => Failure::protocol("the answer has no `data`, which embeddings are in"),
        });
    };
    let mut items: Vec<&Value> = items.iter().collect();
    let index = |item: &&Value| item.get("index").and_then(Value::as_u64);
    // Servers whose indices are no numbering at all (always 0) keep the order.
    let mut places: Vec<Option<u64>> = items.iter().map(index).collect();
    places.sort_unstable();
    if places.into_iter().zip(0..).all(|(index, place)| index == Some(place)) {
        items.sort_by_key(index);
    }
    let none = Value::Null;
    // Brands without an output to count have the total alone.
    let usage = |name| answer.get("usage")?.get(name)?.as_u64().and_then(|count| u32::try_from(count).ok());
    Ok(Embeddings {
        vectors: items
            .iter()
            .map(|item| vector(item.get("embedding").unwrap_or(&none)))
            .collect::<Result<_, _>>()?,
        usage: usage("prompt_tokens").or_else(|| usage("total_tokens")).map(Usage::of_input),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::FailureKind;

    fn sent(request: &EmbedRequest, settings: &str) -> Result<Value, Failure> {
        let ctx = Context {
            instance: "brand".into(),
            base_url: "https://h/v1/".into(),
            settings: settings.into(),
            credentials: Vec::new(),
        };
        let http = super::request(&ctx, request, &Quirks::default().with_settings(settings)?)?;
        assert_eq!(http.url, "https://h/v1/embeddings");
        Ok(serde_json::from_slice(&http.body).unwrap())
    }

    fn asked() -> EmbedRequest {
        EmbedRequest {
            model: "m".into(),
            inputs: vec!["a".into(), "b".into()],
            dimensions: None,
            purpose: None,
            extra: None,
        }
    }

    #[test]
    fn requests_as_brands_want_them() {
        assert_eq!(sent(&asked(), "{}").unwrap(), json!({"model": "m", "input": ["a", "b"]}));
        let full = EmbedRequest {
            dimensions: Some(8),
            purpose: Some(Purpose::Query),
            extra: Some(r#"{"encoding_format":"base64"}"#.into()),
            ..asked()
        };
        let openai = json!({"model": "m", "input": ["a", "b"], "dimensions": 8, "encoding_format": "base64"});
        assert_eq!(sent(&full, "{}").unwrap(), openai);
        let settings =
            r#"{"embeddings":{"dimensions":"output_dimension","purposes":{"query":{"input_type":"query"}}}}"#;
        let voyage = json!({
            "model": "m", "input": ["a", "b"], "output_dimension": 8, "input_type": "query", "encoding_format": "base64",
        });
        assert_eq!(sent(&full, settings).unwrap(), voyage);
        for (settings, word) in [
            (r#"{"embeddings":{"path":""}}"#, "no embeddings"),
            (r#"{"embeddings":{"dimensions":""}}"#, "one length"),
        ] {
            let failure = sent(&full, settings).unwrap_err();
            assert_eq!(failure.kind, FailureKind::Unsupported);
            assert!(failure.message.contains(word), "{}", failure.message);
        }
    }

    #[test]
    fn answers_are_put_in_order() {
        let vectors = |body: &str| answer(&serde_json::from_str(body).unwrap()).map(|all| all.vectors);
        let swapped = r#"{"data":[{"index":1,"embedding":[2]},{"index":0,"embedding":[1]}]}"#;
        assert_eq!(vectors(swapped).unwrap(), [[1.0], [2.0]]);
        for kept in [
            r#"{"data":[{"index":0,"embedding":[2]},{"index":0,"embedding":[1]}]}"#,
            r#"{"data":[{"embedding":[2]},{"embedding":"AACAPw=="}],"usage":null,"more":{}}"#,
        ] {
            assert_eq!(vectors(kept).unwrap(), [[2.0], [1.0]]);
        }
    }

    #[test]
    fn usage_is_of_input() {
        let usage = |usage: &str| {
            let body = format!(r#"{{"data":[],"usage":{usage}}}"#);
            answer(&serde_json::from_str(&body).unwrap()).unwrap().usage.and_then(|usage| usage.input)
        };
        assert_eq!(usage(r#"{"prompt_tokens":5,"total_tokens":5,"cost":0.1}"#), Some(5));
        assert_eq!(usage(r#"{"total_tokens":0}"#), Some(0));
        assert_eq!(usage("{}"), None);
    }

    #[test]
    fn what_is_no_answer_fails() {
        let kind = |body: &str| answer(&serde_json::from_str(body).unwrap()).unwrap_err().kind;
        assert_eq!(kind(r#"{"error":{"message":"m","code":429}}"#), FailureKind::RateLimited);
        for wrong in ["{}", "[]", r#"{"data":[{}]}"#, r#"{"data":[{"embedding":[null]}]}"#] {
            assert_eq!(kind(wrong), FailureKind::Protocol, "{wrong}");
        }
    }
}
