//! The models: data in `models.json`, from <https://docs.cohere.com/docs/models> and
//! <https://docs.cohere.com/docs/deprecations>. A new model is one entry there.

use std::sync::LazyLock;

use aimu_sdk::{Capabilities, ModelSpec, Parameter, Tasks};
use serde::Deserialize;
use serde_json::{Map, Value};

/// One entry of the catalogue.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Model {
    id: String,
    name: String,
    context: u32,
    /// Where Cohere says it.
    output: Option<u32>,
    #[serde(default)]
    pub(crate) thinking: bool,
    #[serde(default)]
    vision: bool,
    #[serde(default = "yes")]
    tools: bool,
    /// Can be made to call a tool, or kept from it; models before Command R7B can't.
    #[serde(default = "yes")]
    pub(crate) tool_choice: bool,
    /// It makes vectors and answers no chat.
    #[serde(default)]
    embedding: bool,
    deprecated: Option<String>,
}

fn yes() -> bool {
    true
}

/// The entries. That the file parses is a test.
static MODELS: LazyLock<Vec<Model>> =
    LazyLock::new(|| serde_json::from_str(include_str!("models.json")).unwrap_or_default());

/// The entry of a model; fine-tuned ones and those of other hosts have none.
pub(crate) fn find(id: &str) -> Option<&'static Model> {
    MODELS.iter().find(|model| model.id == id)
}

/// All models as the contract has them.
pub(crate) fn specs() -> Vec<ModelSpec> {
    MODELS.iter().map(spec).collect()
}

fn spec(model: &Model) -> ModelSpec {
    if model.embedding {
        return ModelSpec {
            display_name: Some(model.name.clone()),
            context_window: Some(model.context),
            deprecated: model.deprecated.clone(),
            ..embedder(&model.id)
        };
    }
    let functions = Capabilities::TOOLS | Capabilities::PARALLEL_TOOLS;
    let capabilities = (Capabilities::STRUCTURED_OUTPUT | Capabilities::DOCUMENTS)
        .with(functions, model.tools)
        .with(Capabilities::THINKING, model.thinking)
        .with(Capabilities::VISION | Capabilities::MEDIA_URLS, model.vision);
    ModelSpec {
        display_name: Some(model.name.clone()),
        context_window: Some(model.context),
        max_output: model.output,
        deprecated: model.deprecated.clone(),
        rejects: if model.tool_choice { Vec::new() } else { vec![Parameter::ToolChoice] },
        ..ModelSpec::new(model.id.as_str(), capabilities)
    }
}

/// A model of which nothing is known but that it embeds.
fn embedder(id: &str) -> ModelSpec {
    ModelSpec { tasks: Tasks::EMBEDDING, ..ModelSpec::new(id, Capabilities::empty()) }
}

/// One entry of `GET /v1/models` (<https://docs.cohere.com/reference/list-models>): what the catalogue knows, corrected
/// by what the server says. `None` for a model that neither answers chats nor embeds.
pub(crate) fn listed(entry: &Value) -> Option<ModelSpec> {
    let id = entry.get("name")?.as_str().filter(|id| !id.is_empty())?;
    let words = |name: &str| entry.get(name).and_then(Value::as_array);
    let has = |list: Option<&Vec<Value>>, word: &str| {
        list.is_some_and(|words| words.iter().any(|have| have == word))
    };
    let endpoints = words("endpoints");
    let unknown = match endpoints {
        Some(_) if has(endpoints, "chat") => ModelSpec::new(id, Capabilities::empty()),
        Some(_) if has(endpoints, "embed") => embedder(id),
        Some(_) => return None,
        None => ModelSpec::new(id, Capabilities::empty()),
    };
    let mut spec = find(id).map_or(unknown, spec);
    if let Some(features) = words("features").filter(|_| spec.tasks != Tasks::EMBEDDING) {
        let has = |word: &str| has(Some(features), word);
        spec.capabilities = spec
            .capabilities
            .with(Capabilities::TOOLS | Capabilities::PARALLEL_TOOLS, has("tools"))
            .with(Capabilities::THINKING, has("reasoning"))
            .with(Capabilities::VISION | Capabilities::MEDIA_URLS, has("vision"))
            .with(Capabilities::STRUCTURED_OUTPUT, has("json_schema") || has("json_mode"));
    }
    // A float in the API's own description.
    let context = entry.get("context_length").and_then(Value::as_f64);
    let context = context.filter(|length| (1.0..=f64::from(u32::MAX)).contains(length));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be in range")]
    let context = context.map(|length| length as u32);
    spec.context_window = context.or(spec.context_window);
    if entry.get("is_deprecated") == Some(&Value::Bool(true)) && spec.deprecated.is_none() {
        spec.deprecated = Some("Cohere lists it as deprecated".into());
    }
    let kept = ["features", "finetuned", "default_endpoints", "sampling_defaults"];
    let kept: Map<String, Value> = kept
        .iter()
        .filter_map(|name| {
            Some(((*name).to_owned(), entry.get(*name).filter(|value| !value.is_null())?.clone()))
        })
        .collect();
    spec.metadata = (!kept.is_empty()).then(|| Value::Object(kept).to_string());
    Some(spec)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    #[test]
    fn the_file_parses_and_ids_are_found() {
        assert!(serde_json::from_str::<Vec<Model>>(include_str!("models.json")).unwrap().len() > 8);
        assert!(find("command-a-reasoning-08-2025").unwrap().thinking);
        assert!(find("command-a").is_none());
        let vision = specs().into_iter().find(|spec| spec.id == "command-a-vision-07-2025").unwrap();
        assert!(vision.capabilities.contains(Capabilities::VISION));
        assert!(!vision.capabilities.contains(Capabilities::TOOLS));
        let older = specs().into_iter().find(|spec| spec.id == "command-r-08-2024").unwrap();
        assert_eq!(older.rejects, [Parameter::ToolChoice]);
    }

    #[test]
    fn the_server_corrects_the_catalogue() {
        let spec = listed(&json!({
            "name": "command-a-03-2025", "is_deprecated": true, "endpoints": ["chat", "generate"],
            "finetuned": false, "context_length": 288_000.0, "features": ["tools", "json_schema", "vision"],
        }))
        .unwrap();
        assert_eq!((spec.display_name.as_deref(), spec.context_window), (Some("Command A"), Some(288_000)));
        assert!(spec.deprecated.is_some() && spec.capabilities.contains(Capabilities::VISION));
        assert!(spec.metadata.unwrap().contains("json_schema"));
        let new = listed(&json!({"name": "north-1", "endpoints": ["chat"]})).unwrap();
        assert_eq!((new.id.as_str(), new.deprecated, new.context_window), ("north-1", None, None));
        let embedder =
            listed(&json!({"name": "embed-v5", "endpoints": ["embed"], "features": ["vision"]})).unwrap();
        assert_eq!((embedder.tasks, embedder.capabilities), (Tasks::EMBEDDING, Capabilities::empty()));
        assert!(listed(&json!({"name": "rerank-v4", "endpoints": ["rerank"]})).is_none());
        assert!(listed(&json!({})).is_none());
    }
}
