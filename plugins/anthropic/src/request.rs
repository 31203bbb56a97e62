//! A chat request as the body of `POST /v1/messages` (<https://platform.claude.com/docs/en/api/messages/create>).

use aimu_sdk::{ChatRequest, Failure, ResponseFormat, Tool, ToolChoice, ToolDefinition, json};
use serde_json::{Map, Value, json};

use crate::catalog::{self, Model};
use crate::{messages, thinking};

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
/// The request holds what Claude does not take, or JSON that is none.
pub(crate) fn body(request: &ChatRequest) -> Result<Body, Failure> {
    let mut warnings = Vec::new();
    let model = catalog::find(&request.model);
    let messages::Conversation { mut system, messages } =
        messages::convert(&request.messages, model, &mut warnings)?;
    let mut body = Map::new();
    body.insert("model".into(), request.model.as_str().into());
    let effort =
        thinking::write(&mut body, request.thinking.as_ref(), &request.sampling, model, &mut warnings);
    if request.streaming {
        body.insert("stream".into(), true.into());
    }
    let mut output = Map::new();
    json::put(&mut output, "effort", effort);
    match &request.response_format {
        ResponseFormat::Text => {}
        // The API has formats with a schema only.
        ResponseFormat::Json => {
            system.push(json!({ "type": "text", "text": "Answer with one JSON object and nothing else." }));
        }
        ResponseFormat::Schema(format) => {
            let mut schema = json::parse(&format.schema, "the schema of the answer")?;
            json::close_objects(&mut schema);
            output.insert("format".into(), json!({ "type": "json_schema", "schema": schema }));
        }
    }
    if !output.is_empty() {
        body.insert("output_config".into(), output.into());
    }
    if !system.is_empty() {
        body.insert("system".into(), system.into());
    }
    body.insert("messages".into(), messages.into());
    if !request.tools.is_empty() {
        let tools = request.tools.iter().map(tool).collect::<Result<Vec<_>, _>>()?;
        body.insert("tools".into(), tools.into());
        json::put(&mut body, "tool_choice", tool_choice(request, model, &mut warnings));
    }
    if request.logprobs.is_some() {
        warnings.push("logprobs is dropped: Claude gives none".into());
    }
    let mut body = Value::Object(body);
    json::merge_extra(&mut body, request.extra.as_deref(), "the request")?;
    Ok(Body { body, warnings })
}

/// The beta features that a body uses, which must be named in a header.
#[must_use]
pub(crate) fn betas(body: &Value) -> Vec<&'static str> {
    let mut betas = Vec::new();
    if body.get("mcp_servers").is_some() {
        betas.push("mcp-client-2025-11-20");
    }
    if names_a_file(body) {
        betas.push("files-api-2025-04-14");
    }
    betas
}

fn names_a_file(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().any(names_a_file),
        Value::Object(members) => {
            members.get("file_id").is_some_and(Value::is_string)
                || ["messages", "content", "source"]
                    .iter()
                    .filter_map(|name| members.get(*name))
                    .any(names_a_file)
        }
        _ => false,
    }
}

fn tool(tool: &Tool) -> Result<Value, Failure> {
    match tool {
        Tool::ProviderDefined(opaque) => json::parse(&opaque.data, "a provider-defined tool"),
        Tool::Function(function) => function_tool(function),
    }
}

fn function_tool(function: &ToolDefinition) -> Result<Value, Failure> {
    let mut schema = match function.parameters.trim() {
        "" => json!({}),
        text => json::parse(text, "the parameters of a tool")?,
    };
    if schema.as_object().is_some_and(Map::is_empty) {
        schema = json!({ "type": "object", "properties": {} });
    }
    let mut tool = Map::new();
    tool.insert("name".into(), function.name.as_str().into());
    if !function.description.is_empty() {
        tool.insert("description".into(), function.description.as_str().into());
    }
    tool.insert("input_schema".into(), schema);
    json::put(&mut tool, "strict", function.strict);
    if function.cache_here {
        tool.insert("cache_control".into(), json!({ "type": "ephemeral" }));
    }
    let mut tool = Value::Object(tool);
    json::merge_extra(&mut tool, function.extra.as_deref(), "a tool")?;
    Ok(tool)
}

/// `None` for the default.
fn tool_choice(request: &ChatRequest, model: Option<&Model>, warnings: &mut Vec<String>) -> Option<Value> {
    let forced = matches!(request.tool_choice, ToolChoice::Required | ToolChoice::Named(_));
    let refused = forced && model.is_some_and(|model| !model.forced_tools);
    if refused {
        warnings.push("this model can't be forced to call a tool; it decides itself".into());
    }
    let mut choice = match &request.tool_choice {
        ToolChoice::None => return Some(json!({ "type": "none" })),
        ToolChoice::Required if !refused => json!({ "type": "any" }),
        ToolChoice::Named(name) if !refused => json!({ "type": "tool", "name": name }),
        _ => json!({ "type": "auto" }),
    };
    match request.parallel_tool_calls {
        Some(parallel) => choice["disable_parallel_tool_use"] = (!parallel).into(),
        None if !forced || refused => return None,
        None => {}
    }
    Some(choice)
}
