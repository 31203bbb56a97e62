use super::*;
use crate::model::{FailureKind, Media, MediaKind, MediaSource, Origin, Reasoning};

fn read(history: Value) -> Vec<Message> {
    let before = history.clone();
    let read = messages(history.as_array().unwrap()).unwrap();
    assert_eq!(history, before);
    read
}

fn refused(history: Value) -> String {
    let failure = messages(history.as_array().unwrap()).unwrap_err();
    assert_eq!(failure.kind, FailureKind::InvalidRequest);
    failure.message
}

fn text(text: &str) -> Part {
    PartContent::Text(text.to_owned()).into()
}

#[test]
fn roles_and_plain_content() {
    let read = read(json!([
        {"role": "system", "content": "s"},
        {"role": "developer", "content": [{"type": "text", "text": "d"}]},
        {"role": "user", "content": "", "name": "Ann"},
        {"role": "assistant", "content": null},
        {"role": "assistant", "content": "a", "prefix": true, "phase": "final_answer", "annotations": []},
    ]));
    let roles: Vec<_> = read.iter().map(|message| message.role).collect();
    assert_eq!(roles, [Role::System, Role::System, Role::User, Role::Assistant, Role::Assistant]);
    assert_eq!(read[1].parts, [text("d")]);
    assert_eq!(read[2].parts, [text("")]);
    assert_eq!(read[2].extra, Some(json!({"name": "Ann"})));
    assert_eq!(read[3].parts, []);
    assert_eq!(read[4].extra, Some(json!({"prefix": true, "phase": "final_answer"})));
    assert_eq!(read[4].origin, None);
}

#[test]
fn an_assistant_turn_is_reasoning_text_refusal_calls() {
    let read = read(json!([{
        "role": "assistant",
        "content": "t",
        "refusal": "no",
        "item_id": "msg_1",
        "thought_signature": "ts",
        "origin": {"provider": "p", "model": "m"},
        "reasoning": [{"text": "r", "signature": "s"}, {"redacted": "x"}],
        "tool_calls": [
            {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{\"b\" :1}"},
             "thought_signature": "cs", "item_id": "fc_1", "id_synthetic": true},
            {"id": "2", "function": {"name": "g", "arguments": {"z": 1, "a": 2}}},
            {"id": "3", "function": {"name": "h"}},
        ],
    }]));
    let replay = |signature: &str, id: Option<&str>, data| {
        Some(Replay { signature: Some(signature.to_owned()), item_id: id.map(str::to_owned), data })
    };
    let call = |id: &str, name: &str, arguments: &str| {
        PartContent::ToolCall(ToolCall {
            id: id.to_owned(),
            name: name.to_owned(),
            arguments: arguments.to_owned(),
            server_executed: false,
        })
    };
    assert_eq!(
        read[0].parts,
        [
            Part {
                replay: replay("s", None, None),
                ..PartContent::Reasoning(Reasoning::Text("r".to_owned())).into()
            },
            PartContent::Reasoning(Reasoning::Redacted("x".to_owned())).into(),
            Part { replay: replay("ts", Some("msg_1"), None), ..text("t") },
            PartContent::Refusal("no".to_owned()).into(),
            Part {
                replay: replay("cs", Some("fc_1"), Some(json!({"id_synthetic": true}))),
                ..call("1", "f", "{\"b\" :1}").into()
            },
            call("2", "g", "{\"z\":1,\"a\":2}").into(),
            call("3", "h", "").into(),
        ]
    );
    assert_eq!(read[0].origin, Some(Origin { provider: "p".to_owned(), model: "m".to_owned() }));
}

#[test]
fn reasoning_of_other_tools_is_understood() {
    let read = read(json!([
        {"role": "assistant", "content": "a", "reasoning_content": "r"},
        {"role": "assistant", "content": "a", "reasoning": "r"},
        {"role": "assistant", "content": "a", "reasoning_details": [{"type": "reasoning.text", "text": "r"}]},
    ]));
    for message in read {
        assert_eq!(message.parts[0].content, PartContent::Reasoning(Reasoning::Text("r".to_owned())));
    }
}

#[test]
fn tool_results_find_their_name() {
    let read = read(json!([
        {"role": "assistant", "tool_calls": [{"id": "1", "function": {"name": "f", "arguments": "{}"}}]},
        {"role": "tool", "tool_call_id": "1", "content": "r", "is_error": true},
        {"role": "tool", "tool_call_id": "1", "name": "own", "content": "5", "raw_response": {"result": 5}},
        {"role": "tool", "tool_call_id": "2", "content": [
            {"type": "text", "text": "{\"a\":1}", "json": true},
            {"type": "text", "text": "x", "cache_control": {"type": "ephemeral", "ttl": "5m"}},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,AQ=="}},
        ]},
    ]));
    let result = |message: &Message| match &message.parts[0].content {
        PartContent::ToolResult(result) => result.clone(),
        other => panic!("{other:?}"),
    };
    let first = result(&read[1]);
    assert_eq!((first.name.as_str(), first.is_error), ("f", true));
    assert_eq!(first.output, [ToolOutput::Text("r".to_owned())]);
    let second = result(&read[2]);
    assert_eq!((second.name.as_str(), second.is_error), ("own", false));
    assert_eq!(second.output, [ToolOutput::Json(json!({"result": 5}))]);
    assert_eq!(read[2].extra, None, "the name is the tool's");
    let third = result(&read[3]);
    assert_eq!(third.name, "");
    assert_eq!(
        third.output,
        [
            ToolOutput::Json(json!({"a": 1})),
            ToolOutput::Text("x".to_owned()),
            ToolOutput::Media(Media {
                kind: MediaKind::Image,
                mime_type: "image/png".to_owned(),
                source: MediaSource::Bytes(vec![1]),
                name: None,
                detail: None,
            }),
        ]
    );
    assert!(read[3].parts[0].cache_here);
    assert_eq!(read[3].parts[0].extra, Some(json!({"cache_control": {"type": "ephemeral", "ttl": "5m"}})));
}

#[test]
fn marks_and_unknown_members_of_parts_are_kept() {
    let read = read(json!([
        {"role": "user", "content": [
            {"type": "text", "text": "a", "image_url": null, "cache_control": {"type": "ephemeral"}},
            {"type": "text", "text": "b", "cache_control": {"type": "ephemeral", "ttl": "1h"}, "thought_signature": "s"},
            {"type": "file", "file": {"file_id": "f"}, "citations": {"enabled": true}},
        ]},
        {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}],
         "cache_control": {"type": "ephemeral"}},
    ]));
    let parts = &read[0].parts;
    assert_eq!((parts[0].cache_here, &parts[0].extra), (true, &None));
    assert_eq!(parts[1].extra, Some(json!({"cache_control": {"type": "ephemeral", "ttl": "1h"}})));
    assert_eq!(parts[1].replay.as_ref().unwrap().signature.as_deref(), Some("s"));
    assert_eq!(
        (parts[2].cache_here, &parts[2].extra),
        (false, &Some(json!({"citations": {"enabled": true}})))
    );
    assert_eq!(read[1].parts.iter().map(|part| part.cache_here).collect::<Vec<_>>(), [false, true]);
}

#[test]
fn errors_name_the_place_and_the_remedy() {
    let user = json!({"role": "user", "content": "a"});
    for (message, says) in [
        (json!(5), "messages[1]: must be an object, not a number"),
        (json!({"content": "a"}), "messages[1]: `role` is missing; it must be a string"),
        (
            json!({"role": "function", "content": "a"}),
            "messages[1].role: `function` is none of system, developer, user, assistant and tool",
        ),
        (
            json!({"role": "user"}),
            "messages[1]: `content` is missing; it must be a string or a list of parts",
        ),
        (
            json!({"role": "user", "content": 1}),
            "messages[1].content: must be a string or a list of parts, not a number",
        ),
        (
            json!({"role": "user", "content": ["a", {"type": "image"}]}),
            "messages[1].content[1].type: `image` is not a part that is known here. Accepted: text, image_url, \
             input_audio, file, document_url, video_url, refusal",
        ),
        (
            json!({"role": "tool", "content": "a"}),
            "messages[1]: `tool_call_id` is missing; it must be a string",
        ),
        (
            json!({"role": "assistant", "tool_calls": [{"id": "1", "function": {"name": "f", "arguments": 5}}]}),
            "messages[1].tool_calls[0].function.arguments: must be a string of JSON or an object, not a number",
        ),
        (
            json!({"role": "assistant", "parts": [{"content": {"txt": "a"}}]}),
            "messages[1].parts: is not a list of parts: unknown variant `txt`, expected one of `text`, `refusal`, \
             `reasoning`, `media`, `tool-call`, `tool-result`, `opaque`",
        ),
    ] {
        assert_eq!(refused(json!([user, message])), says);
    }
    let unknown = refused(json!([{"role": "user", "content": "a", "tool_calls": []}]));
    assert!(unknown.starts_with("messages[0]: `tool_calls` is not known here."), "{unknown}");
}
