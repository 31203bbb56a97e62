//! `ollama`: models of this machine, and of ollama.com, over Ollama's own API (<https://docs.ollama.com/api>).
//!
//! [`request`] and [`answer`] are pure; the rest of this file joins them to the network. The API's OpenAI dialect is
//! another provider (`ollama-openai`); only this one has the context's length, `min_p` and what a model can do. What
//! the contract has no shape for goes through unchanged: other members of a call in `replay.data`, those of a message
//! as an opaque part, members of the request in `extra`.

pub mod answer;
mod catalog;
mod embedding;
pub mod errors;
mod messages;
mod options;
mod pull;
pub mod request;

use aimu_sdk::embedding::in_batches;
use aimu_sdk::http::HttpRequest;
use aimu_sdk::{
    ChatRequest, Completion, Context, Credential, CredentialField, CredentialPlacement, Description,
    EmbedRequest, Embedding, Embeddings, Event, Events, Failure, GenerateRequest, ModelSpec, Provider, Pull,
    exchange,
};
use serde_json::json;

/// How many models are asked what they can do. The host lets a call make 64 requests; one is for the list.
const MOST_SHOWN: usize = 63;

/// Where the server of a machine listens.
const BASE_URL: &str = "http://localhost:11434";

/// The provider.
#[derive(Debug)]
pub struct Ollama;

impl Provider for Ollama {
    fn describe() -> Description {
        Description {
            id: "ollama".into(),
            display_name: "Ollama".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            homepage: Some("https://docs.ollama.com/api".into()),
            default_base_url: Some(BASE_URL.into()),
            origins: Vec::new(),
            // A server of one's own wants none, the cloud does.
            credentials: vec![Credential {
                name: "api-key".into(),
                fields: vec![CredentialField {
                    name: "api-key".into(),
                    env: vec!["OLLAMA_API_KEY".into()],
                    optional: true,
                }],
                placement: CredentialPlacement::Bearer,
                send_to: Vec::new(),
                required: false,
                group: None,
            }],
            settings_schema: None,
            // What there is, is what was pulled: only the server knows.
            models: Vec::new(),
            open_catalog: true,
            parameters: options::table(),
        }
    }

    /// The models that were pulled. The list itself says nothing of what they can do, so each is asked for.
    fn models(ctx: Context) -> Result<Vec<ModelSpec>, Failure> {
        let list = HttpRequest::get(endpoint(&ctx.base_url, "tags"));
        let entries =
            catalog::entries(exchange::fetch_json(&list, &|response| errors::of_response(response, ""))?);
        let show = endpoint(&ctx.base_url, "show");
        let asked: Vec<HttpRequest> = entries
            .iter()
            .take(MOST_SHOWN)
            .map(|entry| HttpRequest::post(show.as_str(), &json!({ "model": entry.id })))
            .collect();
        // A model that can't be shown is there nevertheless.
        let answers = exchange::fetch_json_each(&asked, &|response| errors::of_response(response, ""));
        let mut shown = answers.into_iter().map(Result::ok);
        Ok(entries.iter().map(|entry| catalog::spec(entry, shown.next().flatten().as_ref())).collect())
    }

    fn chat(ctx: Context, request: ChatRequest, events: &mut Events<'_>) -> Result<Completion, Failure> {
        let body = request::chat(&request)?;
        let model = request.model.clone();
        // The history can be large, and is in the body now.
        drop(request);
        run(&ctx, "chat", body, &model, events)
    }

    fn generate(
        ctx: Context,
        request: GenerateRequest,
        events: &mut Events<'_>,
    ) -> Result<Completion, Failure> {
        let body = request::generate(&request)?;
        let model = request.model.clone();
        drop(request);
        run(&ctx, "generate", body, &model, events)
    }
}

impl Embedding for Ollama {
    fn embed(ctx: Context, request: EmbedRequest) -> Result<Embeddings, Failure> {
        let model = full_name(&ctx, &request.model);
        in_batches(request, embedding::BATCH, |batch| {
            let http = HttpRequest::post(endpoint(&ctx.base_url, "embed"), &embedding::body(batch)?);
            let on_error = |response: &_| errors::of_response(response, &model);
            embedding::answer(&exchange::fetch_json(&http, &on_error)?, &model)
        })
    }
}

impl Pull for Ollama {
    fn pull(ctx: Context, model: String, events: &mut Events<'_>) -> Result<(), Failure> {
        let http =
            HttpRequest::post(endpoint(&ctx.base_url, "pull"), &json!({ "model": model, "stream": true }));
        let on_error = |response: &_| pull::refine(errors::of_response(response, ""));
        exchange::run(&http, &mut pull::Lines::default(), events, &on_error).map(drop)
    }
}

fn run(
    ctx: &Context,
    path: &str,
    body: request::Body,
    model: &str,
    events: &mut Events<'_>,
) -> Result<Completion, Failure> {
    let request::Body { body, warnings } = body;
    warnings.into_iter().for_each(|warning| events.push(Event::Warning(warning)));
    let http = HttpRequest::post(endpoint(&ctx.base_url, path), &body);
    let name = full_name(ctx, model);
    let mut answer = answer::Answer::new(model, &name, &body);
    drop(body);
    exchange::run(&http, &mut answer, events, &|response| errors::of_response(response, &name))
}

/// A model as a user names it: what `aimu-host pull` takes to have this very server fetch it.
fn full_name(ctx: &Context, model: &str) -> String {
    let Context { instance, base_url, .. } = ctx;
    match base_url.as_str() {
        BASE_URL => format!("{instance}:{model}"),
        own => format!("{instance}:{model}@{own}"),
    }
}

/// A base URL is written with and without `/api`; who comes from the OpenAI dialect may still have its `/v1`.
fn endpoint(base_url: &str, path: &str) -> String {
    let base = base_url.trim_end_matches('/');
    let base = base.strip_suffix("/api").or_else(|| base.strip_suffix("/v1")).unwrap_or(base);
    format!("{base}/api/{path}")
}

aimu_sdk::export_provider!(Ollama: embedding, library);

#[cfg(test)]
mod tests;
