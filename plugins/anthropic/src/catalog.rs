//! The models: data in `models.json`, from <https://platform.claude.com/docs/en/about-claude/models/overview> and
//! the migration guides beside it. A new model is one entry there.

use std::sync::LazyLock;

use aimu_sdk::{Capabilities, ModelSpec, Parameter};
use serde::Deserialize;
use serde_json::Value;

/// How a model is asked to think.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ThinkingStyle {
    /// Adaptively, and it can't be turned off.
    Always,
    /// Adaptively; what stands for off is `between_tools`.
    BetweenTools,
    /// Adaptively, or not.
    Adaptive,
    /// Adaptively, within a budget, or not.
    Both,
    /// Within a budget, or not.
    Budget,
}

/// One entry of the catalogue.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Model {
    id: String,
    /// The date of the snapshot that the id stands for; `id-date` is a name of the model too.
    dated: Option<String>,
    name: String,
    context: u32,
    pub(crate) output: u32,
    pub(crate) thinking: ThinkingStyle,
    #[serde(default)]
    pub(crate) efforts: Vec<String>,
    /// Takes `temperature`, `top_p` and `top_k`.
    #[serde(default = "yes")]
    pub(crate) sampling: bool,
    /// Takes a `tool_choice` that forces a call.
    #[serde(default = "yes")]
    pub(crate) forced_tools: bool,
    /// Takes system messages in the middle of a conversation.
    #[serde(default)]
    pub(crate) system_anywhere: bool,
}

fn yes() -> bool {
    true
}

/// The entries. That the file parses is a test.
static MODELS: LazyLock<Vec<Model>> =
    LazyLock::new(|| serde_json::from_str(include_str!("models.json")).unwrap_or_default());

/// The entry of a model, by its id or its dated one.
pub(crate) fn find(id: &str) -> Option<&'static Model> {
    MODELS.iter().find(|model| {
        id.strip_prefix(model.id.as_str()).is_some_and(|rest| match rest.strip_prefix('-') {
            Some(date) => date.len() == 8 && date.bytes().all(|byte| byte.is_ascii_digit()),
            None => rest.is_empty(),
        })
    })
}

/// All models as the contract has them.
pub(crate) fn specs() -> Vec<ModelSpec> {
    MODELS
        .iter()
        .flat_map(|model| {
            let dated = model.dated.as_ref().map(|date| spec(model, &format!("{}-{date}", model.id)));
            std::iter::once(spec(model, &model.id)).chain(dated)
        })
        .collect()
}

/// What a Claude model can do unless it says otherwise.
fn usual() -> Capabilities {
    Capabilities::TOOLS
        | Capabilities::PARALLEL_TOOLS
        | Capabilities::THINKING
        | Capabilities::VISION
        | Capabilities::DOCUMENTS
        | Capabilities::STRUCTURED_OUTPUT
        | Capabilities::PROMPT_CACHE
        | Capabilities::MEDIA_URLS
        | Capabilities::SERVER_TOOLS
}

fn spec(model: &Model, id: &str) -> ModelSpec {
    let sampling = vec![Parameter::Temperature, Parameter::TopP, Parameter::TopK];
    let (rejects, rejects_while_thinking) =
        if model.sampling { (Vec::new(), sampling) } else { (sampling, Vec::new()) };
    ModelSpec {
        display_name: Some(model.name.clone()),
        context_window: Some(model.context),
        max_output: Some(model.output),
        efforts: model.efforts.clone(),
        thinking_optional: model.thinking != ThinkingStyle::Always,
        rejects,
        rejects_while_thinking,
        ..ModelSpec::new(id, usual())
    }
}

/// One entry of `GET /v1/models` (<https://platform.claude.com/docs/en/api/models/list>): what the catalogue knows,
/// corrected by what the server says. `None` for an entry without an id.
pub(crate) fn listed(entry: &Value) -> Option<ModelSpec> {
    let id = entry.get("id")?.as_str()?;
    let mut spec = find(id).map_or_else(|| ModelSpec::new(id, usual()), |model| spec(model, id));
    let number =
        |name: &str| entry.get(name).and_then(Value::as_u64).and_then(|number| u32::try_from(number).ok());
    if let Some(name) = entry.get("display_name").and_then(Value::as_str) {
        spec.display_name = Some(name.to_owned());
    }
    spec.context_window = number("max_input_tokens").or(spec.context_window);
    spec.max_output = number("max_tokens").or(spec.max_output);
    let supported =
        |path: &str| entry.pointer(&format!("/capabilities/{path}/supported")).and_then(Value::as_bool);
    for (path, capability) in [
        ("image_input", Capabilities::VISION),
        ("pdf_input", Capabilities::DOCUMENTS),
        ("structured_outputs", Capabilities::STRUCTURED_OUTPUT),
        ("thinking", Capabilities::THINKING),
    ] {
        if let Some(supported) = supported(path) {
            spec.capabilities = spec.capabilities.with(capability, supported);
        }
    }
    if entry.pointer("/capabilities/effort").is_some_and(Value::is_object) {
        let levels = ["low", "medium", "high", "xhigh", "max"];
        spec.efforts = levels
            .into_iter()
            .filter(|level| supported(&format!("effort/{level}")) == Some(true))
            .map(str::to_owned)
            .collect();
    }
    spec.metadata = entry.get("created_at").map(|date| serde_json::json!({ "created_at": date }).to_string());
    Some(spec)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_file_parses_and_ids_are_found() {
        assert!(serde_json::from_str::<Vec<Model>>(include_str!("models.json")).unwrap().len() > 10);
        assert_eq!(find("claude-opus-5").unwrap().name, "Claude Opus 5");
        assert_eq!(find("claude-opus-5-5").unwrap().name, "Claude Opus 5.5");
        assert_eq!(find("claude-haiku-4-5-20251001").unwrap().name, "Claude Haiku 4.5");
        assert!(find("claude-opus-5-6").is_none() && find("claude-3-haiku-20240307").is_none());
        assert!(specs().iter().any(|spec| spec.id == "claude-sonnet-4-5-20250929"));
    }

    #[test]
    fn the_server_corrects_the_catalogue() {
        let spec = listed(&serde_json::json!({
            "id": "claude-new-9", "display_name": "New", "max_input_tokens": 5, "max_tokens": 4,
            "capabilities": {"image_input": {"supported": false},
                "effort": {"supported": true, "low": {"supported": true}, "max": {"supported": false}}}
        }))
        .unwrap();
        assert_eq!((spec.context_window, spec.max_output), (Some(5), Some(4)));
        assert_eq!(spec.efforts, ["low"]);
        assert_eq!(spec.capabilities, usual().with(Capabilities::VISION, false));
        assert!(listed(&serde_json::json!({})).is_none());
    }
}
