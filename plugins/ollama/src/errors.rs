//! Errors: `{"error": "words"}`, with a status or as a line of a stream (<https://docs.ollama.com/api/errors>). Only
//! the words tell what happened, and only a remedy tells a user what to do.

use aimu_sdk::failure::{ErrorFacts, is_context_length};
use aimu_sdk::http::ErrorResponse;
use aimu_sdk::{Failure, FailureKind};
use serde_json::Value;

/// The failure of an error response to a request for `model`, as a user names it (empty for none).
#[must_use]
pub fn of_response(response: &ErrorResponse, model: &str) -> Failure {
    refine(Failure::from_response(response), model)
}

/// The failure of an error in a stream, or in a response of status 200.
#[must_use]
pub fn of_body(body: &Value, model: &str) -> Failure {
    let failure = Failure::from_error_body(body).unwrap_or_else(|| {
        let message = ErrorFacts::of(body).message;
        let message = message.unwrap_or_else(|| "the server reported an error".into());
        // It was answering: whatever went wrong without a name went wrong there.
        Failure { provider_error: Some(body.to_string()), ..Failure::new(FailureKind::Server, message) }
    });
    refine(failure, model)
}

fn refine(mut failure: Failure, model: &str) -> Failure {
    let said = failure.message.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().all(|word| said.contains(word));
    let (kind, remedy) = if overflows(&said) {
        let remedy = "shorten the conversation, or set `context_length`, if the model can take more";
        (FailureKind::ContextLength, Some(remedy.to_owned()))
    } else if said.starts_with("model") && says(&["not found"]) {
        let remedy = (!model.is_empty())
            .then(|| format!("`aimu-host pull {model}` fetches it, `aimu-host models` shows what is there"));
        (FailureKind::NotFound, remedy)
    } else if says(&["does not support"]) {
        // Tools, thinking, images, chat: the model's template or its file has no place for it.
        let remedy = "`aimu-host models --provider ollama --refresh` shows what each model can do";
        (FailureKind::Unsupported, Some(remedy.to_owned()))
    } else if failure.kind == FailureKind::Authentication {
        let remedy =
            "`ollama signin` for cloud models of your own server, OLLAMA_API_KEY for https://ollama.com";
        (failure.kind, Some(remedy.to_owned()))
    } else if says(&["usage limit"]) || says(&["upgrade", "limit"]) {
        (FailureKind::Quota, None)
    } else if says(&["server busy"]) {
        (FailureKind::Overloaded, None)
    } else {
        (failure.kind, None)
    };
    failure.kind = kind;
    if let Some(remedy) = remedy {
        failure.message = format!("{}: {remedy}", failure.message.trim_end_matches(['.', ' ']));
    }
    failure
}

/// The ways in which the server's runners say that the conversation is too long. They say so only when told not to cut
/// it (`truncate`), or where they can't.
fn overflows(said: &str) -> bool {
    let exceeds = said.contains("exceed") || said.contains("too long") || said.contains("too large");
    is_context_length(said)
        || exceeds && ["context length", "context window", "context size"].iter().any(|of| said.contains(of))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn failure(status: u16, error: &str) -> Failure {
        let body = json!({ "error": error }).to_string().into_bytes();
        of_response(&ErrorResponse { status, headers: Vec::new(), body }, "ollama:qwen3:4b")
    }

    #[test]
    fn words_tell_the_kind() {
        use FailureKind::{
            Authentication, ContextLength, InvalidRequest, NotFound, Overloaded, Quota, RateLimited, Server,
            Unsupported,
        };
        for (status, error, kind) in [
            (404, "model \"qwen3:4b\" not found, try pulling it first", NotFound),
            (404, "model 'qwen3:4b' not found", NotFound),
            (400, "\"gemma3:1b\" does not support thinking", Unsupported),
            (400, "registry.ollama.ai/library/gemma3:1b does not support tools", Unsupported),
            (400, "the input length exceeds the context length", ContextLength),
            (400, "input exceeds maximum context length and cannot be truncated further", ContextLength),
            (
                400,
                "request (9001 tokens) exceeds the available context size (4096 tokens), try increasing it",
                ContextLength,
            ),
            (400, "invalid options: num_ctx", InvalidRequest),
            (401, "unauthorized", Authentication),
            (429, "you've reached your hourly usage limit, please upgrade to continue", Quota),
            (429, "too many requests", RateLimited),
            (503, "server busy, please try again.  maximum pending requests exceeded", Overloaded),
            (500, "model requires more system memory (9 GiB) than is available (4 GiB)", Server),
        ] {
            assert_eq!(failure(status, error).kind, kind, "{error}");
        }
        let in_stream = |error: Value| of_body(&json!({ "error": error }), "m").kind;
        assert_eq!(in_stream(json!("an error was encountered while running the model")), Server);
        assert_eq!(in_stream(json!("the input length exceeds the context length")), ContextLength);
        assert_eq!(in_stream(json!({"code": 400, "message": "bad"})), InvalidRequest);
    }

    #[test]
    fn what_helps_is_said() {
        let missing = failure(404, "model 'qwen3:4b' not found").message;
        assert!(missing.contains("`aimu-host pull ollama:qwen3:4b`"), "{missing}");
        let unnamed = ErrorResponse {
            status: 404,
            headers: Vec::new(),
            body: br#"{"error":"model not found"}"#.to_vec(),
        };
        assert_eq!(of_response(&unnamed, "").message, "model not found");
        assert!(failure(401, "unauthorized").message.contains("OLLAMA_API_KEY"));
        assert_eq!(failure(500, "boom").message, "boom");
    }
}
