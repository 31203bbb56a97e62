//! The conversation as Messages takes it.

use super::*;

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
fn a_blank_text_is_left_out_whatever_it_brings() {
    let blank =
        Part { replay: replay(None, Some(json!({"new": 1}))), ..part(PartContent::Text("\n\n".into())) };
    let said = part(PartContent::Text("a".into()));
    let back = wire(&ask(vec![Message::new(Role::Assistant, vec![blank, said]), user("?")]));
    assert_eq!(back["messages"][0]["content"], json!([text("a")]));
}
