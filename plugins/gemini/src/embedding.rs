//! Embeddings (<https://ai.google.dev/api/embeddings>): many at once of the Gemini API; of Vertex AI one by one, and its
//! older models by another method of theirs
//! (<https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/text-embeddings-api>).

use aimu_sdk::embedding::vector;
use aimu_sdk::http::HttpRequest;
use aimu_sdk::{EmbedRequest, Embeddings, Failure, Purpose, Usage, json};
use serde_json::{Map, Value, json};

use crate::endpoint::{self, Service};
use crate::errors;

/// How a model is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    /// `batchEmbedContents`.
    Batch,
    /// `embedContent`.
    One,
    /// `predict`.
    Predict,
}

impl Method {
    /// For a model at a base URL.
    pub(crate) fn of(base_url: &str, model: &str) -> Self {
        match Service::of(base_url) {
            Service::Gemini => Self::Batch,
            Service::Vertex if takes_task_in_text(model) => Self::One,
            Service::Vertex => Self::Predict,
        }
    }

    /// The most inputs of one request. `predict` takes more of some models, but of its newest just one.
    pub(crate) fn most(self) -> usize {
        match self {
            Self::Batch => 100,
            Self::One | Self::Predict => 1,
        }
    }
}

/// From the second generation on, what vectors are for is said in the text itself, and `taskType` is refused
/// (<https://ai.google.dev/gemini-api/docs/embeddings#task-types>).
fn takes_task_in_text(model: &str) -> bool {
    let id = model.rsplit('/').next().unwrap_or(model);
    let generation = id.strip_prefix("gemini-embedding-").unwrap_or_default();
    // `001` is the first; models of another name are older still.
    !generation.is_empty()
        && !generation.starts_with('0')
        && generation.starts_with(|c: char| c.is_ascii_digit())
}

/// The request for vectors.
pub(crate) fn request(
    base_url: &str,
    request: &EmbedRequest,
    method: Method,
) -> Result<HttpRequest, Failure> {
    let model = request.model.as_str();
    let items =
        request.inputs.iter().map(|input| item(request, input, method)).collect::<Result<Vec<_>, _>>()?;
    let (name, body) = match method {
        Method::Batch => ("batchEmbedContents", json!({ "requests": items })),
        Method::One => ("embedContent", items.into_iter().next().unwrap_or_default()),
        Method::Predict => {
            let mut body = json!({ "instances": items });
            if let Some(dimensions) = request.dimensions {
                body["parameters"] = json!({ "outputDimensionality": dimensions });
            }
            json::merge_extra(&mut body, request.extra.as_deref(), "the request")?;
            ("predict", body)
        }
    };
    Ok(HttpRequest::post(endpoint::method(base_url, model, name), &body))
}

/// One input. `extra` is merged into each, as the only place with members to choose.
fn item(request: &EmbedRequest, input: &str, method: Method) -> Result<Value, Failure> {
    let in_text = takes_task_in_text(&request.model);
    let text = match request.purpose.filter(|_| in_text) {
        Some(purpose) => format!("{}{input}", before(purpose)),
        None => input.to_owned(),
    };
    let task = request.purpose.filter(|_| !in_text).map(task_type);
    let mut item = Map::new();
    if method == Method::Predict {
        item.insert("content".into(), text.into());
        json::put(&mut item, "task_type", task);
        return Ok(item.into());
    }
    if method == Method::Batch {
        item.insert("model".into(), endpoint::full_name(&request.model).into());
    }
    item.insert("content".into(), json!({ "parts": [{ "text": text }] }));
    json::put(&mut item, "taskType", task);
    json::put(&mut item, "outputDimensionality", request.dimensions);
    let mut item = Value::Object(item);
    json::merge_extra(&mut item, request.extra.as_deref(), "the request")?;
    Ok(item)
}

fn task_type(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Query => "RETRIEVAL_QUERY",
        Purpose::Document => "RETRIEVAL_DOCUMENT",
        Purpose::Classification => "CLASSIFICATION",
        Purpose::Clustering => "CLUSTERING",
        Purpose::Similarity => "SEMANTIC_SIMILARITY",
    }
}

fn before(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Query => "task: search result | query: ",
        Purpose::Document => "title: none | text: ",
        Purpose::Classification => "task: classification | query: ",
        Purpose::Clustering => "task: clustering | query: ",
        Purpose::Similarity => "task: sentence similarity | query: ",
    }
}

/// The vectors of an answer of any of the three methods.
pub(crate) fn answer(answer: &Value) -> Result<Embeddings, Failure> {
    let list = |name: &str| answer.get(name).and_then(Value::as_array);
    let all: Vec<&Value> = match (list("embeddings"), answer.get("embedding"), list("predictions")) {
        (Some(all), ..) => all.iter().collect(),
        (_, Some(one), _) => vec![one],
        (.., Some(all)) => all.iter().filter_map(|prediction| prediction.get("embeddings")).collect(),
        _ if answer.get("error").is_some() => return Err(errors::of_body(answer)),
        _ => return Err(Failure::protocol("the answer has no `embeddings`")),
    };
    let none = Value::Null;
    let vectors =
        all.iter().map(|one| vector(one.get("values").unwrap_or(&none))).collect::<Result<_, _>>()?;
    // A float in the older method, though whole.
    let counts = [
        answer.pointer("/usageMetadata/promptTokenCount"),
        all.first().and_then(|one| one.pointer("/statistics/token_count")),
    ];
    let count = counts.into_iter().flatten().find_map(Value::as_f64);
    let count = count.filter(|count| (0.0..=f64::from(u32::MAX)).contains(count));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be in range")]
    let usage = count.map(|count| Usage::of_input(count as u32));
    Ok(Embeddings { vectors, usage })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use aimu_sdk::FailureKind;

    const GEMINI: &str = "https://generativelanguage.googleapis.com";
    const VERTEX: &str = "https://aiplatform.googleapis.com/projects/p/locations/l";

    fn asked(model: &str, purpose: Option<Purpose>) -> EmbedRequest {
        EmbedRequest {
            model: model.into(),
            inputs: vec!["a".into()],
            dimensions: Some(8),
            purpose,
            extra: Some(r#"{"title":"t"}"#.into()),
        }
    }

    fn sent(base_url: &str, asked: &EmbedRequest) -> (String, Value) {
        let http = request(base_url, asked, Method::of(base_url, &asked.model)).unwrap();
        let method = http.url.rsplit(':').next().unwrap().to_owned();
        (method, serde_json::from_slice(&http.body).unwrap())
    }

    #[test]
    fn each_service_has_a_method_of_its_own() {
        let old = asked("gemini-embedding-001", Some(Purpose::Query));
        assert_eq!(
            sent(GEMINI, &old),
            (
                "batchEmbedContents".into(),
                json!({"requests": [{
                    "model": "models/gemini-embedding-001", "content": {"parts": [{"text": "a"}]},
                    "taskType": "RETRIEVAL_QUERY", "outputDimensionality": 8, "title": "t",
                }]})
            )
        );
        assert_eq!(
            sent(VERTEX, &old),
            (
                "predict".into(),
                json!({
                    "instances": [{"content": "a", "task_type": "RETRIEVAL_QUERY"}],
                    "parameters": {"outputDimensionality": 8}, "title": "t",
                })
            )
        );
        let new = asked("models/gemini-embedding-2-preview", None);
        assert_eq!(
            sent(VERTEX, &new),
            (
                "embedContent".into(),
                json!({
                    "content": {"parts": [{"text": "a"}]}, "outputDimensionality": 8, "title": "t",
                })
            )
        );
    }

    #[test]
    fn new_models_are_told_in_the_text() {
        let text = |purpose| {
            let (_, body) = sent(GEMINI, &asked("gemini-embedding-2", Some(purpose)));
            assert!(body["requests"][0].get("taskType").is_none());
            body["requests"][0]["content"]["parts"][0]["text"].as_str().unwrap().to_owned()
        };
        assert_eq!(text(Purpose::Query), "task: search result | query: a");
        assert_eq!(text(Purpose::Document), "title: none | text: a");
        assert_eq!(text(Purpose::Similarity), "task: sentence similarity | query: a");
        assert!(
            !takes_task_in_text("text-embedding-005") && !takes_task_in_text("gemini-embedding-exp-03-07")
        );
    }

    #[test]
    fn answers_of_all_methods() {
        let read = |body: &str| answer(&serde_json::from_str(body).unwrap()).unwrap();
        let usage = |input| Some(Usage::of_input(input));
        let all = read(r#"{"embeddings":[{"values":[1]},{"values":[2],"shape":[1]}]}"#);
        assert_eq!((all.vectors, all.usage), (vec![vec![1.0], vec![2.0]], None));
        let one = read(r#"{"embedding":{"values":[1]},"usageMetadata":{"promptTokenCount":7}}"#);
        assert_eq!((one.vectors, one.usage), (vec![vec![1.0]], usage(7)));
        let old = read(
            r#"{"predictions":[{"embeddings":{"values":[1],"statistics":{"token_count":4.0,"truncated":false}}}]}"#,
        );
        assert_eq!((old.vectors, old.usage), (vec![vec![1.0]], usage(4)));
        let kind = |body: &str| answer(&serde_json::from_str(body).unwrap()).unwrap_err().kind;
        assert_eq!(kind("{}"), FailureKind::Protocol);
        assert_eq!(
            kind(r#"{"error":{"code":429,"status":"RESOURCE_EXHAUSTED","message":"m"}}"#),
            FailureKind::RateLimited
        );
    }
}
