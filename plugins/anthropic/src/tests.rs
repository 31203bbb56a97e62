//! Requests and answers that no recorded case has, and the shapes of those that do.
#![allow(clippy::unwrap_used)]

use aimu_sdk::*;
use serde_json::{Value, json};

use super::*;
use crate::answer::Answer;

fn user(text: &str) -> Message {
    Message::text(Role::User, text)
}

fn ask(messages: Vec<Message>) -> ChatRequest {
    ChatRequest { streaming: false, ..ChatRequest::new("claude-sonnet-4-5", messages) }
}

fn wire(request: &ChatRequest) -> Value {
    let request::Body { body, warnings } = request::body(request).unwrap();
    assert_eq!(warnings, Vec::<String>::new());
    body
}

fn text(text: &str) -> Value {
    json!({ "type": "text", "text": text })
}

fn part(content: PartContent) -> Part {
    content.into()
}

fn call(id: &str, name: &str, arguments: &str) -> Part {
    part(PartContent::ToolCall(ToolCall {
        id: id.into(),
        name: name.into(),
        arguments: arguments.into(),
        server_executed: false,
    }))
}

fn result(id: &str, output: Vec<ToolOutput>, is_error: bool) -> Message {
    let result = ToolResult { call_id: id.into(), name: "f".into(), output, is_error };
    Message::new(Role::Tool, vec![part(PartContent::ToolResult(result))])
}

fn media(kind: MediaKind, mime_type: &str, source: MediaSource) -> Media {
    Media { kind, mime_type: mime_type.into(), source, name: None, detail: None }
}

fn thinking(mode: ThinkingMode) -> Thinking {
    Thinking { mode, effort: None, budget_tokens: None, summary: None }
}

fn replay(signature: Option<&str>, data: Option<Value>) -> Option<Replay> {
    Some(Replay {
        signature: signature.map(str::to_owned),
        item_id: None,
        data: data.map(|data| data.to_string()),
    })
}

fn function(name: &str, parameters: &Value) -> ToolDefinition {
    ToolDefinition {
        name: name.into(),
        description: "d".into(),
        parameters: parameters.to_string(),
        strict: None,
        cache_here: false,
        extra: None,
    }
}

#[test]
fn the_system_is_lifted_and_turns_are_merged() {
    let request = ask(vec![
        Message::text(Role::System, "be brief"),
        user("a"),
        user("  "),
        user("b"),
        Message::new(Role::Assistant, vec![part(PartContent::Text(String::new()))]),
        Message::text(Role::System, "later"),
        user("c"),
        Message::text(Role::Assistant, "so "),
    ]);
    assert_eq!(
        wire(&request),
        json!({
            "model": "claude-sonnet-4-5", "max_tokens": 64000,
            "system": [text("be brief"), text("later")],
            "messages": [
                {"role": "user", "content": [text("a"), text("b"), text("c")]},
                {"role": "assistant", "content": [text("so")]},
            ],
        })
    );
}

#[test]
fn a_system_message_with_a_block_of_its_own_stays() {
    let addition = json!({"type": "tool_addition", "tool": {"type": "tool_reference", "name": "f"}});
    let opaque = Opaque { kind: "tool_addition".into(), data: addition.to_string() };
    let mut named = Message::text(Role::System, "now");
    named.extra = Some(json!({"role": "system"}).to_string());
    let request =
        ask(vec![user("a"), Message::new(Role::System, vec![part(PartContent::Opaque(opaque))]), named]);
    assert_eq!(
        wire(&request)["messages"],
        json!([
            {"role": "user", "content": [text("a")]},
            {"role": "system", "content": [addition]},
            {"role": "system", "content": [text("now")]},
        ])
    );
}

#[test]
fn newer_models_take_system_messages_after_the_user() {
    let system = |text: &str| Message::text(Role::System, text);
    let mut request = ask(vec![
        system("top"),
        user("a"),
        system("x"),
        system("y"),
        Message::text(Role::Assistant, "b"),
        system("z"),
        user("c"),
    ]);
    request.model = "claude-opus-4-8".into();
    let body = wire(&request);
    assert_eq!(body["system"], json!([text("top"), text("z")]));
    assert_eq!(
        body["messages"],
        json!([
            {"role": "user", "content": [text("a")]},
            {"role": "system", "content": [text("x"), text("y")]},
            {"role": "assistant", "content": [text("b")]},
            {"role": "user", "content": [text("c")]},
        ])
    );
}

#[test]
fn calls_and_results() {
    let image = media(MediaKind::Image, "image/png", MediaSource::Bytes(vec![1]));
    let document = media(MediaKind::Document, "application/pdf", MediaSource::Url("https://a/b.pdf".into()));
    let mut direct = call("t2", "g", "");
    direct.replay = replay(None, Some(json!({"caller": {"type": "direct"}})));
    let request = ask(vec![
        user("go"),
        Message::new(Role::Assistant, vec![call("t1", "f", "{\"a\": 1}"), direct]),
        result("t1", vec![ToolOutput::Text("ok".into()), ToolOutput::Json("{\"b\":2}".into())], false),
        result("t2", vec![ToolOutput::Media(image), ToolOutput::Media(document)], true),
        result("t:3", vec![ToolOutput::Text(String::new())], false),
        user("and?"),
    ]);
    assert_eq!(
        wire(&request)["messages"],
        json!([
            {"role": "user", "content": [text("go")]},
            {"role": "assistant", "content": [
                {"type": "tool_use", "id": "t1", "name": "f", "input": {"a": 1}},
                {"type": "tool_use", "id": "t2", "name": "g", "input": {}, "caller": {"type": "direct"}},
            ]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "t1", "content": [text("ok"), text("{\"b\":2}")]},
                {"type": "tool_result", "tool_use_id": "t2", "is_error": true, "content": [
                    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AQ=="}},
                    {"type": "document", "source": {"type": "url", "url": "https://a/b.pdf"}},
                ]},
                {"type": "tool_result", "tool_use_id": "t_3"},
                text("and?"),
            ]},
        ])
    );
}

#[test]
fn arguments_that_are_no_object_go_inside_one() {
    let request = ask(vec![user("a"), Message::new(Role::Assistant, vec![call("t", "f", "{\"a\":")])]);
    let request::Body { body, warnings } = request::body(&request).unwrap();
    assert_eq!(body["messages"][1]["content"][0]["input"], json!({"invalid_json": "{\"a\":"}));
    assert_eq!(warnings.len(), 1);
}

#[test]
fn thoughts_go_back_as_they_came() {
    let thought =
        |text: &str, replay| Part { replay, ..part(PartContent::Reasoning(Reasoning::Text(text.into()))) };
    let raw = json!({"type": "thinking", "thinking": "r", "signature": "s3", "new": 1});
    let request = ask(vec![
        user("a"),
        Message::new(
            Role::Assistant,
            vec![
                thought("hm", replay(Some("s1"), None)),
                thought("", replay(Some("s2"), None)),
                thought("from elsewhere", None),
                thought("", replay(None, Some(raw.clone()))),
                part(PartContent::Reasoning(Reasoning::Redacted("xx".into()))),
                part(PartContent::Text("ok".into())),
            ],
        ),
        user("b"),
    ]);
    assert_eq!(
        wire(&request)["messages"][1]["content"],
        json!([
            {"type": "thinking", "thinking": "hm", "signature": "s1"},
            {"type": "thinking", "thinking": "", "signature": "s2"},
            raw,
            {"type": "redacted_thinking", "data": "xx"},
            text("ok"),
        ])
    );
}

#[test]
fn media_cache_hints_and_extras() {
    let mut pdf = media(MediaKind::Document, "application/pdf", MediaSource::Bytes(vec![1]));
    pdf.name = Some("a.pdf".into());
    let mut cited = part(PartContent::Media(media(
        MediaKind::Document,
        "text/markdown; charset=utf-8",
        MediaSource::Bytes(b"# hi".to_vec()),
    )));
    cited.extra = Some(json!({"citations": {"enabled": true}}).to_string());
    let mut cached = part(PartContent::Text("big".into()));
    cached.cache_here = true;
    cached.extra = Some(json!({"cache_control": {"ttl": "1h"}}).to_string());
    let mut dropped = part(PartContent::Text(String::new()));
    dropped.cache_here = true;
    let file =
        part(PartContent::Media(media(MediaKind::Image, "image/png", MediaSource::FileId("file_1".into()))));
    let parts = vec![part(PartContent::Media(pdf)), cited, cached, file, dropped];
    let request = ask(vec![Message::new(Role::User, parts)]);
    let body = wire(&request);
    assert_eq!(
        body["messages"][0]["content"],
        json!([
            {"type": "document", "title": "a.pdf",
                "source": {"type": "base64", "media_type": "application/pdf", "data": "AQ=="}},
            {"type": "document", "citations": {"enabled": true},
                "source": {"type": "text", "media_type": "text/plain", "data": "# hi"}},
            {"type": "text", "text": "big", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
            {"type": "image", "source": {"type": "file", "file_id": "file_1"},
                "cache_control": {"type": "ephemeral"}},
        ])
    );
    assert_eq!(request::betas(&body), ["files-api-2025-04-14"]);
}

#[test]
fn what_claude_does_not_take_is_said() {
    let fail = |media| {
        let request = ask(vec![Message::new(Role::User, vec![part(PartContent::Media(media))])]);
        request::body(&request).unwrap_err()
    };
    let audio = fail(media(MediaKind::Audio, "audio/wav", MediaSource::Bytes(vec![])));
    assert_eq!(audio.kind, FailureKind::Unsupported);
    let word = fail(media(MediaKind::Document, "application/msword", MediaSource::Bytes(vec![])));
    assert!(word.message.contains("application/msword"), "{}", word.message);
    let broken = fail(media(MediaKind::Document, "text/plain", MediaSource::Bytes(vec![255])));
    assert_eq!(broken.kind, FailureKind::InvalidRequest);
    let mut request = ask(vec![user("a")]);
    request.extra = Some("[]".into());
    assert!(request::body(&request).unwrap_err().message.contains("`extra` of the request"));
}

#[test]
fn tools_and_choices() {
    let schema = json!({"type": "object", "properties": {"q": {"type": "string"}}, "required": ["q"]});
    let search = json!({"type": "web_search_20250305", "name": "web_search", "max_uses": 2});
    let mut request = ask(vec![user("a")]);
    request.tools = vec![
        Tool::Function(ToolDefinition {
            strict: Some(true),
            cache_here: true,
            extra: Some(json!({"defer_loading": true}).to_string()),
            ..function("f", &schema)
        }),
        Tool::Function(ToolDefinition { description: String::new(), ..function("g", &json!({})) }),
        Tool::ProviderDefined(Opaque { kind: "web_search_20250305".into(), data: search.to_string() }),
    ];
    let body = wire(&request);
    assert_eq!(
        body["tools"],
        json!([
            {"name": "f", "description": "d", "input_schema": schema, "strict": true, "defer_loading": true,
                "cache_control": {"type": "ephemeral"}},
            {"name": "g", "input_schema": {"type": "object", "properties": {}}},
            search,
        ])
    );
    assert_eq!(body.get("tool_choice"), None);
    for (choice, parallel, want) in [
        (ToolChoice::Auto, Some(false), json!({"type": "auto", "disable_parallel_tool_use": true})),
        (ToolChoice::None, None, json!({"type": "none"})),
        (ToolChoice::Required, None, json!({"type": "any"})),
        (
            ToolChoice::Named("f".into()),
            Some(false),
            json!({"type": "tool", "name": "f", "disable_parallel_tool_use": true}),
        ),
    ] {
        let request = ChatRequest { tool_choice: choice, parallel_tool_calls: parallel, ..request.clone() };
        assert_eq!(wire(&request)["tool_choice"], want);
    }
    let forced =
        ChatRequest { model: "claude-opus-5-5".into(), tool_choice: ToolChoice::Required, ..request.clone() };
    let request::Body { body, warnings } = request::body(&forced).unwrap();
    assert_eq!((body.get("tool_choice"), warnings.len()), (None, 1));
    let none = ChatRequest { tools: Vec::new(), tool_choice: ToolChoice::Required, ..request };
    assert_eq!(wire(&none).get("tool_choice"), None);
}

#[test]
fn thinking_as_each_model_takes_it() {
    let off = || thinking(ThinkingMode::Off);
    let on = || thinking(ThinkingMode::On);
    let budget = |tokens| Thinking { budget_tokens: Some(tokens), ..on() };
    let effort = |level: &str| Thinking { effort: Some(level.into()), ..on() };
    for (model, asked, want, want_effort, warned) in [
        ("claude-sonnet-4-5", off(), json!({"type": "disabled"}), Value::Null, 0),
        (
            "claude-sonnet-4-5",
            budget(1024),
            json!({"type": "enabled", "budget_tokens": 1024}),
            Value::Null,
            0,
        ),
        (
            "claude-sonnet-4-5",
            effort("low"),
            json!({"type": "enabled", "budget_tokens": 2048}),
            Value::Null,
            0,
        ),
        (
            "claude-opus-4-5",
            effort("low"),
            json!({"type": "enabled", "budget_tokens": 2048}),
            json!("low"),
            0,
        ),
        ("claude-sonnet-4-6", on(), json!({"type": "adaptive"}), Value::Null, 0),
        (
            "claude-sonnet-4-6",
            budget(3000),
            json!({"type": "enabled", "budget_tokens": 3000}),
            Value::Null,
            0,
        ),
        ("claude-opus-4-7", effort("xhigh"), json!({"type": "adaptive"}), json!("xhigh"), 0),
        ("claude-opus-4-7", budget(3000), json!({"type": "adaptive"}), Value::Null, 1),
        ("claude-opus-5-5", off(), Value::Null, Value::Null, 1),
        ("claude-sonnet-5-5", off(), json!({"type": "between_tools"}), Value::Null, 0),
        ("claude-next", on(), json!({"type": "adaptive"}), Value::Null, 0),
        ("claude-next", budget(2000), json!({"type": "enabled", "budget_tokens": 2000}), Value::Null, 0),
        (
            "claude-opus-4-7",
            Thinking { summary: Some("auto".into()), ..on() },
            json!({"type": "adaptive", "display": "summarized"}),
            Value::Null,
            0,
        ),
    ] {
        let request =
            ChatRequest { model: model.into(), thinking: Some(asked.clone()), ..ask(vec![user("a")]) };
        let request::Body { body, warnings } = request::body(&request).unwrap();
        let got = body.get("thinking").cloned().unwrap_or_default();
        let got_effort = body.pointer("/output_config/effort").cloned().unwrap_or_default();
        assert_eq!((got, got_effort, warnings.len()), (want, want_effort, warned), "{model} {asked:?}");
    }
}

#[test]
fn the_limit_exceeds_the_budget_and_sampling_stops() {
    let mut request = ask(vec![user("a")]);
    request.thinking = Some(Thinking { budget_tokens: Some(4096), ..thinking(ThinkingMode::On) });
    request.sampling = Sampling {
        max_tokens: Some(1000),
        temperature: Some(0.2),
        top_p: Some(0.97),
        top_k: Some(5),
        stop: vec!["END".into()],
        ..Sampling::default()
    };
    let request::Body { body, warnings } = request::body(&request).unwrap();
    assert_eq!(body["max_tokens"], 5096);
    assert_eq!((body.get("temperature"), body.get("top_k")), (None, None));
    assert_eq!((&body["top_p"], &body["stop_sequences"]), (&json!(0.97), &json!(["END"])));
    assert_eq!(warnings.len(), 3);
    request.thinking = None;
    let body = wire(&request);
    assert_eq!(
        (&body["max_tokens"], &body["temperature"], &body["top_k"]),
        (&json!(1000), &json!(0.2), &json!(5))
    );
    // A budget of our own gives way to the caller's limit.
    request.thinking = Some(thinking(ThinkingMode::On));
    request.sampling = Sampling { max_tokens: Some(4096), ..Sampling::default() };
    assert_eq!(wire(&request)["thinking"]["budget_tokens"], 2048);
    let unknown = ChatRequest { model: "claude-next".into(), ..ask(vec![user("a")]) };
    assert_eq!(wire(&unknown)["max_tokens"], 16_384);
}

#[test]
fn structured_answers_and_extras() {
    let schema = json!({"type": "object", "properties": {"type": {"type": "object", "properties": {}},
        "list": {"type": "array", "items": {"type": "object"}}}});
    let mut request = ask(vec![user("a")]);
    request.response_format =
        ResponseFormat::Schema(SchemaFormat { name: "x".into(), schema: schema.to_string(), strict: true });
    request.extra =
        Some(json!({"metadata": {"user_id": "u"}, "output_config": {"effort": "high"}}).to_string());
    let body = wire(&request);
    assert_eq!(
        body["output_config"],
        json!({"effort": "high", "format": {"type": "json_schema", "schema": {
            "type": "object", "additionalProperties": false, "properties": {
                "type": {"type": "object", "properties": {}, "additionalProperties": false},
                "list": {"type": "array", "items": {"type": "object", "additionalProperties": false}}}}}})
    );
    assert_eq!(body["metadata"]["user_id"], "u");
    request.response_format = ResponseFormat::Json;
    request.streaming = true;
    let body = wire(&request);
    assert_eq!((&body["stream"], body["system"].as_array().unwrap().len()), (&json!(true), 1));
}

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
fn addresses_and_headers() {
    for base in ["https://a", "https://a/", "https://a/v1", "https://a/v1/"] {
        assert_eq!(endpoint(base, "messages"), "https://a/v1/messages");
    }
    assert_eq!(endpoint("https://a/anthropic", "models"), "https://a/anthropic/v1/models");
    let beta = |settings: &Settings, used: &[&str]| {
        let request = headers(HttpRequest::get("https://a"), settings, used);
        assert_eq!(request.headers[0], ("anthropic-version".into(), "2023-06-01".into()));
        request.headers.get(1).map(|(_, value)| value.clone())
    };
    assert_eq!(beta(&Settings::default(), &[]), None);
    let own = Settings { betas: vec!["x-2025-01-01".into(), "files-api-2026-01-01".into()] };
    let used = ["files-api-2025-04-14", "mcp-client-2025-11-20"];
    assert_eq!(beta(&own, &used).unwrap(), "x-2025-01-01,files-api-2026-01-01,mcp-client-2025-11-20");
    let mcp =
        json!({"mcp_servers": [{"url": "https://b"}], "messages": [{"content": [text("\"file_id\": 1")]}]});
    assert_eq!(request::betas(&mcp), ["mcp-client-2025-11-20"]);
}

#[test]
fn the_description_is_sound() {
    let description = Anthropic::describe();
    let schema: Value = serde_json::from_str(&description.settings_schema.unwrap()).unwrap();
    assert!(schema["properties"]["betas"].is_object());
    let context = |settings: &str| Context {
        instance: "anthropic".into(),
        base_url: String::new(),
        settings: settings.into(),
        credentials: Vec::new(),
    };
    assert_eq!(Settings::of(&context(r#"{"betas":["a"]}"#)).unwrap().betas, ["a"]);
    assert!(Settings::of(&context(r#"{"betas":1}"#)).is_err());
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

#[test]
fn a_blank_text_is_left_out_whatever_it_brings() {
    let blank =
        Part { replay: replay(None, Some(json!({"new": 1}))), ..part(PartContent::Text("\n\n".into())) };
    let said = part(PartContent::Text("a".into()));
    let back = wire(&ask(vec![Message::new(Role::Assistant, vec![blank, said]), user("?")]));
    assert_eq!(back["messages"][0]["content"], json!([text("a")]));
}

#[test]
fn only_what_counts_is_counted() {
    let ctx = Context {
        instance: "anthropic".into(),
        base_url: "https://h/v1".into(),
        settings: "{}".into(),
        credentials: Vec::new(),
    };
    let request = ChatRequest {
        streaming: true,
        sampling: Sampling { temperature: Some(0.5), max_tokens: Some(9), ..Sampling::default() },
        extra: Some(json!({ "service_tier": "auto", "mcp_servers": [] }).to_string()),
        ..ask(vec![Message::text(Role::System, "Be brief."), user("Hi")])
    };
    let http = count_request(&ctx, &request).unwrap();
    assert_eq!(http.url, "https://h/v1/messages/count_tokens");
    assert!(http.headers.contains(&("anthropic-beta".into(), "mcp-client-2025-11-20".into())));
    let body: Value = serde_json::from_slice(&http.body).unwrap();
    assert_eq!(
        body,
        json!({
            "model": "claude-sonnet-4-5", "system": [text("Be brief.")], "mcp_servers": [],
            "messages": [{ "role": "user", "content": [text("Hi")] }],
        })
    );
}
