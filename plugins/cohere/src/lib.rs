//! `cohere`: Cohere's Command models over its v2 chat API (<https://docs.cohere.com/reference/chat>).
//!
//! [`request`] and [`answer`] are pure; the rest of this file joins them to the network. What the contract has no
//! shape for goes through unchanged: the plan that precedes tool calls as reasoning that says what it is, the citations
//! of a text in `replay.data`, blocks that are not known as opaque parts, members of the request in `extra`.

pub mod answer;
mod catalog;
mod citations;
mod embedding;
pub mod errors;
mod messages;
pub mod request;
mod results;

use aimu_sdk::embedding::in_batches;
use aimu_sdk::http::HttpRequest;
use aimu_sdk::{
    ChatRequest, Completion, Context, Credential, CredentialField, CredentialPlacement, Description,
    EmbedRequest, Embedding, Embeddings, Event, Events, Failure, ModelSpec, Parameter, Provider, Support,
    exchange,
};
use serde_json::Value;

/// The provider.
#[derive(Debug)]
pub struct Cohere;

impl Provider for Cohere {
    fn describe() -> Description {
        Description {
            id: "cohere".into(),
            display_name: "Cohere".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            homepage: Some("https://docs.cohere.com/reference/chat".into()),
            default_base_url: Some("https://api.cohere.com".into()),
            origins: Vec::new(),
            credentials: vec![Credential {
                name: "api-key".into(),
                fields: vec![CredentialField {
                    name: "api-key".into(),
                    env: vec!["CO_API_KEY".into(), "COHERE_API_KEY".into()],
                    optional: false,
                }],
                placement: CredentialPlacement::Bearer,
                send_to: Vec::new(),
                required: true,
                group: None,
            }],
            settings_schema: None,
            models: catalog::specs(),
            open_catalog: true,
            parameters: parameters(),
        }
    }

    fn models(ctx: Context) -> Result<Vec<ModelSpec>, Failure> {
        let url = endpoint(&ctx.base_url, "v1/models");
        let mut specs = Vec::new();
        let mut page_token = String::new();
        loop {
            // The most that a page holds.
            let request = HttpRequest::get(format!("{url}?page_size=1000{page_token}"));
            let page = exchange::fetch_json(&request, &errors::of_response)?;
            let entries = page.get("models").and_then(Value::as_array);
            specs.extend(entries.into_iter().flatten().filter_map(catalog::listed));
            match page.get("next_page_token").and_then(Value::as_str) {
                Some(next) if !next.is_empty() => page_token = format!("&page_token={next}"),
                _ => return Ok(specs),
            }
        }
    }

    fn chat(ctx: Context, request: ChatRequest, events: &mut Events<'_>) -> Result<Completion, Failure> {
        let request::Body { body, warnings } = request::body(&request)?;
        warnings.into_iter().for_each(|warning| events.push(Event::Warning(warning)));
        let http = HttpRequest::post(endpoint(&ctx.base_url, "v2/chat"), &body);
        let mut answer = answer::Answer::default();
        // The history can be large, and is in the body now.
        drop((request, body));
        exchange::run(&http, &mut answer, events, &errors::of_response)
    }
}

impl Embedding for Cohere {
    fn embed(ctx: Context, request: EmbedRequest) -> Result<Embeddings, Failure> {
        in_batches(request, embedding::BATCH, |batch| {
            let http = HttpRequest::post(endpoint(&ctx.base_url, "v2/embed"), &embedding::body(batch)?);
            embedding::answer(&exchange::fetch_json(&http, &errors::of_response)?)
        })
    }
}

/// A base URL is written with and without the version; the list of models has another than the chat.
fn endpoint(base_url: &str, path: &str) -> String {
    let base = base_url.trim_end_matches('/');
    let base = base.strip_suffix("/v2").or_else(|| base.strip_suffix("/v1")).unwrap_or(base);
    format!("{base}/{path}")
}

fn parameters() -> Vec<(Parameter, Support)> {
    let sent = |parameter, name: &str| (parameter, Support::SentAs(name.into()));
    let none = |parameter, remedy: &str| (parameter, Support::Unsupported(remedy.into()));
    vec![
        sent(Parameter::Temperature, "temperature"),
        sent(Parameter::TopP, "p"),
        sent(Parameter::TopK, "k"),
        sent(Parameter::MaxTokens, "max_tokens"),
        sent(Parameter::PresencePenalty, "presence_penalty"),
        sent(Parameter::FrequencyPenalty, "frequency_penalty"),
        sent(Parameter::Seed, "seed"),
        sent(Parameter::Stop, "stop_sequences"),
        sent(Parameter::Thinking, "thinking"),
        sent(Parameter::ToolChoice, "tool_choice"),
        none(Parameter::MinP, "Cohere has no min_p; use top_p"),
        none(Parameter::RepetitionPenalty, "Cohere has no such penalty; use frequency_penalty"),
        none(Parameter::ContextLength, "the model fixes its context window"),
    ]
}

aimu_sdk::export_provider!(Cohere: embedding);

#[cfg(test)]
mod tests;
