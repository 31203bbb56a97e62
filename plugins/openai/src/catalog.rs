//! The models: data in `models.json`, from <https://platform.openai.com/docs/models>. A new model is one entry there.

use std::sync::LazyLock;

use aimu_sdk::openai::Api;
use aimu_sdk::{Capabilities, ModelSpec, Parameter, Tasks};
use serde::Deserialize;

/// The API for ids that the catalogue does not know: the one that new models come to first.
pub(crate) const USUAL_API: Api = Api::Responses;

/// One entry of the catalogue.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Model {
    id: String,
    name: String,
    context: u32,
    /// None for a model that embeds.
    #[serde(default)]
    output: Option<u32>,
    /// The API that it is used by unless the setting says otherwise.
    #[serde(default = "usual_api")]
    pub(crate) api: Api,
    /// Levels of thinking; none for a model that does not think.
    #[serde(default)]
    efforts: Vec<String>,
    #[serde(default)]
    pub(crate) thinking_optional: bool,
    #[serde(default = "yes")]
    vision: bool,
    #[serde(default = "yes")]
    tools: bool,
    #[serde(default = "yes")]
    parallel_tools: bool,
    #[serde(default = "yes")]
    structured_output: bool,
    /// Takes stop words although it thinks.
    #[serde(default)]
    stop: bool,
    /// Hears and speaks.
    #[serde(default)]
    audio: bool,
    /// It makes vectors and answers no chat.
    #[serde(default)]
    embedding: bool,
    deprecated: Option<String>,
}

fn yes() -> bool {
    true
}

fn usual_api() -> Api {
    USUAL_API
}

/// The entries. That the file parses is a test.
static MODELS: LazyLock<Vec<Model>> =
    LazyLock::new(|| serde_json::from_str(include_str!("models.json")).unwrap_or_default());

/// The entry of a model, by its id or a dated snapshot's (`gpt-5.4-2026-03-05`).
pub(crate) fn find(id: &str) -> Option<&'static Model> {
    MODELS.iter().find(|model| {
        id.strip_prefix(model.id.as_str()).is_some_and(|rest| match rest.strip_prefix('-') {
            Some(date) => date.len() == 10 && date.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-'),
            None => rest.is_empty(),
        })
    })
}

/// All models as the contract has them.
pub(crate) fn specs() -> Vec<ModelSpec> {
    MODELS.iter().map(Model::spec).collect()
}

impl Model {
    /// Whether it thinks.
    pub(crate) fn thinks(&self) -> bool {
        !self.efforts.is_empty()
    }

    fn spec(&self) -> ModelSpec {
        if self.embedding {
            return ModelSpec {
                display_name: Some(self.name.clone()),
                tasks: Tasks::EMBEDDING,
                context_window: Some(self.context),
                deprecated: self.deprecated.clone(),
                ..ModelSpec::new(self.id.clone(), Capabilities::empty())
            };
        }
        let responses = self.api == Api::Responses;
        let capabilities = Capabilities::PROMPT_CACHE
            .with(Capabilities::TOOLS, self.tools)
            .with(Capabilities::PARALLEL_TOOLS, self.tools && self.parallel_tools)
            .with(Capabilities::THINKING, self.thinks())
            .with(Capabilities::VISION | Capabilities::DOCUMENTS | Capabilities::MEDIA_URLS, self.vision)
            .with(Capabilities::STRUCTURED_OUTPUT, self.structured_output)
            .with(Capabilities::AUDIO | Capabilities::AUDIO_OUTPUT, self.audio)
            .with(Capabilities::SERVER_TOOLS, responses && self.tools);
        let sampling = [Parameter::Temperature, Parameter::TopP];
        let penalties = [Parameter::PresencePenalty, Parameter::FrequencyPenalty];
        let stop = (!self.stop).then_some(Parameter::Stop);
        let rejects: Vec<Parameter> = stop.into_iter().chain(penalties).collect();
        let (rejects, while_thinking) = match (self.thinks(), self.thinking_optional) {
            (false, _) => (Vec::new(), Vec::new()),
            (true, true) => (rejects, sampling.to_vec()),
            (true, false) => (sampling.into_iter().chain(rejects).collect(), Vec::new()),
        };
        ModelSpec {
            display_name: Some(self.name.clone()),
            context_window: Some(self.context),
            max_output: self.output,
            efforts: self.efforts.clone(),
            thinking_optional: !self.thinks() || self.thinking_optional,
            rejects,
            rejects_while_thinking: while_thinking,
            deprecated: self.deprecated.clone(),
            ..ModelSpec::new(self.id.clone(), capabilities)
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::OpenAi;
    use aimu_sdk::Provider;
    use aimu_sdk::openai::Compatible;

    #[test]
    fn the_file_parses_and_ids_are_found() {
        let models: Vec<Model> = serde_json::from_str(include_str!("models.json")).unwrap();
        assert!(models.len() > 20);
        let mut ids: Vec<_> = models.iter().map(|model| &model.id).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), models.len());
        assert_eq!(find("gpt-5.4-2026-03-05").unwrap().name, "GPT-5.4");
        assert_eq!(find("gpt-4o-mini").unwrap().name, "GPT-4o mini");
        assert!(find("gpt-5.4-nothing").is_none() && find("").is_none());
    }

    #[test]
    fn a_model_decides_the_api_and_the_setting_overrides() {
        let api = |model: &str, settings: &str| OpenAi::quirks_of(model).with_settings(settings).unwrap().api;
        assert_eq!(api("gpt-5.5", "{}"), Api::Responses);
        assert_eq!(api("some-new-model", ""), Api::Responses);
        assert_eq!(api("gpt-4o-search-preview", "{}"), Api::ChatCompletions);
        assert_eq!(api("gpt-5.5", r#"{"api":"chat-completions"}"#), Api::ChatCompletions);
        assert_eq!(api("gpt-4o-search-preview", r#"{"api":"responses"}"#), Api::Responses);
        let quirks = OpenAi::quirks_of("gpt-5").with_settings(r#"{"responses":{"store":"no"}}"#).unwrap();
        assert!(quirks.responses.no_effort.is_empty() && quirks.responses.instructions);
        assert_eq!(OpenAi::quirks_of("gpt-5.1").responses.no_effort, "none");
    }

    #[test]
    fn the_description_is_whole() {
        let description = OpenAi::describe();
        assert_eq!(description.id, "openai");
        assert_eq!(description.default_base_url.as_deref(), Some("https://api.openai.com/v1"));
        assert!(description.open_catalog && description.credentials[0].required);
        assert_eq!(description.credentials[0].fields[0].env, ["OPENAI_API_KEY"]);
        assert_eq!(description.parameters.len(), 13);
        let spec = |id: &str| description.models.iter().find(|spec| spec.id == id).unwrap();
        assert_eq!(spec("gpt-5.1").rejects_while_thinking, [Parameter::Temperature, Parameter::TopP]);
        assert!(spec("gpt-5").rejects.contains(&Parameter::Temperature) && !spec("gpt-5").thinking_optional);
        // Newer models refuse stop words.
        let takes_stop = |id: &str| !spec(id).rejects.contains(&Parameter::Stop);
        assert!(takes_stop("o3-mini") && !takes_stop("o3") && !takes_stop("gpt-5"));
        let embedder = spec("text-embedding-3-small");
        assert_eq!((embedder.tasks, embedder.capabilities), (Tasks::EMBEDDING, Capabilities::empty()));
        let chats = description.models.iter().filter(|spec| spec.tasks != Tasks::EMBEDDING);
        assert!(chats.into_iter().all(|spec| spec.max_output.is_some()));
        assert!(spec("gpt-4.1").rejects.is_empty() && spec("gpt-4.1").thinking_optional);
    }
}
