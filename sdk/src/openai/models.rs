//! The list of a server's models.
//!
//! Source: <https://platform.openai.com/docs/api-reference/models/list>, and what brands add to it: OpenRouter
//! (`architecture`, `supported_parameters`), Mistral (`capabilities`), Groq, Together, vLLM (lengths).

use serde_json::Value;

use crate::{Capabilities, ModelSpec, Tasks};

/// The models in an answer of `GET …/models`: an object with `data`, or a bare list.
#[must_use]
pub fn parse(answer: &Value) -> Vec<ModelSpec> {
    let list = answer.get("data").or_else(|| answer.get("models")).unwrap_or(answer);
    list.as_array().into_iter().flatten().filter_map(model).collect()
}

fn model(entry: &Value) -> Option<ModelSpec> {
    let id = entry.get("id").or_else(|| entry.get("name")).and_then(Value::as_str)?;
    let text = |name: &str| entry.get(name).and_then(Value::as_str).map(str::to_owned);
    let length = |names: &[&str]| {
        names
            .iter()
            .find_map(|name| entry.pointer(name))
            .and_then(Value::as_u64)
            .and_then(|n| u32::try_from(n).ok())
    };
    Some(ModelSpec {
        display_name: text("display_name").or_else(|| text("name")).filter(|name| name != id),
        tasks: tasks(entry, id),
        context_window: length(&[
            "/context_length",
            "/context_window",
            "/max_context_length",
            "/max_model_len",
        ]),
        max_output: length(&["/top_provider/max_completion_tokens", "/max_completion_tokens"]),
        deprecated: text("deprecation").map(|date| format!("goes away on {date}")),
        ..ModelSpec::new(id, capabilities(entry))
    })
}

/// What a model is for, where the server or the id says so.
fn tasks(entry: &Value, id: &str) -> Tasks {
    let kind = entry.get("type").and_then(Value::as_str).unwrap_or_default();
    let chats = entry.pointer("/capabilities/completion_chat").and_then(Value::as_bool);
    let id = id.to_ascii_lowercase();
    match kind {
        "embedding" | "embeddings" => Tasks::EMBEDDING,
        "image" => Tasks::IMAGE,
        "rerank" => Tasks::RERANK,
        "audio" => Tasks::SPEECH,
        "transcribe" => Tasks::TRANSCRIPTION,
        _ if id.contains("embed") => Tasks::EMBEDDING,
        _ if id.contains("whisper") || id.contains("transcribe") => Tasks::TRANSCRIPTION,
        _ if id.starts_with("tts-") || id.ends_with("-tts") => Tasks::SPEECH,
        _ if id.starts_with("dall-e") || id.starts_with("gpt-image") => Tasks::IMAGE,
        _ if chats == Some(false) => Tasks::empty(),
        _ => Tasks::CHAT | Tasks::GENERATE,
    }
}

fn capabilities(entry: &Value) -> Capabilities {
    let mut found = Capabilities::empty();
    let lists = |pointer: &str, word: &str| {
        entry
            .pointer(pointer)
            .and_then(Value::as_array)
            .is_some_and(|words| words.iter().any(|have| have == word))
    };
    let says = |pointer: &str| entry.pointer(pointer).and_then(Value::as_bool) == Some(true);
    for (yes, capability) in [
        (
            lists("/supported_parameters", "tools") || says("/capabilities/function_calling"),
            Capabilities::TOOLS,
        ),
        (
            lists("/supported_parameters", "reasoning") || says("/capabilities/reasoning"),
            Capabilities::THINKING,
        ),
        (lists("/supported_parameters", "structured_outputs"), Capabilities::STRUCTURED_OUTPUT),
        (
            lists("/architecture/input_modalities", "image") || says("/capabilities/vision"),
            Capabilities::VISION,
        ),
        (
            lists("/architecture/input_modalities", "audio") || says("/capabilities/audio"),
            Capabilities::AUDIO,
        ),
        (lists("/architecture/input_modalities", "file"), Capabilities::DOCUMENTS),
        (lists("/architecture/output_modalities", "image"), Capabilities::IMAGE_OUTPUT),
        (lists("/architecture/output_modalities", "audio"), Capabilities::AUDIO_OUTPUT),
    ] {
        if yes {
            found = found | capability;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    #[test]
    fn lists_of_several_brands() {
        let openai =
            json!({"object": "list", "data": [{"id": "gpt-4o"}, {"id": "text-embedding-3-small"}, {}]});
        let got: Vec<_> = parse(&openai).into_iter().map(|model| (model.id, model.tasks)).collect();
        let chat = Tasks::CHAT | Tasks::GENERATE;
        assert_eq!(got, [("gpt-4o".to_owned(), chat), ("text-embedding-3-small".into(), Tasks::EMBEDDING)]);
        let openrouter = json!({"data": [{
            "id": "a/b", "name": "A: B", "context_length": 9, "top_provider": {"max_completion_tokens": 3},
            "architecture": {"input_modalities": ["text", "image"]}, "supported_parameters": ["tools", "reasoning"],
        }]});
        let model = parse(&openrouter).remove(0);
        assert_eq!(
            (model.display_name.as_deref(), model.context_window, model.max_output),
            (Some("A: B"), Some(9), Some(3))
        );
        assert_eq!(model.capabilities, Capabilities::TOOLS | Capabilities::THINKING | Capabilities::VISION);
        let mistral = json!({"data": [{
            "id": "m", "max_context_length": 5, "capabilities": {"completion_chat": true, "function_calling": true},
        }]});
        let model = parse(&mistral).remove(0);
        assert_eq!((model.capabilities, model.context_window), (Capabilities::TOOLS, Some(5)));
        let together = json!([{"id": "t", "type": "chat"}, {"id": "i", "type": "image"}]);
        assert_eq!(
            parse(&together).iter().map(|model| model.tasks).collect::<Vec<_>>(),
            [chat, Tasks::IMAGE]
        );
        assert_eq!(parse(&json!({"error": "no"})), []);
    }
}
