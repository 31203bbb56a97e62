//! A chat request of the contract as one of this wire format. Pure.
//!
//! Source: <https://platform.openai.com/docs/api-reference/responses/create>.

use serde_json::{Map, Value, json};

use super::super::quirks::Quirks;
use super::super::request::Prepared;
use super::super::sampling;
use super::input::Input;
use super::settings::Store;
use crate::http::HttpRequest;
use crate::json::{merge, merge_extra, parse, put, value};
use crate::{
    ChatRequest, Context, Failure, ResponseFormat, Thinking, ThinkingMode, Tool, ToolChoice, ToolDefinition,
};

/// What makes reasoning whole without the server's store.
const ENCRYPTED_REASONING: &str = "reasoning.encrypted_content";

/// What asks for log-probabilities.
const LOGPROBS: &str = "message.output_text.logprobs";

/// The HTTP request for a chat.
///
/// # Errors
/// The request holds JSON that is none, or what this wire format can't say.
// Not inlined for the stack: see `quirks_of` in `compatible.rs`.
#[inline(never)]
pub fn request(ctx: &Context, request: &ChatRequest, quirks: &Quirks) -> Result<Prepared, Failure> {
    let mut warnings = Vec::new();
    let body = body(ctx, request, quirks, &mut warnings)?;
    let url = format!("{}/{}", ctx.base_url.trim_end_matches('/'), quirks.responses.path);
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
    let stateless = is_stateless(request, quirks);
    let (instructions, input) = Input::new(ctx, request, quirks, stateless, warnings).write()?;
    put(&mut body, "instructions", instructions);
    body.insert("input".into(), input.into());
    if request.streaming {
        body.insert("stream".into(), true.into());
    }
    write_tools(request, quirks, &mut body)?;
    write_format(&request.response_format, &mut body)?;
    write_sampling(request, quirks, &mut body, warnings);
    if let Some(thinking) = &request.thinking {
        write_thinking(thinking, quirks, &mut body, warnings);
    }
    write_state(quirks, &mut body);
    let mut body = Value::Object(body);
    merge_extra(&mut body, request.extra.as_deref(), "the request")?;
    forget_stream_usage(&mut body);
    if let (Some(alternatives), Value::Object(body)) = (request.logprobs, &mut body) {
        // After the merge: the caller's own list replaces ours as a whole.
        include(body, LOGPROBS);
        if alternatives > 0 {
            body.entry("top_logprobs").or_insert_with(|| alternatives.into());
        }
    }
    Ok(body)
}

/// Usage comes in every stream here, and the wish for it, which is for chat completions, is refused.
fn forget_stream_usage(body: &mut Value) {
    let Some(Value::Object(options)) = body.get_mut("stream_options") else { return };
    options.shift_remove("include_usage");
    if options.is_empty() {
        // As a merge patch has it: a null removes.
        merge(body, json!({"stream_options": null}));
    }
}

/// Whether the server will not know on this turn what it said on earlier ones.
fn is_stateless(request: &ChatRequest, quirks: &Quirks) -> bool {
    let extra = request.extra.as_deref().and_then(|extra| value(extra).ok());
    match extra.as_ref().and_then(|extra| extra.get("store")).and_then(Value::as_bool) {
        Some(store) => !store,
        None => quirks.responses.store == Store::No,
    }
}

fn include(body: &mut Map<String, Value>, what: &str) {
    let list = body.entry("include").or_insert_with(|| json!([]));
    if let Value::Array(list) = list
        && !list.iter().any(|have| have == what)
    {
        list.push(what.into());
    }
}

fn write_state(quirks: &Quirks, body: &mut Map<String, Value>) {
    match quirks.responses.store {
        Store::Default => {}
        Store::Yes => put(body, "store", Some(true)),
        Store::No => {
            put(body, "store", Some(false));
            include(body, ENCRYPTED_REASONING);
        }
    }
    for what in &quirks.responses.include {
        include(body, what);
    }
}

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
    let tools = tools?;
    let choice = match &request.tool_choice {
        // The default wherever there are tools.
        ToolChoice::Auto => None,
        ToolChoice::None => Some(Value::from("none")),
        ToolChoice::Required => Some(quirks.required_tool.clone().into()),
        ToolChoice::Named(name) => Some(named(name, &tools)),
    };
    body.insert("tools".into(), tools.into());
    put(body, "tool_choice", choice);
    put(body, "parallel_tool_calls", request.parallel_tool_calls);
    Ok(())
}

/// The choice of one tool: by its name, its server's label, or the type that is all its name.
fn named(name: &str, tools: &[Value]) -> Value {
    let own = |tool: &&Value| tool.get("type").is_some_and(|kind| kind != "function");
    for tool in tools.iter().filter(own) {
        let kind = tool.get("type").and_then(Value::as_str).unwrap_or_default();
        if tool.get("name").is_some_and(|have| have == name) {
            return json!({"type": kind, "name": name});
        }
        if tool.get("server_label").is_some_and(|label| label == name) {
            return json!({"type": kind, "server_label": name});
        }
        if kind == name {
            return json!({"type": kind});
        }
    }
    json!({"type": "function", "name": name})
}

fn function(definition: &ToolDefinition, quirks: &Quirks) -> Result<Value, Failure> {
    let mut tool = Map::new();
    tool.insert("type".into(), "function".into());
    tool.insert("name".into(), definition.name.clone().into());
    if !definition.description.is_empty() {
        tool.insert("description".into(), definition.description.clone().into());
    }
    if !definition.parameters.is_empty() {
        tool.insert("parameters".into(), parse(&definition.parameters, "a tool's schema")?);
    }
    put(&mut tool, "strict", definition.strict);
    let mut tool = Value::Object(tool);
    if definition.cache_here && quirks.cache_control {
        merge(&mut tool, json!({"cache_control": {"type": "ephemeral"}}));
    }
    merge_extra(&mut tool, definition.extra.as_deref(), "a tool")?;
    // What chat completions have inside `function` stands in the tool itself here.
    let inner = tool.as_object_mut().and_then(|tool| tool.shift_remove("function"));
    if let Some(inner @ Value::Object(_)) = inner {
        merge(&mut tool, inner);
    }
    Ok(tool)
}

fn write_format(format: &ResponseFormat, body: &mut Map<String, Value>) -> Result<(), Failure> {
    let wire = match format {
        ResponseFormat::Text => return Ok(()),
        ResponseFormat::Json => json!({"type": "json_object"}),
        ResponseFormat::Schema(schema) => {
            let document = parse(&schema.schema, "the response's schema")?;
            let mut wire = json!({"type": "json_schema", "name": schema.name, "schema": document});
            if schema.strict {
                merge(&mut wire, json!({"strict": true}));
            }
            wire
        }
    };
    sampling::set(body, "text.format", wire);
    Ok(())
}

fn write_sampling(
    request: &ChatRequest,
    quirks: &Quirks,
    body: &mut Map<String, Value>,
    warnings: &mut Vec<String>,
) {
    let documented = |portable: &str| match portable {
        "temperature" => "temperature",
        "top-p" => "top_p",
        "max-tokens" => "max_output_tokens",
        "presence-penalty" => "presence_penalty",
        "frequency-penalty" => "frequency_penalty",
        _ => "",
    };
    for (portable, value) in sampling::values(&request.sampling) {
        let Some(value) = value else { continue };
        let path =
            quirks.responses.parameters.get(portable).and_then(Value::as_str).unwrap_or(documented(portable));
        if path.is_empty() {
            warnings.push(format!(
                "`{portable}` is not sent: the Responses API has no such parameter; chat completions may (the \
                 setting `api`)"
            ));
        } else {
            sampling::set(body, path, value);
        }
    }
}

fn write_thinking(
    thinking: &Thinking,
    quirks: &Quirks,
    body: &mut Map<String, Value>,
    warnings: &mut Vec<String>,
) {
    let mut effort = thinking.effort.clone();
    if thinking.mode == ThinkingMode::Off && effort.is_none() {
        let word = &quirks.responses.no_effort;
        if word.is_empty() {
            warnings.push("thinking can't be turned off here".into());
        } else {
            effort = Some(word.clone());
        }
    }
    if thinking.budget_tokens.is_some() {
        warnings.push("thinking: the Responses API takes an effort, not a budget".into());
    }
    if let Some(effort) = effort {
        sampling::set(body, "reasoning.effort", effort.into());
    }
    if let Some(summary) = &thinking.summary {
        sampling::set(body, "reasoning.summary", summary.clone().into());
    }
}
