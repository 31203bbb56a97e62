//! Every recorded request, asked for in the contract's words, must go out as it was recorded.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use aimu_sdk::media::{from_base64, split_data_url};
use aimu_sdk::openai::{Quirks, body};
use aimu_sdk::{
    ChatRequest, Context, Media, MediaKind, MediaSource, Message, Opaque, Part, PartContent, Reasoning,
    Replay, ResponseFormat, Role, SchemaFormat, Thinking, ThinkingMode, Tool, ToolCall, ToolChoice,
    ToolDefinition, ToolOutput, ToolResult,
};
use serde_json::{Map, Value, json};

/// A recorded `input`, as a host reads it.
fn request(input: &Value) -> Option<ChatRequest> {
    let messages = input["messages"].as_array()?.iter().map(message).collect();
    let mut request = ChatRequest::new(input["model"].as_str()?, messages);
    let mut extra = input["extra"].as_object().cloned().unwrap_or_default();
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
        Some("json_schema") => ResponseFormat::Schema(SchemaFormat {
            name: format["json_schema"]["name"].as_str()?.into(),
            schema: format["json_schema"]["schema"].to_string(),
            strict: format["json_schema"]["strict"] == true,
        }),
        _ => ResponseFormat::Text,
    };
    options(&input["options"], &mut request, &mut extra);
    reasoning(&input["reasoning"], &mut request, &mut extra);
    if let Some(usage) = input.get("include_usage") {
        extra.insert("stream_options".into(), json!({"include_usage": usage}));
    }
    if !extra.is_empty() {
        request.extra = Some(Value::Object(extra).to_string());
    }
    Some(request)
}

fn options(options: &Value, request: &mut ChatRequest, extra: &mut Map<String, Value>) {
    let count = |value: &Value| value.as_u64().and_then(|count| u32::try_from(count).ok());
    for (name, value) in options.as_object().into_iter().flatten() {
        let sampling = &mut request.sampling;
        match name.as_str() {
            "temperature" if value.is_number() => sampling.temperature = value.as_f64(),
            "top_p" => sampling.top_p = value.as_f64(),
            "presence_penalty" => sampling.presence_penalty = value.as_f64(),
            "frequency_penalty" => sampling.frequency_penalty = value.as_f64(),
            "max_tokens" => sampling.max_tokens = count(value),
            "seed" => sampling.seed = value.as_u64(),
            "stop" => {
                let words = value.as_array().into_iter().flatten().filter_map(Value::as_str);
                sampling.stop = words.map(str::to_owned).collect();
            }
            "parallel_tool_calls" => request.parallel_tool_calls = value.as_bool(),
            "logprobs" => request.logprobs = Some(request.logprobs.unwrap_or(0)),
            "top_logprobs" => request.logprobs = count(value).and_then(|count| u8::try_from(count).ok()),
            _ => {
                extra.insert(name.clone(), value.clone());
            }
        }
    }
}

fn reasoning(dialect: &Value, request: &mut ChatRequest, extra: &mut Map<String, Value>) {
    let effort = dialect["effort"].as_str().map(str::to_owned);
    let switch = dialect["thinking"]["type"].as_str();
    if let Some(thinking) = dialect.get("thinking") {
        extra.insert("thinking".into(), thinking.clone());
    }
    if let Some(raw) = dialect.get("raw") {
        extra.insert("reasoning".into(), raw.clone());
    }
    if effort.is_some() || switch.is_some() {
        let off = switch == Some("disabled") || effort.as_deref() == Some("none");
        let mode = if off { ThinkingMode::Off } else { ThinkingMode::On };
        request.thinking = Some(Thinking { mode, effort, budget_tokens: None, summary: None });
    }
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
    if role == Role::Tool {
        let (mut cache_here, mut extra) = (false, None);
        let output = parts.drain(..).filter_map(|part| {
            cache_here |= part.cache_here;
            extra = part.extra.or(extra.take());
            match part.content {
                PartContent::Text(text) => Some(ToolOutput::Text(text)),
                PartContent::Media(media) => Some(ToolOutput::Media(media)),
                _ => None,
            }
        });
        let output = output.collect();
        let call_id = wire["tool_call_id"].as_str().unwrap().to_owned();
        let result = ToolResult { call_id, name: String::new(), output, is_error: false };
        parts = vec![Part { cache_here, extra, ..PartContent::ToolResult(result).into() }];
    }
    for call in wire["tool_calls"].as_array().into_iter().flatten() {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let function = &call["function"];
        let content = PartContent::ToolCall(ToolCall {
            id: text(&call["id"]),
            name: text(&function["name"]),
            arguments: text(&function["arguments"]),
            server_executed: false,
        });
        parts.push(content.into());
    }
    let extra = wire.get("prefix").map(|prefix| json!({"prefix": prefix}).to_string());
    Message { extra, ..Message::new(role, parts) }
}

fn thought(entry: &Value) -> Part {
    let Some(raw) = entry.get("raw") else {
        return PartContent::Reasoning(Reasoning::Text(entry["text"].as_str().unwrap().into())).into();
    };
    let data = raw.to_string();
    match raw["text"].as_str() {
        Some(text) => Part {
            replay: Some(Replay { signature: None, item_id: None, data: Some(data) }),
            ..PartContent::Reasoning(Reasoning::Text(text.into())).into()
        },
        None => PartContent::Opaque(Opaque { kind: raw["type"].as_str().unwrap().into(), data }).into(),
    }
}

fn block(wire: &Value) -> Part {
    let kind = wire["type"].as_str().unwrap();
    let inner = &wire[kind];
    let content = match kind {
        "text" => PartContent::Text(wire["text"].as_str().unwrap().into()),
        "image_url" => medium(MediaKind::Image, &inner["url"], inner["detail"].as_str(), None),
        "video_url" => medium(MediaKind::Video, &inner["url"], None, None),
        "document_url" => medium(MediaKind::Document, inner, None, wire["document_name"].as_str()),
        "input_audio" => {
            let data = from_base64(inner.as_str().or(inner["data"].as_str()).unwrap()).unwrap();
            let format = inner["format"].as_str().unwrap_or("mp3");
            let mime_type = if format == "mp3" { "audio/mpeg".to_owned() } else { format!("audio/{format}") };
            let source = MediaSource::Bytes(data);
            PartContent::Media(Media { kind: MediaKind::Audio, mime_type, source, name: None, detail: None })
        }
        "file" => match inner["file_id"].as_str() {
            Some(id) => PartContent::Media(Media {
                kind: MediaKind::Document,
                mime_type: String::new(),
                source: MediaSource::FileId(id.into()),
                name: None,
                detail: None,
            }),
            None => medium(MediaKind::Document, &inner["file_data"], None, inner["filename"].as_str()),
        },
        other => panic!("a block of type {other}"),
    };
    let mut part = Part::from(content);
    let mut extra = Map::new();
    if let Some(mark) = wire.get("cache_control") {
        part.cache_here = true;
        if *mark != json!({"type": "ephemeral"}) {
            extra.insert("cache_control".into(), mark.clone());
        }
    }
    if let Some(mark) = wire.get("prompt_cache_breakpoint") {
        extra.insert("prompt_cache_breakpoint".into(), mark.clone());
    }
    part.extra = (!extra.is_empty()).then(|| Value::Object(extra).to_string());
    part
}

fn medium(kind: MediaKind, url: &Value, detail: Option<&str>, name: Option<&str>) -> PartContent {
    let url = url.as_str().unwrap();
    let (mime_type, source) = match split_data_url(url) {
        Some((mime_type, bytes)) => (mime_type.to_owned(), MediaSource::Bytes(bytes)),
        None => (String::new(), MediaSource::Url(url.to_owned())),
    };
    PartContent::Media(Media {
        kind,
        mime_type,
        source,
        name: name.map(str::to_owned),
        detail: detail.map(str::to_owned),
    })
}

fn tool(wire: &Value) -> Tool {
    let function = &wire["function"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut extra = wire.as_object().unwrap().clone();
    extra.retain(|name, _| name != "type" && name != "function");
    Tool::Function(ToolDefinition {
        name: text(&function["name"]),
        description: text(&function["description"]),
        parameters: function.get("parameters").map(Value::to_string).unwrap_or_default(),
        strict: function["strict"].as_bool(),
        cache_here: extra.contains_key("cache_control"),
        extra: (!extra.is_empty()).then(|| Value::Object(extra).to_string()),
    })
}

/// A request without what says nothing: nulls, defaults, and the two ways to write the same.
fn meaning(body: &Value, quirks: &Quirks, recorded: bool) -> Value {
    let mut body = strip(body);
    let members = body.as_object_mut().unwrap();
    if members.get("stream") == Some(&json!(false)) {
        members.remove("stream");
    }
    // Whether usage is asked for in a stream is the brand's affair.
    members.remove("stream_options");
    for (name, default) in
        [("n", json!(1)), ("top_logprobs", json!(0)), ("tool_choice", json!("auto")), ("tools", json!([]))]
    {
        if members.get(name) == Some(&default) {
            members.remove(name);
        }
    }
    if members.get("response_format") == Some(&json!({"type": "text"})) {
        members.remove("response_format");
    }
    if !members.contains_key("tools") {
        members.remove("tool_choice");
    }
    // Other clients of the time used the older name.
    if let Some(limit) = members.remove("max_completion_tokens") {
        members.insert("max_tokens".into(), limit);
    }
    if let Some(seed) = members.remove("random_seed") {
        members.insert("seed".into(), seed);
    }
    // The dialect of a brand whose switch is beside the effort.
    if !recorded && quirks.thinking.on.contains_key("thinking") && members.contains_key("reasoning_effort") {
        members.entry("thinking").or_insert(Value::Null);
        members.shift_remove("thinking");
    } else if recorded && members.contains_key("reasoning_effort") {
        members.shift_remove("thinking");
    }
    if let Some(format) = body.pointer_mut("/response_format/json_schema").and_then(Value::as_object_mut) {
        format.retain(|name, value| name != "strict" || *value != false);
    }
    for tool in body["tools"].as_array_mut().into_iter().flatten() {
        let tool = tool.as_object_mut().unwrap();
        if tool.contains_key("function") {
            tool.insert("type".into(), "function".into());
        }
        if let Some(function) = tool.get_mut("function").and_then(Value::as_object_mut)
            && function.get("description") == Some(&json!(""))
        {
            function.remove("description");
        }
    }
    if let Some(choice) = body["tool_choice"].as_object_mut() {
        choice.insert("type".into(), "function".into());
    }
    let messages = body["messages"].as_array_mut().unwrap();
    // A turn that says nothing is left out.
    messages.retain(|message| *message != json!({"role": "assistant", "content": ""}));
    for message in messages {
        let message = message.as_object_mut().unwrap();
        if message["role"] == "developer" {
            message.insert("role".into(), "system".into());
        }
        for block in message.get_mut("content").and_then(Value::as_array_mut).into_iter().flatten() {
            // How a thought is cut into pieces says nothing.
            if let Some(pieces) = block.get("thinking").and_then(Value::as_array) {
                let text: String = pieces.iter().filter_map(|piece| piece["text"].as_str()).collect();
                block["thinking"] = text.into();
            }
        }
        let content = match message.get("content") {
            None => Value::from(""),
            Some(Value::Array(blocks)) if blocks.len() == 1 && blocks[0].as_object().unwrap().len() == 2 => {
                blocks[0].get("text").cloned().unwrap_or_else(|| blocks.clone().into())
            }
            Some(content) => content.clone(),
        };
        message.insert("content".into(), content);
        if message.get("tool_calls") == Some(&json!([])) {
            message.remove("tool_calls");
        }
        for call in message.get_mut("tool_calls").and_then(Value::as_array_mut).into_iter().flatten() {
            call.as_object_mut().unwrap().remove("index");
            // Recorded ids are masked, so they do not have the form that the brand asks for.
            call["id"] = "id".into();
        }
        if message.contains_key("tool_call_id") {
            message.insert("tool_call_id".into(), "id".into());
        }
    }
    numbers(&body)
}

/// Without members that are null.
fn strip(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(strip).collect(),
        Value::Object(members) => {
            let members = members.iter().filter(|(_, value)| !value.is_null());
            Value::Object(members.map(|(name, value)| (name.clone(), strip(value))).collect())
        }
        other => other.clone(),
    }
}

/// `1.0` is `1`.
fn numbers(value: &Value) -> Value {
    match value {
        Value::Number(number) => number.as_f64().map_or(value.clone(), Value::from),
        Value::Array(items) => items.iter().map(numbers).collect(),
        Value::Object(members) => {
            Value::Object(members.iter().map(|(name, value)| (name.clone(), numbers(value))).collect())
        }
        other => other.clone(),
    }
}

/// Where two documents differ first.
fn difference(want: &Value, got: &Value, path: &str) -> Option<String> {
    match (want, got) {
        (Value::Object(a), Value::Object(b)) => {
            let names = a.keys().chain(b.keys());
            names.into_iter().find_map(|name| {
                let (want, got) = (a.get(name).unwrap_or(&Value::Null), b.get(name).unwrap_or(&Value::Null));
                difference(want, got, &format!("{path}/{name}"))
            })
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => a
            .iter()
            .zip(b)
            .enumerate()
            .find_map(|(i, (want, got))| difference(want, got, &format!("{path}/{i}"))),
        _ if want == got => None,
        _ => {
            let short = |value: &Value| value.to_string().chars().take(200).collect::<String>();
            Some(format!("{path}: want {}, got {}", short(want), short(got)))
        }
    }
}

#[test]
fn recorded_requests_go_out_as_they_were_recorded() {
    let Some(exchanges) = common::exchanges() else {
        return;
    };
    let (mut checked, mut failed) = (0, Vec::new());
    for exchange in &exchanges {
        let recorded = &exchange.data["request"]["body"];
        let (Some(request), true) = (request(&exchange.data["input"]), recorded.is_object()) else {
            continue;
        };
        checked += 1;
        let quirks = common::quirks(&exchange.provider);
        let ctx = Context {
            instance: exchange.provider.clone(),
            base_url: "https://api.example.com/v1".into(),
            settings: "{}".into(),
            credentials: Vec::new(),
        };
        let mut warnings = Vec::new();
        let made = body(&ctx, &request, &quirks, &mut warnings).unwrap();
        if let Some(found) =
            difference(&meaning(recorded, &quirks, true), &meaning(&made, &quirks, false), "")
        {
            failed.push(format!("{}\n    {found}\n    {warnings:?}", exchange.name));
        }
    }
    eprintln!("{} recorded requests, {checked} could be asked for, {} differ", exchanges.len(), failed.len());
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}
