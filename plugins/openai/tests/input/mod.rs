//! A recorded `input` as a host reads it.

use aimu_sdk::media::split_data_url;
use aimu_sdk::{
    ChatRequest, Media, MediaKind, MediaSource, Message, Opaque, Part, PartContent, Reasoning, Replay,
    ResponseFormat, Role, SchemaFormat, Thinking, ThinkingMode, Tool, ToolCall, ToolChoice, ToolDefinition,
    ToolOutput, ToolResult, json as sdk_json,
};
use serde_json::{Map, Value, json};

pub(crate) fn request(input: &Value) -> Option<ChatRequest> {
    let messages = input["messages"].as_array()?.iter().map(message).collect();
    let mut request = ChatRequest::new(input["model"].as_str()?, messages);
    let mut extra = Value::Object(Map::new());
    request.streaming = input["stream"] == true;
    request.tools = input["tools"].as_array().into_iter().flatten().map(tool).collect();
    for tool in input["provider_tools"].as_array().into_iter().flatten() {
        let kind = tool["type"].as_str().unwrap_or_default().to_owned();
        request.tools.push(Tool::ProviderDefined(Opaque { kind, data: tool.to_string() }));
    }
    request.tool_choice = match &input["tool_choice"] {
        Value::String(word) if word == "none" => ToolChoice::None,
        Value::String(word) if word == "required" => ToolChoice::Required,
        Value::Object(choice) => ToolChoice::Named(choice["function"]["name"].as_str()?.into()),
        _ => ToolChoice::Auto,
    };
    let format = &input["response_format"];
    request.response_format = match format["type"].as_str() {
        Some("json_object") => ResponseFormat::Json,
        Some("json_schema") => {
            let inner = &format["json_schema"];
            let mut schema = inner["schema"].as_object()?.clone();
            if let Some(description) = inner.get("description") {
                schema.entry("description").or_insert_with(|| description.clone());
            }
            ResponseFormat::Schema(SchemaFormat {
                name: inner["name"].as_str().unwrap_or("answer").into(),
                schema: Value::Object(schema).to_string(),
                strict: inner["strict"] == true,
            })
        }
        _ => ResponseFormat::Text,
    };
    let count = |value: &Value| value.as_u64().and_then(|count| u32::try_from(count).ok());
    for (name, value) in input["options"].as_object().into_iter().flatten() {
        match name.as_str() {
            "temperature" => request.sampling.temperature = value.as_f64(),
            "max_tokens" => request.sampling.max_tokens = count(value),
            "parallel_tool_calls" => request.parallel_tool_calls = value.as_bool(),
            other => panic!("an option {other}"),
        }
    }
    for (name, value) in input["reasoning"].as_object().into_iter().flatten() {
        if !matches!(name.as_str(), "effort" | "summary") {
            sdk_json::merge(&mut extra, json!({"reasoning": {name: value}}));
        }
    }
    let word = |name: &str| input["reasoning"][name].as_str().map(str::to_owned);
    let (effort, summary) = (word("effort"), word("summary"));
    if effort.is_some() || summary.is_some() {
        let off = effort.as_deref() == Some("none");
        let mode = if off { ThinkingMode::Off } else { ThinkingMode::On };
        request.thinking = Some(Thinking { mode, effort, budget_tokens: None, summary });
    }
    if let Some(text) = input.get("text_options") {
        sdk_json::merge(&mut extra, json!({"text": text}));
    }
    for (name, value) in input["extra"].as_object().into_iter().flatten() {
        sdk_json::merge(&mut extra, json!({name: value}));
    }
    request.extra = extra.as_object().is_some_and(|extra| !extra.is_empty()).then(|| extra.to_string());
    Some(request)
}

fn message(wire: &Value) -> Message {
    let role = match wire["role"].as_str() {
        Some("system" | "developer") => Role::System,
        Some("assistant") => Role::Assistant,
        Some("tool") => Role::Tool,
        _ => Role::User,
    };
    let mut parts: Vec<Part> = wire["reasoning"].as_array().into_iter().flatten().map(thought).collect();
    match &wire["content"] {
        Value::String(text) => parts.push(PartContent::Text(text.clone()).into()),
        Value::Array(blocks) => parts.extend(blocks.iter().map(block)),
        _ => {}
    }
    if let Some(replay) = replay_of(wire) {
        let text = parts.iter_mut().rev().find(|part| matches!(part.content, PartContent::Text(_)));
        match text {
            Some(text) => text.replay = Some(replay),
            None => parts.push(Part { replay: Some(replay), ..PartContent::Text(String::new()).into() }),
        }
    }
    if role == Role::Tool {
        let output = parts.drain(..).filter_map(|part| match part.content {
            PartContent::Text(text) => Some(ToolOutput::Text(text)),
            PartContent::Media(media) => Some(ToolOutput::Media(media)),
            _ => None,
        });
        let output = output.collect();
        let call_id = wire["tool_call_id"].as_str().unwrap().to_owned();
        let result = ToolResult { call_id, name: String::new(), output, is_error: false };
        parts = vec![PartContent::ToolResult(result).into()];
    }
    for call in wire["tool_calls"].as_array().into_iter().flatten() {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let content = PartContent::ToolCall(ToolCall {
            id: text(&call["id"]),
            name: text(&call["function"]["name"]),
            arguments: text(&call["function"]["arguments"]),
            server_executed: false,
        });
        let extra = others(call, &["id", "type", "function", "item_id"]);
        parts.push(Part { replay: replay_of(call), extra, ..content.into() });
    }
    let extra = wire.get("phase").map(|phase| json!({"phase": phase}).to_string());
    Message { extra, ..Message::new(role, parts) }
}

fn replay_of(wire: &Value) -> Option<Replay> {
    let item_id = wire["item_id"].as_str()?.to_owned();
    Some(Replay { signature: None, item_id: Some(item_id), data: None })
}

fn thought(entry: &Value) -> Part {
    let raw = &entry["raw"];
    let told = |name: &str| {
        let texts: Vec<_> =
            raw[name].as_array().into_iter().flatten().filter_map(|item| item["text"].as_str()).collect();
        Some(texts.join("\n\n")).filter(|text| !text.is_empty())
    };
    let data = raw.to_string();
    let words = told("content").map(Reasoning::Text).or_else(|| told("summary").map(Reasoning::Summary));
    match words {
        Some(reasoning) => Part {
            replay: Some(Replay { signature: None, item_id: None, data: Some(data) }),
            ..PartContent::Reasoning(reasoning).into()
        },
        None => PartContent::Opaque(Opaque { kind: raw["type"].as_str().unwrap().into(), data }).into(),
    }
}

fn block(wire: &Value) -> Part {
    let content = match wire["type"].as_str().unwrap() {
        "text" => PartContent::Text(wire["text"].as_str().unwrap().into()),
        "file" => {
            let file = &wire["file"];
            let source = match (file["file_id"].as_str(), file["file_data"].as_str().or(file["url"].as_str()))
            {
                (Some(id), _) => MediaSource::FileId(id.into()),
                (None, Some(url)) => match split_data_url(url) {
                    Some((_, bytes)) => MediaSource::Bytes(bytes),
                    None => MediaSource::Url(url.into()),
                },
                _ => panic!("a file without a source"),
            };
            let url = file["file_data"].as_str().unwrap_or_default();
            PartContent::Media(Media {
                kind: MediaKind::Document,
                mime_type: split_data_url(url).map(|(mime, _)| mime.to_owned()).unwrap_or_default(),
                source,
                name: file["filename"].as_str().map(str::to_owned),
                detail: None,
            })
        }
        other => panic!("a block of type {other}"),
    };
    Part { extra: others(wire, &["type", "text", "file"]), ..content.into() }
}

/// Members that no field of the contract holds.
fn others(wire: &Value, known: &[&str]) -> Option<String> {
    let mut others = wire.as_object()?.clone();
    others.retain(|name, _| !known.contains(&name.as_str()));
    (!others.is_empty()).then(|| Value::Object(others).to_string())
}

fn tool(wire: &Value) -> Tool {
    let function = &wire["function"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut extra = wire.as_object().unwrap().clone();
    extra.retain(|name, _| name != "type" && name != "function");
    // What stands inside `function` and has no field stays there, as a host hands it over.
    let inner = others(function, &["name", "description", "parameters", "strict"]);
    if let Some(inner) = inner {
        extra.insert("function".into(), serde_json::from_str(&inner).unwrap());
    }
    Tool::Function(ToolDefinition {
        name: text(&function["name"]),
        description: text(&function["description"]),
        parameters: function.get("parameters").map(Value::to_string).unwrap_or_default(),
        strict: function["strict"].as_bool(),
        cache_here: false,
        extra: (!extra.is_empty()).then(|| Value::Object(extra).to_string()),
    })
}
