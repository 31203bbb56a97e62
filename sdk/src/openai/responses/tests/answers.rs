//! Events that are rare, broken or missing.

use serde_json::{Value, json};

use super::super::ResponsesDecoder;
use crate::{
    Completion, Decoder, Event, Failure, FailureKind, FinishReason, Frame, PartContent, PartKind, Replay,
};

/// Plays events, and gives what came of them.
fn play(events: &[Value]) -> (Vec<Event>, Result<Completion, Failure>) {
    let (mut decoder, mut out) = (ResponsesDecoder::new("m"), Vec::new());
    for event in events {
        let data = event.to_string();
        let kind = event["type"].as_str().unwrap_or_default();
        if let Err(failure) = decoder.frame(Frame { event: kind, data: &data }, &mut out) {
            return (out, Err(failure));
        }
    }
    let outcome = decoder.finish(&mut out);
    (out, outcome)
}

fn whole(response: &Value) -> (Vec<Event>, Result<Completion, Failure>) {
    let (mut decoder, mut out) = (ResponsesDecoder::new("m"), Vec::new());
    if let Err(failure) = decoder.whole(response.to_string().as_bytes(), &mut out) {
        return (out, Err(failure));
    }
    let outcome = decoder.finish(&mut out);
    (out, outcome)
}

/// The events in short: `+0text`, `0ab`, `-0`.
fn shape(events: &[Event]) -> Vec<String> {
    let name = |kind: &PartKind| match kind {
        PartKind::Text => "text".to_owned(),
        PartKind::Refusal => "refusal".to_owned(),
        PartKind::ReasoningText => "thought".to_owned(),
        PartKind::ReasoningSummary => "summary".to_owned(),
        PartKind::ToolCall(call) => format!("call {} {} {}", call.id, call.name, call.server_executed),
        PartKind::Media(start) => start.mime_type.clone(),
    };
    let short = |event: &Event| {
        Some(match event {
            Event::Start(start) => format!("+{}{}", start.index, name(&start.kind)),
            Event::Delta(delta) => format!("{}{}", delta.index, delta.text),
            Event::Bytes(bytes) => format!("{}{:?}", bytes.index, bytes.data),
            Event::End(end) => format!("-{}", end.index),
            Event::Whole(part) => match &part.content {
                PartContent::Opaque(opaque) => format!("opaque {}", opaque.kind),
                other => panic!("{other:?}"),
            },
            Event::Citation(citation) => format!("cite {:?}", citation.span),
            Event::Detail(detail) => detail.kind.clone(),
            Event::Usage(_) | Event::Warning(_) => return None,
        })
    };
    events.iter().filter_map(short).collect()
}

fn replays(events: &[Event]) -> Vec<Option<Replay>> {
    let replay = |event: &Event| match event {
        Event::End(end) => Some(end.replay.clone()),
        _ => None,
    };
    events.iter().filter_map(replay).collect()
}

fn completed() -> Value {
    json!({"type": "response.completed", "response": {"id": "r", "status": "completed", "output": []}})
}

#[test]
fn failures_in_a_stream() {
    let usage = json!({"input_tokens": 3, "output_tokens": 0});
    for (event, kind, message) in [
        (
            json!({"type": "error", "code": "rate_limit_exceeded", "message": "slow down", "param": null, "sequence_number": 1}),
            FailureKind::RateLimited,
            "slow down",
        ),
        (
            json!({"type": "error", "error": {"type": "invalid_request_error", "code": "context_length_exceeded", "message": "long"}}),
            FailureKind::ContextLength,
            "long",
        ),
        (
            json!({"type": "response.failed", "response": {
                "status": "failed", "usage": usage, "error": {"code": "server_error", "message": "boom"}}}),
            FailureKind::Server,
            "boom",
        ),
        (
            json!({"error": {"message": "no type", "code": "insufficient_quota"}}),
            FailureKind::Quota,
            "no type",
        ),
    ] {
        let (out, outcome) = play(&[json!({"type": "response.created", "response": {}}), event]);
        let failure = outcome.unwrap_err();
        assert_eq!((failure.kind, failure.message.as_str()), (kind, message));
        assert!(shape(&out).is_empty());
    }
    assert!(play(&[]).1.unwrap_err().message.contains("truncated"));
    let failed = json!({"type": "response.failed", "response": {"status": "failed", "error": null}});
    assert_eq!(play(&[failed]).1.unwrap().finish, FinishReason::Error);
    let body = json!({"error": {"message": "no", "type": "invalid_request_error"}});
    assert_eq!(whole(&body).1.unwrap_err().kind, FailureKind::InvalidRequest);
    assert_eq!(whole(&json!({"a": 1})).1.unwrap_err().kind, FailureKind::Protocol);
}

#[test]
fn the_ways_to_end() {
    for (reason, want) in [
        ("max_output_tokens", FinishReason::Length),
        ("content_filter", FinishReason::ContentFilter),
        ("max_tool_calls", FinishReason::Other("max_tool_calls".into())),
    ] {
        let response =
            json!({"status": "incomplete", "incomplete_details": {"reason": reason}, "output": []});
        let event = json!({"type": "response.incomplete", "response": response});
        let done = play(&[event]).1.unwrap();
        assert_eq!((done.finish, done.raw_finish), (want, Some(format!("incomplete:{reason}"))));
    }
    let response = json!({"id": "r", "model": "m-2", "status": "completed", "output": [], "tools": [],
        "service_tier": "flex", "metadata": {}, "usage": {
            "input_tokens": 9, "output_tokens": 2, "total_tokens": 16, "cost": 0.1,
            "input_tokens_details": {"cached_tokens": 4}, "output_tokens_details": {"reasoning_tokens": 5}}});
    let done = whole(&response).1.unwrap();
    assert_eq!((done.model.as_deref(), done.response_id.as_deref()), (Some("m-2"), Some("r")));
    let usage = done.usage.unwrap();
    assert_eq!((usage.input, usage.output, usage.reasoning), (Some(9), Some(7), Some(5)));
    assert_eq!(usage.cache_read, Some(4));
    let metadata: Value = serde_json::from_str(&done.metadata.unwrap()).unwrap();
    assert_eq!((&metadata["service_tier"], metadata.get("tools")), (&json!("flex"), None));
}

#[test]
fn whatever_form_the_text_comes_in() {
    let item = json!({"type": "message", "id": "a", "role": "assistant", "content": [{"type": "output_text", "text": "héy", "annotations": [
        {"type": "url_citation", "start_index": 1, "end_index": 3, "url": "u", "title": "t"}]}]});
    let want = ["+0text", "0héy", "cite Some((1, 4))", "-0"];
    // All at the end.
    let response =
        json!({"type": "response.completed", "response": {"status": "completed", "output": [item]}});
    assert_eq!(shape(&play(&[response]).0), want);
    // The item alone, with another id than it began with.
    let added = json!({"type": "response.output_item.added", "output_index": 0, "item": {"type": "message", "id": "b", "content": []}});
    let done = json!({"type": "response.output_item.done", "output_index": 0, "item": item});
    let delta = json!({"type": "response.output_text.delta", "output_index": 0, "item_id": "c", "content_index": 0, "delta": "hé"});
    assert_eq!(shape(&play(&[added.clone(), done.clone(), completed()]).0), want);
    // A part in deltas; the rest comes with the item.
    let unknown = json!({"type": "response.something.new", "output_index": 0, "x": 1});
    let (out, _) = play(&[added.clone(), delta.clone(), unknown, done, completed()]);
    assert_eq!(shape(&out), ["+0text", "0hé", "0y", "cite Some((1, 4))", "-0"]);
    // The item never ends.
    assert_eq!(shape(&play(&[added, delta, completed()]).0), ["+0text", "0hé", "-0"]);
}

#[test]
fn reasoning_goes_back_with_its_first_part() {
    let item = json!({"type": "reasoning", "id": "rs", "encrypted_content": "e",
        "summary": [{"type": "summary_text", "text": "one"}, {"type": "summary_text", "text": "two"}],
        "content": [{"type": "reasoning_text", "text": "deep"}]});
    let event = |kind: &str, more: Value| {
        let mut event = json!({"type": kind, "output_index": 0, "item_id": "rs"});
        crate::json::merge(&mut event, more);
        event
    };
    let summary = |place: u64, text: &str| {
        event("response.reasoning_summary_text.delta", json!({"summary_index": place, "delta": text}))
    };
    let (out, _) = play(&[
        event(
            "response.output_item.added",
            json!({"item": {"type": "reasoning", "id": "rs", "summary": []}}),
        ),
        summary(0, "on"),
        summary(0, "e"),
        event("response.reasoning_summary_text.done", json!({"summary_index": 0, "text": "one"})),
        summary(1, "two"),
        event("response.output_item.done", json!({"item": item})),
        completed(),
    ]);
    assert_eq!(shape(&out), ["+0summary", "0on", "0e", "0\n\n", "0two", "+1thought", "1deep", "-0", "-1"]);
    let replays = replays(&out);
    assert_eq!(replays[0].as_ref().unwrap().data, Some(item.to_string()));
    assert_eq!(replays[1].as_ref().unwrap().item_id.as_deref(), Some("rs"));
    // Without words it is opaque.
    let bare = json!({"type": "reasoning", "id": "rs", "summary": [], "encrypted_content": "e"});
    let (out, _) = whole(&json!({"status": "completed", "output": [bare]}));
    assert_eq!(shape(&out), ["opaque reasoning"]);
}

#[test]
fn tools_of_all_sorts() {
    let output = json!([
        {"type": "web_search_call", "id": "ws", "status": "completed", "action": {"type": "search", "query": "q"}},
        {"type": "custom_tool_call", "id": "ct", "call_id": "c1", "name": "run", "input": "1+1"},
        {"type": "function_call", "id": "fc", "call_id": "c2", "name": "f", "arguments": "{}", "namespace": "n"},
        {"type": "image_generation_call", "id": "ig", "status": "completed", "result": "AP8B", "output_format": "webp"},
        {"type": "computer_call", "id": "cu", "call_id": "c3", "action": {"type": "screenshot"}},
        {"type": "image_generation_call", "id": "ig2", "status": "failed", "result": null},
    ]);
    let (out, outcome) = whole(&json!({"status": "completed", "output": output}));
    assert_eq!(
        shape(&out),
        [
            "+0call ws web_search true",
            "0{\"type\":\"search\",\"query\":\"q\"}",
            "-0",
            "+1call c1 run false",
            "11+1",
            "-1",
            "+2call c2 f false",
            "2{}",
            "-2",
            "+3image/webp",
            "3[0, 255, 1]",
            "-3",
            "opaque computer_call",
            "opaque image_generation_call",
        ]
    );
    assert_eq!(outcome.unwrap().finish, FinishReason::ToolCalls);
    let replays = replays(&out);
    assert_eq!(replays[1].as_ref().unwrap().data.as_deref(), Some("{\"type\":\"custom_tool_call\"}"));
    assert_eq!(replays[2].as_ref().unwrap().data.as_deref(), Some("{\"namespace\":\"n\"}"));
    let image = replays[3].as_ref().unwrap().data.as_deref().unwrap();
    assert!(!image.contains("AP8B") && image.contains("\"ig\""));
    let broken = json!([{"type": "image_generation_call", "id": "ig", "result": "?"}]);
    let failure = whole(&json!({"status": "completed", "output": broken})).1.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Protocol);
}

#[test]
fn a_server_tool_shows_its_progress() {
    let item = json!({"type": "web_search_call", "id": "ws", "status": "in_progress"});
    let (out, outcome) = play(&[
        json!({"type": "response.output_item.added", "output_index": 0, "item": item}),
        json!({"type": "response.web_search_call.searching", "output_index": 0, "item_id": "ws"}),
        completed(),
    ]);
    assert_eq!(shape(&out), ["+0call ws web_search true", "web_search_call.searching", "-0"]);
    assert_eq!(outcome.unwrap().finish, FinishReason::Stop);
}

#[test]
fn new_members_of_a_block_are_kept() {
    let block = json!({"type": "output_text", "text": "a", "annotations": [], "new": 1, "none": null});
    let (out, outcome) = whole(&json!({"status": "completed", "output": [
        {"type": "message", "id": "m", "role": "assistant", "status": "completed", "content": [block]},
    ]}));
    outcome.unwrap();
    let replay = replays(&out).remove(0).unwrap();
    assert_eq!(replay.data.as_deref(), Some(r#"{"part":{"new":1}}"#));
}
