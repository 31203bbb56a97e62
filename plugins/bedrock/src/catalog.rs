//! The models: data in `models.json`, a choice of <https://docs.aws.amazon.com/bedrock/latest/userguide/models-supported.html>.
//! A new model is one entry there.
//!
//! A model is asked by its own id, or by that of an inference profile, which is the same with a region's name before it
//! (`us.`, `eu.`, `global.`); newer ones take profiles only. What an entry says holds for both, and for a profile that
//! it does not list. Numbers that are not certain are left out, and where it is not certain whether a model can do
//! something, the service may refuse it: ours would be a refusal of what works.

use std::sync::LazyLock;

use aimu_sdk::{Capabilities, ModelSpec, Parameter};
use serde::Deserialize;

/// How a model is asked to think.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ThinkingStyle {
    /// Claude: adaptively, and it can't be turned off.
    Always,
    /// Claude: adaptively; what stands for off is `between_tools`.
    BetweenTools,
    /// Claude: adaptively, or not.
    Adaptive,
    /// Claude: adaptively, within a budget, or not.
    Both,
    /// Claude: within a budget, or not.
    Budget,
    /// Nova: `reasoningConfig`.
    Nova,
    /// OpenAI and others: `reasoning_effort`; it always thinks.
    Effort,
    /// Qwen: `reasoning_config`.
    Qwen,
}

/// Who made a model: what it takes beyond the common form depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Maker {
    Anthropic,
    Amazon,
    OpenAi,
    Qwen,
    Writer,
    Other,
}

/// One entry of the catalogue.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Model {
    id: String,
    name: String,
    /// The regions' names of its inference profiles.
    #[serde(default)]
    profiles: Vec<String>,
    /// Its own id can be asked.
    #[serde(default)]
    direct: bool,
    context: Option<u32>,
    pub(crate) output: Option<u32>,
    can: Vec<String>,
    pub(crate) thinking: Option<ThinkingStyle>,
    #[serde(default)]
    pub(crate) efforts: Vec<String>,
    /// Takes `temperature`, `top_p` and `top_k`.
    #[serde(default = "yes")]
    sampling: bool,
    deprecated: Option<String>,
}

fn yes() -> bool {
    true
}

/// The entries. That the file parses is a test.
static MODELS: LazyLock<Vec<Model>> =
    LazyLock::new(|| serde_json::from_str(include_str!("models.json")).unwrap_or_default());

/// What is known of the model that a request names.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known {
    pub(crate) maker: Maker,
    pub(crate) entry: Option<&'static Model>,
}

impl Known {
    /// How it is asked to think: as its entry says, else as its maker's models are.
    pub(crate) fn thinking(&self) -> Option<ThinkingStyle> {
        match self.entry {
            Some(entry) => entry.thinking,
            None => match self.maker {
                Maker::OpenAi => Some(ThinkingStyle::Effort),
                Maker::Qwen => Some(ThinkingStyle::Qwen),
                _ => None,
            },
        }
    }
}

/// What is known of a model, by its id, a profile's, or an ARN that ends in one.
pub(crate) fn find(id: &str) -> Known {
    let name = id.rsplit('/').next().unwrap_or(id);
    let starts = |prefix: &str| {
        name.strip_prefix(prefix).is_some()
            // A region's name stands before it.
            || name.split_once('.').is_some_and(|(_, rest)| rest.starts_with(prefix))
    };
    let entry = MODELS.iter().find(|model| {
        name.strip_suffix(model.id.as_str()).is_some_and(|front| {
            front.is_empty() || front.split_once('.').is_some_and(|(_, rest)| rest.is_empty())
        })
    });
    let makers = [
        ("anthropic.", Maker::Anthropic),
        ("amazon.", Maker::Amazon),
        ("openai.", Maker::OpenAi),
        ("qwen.", Maker::Qwen),
        ("writer.", Maker::Writer),
    ];
    let maker =
        makers.into_iter().find(|(prefix, _)| starts(prefix)).map_or(Maker::Other, |(_, maker)| maker);
    Known { maker, entry }
}

/// All models as the contract has them, by each id that can be asked.
pub(crate) fn specs() -> Vec<ModelSpec> {
    MODELS
        .iter()
        .flat_map(|model| {
            let own = model.direct.then(|| spec(model, model.id.clone()));
            let profiles =
                model.profiles.iter().map(|profile| spec(model, format!("{profile}.{}", model.id)));
            own.into_iter().chain(profiles)
        })
        .collect()
}

/// What is known of a model, under an id of its own or of a profile.
pub(crate) fn known(model: &str, id: &str) -> Option<ModelSpec> {
    find(model).entry.map(|entry| spec(entry, id.to_owned()))
}

fn spec(model: &Model, id: String) -> ModelSpec {
    let sampling = vec![Parameter::Temperature, Parameter::TopP, Parameter::TopK];
    let claude = find(&model.id).maker == Maker::Anthropic;
    let (rejects, rejects_while_thinking) = match (model.sampling, claude) {
        (false, _) => (sampling, Vec::new()),
        (true, true) => (Vec::new(), sampling),
        (true, false) => (Vec::new(), Vec::new()),
    };
    ModelSpec {
        display_name: Some(model.name.clone()),
        context_window: model.context,
        max_output: model.output,
        efforts: model.efforts.clone(),
        thinking_optional: !matches!(model.thinking, Some(ThinkingStyle::Always | ThinkingStyle::Effort)),
        rejects,
        rejects_while_thinking,
        deprecated: model.deprecated.clone(),
        ..ModelSpec::new(id, capabilities(&model.can))
    }
}

/// What an entry names, and what the service does for every model of the catalogue.
fn capabilities(names: &[String]) -> Capabilities {
    let usual = Capabilities::TOOLS | Capabilities::PARALLEL_TOOLS | Capabilities::DOCUMENTS;
    names.iter().fold(usual, |have, name| {
        have | match name.as_str() {
            "claude" => {
                Capabilities::VISION
                    | Capabilities::THINKING
                    | Capabilities::STRUCTURED_OUTPUT
                    | Capabilities::PROMPT_CACHE
            }
            "vision" => Capabilities::VISION,
            "thinking" => Capabilities::THINKING,
            "structured-output" => Capabilities::STRUCTURED_OUTPUT,
            "prompt-cache" => Capabilities::PROMPT_CACHE,
            "server-tools" => Capabilities::SERVER_TOOLS,
            _ => Capabilities::empty(),
        }
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_file_parses_and_names_what_there_is() {
        let models: Vec<Model> = serde_json::from_str(include_str!("models.json")).unwrap();
        assert!(models.len() > 30);
        let known = ["claude", "vision", "thinking", "structured-output", "prompt-cache", "server-tools"];
        for model in &models {
            assert!(model.direct || !model.profiles.is_empty(), "{} can't be asked", model.id);
            assert!(model.can.iter().all(|name| known.contains(&name.as_str())), "{:?}", model.can);
            assert_eq!(find(&model.id).entry.unwrap().id, model.id);
        }
        let mut ids: Vec<String> = specs().into_iter().map(|spec| spec.id).collect();
        let all = ids.len();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), all);
        assert!(ids.contains(&"us.anthropic.claude-sonnet-4-6".to_owned()));
        assert!(ids.contains(&"openai.gpt-oss-120b-1:0".to_owned()));
        // Profiles only.
        assert!(!ids.contains(&"anthropic.claude-sonnet-4-6".to_owned()));
    }

    #[test]
    fn ids_of_all_sorts_are_found() {
        let name = |id: &str| find(id).entry.map(|entry| entry.name.as_str());
        for id in [
            "anthropic.claude-opus-5",
            "us.anthropic.claude-opus-5",
            "new-region.anthropic.claude-opus-5",
            "arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-opus-5",
            "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-opus-5",
        ] {
            assert_eq!(name(id), Some("Claude Opus 5"), "{id}");
        }
        assert_eq!(name("us.anthropic.claude-opus-5-5"), Some("Claude Opus 5.5"));
        assert_eq!(name("us.anthropic.claude-opus-5-6"), None);
        assert_eq!(name("xanthropic.claude-opus-5"), None);
        for (id, maker) in [
            ("us.anthropic.claude-opus-9", Maker::Anthropic),
            ("amazon.nova-9", Maker::Amazon),
            ("eu.amazon.nova-9", Maker::Amazon),
            ("us.writer.palmyra-x4-v1:0", Maker::Writer),
            ("arn:aws:bedrock:us-east-1:1:imported-model/abc", Maker::Other),
        ] {
            assert_eq!(find(id).maker, maker, "{id}");
        }
        assert_eq!(find("openai.gpt-9").thinking(), Some(ThinkingStyle::Effort));
        assert_eq!(find("anthropic.claude-9").thinking(), None);
    }
}
