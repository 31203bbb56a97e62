//! A chat request as the body of `POST /v2/chat` (<https://docs.cohere.com/reference/chat>).

use aimu_sdk::{
    ChatRequest, Failure, ResponseFormat, Sampling, Thinking, ThinkingMode, Tool, ToolChoice, ToolDefinition,
    json,
};
use serde_json::{Map, Value, json};

use crate::catalog::{self, Model};
use crate::messages::{self, Conversation};

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
/// The request holds what Cohere does not take, or JSON that is none.
pub fn body(request: &ChatRequest) -> Result<Body, Failure> {
    let mut warnings = Vec::new();
    let model = catalog::find(&request.model);
    let extra =
        request.extra.as_deref().map(|extra| json::parse(extra, "`extra` of the request")).transpose()?;
    // The API refuses documents beside a form of the answer, and a caller's own list takes the place of ours.
    let own_documents = extra.as_ref().is_some_and(|extra| extra.get("documents").is_some());
    let inline = own_documents || request.response_format != ResponseFormat::Text;
    let Conversation { messages, documents } =
        messages::convert(&request.messages, model, inline, &mut warnings)?;
    let mut body = Map::new();
    body.insert("model".into(), request.model.as_str().into());
    body.insert("messages".into(), messages.into());
    body.insert("stream".into(), request.streaming.into());
    if !documents.is_empty() {
        body.insert("documents".into(), documents.into());
    }
    tools(&mut body, request, model, &mut warnings)?;
    if let Some(format) = format(&request.response_format)? {
        body.insert("response_format".into(), format);
    }
    sampling(&mut body, &request.sampling);
    if let Some(wish) = &request.thinking {
        json::put(&mut body, "thinking", thinking(wish, model, &mut warnings));
    }
    if let Some(alternatives) = request.logprobs {
        body.insert("logprobs".into(), true.into());
        if alternatives > 0 {
            warnings.push("Cohere gives the log-probabilities of the chosen tokens only".into());
        }
    }
    let mut body = Value::Object(body);
    if let Some(extra) = extra {
        json::merge_extra(&mut body, Some(&extra.to_string()), "the request")?;
    }
    Ok(Body { body, warnings })
}

fn sampling(body: &mut Map<String, Value>, sampling: &Sampling) {
    json::put(body, "temperature", sampling.temperature);
    json::put(body, "p", sampling.top_p);
    json::put(body, "k", sampling.top_k);
    json::put(body, "max_tokens", sampling.max_tokens);
    json::put(body, "seed", sampling.seed);
    json::put(body, "frequency_penalty", sampling.frequency_penalty);
    json::put(body, "presence_penalty", sampling.presence_penalty);
    if !sampling.stop.is_empty() {
        body.insert("stop_sequences".into(), sampling.stop.clone().into());
    }
}

/// The form of the answer (<https://docs.cohere.com/docs/structured-outputs>).
fn format(format: &ResponseFormat) -> Result<Option<Value>, Failure> {
    Ok(match format {
        ResponseFormat::Text => None,
        ResponseFormat::Json => Some(json!({ "type": "json_object" })),
        ResponseFormat::Schema(format) => {
            let schema = json::parse(&format.schema, "the schema of the answer")?;
            Some(json!({ "type": "json_object", "json_schema": schema }))
        }
    })
}

/// A switch with a budget, no levels (<https://docs.cohere.com/docs/reasoning>).
fn thinking(thinking: &Thinking, model: Option<&Model>, warnings: &mut Vec<String>) -> Option<Value> {
    let off = thinking.mode == ThinkingMode::Off || thinking.effort.as_deref() == Some("none");
    if model.is_some_and(|model| !model.thinking) {
        if !off {
            warnings.push("thinking is dropped: this model does not think".into());
        }
        return None;
    }
    if off {
        return Some(json!({ "type": "disabled" }));
    }
    if let (Some(level), None) = (&thinking.effort, thinking.budget_tokens) {
        warnings
            .push(format!("the level `{level}` is dropped: Cohere has no levels, give a budget of tokens"));
    }
    let mut wire = Map::new();
    wire.insert("type".into(), "enabled".into());
    json::put(&mut wire, "token_budget", thinking.budget_tokens);
    Some(Value::Object(wire))
}

/// Writes `tools`, `strict_tools` and `tool_choice` (<https://docs.cohere.com/docs/tool-use-overview>).
fn tools(
    body: &mut Map<String, Value>,
    request: &ChatRequest,
    model: Option<&Model>,
    warnings: &mut Vec<String>,
) -> Result<(), Failure> {
    // Older models take no choice, and refuse the member.
    let choosable = model.is_none_or(|model| model.tool_choice);
    if !choosable && request.tool_choice == ToolChoice::None {
        return Ok(());
    }
    // A tool can't be named; offered alone and demanded, it is as good as named.
    let named = match &request.tool_choice {
        ToolChoice::Named(name) => Some(name.as_str()),
        _ => None,
    };
    let offered = |tool: &&Tool| match (named, tool) {
        (Some(name), Tool::Function(function)) => function.name == name,
        (Some(_), Tool::ProviderDefined(_)) => false,
        (None, _) => true,
    };
    let mut strict = false;
    let mut wire = Vec::new();
    for tool in request.tools.iter().filter(offered) {
        match tool {
            Tool::Function(function) => {
                strict |= function.strict == Some(true);
                wire.push(self::function(function)?);
            }
            Tool::ProviderDefined(tool) => wire.push(json::parse(&tool.data, "a provider-defined tool")?),
        }
    }
    if let (Some(name), true) = (named, wire.is_empty()) {
        return Err(Failure::invalid(format!("the tool `{name}` that is to be called is not on offer")));
    }
    let any = !wire.is_empty();
    if any {
        body.insert("tools".into(), wire.into());
    }
    if strict {
        // For all of them or for none.
        body.insert("strict_tools".into(), true.into());
    }
    match &request.tool_choice {
        ToolChoice::Auto => {}
        ToolChoice::None => {
            body.insert("tool_choice".into(), "NONE".into());
        }
        ToolChoice::Required | ToolChoice::Named(_) => {
            if any && choosable {
                body.insert("tool_choice".into(), "REQUIRED".into());
            } else if any {
                warnings.push("this model can't be made to call a tool; it decides itself".into());
            }
        }
    }
    if request.parallel_tool_calls == Some(false) && any {
        warnings.push("parallel_tool_calls is dropped: Cohere can't be kept to one call at a time".into());
    }
    Ok(())
}

fn function(function: &ToolDefinition) -> Result<Value, Failure> {
    let parameters = match function.parameters.trim() {
        "" => json!({ "type": "object", "properties": {} }),
        text => json::parse(text, "the parameters of a tool")?,
    };
    let mut wire = Map::new();
    wire.insert("name".into(), function.name.as_str().into());
    if !function.description.is_empty() {
        wire.insert("description".into(), function.description.as_str().into());
    }
    wire.insert("parameters".into(), parameters);
    let mut tool = json!({ "type": "function", "function": wire });
    json::merge_extra(&mut tool, function.extra.as_deref(), "a tool")?;
    Ok(tool)
}
