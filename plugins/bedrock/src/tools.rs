//! `toolConfig` (<https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ToolConfiguration.html>).

use aimu_sdk::{ChatRequest, Failure, PartContent, Tool, ToolChoice, ToolDefinition, json};
use serde_json::{Map, Value, json};

use crate::blocks::{cache_point, merge_extra};
use crate::catalog::{Known, Maker};

/// Writes `toolConfig`, and what of the choice only the model's own fields can say.
pub(crate) fn write(
    body: &mut Map<String, Value>,
    fields: &mut Map<String, Value>,
    request: &ChatRequest,
    model: &Known,
    warnings: &mut Vec<String>,
) -> Result<(), Failure> {
    let used = used_tools(request);
    // There is no choice that forbids calls, so tools are left out; but a conversation with calls must declare some.
    let none = matches!(request.tool_choice, ToolChoice::None);
    let mut tools = Vec::new();
    if !none || !used.is_empty() {
        for tool in &request.tools {
            tools.extend(tool_blocks(tool)?);
        }
    }
    if none && !tools.is_empty() {
        warnings.push(
            "tool_choice none is dropped: Bedrock has no such choice, and the conversation needs its tools"
                .into(),
        );
    }
    if tools.is_empty() {
        tools = used.iter().map(|name| stand_in(name)).collect();
    }
    if tools.is_empty() {
        return Ok(());
    }
    let mut config = Map::new();
    config.insert("tools".into(), tools.into());
    let choice = match &request.tool_choice {
        // What is the default is not said: some models refuse the member.
        ToolChoice::Auto | ToolChoice::None => None,
        ToolChoice::Required => Some(json!({ "any": {} })),
        ToolChoice::Named(name) => Some(json!({ "tool": { "name": name } })),
    };
    match (request.parallel_tool_calls, model.maker) {
        (Some(false), Maker::Anthropic) => {
            // Claude's own form of the choice, which has the switch; both must not be given.
            let mut own = match &request.tool_choice {
                ToolChoice::Required => json!({ "type": "any" }),
                ToolChoice::Named(name) => json!({ "type": "tool", "name": name }),
                ToolChoice::Auto | ToolChoice::None => json!({ "type": "auto" }),
            };
            own["disable_parallel_tool_use"] = true.into();
            fields.insert("tool_choice".into(), own);
        }
        (parallel, _) => {
            if parallel == Some(false) {
                warnings.push(
                    "parallel_tool_calls is dropped: this model can't be kept to one call at a time".into(),
                );
            }
            json::put(&mut config, "toolChoice", choice);
        }
    }
    body.insert("toolConfig".into(), config.into());
    Ok(())
}

fn tool_blocks(tool: &Tool) -> Result<Vec<Value>, Failure> {
    match tool {
        Tool::ProviderDefined(opaque) => Ok(vec![json::parse(&opaque.data, "a provider-defined tool")?]),
        Tool::Function(function) => {
            let mut blocks = vec![specification(function)?];
            if function.cache_here {
                blocks.push(cache_point(function.extra.as_deref()));
            }
            Ok(blocks)
        }
    }
}

fn specification(function: &ToolDefinition) -> Result<Value, Failure> {
    let mut schema = match function.parameters.trim() {
        "" => json!({}),
        text => json::parse(text, "the parameters of a tool")?,
    };
    // The wire wants an object's schema.
    if let Value::Object(members) = &mut schema
        && members.is_empty()
    {
        members.insert("type".into(), "object".into());
    }
    let mut tool = Map::new();
    tool.insert("name".into(), function.name.as_str().into());
    if !function.description.is_empty() {
        tool.insert("description".into(), function.description.as_str().into());
    }
    tool.insert("inputSchema".into(), json!({ "json": schema }));
    json::put(&mut tool, "strict", function.strict);
    let mut block = json!({ "toolSpec": tool });
    if let Some(extra) = &function.extra {
        // What stood within the function of a request document has its place in the specification too.
        let extra = match json::parse(extra, "`extra` of a tool")? {
            Value::Object(mut extra) => {
                if let Some(Value::Object(inner)) = extra.shift_remove("function") {
                    extra.extend(inner);
                }
                Value::Object(extra)
            }
            other => other,
        };
        merge_extra(&mut block, &extra.to_string(), "a tool")?;
    }
    Ok(block)
}

/// The names of the tools that the conversation has called.
fn used_tools(request: &ChatRequest) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for part in request.messages.iter().flat_map(|message| &message.parts) {
        let name = match &part.content {
            PartContent::ToolCall(call) => call.name.as_str(),
            PartContent::ToolResult(result) => result.name.as_str(),
            _ => continue,
        };
        if !name.is_empty() && !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// A tool that the conversation has called and the request no longer offers: the API refuses calls without any.
fn stand_in(name: &str) -> Value {
    json!({ "toolSpec": { "name": name, "description": "No longer available.",
        "inputSchema": { "json": { "type": "object" } } } })
}
