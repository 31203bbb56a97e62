//! How many input tokens a request takes.
//!
//! Source: <https://platform.openai.com/docs/api-reference/responses/input-tokens>.

use serde_json::Value;

use super::super::quirks::Quirks;
use super::request::body;
use crate::http::HttpRequest;
use crate::tokens::{self, counted};
use crate::{ChatRequest, Context, Failure};

/// What the endpoint takes of a request.
const MEMBERS: [&str; 10] = [
    "model",
    "conversation",
    "input",
    "instructions",
    "parallel_tool_calls",
    "previous_response_id",
    "reasoning",
    "text",
    "tool_choice",
    "tools",
];

/// The HTTP request that counts. What could not be said of the chat is not warned of: the chat itself does.
///
/// # Errors
/// As for the chat.
pub fn count_request(ctx: &Context, request: &ChatRequest, quirks: &Quirks) -> Result<HttpRequest, Failure> {
    let body = counted(body(ctx, request, quirks, &mut Vec::new())?, &MEMBERS);
    let (path, query) = quirks.responses.path.split_once('?').unwrap_or((&quirks.responses.path, ""));
    let mark = if query.is_empty() { "" } else { "?" };
    let url = format!("{}/{path}/input_tokens{mark}{query}", ctx.base_url.trim_end_matches('/'));
    Ok(HttpRequest::post(url, &body))
}

/// The count in the answer.
///
/// # Errors
/// There is none.
pub fn count_in(answer: &Value) -> Result<u32, Failure> {
    tokens::count_in(answer, "input_tokens")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::{Message, Role, Sampling};
    use serde_json::json;

    #[test]
    fn only_what_counts_is_sent() {
        let ctx = Context {
            instance: "x".into(),
            base_url: "https://h/v1".into(),
            settings: "{}".into(),
            credentials: Vec::new(),
        };
        let request = ChatRequest {
            sampling: Sampling { temperature: Some(0.5), max_tokens: Some(9), ..Sampling::default() },
            extra: Some(r#"{"service_tier":"flex","text":{"verbosity":"low"}}"#.into()),
            logprobs: Some(2),
            ..ChatRequest::new("m", vec![Message::text(Role::User, "Hi")])
        };
        let mut quirks = Quirks::default();
        let http = count_request(&ctx, &request, &quirks).unwrap();
        assert_eq!(http.url, "https://h/v1/responses/input_tokens");
        let body: Value = serde_json::from_slice(&http.body).unwrap();
        let names: Vec<&String> = body.as_object().unwrap().keys().collect();
        assert_eq!(names, ["model", "input", "text"]);
        assert_eq!(body["text"], json!({"verbosity": "low"}));
        quirks.responses.path = "responses?api-version=1".into();
        let http = count_request(&ctx, &request, &quirks).unwrap();
        assert_eq!(http.url, "https://h/v1/responses/input_tokens?api-version=1");
    }
}
