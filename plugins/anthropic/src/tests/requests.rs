//! What is asked besides the conversation, and where.

use super::*;

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
