//! `bedrock`: the models of Amazon Bedrock over Converse and ConverseStream
//! (<https://docs.aws.amazon.com/bedrock/latest/userguide/conversation-inference.html>).
//!
//! [`request`] and [`answer`] are pure; the rest of this file joins them to the network. What the contract has no
//! shape for goes through unchanged: members of a block in `replay.data`, whole blocks as opaque parts whose kind is
//! the block's member, members of the request in `extra`. The host signs the requests, or adds the API key.
//!
//! The models that an account may ask are listed by another server (`bedrock.{region}`), and an origin of the contract
//! can't hold a region; so the list is the catalogue's.

pub mod answer;
mod blocks;
mod catalog;
mod citations;
mod endpoint;
pub mod errors;
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
    Events, Failure, Parameter, Provider, Sigv4Placement, Support, exchange,
};

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
            default_base_url: Some("https://bedrock-runtime.{region}.amazonaws.com".into()),
            origins: Vec::new(),
            credentials: credentials(),
            settings_schema: Some(SETTINGS.into()),
            models: catalog::specs(),
            open_catalog: true,
            parameters: parameters(),
        }
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
        send_to: Vec::new(),
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
