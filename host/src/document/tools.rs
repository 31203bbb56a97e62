//! `tools`, `provider_tools`, `tool_choice` and `response_format`.

use super::extra::Extra;
use crate::model::{
    ChatRequest, Opaque, ResponseFormat, Result, SchemaFormat, Tool, ToolChoice, ToolDefinition,
};
use crate::openai::cache_extra;
use crate::openai::fields::{Fields, invalid, sort_of};
use serde_json::{Map, Value, json};

/// Reads all that is about tools and the answer's form into the request.
pub(super) fn read(document: &Fields<'_>, request: &mut ChatRequest, extra: &mut Extra) -> Result<()> {
    for (index, tool) in document.list("tools")?.unwrap_or_default().iter().enumerate() {
        let tool = Fields::of(tool, format!("tools[{index}]"))?;
        request.tools.push(function(&tool)?);
    }
    for (index, tool) in document.list("provider_tools")?.unwrap_or_default().iter().enumerate() {
        request.tools.push(provider_defined(tool, &format!("provider_tools[{index}]"))?);
    }
    if let Some(choice) = document.get("tool_choice") {
        request.tool_choice = tool_choice(choice, extra)?;
    }
    if let Some(format) = document.object("response_format")? {
        request.response_format = response_format(&format)?;
    }
    Ok(())
}

fn function(tool: &Fields<'_>) -> Result<Tool> {
    const MEMBERS: [&str; 4] = ["name", "description", "parameters", "strict"];
    if let Some(kind) = tool.text("type")?.filter(|kind| *kind != "function") {
        let what = format_args!("`{kind}` is a tool of a provider; put it into `provider_tools` as it is");
        return Err(invalid(&tool.at("type"), what));
    }
    let form = "{\"name\", \"description\", \"parameters\": a JSON Schema}";
    let function = tool.object("function")?.ok_or_else(|| tool.missing("function", form))?;
    let parameters = match function.get("parameters") {
        // `true` and `false` are schemas too.
        Some(schema @ (Value::Object(_) | Value::Bool(_))) => schema.clone(),
        None => json!({"type": "object", "properties": {}}),
        Some(other) => {
            let what = format_args!("must be a JSON Schema, not {}", sort_of(other));
            return Err(invalid(&function.at("parameters"), what));
        }
    };
    let mark = tool.get("cache_control").or(function.get("cache_control"));
    let mut extra = tool.others(&["type", "function", "cache_control"]);
    // Members within `function` have no place on wires without it; they stay where they were for those that have it.
    let inner = function.others(&[&MEMBERS[..], &["cache_control"]].concat());
    if !inner.is_empty() {
        extra.insert("function".to_owned(), Value::Object(inner));
    }
    if let Some(Value::Object(mark)) = mark.and_then(cache_extra) {
        extra.extend(mark);
    }
    Ok(Tool::Function(ToolDefinition {
        name: function.required_text("name")?.to_owned(),
        description: function.text("description")?.unwrap_or_default().to_owned(),
        parameters,
        strict: function.flag("strict")?,
        cache_here: mark.is_some(),
        extra: (!extra.is_empty()).then_some(Value::Object(extra)),
    }))
}

fn provider_defined(tool: &Value, path: &str) -> Result<Tool> {
    let fields = Fields::of(tool, path)?;
    let only_key = || {
        let mut keys = fields.others(&[]).into_iter().map(|(key, _)| key);
        keys.next().filter(|_| keys.next().is_none())
    };
    match fields.text("type")?.map(str::to_owned).or_else(only_key) {
        Some(kind) => Ok(Tool::ProviderDefined(Opaque { kind, data: tool.clone() })),
        None => Err(invalid(path, "needs a `type`, or one key that names the tool")),
    }
}

fn tool_choice(choice: &Value, extra: &mut Extra) -> Result<ToolChoice> {
    let named = |choice: &Map<String, Value>| {
        let function = choice.get("function").and_then(Value::as_object).unwrap_or(choice);
        function.get("name").and_then(Value::as_str).map(str::to_owned)
    };
    match choice {
        Value::String(word) => match word.as_str() {
            "auto" => return Ok(ToolChoice::Auto),
            "none" => return Ok(ToolChoice::None),
            "required" | "any" => return Ok(ToolChoice::Required),
            // Gemini's word for `auto` with arguments held to the schema.
            "validated" => extra.put(&["toolConfig", "functionCallingConfig", "mode"], json!("VALIDATED")),
            _ => extra.put(&["tool_choice"], choice.clone()),
        },
        Value::Object(object) => match object.get("type").and_then(Value::as_str).unwrap_or("function") {
            "function" | "tool" => {
                let name = named(object).map(ToolChoice::Named);
                return name.ok_or_else(|| {
                    invalid("tool_choice", "must name a tool: {\"function\": {\"name\": …}}")
                });
            }
            _ => extra.put(&["tool_choice"], choice.clone()),
        },
        other => {
            let what = format_args!(
                "must be `auto`, `none`, `required` or {{\"function\": {{\"name\": …}}}}, not {}",
                sort_of(other)
            );
            return Err(invalid("tool_choice", what));
        }
    }
    Ok(ToolChoice::Auto)
}

fn response_format(format: &Fields<'_>) -> Result<ResponseFormat> {
    match format.required_text("type")? {
        "text" => Ok(ResponseFormat::Text),
        "json_object" => Ok(ResponseFormat::Json),
        "json_schema" => {
            let inner = format
                .object("json_schema")?
                .ok_or_else(|| format.missing("json_schema", "{\"name\", \"schema\", \"strict\"}"))?;
            inner.only(&["name", "description", "schema", "strict"])?;
            let schema = inner.object("schema")?.ok_or_else(|| inner.missing("schema", "a JSON Schema"))?;
            let mut map = schema.members().clone();
            // Every wire has a schema, and few a description beside it.
            if let Some(description) = inner.text("description")? {
                map.entry("description").or_insert_with(|| json!(description));
            }
            Ok(ResponseFormat::Schema(SchemaFormat {
                name: inner.text("name")?.unwrap_or("answer").to_owned(),
                schema: Value::Object(map),
                strict: inner.flag("strict")?.unwrap_or_default(),
            }))
        }
        other => {
            let what = format_args!("`{other}` is none of text, json_object and json_schema");
            Err(invalid(&format.at("type"), what))
        }
    }
}
