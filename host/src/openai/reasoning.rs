//! The extension `reasoning`: a list of what the model thought, one entry a block, in order.
//!
//! `{text}` or `{summary}`, either with `signature` and `item_id`; `{redacted}`, encrypted; `{raw}`, the provider's own
//! block, which goes back as it is.

use super::fields::{Fields, sort_of};
use crate::model::{Opaque, Part, PartContent, Reasoning, Replay, Result};
use serde_json::{Map, Value, json};

/// The part that one entry stands for.
pub(super) fn read(entry: &Value, path: &str) -> Result<Part> {
    if let Value::String(text) = entry {
        return Ok(PartContent::Reasoning(Reasoning::Text(text.clone())).into());
    }
    let entry = Fields::of(entry, path)?;
    entry.only(&["text", "summary", "redacted", "raw", "signature", "item_id"])?;
    if let Some(raw) = entry.get("raw") {
        return Ok(from_raw(raw));
    }
    let reasoning = match (entry.text("text")?, entry.text("summary")?, entry.text("redacted")?) {
        (Some(text), None, None) => Reasoning::Text(text.to_owned()),
        (None, Some(summary), None) => Reasoning::Summary(summary.to_owned()),
        (None, None, Some(redacted)) => Reasoning::Redacted(redacted.to_owned()),
        // A signature alone is a block whose text the provider kept to itself.
        (None, None, None) if entry.has("signature") => Reasoning::Text(String::new()),
        _ => {
            return Err(
                entry.missing("text", "the entry's only one of `text`, `summary`, `redacted` and `raw`")
            );
        }
    };
    let replay = Replay {
        signature: entry.text("signature")?.map(str::to_owned),
        item_id: entry.text("item_id")?.map(str::to_owned),
        data: None,
    };
    Ok(Part {
        replay: Some(replay).filter(|replay| *replay != Replay::default()),
        ..reasoning_part(reasoning)
    })
}

/// A provider's own block: shown as reasoning where it has words, else opaque; the block itself goes back either way.
pub(super) fn from_raw(raw: &Value) -> Part {
    match words(raw) {
        Some(reasoning) => {
            let replay = Replay { data: Some(raw.clone()), ..Replay::default() };
            Part { replay: Some(replay), ..reasoning_part(reasoning) }
        }
        None => {
            let kind = raw.get("type").and_then(Value::as_str).unwrap_or("reasoning").to_owned();
            PartContent::Opaque(Opaque { kind, data: raw.clone() }).into()
        }
    }
}

fn reasoning_part(reasoning: Reasoning) -> Part {
    PartContent::Reasoning(reasoning).into()
}

/// The words of a block in the forms that the known wires have: a string `text` or `thinking`, a string or a list of
/// texts `content` or `summary`. Full reasoning goes before its summary.
fn words(raw: &Value) -> Option<Reasoning> {
    let told = |key: &str| match raw.get(key)? {
        Value::String(text) => Some(text.clone()),
        Value::Array(items) => {
            let texts: Vec<_> = items.iter().filter_map(|item| item.get("text")?.as_str()).collect();
            Some(texts.join("\n\n"))
        }
        _ => None,
    };
    let full = ["text", "thinking", "content"].into_iter().filter_map(told).find(|text| !text.is_empty());
    let summary = || told("summary").filter(|text| !text.is_empty());
    full.map(Reasoning::Text).or_else(|| summary().map(Reasoning::Summary))
}

/// The entry of a part; `None` when it is no reasoning. What an entry can't say is left out.
pub(super) fn write(part: &Part) -> Option<Value> {
    let replay = part.replay.as_ref();
    let (key, text) = match &part.content {
        PartContent::Reasoning(reasoning) => {
            match (replay.and_then(|replay| replay.data.as_ref()), reasoning) {
                (Some(raw), _) if from_raw(raw) == *part => return Some(json!({"raw": raw})),
                (_, Reasoning::Text(text)) => ("text", text),
                (_, Reasoning::Summary(text)) => ("summary", text),
                (_, Reasoning::Redacted(text)) => ("redacted", text),
            }
        }
        // Other opaque blocks are not thoughts, and stand in `parts` alone.
        PartContent::Opaque(opaque)
            if opaque.kind.contains("reasoning") || opaque.kind.contains("thinking") =>
        {
            return (from_raw(&opaque.data) == *part).then(|| json!({"raw": opaque.data}));
        }
        _ => return None,
    };
    let mut entry = Map::new();
    entry.insert(key.to_owned(), json!(text));
    if let Some(signature) = replay.and_then(|replay| replay.signature.as_ref()) {
        entry.insert("signature".to_owned(), json!(signature));
    }
    if let Some(id) = replay.and_then(|replay| replay.item_id.as_ref()) {
        entry.insert("item_id".to_owned(), json!(id));
    }
    Some(Value::Object(entry))
}

/// The entries of a message: the extension itself, or the forms in which other tools keep reasoning.
pub(super) fn read_all(message: &Fields<'_>) -> Result<Vec<Part>> {
    for key in ["reasoning", "reasoning_details", "reasoning_content"] {
        let path = message.at(key);
        match message.get(key) {
            None => {}
            Some(Value::String(text)) => return Ok(vec![reasoning_part(Reasoning::Text(text.clone()))]),
            Some(Value::Array(list)) if key == "reasoning_details" => {
                return Ok(list.iter().map(from_raw).collect());
            }
            Some(Value::Array(list)) => {
                return list
                    .iter()
                    .enumerate()
                    .map(|(i, entry)| read(entry, &format!("{path}[{i}]")))
                    .collect();
            }
            Some(other) => {
                let what = format_args!("must be a list of {{text, signature}}, not {}", sort_of(other));
                return Err(super::fields::invalid(&path, what));
            }
        }
    }
    Ok(Vec::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_reads_and_writes_back() {
        let entries = [
            json!({"text": "hm", "signature": "s"}),
            json!({"text": "", "signature": "s"}),
            json!({"summary": "short", "item_id": "rs_1"}),
            json!({"redacted": "xxxx"}),
            json!({"raw": {"type": "reasoning.text", "text": "hm", "signature": "s", "index": 0}}),
            json!({"raw": {"type": "reasoning", "id": "rs", "summary": [{"type": "summary_text", "text": "a"}]}}),
            json!({"raw": {"type": "reasoning", "id": "rs", "summary": [], "encrypted_content": "e"}}),
        ];
        for entry in entries {
            assert_eq!(write(&read(&entry, "r").unwrap()).as_ref(), Some(&entry));
        }
    }

    #[test]
    fn a_raw_block_shows_its_words_and_keeps_itself() {
        let raw = json!({"type": "reasoning", "summary": [{"text": "s"}], "content": [{"text": "a"}, {"text": "b"}]});
        let part = from_raw(&raw);
        assert_eq!(part.content, PartContent::Reasoning(Reasoning::Text("a\n\nb".to_owned())));
        assert_eq!(part.replay.unwrap().data, Some(raw));
        let encrypted = json!({"data": "e"});
        let opaque = Opaque { kind: "reasoning".to_owned(), data: encrypted.clone() };
        assert_eq!(from_raw(&encrypted).content, PartContent::Opaque(opaque));
    }

    #[test]
    fn wrong_entries_are_refused() {
        let failure = read(&json!({"text": "a", "redacted": "b"}), "messages[1].reasoning[0]").unwrap_err();
        assert!(failure.message.starts_with("messages[1].reasoning[0]: "), "{failure}");
        assert!(read(&json!({"txt": "a"}), "r").unwrap_err().message.contains("`text`"));
        assert!(read(&json!({}), "r").is_err());
    }
}
