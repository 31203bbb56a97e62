//! An assembled answer, and a tool's, → one OpenAI-format message.

use super::fields::Fields;
use super::read::{message, synthetic_id};
use super::{media, reasoning};
use crate::model::{Origin, Part, PartContent, Replay, ToolOutput, ToolRun};
use serde_json::{Map, Value, json};

/// The keys that a plain OpenAI message would have, besides `role`.
const CANONICAL: [&str; 4] = ["content", "refusal", "tool_calls", "reasoning"];

/// The assistant's message of these parts: plain OpenAI keys, and `parts` where those don't say all.
pub(crate) fn assistant_message(parts: &[Part], origin: &Origin) -> Value {
    let mut map = canonical(parts);
    let lossless = || message(&Value::Object(map.clone())).is_ok_and(|read| read.parts == parts);
    if !parts.is_empty() && !lossless() {
        map.insert("parts".to_owned(), json!(parts));
    }
    map.insert("origin".to_owned(), json!(origin));
    Value::Object(map)
}

/// What came of a call of a tool, as a message for the history.
pub(crate) fn tool_message(run: &ToolRun) -> Value {
    let text = |text: &str| json!({"type": "text", "text": text});
    let content = if run.output.iter().any(|output| matches!(output, ToolOutput::Media(_))) {
        let pieces = run.output.iter().map(|output| match output {
            ToolOutput::Text(said) => text(said),
            ToolOutput::Json(value) => text(&value.to_string()),
            ToolOutput::Media(media) => media::write(media),
        });
        pieces.collect()
    } else {
        Value::String(run.text())
    };
    let mut message = json!({"role": "tool", "tool_call_id": run.id, "name": run.name, "content": content});
    if run.is_error {
        message["is_error"] = json!(true);
    }
    message
}

/// Whether the plain keys of a message still say what its `parts` say: else someone edited them, and they count.
pub(super) fn agrees(parts: &[Part], message: &Fields<'_>) -> bool {
    let canonical = canonical(parts);
    CANONICAL.iter().all(|key| canonical.get(*key) == message.get(key))
}

fn canonical(parts: &[Part]) -> Map<String, Value> {
    let mut map = Map::new();
    map.insert("role".to_owned(), json!("assistant"));
    let texts = parts.iter().filter_map(|part| match &part.content {
        PartContent::Text(text) => Some((text, part.replay.as_ref())),
        _ => None,
    });
    let texts: Vec<_> = texts.collect();
    let joined: String = texts.iter().map(|(text, _)| text.as_str()).collect();
    // Only calls, only media, only a refusal: no `content`. Nothing at all: an empty one, as OpenAI wants one of them.
    if !texts.is_empty() || parts.is_empty() {
        map.insert("content".to_owned(), json!(joined));
    }
    if let [(_, Some(replay))] = texts.as_slice() {
        insert_replay(&mut map, replay);
    }
    let refusals = parts.iter().filter_map(|part| match &part.content {
        PartContent::Refusal(text) => Some(text.as_str()),
        _ => None,
    });
    let refusals: Vec<_> = refusals.collect();
    if !refusals.is_empty() {
        map.insert("refusal".to_owned(), json!(refusals.concat()));
    }
    let calls: Vec<_> = parts.iter().filter_map(tool_call).collect();
    if !calls.is_empty() {
        map.insert("tool_calls".to_owned(), Value::Array(calls));
    }
    let reasoning: Vec<_> = parts.iter().filter_map(reasoning::write).collect();
    if !reasoning.is_empty() {
        map.insert("reasoning".to_owned(), Value::Array(reasoning));
    }
    map
}

/// A call that the host is to run; one that the provider ran is no `tool_calls` entry, or clients would run it.
fn tool_call(part: &Part) -> Option<Value> {
    let PartContent::ToolCall(call) = &part.content else {
        return None;
    };
    if call.server_executed {
        return None;
    }
    let mut map = Map::new();
    map.insert("id".to_owned(), json!(call.id));
    map.insert("type".to_owned(), json!("function"));
    map.insert("function".to_owned(), json!({"name": call.name, "arguments": call.arguments}));
    if let Some(replay) = &part.replay {
        insert_replay(&mut map, replay);
    }
    Some(Value::Object(map))
}

fn insert_replay(map: &mut Map<String, Value>, replay: &Replay) {
    if let Some(signature) = &replay.signature {
        map.insert("thought_signature".to_owned(), json!(signature));
    }
    if let Some(id) = &replay.item_id {
        map.insert("item_id".to_owned(), json!(id));
    }
    if replay.data == Some(synthetic_id()) {
        map.insert("id_synthetic".to_owned(), Value::Bool(true));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Media, MediaKind, MediaSource, Opaque, Reasoning, ToolCall};

    fn origin() -> Origin {
        Origin { provider: "p".to_owned(), model: "m".to_owned() }
    }

    fn text(text: &str) -> Part {
        PartContent::Text(text.to_owned()).into()
    }

    fn call(id: &str, server_executed: bool) -> Part {
        let (name, arguments) = ("f".to_owned(), "{\"a\": 1 ,}".to_owned());
        PartContent::ToolCall(ToolCall { id: id.to_owned(), name, arguments, server_executed }).into()
    }

    fn thought(text: &str, signature: &str) -> Part {
        let replay = Replay { signature: Some(signature.to_owned()), ..Replay::default() };
        let part: Part = PartContent::Reasoning(Reasoning::Text(text.to_owned())).into();
        Part { replay: Some(replay), ..part }
    }

    #[test]
    fn a_plain_answer_is_plain_openai() {
        assert_eq!(
            assistant_message(&[thought("hm", "s"), text("Hi"), call("c1", false)], &origin()),
            json!({
                "role": "assistant",
                "content": "Hi",
                "tool_calls": [
                    {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{\"a\": 1 ,}"}}
                ],
                "reasoning": [{"text": "hm", "signature": "s"}],
                "origin": {"provider": "p", "model": "m"}
            })
        );
        let only_call = assistant_message(&[call("c1", false)], &origin());
        assert!(only_call.get("content").is_none() && only_call.get("parts").is_none());
        assert_eq!(assistant_message(&[], &origin())["content"], "");
    }

    /// What an answer may hold, in orders that plain keys can and can't say.
    fn answers() -> Vec<(bool, Vec<Part>)> {
        let replay = |replay: Replay, part: Part| Part { replay: Some(replay), ..part };
        let data = |data: Value| Replay { data: Some(data), ..Replay::default() };
        let id = |id: &str| Replay { item_id: Some(id.to_owned()), ..Replay::default() };
        let opaque = |kind: &str, data: Value| -> Part {
            PartContent::Opaque(Opaque { kind: kind.to_owned(), data }).into()
        };
        let media = PartContent::Media(Media {
            kind: MediaKind::Image,
            mime_type: "image/png".to_owned(),
            source: MediaSource::Bytes(vec![1, 2, 255]),
            name: None,
            detail: None,
        });
        let signed = Replay { signature: Some("sig".to_owned()), ..Replay::default() };
        vec![
            (true, vec![text("a")]),
            (true, vec![replay(id("msg_1"), text("a")), replay(id("fc_1"), call("c", false))]),
            (true, vec![replay(signed.clone(), text(""))]),
            (true, vec![replay(signed, call("c", false))]),
            (true, vec![replay(synthetic_id_replay(), call("c", false))]),
            (true, vec![PartContent::Refusal("no".to_owned()).into()]),
            (true, vec![PartContent::Reasoning(Reasoning::Redacted("x".to_owned())).into(), text("a")]),
            (
                true,
                vec![opaque("reasoning", json!({"type": "reasoning", "encrypted_content": "e"})), text("a")],
            ),
            (false, vec![text("a"), text("b")]),
            (false, vec![thought("1", "s"), call("c", false), thought("2", "t"), call("d", false)]),
            (false, vec![call("c", false), text("a")]),
            (false, vec![text("a"), call("c", true), opaque("search", json!({"r": [1]})), text("b")]),
            (false, vec![replay(data(json!({"citations": []})), text("a"))]),
            (false, vec![media.into()]),
            (false, vec![PartContent::Refusal("no".to_owned()).into(), text("a")]),
        ]
    }

    fn synthetic_id_replay() -> Replay {
        Replay { data: Some(synthetic_id()), ..Replay::default() }
    }

    #[test]
    fn every_answer_is_valid_input_again_and_loses_nothing() {
        for (plain, parts) in answers() {
            let value = assistant_message(&parts, &origin());
            assert_eq!(value.get("parts").is_none(), plain, "{value}");
            let through_text: Value = serde_json::from_str(&value.to_string()).unwrap();
            let read = message(&through_text).unwrap();
            assert_eq!(read.parts, parts, "{value}");
            assert_eq!(read.origin, Some(origin()));
        }
    }

    #[test]
    fn an_edited_message_counts_as_edited() {
        let parts = [text("a"), call("c", true), text("b")];
        let mut value = assistant_message(&parts, &origin());
        assert_eq!(value["content"], "ab");
        assert!(value.get("tool_calls").is_none(), "a client would run the provider's own call");
        value["content"] = json!("ab!");
        assert_eq!(message(&value).unwrap().parts, [text("ab!")]);
    }
}
