//! `anthropic`: Claude over the Messages API (<https://platform.claude.com/docs/en/api/messages>).
//!
//! [`request`] and [`answer`] are pure; the rest of this file joins them to the network. What the contract has no
//! shape for goes through unchanged: the members of a block in `replay.data`, whole blocks as opaque parts whose kind
//! is the block's `type`, members of the request in `extra`.

mod answer;
mod blocks;
mod catalog;
mod citations;
mod errors;
mod messages;
mod request;
mod settings;
mod thinking;
mod wire;

use aimu_sdk::http::HttpRequest;
use aimu_sdk::tokens::{count_in, counted};
use aimu_sdk::{
    ChatRequest, Completion, Context, CountTokens, Credential, CredentialField, CredentialPlacement,
    Description, Event, Events, Failure, HeaderPlacement, ModelSpec, Parameter, Provider, Support, exchange,
};
use serde_json::Value;

use settings::Settings;

/// The version of the API that this is written for.
const VERSION: &str = "2023-06-01";

/// The provider.
#[derive(Debug)]
pub struct Anthropic;

impl Provider for Anthropic {
    fn describe() -> Description {
        Description {
            id: "anthropic".into(),
            display_name: "Anthropic".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            homepage: Some("https://platform.claude.com/docs/en/api/messages".into()),
            default_base_url: Some("https://api.anthropic.com".into()),
            origins: Vec::new(),
            credentials: vec![Credential {
                name: "api-key".into(),
                fields: vec![CredentialField {
                    name: "api-key".into(),
                    env: vec!["ANTHROPIC_API_KEY".into()],
                    optional: false,
                }],
                placement: CredentialPlacement::Header(HeaderPlacement {
                    name: "x-api-key".into(),
                    prefix: String::new(),
                }),
                send_to: Vec::new(),
                required: true,
                group: None,
            }],
            settings_schema: Some(settings::SCHEMA.into()),
            models: catalog::specs(),
            open_catalog: true,
            parameters: parameters(),
        }
    }

    fn models(ctx: Context) -> Result<Vec<ModelSpec>, Failure> {
        let settings = Settings::of(&ctx)?;
        let mut specs = Vec::new();
        let mut after = String::new();
        loop {
            let url = format!("{}?limit=1000{after}", endpoint(&ctx.base_url, "models"));
            let request = headers(HttpRequest::get(url), &settings, &[]);
            let page = exchange::fetch_json(&request, &errors::of_response)?;
            let entries = page.get("data").and_then(Value::as_array);
            specs.extend(entries.into_iter().flatten().filter_map(catalog::listed));
            match (page.get("has_more"), page.get("last_id").and_then(Value::as_str)) {
                (Some(Value::Bool(true)), Some(last)) => after = format!("&after_id={last}"),
                _ => return Ok(specs),
            }
        }
    }

    fn chat(ctx: Context, request: ChatRequest, events: &mut Events<'_>) -> Result<Completion, Failure> {
        let settings = Settings::of(&ctx)?;
        let request::Body { body, warnings } = request::body(&request)?;
        warnings.into_iter().for_each(|warning| events.push(Event::Warning(warning)));
        let http = HttpRequest::post(endpoint(&ctx.base_url, "messages"), &body);
        let http = headers(http, &settings, &request::betas(&body));
        let mut answer = answer::Answer::new(&request.model);
        // The history can be large, and is in the body now.
        drop((request, body));
        exchange::run(&http, &mut answer, events, &errors::of_response)
    }
}

/// What `count_tokens` takes of a request (<https://platform.claude.com/docs/en/api/messages/count_tokens>).
const COUNTED: [&str; 10] = [
    "model",
    "messages",
    "system",
    "tools",
    "tool_choice",
    "thinking",
    "output_config",
    "cache_control",
    "mcp_servers",
    "context_management",
];

impl CountTokens for Anthropic {
    fn count(ctx: Context, request: ChatRequest) -> Result<u32, Failure> {
        count_in(
            &exchange::fetch_json(&count_request(&ctx, &request)?, &errors::of_response)?,
            "input_tokens",
        )
    }
}

fn count_request(ctx: &Context, request: &ChatRequest) -> Result<HttpRequest, Failure> {
    let body = counted(request::body(request)?.body, &COUNTED);
    let http = HttpRequest::post(endpoint(&ctx.base_url, "messages/count_tokens"), &body);
    Ok(headers(http, &Settings::of(ctx)?, &request::betas(&body)))
}

/// A base URL is written with and without the version.
fn endpoint(base_url: &str, path: &str) -> String {
    let base = base_url.trim_end_matches('/');
    let base = base.strip_suffix("/v1").unwrap_or(base);
    format!("{base}/v1/{path}")
}

fn headers(request: HttpRequest, settings: &Settings, betas: &[&str]) -> HttpRequest {
    let mut names: Vec<&str> = settings.betas.iter().map(String::as_str).collect();
    for beta in betas {
        // The user's own choice of a version stands.
        let (family, _) = beta.split_at(beta.len().saturating_sub("2025-01-01".len()));
        if !names.iter().any(|name| name.starts_with(family)) {
            names.push(beta);
        }
    }
    let request = request.header("anthropic-version", VERSION);
    if names.is_empty() { request } else { request.header("anthropic-beta", names.join(",")) }
}

fn parameters() -> Vec<(Parameter, Support)> {
    let sent = |parameter, name: &str| (parameter, Support::SentAs(name.into()));
    let none = |parameter, remedy: &str| (parameter, Support::Unsupported(remedy.into()));
    vec![
        sent(Parameter::Temperature, "temperature"),
        sent(Parameter::TopP, "top_p"),
        sent(Parameter::TopK, "top_k"),
        sent(Parameter::MaxTokens, "max_tokens"),
        sent(Parameter::Stop, "stop_sequences"),
        sent(Parameter::Thinking, "thinking"),
        sent(Parameter::ToolChoice, "tool_choice"),
        none(Parameter::MinP, "Claude has no min_p; use top_p"),
        none(Parameter::PresencePenalty, "Claude has no penalties; ask for variety in the prompt"),
        none(Parameter::FrequencyPenalty, "Claude has no penalties; ask for variety in the prompt"),
        none(Parameter::RepetitionPenalty, "Claude has no penalties; ask for variety in the prompt"),
        none(Parameter::ContextLength, "the model fixes its context window"),
        none(Parameter::Seed, "Claude has no seed; a low temperature varies less"),
    ]
}

aimu_sdk::export_provider!(Anthropic: tokens);

#[cfg(test)]
mod tests;
