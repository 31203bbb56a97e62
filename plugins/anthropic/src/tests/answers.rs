//! What comes back, streamed or whole.

use super::*;
use crate::answer::Answer;

/// The events of a stream, and its end.
fn stream(events: &[Value]) -> (Vec<Event>, Result<Completion, Failure>) {
    let mut answer = Answer::new("claude");
    let mut out = Vec::new();
    for event in events {
        let frame = Frame { event: "", data: &event.to_string() };
        if let Err(failure) = answer.frame(frame, &mut out) {
            return (out, Err(failure));
        }
    }
    let end = answer.finish(&mut out);
    (out, end)
}

fn start() -> Value {
    json!({"type": "message_start", "message": {"id": "m", "model": "claude", "role": "assistant", "content": [],
        "usage": {"input_tokens": 3, "cache_read_input_tokens": 10, "cache_creation_input_tokens": 4,
            "output_tokens": 1}}})
}

fn stop(reason: &str) -> [Value; 2] {
    [
        json!({"type": "message_delta", "delta": {"stop_reason": reason}, "usage": {"output_tokens": 7}}),
        json!({"type": "message_stop"}),
    ]
}

#[test]
fn ends_of_streams() {
    for (word, want) in [
        ("end_turn", FinishReason::Stop),
        ("pause_turn", FinishReason::Paused),
        ("refusal", FinishReason::Refusal),
        ("model_context_window_exceeded", FinishReason::Length),
        ("new_word", FinishReason::Other("new_word".into())),
    ] {
        let [delta, end] = stop(word);
        let completion = stream(&[start(), delta, end]).1.unwrap();
        assert_eq!((completion.finish, completion.raw_finish.as_deref()), (want, Some(word)));
        let usage = completion.usage.unwrap();
        assert_eq!((usage.input, usage.output), (Some(17), Some(7)));
        assert_eq!((usage.cache_read, usage.cache_write, usage.reasoning), (Some(10), Some(4), None));
    }
    let [delta, _] = stop("end_turn");
    let truncated = stream(&[start(), delta]).1.unwrap_err();
    assert_eq!(truncated.kind, FailureKind::Protocol);
    assert!(truncated.message.contains("truncated"));
    let refused = json!({"type": "message_delta", "delta": {"stop_reason": "refusal",
        "stop_details": {"type": "refusal", "explanation": "no"}}});
    let (events, end) = stream(&[start(), refused, json!({"type": "message_stop"})]);
    assert!(
        matches!(&events[1], Event::Whole(Part { content: PartContent::Refusal(why), .. }) if why == "no")
    );
    assert!(end.unwrap().metadata.unwrap().contains("explanation"));
}

#[test]
fn an_error_in_the_middle_of_a_stream() {
    for (kind, message, want) in [
        ("overloaded_error", "Overloaded", FailureKind::Overloaded),
        ("api_error", "Internal server error", FailureKind::Server),
        ("invalid_request_error", "prompt is too long: 9 tokens > 8 maximum", FailureKind::ContextLength),
        ("brand_new_error", "?", FailureKind::Server),
    ] {
        let block =
            json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}});
        let delta =
            json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "a"}});
        let error = json!({"type": "error", "request_id": "r", "error": {"type": kind, "message": message}});
        let (events, end) = stream(&[start(), block, delta, error]);
        let failure = end.unwrap_err();
        assert_eq!((failure.kind, failure.message.as_str()), (want, message));
        assert_eq!(failure.request_id.as_deref(), Some("r"));
        assert_eq!(events.len(), 3, "what came before stays");
    }
    assert_eq!(stream(&[json!({"type": 5})]).1.unwrap_err().kind, FailureKind::Protocol);
    let lost =
        json!({"type": "content_block_delta", "index": 3, "delta": {"type": "text_delta", "text": "a"}});
    assert_eq!(stream(&[lost]).1.unwrap_err().kind, FailureKind::Protocol);
}

#[test]
fn error_responses() {
    let failure = |status, kind: &str, message: &str| {
        let body = json!({"type": "error", "error": {"type": kind, "message": message}, "request_id": "r"});
        let headers = vec![("retry-after".into(), "7".into())];
        errors::of_response(&http::Response { status, headers, body: body.to_string().into_bytes() })
    };
    for (status, kind, message, want) in [
        (529, "overloaded_error", "Overloaded", FailureKind::Overloaded),
        (429, "rate_limit_error", "slow down", FailureKind::RateLimited),
        (413, "request_too_large", "too large", FailureKind::ContextLength),
        (400, "invalid_request_error", "prompt is too long: 2 > 1", FailureKind::ContextLength),
        (400, "invalid_request_error", "Your credit balance is too low", FailureKind::Quota),
        (402, "billing_error", "pay", FailureKind::Quota),
        (403, "permission_error", "no", FailureKind::Permission),
        (504, "timeout_error", "late", FailureKind::Timeout),
        (500, "api_error", "oops", FailureKind::Server),
    ] {
        let failure = failure(status, kind, message);
        assert_eq!(failure.kind, want, "{kind}");
        assert_eq!((failure.request_id.as_deref(), failure.retry_after_ms), (Some("r"), Some(7000)));
    }
}

#[test]
fn blocks_without_a_shape_here_come_whole() {
    let [delta, end] = stop("end_turn");
    let block = json!({"type": "compaction", "content": null, "keep": null});
    let (events, outcome) = stream(&[
        start(),
        json!({"type": "content_block_start", "index": 0, "content_block": block}),
        json!({"type": "content_block_delta", "index": 0, "delta": {"type": "compaction_delta", "content": "a"}}),
        json!({"type": "content_block_delta", "index": 0, "delta": {"type": "compaction_delta", "content": "b"}}),
        json!({"type": "content_block_stop", "index": 0}),
        json!({"type": "content_block_start", "index": 1, "content_block": {"type": "tool_use", "id": "t", "name": "f",
            "input": {"whole": true}}}),
        json!({"type": "content_block_stop", "index": 1}),
        delta,
        end,
    ]);
    outcome.unwrap();
    let Event::Whole(Part { content: PartContent::Opaque(opaque), .. }) = &events[1] else { unreachable!() };
    assert_eq!(opaque.kind, "compaction");
    let data: Value = serde_json::from_str(&opaque.data).unwrap();
    assert_eq!(data, json!({"type": "compaction", "content": "ab", "keep": null}));
    assert!(matches!(&events[3], Event::Delta(delta) if delta.text == r#"{"whole":true}"#));
}

#[test]
fn a_whole_answer_that_is_none() {
    let whole = |body: &str| Answer::new("claude").whole(body.as_bytes(), &mut Vec::new()).unwrap_err();
    assert_eq!(whole("oops").kind, FailureKind::Protocol);
    assert!(whole(r#"{"object":"chat.completion"}"#).message.contains("Messages API"));
    let error = whole(r#"{"type":"error","error":{"type":"overloaded_error","message":"m"}}"#);
    assert_eq!(error.kind, FailureKind::Overloaded);
}

#[test]
fn what_is_new_is_survived() {
    let [delta, end] = stop("end_turn");
    let block = |place: u64, block: Value| json!({"type": "content_block_start", "index": place, "content_block": block});
    let grow =
        |place: u64, delta: Value| json!({"type": "content_block_delta", "index": place, "delta": delta});
    let input = json!({"whole": true});
    let (events, outcome) = stream(&[
        start(),
        // Members of other types than those of the events that are known.
        json!({"type": "brand_new", "index": "a", "delta": "text", "message": 1, "usage": [], "content_block": 2}),
        block(0, json!({"type": "text", "text": ""})),
        grow(0, json!({"type": "brand_new_delta", "text": {"not": "a text"}})),
        grow(0, json!({"type": "text_delta", "text": "a", "thinking": null, "partial_json": null})),
        json!({"type": "content_block_stop", "index": 0}),
        // All of the input at the start, and then a piece without a letter.
        block(1, json!({"type": "tool_use", "id": "t", "name": "f", "input": input})),
        grow(1, json!({"type": "input_json_delta", "partial_json": ""})),
        json!({"type": "content_block_stop", "index": 1}),
        block(2, json!({"type": "redacted_thinking", "data": "d", "new": 1})),
        json!({"type": "content_block_stop", "index": 2}),
        delta,
        end,
    ]);
    outcome.unwrap();
    let text: Vec<&str> = events
        .iter()
        .filter_map(|event| match event {
            Event::Delta(delta) => Some(delta.text.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(text, ["a", &input.to_string()]);
    let Some(Event::Whole(redacted)) = events.last() else { unreachable!() };
    let back = wire(&ask(vec![Message::new(Role::Assistant, vec![redacted.clone()]), user("?")]));
    assert_eq!(back["messages"][0]["content"], json!([{"type": "redacted_thinking", "data": "d", "new": 1}]));
    // An event that is known must make sense.
    let wrong = grow(0, json!({"type": "text_delta", "text": 1}));
    assert_eq!(stream(&[start(), wrong]).1.unwrap_err().kind, FailureKind::Protocol);
}
