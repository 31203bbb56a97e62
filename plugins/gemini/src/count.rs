//! Counting (<https://ai.google.dev/api/tokens>): the Gemini API takes the contents, or with more than these the whole
//! request of a chat in a member of its own; Vertex AI takes some members of it as they are
//! (<https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/count-tokens>).

use aimu_sdk::http::HttpRequest;
use aimu_sdk::tokens::counted;
use aimu_sdk::{ChatRequest, Failure};
use serde_json::json;

use crate::endpoint::{self, Service};
use crate::request;

/// The request that counts.
pub(crate) fn request(base_url: &str, request: &ChatRequest) -> Result<HttpRequest, Failure> {
    let service = Service::of(base_url);
    let mut body = request::body(request, service)?.body;
    let alone = body.as_object().is_some_and(|body| body.len() == 1);
    if service == Service::Vertex {
        body = counted(body, &["contents", "systemInstruction", "tools", "generationConfig"]);
    } else if !alone {
        body["model"] = endpoint::full_name(&request.model).into();
        body = json!({ "generateContentRequest": body });
    }
    Ok(HttpRequest::post(endpoint::method(base_url, &request.model, "countTokens"), &body))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use aimu_sdk::{Message, Role};
    use serde_json::Value;

    fn sent(base_url: &str, roles: &[Role]) -> Value {
        let messages = roles.iter().map(|role| Message::text(*role, "a")).collect();
        let http = request(base_url, &ChatRequest::new("gemini-x", messages)).unwrap();
        assert!(http.url.ends_with("/models/gemini-x:countTokens"), "{}", http.url);
        serde_json::from_slice(&http.body).unwrap()
    }

    #[test]
    fn what_is_more_than_contents_is_a_whole_request() {
        const GEMINI: &str = "https://generativelanguage.googleapis.com";
        let contents = json!([{"role": "user", "parts": [{"text": "a"}]}]);
        assert_eq!(sent(GEMINI, &[Role::User]), json!({"contents": contents}));
        let system = json!({"parts": [{"text": "a"}]});
        assert_eq!(
            sent(GEMINI, &[Role::System, Role::User]),
            json!({"generateContentRequest": {
                "systemInstruction": system, "contents": contents, "model": "models/gemini-x",
            }})
        );
        assert_eq!(
            sent("https://aiplatform.googleapis.com/projects/p/locations/l", &[Role::System, Role::User]),
            json!({"systemInstruction": system, "contents": contents})
        );
    }
}
