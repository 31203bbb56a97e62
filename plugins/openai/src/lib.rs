//! The provider `openai`: OpenAI's own service, by Responses or chat completions.
//!
//! Problem: the service has two APIs; reasoning survives a turn in one only, and some models are reached by the other
//! only. Decision: which one a model uses is data in the catalogue, and the setting `api` overrides it. All else is the
//! SDK's base for brands of this family.

mod catalog;

use aimu_sdk::openai::responses::ResponsesQuirks;
use aimu_sdk::openai::{Brand, Compatible, Quirks, ThinkTags, ThinkingQuirks, ToolCallIds};
use aimu_sdk::{Parameter, Support};

/// The component.
#[derive(Debug)]
pub struct OpenAi;

impl Compatible for OpenAi {
    fn brand() -> Brand {
        let sent = |parameter, name: &str| (parameter, Support::SentAs(name.into()));
        let none = |parameter, remedy: &str| (parameter, Support::Unsupported(remedy.into()));
        Brand {
            id: "openai",
            display_name: "OpenAI",
            version: env!("CARGO_PKG_VERSION"),
            homepage: Some("https://platform.openai.com/docs/api-reference"),
            base_url: Some("https://api.openai.com/v1"),
            key_env: &["OPENAI_API_KEY"],
            key_optional: false,
            models: catalog::specs(),
            closed_catalog: false,
            parameters: vec![
                sent(Parameter::MaxTokens, "max_output_tokens"),
                sent(Parameter::Thinking, "reasoning"),
                none(Parameter::TopK, "use top_p"),
                none(Parameter::MinP, "use top_p"),
                none(Parameter::RepetitionPenalty, "use frequency_penalty"),
                none(Parameter::ContextLength, "the model fixes its context window"),
            ],
        }
    }

    fn quirks() -> Quirks {
        Quirks {
            tool_call_ids: ToolCallIds::Max40,
            think_tags: ThinkTags::Off,
            parameters: serde_json::Map::from_iter([("max-tokens".into(), "max_completion_tokens".into())]),
            responses: ResponsesQuirks { instructions: true, ..ResponsesQuirks::default() },
            ..Quirks::default()
        }
    }

    fn quirks_of(model: &str) -> Quirks {
        let quirks = Self::quirks();
        let found = catalog::find(model);
        let api = found.map_or(catalog::USUAL_API, |model| model.api);
        match found.filter(|model| model.thinks() && !model.thinking_optional) {
            Some(_) => Quirks {
                api,
                thinking: ThinkingQuirks { off: serde_json::Map::new(), ..quirks.thinking },
                responses: ResponsesQuirks { no_effort: String::new(), ..quirks.responses },
                ..quirks
            },
            None => Quirks { api, ..quirks },
        }
    }
}

aimu_sdk::export_provider!(OpenAi: embedding, tokens);
