//! `bedrock`: the models of Amazon Bedrock over Converse and ConverseStream
//! (<https://docs.aws.amazon.com/bedrock/latest/userguide/conversation-inference.html>).
//!
//! [`request`] and [`answer`] are pure; the rest of this file joins them to the network. What the contract has no
//! shape for goes through unchanged: members of a block in `replay.data`, whole blocks as opaque parts whose kind is
//! the block's member, members of the request in `extra`. The host signs the requests, or adds the API key.
//!
//! The models that an account may ask are listed by another server, `bedrock.{region}`: see [`listing`].

pub mod answer;
mod blocks;
mod catalog;
mod citations;
mod endpoint;
pub mod errors;
mod listing;
mod media;
mod messages;
mod open;
pub mod request;
mod thinking;
mod tools;
mod wire;

use aimu_sdk::http::HttpRequest;
use aimu_sdk::{
    ChatRequest, Completion, Context, Credential, CredentialField, CredentialPlacement, Description, Event,
    Events, Failure, ModelSpec, Parameter, Provider, Sigv4Placement, Support, exchange,
};

use listing::Listing;

/// The settings of an instance. Where none names a region and neither `AWS_REGION` nor `AWS_DEFAULT_REGION` is set, it is
/// the one with the most models.
const SETTINGS: &str = r#"{
  "type": "object",
  "properties": {
    "region": {
      "type": "string",
      "pattern": "^[a-z0-9-]+$",
      "default": "us-east-1",
      "description": "the AWS region that is asked"
    }
  },
  "additionalProperties": false
}"#;

/// The server that answers, and the one that lists models. Both take the same keys, and signatures for one service.
const RUNTIME: &str = "https://bedrock-runtime.{region}.amazonaws.com";
const CONTROL: &str = "https://bedrock.{region}.amazonaws.com";

/// The provider.
#[derive(Debug)]
pub struct Bedrock;

impl Provider for Bedrock {
    fn describe() -> Description {
        Description {
            id: "bedrock".into(),
            display_name: "Amazon Bedrock".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            homepage: Some(
                "https://docs.aws.amazon.com/bedrock/latest/userguide/conversation-inference.html".into(),
            ),
            default_base_url: Some(RUNTIME.into()),
            origins: vec![CONTROL.into()],
            credentials: credentials(),
            settings_schema: Some(SETTINGS.into()),
            models: catalog::specs(),
            open_catalog: true,
            parameters: parameters(),
        }
    }

    fn models(ctx: Context) -> Result<Vec<ModelSpec>, Failure> {
        let mut listing = Listing::new(fetch(listing::models_url(&ctx.base_url))?);
        for kind in listing::KINDS {
            let mut next = None;
            loop {
                let url = listing::profiles_url(&ctx.base_url, kind, next.as_deref());
                next = listing.add(fetch(url)?);
                if next.is_none() {
                    break;
                }
            }
        }
        Ok(listing.specs())
    }

    fn chat(ctx: Context, request: ChatRequest, events: &mut Events<'_>) -> Result<Completion, Failure> {
        let request::Body { body, warnings } = request::body(&request)?;
        warnings.into_iter().for_each(|warning| events.push(Event::Warning(warning)));
        let operation = if request.streaming { "converse-stream" } else { "converse" };
        let http = HttpRequest::post(endpoint::operation(&ctx.base_url, &request.model, operation), &body);
        let mut answer = answer::Answer::new(&request.model);
        // The history can be large, and is in the body now.
        drop((request, body));
        exchange::run(&http, &mut answer, events, &errors::of_response)
    }
}

fn fetch<T: serde::de::DeserializeOwned>(url: String) -> Result<T, Failure> {
    let page = exchange::fetch_json(&HttpRequest::get(url), &errors::of_response)?;
    serde_json::from_value(page)
        .map_err(|error| Failure::protocol(format!("the list of models makes no sense: {error}")))
}

/// An API key of Bedrock, else the keys of an account; the first that is there, in the order that AWS's own tools have.
fn credentials() -> Vec<Credential> {
    let field = |name: &str, env: &str, optional| CredentialField {
        name: name.into(),
        env: vec![env.into()],
        optional,
    };
    let one_of_two = |name: &str, fields, placement| Credential {
        name: name.into(),
        fields,
        placement,
        send_to: vec![RUNTIME.into(), CONTROL.into()],
        required: true,
        group: Some("aws".into()),
    };
    vec![
        one_of_two(
            "api-key",
            vec![field("api-key", "AWS_BEARER_TOKEN_BEDROCK", false)],
            CredentialPlacement::Bearer,
        ),
        one_of_two(
            "aws-keys",
            vec![
                field("access-key-id", "AWS_ACCESS_KEY_ID", false),
                field("secret-access-key", "AWS_SECRET_ACCESS_KEY", false),
                field("session-token", "AWS_SESSION_TOKEN", true),
            ],
            CredentialPlacement::AwsSigv4(Sigv4Placement {
                service: "bedrock".into(),
                region_setting: "region".into(),
            }),
        ),
    ]
}

fn parameters() -> Vec<(Parameter, Support)> {
    let sent = |parameter, name: &str| (parameter, Support::SentAs(name.into()));
    let none = |parameter, remedy: &str| (parameter, Support::Unsupported(remedy.into()));
    let own =
        "Converse has none; a model's own goes into additionalModelRequestFields of the request's extra";
    vec![
        sent(Parameter::Temperature, "temperature"),
        sent(Parameter::TopP, "topP"),
        sent(Parameter::TopK, "top_k"),
        sent(Parameter::MaxTokens, "maxTokens"),
        sent(Parameter::Stop, "stopSequences"),
        sent(Parameter::Thinking, "additionalModelRequestFields"),
        sent(Parameter::ToolChoice, "toolChoice"),
        none(Parameter::MinP, own),
        none(Parameter::PresencePenalty, own),
        none(Parameter::FrequencyPenalty, own),
        none(Parameter::RepetitionPenalty, own),
        none(Parameter::Seed, own),
        none(Parameter::ContextLength, "the model fixes its context window"),
    ]
}

aimu_sdk::export_provider!(Bedrock);

#[cfg(test)]
mod tests;
