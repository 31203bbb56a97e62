//! The models that a server has: names from `/api/tags` (<https://docs.ollama.com/api/tags>), what each can do from
//! `/api/show` (<https://docs.ollama.com/api-reference/show-model-details>).
//!
//! The sampling that a model's file recommends is not taken over: the server applies it anyway, and said again in each
//! request it would only override a later change.

use aimu_sdk::{Capabilities, ModelSpec, Tasks};
use serde_json::{Map, Value};

/// A model in the list.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    /// Its name, with its tag.
    pub(crate) id: String,
    /// What else the list says: its size, its details.
    members: Map<String, Value>,
}

/// The models in an answer of `/api/tags`.
pub(crate) fn entries(mut answer: Value) -> Vec<Entry> {
    let Some(Value::Array(models)) = answer.get_mut("models").map(Value::take) else { return Vec::new() };
    let entry = |model: Value| {
        let Value::Object(mut members) = model else { return None };
        let id =
            ["model", "name"].into_iter().find_map(|name| members.get(name)?.as_str().map(str::to_owned))?;
        for name in ["model", "name", "digest", "modified_at"] {
            members.shift_remove(name);
        }
        (!id.is_empty()).then_some(Entry { id, members })
    };
    models.into_iter().filter_map(entry).collect()
}

/// What is known of a model, with the answer of `/api/show` if there is one.
pub(crate) fn spec(entry: &Entry, shown: Option<&Value>) -> ModelSpec {
    let family = entry.members.get("details").and_then(|details| details.get("family"));
    let family = family.and_then(Value::as_str).unwrap_or_default();
    // Newer lists say it themselves.
    let listed = shown
        .and_then(|shown| shown.get("capabilities"))
        .or_else(|| entry.members.get("capabilities"))
        .and_then(Value::as_array);
    let has = |word: &str| listed.is_some_and(|words| words.iter().any(|have| have == word));
    let tasks = match listed {
        Some(_) => {
            let chats = has("completion") || has("tools") || has("vision") || has("thinking");
            let mut tasks = Tasks::empty();
            for (yes, task) in [
                (chats, Tasks::CHAT | Tasks::GENERATE),
                (has("embedding"), Tasks::EMBEDDING),
                (has("image"), Tasks::IMAGE),
            ] {
                if yes {
                    tasks = tasks | task;
                }
            }
            tasks
        }
        // Servers before 0.6.4 do not say.
        None if family.contains("bert") => Tasks::EMBEDDING,
        None => Tasks::CHAT | Tasks::GENERATE,
    };
    let capabilities = Capabilities::empty()
        .with(Capabilities::TOOLS | Capabilities::PARALLEL_TOOLS, has("tools"))
        .with(Capabilities::THINKING, has("thinking"))
        .with(Capabilities::VISION, has("vision"))
        .with(Capabilities::AUDIO, has("audio"))
        // The server holds the model to a schema, whatever the model.
        .with(Capabilities::STRUCTURED_OUTPUT, (tasks & Tasks::CHAT) == Tasks::CHAT);
    // Its template has levels, and no way to turn thinking off (<https://docs.ollama.com/capabilities/thinking>).
    let levels = has("thinking") && matches!(family, "gptoss" | "gpt-oss");
    ModelSpec {
        tasks,
        context_window: shown.and_then(context_window),
        efforts: if levels { ["low", "medium", "high"].map(str::to_owned).to_vec() } else { Vec::new() },
        thinking_optional: !levels,
        metadata: metadata(entry, shown),
        ..ModelSpec::new(entry.id.as_str(), capabilities)
    }
}

/// The length that the model was trained for, in a member named after its architecture (`qwen3.context_length`).
fn context_window(shown: &Value) -> Option<u32> {
    let info = shown.get("model_info")?.as_object()?;
    let (_, length) = info.iter().find(|(name, _)| name.ends_with(".context_length"))?;
    length.as_u64().and_then(|length| u32::try_from(length).ok())
}

fn metadata(entry: &Entry, shown: Option<&Value>) -> Option<String> {
    let mut kept = entry.members.clone();
    kept.shift_remove("capabilities");
    if let Some(parameters) = shown.and_then(|shown| shown.get("parameters")).filter(|text| text.is_string())
    {
        kept.insert("parameters".into(), parameters.clone());
    }
    (!kept.is_empty()).then(|| Value::Object(kept).to_string())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    fn list() -> Vec<Entry> {
        entries(json!({"models": [
            {"name": "qwen3:4b", "model": "qwen3:4b", "digest": "d", "size": 2_497_293_931_u64,
             "details": {"family": "qwen3", "parameter_size": "4.0B"}},
            {"name": "all-minilm:latest", "details": {"family": "bert"}},
            {"model": "gpt-oss:20b", "details": {"family": "gptoss"}},
            {"size": 1}, 7,
        ]}))
    }

    #[test]
    fn what_a_model_can_do() {
        let list = list();
        let ids: Vec<_> = list.iter().map(|entry| entry.id.as_str()).collect();
        assert_eq!(ids, ["qwen3:4b", "all-minilm:latest", "gpt-oss:20b"]);
        let shown = json!({
            "capabilities": ["completion", "tools", "thinking"], "parameters": "temperature 0.6",
            "model_info": {"general.architecture": "qwen3", "qwen3.context_length": 262_144},
        });
        let qwen = spec(&list[0], Some(&shown));
        assert_eq!((qwen.tasks, qwen.context_window), (Tasks::CHAT | Tasks::GENERATE, Some(262_144)));
        let expected = Capabilities::TOOLS
            | Capabilities::PARALLEL_TOOLS
            | Capabilities::THINKING
            | Capabilities::STRUCTURED_OUTPUT;
        assert_eq!(qwen.capabilities, expected);
        assert!(qwen.thinking_optional && qwen.efforts.is_empty());
        let metadata: Value = serde_json::from_str(&qwen.metadata.unwrap()).unwrap();
        assert_eq!(metadata["parameters"], "temperature 0.6");
        assert_eq!(metadata["size"], 2_497_293_931_u64);

        let embedding = spec(&list[1], Some(&json!({"capabilities": ["embedding"]})));
        assert_eq!((embedding.tasks, embedding.capabilities), (Tasks::EMBEDDING, Capabilities::empty()));
        let thinker = spec(&list[2], Some(&json!({"capabilities": ["completion", "tools", "thinking"]})));
        assert!(!thinker.thinking_optional);
        assert_eq!(thinker.efforts, ["low", "medium", "high"]);
        let seer = spec(&list[0], Some(&json!({"capabilities": ["completion", "vision", "audio"]})));
        assert!(seer.capabilities.contains(Capabilities::VISION | Capabilities::AUDIO));
    }

    #[test]
    fn a_model_that_was_not_shown_is_there_too() {
        let list = list();
        let old: Vec<_> = list.iter().map(|entry| spec(entry, None).tasks).collect();
        assert_eq!(old, [Tasks::CHAT | Tasks::GENERATE, Tasks::EMBEDDING, Tasks::CHAT | Tasks::GENERATE]);
        assert_eq!(spec(&list[0], Some(&json!({}))).context_window, None);
        assert_eq!(entries(json!({})), []);
    }
}
