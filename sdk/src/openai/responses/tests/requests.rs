//! Requests in the forms that are rare.

use serde_json::{Value, json};

use super::super::super::quirks::{Quirks, ReasoningBack};
use super::super::{ResponsesQuirks, Store, body, request};
use crate::{
    ChatRequest, Context, Media, MediaKind, MediaSource, Message, Opaque, Origin, Part, PartContent,
    Reasoning, Replay, Role, Sampling, Thinking, ThinkingMode, Tool, ToolCall, ToolChoice, ToolDefinition,
    ToolOutput, ToolResult,
};

fn ctx() -> Context {
    Context {
        instance: "me".into(),
        base_url: "https://api.example.com/v1/".into(),
        settings: "{}".into(),
        credentials: Vec::new(),
    }
}

fn made(request: &ChatRequest, quirks: &Quirks) -> (Value, Vec<String>) {
    let mut warnings = Vec::new();
    let body = body(&ctx(), request, quirks, &mut warnings).unwrap();
    (body, warnings)
}

fn chat(messages: Vec<Message>) -> ChatRequest {
    ChatRequest { streaming: false, ..ChatRequest::new("m", messages) }
}

fn replay(item_id: Option<&str>, data: Option<Value>) -> Option<Replay> {
    Some(Replay {
        signature: None,
        item_id: item_id.map(str::to_owned),
        data: data.map(|data| data.to_string()),
    })
}

fn part(content: PartContent, replay: Option<Replay>) -> Part {
    Part { replay, ..content.into() }
}

fn call(id: &str, arguments: &str, server_executed: bool) -> PartContent {
    let (id, name, arguments) = (id.into(), "t".into(), arguments.into());
    PartContent::ToolCall(ToolCall { id, name, arguments, server_executed })
}

fn result(id: &str, output: Vec<ToolOutput>) -> Part {
    let (call_id, name) = (id.into(), "t".into());
    PartContent::ToolResult(ToolResult { call_id, name, output, is_error: false }).into()
}

fn text(text: &str) -> PartContent {
    PartContent::Text(text.into())
}

#[test]
fn where_it_goes() {
    let quirks = Quirks::default();
    let made = request(&ctx(), &chat(vec![Message::text(Role::User, "a")]), &quirks).unwrap();
    assert_eq!(made.http.url, "https://api.example.com/v1/responses");
}

#[test]
fn system_messages_by_setting() {
    let messages = vec![
        Message::text(Role::System, "be brief"),
        Message::text(Role::User, "a"),
        Message::text(Role::System, "now long"),
    ];
    let item = |role: &str, text: &str| json!({"type": "message", "role": role, "content": text});
    let developer = Quirks { system_role: "developer".into(), ..Quirks::default() };
    let (body, _) = made(&chat(messages.clone()), &developer);
    let want = json!([item("developer", "be brief"), item("user", "a"), item("developer", "now long")]);
    assert_eq!((&body["input"], body.get("instructions")), (&want, None));
    let apart = Quirks {
        responses: ResponsesQuirks { instructions: true, ..ResponsesQuirks::default() },
        ..Quirks::default()
    };
    let (body, _) = made(&chat(messages), &apart);
    assert_eq!(body["instructions"], "be brief");
    assert_eq!(body["input"], json!([item("user", "a"), item("system", "now long")]));
}

#[test]
fn a_turn_goes_back_item_by_item() {
    let search = json!({"type": "web_search_call", "id": "ws", "status": "completed"});
    let compaction = json!({"type": "compaction", "id": "cmp", "encrypted_content": "e"});
    let thought =
        json!({"type": "reasoning", "id": "rs", "summary": [{"type": "summary_text", "text": "s"}]});
    let image = Media {
        kind: MediaKind::Image,
        mime_type: "image/png".into(),
        source: MediaSource::Bytes(vec![0, 255, 1]),
        name: None,
        detail: None,
    };
    let phase = json!({"item": {"phase": "commentary"}, "part": {"annotations": [{"type": "x"}]}});
    let turn = vec![
        part(PartContent::Reasoning(Reasoning::Summary("s".into())), replay(None, Some(thought.clone()))),
        part(PartContent::Reasoning(Reasoning::Text("t".into())), replay(Some("rs"), None)),
        part(call("ws", "{}", true), replay(Some("ws"), Some(search.clone()))),
        part(text("a"), replay(Some("m1"), Some(phase))),
        part(PartContent::Refusal("no".into()), replay(Some("m1"), None)),
        part(text("b"), replay(Some("m2"), None)),
        part(PartContent::Opaque(Opaque { kind: "compaction".into(), data: compaction.to_string() }), None),
        part(
            PartContent::Media(image.clone()),
            replay(Some("ig"), Some(json!({"type": "image_generation_call", "id": "ig"}))),
        ),
        part(
            call("c1", "", false),
            replay(Some("fc"), Some(json!({"namespace": "n", "id_synthetic": true}))),
        ),
        part(call("c2", "1+1", false), replay(None, Some(json!({"type": "custom_tool_call"})))),
        part(text(""), None),
    ];
    let results = vec![
        result("c1", vec![ToolOutput::Text("x".into()), ToolOutput::Media(image)]),
        result("c2", vec![ToolOutput::Text("2".into()), ToolOutput::Json("{}".into())]),
    ];
    let messages = vec![Message::new(Role::Assistant, turn), Message::new(Role::Tool, results)];
    let (body, warnings) = made(&chat(messages.clone()), &Quirks::default());
    let message = |id: &str, content: Value| json!({"type": "message", "id": id, "role": "assistant", "status": "completed", "content": content});
    let mut first = message(
        "m1",
        json!([{"type": "output_text", "text": "a", "annotations": [{"type": "x"}]}, {"type": "refusal", "refusal": "no"}]),
    );
    first["phase"] = "commentary".into();
    let want = json!([
        thought,
        search,
        first,
        message("m2", json!([{"type": "output_text", "text": "b", "annotations": []}])),
        compaction,
        {"type": "image_generation_call", "id": "ig", "result": "AP8B"},
        {"type": "function_call", "call_id": "c1", "name": "t", "arguments": "{}", "namespace": "n", "id": "fc"},
        {"type": "custom_tool_call", "call_id": "c2", "name": "t", "input": "1+1"},
        {"type": "function_call_output", "call_id": "c1", "output": [
            {"type": "input_text", "text": "x"}, {"type": "input_image", "image_url": "data:image/png;base64,AP8B"}]},
        {"type": "custom_tool_call_output", "call_id": "c2", "output": "2\n{}"},
    ]);
    assert_eq!((&body["input"], warnings), (&want, Vec::new()));
    // Another model gets the words, not the ids.
    let mut messages = messages;
    messages[0].origin = Some(Origin { provider: "me".into(), model: "other".into() });
    let (body, _) = made(&chat(messages), &Quirks::default());
    let kinds: Vec<_> = body["input"].as_array().unwrap().iter().map(|item| &item["type"]).collect();
    let output = "function_call_output";
    assert_eq!(kinds, ["message", "function_call", "function_call", output, output]);
    assert!(!body.to_string().contains("\"id\""));
}

#[test]
fn a_snapshot_is_the_same_model() {
    let thought = json!({"type": "reasoning", "id": "rs", "summary": [], "encrypted_content": "e"});
    let opaque = PartContent::Opaque(Opaque { kind: "reasoning".into(), data: thought.to_string() });
    let mut turn = Message::new(Role::Assistant, vec![part(opaque, None), part(text("a"), None)]);
    for (model, items) in [("m", 2), ("m-2026-03-05", 2), ("m-mini", 1)] {
        turn.origin = Some(Origin { provider: "me".into(), model: model.into() });
        let (body, _) = made(&chat(vec![turn.clone()]), &Quirks::default());
        assert_eq!(body["input"].as_array().unwrap().len(), items, "{model}");
    }
}

#[test]
fn nothing_is_kept_at_the_server() {
    let bare = json!({"type": "reasoning", "id": "rs", "summary": []}).to_string();
    let opaque = PartContent::Opaque(Opaque { kind: "reasoning".into(), data: bare });
    let turn = Message::new(Role::Assistant, vec![part(opaque, None), part(text("a"), None)]);
    let quirks = Quirks {
        responses: ResponsesQuirks {
            store: Store::No,
            include: vec!["x".into(), "reasoning.encrypted_content".into()],
            ..ResponsesQuirks::default()
        },
        ..Quirks::default()
    };
    let (body, warnings) = made(&chat(vec![turn.clone()]), &quirks);
    assert_eq!(body["store"], false);
    assert_eq!(body["include"], json!(["reasoning.encrypted_content", "x"]));
    assert_eq!((body["input"].as_array().unwrap().len(), warnings.len()), (1, 1));
    let asked = ChatRequest { extra: Some(r#"{"store":false,"include":[]}"#.into()), ..chat(vec![turn]) };
    let (body, warnings) = made(&asked, &Quirks::default());
    assert_eq!((body["input"].as_array().unwrap().len(), warnings.len()), (1, 1));
    assert_eq!(body["include"], json!([]));
}

#[test]
fn reasoning_of_servers_without_items() {
    let thought = |content, signature: Option<&str>| {
        let replay = signature.map(|signature| Replay {
            signature: Some(signature.into()),
            item_id: None,
            data: None,
        });
        Message::new(Role::Assistant, vec![part(content, replay)])
    };
    let words = thought(PartContent::Reasoning(Reasoning::Text("hm".into())), None);
    assert_eq!(made(&chat(vec![words.clone()]), &Quirks::default()).0["input"], json!([]));
    let back = Quirks { reasoning_back: ReasoningBack::Member("reasoning".into()), ..Quirks::default() };
    let item =
        json!({"type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": "hm"}]});
    assert_eq!(made(&chat(vec![words]), &back).0["input"], json!([item]));
    let signed = thought(PartContent::Reasoning(Reasoning::Summary("s".into())), Some("e"));
    let item = json!({"type": "reasoning", "summary": [{"type": "summary_text", "text": "s"}], "encrypted_content": "e"});
    assert_eq!(made(&chat(vec![signed]), &Quirks::default()).0["input"], json!([item]));
    let redacted = thought(PartContent::Reasoning(Reasoning::Redacted("e".into())), None);
    let item = json!({"type": "reasoning", "summary": [], "encrypted_content": "e"});
    assert_eq!(made(&chat(vec![redacted]), &Quirks::default()).0["input"], json!([item]));
}

#[test]
fn tools_and_choices() {
    let own = |data: Value| {
        let kind = data["type"].as_str().unwrap().to_owned();
        Tool::ProviderDefined(Opaque { kind, data: data.to_string() })
    };
    let custom = json!({"type": "custom", "name": "run", "format": {"type": "text"}});
    let mcp = json!({"type": "mcp", "server_label": "wiki", "server_url": "https://x"});
    let mut request = chat(vec![Message::text(Role::User, "a")]);
    request.tool_choice = ToolChoice::Required;
    assert_eq!(made(&request, &Quirks::default()).0.get("tool_choice"), None);
    request.tools = vec![
        Tool::Function(ToolDefinition {
            name: "f".into(),
            description: String::new(),
            parameters: r#"{"type":"object"}"#.into(),
            strict: Some(true),
            cache_here: false,
            extra: Some(r#"{"defer_loading":true,"function":{"inner":1}}"#.into()),
        }),
        own(custom.clone()),
        own(mcp.clone()),
        own(json!({"type": "web_search"})),
    ];
    let (body, _) = made(&request, &Quirks::default());
    let function = json!({"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": true,
        "defer_loading": true, "inner": 1});
    assert_eq!(body["tools"], json!([function, custom, mcp, {"type": "web_search"}]));
    for (choice, want) in [
        (ToolChoice::Auto, Value::Null),
        (ToolChoice::None, json!("none")),
        (ToolChoice::Required, json!("required")),
        (ToolChoice::Named("f".into()), json!({"type": "function", "name": "f"})),
        (ToolChoice::Named("run".into()), json!({"type": "custom", "name": "run"})),
        (ToolChoice::Named("wiki".into()), json!({"type": "mcp", "server_label": "wiki"})),
        (ToolChoice::Named("web_search".into()), json!({"type": "web_search"})),
    ] {
        request.tool_choice = choice;
        assert_eq!(made(&request, &Quirks::default()).0["tool_choice"], want);
    }
    let allowed =
        json!({"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "f"}]});
    request.tool_choice = ToolChoice::Auto;
    request.extra = Some(json!({"tool_choice": allowed, "previous_response_id": "r"}).to_string());
    let (body, _) = made(&request, &Quirks::default());
    assert_eq!((&body["tool_choice"], &body["previous_response_id"]), (&allowed, &json!("r")));
}

#[test]
fn parameters_thinking_and_log_probabilities() {
    let sampling = Sampling {
        temperature: Some(0.5),
        max_tokens: Some(9),
        seed: Some(1),
        top_k: Some(2),
        ..Sampling::default()
    };
    let mut request = chat(vec![Message::text(Role::User, "a")]);
    request.sampling = sampling;
    request.logprobs = Some(2);
    request.extra = Some(r#"{"include":["x"],"stream_options":{"include_usage":true}}"#.into());
    let named = ResponsesQuirks {
        parameters: serde_json::Map::from_iter([("top-k".into(), "top_k".into())]),
        ..ResponsesQuirks::default()
    };
    let quirks = Quirks { responses: named, ..Quirks::default() };
    let (body, warnings) = made(&request, &quirks);
    let want = json!({
        "model": "m", "input": [{"type": "message", "role": "user", "content": "a"}], "temperature": 0.5,
        "top_k": 2, "max_output_tokens": 9, "include": ["x", "message.output_text.logprobs"], "top_logprobs": 2,
    });
    assert_eq!(body, want);
    assert!(warnings.len() == 1 && warnings[0].contains("`seed`"), "{warnings:?}");
    request.logprobs = None;
    for (mode, effort, no_effort, want, warned) in [
        (ThinkingMode::On, Some("low"), "none", json!({"effort": "low"}), 0),
        (ThinkingMode::Off, None, "none", json!({"effort": "none"}), 0),
        (ThinkingMode::Off, None, "", Value::Null, 1),
        (ThinkingMode::Off, Some("minimal"), "", json!({"effort": "minimal"}), 0),
        (ThinkingMode::Adaptive, None, "none", Value::Null, 0),
    ] {
        let effort = effort.map(str::to_owned);
        request.thinking = Some(Thinking { mode, effort, budget_tokens: None, summary: None });
        let mut quirks = quirks.clone();
        quirks.responses.no_effort = no_effort.into();
        let (body, warnings) = made(&request, &quirks);
        assert_eq!((&body["reasoning"], warnings.len()), (&want, 1 + warned));
    }
}

#[test]
fn media_and_blocks() {
    let media = |kind, mime: &str, source, name: Option<&str>| {
        let (name, detail) = (name.map(str::to_owned), Some("low".to_owned()));
        PartContent::Media(Media { kind, mime_type: mime.into(), source, name, detail }).into()
    };
    let bytes = || MediaSource::Bytes(vec![0, 255, 1]);
    let url = || MediaSource::Url("https://x/y".into());
    let own = json!({"type": "input_own", "x": 1});
    let parts = vec![
        media(MediaKind::Image, "", url(), None),
        media(MediaKind::Image, "", MediaSource::FileId("f".into()), None),
        media(MediaKind::Document, "application/pdf", bytes(), Some("a.pdf")),
        media(MediaKind::Document, "", url(), None),
        media(MediaKind::Document, "", MediaSource::FileId("f".into()), None),
        media(MediaKind::Audio, "audio/mpeg", bytes(), None),
        media(MediaKind::Video, "", url(), None),
        PartContent::Opaque(Opaque { kind: "input_own".into(), data: own.to_string() }).into(),
        PartContent::Opaque(Opaque {
            kind: "additional_tools".into(),
            data: "{\"type\":\"additional_tools\"}".into(),
        })
        .into(),
        text("after").into(),
    ];
    let (body, warnings) = made(&chat(vec![Message::new(Role::User, parts)]), &Quirks::default());
    let want = json!([
        {"type": "message", "role": "user", "content": [
            {"type": "input_image", "image_url": "https://x/y", "detail": "low"},
            {"type": "input_image", "file_id": "f", "detail": "low"},
            {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,AP8B"},
            {"type": "input_file", "file_url": "https://x/y"},
            {"type": "input_file", "file_id": "f"},
            {"type": "input_audio", "input_audio": {"data": "AP8B", "format": "mp3"}},
            {"type": "input_video", "video_url": "https://x/y"},
            own,
        ]},
        {"type": "additional_tools"},
        {"type": "message", "role": "user", "content": "after"},
    ]);
    assert_eq!((&body["input"], warnings), (&want, Vec::new()));
}
