//! A case's `input` as the request that the host would hand over: the part of its document reader that these cases
//! need.

use aimu_sdk::{
    ChatRequest, Media, MediaKind, MediaSource, Message, Opaque, Part, PartContent, Reasoning, Replay,
    ResponseFormat, Role, SchemaFormat, Thinking, ThinkingMode, Tool, ToolCall, ToolChoice, ToolDefinition,
    ToolOutput, ToolResult, json, media,
};
use serde_json::{Map, Value, json};

pub(crate) fn request(input: &Value) -> ChatRequest {
    let list = |name: &str| input[name].as_array().cloned().unwrap_or_default();
    let mut extra = json!({});
    let mut request = ChatRequest::new(text(&input["model"]), list("messages").iter().map(message).collect());
    request.streaming = input["stream"] == true;
    for (name, value) in input["options"].as_object().into_iter().flatten() {
        let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
        match name.as_str() {
            "temperature" => request.sampling.temperature = value.as_f64(),
            "top_p" => request.sampling.top_p = value.as_f64(),
            "top_k" => request.sampling.top_k = number,
            "max_tokens" => request.sampling.max_tokens = number,
            "seed" => request.sampling.seed = value.as_u64(),
            "stop" => request.sampling.stop = value.as_array().unwrap().iter().map(text).collect(),
            "presence_penalty" => request.sampling.presence_penalty = value.as_f64(),
            "frequency_penalty" => request.sampling.frequency_penalty = value.as_f64(),
            // More than one answer can't be said; what is asked is otherwise the same.
            "n" => {}
            other => extra[other] = value.clone(),
        }
    }
    if let Some(config) = input["reasoning"]["thinking_config"].as_object() {
        let mut wire = Map::from_iter([("includeThoughts".to_owned(), Value::Null)]);
        wire.extend(config.clone());
        json::merge(&mut extra, json!({ "generationConfig": {} }));
        extra["generationConfig"]["thinkingConfig"] = wire.into();
        let budget = config.get("thinkingBudget").and_then(Value::as_i64);
        request.thinking = Some(Thinking {
            mode: if budget == Some(0) { ThinkingMode::Off } else { ThinkingMode::On },
            effort: config.get("thinkingLevel").map(text),
            budget_tokens: budget.and_then(|budget| u32::try_from(budget).ok()).filter(|budget| *budget > 0),
            summary: None,
        });
    }
    request.tools = list("tools").iter().map(function).collect();
    for tool in list("provider_tools") {
        let kind = tool.as_object().unwrap().keys().next().unwrap().clone();
        request.tools.push(Tool::ProviderDefined(Opaque { kind, data: tool.to_string() }));
    }
    let function_config =
        |member: &str, value: Value| json!({"toolConfig": {"functionCallingConfig": {member: value}}});
    match &input["tool_choice"] {
        Value::String(word) if word == "none" => request.tool_choice = ToolChoice::None,
        Value::String(word) if word == "required" => request.tool_choice = ToolChoice::Required,
        Value::String(word) if word == "validated" => {
            json::merge(&mut extra, function_config("mode", "VALIDATED".into()));
        }
        Value::Object(choice) => request.tool_choice = ToolChoice::Named(text(&choice["function"]["name"])),
        _ => {}
    }
    for (member, wire) in [("generation_config", "generationConfig"), ("tool_config", "toolConfig")] {
        if input[member].is_object() {
            let mut own = json!({});
            own[wire] = input[member].clone();
            patch(&mut extra, &own);
        }
    }
    if input["allowed_tools"].is_array() {
        patch(&mut extra, &function_config("allowedFunctionNames", input["allowed_tools"].clone()));
    }
    patch(&mut extra, &input["extra"]);
    request.extra = Some(extra.to_string());
    let format = &input["response_format"];
    request.response_format = match format["type"].as_str() {
        Some("json_object") => ResponseFormat::Json,
        Some("json_schema") => {
            let mut schema = format["json_schema"]["schema"].clone();
            if let Some(description) = format["json_schema"].get("description") {
                schema.as_object_mut().unwrap().entry("description").or_insert_with(|| description.clone());
            }
            let name = "answer".to_owned();
            ResponseFormat::Schema(SchemaFormat { name, schema: schema.to_string(), strict: false })
        }
        _ => ResponseFormat::Text,
    };
    request
}

/// As [`json::merge`], keeping nulls, which are to remove a member of the request.
fn patch(target: &mut Value, patch_value: &Value) {
    match (target.as_object_mut(), patch_value) {
        (Some(target), Value::Object(members)) => {
            for (name, value) in members {
                patch(target.entry(name.clone()).or_insert(Value::Null), value);
            }
        }
        (_, Value::Null) => {}
        _ => *target = patch_value.clone(),
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn function(tool: &Value) -> Tool {
    let function = &tool["function"];
    Tool::Function(ToolDefinition {
        name: text(&function["name"]),
        description: function["description"].as_str().unwrap_or_default().to_owned(),
        parameters: function
            .get("parameters")
            .cloned()
            .unwrap_or_else(|| json!({"type": "object", "properties": {}}))
            .to_string(),
        strict: function["strict"].as_bool(),
        cache_here: false,
        extra: None,
    })
}

fn message(value: &Value) -> Message {
    let role = match value["role"].as_str().unwrap() {
        "system" | "developer" => Role::System,
        "user" => Role::User,
        "assistant" => Role::Assistant,
        _ => return Message::new(Role::Tool, vec![result(value)]),
    };
    let mut parts: Vec<Part> = Vec::new();
    for thought in value["reasoning"].as_array().into_iter().flatten() {
        let reasoning = Reasoning::Text(thought["text"].as_str().unwrap_or_default().to_owned());
        let replay = thought.get("signature").map(|signature| signed(Some(text(signature)), None));
        parts.push(Part { replay, ..PartContent::Reasoning(reasoning).into() });
    }
    parts.extend(content(&value["content"]));
    if value.get("thought_signature").is_some() {
        let replay = replay(value);
        match parts.iter_mut().rev().find(|part| matches!(part.content, PartContent::Text(_))) {
            Some(part) => part.replay = replay,
            None => parts.push(Part { replay, ..PartContent::Text(String::new()).into() }),
        }
    }
    for call in value["tool_calls"].as_array().into_iter().flatten() {
        let function = &call["function"];
        let content = PartContent::ToolCall(ToolCall {
            id: text(&call["id"]),
            name: text(&function["name"]),
            arguments: text(&function["arguments"]),
            server_executed: false,
        });
        parts.push(Part { replay: replay(call), ..content.into() });
    }
    Message::new(role, parts)
}

fn replay(value: &Value) -> Option<Replay> {
    let signature = value.get("thought_signature").map(text);
    let data = value.get("id_synthetic").map(|_| json!({"id_synthetic": true}).to_string());
    (signature.is_some() || data.is_some()).then(|| signed(signature, data))
}

fn signed(signature: Option<String>, data: Option<String>) -> Replay {
    Replay { signature, item_id: None, data }
}

fn result(value: &Value) -> Part {
    let mut output: Vec<ToolOutput> = content(&value["content"])
        .into_iter()
        .map(|part| match part.content {
            PartContent::Text(text) => ToolOutput::Text(text),
            PartContent::Media(media) => ToolOutput::Media(media),
            other => panic!("no output of a tool: {other:?}"),
        })
        .collect();
    if let Some(raw) = value.get("raw_response") {
        output.retain(|output| matches!(output, ToolOutput::Media(_)));
        output.insert(0, ToolOutput::Json(raw.to_string()));
    }
    let name = value["name"].as_str().unwrap_or_default().to_owned();
    let is_error = value["is_error"] == true;
    PartContent::ToolResult(ToolResult { call_id: text(&value["tool_call_id"]), name, output, is_error })
        .into()
}

fn content(value: &Value) -> Vec<Part> {
    match value {
        Value::String(text) => vec![PartContent::Text(text.clone()).into()],
        Value::Array(parts) => parts.iter().map(|part| content_part(part).into()).collect(),
        _ => Vec::new(),
    }
}

fn content_part(part: &Value) -> PartContent {
    let kind = part["type"].as_str().unwrap();
    let (url, mime) = match kind {
        "text" => return PartContent::Text(text(&part["text"])),
        "image_url" => (text(&part["image_url"]["url"]), part["image_url"].get("mime").map(text)),
        "input_audio" => {
            let format = part["input_audio"]["format"].as_str().unwrap();
            let format = if format == "mp3" { "mpeg" } else { format };
            let data = part["input_audio"]["data"].as_str().unwrap();
            (format!("data:audio/{format};base64,{data}"), None)
        }
        "file" => {
            let file = &part["file"];
            let url = file.get("file_data").or(file.get("url")).unwrap();
            (text(url), file.get("mime").map(text))
        }
        other => panic!("a part of type {other}"),
    };
    // The host takes the alphabet of URLs too.
    let plain = url.strip_prefix("data:").and_then(|rest| rest.split_once(','));
    let (found, source) = match plain {
        Some((head, data)) => {
            let data = data.replace('-', "+").replace('_', "/");
            let bytes = media::from_base64(&data).unwrap();
            (Some(head.split(';').next().unwrap().to_owned()), MediaSource::Bytes(bytes))
        }
        None => (None, MediaSource::Url(url.clone())),
    };
    let by_name = || match url.rsplit('.').next() {
        Some("jpg" | "jpeg") => "image/jpeg".to_owned(),
        Some("png") => "image/png".to_owned(),
        _ => String::new(),
    };
    let mime_type = mime.or(found).unwrap_or_else(by_name);
    PartContent::Media(Media { kind: MediaKind::Image, mime_type, source, name: None, detail: None })
}
