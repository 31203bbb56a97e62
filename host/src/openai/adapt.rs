//! What of a conversation goes to a provider that did not write it.

use crate::model::{Message, Part, PartContent, Reasoning};

/// The messages as the instance may see them.
///
/// Signatures, encrypted reasoning and wire blocks mean something to the provider that made them alone, and others
/// refuse them. So from a message of another origin they go, and with them what is nothing without them: calls that
/// that provider ran itself, with their results, and parts and messages that are then empty. A message without an
/// origin is the caller's own and stays as it is.
pub(crate) fn for_provider(messages: Vec<Message>, instance: &str) -> Vec<Message> {
    let keep = |mut message: Message| {
        if message.origin.as_ref().is_none_or(|origin| origin.provider == instance) {
            return Some(message);
        }
        let served: Vec<String> = message.parts.iter().filter_map(served_call).collect();
        message.parts.retain_mut(|part| {
            part.replay = None;
            travels(part, &served)
        });
        (!message.parts.is_empty()).then_some(message)
    };
    messages.into_iter().filter_map(keep).collect()
}

fn served_call(part: &Part) -> Option<String> {
    match &part.content {
        PartContent::ToolCall(call) if call.server_executed => Some(call.id.clone()),
        _ => None,
    }
}

fn travels(part: &Part, served: &[String]) -> bool {
    match &part.content {
        PartContent::Opaque(_) | PartContent::Reasoning(Reasoning::Redacted(_)) => false,
        PartContent::Text(text)
        | PartContent::Refusal(text)
        | PartContent::Reasoning(Reasoning::Text(text) | Reasoning::Summary(text)) => !text.is_empty(),
        PartContent::ToolCall(call) => !call.server_executed,
        PartContent::ToolResult(result) => !served.contains(&result.call_id),
        PartContent::Media(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Opaque, Origin, Replay, Role, ToolCall, ToolOutput, ToolResult};
    use serde_json::json;

    fn signed(content: PartContent) -> Part {
        let replay = Replay { signature: Some("s".to_owned()), ..Replay::default() };
        Part { replay: Some(replay), ..content.into() }
    }

    fn call(id: &str, server_executed: bool) -> PartContent {
        let (name, arguments) = ("f".to_owned(), "{}".to_owned());
        PartContent::ToolCall(ToolCall { id: id.to_owned(), name, arguments, server_executed })
    }

    fn answer(provider: Option<&str>) -> Message {
        let result = ToolResult {
            call_id: "srv".to_owned(),
            name: "f".to_owned(),
            output: vec![ToolOutput::Text("r".to_owned())],
            is_error: false,
        };
        let opaque = Opaque { kind: "k".to_owned(), data: json!({}) };
        let thought = |text: &str| PartContent::Reasoning(Reasoning::Text(text.to_owned()));
        let parts = vec![
            signed(thought("hm")),
            signed(thought("")),
            PartContent::Reasoning(Reasoning::Redacted("x".to_owned())).into(),
            signed(call("srv", true)),
            PartContent::ToolResult(result).into(),
            PartContent::Opaque(opaque).into(),
            signed(PartContent::Text("a".to_owned())),
            signed(call("c", false)),
        ];
        let origin = provider.map(|provider| Origin { provider: provider.to_owned(), model: "m".to_owned() });
        Message { role: Role::Assistant, parts, extra: None, origin }
    }

    #[test]
    fn own_and_unsigned_messages_stay() {
        for provider in [Some("a"), None] {
            let own = vec![answer(provider)];
            assert_eq!(for_provider(own.clone(), "a"), own);
        }
    }

    #[test]
    fn of_another_provider_only_what_anyone_understands_stays() {
        let seen = for_provider(vec![answer(Some("b"))], "a");
        let contents: Vec<_> = seen[0].parts.iter().map(|part| part.content.clone()).collect();
        let thought = PartContent::Reasoning(Reasoning::Text("hm".to_owned()));
        assert_eq!(contents, [thought, PartContent::Text("a".to_owned()), call("c", false)]);
        assert!(seen[0].parts.iter().all(|part| part.replay.is_none()));
    }

    #[test]
    fn a_message_with_nothing_left_is_dropped() {
        let redacted = PartContent::Reasoning(Reasoning::Redacted("x".to_owned()));
        let message = Message { parts: vec![redacted.into()], ..answer(Some("b")) };
        assert_eq!(for_provider(vec![message], "a"), []);
    }
}
