use super::*;
use crate::model::{Citation, Detail, FinishReason, MediaKind, Opaque};
use serde_json::{Value, json};
use std::time::Duration;

fn turn() -> Turn {
    let limits = Limits { emitted: 10_000, ..Limits::default() };
    Turn::new("echo", Origin { provider: "p".to_owned(), model: "m".to_owned() }, &limits)
}

fn completion(finish: FinishReason) -> Completion {
    Completion {
        finish,
        raw_finish: Some("end_turn".to_owned()),
        usage: None,
        response_id: Some("msg_1".to_owned()),
        request_id: Some("req_1".to_owned()),
        model: None,
        metadata: None,
    }
}

fn start(index: u32, kind: PartKind) -> Event {
    Event::Start { index, kind }
}

fn call(index: u32, id: &str, name: &str) -> Event {
    let (id, name) = (id.to_owned(), name.to_owned());
    start(index, PartKind::ToolCall { id, name, server_executed: false })
}

fn media(index: u32) -> Event {
    start(index, PartKind::Media { media: MediaKind::Audio, mime_type: "audio/wav".to_owned() })
}

fn delta(index: u32, text: &str) -> Event {
    Event::Delta { index, text: text.to_owned() }
}

fn bytes(index: u32, data: &[u8]) -> Event {
    Event::Bytes { index, data: data.to_vec() }
}

fn end(index: u32) -> Event {
    Event::End { index, replay: None }
}

fn whole(content: PartContent) -> Event {
    Event::Whole { part: Box::new(content.into()) }
}

fn cite(index: u32, span: Option<(u32, u32)>) -> Event {
    Event::Citation(Citation { index, span, url: None, title: None, quote: None })
}

fn run(events: Vec<Event>) -> Result<Answer> {
    let mut turn = turn();
    for mut event in events {
        turn.push(&mut event)?;
    }
    turn.finish(completion(FinishReason::Stop))
}

#[test]
fn overlapping_parts_stand_in_the_order_of_their_start() {
    let usage = |output| Usage { output: Some(output), ..Usage::default() };
    let answer = run(vec![
        start(7, PartKind::ReasoningText),
        start(3, PartKind::Text),
        delta(3, "Hé"),
        delta(7, "hm"),
        Event::End {
            index: 7,
            replay: Some(Replay { signature: Some("s".to_owned()), ..Replay::default() }),
        },
        call(4, "c1", "f"),
        delta(4, "{\"a\":"),
        delta(3, "llo"),
        delta(4, "1}"),
        end(4),
        end(3),
        start(0, PartKind::ReasoningSummary),
        delta(0, "so"),
        end(0),
        media(9),
        bytes(9, &[1]),
        bytes(9, &[2, 3]),
        end(9),
        start(10, PartKind::Refusal),
        delta(10, "no"),
        end(10),
        start(11, PartKind::Text),
        end(11),
        whole(PartContent::Opaque(Opaque { kind: "k".to_owned(), data: json!({"x": 1}) })),
        cite(3, Some((0, 3))),
        cite(3, Some((2, 3))),
        cite(11, None),
        Event::Detail(Detail { index: Some(3), kind: "logprobs".to_owned(), data: json!([1]) }),
        Event::Usage(usage(1)),
        Event::Usage(usage(2)),
        Event::Warning { message: "w".to_owned() },
    ])
    .unwrap();
    assert_eq!(answer.text, "Héllo");
    assert_eq!(answer.reasoning, "hm\n\nso");
    assert_eq!(answer.refusal.as_deref(), Some("no"));
    assert_eq!(answer.parts.len(), 7, "the empty text is gone");
    assert_eq!(answer.parts[0].replay.as_ref().unwrap().signature.as_deref(), Some("s"));
    assert_eq!(answer.tool_calls[0].arguments, "{\"a\":1}");
    assert_eq!(answer.media[0].source, MediaSource::Bytes(vec![1, 2, 3]));
    assert_eq!(answer.usage, usage(2));
    assert_eq!(answer.warnings, ["w"]);
    let spans: Vec<_> = answer.citations.iter().map(|citation| (citation.index, citation.span)).collect();
    assert_eq!(spans, [(1, Some((0, 3))), (1, None)], "a span inside a character is no span");
    assert_eq!(answer.details[0].index, Some(1));
    assert_eq!((answer.model.as_str(), answer.response_id.as_deref()), ("m", Some("msg_1")));
    assert_eq!(crate::openai::message(&answer.message).unwrap().parts, answer.parts);
}

#[test]
fn every_law_of_the_stream_is_kept() {
    let text = || start(0, PartKind::Text);
    for (events, says) in [
        (vec![delta(0, "a")], "text of part 0, which was not started"),
        (vec![end(0)], "the end of part 0, which was not started"),
        (vec![text(), text()], "part 0 was started twice"),
        (vec![text(), end(0), text()], "part 0 was started twice"),
        (vec![text(), end(0), delta(0, "a")], "text of part 0, which had ended"),
        (vec![text(), end(0), end(0)], "the end of part 0, which had ended"),
        (vec![text(), bytes(0, &[1])], "bytes for part 0, which is no media"),
        (vec![media(0), delta(0, "a")], "text for part 0, which has none"),
        (vec![call(0, "c", "")], "a tool call without a name"),
        (
            vec![whole(PartContent::ToolCall(ToolCall {
                id: "c".to_owned(),
                name: String::new(),
                arguments: String::new(),
                server_executed: true,
            }))],
            "a tool call without a name",
        ),
        (vec![text(), cite(1, None)], "a citation of part 1, which was not started"),
        (vec![text(), start(5, PartKind::Text), end(0)], "the call ended, but part 5 was not"),
    ] {
        let failure = run(events).unwrap_err();
        assert_eq!(failure.message, format!("plugin echo broke the contract: {says}"));
        assert_eq!(failure.kind, FailureKind::Internal);
        assert_eq!(failure.provider.as_deref(), Some("p"));
    }
}

#[test]
fn an_answer_has_bounds() {
    let failure = run(vec![start(0, PartKind::Text), delta(0, &"x".repeat(10_001))]).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Limit);
    assert!(failure.message.contains("`--limit emitted=…`"), "{failure}");
    let data = whole(PartContent::Opaque(Opaque { kind: "k".to_owned(), data: json!("x".repeat(10_000)) }));
    assert_eq!(run(vec![data]).unwrap_err().kind, FailureKind::Limit);
    let warnings = (0..1_000).map(|_| Event::Warning { message: "y".repeat(50) }).collect();
    assert_eq!(run(warnings).unwrap_err().kind, FailureKind::Limit);
    let parts = (0..=u32::try_from(Limits::default().parts).unwrap())
        .map(|index| start(index, PartKind::Text))
        .collect();
    assert_eq!(run(parts).unwrap_err().kind, FailureKind::Limit);
}

#[test]
fn missing_and_repeated_ids_are_replaced_in_the_event_too() {
    let mut turn = turn();
    let mut ids = Vec::new();
    for (index, given) in ["", "a", "a", ""].into_iter().enumerate() {
        let index = u32::try_from(index).unwrap();
        let mut event = call(index, given, "f");
        turn.push(&mut event).unwrap();
        let Event::Start { kind: PartKind::ToolCall { id, .. }, .. } = event else { unreachable!() };
        ids.push(id);
        let mut ended = end(index);
        turn.push(&mut ended).unwrap();
        let marked = matches!(ended, Event::End { replay: Some(_), .. });
        assert_eq!(marked, index != 1);
    }
    assert!(ids[0].starts_with("call_") && ids[0].len() == 21, "{}", ids[0]);
    assert_eq!(ids[1], "a");
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), 4);
    let answer = turn.finish(completion(FinishReason::ToolCalls)).unwrap();
    assert_eq!(
        answer.tool_calls.iter().map(|call| &call.id).collect::<Vec<_>>(),
        ids.iter().collect::<Vec<_>>()
    );
    let synthetic = |index: usize| answer.message["tool_calls"][index].get("id_synthetic").is_some();
    assert_eq!([0, 1, 2, 3].map(synthetic), [true, false, true, true]);
    assert!(answer.message.get("parts").is_none());
}

#[test]
fn a_call_that_the_provider_ran_keeps_its_id_and_is_not_handed_out() {
    let served = |id: &str| {
        whole(PartContent::ToolCall(ToolCall {
            id: id.to_owned(),
            name: "search".to_owned(),
            arguments: "{}".to_owned(),
            server_executed: true,
        }))
    };
    let answer = run(vec![served("s"), served("s"), call(0, "s", "f"), end(0)]).unwrap();
    assert_eq!(answer.server_tool_calls.iter().map(|call| call.id.as_str()).collect::<Vec<_>>(), ["s", "s"]);
    assert_eq!(answer.tool_calls.len(), 1);
    assert_ne!(answer.tool_calls[0].id, "s");
    assert_eq!(answer.to_json()["tool_calls"].as_array().unwrap().len(), 1);
    assert_eq!(crate::openai::message(&answer.message).unwrap().parts, answer.parts);
}

#[test]
fn the_completions_usage_and_model_win() {
    let mut turn = turn();
    turn.push(&mut Event::Usage(Usage { input: Some(1), ..Usage::default() })).unwrap();
    let usage = Usage { input: Some(2), ..Usage::default() };
    let model = Some("m-2026".to_owned());
    let answer =
        turn.finish(Completion { usage: Some(usage), model, ..completion(FinishReason::Length) }).unwrap();
    assert_eq!((answer.usage, answer.model.as_str(), answer.truncated()), (usage, "m-2026", true));
    assert_eq!(answer.message["origin"], json!({"provider": "p", "model": "m"}));
}

#[test]
fn the_json_of_an_answer() {
    let answer = run(vec![
        start(0, PartKind::Text),
        delta(0, "a"),
        end(0),
        call(1, "c1", "f"),
        delta(1, "{\"a\": 1}"),
        end(1),
        call(2, "c2", "g"),
        end(2),
        call(3, "c3", "h"),
        delta(3, "{\"cut"),
        end(3),
        Event::Usage(Usage { input: Some(3), output: Some(4), ..Usage::default() }),
    ])
    .unwrap();
    let function = |name: &str, arguments: &str| json!({"name": name, "arguments": arguments});
    let json = answer.to_json();
    let keys: Vec<_> = json.as_object().unwrap().keys().map(String::as_str).collect();
    let order = "model text reasoning refusal tool_calls finish raw_finish usage citations warnings message";
    assert_eq!(keys.join(" "), order);
    assert_eq!(
        json,
        json!({
            "model": "m",
            "text": "a",
            "reasoning": null,
            "refusal": null,
            "tool_calls": [
                {"id": "c1", "name": "f", "arguments": {"a": 1}},
                {"id": "c2", "name": "g", "arguments": {}},
                {"id": "c3", "name": "h", "arguments": null, "arguments_raw": "{\"cut"},
            ],
            "finish": "stop",
            "raw_finish": "end_turn",
            "usage": {"input": 3, "output": 4, "reasoning": null, "cache_read": null, "cache_write": null},
            "citations": [],
            "warnings": [],
            "message": {
                "role": "assistant",
                "content": "a",
                "tool_calls": [
                    {"id": "c1", "type": "function", "function": function("f", "{\"a\": 1}")},
                    {"id": "c2", "type": "function", "function": function("g", "")},
                    {"id": "c3", "type": "function", "function": function("h", "{\"cut")},
                ],
                "origin": {"provider": "p", "model": "m"},
            },
        })
    );
    assert_eq!(result_json("m", Ok(&answer)), json);
}

#[test]
fn the_json_of_a_failure_stands_beside_what_arrived() {
    let mut turn = turn();
    assert!(turn.partial().is_none());
    for mut event in [start(0, PartKind::Text), delta(0, "half"), call(1, "c", "f"), delta(1, "{\"a")] {
        turn.push(&mut event).unwrap();
    }
    let failed = turn.finish(completion(FinishReason::Stop)).unwrap_err();
    assert!(failed.message.ends_with("the call ended, but part 0 was not"), "{failed}");
    let partial = turn.partial().unwrap();
    let failure = Failure {
        http_status: Some(529),
        retry_after: Some(Duration::from_millis(1500)),
        request_id: Some("r".to_owned()),
        provider_error: Some(json!({"type": "overloaded_error"})),
        ..Failure::new(FailureKind::Overloaded, "busy").of_provider("p")
    };
    let json = result_json("m", Err((&failure, Some(&partial))));
    assert_eq!((&json["text"], &json["finish"]), (&json!("half"), &json!("error")));
    assert_eq!(json["tool_calls"][0]["arguments_raw"], "{\"a");
    assert_eq!(
        json["error"],
        json!({
            "kind": "overloaded",
            "message": "busy",
            "http_status": 529,
            "retry_after_ms": 1500,
            "request_id": "r",
            "provider": "p",
            "provider_error": {"type": "overloaded_error"},
        })
    );
    let bare = result_json("m", Err((&failure, None)));
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&bare), keys(&json), "one shape, whether something arrived or not");
    assert_eq!((&bare["model"], &bare["text"], &bare["message"]), (&json!("m"), &json!(""), &Value::Null));
}

#[test]
fn events_are_lines_with_the_contracts_fields() {
    let part: Part = PartContent::Text("a".to_owned()).into();
    for (event, line) in [
        (start(0, PartKind::Text), json!({"type": "start", "index": 0, "kind": "text"})),
        (
            call(1, "c", "f"),
            json!({"type": "start", "index": 1, "kind": "tool-call", "id": "c", "name": "f", "server_executed": false}),
        ),
        (
            media(2),
            json!({"type": "start", "index": 2, "kind": "media", "media": "audio", "mime_type": "audio/wav"}),
        ),
        (delta(0, "a"), json!({"type": "delta", "index": 0, "text": "a"})),
        (bytes(2, &[1, 2]), json!({"type": "bytes", "index": 2, "data": "AQI="})),
        (end(0), json!({"type": "end", "index": 0})),
        (Event::Whole { part: Box::new(part) }, json!({"type": "whole", "part": {"content": {"text": "a"}}})),
        (
            Event::Usage(Usage { input: Some(1), ..Usage::default() }),
            json!({
                "type": "usage", "input": 1, "output": null, "reasoning": null, "cache_read": null, "cache_write": null
            }),
        ),
        (
            cite(0, Some((0, 1))),
            json!({"type": "citation", "index": 0, "span": [0, 1], "url": null, "title": null, "quote": null}),
        ),
        (
            Event::Detail(Detail { index: None, kind: "k".to_owned(), data: json!(1) }),
            json!({"type": "detail", "index": null, "kind": "k", "data": 1}),
        ),
        (Event::Warning { message: "w".to_owned() }, json!({"type": "warning", "message": "w"})),
    ] {
        assert_eq!(event_json(&event), line);
    }
    let done = done_json(json!({"text": "a"}));
    assert_eq!(done.to_string(), "{\"type\":\"done\",\"text\":\"a\"}");
}
