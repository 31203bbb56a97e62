//! Answers of the wire as events, one difference at a time.

use serde_json::{Value, json};

use super::super::{ChatDecoder, Quirks};
use crate::{
    Completion, Decoder, Event, Failure, FinishReason, Frame, MediaKind, PartContent, PartKind, Reasoning,
};

fn decode(
    settings: &str,
    play: impl FnOnce(&mut ChatDecoder, &mut Vec<Event>) -> Result<(), Failure>,
) -> Played {
    let mut decoder = ChatDecoder::new("m", &Quirks::default().with_settings(settings).unwrap());
    let mut out = Vec::new();
    let outcome = play(&mut decoder, &mut out).and_then(|()| decoder.finish(&mut out));
    (outcome, out)
}

type Played = (Result<Completion, Failure>, Vec<Event>);

/// A stream of these chunks.
pub(super) fn chunks(chunks: &[&str]) -> Played {
    decode("{}", |decoder, out| {
        chunks.iter().try_for_each(|data| decoder.frame(Frame { event: "", data }, out))
    })
}

/// A stream of these deltas, and its finish reason.
fn deltas(deltas: &[Value], finish: &str) -> Played {
    let end = json!({"choices": [{"index": 0, "delta": {}, "finish_reason": finish}]});
    let deltas =
        deltas.iter().map(|delta| json!({"choices": [{"index": 0, "delta": delta, "finish_reason": null}]}));
    let all: Vec<String> = deltas.chain([end]).map(|chunk| chunk.to_string()).collect();
    chunks(&all.iter().map(String::as_str).collect::<Vec<_>>())
}

/// A whole answer.
pub(super) fn whole(body: &str) -> Played {
    decode("{}", |decoder, out| decoder.whole(body.as_bytes(), out))
}

fn message(message: &Value) -> Played {
    whole(&json!({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}).to_string())
}

/// The parts in order: kind, text, and what goes back.
fn parts(events: &[Event]) -> Vec<(String, String, Option<Value>)> {
    let mut parts: Vec<(u32, String, String, Option<Value>)> = Vec::new();
    for event in events {
        match event {
            Event::Start(start) => {
                let kind = match &start.kind {
                    PartKind::Text => "text".to_owned(),
                    PartKind::Refusal => "refusal".into(),
                    PartKind::ReasoningText => "reasoning".into(),
                    PartKind::ReasoningSummary => "summary".into(),
                    PartKind::ToolCall(call) => format!("call {} {}", call.id, call.name),
                    PartKind::Media(media) => media.mime_type.clone(),
                };
                parts.push((start.index, kind, String::new(), None));
            }
            Event::Delta(delta) => {
                let part = parts.iter_mut().find(|part| part.0 == delta.index).unwrap();
                part.2.push_str(&delta.text);
            }
            Event::Bytes(bytes) => {
                let part = parts.iter_mut().find(|part| part.0 == bytes.index).unwrap();
                part.2.push_str(&String::from_utf8_lossy(&bytes.data));
            }
            Event::End(end) => {
                let part = parts.iter_mut().find(|part| part.0 == end.index).unwrap();
                let replay = end.replay.as_ref();
                part.3 = replay.map(|replay| match (&replay.data, &replay.item_id) {
                    (Some(data), _) => serde_json::from_str(data).unwrap(),
                    (None, id) => json!(id),
                });
            }
            Event::Whole(part) => {
                let (kind, text) = match &part.content {
                    PartContent::Opaque(opaque) => (format!("opaque {}", opaque.kind), opaque.data.clone()),
                    PartContent::Reasoning(Reasoning::Redacted(data)) => ("redacted".into(), data.clone()),
                    PartContent::Media(media) if media.kind == MediaKind::Image => {
                        ("image".into(), String::new())
                    }
                    other => panic!("{other:?}"),
                };
                let data = part.replay.as_ref().and_then(|replay| replay.data.as_deref());
                parts.push((u32::MAX, kind, text, data.map(|data| serde_json::from_str(data).unwrap())));
            }
            Event::Usage(_) | Event::Citation(_) | Event::Detail(_) | Event::Warning(_) => {}
        }
    }
    parts.into_iter().map(|(_, kind, text, replay)| (kind, text, replay)).collect()
}

fn plain(events: &[Event]) -> Vec<(String, String)> {
    parts(events).into_iter().map(|(kind, text, _)| (kind, text)).collect()
}

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(kind, text)| ((*kind).to_owned(), (*text).to_owned())).collect()
}

#[test]
fn reasoning_wherever_it_is() {
    let want = pairs(&[("reasoning", "hm"), ("text", "a")]);
    let block = |text: &str| json!([{"type": "thinking", "thinking": [{"type": "text", "text": text}]}]);
    for stream in [
        [
            json!({"reasoning_content": "h"}),
            json!({"reasoning_content": "m", "content": null}),
            json!({"content": "a"}),
        ],
        [json!({"reasoning": "h", "content": ""}), json!({"reasoning": "m"}), json!({"content": "a"})],
        [
            json!({"reasoning": "h", "reasoning_content": "h"}),
            json!({"reasoning": "m", "reasoning_content": "m"}),
            json!({"content": "a"}),
        ],
        [
            json!({"content": block("h")}),
            json!({"content": block("m")}),
            json!({"content": [{"type": "text", "text": "a"}]}),
        ],
        [json!({"content": "<thi"}), json!({"content": "nk>hm</th"}), json!({"content": "ink>\na"})],
        [json!({"content": "<think>"}), json!({"content": "h"}), json!({"content": "m</think>a"})],
    ] {
        let (outcome, events) = deltas(&stream, "stop");
        assert_eq!(plain(&events), want, "{stream:?}");
        assert_eq!(outcome.unwrap().finish, FinishReason::Stop);
    }
    for whole in [
        json!({"reasoning_content": "hm", "content": "a"}),
        json!({"reasoning": "hm", "content": "a"}),
        json!({"content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "a"}]}),
        json!({"content": "<think>hm</think>a"}),
        // The opening tag was in the prompt's template.
        json!({"content": "hm\n</think>\n\na"}),
    ] {
        let got: Vec<_> =
            plain(&message(&whole).1).into_iter().map(|(kind, text)| (kind, text.trim().into())).collect();
        assert_eq!(got, want, "{whole}");
    }
    let kept = decode(r#"{"think-tags":"off"}"#, |decoder, out| {
        decoder.whole(br#"{"choices":[{"message":{"content":"<think>hm</think>a"}}]}"#, out)
    });
    assert_eq!(plain(&kept.1), pairs(&[("text", "<think>hm</think>a")]));
    let tags = [json!({"reasoning": "hm"}), json!({"content": "<think> is a tag"})];
    assert_eq!(plain(&deltas(&tags, "stop").1), pairs(&[("reasoning", "hm"), ("text", "<think> is a tag")]));
    let unfinished = [json!({"content": "a <thi"})];
    assert_eq!(plain(&deltas(&unfinished, "stop").1), pairs(&[("text", "a <thi")]));
}

#[test]
fn reasoning_details_come_back_whole() {
    let stream = [
        json!({"reasoning": "h", "reasoning_details": [{"type": "reasoning.text", "text": "h", "index": 0, "format": null}]}),
        json!({"reasoning": "m", "reasoning_details": [{"type": "reasoning.text", "text": "m", "index": 0, "format": "f"}]}),
        json!({"reasoning_details": [{"type": "reasoning.text", "signature": "s", "index": 0}]}),
        json!({"reasoning_details": [{"type": "reasoning.encrypted", "data": "e", "id": "rs", "index": 1}]}),
        json!({"content": "a"}),
    ];
    let item = json!({"type": "reasoning.text", "text": "hm", "signature": "s", "index": 0, "format": "f"});
    let secret = json!({"type": "reasoning.encrypted", "data": "e", "id": "rs", "index": 1});
    let want = [
        ("reasoning".to_owned(), "hm".to_owned(), Some(item)),
        ("redacted".into(), "e".into(), Some(secret)),
        ("text".into(), "a".into(), None),
    ];
    assert_eq!(parts(&deltas(&stream, "stop").1), want);
    let summary = json!({"reasoning": "s", "content": "a", "reasoning_details": [
        {"type": "reasoning.summary", "summary": "s", "index": 0, "new": [1]},
    ]});
    let item = json!({"type": "reasoning.summary", "summary": "s", "index": 0, "new": [1]});
    assert_eq!(parts(&message(&summary).1)[0], ("summary".into(), "s".into(), Some(item)));
    // Only the encrypted form in the items, the words beside them.
    let split = json!({"reasoning": "hm", "content": "a", "reasoning_details": [{"type": "reasoning.encrypted", "data": "e"}]});
    assert_eq!(plain(&message(&split).1), pairs(&[("redacted", "e"), ("reasoning", "hm"), ("text", "a")]));
}

#[test]
fn tool_calls_in_all_their_forms() {
    let want = pairs(&[("call i f", "{\"a\":1}"), ("call j g", "{}")]);
    let function = |name: &str, arguments: &str| json!({"name": name, "arguments": arguments});
    let one = |call: Value| json!({"tool_calls": [call]});
    for stream in [
        vec![
            one(json!({"index": 0, "id": "i", "type": "function", "function": function("f", "")})),
            one(json!({"index": 0, "function": {"arguments": "{\"a\":"}})),
            one(json!({"index": 0, "id": null, "function": {"name": null, "arguments": "1}"}})),
            one(json!({"index": 1, "id": "j", "function": function("g", "{}")})),
        ],
        vec![json!({"content": "", "tool_calls": [
            {"id": "i", "function": function("f", "{\"a\":1}")}, {"id": "j", "function": function("g", "{}")},
        ]})],
        vec![
            one(json!({"index": 0, "id": "i", "function": {"name": "f", "arguments": {"a": 1}}})),
            one(json!({"index": 0, "id": "j", "function": {"name": "g", "arguments": {}}})),
        ],
    ] {
        let (outcome, events) = deltas(&stream, "tool_calls");
        assert_eq!(plain(&events), want, "{stream:?}");
        assert_eq!(outcome.unwrap().finish, FinishReason::ToolCalls);
    }
    let old = [
        json!({"function_call": {"name": "f", "arguments": ""}}),
        json!({"function_call": {"arguments": "{}"}}),
    ];
    assert_eq!(plain(&deltas(&old, "function_call").1), pairs(&[("call  f", "{}")]));
    let empty =
        message(&json!({"content": "a", "function_call": {"name": "", "arguments": ""}, "tool_calls": []}));
    assert_eq!(plain(&empty.1), pairs(&[("text", "a")]));
    let (outcome, events) = deltas(&[one(json!({"id": "i", "function": function("f", "")}))], "stop");
    assert_eq!(plain(&events), pairs(&[("call i f", "")]));
    let completion = outcome.unwrap();
    assert_eq!(
        (completion.finish, completion.raw_finish.as_deref()),
        (FinishReason::ToolCalls, Some("stop"))
    );
    let custom = json!({"id": "i", "type": "custom", "custom": {"name": "f", "input": "free"}});
    let got = parts(&message(&one(custom)).1);
    assert_eq!(got, [("call i f".into(), "free".into(), Some(json!({"type": "custom"})))]);
    let signed = json!({"google": {"thought_signature": "s"}});
    let gemini = one(json!({"id": "i", "function": function("f", "{}"), "extra_content": signed}));
    assert_eq!(parts(&message(&gemini).1)[0].2, Some(json!({"extra_content": signed})));
}

#[test]
fn usage_in_all_its_places() {
    let end = r#"{"choices":[{"delta":{"content":"a"},"finish_reason":"stop"}]}"#;
    let usage = r#"{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}"#;
    for stream in [
        vec![end.to_owned(), format!(r#"{{"choices":[],"usage":{usage},"provider":"P"}}"#)],
        vec![format!(
            r#"{{"choices":[{{"delta":{{}},"finish_reason":"stop"}}],"provider":"P","usage":{usage}}}"#
        )],
        vec![format!(
            r#"{{"choices":[{{"finish_reason":"stop"}}],"provider":"P","x_groq":{{"usage":{usage}}}}}"#
        )],
        vec![
            format!(r#"{{"usage":{usage}}}"#),
            end.to_owned(),
            format!(r#"{{"usage":{usage},"provider":"P"}}"#),
        ],
    ] {
        let (outcome, events) = chunks(&stream.iter().map(String::as_str).collect::<Vec<_>>());
        let completion = outcome.unwrap();
        let got = completion.usage.unwrap();
        assert_eq!((got.input, got.output, got.reasoning), (Some(3), Some(2), None), "{stream:?}");
        assert_eq!(events.iter().filter(|event| matches!(event, Event::Usage(_))).count(), 1, "told once");
        let metadata: Value = serde_json::from_str(&completion.metadata.unwrap()).unwrap();
        assert_eq!(metadata["provider"], "P");
    }
    assert_eq!(chunks(&[end, "[DONE]"]).0.unwrap().usage, None);
}

#[test]
fn who_answered() {
    let chunk = r#"{"id":"i","model":"m-2","choices":[{"delta":{"content":"a"},"finish_reason":"length"}]}"#;
    let completion = chunks(&[chunk]).0.unwrap();
    assert_eq!((completion.response_id.as_deref(), completion.model.as_deref()), (Some("i"), Some("m-2")));
    assert_eq!(completion.finish, FinishReason::Length);
    assert_eq!(chunks(&[&chunk.replace("m-2", "m")]).0.unwrap().model, None, "the model that was asked");
}

#[test]
fn refusals_images_audio_and_other_choices() {
    let (outcome, events) = deltas(&[json!({"refusal": "n"}), json!({"refusal": "o"})], "stop");
    assert_eq!(plain(&events), pairs(&[("refusal", "no")]));
    assert_eq!(outcome.unwrap().finish, FinishReason::Stop);
    let image = json!({"content": "a", "images": [
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,YWJj"}},
        {"type": "image_url", "image_url": {"url": "https://a/b.png"}},
    ]});
    assert_eq!(plain(&message(&image).1), pairs(&[("text", "a"), ("image/png", "abc"), ("image", "")]));
    let audio = [
        json!({"audio": {"id": "x", "transcript": "he"}}),
        json!({"audio": {"data": "YWJj"}}),
        json!({"audio": {"transcript": "llo", "data": "ZA=="}}),
    ];
    let got = parts(&deltas(&audio, "stop").1);
    let want = [("text".into(), "hello".into(), None), ("audio/wav".into(), "abcd".into(), Some(json!("x")))];
    assert_eq!(got, want);
    let two = r#"{"choices":[{"index":0,"delta":{"content":"a"}},{"index":1,"delta":{"content":"b"},"finish_reason":"length"}]}"#;
    let (outcome, events) = chunks(&[two, r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#]);
    assert_eq!(plain(&events), pairs(&[("text", "a")]));
    assert_eq!(outcome.unwrap().finish, FinishReason::Stop);
}

#[test]
fn log_probabilities_and_server_tools() {
    let end = r#"{"choices":[{"delta":{"content":"a","executed_tools":[{"type":"python"}]},"logprobs":{"content":[{"token":"a"}]},"finish_reason":"stop"}]}"#;
    let details: Vec<_> =
        chunks(&[end, r#"{"choices":[{"delta":{},"logprobs":{"content":[],"refusal":null}}]}"#])
            .1
            .into_iter()
            .filter_map(|event| match event {
                Event::Detail(detail) => Some((detail.kind, detail.index, detail.data)),
                _ => None,
            })
            .collect();
    let logprobs = r#"{"content":[{"token":"a"}]}"#;
    assert_eq!(details.len(), 2);
    assert!(details.contains(&("logprobs".into(), Some(0), logprobs.into())), "{details:?}");
    assert!(details.contains(&("executed_tool".into(), None, r#"{"type":"python"}"#.into())), "{details:?}");
}

#[test]
fn citations_name_bytes_of_their_part() {
    let annotation = json!({"type": "url_citation", "url_citation": {
        "url": "https://a", "title": "A", "start_index": 1, "end_index": 3, "content": "q",
    }});
    let nowhere = json!({"type": "url_citation", "url_citation": {"url": "https://b", "start_index": 0, "end_index": 0}});
    let file = json!({"type": "file", "file": {"hash": "h"}});
    let stream = [
        json!({"annotations": [annotation, nowhere]}),
        json!({"content": "ü€"}),
        json!({"content": "😀x", "annotations": [file]}),
    ];
    let (_, events) = deltas(&stream, "stop");
    let citations: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            Event::Citation(citation) => {
                Some((citation.url.as_deref(), citation.span, citation.quote.as_deref()))
            }
            _ => None,
        })
        .collect();
    assert_eq!(citations, [(Some("https://a"), Some((2, 9)), Some("q")), (Some("https://b"), None, None)]);
    let kept = json!({"annotations": [file]}).to_string();
    assert_eq!(plain(&events), pairs(&[("text", "ü€😀x"), ("opaque message", &kept)]));
    let listed = r#"{"citations":["https://a"],"search_results":[{"url":"https://a","title":"A"}],
        "choices":[{"delta":{"content":"x"},"message":{"content":"x"},"finish_reason":"stop"}]}"#;
    let (_, events) = chunks(&[listed, listed]);
    assert_eq!(events.iter().filter(|event| matches!(event, Event::Citation(_))).count(), 1);
    assert_eq!(plain(&events), pairs(&[("text", "xx")]));
}
