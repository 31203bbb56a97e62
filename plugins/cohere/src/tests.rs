//! Requests and answers that no recorded case has, and the shapes of those that do.
#![allow(clippy::unwrap_used)]

use aimu_sdk::http::{Body, Response};
use aimu_sdk::*;
use serde_json::{Value, json};

use super::*;
use crate::answer::Answer;

const THINKER: &str = "command-a-reasoning-08-2025";
const PLAIN: &str = "command-a-03-2025";

fn ask(model: &str, messages: Vec<Message>) -> ChatRequest {
    ChatRequest::new(model, messages)
}

fn wire(request: &ChatRequest) -> Value {
    let request::Body { body, warnings } = request::body(request).unwrap();
    assert_eq!(warnings, Vec::<String>::new());
    body
}

fn replayed(content: PartContent, data: Value) -> Part {
    let replay = Some(Replay { signature: None, item_id: None, data: Some(data.to_string()) });
    Part { replay, ..content.into() }
}

fn thought(text: &str) -> PartContent {
    PartContent::Reasoning(Reasoning::Text(text.into()))
}

fn call(id: &str, arguments: &str) -> Part {
    let call =
        ToolCall { id: id.into(), name: "f".into(), arguments: arguments.into(), server_executed: false };
    PartContent::ToolCall(call).into()
}

fn result(id: &str, output: Vec<ToolOutput>, is_error: bool) -> Message {
    let result = ToolResult { call_id: id.into(), name: "f".into(), output, is_error };
    Message::new(Role::Tool, vec![PartContent::ToolResult(result).into()])
}

fn media(kind: MediaKind, mime_type: &str, source: MediaSource) -> Media {
    Media {
        kind,
        mime_type: mime_type.into(),
        source,
        name: Some("a.txt".into()),
        detail: Some("low".into()),
    }
}

fn png() -> Media {
    media(MediaKind::Image, "image/png", MediaSource::Bytes(vec![0, 255, 1]))
}

fn note() -> Media {
    media(MediaKind::Document, "text/plain", MediaSource::Bytes(b"hi".to_vec()))
}

fn function(name: &str, strict: Option<bool>) -> Tool {
    Tool::Function(ToolDefinition {
        name: name.into(),
        description: String::new(),
        parameters: String::new(),
        strict,
        cache_here: false,
        extra: None,
    })
}

fn thinking(mode: ThinkingMode, effort: Option<&str>, budget_tokens: Option<u32>) -> Option<Thinking> {
    Some(Thinking { mode, effort: effort.map(Into::into), budget_tokens, summary: None })
}

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

#[test]
fn a_chat_with_everything() {
    let mut request = ask(THINKER, vec![Message::text(Role::User, "Hi")]);
    request.tools = vec![
        function("f", Some(true)),
        Tool::ProviderDefined(Opaque { kind: "k".into(), data: r#"{"type":"k"}"#.into() }),
    ];
    request.tool_choice = ToolChoice::Required;
    request.sampling = Sampling {
        temperature: Some(0.5),
        top_p: Some(0.9),
        top_k: Some(40),
        presence_penalty: Some(0.1),
        frequency_penalty: Some(0.2),
        max_tokens: Some(64),
        seed: Some(7),
        stop: vec!["END".into()],
        ..Sampling::default()
    };
    request.thinking = thinking(ThinkingMode::On, None, Some(500));
    request.logprobs = Some(0);
    request.extra = Some(json!({"safety_mode": "OFF", "documents": ["d"], "seed": null}).to_string());
    assert_eq!(
        wire(&request),
        json!({
            "model": THINKER, "messages": [{"role": "user", "content": "Hi"}], "stream": true,
            "tools": [
                {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}},
                {"type": "k"},
            ],
            "strict_tools": true, "tool_choice": "REQUIRED",
            "temperature": 0.5, "p": 0.9, "k": 40, "max_tokens": 64, "frequency_penalty": 0.2,
            "presence_penalty": 0.1, "stop_sequences": ["END"],
            "thinking": {"type": "enabled", "token_budget": 500}, "logprobs": true,
            "safety_mode": "OFF", "documents": ["d"],
        })
    );
}

#[test]
fn forms_of_the_answer() {
    let schema = SchemaFormat { name: "n".into(), schema: r#"{"type":"object"}"#.into(), strict: true };
    for (format, want) in [
        (ResponseFormat::Text, Value::Null),
        (ResponseFormat::Json, json!({"type": "json_object"})),
        (ResponseFormat::Schema(schema), json!({"type": "json_object", "json_schema": {"type": "object"}})),
    ] {
        let request = ChatRequest { response_format: format, ..ask(PLAIN, Vec::new()) };
        assert_eq!(wire(&request)["response_format"], want);
    }
}

#[test]
fn thinking_is_a_switch_with_a_budget() {
    let with = |model: &str, wish: Option<Thinking>| {
        let request = ChatRequest { thinking: wish, ..ask(model, Vec::new()) };
        let request::Body { body, warnings } = request::body(&request).unwrap();
        (body["thinking"].clone(), warnings.len())
    };
    let (on, off) = (json!({"type": "enabled"}), json!({"type": "disabled"}));
    assert_eq!(with(THINKER, thinking(ThinkingMode::On, None, None)), (on.clone(), 0));
    assert_eq!(with("new", thinking(ThinkingMode::Adaptive, None, None)), (on.clone(), 0));
    assert_eq!(with(THINKER, thinking(ThinkingMode::On, Some("high"), None)), (on, 1));
    assert_eq!(with(THINKER, thinking(ThinkingMode::Off, None, None)), (off.clone(), 0));
    assert_eq!(with(THINKER, thinking(ThinkingMode::Off, Some("none"), None)), (off, 0));
    assert_eq!(with(PLAIN, thinking(ThinkingMode::On, None, None)), (Value::Null, 1));
    assert_eq!(with(PLAIN, thinking(ThinkingMode::Off, None, None)), (Value::Null, 0));
}

#[test]
fn choices_of_tools() {
    let with = |tools: Vec<Tool>, choice: ToolChoice| {
        let request = ChatRequest { tools, tool_choice: choice, ..ask(PLAIN, Vec::new()) };
        request::body(&request).map(|body| {
            let offered = body.body["tools"].as_array().map_or(0, Vec::len);
            (offered, body.body["tool_choice"].as_str().unwrap_or_default().to_owned())
        })
    };
    let older = |choice: ToolChoice| {
        let tools = vec![function("f", None)];
        let request = ChatRequest { tools, tool_choice: choice, ..ask("command-r-08-2024", Vec::new()) };
        let request::Body { body, warnings } = request::body(&request).unwrap();
        assert!(body.get("tool_choice").is_none());
        (body.get("tools").is_some(), warnings.len())
    };
    assert_eq!(older(ToolChoice::Required), (true, 1));
    assert_eq!(older(ToolChoice::None), (false, 0));
    let two = || vec![function("f", None), function("g", None)];
    assert_eq!(with(two(), ToolChoice::Auto).unwrap(), (2, String::new()));
    assert_eq!(with(two(), ToolChoice::None).unwrap(), (2, "NONE".into()));
    assert_eq!(with(Vec::new(), ToolChoice::None).unwrap(), (0, "NONE".into()));
    assert_eq!(with(Vec::new(), ToolChoice::Required).unwrap(), (0, String::new()));
    assert_eq!(with(two(), ToolChoice::Named("g".into())).unwrap(), (1, "REQUIRED".into()));
    assert_eq!(with(two(), ToolChoice::Named("h".into())).unwrap_err().kind, FailureKind::InvalidRequest);
}

#[test]
fn a_turn_with_plan_calls_results_and_citations() {
    let citations = json!([{"start": 0, "end": 1, "text": "a"}]);
    let messages = || {
        vec![
            Message::text(Role::System, "Be brief"),
            Message::new(
                Role::Assistant,
                vec![
                    replayed(thought("I will look."), json!({"type": "tool_plan", "text": "I will look."})),
                    thought("hm").into(),
                    call("c1", "{ \"x\": 1 }"),
                    call("c2", ""),
                ],
            ),
            result("c1", vec![ToolOutput::Text("sunny".into())], false),
            result("c2", vec![ToolOutput::Json(r#"{"y":2}"#.into()), ToolOutput::Media(png())], false),
            result("c3", vec![ToolOutput::Json("[1]".into())], false),
            result("c4", vec![ToolOutput::Text("boom".into())], true),
            result("c5", Vec::new(), false),
            Message::new(
                Role::Assistant,
                vec![
                    replayed(PartContent::Text("a".into()), json!({ "citations": citations })),
                    PartContent::Opaque(Opaque { kind: "new".into(), data: r#"{"type":"new"}"#.into() })
                        .into(),
                    PartContent::Reasoning(Reasoning::Redacted("x".into())).into(),
                ],
            ),
            Message::text(Role::User, ""),
        ]
    };
    let document = |data: Value| json!([{"type": "document", "document": {"data": data}}]);
    let called = |index: &str, arguments: &str| json!({"id": index, "type": "function", "function": {"name": "f", "arguments": arguments}});
    let body = wire(&ask(THINKER, messages()));
    assert_eq!(
        body["messages"],
        json!([
            {"role": "system", "content": "Be brief"},
            {
                "role": "assistant", "content": [{"type": "thinking", "thinking": "hm"}],
                "tool_calls": [called("c1", "{ \"x\": 1 }"), called("c2", "{}")], "tool_plan": "I will look.",
            },
            {"role": "tool", "tool_call_id": "c1", "content": "sunny"},
            {"role": "tool", "tool_call_id": "c2", "content": document(json!({"y": 2}))},
            {"role": "tool", "tool_call_id": "c3", "content": document(json!({"content": [1]}))},
            {"role": "tool", "tool_call_id": "c4", "content": document(json!({"error": "boom"}))},
            {"role": "tool", "tool_call_id": "c5", "content": ""},
            {"role": "user", "content": [
                {"type": "text", "text": "What the function f returned:"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AP8B", "detail": "low"}},
            ]},
            {
                "role": "assistant", "content": [{"type": "text", "text": "a"}, {"type": "new"}],
                "citations": citations,
            },
        ])
    );
    // A model that does not think takes no thoughts.
    let body = wire(&ask(PLAIN, messages()));
    assert!(body["messages"][1].get("content").is_none());
    assert_eq!(body["messages"][1]["tool_plan"], "I will look.");
    let other = Message::new(Role::Assistant, vec![thought("hm").into(), call("c", "{}")]);
    assert_eq!(wire(&ask(PLAIN, vec![other]))["messages"][0]["tool_plan"], "hm");
}

#[test]
fn arguments_that_are_no_object_are_not_lost() {
    for arguments in [r#"{"x":"#, "[1]", "x"] {
        let said = Message::new(Role::Assistant, vec![call("c", arguments)]);
        let request::Body { body, warnings } = request::body(&ask(PLAIN, vec![said])).unwrap();
        let sent = body["messages"][0]["tool_calls"][0]["function"]["arguments"].as_str().unwrap();
        let sent: Value = serde_json::from_str(sent).unwrap();
        assert_eq!(sent, json!({ "invalid_json": arguments }));
        assert_eq!(warnings.len(), 1);
    }
}

#[test]
fn media_and_extra_members() {
    let with_document = Part { extra: Some(r#"{"id":"mine"}"#.into()), ..PartContent::Media(note()).into() };
    let message = |part: Part| {
        let mut message = Message::new(
            Role::User,
            vec![PartContent::Text("Look".into()).into(), part, PartContent::Media(png()).into()],
        );
        message.extra = Some(r#"{"name":"n","priority":1}"#.into());
        message
    };
    let body = wire(&ask(PLAIN, vec![message(with_document.clone())]));
    assert_eq!(body["documents"], json!([{"id": "mine", "data": {"title": "a.txt", "text": "hi"}}]));
    assert_eq!(
        body["messages"],
        json!([{"role": "user", "priority": 1, "content": [
            {"type": "text", "text": "Look"},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,AP8B", "detail": "low"}},
        ]}])
    );
    // Where the API can't have both, the document is text.
    for request in [
        ChatRequest { response_format: ResponseFormat::Json, ..ask(PLAIN, Vec::new()) },
        ChatRequest { extra: Some(r#"{"documents":["d"]}"#.into()), ..ask(PLAIN, Vec::new()) },
    ] {
        let body =
            wire(&ChatRequest { messages: vec![message(PartContent::Media(note()).into())], ..request });
        assert_ne!(body["documents"][0]["id"], "document_0");
        assert_eq!(body["messages"][0]["content"][1]["text"], "<document name=\"a.txt\">\nhi\n</document>");
    }
    let by_address = media(MediaKind::Image, "image/png", MediaSource::Url("https://a/b".into()));
    let body = wire(&ask(PLAIN, vec![Message::new(Role::User, vec![PartContent::Media(by_address).into()])]));
    assert_eq!(body["messages"][0]["content"][0]["image_url"]["url"], "https://a/b");
    for refused in [
        media(MediaKind::Audio, "audio/wav", MediaSource::Bytes(vec![1])),
        media(MediaKind::Document, "application/pdf", MediaSource::Bytes(vec![1])),
        media(MediaKind::Image, "image/png", MediaSource::FileId("f".into())),
    ] {
        let message = Message::new(Role::User, vec![PartContent::Media(refused).into()]);
        let failure = request::body(&ask(PLAIN, vec![message])).unwrap_err();
        assert_eq!(failure.kind, FailureKind::Unsupported);
    }
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

#[test]
fn base_urls_in_all_their_forms() {
    for base in ["https://api.cohere.com", "https://api.cohere.com/", "https://api.cohere.com/v2"] {
        assert_eq!(endpoint(base, "v2/chat"), "https://api.cohere.com/v2/chat");
    }
    assert_eq!(endpoint("http://h:1/p/v1", "v1/models"), "http://h:1/p/v1/models");
}

#[test]
fn every_parameter_is_declared() {
    let mut declared: Vec<u8> =
        Cohere::describe().parameters.iter().map(|(parameter, _)| *parameter as u8).collect();
    declared.sort_unstable();
    declared.dedup();
    assert_eq!(declared.len(), 13);
}
