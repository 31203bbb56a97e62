//! A chat request of the contract as one of this wire format. Pure.
//!
//! Source: <https://platform.openai.com/docs/api-reference/chat/create>.

use serde_json::{Map, Value, json};

use super::messages::Messages;
use super::quirks::{Quirks, StructuredOutput};
use super::sampling;
use crate::http::HttpRequest;
use crate::json::{merge_extra, parse, put};
use crate::{ChatRequest, Context, Failure, ResponseFormat, Tool, ToolChoice, ToolDefinition};

/// A request, and what could not be said in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Prepared {
    /// The request as it goes out, but for the credential.
    pub http: HttpRequest,
    /// What was dropped or changed, for the user.
    pub warnings: Vec<String>,
}

/// The HTTP request for a chat.
///
/// # Errors
/// The request holds JSON that is none, or what this wire format can't say.
// Not inlined for the stack: see `quirks_of` in `compatible.rs`.
#[inline(never)]
pub fn request(ctx: &Context, request: &ChatRequest, quirks: &Quirks) -> Result<Prepared, Failure> {
    let mut warnings = Vec::new();
    let body = body(ctx, request, quirks, &mut warnings)?;
    let url = format!("{}/{}", ctx.base_url.trim_end_matches('/'), quirks.chat_path);
    Ok(Prepared { http: HttpRequest::post(url, &body), warnings })
}

/// The JSON document of a chat; what could not be said is added to `warnings`.
///
/// # Errors
/// As [`request()`].
pub fn body(
    ctx: &Context,
    request: &ChatRequest,
    quirks: &Quirks,
    warnings: &mut Vec<String>,
) -> Result<Value, Failure> {
    let mut body = Map::new();
    body.insert("model".into(), request.model.clone().into());
    body.insert("messages".into(), Messages::new(ctx, quirks, warnings).write(&request.messages)?);
    if request.streaming {
        body.insert("stream".into(), true.into());
        if quirks.stream_usage {
            body.insert("stream_options".into(), json!({"include_usage": true}));
        }
    }
    write_tools(request, quirks, &mut body)?;
    write_format(&request.response_format, quirks, &mut body, warnings)?;
    sampling::write(&request.sampling, quirks, &mut body, warnings);
    if let Some(thinking) = &request.thinking {
        sampling::write_thinking(thinking, quirks, &mut body, warnings);
    }
    sampling::write_logprobs(request, &mut body);
    let mut body = Value::Object(body);
    merge_extra(&mut body, request.extra.as_deref(), "the request")?;
    Ok(body)
}

// Not inlined for the stack: see `quirks_of` in `compatible.rs`.
#[inline(never)]
fn write_tools(request: &ChatRequest, quirks: &Quirks, body: &mut Map<String, Value>) -> Result<(), Failure> {
    if request.tools.is_empty() {
        // Servers refuse a choice among no tools.
        return Ok(());
    }
    let tools: Result<Vec<Value>, Failure> = request
        .tools
        .iter()
        .map(|tool| match tool {
            Tool::Function(definition) => function(definition, quirks),
            Tool::ProviderDefined(opaque) => parse(&opaque.data, "a provider-defined tool"),
        })
        .collect();
    body.insert("tools".into(), tools?.into());
    let choice = match &request.tool_choice {
        // The default wherever there are tools.
        ToolChoice::Auto => None,
        ToolChoice::None => Some(Value::from("none")),
        ToolChoice::Required => Some(quirks.required_tool.clone().into()),
        ToolChoice::Named(name) => Some(json!({"type": "function", "function": {"name": name}})),
    };
    put(body, "tool_choice", choice);
    put(body, "parallel_tool_calls", request.parallel_tool_calls);
    Ok(())
}

fn function(definition: &ToolDefinition, quirks: &Quirks) -> Result<Value, Failure> {
    let mut function = Map::new();
    function.insert("name".into(), definition.name.clone().into());
    if !definition.description.is_empty() {
        function.insert("description".into(), definition.description.clone().into());
    }
    if !definition.parameters.is_empty() {
        function.insert("parameters".into(), parse(&definition.parameters, "a tool's schema")?);
    }
    put(&mut function, "strict", definition.strict);
    let mut tool = json!({"type": "function", "function": function});
    if definition.cache_here && quirks.cache_control {
        crate::json::merge(&mut tool, json!({"cache_control": {"type": "ephemeral"}}));
    }
    merge_extra(&mut tool, definition.extra.as_deref(), "a tool")?;
    Ok(tool)
}

// Not inlined for the stack: see `quirks_of` in `compatible.rs`.
#[inline(never)]
fn write_format(
    format: &ResponseFormat,
    quirks: &Quirks,
    body: &mut Map<String, Value>,
    warnings: &mut Vec<String>,
) -> Result<(), Failure> {
    let object = || json!({"type": "json_object"});
    let wire = match (format, quirks.structured_output) {
        (ResponseFormat::Text, _) => return Ok(()),
        (ResponseFormat::Json, _) => object(),
        (ResponseFormat::Schema(_), StructuredOutput::JsonObject) => {
            warnings.push("this server takes no JSON Schema: it is only asked for some JSON object".into());
            object()
        }
        (ResponseFormat::Schema(schema), StructuredOutput::JsonSchema) => {
            let mut wire =
                json!({"name": schema.name, "schema": parse(&schema.schema, "the response's schema")?});
            if schema.strict {
                crate::json::merge(&mut wire, json!({"strict": true}));
            }
            json!({"type": "json_schema", "json_schema": wire})
        }
    };
    body.insert("response_format".into(), wire);
    Ok(())
}
