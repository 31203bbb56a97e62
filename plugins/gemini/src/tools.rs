//! Tools and how they may be used (<https://ai.google.dev/gemini-api/docs/function-calling>).

use aimu_sdk::{ChatRequest, Failure, Tool, ToolChoice, ToolDefinition, json};
use serde_json::{Map, Value, json};

/// Writes `tools` and `toolConfig`.
pub(crate) fn write(
    body: &mut Map<String, Value>,
    request: &ChatRequest,
    warnings: &mut Vec<String>,
) -> Result<(), Failure> {
    let mut declarations = Vec::new();
    let mut tools = Vec::new();
    let mut strict = false;
    for tool in &request.tools {
        match tool {
            Tool::Function(function) => {
                strict |= function.strict == Some(true);
                declarations.push(declaration(function)?);
            }
            Tool::ProviderDefined(tool) => tools.push(json::parse(&tool.data, "a provider-defined tool")?),
        }
    }
    let functions = !declarations.is_empty();
    if functions {
        tools.insert(0, json!({ "functionDeclarations": declarations }));
    }
    if !tools.is_empty() {
        body.insert("tools".into(), tools.into());
    }
    if functions {
        let config = match &request.tool_choice {
            // The mode that holds calls to their schemas, and leaves the choice to the model.
            ToolChoice::Auto if strict => Some(json!({ "mode": "VALIDATED" })),
            ToolChoice::Auto => None,
            ToolChoice::None => Some(json!({ "mode": "NONE" })),
            ToolChoice::Required => Some(json!({ "mode": "ANY" })),
            ToolChoice::Named(name) => Some(json!({ "mode": "ANY", "allowedFunctionNames": [name] })),
        };
        if let Some(config) = config {
            body.insert("toolConfig".into(), json!({ "functionCallingConfig": config }));
        }
    }
    if request.parallel_tool_calls == Some(false) {
        warnings.push("parallel_tool_calls is dropped: Gemini can't be kept to one call at a time".into());
    }
    Ok(())
}

fn declaration(function: &ToolDefinition) -> Result<Value, Failure> {
    let schema = match function.parameters.trim() {
        "" => json!({}),
        text => json::parse(text, "the parameters of a tool")?,
    };
    let mut declaration = json!({ "name": function.name, "description": function.description });
    if takes_arguments(&schema) {
        // The older member knows a part of JSON Schema only, and refuses the rest.
        let member = if is_googles(&schema) { "parameters" } else { "parametersJsonSchema" };
        declaration[member] = schema;
    }
    // What stood within the function of a request document has its place in the declaration too.
    let mut extra =
        function.extra.as_deref().map(|extra| json::parse(extra, "`extra` of a tool")).transpose()?;
    if let Some(inner) =
        extra.as_mut().and_then(Value::as_object_mut).and_then(|o| o.shift_remove("function"))
    {
        json::merge(&mut declaration, inner);
    }
    if let Some(extra) = extra {
        json::merge_extra(&mut declaration, Some(&extra.to_string()), "a tool")?;
    }
    Ok(declaration)
}

/// A function without parameters is declared without a schema.
fn takes_arguments(schema: &Value) -> bool {
    schema.as_object().is_none_or(|schema| {
        let empty = |value: &Value| value.as_object().is_some_and(Map::is_empty);
        schema.is_empty()
            || !schema.iter().all(|(name, value)| match name.as_str() {
                "type" => value == "object",
                "properties" => empty(value),
                _ => false,
            })
    })
}

/// Whether a schema is in Google's own dialect (<https://ai.google.dev/api/caching#Schema>), whose types are in
/// capitals. It is refused where JSON Schema is expected, and the other way round.
pub(crate) fn is_googles(schema: &Value) -> bool {
    schema
        .get("type")
        .and_then(Value::as_str)
        .is_some_and(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_uppercase()))
}
