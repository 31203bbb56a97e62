//! Requests and answers that no recorded case has, and the shapes of those that do.
#![allow(clippy::unwrap_used)]

use aimu_sdk::http::{Body, Response};
use aimu_sdk::*;
use serde_json::{Value, json};

use super::*;
use crate::answer::Answer;

fn user(text: &str) -> Message {
    Message::text(Role::User, text)
}

fn ask(model: &str, messages: Vec<Message>) -> ChatRequest {
    ChatRequest::new(model, messages)
}

fn wire(request: &ChatRequest) -> Value {
    let request::Body { body, warnings } = request::body(request, Service::Gemini).unwrap();
    assert_eq!(warnings, Vec::<String>::new());
    body
}

fn warned(request: &ChatRequest) -> (Value, usize) {
    let request::Body { body, warnings } = request::body(request, Service::Gemini).unwrap();
    (body, warnings.len())
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

fn image(source: MediaSource) -> Media {
    Media { kind: MediaKind::Image, mime_type: "image/png".into(), source, name: None, detail: None }
}

fn replay(signature: Option<&str>, data: Option<Value>) -> Option<Replay> {
    let data = data.map(|data| data.to_string());
    Some(Replay { signature: signature.map(str::to_owned), item_id: None, data })
}

fn function(parameters: &Value) -> ToolDefinition {
    ToolDefinition {
        name: "f".into(),
        description: "d".into(),
        parameters: parameters.to_string(),
        strict: None,
        cache_here: false,
        extra: None,
    }
}

#[test]
fn the_system_is_lifted_and_turns_are_merged() {
    let mut named = user("b");
    named.extra = Some(json!({"name": "n", "prefix": true}).to_string());
    let messages = vec![
        Message::text(Role::System, "be brief"),
        user("a"),
        named,
        Message::text(Role::Assistant, ""),
        Message::text(Role::System, "later"),
        user("c"),
    ];
    let request = ask("gemini-2.5-flash", messages);
    let text = |text: &str| json!({ "text": text });
    let turn = |role: &str, parts: Vec<Value>| json!({ "role": role, "parts": parts });
    assert_eq!(
        wire(&request),
        json!({
            "systemInstruction": {"parts": [text("be brief"), text("later")]},
            "contents": [
                turn("user", vec![text("a"), text("b")]),
                turn("model", vec![text("")]),
                turn("user", vec![text("c")]),
            ],
        })
    );
    let vertex = request::body(&request, Service::Vertex).unwrap().body;
    assert_eq!(vertex["contents"], json!([turn("user", vec![text("a"), text("b"), text("c")])]));
}

#[test]
fn signatures_and_ids_go_back_where_they_came_from() {
    let thought = Part {
        replay: replay(Some("s1"), None),
        ..PartContent::Reasoning(Reasoning::Summary("hm".into())).into()
    };
    let empty = Part { replay: replay(Some("s2"), None), ..PartContent::Text(String::new()).into() };
    let made_up = replay(Some("s3"), Some(json!({"id_synthetic": true, "partMetadata": {"a": 1}})));
    let messages = vec![
        user("q"),
        Message::new(
            Role::Assistant,
            vec![thought, empty, call("x", "{\"a\":1.0}", made_up), call("own", "", None)],
        ),
        result("x", vec![ToolOutput::Text("r".into())], false),
        result("own", vec![ToolOutput::Json("{\"k\":[1]}".into())], true),
        user("next"),
    ];
    assert_eq!(
        wire(&ask("gemini-3-flash-preview", messages))["contents"],
        json!([
            {"role": "user", "parts": [{"text": "q"}]},
            {"role": "model", "parts": [
                {"text": "hm", "thought": true, "thoughtSignature": "s1"},
                {"text": "", "thoughtSignature": "s2"},
                {"functionCall": {"name": "f", "args": {"a": 1.0}}, "partMetadata": {"a": 1}, "thoughtSignature": "s3"},
                {"functionCall": {"id": "own", "name": "f", "args": {}}},
            ]},
            {"role": "user", "parts": [
                {"functionResponse": {"name": "f", "response": {"output": "r"}}},
                {"functionResponse": {"id": "own", "name": "f", "response": {"k": [1]}}},
            ]},
            {"role": "user", "parts": [{"text": "next"}]},
        ])
    );
}

#[test]
fn calls_of_other_models_are_marked_and_wrong_arguments_kept() {
    let messages =
        || vec![user("q"), Message::new(Role::Assistant, vec![call("a", "{", None), call("b", "", None)])];
    let (body, warnings) = warned(&ask("gemini-3.8-flash", messages()));
    let parts = &body["contents"][1]["parts"];
    let words = aimu_sdk::media::base64(b"context_engineering_is_the_way_to_go");
    assert_eq!(parts[0]["thoughtSignature"], words);
    assert_eq!(parts[0]["functionCall"]["args"], json!({"invalid_json": "{"}));
    assert_eq!((parts[1].get("thoughtSignature"), warnings), (None, 1));
    let (body, _) = warned(&ask("gemini-2.5-flash", messages()));
    assert_eq!(body["contents"][1]["parts"][0].get("thoughtSignature"), None);
}

#[test]
fn media_are_inline_or_by_address_and_in_results() {
    let source = |source: MediaSource| Part::from(PartContent::Media(image(source)));
    let parts = vec![
        source(MediaSource::Bytes(vec![1, 2])),
        source(MediaSource::Url("gs://b/i.png".into())),
        source(MediaSource::FileId("files/x1".into())),
    ];
    let file = |uri: &str| json!({"fileData": {"fileUri": uri, "mimeType": "image/png"}});
    let inline = json!({"inlineData": {"mimeType": "image/png", "data": "AQI="}});
    assert_eq!(
        wire(&ask("gemini-2.5-flash", vec![Message::new(Role::User, parts)]))["contents"][0]["parts"],
        json!([
            inline,
            file("gs://b/i.png"),
            file("https://generativelanguage.googleapis.com/v1beta/files/x1"),
        ])
    );
    let output = || vec![ToolOutput::Media(image(MediaSource::Bytes(vec![1, 2])))];
    let turns = || {
        let calls = Message::new(Role::Assistant, vec![call("a", "", None), call("b", "", None)]);
        vec![calls, result("a", output(), false), result("b", vec![ToolOutput::Text("t".into())], true)]
    };
    let new = wire(&ask("gemini-3.5-flash", turns()));
    let first = json!({"functionResponse": {"id": "a", "name": "f", "response": {}, "parts": [inline]}});
    let second = json!({"functionResponse": {"id": "b", "name": "f", "response": {"error": "t"}}});
    assert_eq!(new["contents"][1]["parts"], json!([first, second]));
    let old = wire(&ask("gemini-2.5-flash", turns()));
    assert_eq!(old["contents"][1]["parts"][1], second);
    assert_eq!(old["contents"][2]["parts"], json!([{"text": "What the function f returned:"}, inline]));
}

#[test]
fn tools_and_their_choice() {
    let mut request = ask("gemini-3.5-flash", vec![user("q")]);
    let mut inner = function(&json!({"type": "object", "properties": {}}));
    inner.extra =
        Some(json!({"function": {"response": {"type": "string"}}, "behavior": "BLOCKING"}).to_string());
    let search = Opaque { kind: "googleSearch".into(), data: "{\"googleSearch\":{}}".into() };
    let googles = json!({"type": "OBJECT", "properties": {"a": {"type": "STRING"}}});
    request.tools = vec![
        Tool::ProviderDefined(search),
        Tool::Function(inner),
        Tool::Function(function(&json!({"type": "object", "properties": {"a": {}}}))),
        Tool::Function(function(&googles)),
    ];
    assert_eq!(
        wire(&request)["tools"],
        json!([
            {"functionDeclarations": [
                {"name": "f", "description": "d", "response": {"type": "string"}, "behavior": "BLOCKING"},
                {"name": "f", "description": "d", "parametersJsonSchema": {"type": "object", "properties": {"a": {}}}},
                {"name": "f", "description": "d", "parameters": googles},
            ]},
            {"googleSearch": {}},
        ])
    );
    let mut choose = |choice: ToolChoice| {
        request.tool_choice = choice;
        wire(&request)["toolConfig"]["functionCallingConfig"].clone()
    };
    assert_eq!(choose(ToolChoice::Auto), Value::Null);
    assert_eq!(choose(ToolChoice::None), json!({"mode": "NONE"}));
    assert_eq!(choose(ToolChoice::Required), json!({"mode": "ANY"}));
    assert_eq!(choose(ToolChoice::Named("f".into())), json!({"mode": "ANY", "allowedFunctionNames": ["f"]}));
    request.tool_choice = ToolChoice::Auto;
    request.tools = vec![Tool::Function(ToolDefinition { strict: Some(true), ..function(&json!({})) })];
    request.parallel_tool_calls = Some(false);
    let (body, warnings) = warned(&request);
    assert_eq!((&body["toolConfig"]["functionCallingConfig"]["mode"], warnings), (&json!("VALIDATED"), 1));
}

#[test]
fn thinking_by_budget_and_by_level() {
    let config = |model: &str, mode: ThinkingMode, effort: Option<&str>, budget_tokens: Option<u32>| {
        let effort = effort.map(str::to_owned);
        let mut request = ask(model, vec![user("q")]);
        request.thinking = Some(Thinking { mode, effort, budget_tokens, summary: None });
        let (body, warnings) = warned(&request);
        (body["generationConfig"]["thinkingConfig"].clone(), warnings)
    };
    use ThinkingMode::{Adaptive, Off, On};
    let shown = |name: &str, value: Value| (json!({name: value, "includeThoughts": true}), 0);
    let budget = |budget: i64| shown("thinkingBudget", budget.into());
    assert_eq!(config("gemini-2.5-flash", On, None, Some(512)), budget(512));
    assert_eq!(config("gemini-2.5-flash", On, Some("medium"), None), budget(8192));
    assert_eq!(config("gemini-2.5-flash", Adaptive, None, None), budget(-1));
    assert_eq!(config("gemini-2.5-flash", Off, None, None), (json!({"thinkingBudget": 0}), 0));
    assert_eq!(config("gemini-2.5-pro", Off, None, None), (json!({"thinkingBudget": 128}), 1));
    assert_eq!(config("gemini-3.8-flash", On, Some("high"), Some(9)), shown("thinkingLevel", "high".into()));
    assert_eq!(config("gemini-3.8-flash", On, None, None), (json!({"includeThoughts": true}), 0));
    assert_eq!(config("gemini-3.8-flash", Off, None, None), (json!({"thinkingLevel": "low"}), 1));
    assert_eq!(config("gemini-3.5-flash", Off, None, None), (json!({"thinkingLevel": "minimal"}), 1));
    assert_eq!(config("gemini-2.0-flash", On, None, None), (Value::Null, 1));
    let mut request = ask("gemini-3.8-flash", vec![user("q")]);
    request.thinking = Some(Thinking { mode: Off, effort: None, budget_tokens: None, summary: None });
    request.extra = Some(json!({"generationConfig": {"thinkingConfig": {"thinkingBudget": 0}}}).to_string());
    assert_eq!(wire(&request)["generationConfig"]["thinkingConfig"], json!({"thinkingBudget": 0}));
}

#[test]
fn forms_of_the_answer() {
    let schema = json!({"type": "object", "properties": {"a": {"type": "integer"}}});
    let mut request = ask("gemini-2.5-flash", vec![user("q")]);
    request.response_format =
        ResponseFormat::Schema(SchemaFormat { name: "n".into(), schema: schema.to_string(), strict: true });
    request.logprobs = Some(2);
    request.sampling.stop = vec!["x".into()];
    assert_eq!(
        wire(&request)["generationConfig"],
        json!({
            "stopSequences": ["x"], "responseLogprobs": true, "logprobs": 2,
            "responseMimeType": "application/json", "responseJsonSchema": schema,
        })
    );
    request.logprobs = None;
    request.sampling.stop.clear();
    request.tools = vec![Tool::Function(function(&json!({})))];
    let body = wire(&request);
    assert_eq!(body.get("generationConfig"), None);
    assert!(body["systemInstruction"]["parts"][0]["text"].as_str().unwrap().ends_with(&schema.to_string()));
    request.model = "gemini-3.8-flash".into();
    request.response_format = ResponseFormat::Json;
    assert_eq!(wire(&request)["generationConfig"], json!({"responseMimeType": "application/json"}));
}

struct Chunks(std::vec::IntoIter<Vec<u8>>);

impl Body for Chunks {
    fn read(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        Ok(self.0.next())
    }
}

fn play(kind: &str, body: &str) -> (Vec<Event>, Result<Completion, Failure>) {
    let response = Response {
        status: 200,
        headers: vec![("content-type".into(), kind.into())],
        body: Chunks(body.as_bytes().chunks(7).map(<[u8]>::to_vec).collect::<Vec<_>>().into_iter()),
    };
    let mut events = Events::default();
    let result = exchange::decode(response, &mut Answer::new("m"), &mut events, &errors::of_response);
    (events.pending, result)
}

fn stream(answers: &[Value]) -> (Vec<Event>, Result<Completion, Failure>) {
    let body: String = answers.iter().map(|answer| format!("data: {answer}\r\n\r\n")).collect();
    play("text/event-stream", &body)
}

fn candidate(parts: Value, finish: Option<&str>) -> Value {
    json!({"candidates": [{"content": {"role": "model", "parts": parts}, "finishReason": finish}]})
}

#[test]
fn streams_that_break_are_failures() {
    let begun = candidate(json!([{"text": "a"}]), None);
    let truncated = stream(std::slice::from_ref(&begun)).1.unwrap_err();
    assert_eq!(truncated.kind, FailureKind::Protocol);
    let error = json!({"error": {"code": 503, "status": "UNAVAILABLE", "message": "busy"}});
    let (events, failure) = stream(&[begun.clone(), error.clone()]);
    assert_eq!((events.len(), failure.unwrap_err().kind), (2, FailureKind::Overloaded));
    assert_eq!(stream(&[json!([error])]).1.unwrap_err().message, "busy");
    assert_eq!(play("application/json", &json!([begun, error]).to_string()).1.unwrap_err().message, "busy");
    assert_eq!(play("application/json", &error.to_string()).1.unwrap_err().kind, FailureKind::Overloaded);
    assert_eq!(play("text/event-stream", "data: {\"a\n\n").1.unwrap_err().kind, FailureKind::Protocol);
    assert_eq!(play("application/json", "{\"choices\": []}").1.unwrap_err().kind, FailureKind::Protocol);
}

#[test]
fn a_list_without_sse_is_a_stream_too() {
    let list =
        json!([candidate(json!([{"text": "a"}]), None), candidate(json!([{"text": "b"}]), Some("STOP"))]);
    let (events, result) = play("application/json", &list.to_string());
    assert_eq!(result.unwrap().finish, FinishReason::Stop);
    assert_eq!(events.len(), 4);
}

#[test]
fn how_answers_end() {
    let finish = |word: &str| {
        let completion = stream(&[candidate(json!([{"text": "a"}]), Some(word))]).1.unwrap();
        assert_eq!(completion.raw_finish.as_deref(), Some(word));
        completion.finish
    };
    assert_eq!(finish("MAX_TOKENS"), FinishReason::Length);
    for word in ["SAFETY", "RECITATION", "PROHIBITED_CONTENT", "SPII", "BLOCKLIST", "IMAGE_SAFETY"] {
        assert_eq!(finish(word), FinishReason::ContentFilter, "{word}");
    }
    assert_eq!(finish("MALFORMED_FUNCTION_CALL"), FinishReason::Error);
    assert_eq!(finish("OTHER"), FinishReason::Other("OTHER".into()));
    let blocked =
        json!({"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 4}});
    for (events, result) in
        [stream(std::slice::from_ref(&blocked)), play("application/json", &blocked.to_string())]
    {
        let completion = result.unwrap();
        assert_eq!(
            (completion.finish, completion.raw_finish.as_deref()),
            (FinishReason::ContentFilter, Some("SAFETY"))
        );
        assert_eq!(completion.usage.unwrap().input, Some(4));
        assert!(matches!(events.as_slice(), [Event::Usage(_)]));
    }
}

#[test]
fn usage_is_total() {
    let usage = json!({"promptTokenCount": 10, "toolUsePromptTokenCount": 5, "candidatesTokenCount": 3,
        "thoughtsTokenCount": 7, "cachedContentTokenCount": 4});
    let mut answer = candidate(json!([{"text": "a"}]), Some("STOP"));
    answer["usageMetadata"] = usage;
    let usage = stream(&[answer]).1.unwrap().usage.unwrap();
    assert_eq!((usage.input, usage.output, usage.reasoning), (Some(15), Some(10), Some(7)));
    assert_eq!((usage.cache_read, usage.cache_write), (Some(4), None));
}

#[test]
fn generated_images_are_media_with_their_signature() {
    let image = vec![7_u8; 300 * 1024];
    let data = aimu_sdk::media::base64(&image);
    let part = json!({"inlineData": {"mimeType": "image/png", "data": data}, "thoughtSignature": "s"});
    let (events, result) = stream(&[candidate(json!([{"text": "see"}, part]), Some("STOP"))]);
    assert_eq!(result.unwrap().finish, FinishReason::Stop);
    let bytes: Vec<u8> = events
        .iter()
        .flat_map(|event| match event {
            Event::Bytes(bytes) => bytes.data.clone(),
            _ => Vec::new(),
        })
        .collect();
    assert_eq!(bytes, image);
    let signed = |event: &Event| matches!(event, Event::End(end) if end.replay == replay(Some("s"), None));
    assert_eq!(events.iter().filter(|event| signed(event)).count(), 1);
}

#[test]
fn null_is_absence_and_new_members_come_back() {
    let part = json!({"text": null, "thought": null, "thoughtSignature": "s", "new": 1, "functionCall": {
        "id": "i", "name": "f", "args": {"a": null}, "partialArgs": null, "willContinue": false}});
    let mut first = candidate(json!([part]), None);
    first["responseId"] = json!("r");
    first["usageMetadata"] = json!({"promptTokenCount": 3});
    let mut last = candidate(Value::Null, Some("STOP"));
    last["responseId"] = Value::Null;
    last["usageMetadata"] = json!({"promptTokenCount": null, "candidatesTokenCount": 2});
    last["candidates"][0]["logprobsResult"] = Value::Null;
    let (events, result) = stream(&[first, last]);
    let completion = result.unwrap();
    assert_eq!((completion.finish, completion.response_id.as_deref()), (FinishReason::ToolCalls, Some("r")));
    let usage = completion.usage.unwrap();
    assert_eq!((usage.input, usage.output), (Some(3), Some(2)));
    assert!(!events.iter().any(|event| matches!(event, Event::Detail(_))));
    let Some(Event::Whole(call)) = events.iter().find(|event| matches!(event, Event::Whole(_))) else {
        unreachable!()
    };
    let asked = ask("gemini-2.5-flash", vec![Message::new(Role::Assistant, vec![call.clone()]), user("?")]);
    let function = json!({"id": "i", "name": "f", "args": {"a": null}, "willContinue": false});
    let back = json!({"functionCall": function, "thoughtSignature": "s", "new": 1});
    assert_eq!(wire(&asked)["contents"][0]["parts"], json!([back]));
}

#[test]
fn logprobs_are_a_detail() {
    let mut answer = candidate(json!([{"text": "a"}]), Some("STOP"));
    answer["candidates"][0]["logprobsResult"] = json!({"chosenCandidates": []});
    let (events, _) = stream(&[answer]);
    let detail =
        |event: &Event| matches!(event, Event::Detail(d) if d.kind == "logprobs" && d.index == Some(0));
    assert!(events.iter().any(detail));
}

#[test]
fn the_description_is_whole() {
    let description = Gemini::describe();
    assert_eq!(description.parameters.len(), 13);
    assert!(description.open_catalog && description.models.len() > 10);
    assert_eq!(description.credentials[0].fields[0].env, ["GOOGLE_API_KEY", "GEMINI_API_KEY"]);
}
