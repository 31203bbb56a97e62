//! Errors (<https://docs.aws.amazon.com/bedrock/latest/userguide/troubleshooting-api-error-codes.html>): a message in the
//! body, and the error's name in the header `x-amzn-errortype`, in the body's `__type`, or as an exception in the stream.
//! The name says more than the status.

use aimu_sdk::failure::{ErrorFacts, is_context_length};
use aimu_sdk::http::ErrorResponse;
use aimu_sdk::{Failure, FailureKind, Frame};
use serde_json::Value;

/// The failure of an error response.
#[must_use]
pub fn of_response(response: &ErrorResponse) -> Failure {
    let failure = Failure::from_response(response);
    let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    let header = response.header("x-amzn-errortype");
    let name = header.or_else(|| body.get("__type").and_then(Value::as_str)).unwrap_or_default();
    refine(failure, name, &body)
}

/// The failure of an exception in the stream.
#[must_use]
pub fn of_exception(frame: Frame<'_>) -> Failure {
    let body: Value = serde_json::from_str(frame.data).unwrap_or_default();
    while_answering(frame.event, &body)
}

/// The failure of an error in a response of status 200.
#[must_use]
pub fn of_body(body: &Value) -> Failure {
    while_answering(body.get("__type").and_then(Value::as_str).unwrap_or("an error"), body)
}

fn while_answering(name: &str, body: &Value) -> Failure {
    let said = ErrorFacts::of(body).message.filter(|said| !said.is_empty());
    let failure = Failure {
        provider_error: body.is_object().then(|| body.to_string()),
        // It was answering: whatever went wrong without a name went wrong there.
        ..Failure::new(FailureKind::Server, said.unwrap_or_else(|| format!("the answer failed with {name}")))
    };
    refine(failure, name, body)
}

fn refine(mut failure: Failure, name: &str, body: &Value) -> Failure {
    // The services before the model write it large, and the model's own words may stand beside.
    let said = ["message", "Message", "originalMessage"]
        .iter()
        .filter_map(|member| body.get(*member).and_then(Value::as_str))
        .find(|message| !message.is_empty());
    if let Some(said) = said {
        failure.message = said.to_owned();
    }
    if let Some(kind) = kind(short(name), &failure.message) {
        failure.kind = kind;
    } else if failure.http_status.is_some_and(|status| (400..500).contains(&status))
        && too_long(&failure.message)
    {
        failure.kind = FailureKind::ContextLength;
    }
    failure
}

/// The bare name: `com.amazonaws#ValidationException:http://…` is `Validation`, and so is `validationException`.
fn short(name: &str) -> String {
    let name = name.split(':').next().unwrap_or_default();
    let name = name.rsplit('#').next().unwrap_or_default().trim();
    let name = name.strip_suffix("Exception").unwrap_or(name);
    let mut chars = name.chars();
    chars.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(chars).collect()
}

fn kind(name: String, message: &str) -> Option<FailureKind> {
    let says = |what: &str| message.contains(what);
    Some(match name.as_str() {
        "Validation" if too_long(message) => FailureKind::ContextLength,
        "Validation" => FailureKind::InvalidRequest,
        // A wrong key of the bearer kind has the name of a missing permission.
        "AccessDenied" if says("Authentication failed") || says("API Key") || says("API key") => {
            FailureKind::Authentication
        }
        "AccessDenied" => FailureKind::Permission,
        // <https://docs.aws.amazon.com/bedrock/latest/APIReference/CommonErrors.html>
        "UnrecognizedClient"
        | "InvalidSignature"
        | "SignatureDoesNotMatch"
        | "IncompleteSignature"
        | "InvalidClientTokenId"
        | "ExpiredToken"
        | "RequestExpired"
        | "MissingAuthenticationToken" => FailureKind::Authentication,
        "NotAuthorized" | "OptInRequired" => FailureKind::Permission,
        "ResourceNotFound" => FailureKind::NotFound,
        // One name stands for a limit a minute, which heals soon, and for a day's, which does not.
        "Throttling" if says("per day") => FailureKind::Quota,
        "Throttling" | "TooManyRequests" => FailureKind::RateLimited,
        "ServiceQuotaExceeded" => FailureKind::Quota,
        "ModelNotReady" | "ServiceUnavailable" => FailureKind::Overloaded,
        "ModelTimeout" => FailureKind::Timeout,
        "ModelError" | "ModelStreamError" if too_long(message) => FailureKind::ContextLength,
        "ModelError" | "ModelStreamError" | "InternalServer" | "InternalFailure" => FailureKind::Server,
        _ => return None,
    })
}

/// The words of the service and of the models behind it.
fn too_long(message: &str) -> bool {
    const SIGNS: [&str; 5] = [
        "input is too long",
        "too many input tokens",
        "input tokens exceeded",
        "exceeds the maximum number of tokens",
        "exceed the maximum context",
    ];
    let lower = message.to_ascii_lowercase();
    is_context_length(message) || SIGNS.iter().any(|sign| lower.contains(sign))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(status: u16, name: &str, body: &str) -> Failure {
        let headers = if name.is_empty() {
            Vec::new()
        } else {
            vec![("x-amzn-ErrorType".into(), format!("{name}:http://internal.amazon.com/coral/"))]
        };
        of_response(&ErrorResponse { status, headers, body: body.into() })
    }

    #[test]
    fn the_name_wins_over_the_status() {
        for (status, name, message, want) in [
            (400, "ValidationException", "no", FailureKind::InvalidRequest),
            (
                400,
                "ValidationException",
                "Input is too long for requested model.",
                FailureKind::ContextLength,
            ),
            (
                400,
                "ValidationException",
                "The model returned the following errors: prompt is too long: 5 tokens > 4 maximum",
                FailureKind::ContextLength,
            ),
            (403, "AccessDeniedException", "You don't have access", FailureKind::Permission),
            (
                403,
                "AccessDeniedException",
                "Authentication failed: Please make sure your API Key is valid.",
                FailureKind::Authentication,
            ),
            (
                403,
                "UnrecognizedClientException",
                "The security token is invalid.",
                FailureKind::Authentication,
            ),
            (403, "ExpiredTokenException", "expired", FailureKind::Authentication),
            (404, "ResourceNotFoundException", "none", FailureKind::NotFound),
            (429, "ThrottlingException", "Too many requests", FailureKind::RateLimited),
            (429, "ThrottlingException", "Too many tokens per day", FailureKind::Quota),
            (400, "ServiceQuotaExceededException", "much", FailureKind::Quota),
            (429, "ModelNotReadyException", "wait", FailureKind::Overloaded),
            (503, "ServiceUnavailableException", "busy", FailureKind::Overloaded),
            (408, "ModelTimeoutException", "late", FailureKind::Timeout),
            (424, "ModelErrorException", "oops", FailureKind::Server),
            (500, "InternalServerException", "oops", FailureKind::Server),
            (418, "TeapotException", "short", FailureKind::InvalidRequest),
        ] {
            let body = format!(r#"{{"message":"{message}"}}"#);
            let got = failure(status, name, &body);
            assert_eq!((got.kind, got.message.as_str()), (want, message), "{name}");
            assert_eq!(got.http_status, Some(status));
            // The same in the body, and in a stream.
            let body = format!(r#"{{"__type":"com.amazon.coral#{name}","message":"{message}"}}"#);
            assert_eq!(failure(status, "", &body).kind, want, "{name}");
            let lower = format!("{}{}", name[..1].to_ascii_lowercase(), &name[1..]);
            let streamed = of_exception(Frame { event: &lower, data: &body });
            let want = if name.starts_with("Teapot") { FailureKind::Server } else { want };
            assert_eq!((streamed.kind, streamed.message.as_str()), (want, message), "{name}");
        }
    }

    #[test]
    fn bodies_of_other_sorts() {
        let got = failure(403, "", r#"{"Message":"User is not authorized"}"#);
        assert_eq!((got.kind, got.message.as_str()), (FailureKind::Permission, "User is not authorized"));
        let got = failure(400, "", r#"{"message":"Input is too long for requested model."}"#);
        assert_eq!(got.kind, FailureKind::ContextLength);
        let got = of_exception(Frame {
            event: "modelStreamErrorException",
            data: r#"{"message":"","originalMessage":"inner","originalStatusCode":500}"#,
        });
        assert_eq!((got.kind, got.message.as_str()), (FailureKind::Server, "inner"));
        let got = of_exception(Frame { event: "InternalFailure", data: "oops" });
        assert_eq!((got.kind, got.provider_error), (FailureKind::Server, None));
        assert!(got.message.contains("InternalFailure"));
    }
}
