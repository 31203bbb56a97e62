//! What is sent.

use aimu_sdk::*;
use serde_json::{Value, json};

use crate::request;

const CLAUDE: &str = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";
const NOVA: &str = "us.amazon.nova-2-lite-v1:0";

fn ask(model: &str, messages: Vec<Message>) -> ChatRequest {
    ChatRequest::new(model, messages)
}

fn user(text: &str) -> Message {
    Message::text(Role::User, text)
}

fn wire(request: &ChatRequest) -> Value {
    let request::Body { body, warnings } = request::body(request).unwrap();
    assert_eq!(warnings, Vec::<String>::new());
    body
}

fn warned(request: &ChatRequest) -> (Value, String) {
    let request::Body { body, warnings } = request::body(request).unwrap();
    assert!(!warnings.is_empty());
    (body, warnings.join("\n"))
}

fn call(id: &str, arguments: &str, replay: Option<Replay>) -> Part {
    let call =
        ToolCall { id: id.into(), name: "f".into(), arguments: arguments.into(), server_executed: false };
    Part { replay, ..PartContent::ToolCall(call).into() }
}

fn result(id: &str, output: Vec<ToolOutput>, is_error: bool) -> Message {
    let result = ToolResult { call_id: id.into(), name: "f".into(), output, is_error };
    Message::new(Role::Tool, vec![PartContent::ToolResult(result).into()])
}

fn media(kind: MediaKind, mime: &str) -> Media {
    Media { kind, mime_type: mime.into(), source: MediaSource::Bytes(vec![1]), name: None, detail: None }
}

fn replay(signature: Option<&str>, data: Option<Value>) -> Option<Replay> {
    let data = data.map(|data| data.to_string());
    Some(Replay { signature: signature.map(str::to_owned), item_id: None, data })
}

fn cached(mut part: Part, extra: Option<Value>) -> Part {
    part.cache_here = true;
    part.extra = extra.map(|extra| extra.to_string());
    part
}

fn function(name: &str) -> ToolDefinition {
    ToolDefinition {
        name: name.into(),
        description: "d".into(),
        parameters: json!({"type": "object", "properties": {}}).to_string(),
        strict: None,
        cache_here: false,
        extra: None,
    }
}

fn text(text: &str) -> Value {
    json!({ "text": text })
}

fn say(role: &str, content: Vec<Value>) -> Value {
    json!({ "role": role, "content": content })
}

#[test]
fn roles_alternate_and_the_empty_is_dropped() {
    let mut named = user("b");
    named.extra = Some(json!({"name": "n", "prefix": true}).to_string());
    let request = ask(
        CLAUDE,
        vec![
            Message::text(Role::System, "be brief"),
            Message::text(Role::System, ""),
            user("a"),
            named,
            Message::text(Role::Assistant, " \n"),
            Message::text(Role::System, "later"),
            user("c"),
            Message::text(Role::Assistant, "It is \n"),
        ],
    );
    assert_eq!(
        wire(&request),
        json!({
            "system": [text("be brief"), text("later")],
            "messages": [say("user", vec![text("a"), text("b"), text("c")]), say("assistant", vec![text("It is")])],
        })
    );
}

#[test]
fn messages_of_their_own_stay_apart() {
    let mut own = user("b");
    own.extra = Some(json!({"x": 1}).to_string());
    let messages = wire(&ask(CLAUDE, vec![user("a"), own]))["messages"].clone();
    assert_eq!(messages[1], json!({"role": "user", "content": [text("b")], "x": 1}));
    let mut wrong = user("b");
    wrong.extra = Some("[]".into());
    assert!(request::body(&ask(CLAUDE, vec![wrong])).is_err());
}

#[test]
fn thoughts_calls_and_results() {
    let thought =
        |text: &str, replay| Part { replay, ..PartContent::Reasoning(Reasoning::Text(text.into())).into() };
    let answer = Message::new(
        Role::Assistant,
        vec![
            thought("hm", replay(Some("s"), None)),
            thought("unsigned", None),
            thought("raw", replay(None, Some(json!({"reasoningContent": {"new": 1}})))),
            PartContent::Reasoning(Reasoning::Redacted("cg==".into())).into(),
            call("i 1", r#"{"a": 1}"#, None),
            call("j", "", replay(None, Some(json!({"type": "server_tool_use"})))),
            call("k", "", replay(None, Some(json!({"id_synthetic": true})))),
        ],
    );
    let results = [
        result("i 1", vec![ToolOutput::Text("t".into()), ToolOutput::Json(r#"{"b":2}"#.into())], false),
        result("j", vec![ToolOutput::Json("[1]".into()), ToolOutput::Text(" ".into())], true),
        result("k", vec![], false),
    ];
    let mut messages = vec![user("a"), answer];
    messages.extend(results);
    let request = ChatRequest { tools: vec![Tool::Function(function("f"))], ..ask(CLAUDE, messages.clone()) };
    let body = wire(&request);
    let used = |id: &str, input: Value| json!({"toolUse": {"toolUseId": id, "name": "f", "input": input}});
    assert_eq!(
        body["messages"][1]["content"],
        json!([
            {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "s"}}},
            {"reasoningContent": {"new": 1}},
            {"reasoningContent": {"redactedContent": "cg=="}},
            used("i_1", json!({"a": 1})),
            {"toolUse": {"toolUseId": "j", "name": "f", "input": {}, "type": "server_tool_use"}},
            used("k", json!({})),
        ])
    );
    assert_eq!(
        body["messages"][2],
        say(
            "user",
            vec![
                json!({"toolResult": {"toolUseId": "i_1", "content": [text("t"), {"json": {"b": 2}}],
                    "status": "success"}}),
                json!({"toolResult": {"toolUseId": "j", "content": [text("[1]")], "status": "error"}}),
                json!({"toolResult": {"toolUseId": "k", "content": [], "status": "success"}}),
            ]
        )
    );
    // Writer's models know no status.
    let body = wire(&ask("us.writer.palmyra-x4-v1:0", messages));
    assert_eq!(body["messages"][2]["content"][0]["toolResult"].get("status"), None);
}

#[test]
fn broken_arguments_reach_the_model() {
    let request = ask(
        CLAUDE,
        vec![
            user("a"),
            Message::new(Role::Assistant, vec![call("i", "{\"a\"", None)]),
            result("i", vec![], true),
        ],
    );
    let (body, warning) = warned(&request);
    assert_eq!(body["messages"][1]["content"][0]["toolUse"]["input"], json!({"invalid_json": "{\"a\""}));
    assert!(warning.contains('i'));
}

#[test]
fn what_the_service_has_no_shape_for_goes_back_unchanged() {
    let block =
        json!({"toolResult": {"toolUseId": "t", "content": [{"json": {"a": 1}}], "type": "x_result"}});
    let opaque = Opaque { kind: "toolResult".into(), data: block.to_string() };
    let cited =
        |data: Value| Part { replay: replay(None, Some(data)), ..PartContent::Text("t".into()).into() };
    let parts = vec![
        PartContent::Opaque(opaque).into(),
        cited(json!({"citations": [{"title": "a"}]})),
        cited(json!({"citations": [], "content": [{"text": "t"}, {"other": 1}]})),
        PartContent::Refusal("no".into()).into(),
    ];
    let body = wire(&ask(CLAUDE, vec![user("a"), Message::new(Role::Assistant, parts), user("b")]));
    assert_eq!(
        body["messages"][1]["content"],
        json!([
            block,
            {"citationsContent": {"content": [{"text": "t"}], "citations": [{"title": "a"}]}},
            {"citationsContent": {"content": [{"text": "t"}, {"other": 1}], "citations": []}},
            text("no"),
        ])
    );
}

#[test]
fn media_and_their_own_members() {
    let document = Part {
        extra: Some(json!({"citations": {"enabled": true}, "context": "c"}).to_string()),
        ..PartContent::Media(media(MediaKind::Document, "application/pdf")).into()
    };
    let guarded = Part {
        extra: Some(json!({"text": null, "guardContent": {"text": {"text": "g"}}}).to_string()),
        ..PartContent::Text("g".into()).into()
    };
    let mut stored = media(MediaKind::Image, "image/png");
    stored.source = MediaSource::Url("s3://b/k.png".into());
    let stored = Part {
        extra: Some(json!({"source": {"s3Location": {"bucketOwner": "1"}}}).to_string()),
        ..PartContent::Media(stored).into()
    };
    let body = wire(&ask(CLAUDE, vec![Message::new(Role::User, vec![document, guarded, stored])]));
    assert_eq!(
        body["messages"][0]["content"],
        json!([
            {"document": {"name": "Document 1", "format": "pdf", "source": {"bytes": "AQ=="},
                "citations": {"enabled": true}, "context": "c"}},
            {"guardContent": {"text": {"text": "g"}}},
            {"image": {"format": "png", "source": {"s3Location": {"uri": "s3://b/k.png", "bucketOwner": "1"}}}},
        ])
    );
}

#[test]
fn media_of_results_stand_where_the_model_takes_them() {
    let outputs = || {
        vec![
            ToolOutput::Media(media(MediaKind::Image, "image/png")),
            ToolOutput::Media(media(MediaKind::Document, "text/plain")),
            ToolOutput::Media(media(MediaKind::Audio, "audio/wav")),
        ]
    };
    let calls = Message::new(Role::Assistant, vec![call("i", "{}", None), call("j", "{}", None)]);
    let only_sound = vec![ToolOutput::Media(media(MediaKind::Audio, "audio/wav"))];
    let messages =
        vec![user("a"), calls, result("i", outputs(), false), result("j", only_sound, false), user("b")];
    let image = json!({"image": {"format": "png", "source": {"bytes": "AQ=="}}});
    let document = json!({"document": {"name": "Document 1", "format": "txt", "source": {"bytes": "AQ=="}}});
    let sound = json!({"audio": {"format": "wav", "source": {"bytes": "AQ=="}}});
    let turn = |model: &str| {
        let request =
            ChatRequest { tools: vec![Tool::Function(function("f"))], ..ask(model, messages.clone()) };
        wire(&request)["messages"][2]["content"].clone()
    };
    let result = |id: &str, content: Value| json!({"toolResult": {"toolUseId": id, "content": content, "status": "success"}});
    let attached = result("j", json!([text("The result is attached.")]));
    assert_eq!(
        turn(CLAUDE),
        json!([result("i", json!([image, document])), attached, sound, sound, text("b")])
    );
    assert_eq!(turn(NOVA), json!([result("i", json!([image])), attached, document, sound, sound, text("b")]));
}

#[test]
fn marks_for_the_cache_are_blocks() {
    let point = json!({"cachePoint": {"type": "default"}});
    let hour = json!({"cachePoint": {"type": "default", "ttl": "1h"}});
    let for_an_hour = json!({"cache_control": {"type": "ephemeral", "ttl": "1h"}});
    let part = |text: &str| -> Part { PartContent::Text(text.into()).into() };
    let mut tool = function("f");
    tool.cache_here = true;
    tool.extra = Some(for_an_hour.to_string());
    let request = ChatRequest {
        tools: vec![Tool::Function(tool), Tool::Function(function("g"))],
        ..ask(
            CLAUDE,
            vec![
                Message::new(Role::System, vec![cached(part("s"), Some(for_an_hour))]),
                Message::new(
                    Role::User,
                    vec![
                        cached(part(""), None),
                        part("a"),
                        cached(part(" "), None),
                        cached(PartContent::Media(media(MediaKind::Document, "text/plain")).into(), None),
                        cached(part(""), None),
                        part("b"),
                    ],
                ),
            ],
        )
    };
    let body = wire(&request);
    assert_eq!(body["system"], json!([text("s"), hour]));
    let document = json!({"document": {"name": "Document 1", "format": "txt", "source": {"bytes": "AQ=="}}});
    assert_eq!(
        body["messages"][0]["content"],
        json!([text("a"), point, document, text("\n"), point, text("b")])
    );
    let tools = body["toolConfig"]["tools"].as_array().unwrap();
    assert_eq!(tools.len(), 3);
    assert_eq!(tools[1], hour);
    assert_eq!(tools[0]["toolSpec"].get("cache_control"), None);
}

#[test]
fn tools_and_choices() {
    let with = |choice, parallel, model: &str| ChatRequest {
        tools: vec![Tool::Function(function("f"))],
        tool_choice: choice,
        parallel_tool_calls: parallel,
        ..ask(model, vec![user("a")])
    };
    let config = |choice| wire(&with(choice, None, NOVA))["toolConfig"].clone();
    let schema = json!({"json": {"type": "object", "properties": {}}});
    let tools = json!([{"toolSpec": {"name": "f", "description": "d", "inputSchema": schema}}]);
    assert_eq!(config(ToolChoice::Auto), json!({ "tools": tools }));
    assert_eq!(config(ToolChoice::Required), json!({"tools": tools, "toolChoice": {"any": {}}}));
    assert_eq!(config(ToolChoice::Named("f".into()))["toolChoice"], json!({"tool": {"name": "f"}}));
    assert_eq!(config(ToolChoice::None), Value::Null);
    // Claude's own switch, in the one place that it may stand.
    let body = wire(&with(ToolChoice::Required, Some(false), CLAUDE));
    let own = json!({"tool_choice": {"type": "any", "disable_parallel_tool_use": true}});
    assert_eq!(
        (&body["toolConfig"], &body["additionalModelRequestFields"]),
        (&json!({ "tools": tools }), &own)
    );
    assert_eq!(wire(&with(ToolChoice::Auto, Some(true), CLAUDE))["toolConfig"], json!({ "tools": tools }));
    let (body, warning) = warned(&with(ToolChoice::Required, Some(false), NOVA));
    assert_eq!(body["toolConfig"]["toolChoice"], json!({"any": {}}));
    assert!(warning.contains("parallel_tool_calls"));
}

#[test]
fn tools_of_other_forms() {
    let own = json!({"systemTool": {"name": "nova_code_interpreter"}});
    let mut strict = function("f");
    strict.strict = Some(true);
    strict.parameters = String::new();
    strict.description = String::new();
    strict.extra = Some(json!({"function": {"x": 1}, "y": 2}).to_string());
    let opaque = Opaque { kind: "systemTool".into(), data: own.to_string() };
    let request = ChatRequest {
        tools: vec![Tool::Function(strict), Tool::ProviderDefined(opaque)],
        ..ask(NOVA, vec![user("a")])
    };
    let specification =
        json!({"name": "f", "inputSchema": {"json": {"type": "object"}}, "strict": true, "x": 1, "y": 2});
    let want = json!([{ "toolSpec": specification }, own]);
    // Members have no order.
    assert_eq!(wire(&request)["toolConfig"]["tools"], want);
}

#[test]
fn a_conversation_with_calls_declares_tools() {
    let history = vec![
        user("a"),
        Message::new(Role::Assistant, vec![call("i", "{}", None)]),
        result("i", vec![ToolOutput::Text("r".into())], false),
    ];
    let body = wire(&ask(CLAUDE, history.clone()));
    let tools = body["toolConfig"]["tools"].as_array().unwrap();
    assert_eq!(tools.len(), 1);
    assert_eq!(tools[0]["toolSpec"]["name"], "f");
    let request = ChatRequest {
        tools: vec![Tool::Function(function("f")), Tool::Function(function("g"))],
        tool_choice: ToolChoice::None,
        ..ask(CLAUDE, history)
    };
    let (body, warning) = warned(&request);
    assert_eq!(body["toolConfig"]["tools"].as_array().unwrap().len(), 2);
    assert!(warning.contains("tool_choice none"));
}

#[test]
fn sampling_and_formats() {
    let sampling = Sampling {
        temperature: Some(0.5),
        top_p: Some(0.9),
        top_k: Some(7),
        max_tokens: Some(9),
        stop: vec!["END".into()],
        ..Sampling::default()
    };
    let with = |model: &str| wire(&ChatRequest { sampling: sampling.clone(), ..ask(model, vec![user("a")]) });
    let config = json!({"maxTokens": 9, "temperature": 0.5, "topP": 0.9, "stopSequences": ["END"]});
    assert_eq!(with(CLAUDE)["inferenceConfig"], config);
    assert_eq!(with(CLAUDE)["additionalModelRequestFields"], json!({"top_k": 7}));
    assert_eq!(with(NOVA)["additionalModelRequestFields"], json!({"inferenceConfig": {"topK": 7}}));

    let schema = json!({"description": "D", "type": "object", "properties": {"a": {"type": "object"}}});
    let format = SchemaFormat { name: "N".into(), schema: schema.to_string(), strict: true };
    let request =
        ChatRequest { response_format: ResponseFormat::Schema(format), ..ask(CLAUDE, vec![user("a")]) };
    let own = &wire(&request)["outputConfig"]["textFormat"]["structure"]["jsonSchema"];
    assert_eq!((&own["name"], &own["description"]), (&json!("N"), &json!("D")));
    let sent: Value = serde_json::from_str(own["schema"].as_str().unwrap()).unwrap();
    let closed = json!({"type": "object", "additionalProperties": false});
    assert_eq!(sent, json!({"type": "object", "properties": {"a": closed}, "additionalProperties": false}));

    let request = ChatRequest { response_format: ResponseFormat::Json, ..ask(CLAUDE, vec![user("a")]) };
    assert!(wire(&request)["system"][0]["text"].as_str().unwrap().contains("JSON"));
}

#[test]
fn extra_wins_everywhere() {
    let request = ChatRequest {
        extra: Some(
            json!({"guardrailConfig": {"guardrailIdentifier": "g"}, "inferenceConfig": {"maxTokens": null,
            "topP": 0.1}, "additionalModelRequestFields": {"thinking": {"type": "adaptive"}}})
            .to_string(),
        ),
        sampling: Sampling { max_tokens: Some(5), top_k: Some(3), ..Sampling::default() },
        logprobs: Some(1),
        ..ask(CLAUDE, vec![user("a")])
    };
    let (body, warning) = warned(&request);
    assert_eq!(body["inferenceConfig"], json!({"topP": 0.1}));
    assert_eq!(body["guardrailConfig"], json!({"guardrailIdentifier": "g"}));
    assert_eq!(body["additionalModelRequestFields"], json!({"top_k": 3, "thinking": {"type": "adaptive"}}));
    assert!(warning.contains("logprobs"));
}
