//! The contract's requests on the wire, setting by setting.

use serde_json::{Value, json};

use super::super::{Quirks, body, request};
use crate::{
    ChatRequest, Context, Media, MediaKind, MediaSource, Message, Opaque, Origin, Part, PartContent,
    Reasoning, Replay, ResponseFormat, Role, SchemaFormat, Thinking, ThinkingMode, Tool, ToolCall,
    ToolChoice, ToolDefinition, ToolOutput, ToolResult,
};

fn ctx() -> Context {
    Context {
        instance: "here".into(),
        base_url: "https://api.example.com/v1".into(),
        settings: "{}".into(),
        credentials: Vec::new(),
    }
}

fn written(request: &ChatRequest, settings: &Value) -> (Value, Vec<String>) {
    let quirks = Quirks::default().with_settings(&settings.to_string()).unwrap();
    let mut warnings = Vec::new();
    let body = body(&ctx(), request, &quirks, &mut warnings).unwrap();
    (body, warnings)
}

/// The messages that go out for these.
fn messages(messages: Vec<Message>, settings: &Value) -> Value {
    written(&ChatRequest::new("m", messages), settings).0["messages"].take()
}

fn assistant(parts: Vec<Part>) -> Vec<Message> {
    vec![Message::new(Role::Assistant, parts)]
}

fn text(text: &str) -> Part {
    PartContent::Text(text.into()).into()
}

fn thought(text: &str) -> Part {
    PartContent::Reasoning(Reasoning::Text(text.into())).into()
}

fn replayed(part: Part, data: &Value) -> Part {
    Part { replay: Some(Replay { signature: None, item_id: None, data: Some(data.to_string()) }), ..part }
}

fn call(id: &str, arguments: &str) -> Part {
    let (id, name, arguments) = (id.into(), "f".into(), arguments.into());
    PartContent::ToolCall(ToolCall { id, name, arguments, server_executed: false }).into()
}

fn result(id: &str, output: Vec<ToolOutput>) -> Message {
    let result = ToolResult { call_id: id.into(), name: "f".into(), output, is_error: false };
    Message::new(Role::Tool, vec![PartContent::ToolResult(result).into()])
}

fn medium(kind: MediaKind, mime_type: &str, source: MediaSource) -> Media {
    Media { kind, mime_type: mime_type.into(), source, name: Some("a.pdf".into()), detail: None }
}

fn bytes() -> MediaSource {
    MediaSource::Bytes(b"abc".to_vec())
}

fn tool() -> ToolDefinition {
    ToolDefinition {
        name: "f".into(),
        description: "d".into(),
        parameters: r#"{"type":"object"}"#.into(),
        strict: Some(true),
        cache_here: true,
        extra: Some(r#"{"defer_loading":true}"#.into()),
    }
}

#[test]
fn a_small_request() {
    let mut small =
        ChatRequest::new("m", vec![Message::text(Role::System, "s"), Message::text(Role::User, "u")]);
    let want = json!({
        "model": "m",
        "messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}],
        "stream": true,
        "stream_options": {"include_usage": true},
    });
    assert_eq!(written(&small, &json!({})).0, want);
    let (body, _) = written(&small, &json!({"stream-usage": false, "system-role": "developer"}));
    assert_eq!((&body["messages"][0]["role"], &body["stream_options"]), (&json!("developer"), &Value::Null));
    small.streaming = false;
    let prepared =
        request(&ctx(), &small, &Quirks { chat_path: "chat?v=1".into(), ..Quirks::default() }).unwrap();
    assert_eq!(prepared.http.url, "https://api.example.com/v1/chat?v=1");
    let body: Value = serde_json::from_slice(&prepared.http.body).unwrap();
    assert_eq!(body.as_object().unwrap().len(), 2);
}

#[test]
fn sampling_under_the_servers_names() {
    let mut sampled = ChatRequest::new("m", Vec::new());
    sampled.streaming = false;
    sampled.sampling.temperature = Some(0.5);
    sampled.sampling.top_k = Some(3);
    sampled.sampling.repetition_penalty = Some(1.1);
    sampled.sampling.max_tokens = Some(9);
    sampled.sampling.context_length = Some(99);
    sampled.sampling.stop = vec!["x".into()];
    sampled.logprobs = Some(0);
    sampled.extra = Some(r#"{"temperature":null,"a":{"b":1}}"#.into());
    let settings = json!({"parameters": {
        "max-tokens": "max_completion_tokens", "repetition-penalty": "options.repeat_penalty", "top-k": "",
    }});
    let (body, warnings) = written(&sampled, &settings);
    let want = json!({
        "model": "m", "messages": [], "options": {"repeat_penalty": 1.1}, "max_completion_tokens": 9, "stop": ["x"],
        "logprobs": true, "a": {"b": 1},
    });
    assert_eq!(body, want);
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    sampled.logprobs = Some(2);
    assert_eq!(written(&sampled, &settings).0["top_logprobs"], 2);
}

#[test]
fn thinking_as_the_server_wants_it() {
    let ask = |mode, effort: Option<&str>, settings: Value| {
        let mut asked = ChatRequest::new("m", Vec::new());
        asked.streaming = false;
        let effort = effort.map(str::to_owned);
        asked.thinking = Some(Thinking { mode, effort, budget_tokens: Some(7), summary: None });
        let (mut body, warnings) = written(&asked, &settings);
        body.as_object_mut().unwrap().retain(|name, _| name != "model" && name != "messages");
        (body, warnings.len())
    };
    use ThinkingMode::{Adaptive, Off, On};
    assert_eq!(ask(On, Some("low"), json!({})), (json!({"reasoning_effort": "low"}), 1));
    assert_eq!(ask(Off, None, json!({})), (json!({"reasoning_effort": "none"}), 0));
    let openrouter = json!({"thinking": {
        "on": {"reasoning": {"enabled": true}}, "off": {"reasoning": {"enabled": false}},
        "effort": "reasoning.effort", "budget": "reasoning.max_tokens",
    }});
    let on = json!({"reasoning": {"enabled": true, "effort": "low", "max_tokens": 7}});
    assert_eq!(ask(On, Some("low"), openrouter.clone()), (on, 0));
    assert_eq!(ask(Adaptive, None, openrouter.clone()), (json!({"reasoning": {"max_tokens": 7}}), 0));
    assert_eq!(ask(Off, None, openrouter), (json!({"reasoning": {"enabled": false}}), 0));
    let template =
        json!({"thinking": {"on": {"chat_template_kwargs": {"enable_thinking": true}}, "effort": ""}});
    assert_eq!(ask(On, None, template), (json!({"chat_template_kwargs": {"enable_thinking": true}}), 1));
    assert_eq!(ask(Off, None, json!({"thinking": {"off": {}}})), (json!({}), 1));
}

#[test]
fn tools_and_choices() {
    let mut asked = ChatRequest::new("m", Vec::new());
    asked.tool_choice = ToolChoice::Required;
    assert_eq!(written(&asked, &json!({})).0.get("tool_choice"), None, "no choice among no tools");
    let search = Opaque { kind: "web_search".into(), data: r#"{"type":"web_search"}"#.into() };
    asked.tools = vec![Tool::Function(tool()), Tool::ProviderDefined(search)];
    asked.parallel_tool_calls = Some(false);
    let (body, _) = written(&asked, &json!({"cache-control": true}));
    let function = json!({"name": "f", "description": "d", "parameters": {"type": "object"}, "strict": true});
    let mark = json!({"type": "ephemeral"});
    let want = json!([
        {"type": "function", "function": function, "cache_control": mark, "defer_loading": true},
        {"type": "web_search"},
    ]);
    assert_eq!(body["tools"], want);
    assert_eq!((&body["tool_choice"], &body["parallel_tool_calls"]), (&json!("required"), &json!(false)));
    assert_eq!(written(&asked, &json!({"required-tool": "any"})).0["tool_choice"], "any");
    assert_eq!(written(&asked, &json!({})).0["tools"][0].get("cache_control"), None);
    for (choice, want) in [
        (ToolChoice::Auto, Value::Null),
        (ToolChoice::None, json!("none")),
        (ToolChoice::Named("f".into()), json!({"type": "function", "function": {"name": "f"}})),
    ] {
        asked.tool_choice = choice;
        assert_eq!(written(&asked, &json!({})).0["tool_choice"], want);
    }
    asked.tools = vec![Tool::Function(ToolDefinition { parameters: "{".into(), ..tool() })];
    let failure = body_of_wrong(&asked);
    assert!(failure.contains("schema"), "{failure}");
}

fn body_of_wrong(wrong: &ChatRequest) -> String {
    body(&ctx(), wrong, &Quirks::default(), &mut Vec::new()).unwrap_err().message
}

#[test]
fn response_formats() {
    let mut asked = ChatRequest::new("m", Vec::new());
    asked.response_format = ResponseFormat::Json;
    assert_eq!(written(&asked, &json!({})).0["response_format"], json!({"type": "json_object"}));
    let schema = SchemaFormat { name: "n".into(), schema: "{}".into(), strict: true };
    asked.response_format = ResponseFormat::Schema(schema);
    let want = json!({"type": "json_schema", "json_schema": {"name": "n", "schema": {}, "strict": true}});
    assert_eq!(written(&asked, &json!({})).0["response_format"], want);
    let (body, warnings) = written(&asked, &json!({"structured-output": "json_object"}));
    assert_eq!((&body["response_format"], warnings.len()), (&json!({"type": "json_object"}), 1));
}

#[test]
fn media_in_the_forms_of_brands() {
    let all = |settings: Value| {
        let url = |url: &str| MediaSource::Url(url.into());
        let media = [
            Media { detail: Some("low".into()), ..medium(MediaKind::Image, "image/png", bytes()) },
            medium(MediaKind::Audio, "audio/mpeg", bytes()),
            medium(MediaKind::Audio, "", url("https://a/b.mp3")),
            medium(MediaKind::Document, "application/pdf", bytes()),
            medium(MediaKind::Document, "text/plain", bytes()),
            medium(MediaKind::Document, "", MediaSource::FileId("id".into())),
            medium(MediaKind::Video, "video/mp4", url("https://a/b.mp4")),
        ];
        let parts = media.into_iter().map(|media| PartContent::Media(media).into()).collect();
        messages(vec![Message::new(Role::User, parts)], &settings)[0]["content"].take()
    };
    let image =
        json!({"type": "image_url", "image_url": {"url": "data:image/png;base64,YWJj", "detail": "low"}});
    let pdf = "data:application/pdf;base64,YWJj";
    let plain = json!({"type": "text", "text": "<document name=\"a.pdf\">\nabc\n</document>"});
    let video = json!({"type": "video_url", "video_url": {"url": "https://a/b.mp4"}});
    let want = json!([
        image,
        {"type": "input_audio", "input_audio": {"data": "YWJj", "format": "mp3"}},
        {"type": "audio_url", "audio_url": {"url": "https://a/b.mp3"}},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": pdf}},
        plain,
        {"type": "file", "file": {"file_id": "id"}},
        video,
    ]);
    assert_eq!(all(json!({})), want);
    let want = json!([
        image,
        {"type": "input_audio", "input_audio": "YWJj"},
        {"type": "input_audio", "input_audio": "https://a/b.mp3"},
        {"type": "document_url", "document_url": pdf, "document_name": "a.pdf"},
        plain,
        {"type": "file", "file_id": "id"},
        video,
    ]);
    assert_eq!(all(json!({"documents": "document_url", "audio": "string"})), want);
}

#[test]
fn text_is_a_string_unless_it_says_more() {
    let of = |role, parts, settings: &Value| {
        messages(vec![Message::new(role, parts)], settings)[0]["content"].take()
    };
    let two = || vec![text("a"), text("b")];
    let blocks = json!([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]);
    assert_eq!(of(Role::User, two(), &json!({})), blocks);
    assert_eq!(of(Role::System, two(), &json!({})), "a\n\nb");
    assert_eq!(of(Role::Assistant, two(), &json!({})), "ab");
    let marked = || vec![Part { cache_here: true, ..text("a") }];
    assert_eq!(of(Role::User, marked(), &json!({})), "a");
    let want = json!([{"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}]);
    for role in [Role::System, Role::User, Role::Assistant] {
        assert_eq!(of(role, marked(), &json!({"cache-control": true})), want);
    }
    let extra = || vec![Part { extra: Some(r#"{"cache_control":{"ttl":"1h"}}"#.into()), ..text("a") }];
    assert_eq!(of(Role::User, extra(), &json!({}))[0]["cache_control"], json!({"ttl": "1h"}));
}

#[test]
fn calls_and_results() {
    let turn = || {
        let media = ToolOutput::Media(medium(MediaKind::Image, "image/png", bytes()));
        vec![
            Message::new(Role::Assistant, vec![call("call_1", ""), call("call_2", "{\"a\":")]),
            result("call_1", vec![ToolOutput::Text("t".into()), ToolOutput::Json("{}".into())]),
            result("call_2", vec![media]),
            Message::text(Role::User, "u"),
        ]
    };
    let got = messages(turn(), &json!({}));
    assert_eq!(got[0]["content"], Value::Null);
    assert!(got[0].as_object().unwrap().contains_key("content"), "some servers refuse a missing member");
    assert_eq!(got[0]["tool_calls"][0]["function"], json!({"name": "f", "arguments": "{}"}));
    assert_eq!(got[0]["tool_calls"][1]["function"]["arguments"], "{\"a\":", "verbatim");
    assert_eq!(got[1], json!({"role": "tool", "tool_call_id": "call_1", "content": "t\n{}"}));
    assert_eq!(got[2]["role"], "tool");
    let (after, image) = (&got[3]["content"], json!({"url": "data:image/png;base64,YWJj"}));
    assert_eq!((&got[3]["role"], &after[1]["image_url"]), (&json!("user"), &image));
    assert!(after[0]["text"].as_str().unwrap().contains("call_2"));
    assert_eq!(got[4]["content"], "u");
    let got = messages(turn(), &json!({"tool-media": true}));
    assert_eq!((&got[2]["content"][0]["image_url"], got.as_array().unwrap().len()), (&image, 4));
}

#[test]
fn ids_of_calls_fit_the_server() {
    let long = "x".repeat(41);
    let ids = |id: &str, settings: Value| {
        let got = messages(
            vec![Message::new(Role::Assistant, vec![call(id, "{}")]), result(id, Vec::new())],
            &settings,
        );
        let (call, result) = (got[0]["tool_calls"][0]["id"].clone(), got[1]["tool_call_id"].clone());
        assert_eq!(call, result, "call and result keep together");
        call.as_str().unwrap().to_owned()
    };
    assert_eq!(ids(&long, json!({})), long);
    assert!(ids(&long, json!({"tool-call-ids": "max40"})).len() <= 40);
    assert_eq!(ids("call_1", json!({"tool-call-ids": "max40"})), "call_1");
    assert_eq!(ids("abcDEF123", json!({"tool-call-ids": "alphanumeric9"})), "abcDEF123");
    let (one, two) = ("call_1", "call_2");
    let short = |id| ids(id, json!({"tool-call-ids": "alphanumeric9"}));
    assert!(short(one).len() == 9 && short(one).bytes().all(|byte| byte.is_ascii_alphanumeric()));
    assert_ne!(short(one), short(two));
}

#[test]
fn reasoning_goes_back_as_the_server_wants_it() {
    let back = |settings: Value| messages(assistant(vec![thought("hm"), text("a")]), &settings)[0].take();
    assert_eq!(back(json!({})), json!({"role": "assistant", "content": "a"}));
    let member = json!({"role": "assistant", "content": "a", "reasoning_content": "hm"});
    assert_eq!(back(json!({"reasoning-back": "reasoning_content"})), member);
    let tags = json!({"role": "assistant", "content": "<think>\nhm\n</think>\n\na"});
    assert_eq!(back(json!({"reasoning-back": "tags"})), tags);
    let thinking = json!({"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]});
    let blocks = json!({"role": "assistant", "content": [thinking, {"type": "text", "text": "a"}]});
    assert_eq!(back(json!({"reasoning-back": "blocks"})), blocks);
    // Thoughts stay apart.
    let two = |back: &str| {
        let turn = assistant(vec![thought("hm"), thought("so"), text("a")]);
        messages(turn, &json!({"reasoning-back": back}))[0].take()
    };
    assert_eq!(two("reasoning")["reasoning"], "hm\n\nso");
    let pieces = json!([{"type": "text", "text": "hm"}, {"type": "text", "text": "so"}]);
    assert_eq!(two("blocks")["content"][0]["thinking"], pieces);
    // Reasoning alone says nothing to a server that does not take it back.
    assert_eq!(messages(assistant(vec![thought("hm")]), &json!({})), json!([]));
}

#[test]
fn what_a_provider_attached_goes_back_unchanged() {
    let detail =
        json!({"type": "reasoning.text", "text": "hm", "signature": "s", "index": 0, "format": null});
    let secret = json!({"type": "reasoning.encrypted", "data": "e", "id": "rs_1"});
    let block = json!({"type": "thinking", "thinking": [{"type": "text", "text": "hm"}], "signature": "s"});
    let opaque = |kind: &str, data: &Value| -> Part {
        PartContent::Opaque(Opaque { kind: kind.into(), data: data.to_string() }).into()
    };
    let redacted = PartContent::Reasoning(Reasoning::Redacted("e".into())).into();
    let got =
        messages(assistant(vec![replayed(thought("hm"), &detail), replayed(redacted, &secret)]), &json!({}));
    assert_eq!(got[0]["reasoning_details"], json!([detail, secret]));
    let got = messages(assistant(vec![opaque("reasoning.encrypted", &secret)]), &json!({}));
    assert_eq!(got[0]["reasoning_details"], json!([secret]));
    let got = messages(assistant(vec![replayed(thought("hm"), &block), text("a")]), &json!({}));
    assert_eq!(got[0]["content"], json!([block, {"type": "text", "text": "a"}]));
    let signed = Part {
        replay: Some(Replay { signature: Some("s".into()), item_id: None, data: None }),
        ..thought("hm")
    };
    let got = messages(assistant(vec![signed]), &json!({}));
    assert_eq!(
        got[0]["reasoning_details"],
        json!([{"type": "reasoning.text", "text": "hm", "signature": "s"}])
    );
    let members = json!({"annotations": [{"type": "file"}]});
    let got = messages(assistant(vec![text("a"), opaque("message", &members)]), &json!({}));
    assert_eq!(got[0], json!({"role": "assistant", "content": "a", "annotations": [{"type": "file"}]}));
    // Gemini's signatures, as the shim gave them and as a caller names them.
    let google = json!({"extra_content": {"google": {"thought_signature": "s"}}});
    let given = replayed(call("c", "{}"), &google);
    let named = Part {
        replay: Some(Replay { signature: Some("s".into()), item_id: None, data: None }),
        ..call("c", "{}")
    };
    for part in [given, named] {
        let got = messages(assistant(vec![part]), &json!({}));
        assert_eq!(got[0]["tool_calls"][0]["extra_content"], google["extra_content"]);
    }
    let custom =
        messages(assistant(vec![replayed(call("c", "free"), &json!({"type": "custom"}))]), &json!({}));
    let want = json!({"id": "c", "type": "custom", "custom": {"name": "f", "input": "free"}});
    assert_eq!(custom[0]["tool_calls"][0], want);
    let synthetic =
        messages(assistant(vec![replayed(call("c", "{}"), &json!({"id_synthetic": true}))]), &json!({}));
    assert_eq!(synthetic[0]["tool_calls"][0].as_object().unwrap().len(), 3);
}

#[test]
fn other_turns_of_the_assistant() {
    let refusal = PartContent::Refusal("no".into()).into();
    let want = json!([{"role": "assistant", "content": null, "refusal": "no"}]);
    assert_eq!(messages(assistant(vec![refusal]), &json!({})), want);
    let prefix = Message { extra: Some(r#"{"prefix":true}"#.into()), ..Message::text(Role::Assistant, "{") };
    assert_eq!(
        messages(vec![prefix], &json!({})),
        json!([{"role": "assistant", "content": "{", "prefix": true}])
    );
    assert_eq!(messages(assistant(Vec::new()), &json!({})), json!([]));
    let spoken = || Part {
        replay: Some(Replay { signature: None, item_id: Some("audio_1".into()), data: None }),
        ..PartContent::Media(medium(MediaKind::Audio, "audio/wav", bytes())).into()
    };
    let got = messages(assistant(vec![spoken()]), &json!({}));
    assert_eq!(got, json!([{"role": "assistant", "content": null, "audio": {"id": "audio_1"}}]));
    let origin = Some(Origin { provider: "there".into(), model: "m".into() });
    let foreign = vec![Message { origin, ..Message::new(Role::Assistant, vec![text("a"), spoken()]) }];
    let (body, warnings) = written(&ChatRequest::new("m", foreign), &json!({}));
    assert_eq!((&body["messages"][0].as_object().unwrap().len(), warnings.len()), (&2, 1));
}
