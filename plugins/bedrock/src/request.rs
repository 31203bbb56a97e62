//! A chat request as the body of Converse and ConverseStream
//! (<https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html>).

use aimu_sdk::{ChatRequest, Failure, ResponseFormat, Sampling, SchemaFormat, json};
use serde_json::{Map, Value, json};

use crate::blocks::Context;
use crate::media::Names;
use crate::{catalog, messages, thinking, tools};

/// A finished request body, and what was changed or dropped on the way.
#[derive(Clone, Debug, PartialEq)]
pub struct Body {
    /// The document to send.
    pub body: Value,
    /// For the user; never errors.
    pub warnings: Vec<String>,
}

/// Converts a request.
///
/// # Errors
/// The request holds what Bedrock does not take, or JSON that is none.
pub fn body(request: &ChatRequest) -> Result<Body, Failure> {
    let mut warnings = Vec::new();
    let model = catalog::find(&request.model);
    let mut context = Context { model, names: Names::default(), warnings: &mut warnings };
    let messages::Conversation { mut system, messages } = messages::convert(&request.messages, &mut context)?;
    let mut fields = Map::new();
    let sampling =
        thinking::write(&mut fields, request.thinking.as_ref(), &request.sampling, &model, &mut warnings);
    let output = match &request.response_format {
        ResponseFormat::Text => None,
        // The API has formats with a schema only.
        ResponseFormat::Json => {
            system.push(json!({ "text": "Answer with one JSON object and nothing else." }));
            None
        }
        ResponseFormat::Schema(format) => Some(text_format(format)?),
    };
    let mut body = Map::new();
    body.insert("messages".into(), messages.into());
    if !system.is_empty() {
        body.insert("system".into(), system.into());
    }
    let config = inference(&sampling);
    if !config.is_empty() {
        body.insert("inferenceConfig".into(), config.into());
    }
    tools::write(&mut body, &mut fields, request, &model, &mut warnings)?;
    if !fields.is_empty() {
        body.insert("additionalModelRequestFields".into(), fields.into());
    }
    json::put(&mut body, "outputConfig", output);
    if request.logprobs.is_some() {
        warnings.push("logprobs is dropped: Bedrock gives none".into());
    }
    let mut body = Value::Object(body);
    json::merge_extra(&mut body, request.extra.as_deref(), "the request")?;
    Ok(Body { body, warnings })
}

/// <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InferenceConfiguration.html>
fn inference(sampling: &Sampling) -> Map<String, Value> {
    let mut config = Map::new();
    json::put(&mut config, "maxTokens", sampling.max_tokens);
    json::put(&mut config, "temperature", sampling.temperature);
    json::put(&mut config, "topP", sampling.top_p);
    if !sampling.stop.is_empty() {
        config.insert("stopSequences".into(), sampling.stop.clone().into());
    }
    config
}

/// The form of the answer (<https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html>): the schema is
/// text, and what it says of itself has a member of its own.
fn text_format(format: &SchemaFormat) -> Result<Value, Failure> {
    let mut schema = json::parse(&format.schema, "the schema of the answer")?;
    json::close_objects(&mut schema);
    let description = schema.as_object_mut().and_then(|schema| schema.shift_remove("description"));
    let mut own = Map::new();
    own.insert("name".into(), format.name.as_str().into());
    own.insert("schema".into(), schema.to_string().into());
    json::put(&mut own, "description", description);
    Ok(json!({ "textFormat": { "type": "json_schema", "structure": { "jsonSchema": own } } }))
}
