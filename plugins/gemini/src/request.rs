//! A chat request as the body of `generateContent` (<https://ai.google.dev/api/generate-content>).

use aimu_sdk::{ChatRequest, Failure, ResponseFormat, Sampling, Tool, json};
use serde_json::{Map, Value, json};

use crate::catalog::{self, Known};
pub(crate) use crate::endpoint::Service;
use crate::{contents, thinking, tools};

/// A finished request body, and what was changed or dropped on the way.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Body {
    /// The document to send.
    pub body: Value,
    /// For the user; never errors.
    pub warnings: Vec<String>,
}

/// Converts a request.
///
/// # Errors
/// The request holds what Gemini does not take, or JSON that is none.
pub(crate) fn body(request: &ChatRequest, service: Service) -> Result<Body, Failure> {
    let mut warnings = Vec::new();
    let model = catalog::find(&request.model);
    let mut conversation = contents::convert(&request.messages, &model, service, &mut warnings)?;
    let extra =
        request.extra.as_deref().map(|extra| json::parse(extra, "`extra` of the request")).transpose()?;
    let mut config = sampling(&request.sampling);
    if let Some(logprobs) = request.logprobs {
        config.insert("responseLogprobs".into(), true.into());
        if logprobs > 0 {
            config.insert("logprobs".into(), logprobs.into());
        }
    }
    // Who writes the wire's own form means all of it: a level of ours beside a budget of theirs is an error.
    let own = extra.as_ref().and_then(|extra| extra.pointer("/generationConfig/thinkingConfig"));
    if let (Some(wish), None) = (&request.thinking, own) {
        json::put(&mut config, "thinkingConfig", thinking::config(wish, &model, &mut warnings));
    }
    format(request, &model, &mut config, &mut conversation.system)?;
    let mut body = Map::new();
    if !conversation.system.is_empty() {
        body.insert("systemInstruction".into(), json!({ "parts": conversation.system }));
    }
    body.insert("contents".into(), conversation.contents.into());
    tools::write(&mut body, request, &mut warnings)?;
    if !config.is_empty() {
        body.insert("generationConfig".into(), config.into());
    }
    let mut body = Value::Object(body);
    if let Some(extra) = extra {
        json::merge_extra(&mut body, Some(&extra.to_string()), "the request")?;
    }
    Ok(Body { body, warnings })
}

/// <https://ai.google.dev/api/generate-content#v1beta.GenerationConfig>
fn sampling(sampling: &Sampling) -> Map<String, Value> {
    let mut config = Map::new();
    json::put(&mut config, "temperature", sampling.temperature);
    json::put(&mut config, "topP", sampling.top_p);
    json::put(&mut config, "topK", sampling.top_k);
    json::put(&mut config, "maxOutputTokens", sampling.max_tokens);
    json::put(&mut config, "presencePenalty", sampling.presence_penalty);
    json::put(&mut config, "frequencyPenalty", sampling.frequency_penalty);
    json::put(&mut config, "seed", sampling.seed);
    if !sampling.stop.is_empty() {
        config.insert("stopSequences".into(), sampling.stop.clone().into());
    }
    config
}

/// The form of the answer (<https://ai.google.dev/gemini-api/docs/structured-output>).
fn format(
    request: &ChatRequest,
    model: &Known,
    config: &mut Map<String, Value>,
    system: &mut Vec<Value>,
) -> Result<(), Failure> {
    let schema = match &request.response_format {
        ResponseFormat::Text => return Ok(()),
        ResponseFormat::Json => None,
        ResponseFormat::Schema(format) => Some(json::parse(&format.schema, "the schema of the answer")?),
    };
    let functions = request.tools.iter().any(|tool| matches!(tool, Tool::Function(_)));
    if functions && model.is_before_third() {
        // These refuse functions beside a form of the answer, so they are asked in words.
        let words = match schema {
            Some(schema) => {
                format!("Answer with one JSON value that fits this JSON Schema, and nothing else: {schema}")
            }
            None => "Answer with one JSON value and nothing else.".to_owned(),
        };
        system.push(json!({ "text": words }));
        return Ok(());
    }
    config.insert("responseMimeType".into(), "application/json".into());
    let googles = schema.as_ref().is_some_and(tools::is_googles);
    json::put(config, if googles { "responseSchema" } else { "responseJsonSchema" }, schema);
    Ok(())
}
