//! `gemini`: Google's Gemini over generateContent (<https://ai.google.dev/api/generate-content>), of the Gemini API and
//! of Vertex AI.
//!
//! [`request`] and [`answer`] are pure; the rest of this file joins them to the network. What the contract has no
//! shape for goes through unchanged: a signature in `replay.signature` of its very part, other members of a part in
//! `replay.data`, whole parts as opaque ones whose kind is their member's name, members of the request in `extra`.

mod answer;
mod catalog;
mod contents;
mod count;
mod embedding;
mod ending;
mod endpoint;
mod errors;
mod grounding;
mod parts;
mod request;
mod thinking;
mod tools;

use aimu_sdk::embedding::in_batches;
use aimu_sdk::http::HttpRequest;
use aimu_sdk::tokens::count_in;
use aimu_sdk::{
    ChatRequest, Completion, Context, CountTokens, Credential, CredentialField, CredentialPlacement,
    Description, EmbedRequest, Embedding, Embeddings, Event, Events, Failure, HeaderPlacement, ModelSpec,
    Parameter, Provider, Support, exchange,
};
use serde_json::Value;

use endpoint::Service;

/// The provider.
#[derive(Debug)]
pub struct Gemini;

impl Provider for Gemini {
    fn describe() -> Description {
        Description {
            id: "gemini".into(),
            display_name: "Google Gemini".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            homepage: Some("https://ai.google.dev/gemini-api/docs".into()),
            default_base_url: Some("https://generativelanguage.googleapis.com".into()),
            origins: Vec::new(),
            credentials: vec![Credential {
                name: "api-key".into(),
                fields: vec![CredentialField {
                    name: "api-key".into(),
                    env: vec!["GOOGLE_API_KEY".into(), "GEMINI_API_KEY".into()],
                    optional: false,
                }],
                placement: CredentialPlacement::Header(HeaderPlacement {
                    name: "x-goog-api-key".into(),
                    prefix: String::new(),
                }),
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
        let Some(url) = endpoint::models(&ctx.base_url) else { return Ok(catalog::specs()) };
        let mut specs = Vec::new();
        let mut page_token = String::new();
        loop {
            // The most that a page holds.
            let request = HttpRequest::get(format!("{url}?pageSize=1000{page_token}"));
            let page = exchange::fetch_json(&request, &errors::of_response)?;
            let entries = page.get("models").and_then(Value::as_array);
            specs.extend(entries.into_iter().flatten().filter_map(catalog::listed));
            match page.get("nextPageToken").and_then(Value::as_str) {
                Some(next) if !next.is_empty() => page_token = format!("&pageToken={next}"),
                _ => return Ok(specs),
            }
        }
    }

    fn chat(ctx: Context, request: ChatRequest, events: &mut Events<'_>) -> Result<Completion, Failure> {
        let request::Body { body, warnings } = request::body(&request, Service::of(&ctx.base_url))?;
        warnings.into_iter().for_each(|warning| events.push(Event::Warning(warning)));
        let method = if request.streaming { "streamGenerateContent?alt=sse" } else { "generateContent" };
        let http = HttpRequest::post(endpoint::method(&ctx.base_url, &request.model, method), &body);
        let mut answer = answer::Answer::new(&request.model);
        // The history can be large, and is in the body now.
        drop((request, body));
        exchange::run(&http, &mut answer, events, &errors::of_response)
    }
}

impl Embedding for Gemini {
    fn embed(ctx: Context, request: EmbedRequest) -> Result<Embeddings, Failure> {
        let method = embedding::Method::of(&ctx.base_url, &request.model);
        in_batches(request, method.most(), |batch| {
            let http = embedding::request(&ctx.base_url, batch, method)?;
            embedding::answer(&exchange::fetch_json(&http, &errors::of_response)?)
        })
    }
}

impl CountTokens for Gemini {
    fn count(ctx: Context, request: ChatRequest) -> Result<u32, Failure> {
        let http = count::request(&ctx.base_url, &request)?;
        count_in(&exchange::fetch_json(&http, &errors::of_response)?, "totalTokens")
    }
}

fn parameters() -> Vec<(Parameter, Support)> {
    let sent = |parameter, name: &str| (parameter, Support::SentAs(name.into()));
    let none = |parameter, remedy: &str| (parameter, Support::Unsupported(remedy.into()));
    vec![
        sent(Parameter::Temperature, "temperature"),
        sent(Parameter::TopP, "topP"),
        sent(Parameter::TopK, "topK"),
        sent(Parameter::MaxTokens, "maxOutputTokens"),
        sent(Parameter::PresencePenalty, "presencePenalty"),
        sent(Parameter::FrequencyPenalty, "frequencyPenalty"),
        sent(Parameter::Seed, "seed"),
        sent(Parameter::Stop, "stopSequences"),
        sent(Parameter::Thinking, "thinkingConfig"),
        sent(Parameter::ToolChoice, "toolConfig"),
        none(Parameter::MinP, "Gemini has no min_p; use top_p"),
        none(Parameter::RepetitionPenalty, "Gemini has no such penalty; use frequency_penalty"),
        none(Parameter::ContextLength, "the model fixes its context window"),
    ]
}

aimu_sdk::export_provider!(Gemini: embedding, tokens);

#[cfg(test)]
mod tests;
