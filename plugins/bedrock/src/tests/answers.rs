//! What comes.

use aimu_sdk::eventstream::CONTENT_TYPE;
use aimu_sdk::*;
use serde_json::{Value, json};

use crate::answer::Answer;

fn stream(frames: &[(&str, Value)]) -> (Vec<Event>, Result<Completion, Failure>) {
    let (mut answer, mut out) = (Answer::new("m"), Vec::new());
    for (event, data) in frames {
        assert!(!answer.done(), "{event} after the end");
        if let Err(failure) = answer.frame(Frame { event, data: &data.to_string() }, &mut out) {
            return (out, Err(failure));
        }
    }
    let completion = answer.finish(&mut out);
    (out, completion)
}

fn whole(body: &Value) -> (Vec<Event>, Result<Completion, Failure>) {
    let (mut answer, mut out) = (Answer::new("m"), Vec::new());
    if let Err(failure) = answer.whole(body.to_string().as_bytes(), &mut out) {
        return (out, Err(failure));
    }
    let completion = answer.finish(&mut out);
    (out, completion)
}

fn content(blocks: &Value) -> Value {
    json!({"output": {"message": {"role": "assistant", "content": blocks}}, "stopReason": "end_turn"})
}

fn delta(index: u64, delta: Value) -> (&'static str, Value) {
    ("contentBlockDelta", json!({"contentBlockIndex": index, "delta": delta, "p": "abc"}))
}

fn begin(index: u64, start: Value) -> (&'static str, Value) {
    ("contentBlockStart", json!({"contentBlockIndex": index, "start": start, "p": "abc"}))
}

fn end(index: u64) -> (&'static str, Value) {
    ("contentBlockStop", json!({"contentBlockIndex": index, "p": "abc"}))
}

fn stop(word: &str) -> [(&'static str, Value); 2] {
    [
        ("messageStop", json!({"stopReason": word, "p": "ab"})),
        ("metadata", json!({"usage": {"inputTokens": 3, "outputTokens": 4, "totalTokens": 7}, "p": "a"})),
    ]
}

/// The events in short: parts with what they hold, replays, citations.
fn told(events: &[Event]) -> Vec<String> {
    let replay = |replay: &Option<Replay>| match replay {
        Some(Replay { signature, data, .. }) => {
            format!(" {}{}", signature.clone().unwrap_or_default(), data.clone().unwrap_or_default())
        }
        None => String::new(),
    };
    events
        .iter()
        .map(|event| match event {
            Event::Start(PartStart { index, kind: PartKind::ToolCall(call) }) => {
                let who = if call.server_executed { "server" } else { "call" };
                format!("+{index} {who} {} {}", call.id, call.name)
            }
            Event::Start(start) => format!("+{} {:?}", start.index, start.kind),
            Event::Delta(delta) => format!("{} {}", delta.index, delta.text),
            Event::End(part) => format!("-{}{}", part.index, replay(&part.replay)),
            Event::Whole(part) => match &part.content {
                PartContent::Opaque(opaque) => format!("{}: {}", opaque.kind, opaque.data),
                PartContent::Reasoning(Reasoning::Redacted(data)) => format!("redacted {data}"),
                PartContent::Media(media) => format!("{} {:?}", media.mime_type, media.source),
                other => format!("{other:?}"),
            },
            Event::Citation(Citation { index, url, title, quote, .. }) => {
                format!("cite {index} {url:?} {title:?} {quote:?}")
            }
            Event::Usage(_) => "usage".to_owned(),
            other => format!("{other:?}"),
        })
        .collect()
}

#[test]
fn a_stream_in_all_its_kinds() {
    let mut frames = vec![
        ("messageStart", json!({"role": "assistant", "p": "ab"})),
        delta(0, json!({"reasoningContent": {"text": "hm"}})),
        delta(0, json!({"reasoningContent": {"signature": "si"}})),
        delta(0, json!({"reasoningContent": {"signature": "g"}})),
        end(0),
        delta(1, json!({"reasoningContent": {"redactedContent": "YQ=="}})),
        delta(1, json!({"reasoningContent": {"redactedContent": "Yg=="}})),
        end(1),
        begin(2, json!({})),
        delta(2, json!({"text": ""})),
        delta(2, json!({"text": "Hi"})),
        end(2),
        begin(3, json!({"toolUse": {"toolUseId": "i", "name": "f"}})),
        delta(3, json!({"toolUse": {"input": "{\"a\":"}})),
        delta(3, json!({"toolUse": {"input": "1}"}})),
        end(3),
        begin(4, json!({"toolUse": {"toolUseId": "j", "name": "g", "type": "tool_use"}})),
        end(4),
        ("newEvent", json!({"x": 1})),
    ];
    frames.extend(stop("tool_use"));
    let (events, completion) = stream(&frames);
    assert_eq!(
        told(&events),
        [
            "+0 PartKind::ReasoningText",
            "0 hm",
            "-0 sig",
            "redacted YWI=",
            "+1 PartKind::Text",
            "1 Hi",
            "-1",
            "+2 call i f",
            "2 {\"a\":",
            "2 1}",
            "-2",
            "+3 call j g",
            "-3",
            "usage"
        ]
    );
    let completion = completion.unwrap();
    assert_eq!(
        (completion.finish, completion.raw_finish.as_deref()),
        (FinishReason::ToolCalls, Some("tool_use"))
    );
    let usage = completion.usage.unwrap();
    assert_eq!((usage.input, usage.output, usage.cache_read), (Some(3), Some(4), None));
    let metadata: Value = serde_json::from_str(&completion.metadata.unwrap()).unwrap();
    assert_eq!(metadata, json!({"usage": {"inputTokens": 3, "outputTokens": 4, "totalTokens": 7}}));
}

#[test]
fn the_same_in_one_piece() {
    let (events, completion) = whole(&content(&json!([
        {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "sig"}}},
        {"reasoningContent": {"redactedContent": "YWI="}},
        {"text": "Hi"},
        {"toolUse": {"toolUseId": "i", "name": "f", "input": {"a": 1}}},
        {"toolUse": {"toolUseId": "j", "name": "g", "input": {}, "type": "tool_use"}},
    ])));
    assert_eq!(
        told(&events),
        [
            "+0 PartKind::ReasoningText",
            "0 hm",
            "-0 sig",
            "redacted YWI=",
            "+1 PartKind::Text",
            "1 Hi",
            "-1",
            "+2 call i f",
            "2 {\"a\":1}",
            "-2",
            "+3 call j g",
            "-3"
        ]
    );
    assert_eq!(completion.unwrap().finish, FinishReason::Stop);
}

#[test]
fn tools_that_the_service_runs_come_whole() {
    let result = json!({"toolResult": {"status": "success", "toolUseId": "s", "type": "x_result",
        "content": [{"json": {"out": "7"}}, {"text": "b"}]}});
    let mut frames = vec![
        begin(0, json!({"toolUse": {"toolUseId": "s", "name": "x", "type": "server_tool_use"}})),
        delta(0, json!({"toolUse": {"input": "{}"}})),
        end(0),
        begin(1, json!({"toolResult": {"status": "success", "toolUseId": "s", "type": "x_result"}})),
        delta(1, json!({"toolResult": [{"json": {"out": "7"}}]})),
        delta(1, json!({"toolResult": [{"text": "b"}]})),
        end(1),
    ];
    frames.extend(stop("end_turn"));
    let (events, _) = stream(&frames);
    let want = [
        "+0 server s x".to_owned(),
        "0 {}".to_owned(),
        "-0 {\"type\":\"server_tool_use\"}".to_owned(),
        format!("toolResult: {result}"),
    ];
    assert_eq!(told(&events)[..4], want);
    let call =
        json!({"toolUse": {"toolUseId": "s", "name": "x", "type": "server_tool_use", "input": {"a": 1}}});
    let (events, _) = whole(&content(&json!([call, result])));
    assert_eq!(told(&events)[3], want[3]);
}

#[test]
fn blocks_that_are_invented_later_are_put_together() {
    let mut frames = vec![
        begin(0, json!({"newBlock": {"a": "1", "list": [1]}})),
        delta(0, json!({"newBlock": {"a": "2", "list": [2], "in": {"b": "x"}}})),
        delta(0, json!({"newBlock": {"in": {"b": "y"}}})),
        end(0),
        delta(1, json!({"other": {"text": "a"}})),
        delta(1, json!({"other": {"text": "b"}})),
    ];
    frames.extend(stop("new_reason"));
    let (events, completion) = stream(&frames);
    assert_eq!(
        told(&events)[..2],
        [
            r#"newBlock: {"newBlock":{"a":"12","list":[1,2],"in":{"b":"xy"}}}"#,
            r#"other: {"other":{"text":"ab"}}"#,
        ]
    );
    assert_eq!(completion.unwrap().finish, FinishReason::Other("new_reason".into()));
    let (events, _) = whole(&content(&json!([{"newBlock": {"a": 1}}, {"reasoningContent": {"new": 1}}])));
    assert_eq!(
        told(&events),
        [r#"newBlock: {"newBlock":{"a":1}}"#, r#"reasoningContent: {"reasoningContent":{"new":1}}"#]
    );
}

#[test]
fn sources_are_shown_and_kept() {
    let citation =
        json!({"title": "T", "sourceContent": [{"text": "q"}], "location": {"web": {"url": "https://a"}}});
    let cite = r#"cite 0 Some("https://a") Some("T") Some("q")"#.to_owned();
    let mut frames = vec![delta(0, json!({"text": "so"})), delta(0, json!({"citation": citation})), end(0)];
    frames.extend(stop("end_turn"));
    let (events, _) = stream(&frames);
    let end = format!("-0 {}", json!({"citations": [citation]}));
    assert_eq!(told(&events)[1..4], ["0 so".to_owned(), cite.clone(), end.clone()]);

    let (events, _) = whole(&content(
        &json!([{"citationsContent": {"content": [{"text": "so"}], "citations": [citation]}}]),
    ));
    assert_eq!(told(&events)[1..], ["0 so".to_owned(), cite, end]);
    let (events, _) =
        whole(&content(&json!([{"citationsContent": {"content": [{"text": "a"}, {"text": "b"}]}}])));
    assert_eq!(
        told(&events)[1..],
        ["0 a", "0 b", r#"-0 {"content":[{"text":"a"},{"text":"b"}],"citations":[]}"#]
    );
}

#[test]
fn pictures_are_media() {
    let (events, _) = whole(&content(&json!([{"image": {"format": "png", "source": {"bytes": "AQ=="}}}])));
    assert_eq!(told(&events), ["image/png MediaSource::Bytes([1])"]);
    let mut frames = vec![
        begin(0, json!({"image": {"format": "jpeg"}})),
        delta(0, json!({"image": {"source": {"bytes": "AQI="}}})),
        end(0),
    ];
    frames.extend(stop("end_turn"));
    assert_eq!(told(&stream(&frames).0)[0], "image/jpeg MediaSource::Bytes([1, 2])");
    // What is elsewhere stays what it is.
    let (events, _) =
        whole(&content(&json!([{"image": {"format": "png", "source": {"s3Location": {"uri": "s3://a"}}}}])));
    assert!(told(&events)[0].starts_with("image: "), "{events:?}");
}

#[test]
fn ends_and_what_is_none() {
    for (word, want) in [
        ("end_turn", FinishReason::Stop),
        ("stop_sequence", FinishReason::Stop),
        ("max_tokens", FinishReason::Length),
        ("model_context_window_exceeded", FinishReason::Length),
        ("guardrail_intervened", FinishReason::ContentFilter),
        ("content_filtered", FinishReason::ContentFilter),
        ("malformed_tool_use", FinishReason::Error),
        ("malformed_model_output", FinishReason::Error),
        ("refusal", FinishReason::Refusal),
    ] {
        assert_eq!(stream(&stop(word)).1.unwrap().finish, want, "{word}");
    }
    // The usage may be cut off; the end may not.
    let [last, _] = stop("end_turn");
    assert_eq!(stream(&[last]).1.unwrap().usage, None);
    let failure = stream(&[delta(0, json!({"text": "a"}))]).1.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Protocol);
    assert!(failure.message.contains("truncated"));
    // A block that the end finds open is ended.
    let mut frames = vec![delta(0, json!({"text": "a"}))];
    frames.extend(stop("max_tokens"));
    assert!(told(&stream(&frames).0).contains(&"-0".to_owned()));
    assert!(whole(&json!({"completion": "a"})).1.unwrap_err().message.contains("Converse"));
    let mut answer = Answer::new("m");
    let failure = answer.frame(Frame { event: "messageStop", data: "oops" }, &mut Vec::new()).unwrap_err();
    assert!(failure.message.contains("oops"));
}

#[test]
fn what_the_answer_says_of_itself_is_kept() {
    let trace = json!({"promptRouter": {"invokedModelId": "n"}});
    let body = json!({
        "output": {"message": {"role": "assistant", "content": []}}, "stopReason": "end_turn", "trace": trace,
        "additionalModelResponseFields": null, "metrics": {"latencyMs": 5}, "serviceTier": {"type": "x"},
        "usage": {"inputTokens": 1, "outputTokens": 2, "cacheReadInputTokens": 10, "cacheWriteInputTokenCount": 100},
    });
    let completion = whole(&body).1.unwrap();
    assert_eq!(completion.model.as_deref(), Some("n"));
    let usage = completion.usage.unwrap();
    assert_eq!((usage.input, usage.cache_read, usage.cache_write), (Some(111), Some(10), Some(100)));
    let metadata: Value = serde_json::from_str(&completion.metadata.unwrap()).unwrap();
    let want = json!({"trace": trace, "metrics": body["metrics"], "serviceTier": body["serviceTier"], "usage": body["usage"]});
    assert_eq!(metadata, want);
}

#[test]
fn streams_are_binary_and_may_fail() {
    let answer = Answer::new("m");
    assert!(answer.framing(CONTENT_TYPE).is_some());
    assert!(answer.framing("application/octet-stream; x").is_some());
    assert!(answer.framing("").is_none() && answer.framing("text/plain").is_none());
    let failure = answer.exception(Frame { event: "throttlingException", data: r#"{"message":"slow"}"# });
    assert_eq!((failure.kind, failure.message.as_str()), (FailureKind::RateLimited, "slow"));
}
