//! Requests and answers that no recorded case has, and the shapes of those that do.
#![allow(clippy::unwrap_used)]

use aimu_sdk::http::{Body, Response};
use aimu_sdk::*;
use serde_json::{Value, json};

use super::*;
use crate::answer::Answer;

fn wire(request: &ChatRequest) -> Value {
    let request::Body { body, warnings } = request::chat(request).unwrap();
    assert_eq!(warnings, Vec::<String>::new());
    body
}

fn messages(messages: Vec<Message>) -> Value {
    wire(&ChatRequest::new("m", messages))["messages"].clone()
}

fn call(id: &str, arguments: &str, data: Option<Value>) -> Part {
    let call =
        ToolCall { id: id.into(), name: "f".into(), arguments: arguments.into(), server_executed: false };
    let replay = data.map(|data| Replay { signature: None, item_id: None, data: Some(data.to_string()) });
    Part { replay, ..PartContent::ToolCall(call).into() }
}

fn result(id: &str, output: Vec<ToolOutput>) -> Part {
    PartContent::ToolResult(ToolResult { call_id: id.into(), name: "f".into(), output, is_error: false })
        .into()
}

fn media(kind: MediaKind, mime_type: &str, source: MediaSource) -> Media {
    Media { kind, mime_type: mime_type.into(), source, name: Some("a.txt".into()), detail: None }
}

fn png() -> Media {
    media(MediaKind::Image, "image/png", MediaSource::Bytes(vec![0, 255, 1]))
}

fn function(name: &str) -> Tool {
    Tool::Function(ToolDefinition {
        name: name.into(),
        description: "d".into(),
        parameters: r#"{"type":"object","properties":{"x":{"type":"integer"}}}"#.into(),
        strict: None,
        cache_here: false,
        extra: None,
    })
}

fn thinking(mode: ThinkingMode, effort: Option<&str>) -> Option<Thinking> {
    Some(Thinking { mode, effort: effort.map(Into::into), budget_tokens: None, summary: None })
}

/// Chunks of a body.
struct Chunks(std::vec::IntoIter<Vec<u8>>);

impl Body for Chunks {
    fn read(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        Ok(self.0.next())
    }
}

/// What an answer said: its parts as text (`T:`, `R:`, `C:` …) and how it ended.
fn play(
    content_type: &str,
    chunks: Vec<Vec<u8>>,
    body: &Value,
) -> (Vec<String>, Result<Completion, Failure>, Vec<Event>) {
    let headers = vec![("content-type".to_owned(), content_type.to_owned())];
    let response = Response { status: 200, headers, body: Chunks(chunks.into_iter()) };
    let mut events = Events::default();
    let mut answer = Answer::new("m", "ollama:m", body);
    let outcome = exchange::decode(response, &mut answer, &mut events, &|response| {
        errors::of_response(response, "ollama:m")
    });
    let mut parts: Vec<String> = Vec::new();
    let mut places = Vec::new();
    for event in &events.pending {
        match event {
            Event::Start(start) => {
                places.push((start.index, parts.len()));
                parts.push(match &start.kind {
                    PartKind::Text => "T:".into(),
                    PartKind::ReasoningText => "R:".into(),
                    PartKind::Media(media) => format!("M:{}:", media.mime_type),
                    other => format!("{other:?}"),
                });
            }
            Event::Delta(delta) => {
                let place = places.iter().find(|(index, _)| *index == delta.index).unwrap().1;
                parts[place].push_str(&delta.text);
            }
            Event::Bytes(bytes) => {
                let place = places.iter().find(|(index, _)| *index == bytes.index).unwrap().1;
                parts[place].push_str(&format!("{:?}", bytes.data));
            }
            Event::Whole(Part { content: PartContent::ToolCall(call), replay, .. }) => {
                let data = replay.as_ref().and_then(|replay| replay.data.as_deref()).unwrap_or("-");
                parts.push(format!("C:{}:{}:{}:{data}", call.id, call.name, call.arguments));
            }
            Event::Whole(Part { content: PartContent::Opaque(opaque), .. }) => {
                parts.push(format!("O:{}", opaque.data));
            }
            _ => {}
        }
    }
    (parts, outcome, events.pending)
}

/// The same wherever it is cut.
fn stream(text: &str, body: &Value) -> (Vec<String>, Result<Completion, Failure>, Vec<Event>) {
    let whole = play("application/x-ndjson", vec![text.as_bytes().to_vec()], body);
    for cut in 0..=text.len() {
        let (a, b) = text.as_bytes().split_at(cut);
        let got = play("application/x-ndjson", vec![a.to_vec(), b.to_vec()], body);
        assert_eq!((&got.0, &got.1), (&whole.0, &whole.1), "cut at {cut}");
    }
    whole
}

#[test]
fn a_chat_with_everything() {
    let mut request = ChatRequest::new("qwen3:4b", vec![Message::text(Role::User, "Hi")]);
    request.tools = vec![function("f")];
    request.sampling = Sampling {
        temperature: Some(0.5),
        top_p: Some(0.9),
        top_k: Some(40),
        min_p: Some(0.05),
        presence_penalty: Some(0.1),
        frequency_penalty: Some(0.2),
        repetition_penalty: Some(1.1),
        max_tokens: Some(64),
        context_length: Some(8192),
        seed: Some(7),
        stop: vec!["END".into()],
    };
    request.thinking = thinking(ThinkingMode::On, Some("high"));
    request.logprobs = Some(2);
    request.response_format = ResponseFormat::Schema(SchemaFormat {
        name: "n".into(),
        schema: r#"{"type":"object"}"#.into(),
        strict: true,
    });
    request.extra = Some(
        json!({"keep_alive": "5m", "num_gpu": 1, "num_ctx": 2, "options": {"num_ctx": 3, "use_mmap": true}})
            .to_string(),
    );
    assert_eq!(
        wire(&request),
        json!({
            "model": "qwen3:4b",
            "messages": [{"role": "user", "content": "Hi"}],
            "tools": [{"type": "function", "function": {
                "name": "f", "description": "d",
                "parameters": {"type": "object", "properties": {"x": {"type": "integer"}}},
            }}],
            "logprobs": true, "top_logprobs": 2, "stream": true, "think": "high",
            "format": {"type": "object"},
            "options": {
                "temperature": 0.5, "top_p": 0.9, "top_k": 40, "min_p": 0.05, "presence_penalty": 0.1,
                "frequency_penalty": 0.2, "repeat_penalty": 1.1, "num_predict": 64, "num_ctx": 3, "seed": 7,
                "stop": ["END"], "num_gpu": 1, "use_mmap": true,
            },
            "keep_alive": "5m",
        })
    );
    for (wish, wire_form) in [
        (thinking(ThinkingMode::Off, None), json!(false)),
        (thinking(ThinkingMode::On, None), json!(true)),
        (thinking(ThinkingMode::Adaptive, None), json!(true)),
        (thinking(ThinkingMode::Off, Some("none")), json!(false)),
        (None, Value::Null),
    ] {
        let request = ChatRequest { thinking: wish, streaming: false, ..ChatRequest::new("m", Vec::new()) };
        let body = wire(&request);
        assert_eq!((&body["think"], &body["stream"]), (&wire_form, &json!(false)));
        assert!(body.get("options").is_none() && body.get("tools").is_none());
    }
    let json_mode =
        ChatRequest { response_format: ResponseFormat::Json, ..ChatRequest::new("m", Vec::new()) };
    assert_eq!(wire(&json_mode)["format"], "json");
    let wrong = ChatRequest { extra: Some("[]".into()), ..ChatRequest::new("m", Vec::new()) };
    assert!(request::chat(&wrong).is_err());
}

#[test]
fn a_choice_of_tools_is_made_by_what_is_offered() {
    let with = |choice: ToolChoice| {
        let request = ChatRequest {
            tools: vec![function("f"), function("g")],
            tool_choice: choice,
            ..ChatRequest::new("m", Vec::new())
        };
        request::chat(&request).map(|body| {
            let tools = body.body["tools"].as_array().cloned().unwrap_or_default();
            let names: Vec<String> =
                tools.iter().map(|tool| tool["function"]["name"].as_str().unwrap().to_owned()).collect();
            (names.join(" "), body.warnings.len())
        })
    };
    assert_eq!(with(ToolChoice::Auto).unwrap(), ("f g".into(), 0));
    assert_eq!(with(ToolChoice::None).unwrap(), (String::new(), 0));
    assert_eq!(with(ToolChoice::Required).unwrap(), ("f g".into(), 1));
    assert_eq!(with(ToolChoice::Named("g".into())).unwrap(), ("g".into(), 1));
    assert_eq!(with(ToolChoice::Named("h".into())).unwrap_err().kind, FailureKind::InvalidRequest);
}

#[test]
fn a_conversation_with_calls_thoughts_and_media() {
    let assistant = Message::new(
        Role::Assistant,
        vec![
            PartContent::Reasoning(Reasoning::Text("hm".into())).into(),
            PartContent::Text("a".into()).into(),
            PartContent::Text("b".into()).into(),
            call("c1", r#"{"x":1}"#, Some(json!({"function": {"index": 0}}))),
            call("made-up", "", Some(json!({"id_synthetic": true, "function": {"index": 1}}))),
            PartContent::Opaque(Opaque { kind: "message".into(), data: r#"{"mood":"good"}"#.into() }).into(),
            PartContent::Opaque(Opaque { kind: "other".into(), data: "{}".into() }).into(),
            PartContent::Reasoning(Reasoning::Redacted("x".into())).into(),
        ],
    );
    let seen = Message::new(
        Role::User,
        vec![
            PartContent::Text("Look".into()).into(),
            PartContent::Media(png()).into(),
            PartContent::Media(media(MediaKind::Audio, "audio/wav", MediaSource::Bytes(vec![1]))).into(),
            PartContent::Media(media(MediaKind::Document, "text/plain", MediaSource::Bytes(b"hi".to_vec())))
                .into(),
        ],
    );
    let results = Message::new(
        Role::Tool,
        vec![
            result("c1", vec![ToolOutput::Text("3".into()), ToolOutput::Media(png())]),
            result("made-up", vec![ToolOutput::Json(r#"{"y":2}"#.into())]),
        ],
    );
    assert_eq!(
        messages(vec![
            Message::text(Role::System, "Be brief"),
            seen,
            assistant,
            results,
            Message::text(Role::Assistant, ""),
        ]),
        json!([
            {"role": "system", "content": "Be brief"},
            {
                "role": "user",
                "content": "Look\n\n<document name=\"a.txt\">\nhi\n</document>",
                "images": ["AP8B", "AQ=="],
            },
            {
                "role": "assistant", "content": "ab", "thinking": "hm",
                "tool_calls": [
                    {"type": "function", "id": "c1", "function": {"name": "f", "arguments": {"x": 1}, "index": 0}},
                    {"type": "function", "function": {"name": "f", "arguments": {}, "index": 1}},
                ],
                "mood": "good",
            },
            {"role": "tool", "content": "3", "tool_name": "f", "tool_call_id": "c1", "images": ["AP8B"]},
            {"role": "tool", "content": "{\"y\":2}", "tool_name": "f"},
        ])
    );
}

#[test]
fn arguments_that_are_no_object_are_not_lost() {
    for arguments in [r#"{"x":"#, "[1]", "x"] {
        let said = Message::new(Role::Assistant, vec![call("c", arguments, None)]);
        let request::Body { body, warnings } = request::chat(&ChatRequest::new("m", vec![said])).unwrap();
        let sent = &body["messages"][0]["tool_calls"][0]["function"]["arguments"];
        assert_eq!(sent, &json!({ "invalid_json": arguments }));
        assert_eq!(warnings.len(), 1);
    }
}

#[test]
fn what_the_server_takes_no_media_of_is_refused() {
    for (kind, mime, source) in [
        (MediaKind::Image, "image/png", MediaSource::Url("https://a/b.png".into())),
        (MediaKind::Image, "image/png", MediaSource::FileId("f".into())),
        (MediaKind::Document, "application/pdf", MediaSource::Bytes(vec![1])),
        (MediaKind::Video, "video/mp4", MediaSource::Bytes(vec![1])),
    ] {
        let message = Message::new(Role::User, vec![PartContent::Media(media(kind, mime, source)).into()]);
        let failure = request::chat(&ChatRequest::new("m", vec![message])).unwrap_err();
        assert_eq!(failure.kind, FailureKind::Unsupported, "{}", failure.message);
    }
}

#[test]
fn a_prompt_goes_to_generate() {
    let request = GenerateRequest {
        model: "m".into(),
        prompt: "Why?".into(),
        media: vec![png(), media(MediaKind::Document, "text/plain", MediaSource::Bytes(b"hi".to_vec()))],
        response_format: ResponseFormat::Json,
        thinking: thinking(ThinkingMode::Off, None),
        sampling: Sampling { max_tokens: Some(5), ..Sampling::default() },
        streaming: false,
        extra: Some(r#"{"system":"s","raw":true}"#.into()),
    };
    assert_eq!(
        request::generate(&request).unwrap().body,
        json!({
            "model": "m", "prompt": "<document name=\"a.txt\">\nhi\n</document>\n\nWhy?", "images": ["AP8B"],
            "stream": false, "think": false, "format": "json", "options": {"num_predict": 5},
            "system": "s", "raw": true,
        })
    );
    let text = concat!(
        r#"{"model":"m","response":"","thinking":"h","done":false}"#,
        "\n",
        r#"{"model":"m","response":"ü","done":false}"#,
        "\n",
        r#"{"model":"m","response":"!","done":true,"done_reason":"length","context":[1,2],"eval_count":2}"#,
    );
    let (parts, outcome, _) = stream(text, &json!({}));
    assert_eq!(parts, ["R:h", "T:ü!"]);
    let completion = outcome.unwrap();
    assert_eq!((completion.finish, completion.metadata), (FinishReason::Length, None));
    let usage = completion.usage.unwrap();
    assert_eq!((usage.input, usage.output), (None, Some(2)));
}

#[test]
fn a_stream_with_thoughts_calls_and_logprobs() {
    let text = concat!(
        r#"{"model":"m","message":{"role":"assistant","content":"","thinking":"h"},"done":false}"#,
        "\n",
        r#"{"model":"m","message":{"role":"assistant","content":"","thinking":"m"},"done":false}"#,
        "\r\n",
        r#"{"message":{"role":"assistant","content":"<think>ü"},"logprobs":[{"token":"ü","logprob":-1}],"done":false}"#,
        "\n\n",
        r#"{"message":{"content":"","tool_calls":[{"id":"c","function":{"index":0,"name":"f","arguments":{"x":1}}},{"function":{"name":"g","arguments":{}}},{"function":{"index":1,"name":"h"}}],"mood":"go"}}"#,
        "\n",
        r#"{"message":{"content":"","mood":"od"},"done":false}"#,
        "\n",
        r#"{"model":"other","message":{"content":""},"done":true,"done_reason":"stop","total_duration":9,"prompt_eval_count":3,"eval_count":4,"new":1}"#,
        "\n",
    );
    let (parts, outcome, events) = stream(text, &json!({"think": true}));
    assert_eq!(
        parts,
        [
            "R:hm",
            // Thoughts came in a member of their own: tags are text.
            "T:<think>ü",
            r#"C:c:f:{"x":1}:{"function":{"index":0}}"#,
            "C::g:{}:-",
            r#"C::h::{"function":{"index":1},"id_synthetic":true}"#,
            r#"O:{"mood":"good"}"#,
        ]
    );
    let detail = events.iter().find_map(|event| match event {
        Event::Detail(detail) => Some((detail.index, detail.kind.as_str(), detail.data.as_str())),
        _ => None,
    });
    assert_eq!(detail, Some((Some(1), "logprobs", r#"[{"token":"ü","logprob":-1}]"#)));
    let completion = outcome.unwrap();
    assert_eq!(completion.finish, FinishReason::ToolCalls);
    assert_eq!(completion.raw_finish.as_deref(), Some("stop"));
    assert_eq!(completion.model.as_deref(), Some("other"));
    assert_eq!(completion.metadata.as_deref(), Some(r#"{"total_duration":9,"new":1}"#));
    let usage = completion.usage.unwrap();
    assert_eq!((usage.input, usage.output), (Some(3), Some(4)));
}

#[test]
fn tags_are_thoughts_unless_thinking_is_off() {
    let lines = |text: &str| {
        let pieces = text.chars().map(|piece| {
            json!({"message": {"content": piece.to_string()}, "done": false}).to_string() + "\n"
        });
        pieces.collect::<String>() + r#"{"done":true}"#
    };
    let whole = |text: &str| json!({"message": {"content": text}, "done": true}).to_string();
    let tagged = "<think>hm</think>\n\nYes";
    let lone = "hm\n</think>\n\nYes";
    for (text, off, streamed, at_once) in [
        (tagged, false, vec!["R:hm", "T:Yes"], vec!["R:hm", "T:Yes"]),
        (tagged, true, vec!["R:hm", "T:Yes"], vec!["R:hm", "T:Yes"]),
        // In a stream it was shown before it was known.
        (lone, false, vec!["T:hm\n", "T:Yes"], vec!["R:hm\n", "T:Yes"]),
        (lone, true, vec!["T:hm\n</think>\n\nYes"], vec!["T:hm\n</think>\n\nYes"]),
    ] {
        let body = if off { json!({"think": false}) } else { json!({}) };
        assert_eq!(stream(&lines(text), &body).0, streamed, "{text:?} {off}");
        let got = play("application/json", vec![whole(text).into_bytes()], &body);
        assert_eq!(got.0, at_once, "{text:?} {off}");
        assert_eq!(got.1.unwrap().finish, FinishReason::Stop);
    }
}

#[test]
fn images_are_parts_and_go_back() {
    let text = r#"{"message":{"content":"a","images":["/9g="]},"done":true,"done_reason":"stop"}"#;
    assert_eq!(stream(text, &json!({})).0, ["T:a", "M:image/jpeg:[255, 216]"]);
    let made = Message::new(Role::Assistant, vec![PartContent::Media(png()).into()]);
    assert_eq!(messages(vec![made]), json!([{"role": "assistant", "content": "", "images": ["AP8B"]}]));
}

#[test]
fn what_goes_wrong_in_a_stream() {
    let begin = r#"{"message":{"content":"a"},"done":false}"#;
    let kind = |more: &str| {
        let (parts, outcome, _) = stream(&format!("{begin}\n{more}"), &json!({}));
        assert_eq!(parts, ["T:a"], "{more}");
        let failure = outcome.unwrap_err();
        (failure.kind, failure.message)
    };
    let (truncated, message) = kind("");
    assert_eq!(truncated, FailureKind::Protocol);
    assert!(message.contains("truncated"), "{message}");
    assert_eq!(
        kind(r#"{"error":"an error was encountered while running the model"}"#).0,
        FailureKind::Server
    );
    let overflow = kind(r#"{"error":"the input length exceeds the context length"}"#);
    assert_eq!(overflow.0, FailureKind::ContextLength);
    assert_eq!(kind("<html>").0, FailureKind::Protocol);
    let whole = |body: &str| play("application/json", vec![body.as_bytes().to_vec()], &json!({})).1;
    assert_eq!(whole(r#"{"error":"model 'm' not found"}"#).unwrap_err().kind, FailureKind::NotFound);
    assert_eq!(whole(r#"{"message":{"content":"a"}}"#).unwrap_err().kind, FailureKind::Protocol);
    for loaded in ["load", "unload"] {
        let body = json!({"message": {"content": ""}, "done": true, "done_reason": loaded}).to_string();
        let completion = whole(&body).unwrap();
        assert_eq!(completion.finish, FinishReason::Other(loaded.into()));
    }
}

#[test]
fn a_stream_whose_type_was_lost_is_one_nevertheless() {
    let text = concat!(r#"{"message":{"content":"a"}}"#, "\n", r#"{"message":{"content":"b"},"done":true}"#);
    for content_type in ["", "text/plain", "application/json"] {
        let (parts, outcome, _) = play(content_type, vec![text.as_bytes().to_vec()], &json!({}));
        assert_eq!(parts, ["T:ab"], "{content_type}");
        assert!(outcome.is_ok());
    }
}

#[test]
fn base_urls_in_all_their_forms() {
    for base in ["http://h:1", "http://h:1/", "http://h:1/api", "http://h:1/v1"] {
        assert_eq!(endpoint(base, "chat"), "http://h:1/api/chat");
    }
    assert_eq!(endpoint("https://p/ollama", "tags"), "https://p/ollama/api/tags");
}

#[test]
fn the_description_asks_for_nothing() {
    let description = Ollama::describe();
    assert!(description.open_catalog && description.models.is_empty());
    assert!(description.credentials.iter().all(|credential| !credential.required));
    assert_eq!(description.parameters.len(), 13);
}
