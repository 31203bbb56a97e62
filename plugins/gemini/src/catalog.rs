//! The models: data in `models.json`, from <https://ai.google.dev/gemini-api/docs/models>, the list of deprecations
//! beside it and <https://ai.google.dev/gemini-api/docs/thinking>. A new model is one entry there.

use std::sync::LazyLock;

use aimu_sdk::{Capabilities, ModelSpec, Tasks};
use serde::Deserialize;
use serde_json::{Map, Value};

/// How a model is told how much to think.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ThinkingStyle {
    /// By a level; it always thinks, if only a little.
    #[default]
    Levels,
    /// By a number of tokens.
    Budget,
    /// It does not think.
    None,
}

/// One entry of the catalogue.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Model {
    id: String,
    name: String,
    #[serde(default = "context")]
    context: u32,
    #[serde(default = "output")]
    output: u32,
    #[serde(default)]
    pub(crate) thinking: ThinkingStyle,
    /// The least that a model with budgets thinks; 0 means that it can be turned off.
    #[serde(default)]
    pub(crate) smallest_budget: u32,
    #[serde(default)]
    pub(crate) efforts: Vec<String>,
    #[serde(default)]
    image_output: bool,
    #[serde(default = "yes")]
    tools: bool,
    /// It makes vectors and answers no chat.
    #[serde(default)]
    embedding: bool,
    deprecated: Option<String>,
}

/// What all but a few models take.
fn context() -> u32 {
    1_048_576
}

fn output() -> u32 {
    65_536
}

fn yes() -> bool {
    true
}

/// The entries. That the file parses is a test.
static MODELS: LazyLock<Vec<Model>> =
    LazyLock::new(|| serde_json::from_str(include_str!("models.json")).unwrap_or_default());

/// What is known of a model that was asked for by some name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known {
    /// Its entry, or that of the model that it is a snapshot or preview of.
    pub(crate) entry: Option<&'static Model>,
    /// The whole number of its version; `None` for names without one (`gemini-flash-latest`, tuned models).
    generation: Option<u32>,
}

/// Looks up a model by its id, with or without what stands before it.
pub(crate) fn find(id: &str) -> Known {
    let id = id.rsplit('/').next().unwrap_or(id);
    let is = |model: &&Model| {
        id.strip_prefix(model.id.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    };
    let digits = |rest: &str| rest.chars().take_while(char::is_ascii_digit).collect::<String>();
    Known {
        entry: MODELS.iter().filter(is).max_by_key(|model| model.id.len()),
        generation: id.strip_prefix("gemini-").and_then(|rest| digits(rest).parse().ok()),
    }
}

impl Known {
    /// How it is told to think; what is not known is taken for new, unless its number says otherwise.
    pub(crate) fn thinking(&self) -> ThinkingStyle {
        match (self.entry, self.generation) {
            (Some(model), _) => model.thinking,
            (None, Some(..=1)) => ThinkingStyle::None,
            (None, Some(2)) => ThinkingStyle::Budget,
            (None, _) => ThinkingStyle::Levels,
        }
    }

    /// From the third generation on, functions go together with an answer's schema, results of functions hold media,
    /// and the signatures of calls are demanded.
    pub(crate) fn is_third_generation(&self) -> bool {
        self.generation.is_some_and(|generation| generation >= 3)
    }

    /// The same, where a name without a number counts as new.
    pub(crate) fn is_before_third(&self) -> bool {
        self.generation.is_some_and(|generation| generation < 3)
    }
}

/// All models as the contract has them.
pub(crate) fn specs() -> Vec<ModelSpec> {
    MODELS.iter().map(|model| spec(model, &model.id)).collect()
}

/// What a Gemini model can do unless it says otherwise.
fn usual() -> Capabilities {
    Capabilities::TOOLS
        | Capabilities::PARALLEL_TOOLS
        | Capabilities::THINKING
        | Capabilities::VISION
        | Capabilities::AUDIO
        | Capabilities::DOCUMENTS
        | Capabilities::STRUCTURED_OUTPUT
        | Capabilities::PROMPT_CACHE
        | Capabilities::MEDIA_URLS
        | Capabilities::SERVER_TOOLS
}

fn spec(model: &Model, id: &str) -> ModelSpec {
    if model.embedding {
        return ModelSpec {
            display_name: Some(model.name.clone()),
            context_window: Some(model.context),
            deprecated: model.deprecated.clone(),
            ..embedder(id)
        };
    }
    let functions = Capabilities::TOOLS | Capabilities::PARALLEL_TOOLS;
    let capabilities = usual()
        .with(Capabilities::THINKING, model.thinking != ThinkingStyle::None)
        .with(Capabilities::IMAGE_OUTPUT, model.image_output)
        .with(functions, model.tools);
    ModelSpec {
        display_name: Some(model.name.clone()),
        context_window: Some(model.context),
        max_output: Some(model.output),
        efforts: model.efforts.clone(),
        thinking_optional: match model.thinking {
            ThinkingStyle::Levels => false,
            ThinkingStyle::Budget => model.smallest_budget == 0,
            ThinkingStyle::None => true,
        },
        deprecated: model.deprecated.clone(),
        ..ModelSpec::new(id, capabilities)
    }
}

/// A model of which nothing is known but that it embeds.
fn embedder(id: &str) -> ModelSpec {
    ModelSpec { tasks: Tasks::EMBEDDING, ..ModelSpec::new(id, Capabilities::empty()) }
}

/// One entry of `GET /v1beta/models` (<https://ai.google.dev/api/models#Model>): what the catalogue knows, corrected by
/// what the server says. `None` for a model that neither answers chats nor embeds.
pub(crate) fn listed(entry: &Value) -> Option<ModelSpec> {
    let id = entry.get("name")?.as_str()?;
    let id = id.strip_prefix("models/").unwrap_or(id);
    let methods = entry.get("supportedGenerationMethods").and_then(Value::as_array);
    let has = |name: &str| methods.is_none_or(|methods| methods.iter().any(|method| method == name));
    let unknown = match (has("generateContent"), has("embedContent")) {
        (true, _) => ModelSpec::new(id, usual()),
        (false, true) => embedder(id),
        (false, false) => return None,
    };
    let mut spec = find(id).entry.map_or(unknown, |model| spec(model, id));
    let text = |name: &str| entry.get(name).and_then(Value::as_str).map(str::to_owned);
    let count = |name: &str| entry.get(name).and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok());
    spec.display_name = text("displayName").or(spec.display_name);
    spec.context_window = count("inputTokenLimit").or(spec.context_window);
    if spec.tasks != Tasks::EMBEDDING {
        spec.max_output = count("outputTokenLimit").or(spec.max_output);
    }
    if let Some(thinks) = entry.get("thinking").and_then(Value::as_bool) {
        spec.capabilities = spec.capabilities.with(Capabilities::THINKING, thinks);
    }
    // Its sampling is what the server does anyway: said again in each request it would only override a later change.
    let kept = ["version", "description", "temperature", "maxTemperature", "topP", "topK"];
    let kept: Map<String, Value> =
        kept.iter().filter_map(|name| Some(((*name).to_owned(), entry.get(*name)?.clone()))).collect();
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
        assert!(serde_json::from_str::<Vec<Model>>(include_str!("models.json")).unwrap().len() > 10);
        let name = |id: &str| find(id).entry.map(|model| model.name.as_str());
        assert_eq!(name("gemini-2.5-flash-lite-preview-09-2025"), Some("Gemini 2.5 Flash-Lite"));
        assert_eq!(name("models/gemini-2.5-flash-preview-05-20"), Some("Gemini 2.5 Flash"));
        assert_eq!(name("gemini-2.5-flashy"), None);
        let style = |id: &str| find(id).thinking();
        assert_eq!(style("gemini-1.5-pro"), ThinkingStyle::None);
        assert_eq!(style("gemini-2.9-x"), ThinkingStyle::Budget);
        assert_eq!(style("gemini-5-neon"), ThinkingStyle::Levels);
        assert_eq!(style("gemini-flash-latest"), ThinkingStyle::Levels);
        assert!(find("gemini-10-x").is_third_generation() && !find("gemini-flash-latest").is_before_third());
        let spec = specs().into_iter().find(|spec| spec.id == "gemini-2.5-pro").unwrap();
        assert!(!spec.thinking_optional && spec.deprecated.is_some());
        assert!(spec.capabilities.contains(Capabilities::THINKING | Capabilities::TOOLS));
    }

    #[test]
    fn the_server_corrects_the_catalogue() {
        let spec = listed(&json!({
            "name": "models/gemini-2.5-pro", "displayName": "New", "inputTokenLimit": 5, "outputTokenLimit": 4,
            "supportedGenerationMethods": ["generateContent", "countTokens"], "temperature": 1, "topP": 0.95,
            "topK": 64, "thinking": true
        }))
        .unwrap();
        assert_eq!((spec.id.as_str(), spec.display_name.as_deref()), ("gemini-2.5-pro", Some("New")));
        assert_eq!((spec.context_window, spec.max_output), (Some(5), Some(4)));
        assert_eq!(spec.metadata.as_deref(), Some(r#"{"temperature":1,"topP":0.95,"topK":64}"#));
        assert_eq!(spec.sampling.temperature, None);
        let spec = listed(&json!({
            "name": "models/e", "supportedGenerationMethods": ["embedContent"], "inputTokenLimit": 5, "outputTokenLimit": 1,
        }))
        .unwrap();
        assert_eq!((spec.tasks, spec.context_window, spec.max_output), (Tasks::EMBEDDING, Some(5), None));
        assert!(listed(&json!({"name": "models/v", "supportedGenerationMethods": ["predict"]})).is_none());
        let spec = specs().into_iter().find(|spec| spec.id == "gemini-embedding-001").unwrap();
        assert_eq!((spec.tasks, spec.capabilities), (Tasks::EMBEDDING, Capabilities::empty()));
        assert!(listed(&json!({})).is_none());
    }
}
