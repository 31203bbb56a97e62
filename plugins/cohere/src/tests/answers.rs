//! What comes back, streamed or whole.

use aimu_sdk::http::{Body, Response};

use super::*;
use crate::answer::Answer;

/// Chunks of a body.
struct Chunks(std::vec::IntoIter<Vec<u8>>);

impl Body for Chunks {
    fn read(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        Ok(self.0.next())
    }
}

/// What an answer said: its parts as text (`T:`, `R:`, `C:`), what they need back after ` <- `, its citations, and how
/// it ended.
fn play(content_type: &str, chunks: Vec<Vec<u8>>) -> (Vec<String>, Result<Completion, Failure>) {
    let headers = vec![("content-type".to_owned(), content_type.to_owned())];
    let response = Response { status: 200, headers, body: Chunks(chunks.into_iter()) };
    let mut events = Events::default();
    let outcome = exchange::decode(response, &mut Answer::default(), &mut events, &errors::of_response);
    let mut said: Vec<String> = Vec::new();
    let mut places = Vec::new();
    for event in events.pending {
        let place = |index: u32| places.iter().find(|(have, _)| *have == index).map(|(_, place)| *place);
        match event {
            Event::Start(start) => {
                places.push((start.index, said.len()));
                said.push(match start.kind {
                    PartKind::Text => "T:".into(),
                    PartKind::ReasoningText => "R:".into(),
                    PartKind::ToolCall(call) => format!("C:{}:{}:", call.id, call.name),
                    other => format!("{other:?}"),
                });
            }
            Event::Delta(delta) => said[place(delta.index).unwrap()].push_str(&delta.text),
            Event::End(end) => {
                if let Some(data) = end.replay.and_then(|replay| replay.data) {
                    said[place(end.index).unwrap()].push_str(&format!(" <- {data}"));
                }
            }
            Event::Whole(Part { content: PartContent::Opaque(opaque), .. }) => {
                said.push(format!("O:{}", opaque.data));
            }
            Event::Citation(citation) => {
                let title = citation.title.unwrap_or_default();
                said.push(format!(
                    "cites {} {:?} {title}",
                    citation.index,
                    citation.span.unwrap_or_default()
                ));
            }
            Event::Detail(detail) => said.push(format!("{} {:?} {}", detail.kind, detail.index, detail.data)),
            Event::Warning(warning) => said.push(warning),
            other => said.push(format!("{other:?}")),
        }
    }
    (said, outcome)
}

/// The same wherever it is cut.
fn stream(events: &[Value]) -> (Vec<String>, Result<Completion, Failure>) {
    let text: String = events
        .iter()
        .map(|event| format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap_or_default()))
        .collect();
    let whole = play("text/event-stream", vec![text.clone().into_bytes()]);
    for cut in 0..=text.len() {
        let (a, b) = text.as_bytes().split_at(cut);
        assert_eq!(play("text/event-stream", vec![a.to_vec(), b.to_vec()]), whole, "cut at {cut}");
    }
    whole
}

fn whole(answer: &Value) -> (Vec<String>, Result<Completion, Failure>) {
    play("application/json", vec![answer.to_string().into_bytes()])
}

fn message(kind: &str, index: u64, member: &str, value: &Value) -> Value {
    json!({"type": kind, "index": index, "delta": {"message": {member: value}}})
}

fn ending(delta: &Value) -> Value {
    json!({"type": "message-end", "delta": delta})
}

#[test]
fn a_stream_with_thoughts_plan_calls_and_citations() {
    let source = json!({"type": "tool", "id": "w:0", "tool_output": {"content": "sunny"}});
    let citation = json!({"start": 1, "end": 3, "text": "22", "sources": [source], "content_index": 2});
    let (said, outcome) = stream(&[
        json!({"type": "message-start", "id": "i", "delta": {"message": {"content": [], "tool_plan": ""}}}),
        message("content-start", 0, "content", &json!({"type": "thinking", "thinking": ""})),
        message("content-delta", 0, "content", &json!({"thinking": "hm"})),
        json!({"type": "content-end", "index": 0}),
        message("tool-plan-delta", 0, "tool_plan", &json!("I ")),
        message("tool-plan-delta", 0, "tool_plan", &json!("look")),
        message(
            "tool-call-start",
            0,
            "tool_calls",
            &json!({"id": "c", "type": "function", "function": {"name": "f", "arguments": ""}}),
        ),
        message("tool-call-delta", 0, "tool_calls", &json!({"function": {"arguments": "{\"x\":"}})),
        message("tool-call-delta", 0, "tool_calls", &json!({"function": {"arguments": "1}"}})),
        json!({"type": "tool-call-end", "index": 0}),
        message(
            "tool-call-start",
            1,
            "tool_calls",
            &json!({"id": "d", "type": "function", "function": {"name": "g", "arguments": "{}"}}),
        ),
        json!({"type": "debug", "prompt": "p"}),
        message("content-start", 1, "content", &json!({"type": "new", "a": "b"})),
        message("content-delta", 1, "content", &json!({"a": "c"})),
        json!({"type": "content-end", "index": 1}),
        message("content-start", 2, "content", &json!({"type": "text", "text": "ü"})),
        json!({"type": "content-delta", "index": 2, "delta": {"message": {"content": {"text": "22"}}},
               "logprobs": {"text": "22", "logprobs": [-1.0]}}),
        json!({"type": "content-end", "index": 2}),
        message("citation-start", 0, "citations", &citation),
        json!({"type": "citation-end", "index": 0}),
        ending(&json!({"finish_reason": "TOOL_CALL", "usage": {
            "billed_units": {"input_tokens": 2, "output_tokens": 1},
            "tokens": {"input_tokens": 9.0, "output_tokens": 8}, "cached_tokens": 4,
        }})),
    ]);
    assert_eq!(
        said,
        [
            "R:hm",
            r#"R:I look <- {"type":"tool_plan","text":"I look"}"#,
            r#"C:c:f:{"x":1}"#,
            "C:d:g:{}",
            r#"debug None {"type":"debug","prompt":"p"}"#,
            r#"O:{"type":"new","a":"bc"}"#,
            &format!("T:ü22 <- {}", json!({ "citations": [citation] })),
            r#"logprobs Some(4) {"text":"22","logprobs":[-1.0]}"#,
            "cites 4 (2, 4) w:0",
        ]
    );
    let completion = outcome.unwrap();
    assert_eq!(completion.finish, FinishReason::ToolCalls);
    assert_eq!(completion.raw_finish.as_deref(), Some("TOOL_CALL"));
    assert_eq!(completion.response_id.as_deref(), Some("i"));
    let usage = completion.usage.unwrap();
    assert_eq!((usage.input, usage.output, usage.cache_read), (Some(9), Some(8), Some(4)));
    assert!(completion.metadata.unwrap().contains("billed_units"));
}

#[test]
fn a_whole_answer_says_the_same() {
    let (said, outcome) = whole(&json!({
        "id": "i", "finish_reason": "COMPLETE", "logprobs": [{"text": "a"}], "message": {
            "role": "assistant", "tool_plan": "plan",
            "content": [{"type": "thinking", "thinking": "hm", "seal": "s"}, {"type": "text", "text": "a"}],
            "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{ }"}}],
            "citations": [{"start": 0, "end": 1, "text": "a", "sources": []}],
        },
        "usage": {"billed_units": {"input_tokens": 2, "output_tokens": 1}},
    }));
    assert_eq!(
        said,
        [
            r#"R:plan <- {"type":"tool_plan","text":"plan"}"#,
            r#"R:hm <- {"seal":"s"}"#,
            r#"T:a <- {"citations":[{"start":0,"end":1,"text":"a","sources":[]}]}"#,
            "C:c:f:{ }",
            r#"logprobs Some(2) [{"text":"a"}]"#,
            "cites 2 (0, 1) ",
        ]
    );
    let usage = outcome.unwrap().usage.unwrap();
    assert_eq!((usage.input, usage.output, usage.cache_read), (Some(2), Some(1), None));
    let (said, _) = whole(&json!({"finish_reason": "COMPLETE", "message": {"content": "plain"}}));
    assert_eq!(said, ["T:plain"]);
}

#[test]
fn what_a_block_had_besides_goes_back_with_it() {
    let parts = vec![
        replayed(thought("hm"), json!({"seal": "s"})),
        replayed(PartContent::Text("a".into()), json!({"mark": 1, "citations": []})),
    ];
    let body = wire(&ask(THINKER, vec![Message::new(Role::Assistant, parts)]));
    assert_eq!(
        body["messages"][0]["content"],
        json!([{"type": "thinking", "thinking": "hm", "seal": "s"}, {"type": "text", "text": "a", "mark": 1}])
    );
}

#[test]
fn a_stream_without_starts_is_understood() {
    let (said, outcome) = stream(&[
        message("content-delta", 0, "content", &json!({"thinking": "h"})),
        message("content-delta", 0, "content", &json!({"thinking": "m"})),
        message("content-delta", 1, "content", &json!({"text": "a"})),
        ending(&json!({"finish_reason": "COMPLETE"})),
    ]);
    assert_eq!(said, ["R:hm", "T:a"]);
    assert!(outcome.is_ok());
}

#[test]
fn how_an_answer_ends() {
    let text = message("content-delta", 0, "content", &json!({"text": "a"}));
    for (word, finish) in [
        ("COMPLETE", FinishReason::Stop),
        ("STOP_SEQUENCE", FinishReason::Stop),
        ("MAX_TOKENS", FinishReason::Length),
        ("TOOL_CALL", FinishReason::ToolCalls),
        ("ERROR", FinishReason::Error),
        ("TIMEOUT", FinishReason::Error),
        ("NEW", FinishReason::Other("NEW".into())),
    ] {
        let (_, outcome) = stream(&[text.clone(), ending(&json!({"finish_reason": word}))]);
        assert_eq!(outcome.unwrap().finish, finish);
    }
    let (said, outcome) =
        stream(&[text.clone(), ending(&json!({"finish_reason": "ERROR", "error": "model overloaded"}))]);
    assert_eq!(said, ["T:a", "Cohere ended the answer as failed: model overloaded"]);
    assert!(outcome.unwrap().metadata.unwrap().contains("model overloaded"));
    let (_, truncated) = stream(std::slice::from_ref(&text));
    assert_eq!(truncated.unwrap_err().kind, FailureKind::Protocol);
    for error in [json!({"message": "internal"}), json!({"type": "error", "message": "internal"})] {
        let (said, failed) = stream(&[text.clone(), error]);
        assert_eq!(said, ["T:a"]);
        let failure = failed.unwrap_err();
        assert_eq!((failure.kind, failure.message.as_str()), (FailureKind::Server, "internal"));
    }
    let (_, failed) = whole(&json!({"id": "i", "message": "too many tokens: size limit exceeded"}));
    assert_eq!(failed.unwrap_err().kind, FailureKind::ContextLength);
    let (_, failed) = whole(&json!({"choices": []}));
    assert_eq!(failed.unwrap_err().kind, FailureKind::Protocol);
}
