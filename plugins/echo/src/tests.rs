#![allow(clippy::unwrap_used)]
use super::*;
use aimu_sdk::{
    Event, Message, Part, PartContent, PartKind, Role, SchemaFormat, Tool, ToolDefinition, ToolOutput,
    ToolResult,
};

fn ctx(settings: &str) -> Context {
    Context {
        instance: "echo".into(),
        base_url: String::new(),
        settings: settings.into(),
        credentials: Vec::new(),
    }
}

fn ask(model: &str, text: &str) -> ChatRequest {
    ChatRequest::new(model, vec![Message::text(Role::User, text)])
}

fn run(request: ChatRequest) -> (Completion, Vec<Event>) {
    let mut events = Events::default();
    let completion = Echo::chat(ctx("{}"), request, &mut events).unwrap();
    (completion, events.pending)
}

fn deltas(events: &[Event]) -> Vec<&str> {
    events
        .iter()
        .filter_map(|event| match event {
            Event::Delta(delta) => Some(delta.text.as_str()),
            _ => None,
        })
        .collect()
}

fn tool(name: &str, parameters: &str) -> Tool {
    Tool::Function(ToolDefinition {
        name: name.into(),
        description: String::new(),
        parameters: parameters.into(),
        strict: None,
        cache_here: false,
        extra: None,
    })
}

#[test]
fn echoes_word_by_word() {
    let (completion, events) = run(ask("echo", "hi there  you"));
    assert_eq!(deltas(&events), ["hi ", "there ", " ", "you"]);
    assert_eq!(completion.finish, FinishReason::Stop);
    assert_eq!(completion.usage.unwrap().input, Some(3));
    let (_, events) = run(ChatRequest { streaming: false, ..ask("echo", "hi there") });
    assert_eq!(deltas(&events), ["hi there"]);
}

#[test]
fn stops_at_the_limit() {
    let mut request = ask("echo", "a b c");
    request.sampling.max_tokens = Some(2);
    for streaming in [true, false] {
        let (completion, events) = run(ChatRequest { streaming, ..request.clone() });
        assert_eq!(deltas(&events).concat(), "a b ");
        assert_eq!(completion.finish, FinishReason::Length);
    }
}

#[test]
fn thinks_unless_it_must_not() {
    let (completion, events) = run(ask("think", "hi"));
    assert!(matches!(&events[0], Event::Start(start) if start.kind == PartKind::ReasoningText));
    assert!(completion.usage.unwrap().reasoning.unwrap() > 0);
    let mut request = ask("think", "hi");
    request.thinking = Some(aimu_sdk::Thinking {
        mode: aimu_sdk::ThinkingMode::Off,
        effort: None,
        budget_tokens: None,
        summary: None,
    });
    assert_eq!(deltas(&run(request).1), ["hi"]);
}

#[test]
fn calls_a_tool_and_then_answers_with_its_result() {
    let parameters = r#"{"type":"object","properties":{"city":{"type":"string"},"days":{"type":"integer"},
        "unit":{"enum":["C","F"]},"at":{"$ref":"\u0023/$defs/at"}},"$defs":{"at":{"type":["number","null"]}}}"#;
    let mut request = ask("tool", "Lima 3");
    request.tools = vec![tool("weather", parameters), tool("other", "{}")];
    let (completion, events) = run(request.clone());
    assert_eq!(completion.finish, FinishReason::ToolCalls);
    let [Event::Whole(Part { content: PartContent::ToolCall(call), .. })] = events.as_slice() else {
        unreachable!("{events:?}")
    };
    assert_eq!(call.name, "weather");
    assert_eq!(call.arguments, r#"{"city":"Lima 3","days":3,"unit":"C","at":3.0}"#);

    request.tool_choice = aimu_sdk::ToolChoice::Named("other".into());
    let (_, events) = run(request.clone());
    assert!(format!("{events:?}").contains(r#"{\"text\":\"Lima 3\"}"#), "{events:?}");

    let result = ToolResult {
        call_id: "call_1".into(),
        name: "weather".into(),
        output: vec![ToolOutput::Text("sun".into())],
        is_error: false,
    };
    request.messages.push(Message::new(Role::Tool, vec![PartContent::ToolResult(result).into()]));
    let (completion, events) = run(request);
    assert_eq!(deltas(&events).concat(), "weather answered: sun");
    assert_eq!(completion.finish, FinishReason::Stop);
}

#[test]
fn answers_in_json() {
    let mut request = ask("echo", "hi");
    request.response_format = ResponseFormat::Json;
    assert_eq!(deltas(&run(request.clone()).1).concat(), r#"{"text":"hi"}"#);
    let schema = r#"{"properties":{"a":{"type":"string"},"b":{"type":"array","items":{"type":"boolean"}}}}"#;
    request.response_format =
        ResponseFormat::Schema(SchemaFormat { name: "x".into(), schema: schema.into(), strict: true });
    assert_eq!(deltas(&run(request).1).concat(), r#"{"a":"hi","b":[true]}"#);
}

#[test]
fn counts() {
    assert_eq!(deltas(&run(ask("long", "to 3 please")).1).concat(), "1 2 3 ");
    let mut events = Events::default();
    Echo::chat(ctx(r#"{"count":2}"#), ask("long", "count"), &mut events).unwrap();
    assert_eq!(deltas(&events.pending).len(), 2);
}

#[test]
fn fails_as_asked() {
    let fail =
        |model: &str, text: &str| Echo::chat(ctx(""), ask(model, text), &mut Events::default()).unwrap_err();
    assert_eq!(fail("fail", "rate-limited now").kind, FailureKind::RateLimited);
    assert_eq!(fail("fail", "").kind, FailureKind::Server);
    assert_eq!(fail("nope", "").kind, FailureKind::NotFound);
}

#[test]
fn the_description_is_sound() {
    let description = Echo::describe();
    assert_eq!(description.models.len(), 7);
    let schema: serde_json::Value = serde_json::from_str(&description.settings_schema.unwrap()).unwrap();
    assert!(schema.get("properties").is_some());
}
