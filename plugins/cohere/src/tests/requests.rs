//! What is asked, and where.

use super::*;

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
