//! What each API defines to be the same, in one form.
//!
//! Each rule names its place in the API's documentation by the member that it is about; what a rule takes for granted
//! without being documented (a turn that is cut in two) is told as a form, and declared.

use super::cases::Exchange;
use super::requests::is_opaque;
use super::values::{default, items, members, parse};
use serde_json::{Map, Value, json};

/// A request's body in one form. `forms` gets the places where it was in another one than `ours`.
pub fn normal(exchange: &Exchange, body: &Value, ours: &Value, forms: &mut Vec<&'static str>) -> Value {
    let mut body = body.clone();
    // A count is asked for by the request that would be sent.
    let api = match (exchange.api.as_str(), exchange.provider.as_str()) {
        ("count-tokens", "anthropic") => "messages",
        ("count-tokens", "gemini") => "generate-content",
        ("count-tokens", "openai") => "responses",
        (api, _) => api,
    };
    match api {
        "messages" => messages(&mut body),
        "chat-completions" => chat_completions(&mut body, forms),
        "responses" => responses(&mut body, ours, forms),
        "generate-content" => body = generate_content(&body, forms),
        "converse" => converse(&mut body),
        "cohere-chat" => cohere(&mut body),
        "ollama-chat" => ollama(&mut body),
        "embeddings" => embeddings(&mut body),
        _ => {}
    }
    body
}

/// <https://platform.claude.com/docs/en/api/messages/create>
fn messages(body: &mut Value) {
    let body = members(body);
    default(body, "stream", json!(false));
    default(body, "tools", json!([]));
    default(body, "tool_choice", json!({"type": "auto"}));
    if let Some(system) = body.get_mut("system") {
        as_blocks(system, "text");
    }
    for tool in items(body.get_mut("tools")) {
        default(members(tool), "type", json!("custom"));
        default(members(tool), "description", json!(""));
    }
    // "consecutive `user` or `assistant` turns in your request will be combined into a single turn"
    let mut turns: Vec<Value> = Vec::new();
    for turn in items(body.get_mut("messages")) {
        as_blocks(&mut turn["content"], "text");
        for block in items(turn.get_mut("content")) {
            let block = members(block);
            default(block, "is_error", json!(false));
            if block.get("type").is_some_and(|kind| kind == "tool_result")
                && let Some(content) = block.get_mut("content")
            {
                as_blocks(content, "text");
            }
        }
        match turns.last_mut() {
            Some(last) if last["role"] == turn["role"] => {
                let more = turn["content"].take();
                last["content"].as_array_mut().unwrap().extend(more.as_array().unwrap().iter().cloned());
            }
            _ => turns.push(turn.take()),
        }
    }
    body.insert("messages".into(), turns.into());
}

/// A text as one block.
fn as_blocks(content: &mut Value, kind: &str) {
    if let Value::String(text) = content {
        *content = json!([{"type": kind, "text": text}]);
    }
}

/// <https://platform.openai.com/docs/api-reference/chat/create>
fn chat_completions(body: &mut Value, forms: &mut Vec<&'static str>) {
    let body = members(body);
    default(body, "top_logprobs", json!(0));
    default(body, "stream", json!(false));
    default(body, "n", json!(1));
    default(body, "tools", json!([]));
    default(body, "tool_choice", json!("auto"));
    default(body, "response_format", json!({"type": "text"}));
    if let Some(format) = body.get_mut("response_format").and_then(|format| format.get_mut("json_schema")) {
        default(members(format), "strict", json!(false));
    }
    for tool in items(body.get_mut("tools")) {
        let tool = members(tool);
        if let Some(function) = tool.get_mut("function") {
            default(members(function), "description", json!(""));
            tool.insert("type".into(), "function".into());
        }
    }
    for message in items(body.get_mut("messages")) {
        let message = members(message);
        default(message, "tool_calls", json!([]));
        let content = message.entry("content").or_insert(Value::Null);
        if content.is_null() || content == "" {
            message.shift_remove("content");
        } else {
            as_blocks(content, "text");
        }
        for call in items(message.get_mut("tool_calls")) {
            if let Some(arguments) = call.get_mut("function").and_then(|it| it.get_mut("arguments")) {
                parse(arguments);
            }
        }
    }
    let empty = json!({"role": "assistant"});
    drop_empty(body.get_mut("messages"), &empty, "/messages[]", forms);
}

/// <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html>
fn converse(body: &mut Value) {
    let body = members(body);
    default(body, "inferenceConfig", json!({}));
    default(body, "system", json!([]));
    if let Some(tools) = body.get_mut("toolConfig") {
        default(members(tools), "toolChoice", json!({"auto": {}}));
    }
    if let Some(schema) = body
        .get_mut("outputConfig")
        .and_then(|config| config.pointer_mut("/textFormat/structure/jsonSchema/schema"))
    {
        parse(schema);
    }
}

/// <https://docs.cohere.com/reference/chat>
fn cohere(body: &mut Value) {
    let body = members(body);
    default(body, "stream", json!(false));
    for list in ["documents", "tools"] {
        default(body, list, json!([]));
    }
    for message in items(body.get_mut("messages")) {
        let message = members(message);
        for list in ["citations", "tool_calls", "content"] {
            default(message, list, json!([]));
        }
        if let Some(content) = message.get_mut("content") {
            as_blocks(content, "text");
        }
        for call in items(message.get_mut("tool_calls")) {
            if let Some(arguments) = call.get_mut("function").and_then(|it| it.get_mut("arguments")) {
                parse(arguments);
            }
        }
    }
}

/// <https://docs.ollama.com/api/chat>
fn ollama(body: &mut Value) {
    let body = members(body);
    default(body, "options", json!({}));
    default(body, "tools", json!([]));
    for message in items(body.get_mut("messages")) {
        let message = members(message);
        default(message, "content", json!(""));
        default(message, "tool_calls", json!([]));
    }
}

/// A turn that says nothing is left out.
fn drop_empty(turns: Option<&mut Value>, empty: &Value, path: &'static str, forms: &mut Vec<&'static str>) {
    let Some(Value::Array(turns)) = turns else { return };
    let before = turns.len();
    turns.retain(|turn| turn != empty);
    if turns.len() < before {
        forms.push(path);
    }
}

/// <https://platform.openai.com/docs/api-reference/responses/create>
fn responses(body: &mut Value, ours: &Value, forms: &mut Vec<&'static str>) {
    let body = members(body);
    for (name, value) in [
        ("stream", json!(false)),
        ("tool_choice", json!("auto")),
        ("tools", json!([])),
        ("instructions", json!("")),
        ("include", json!([])),
        ("reasoning", json!({})),
    ] {
        default(body, name, value);
    }
    if let Some(text) = body.get_mut("text") {
        let text = members(text);
        default(text, "format", json!({"type": "text"}));
        if let Some(format) = text.get_mut("format") {
            default(members(format), "strict", json!(false));
        }
    }
    default(body, "text", json!({}));
    if let Some(Value::String(text)) = body.get("input") {
        body.insert("input".into(), json!([{"role": "user", "content": text}]));
    }
    for item in items(body.get_mut("input")) {
        let item = members(item);
        item.entry("type").or_insert_with(|| "message".into());
        if item["type"] == "reasoning" {
            continue;
        }
        default(item, "status", json!("completed"));
        if let Some(arguments) = item.get_mut("arguments") {
            parse(arguments);
        }
        for name in ["content", "output"] {
            let Some(content) = item.get_mut(name) else { continue };
            as_blocks(content, "text");
            for block in items(Some(content)) {
                let block = members(block);
                if block.get("type").is_some_and(|kind| kind == "input_text" || kind == "output_text") {
                    block.insert("type".into(), "text".into());
                }
                default(block, "annotations", json!([]));
            }
        }
    }
    let empty = json!({"type": "message", "role": "assistant", "content": [{"type": "text", "text": ""}]});
    drop_empty(body.get_mut("input"), &empty, "/input[]", forms);
    let nothing = json!({"type": "message", "role": "assistant", "content": []});
    drop_empty(body.get_mut("input"), &nothing, "/input[]", forms);
    // "A system (or developer) message inserted into the model's context."
    let first = body.get("input").and_then(|input| input.get(0)).cloned().unwrap_or_default();
    let lifted = ours["instructions"].is_string() && !body.contains_key("instructions");
    if lifted && first["role"] == "system" {
        body.insert("instructions".into(), first["content"][0]["text"].clone());
        body["input"].as_array_mut().unwrap().remove(0);
        forms.push("/instructions");
    }
    if let Some(Value::Array(tools)) = body.get_mut("tools") {
        for tool in tools.iter_mut() {
            default(members(tool), "description", json!(""));
        }
        // A request document has functions and tools of the provider in two lists.
        let rank = |tool: &Value| tool["type"] != "function";
        if !tools.is_sorted_by_key(rank) {
            tools.sort_by_key(rank);
            forms.push("/tools[]");
        }
    }
}

/// <https://ai.google.dev/api/generate-content>. Members are spelled as protocol buffers do or as JSON does.
fn generate_content(body: &Value, forms: &mut Vec<&'static str>) -> Value {
    let mut body = camel(body);
    let top = members(&mut body);
    default(top, "safetySettings", json!([]));
    default(top, "generationConfig", json!({}));
    let auto = json!({"functionCallingConfig": {"mode": "AUTO"}});
    default(top, "toolConfig", auto);
    let mut turns: Vec<Value> = Vec::new();
    for turn in items(top.get_mut("contents")) {
        match turns.last_mut() {
            Some(last) if last["role"] == turn["role"] => {
                let more = turn["parts"].as_array().cloned().unwrap_or_default();
                last["parts"].as_array_mut().unwrap().extend(more);
                forms.push("/contents[]");
            }
            _ => turns.push(turn.take()),
        }
    }
    top.insert("contents".into(), turns.into());
    let mut tools = tools(top.get("tools"));
    for declaration in tools.iter_mut().filter_map(|tool| tool.get_mut("functionDeclarations")) {
        let declaration = members(declaration);
        // Two members for the parameters: "mutually exclusive". The older has types in capitals, and takes others.
        let older = declaration.get("parameters").is_some_and(|schema| !is_googles(schema));
        if older && !declaration.contains_key("parametersJsonSchema") {
            let schema = declaration.shift_remove("parameters").unwrap_or_default();
            declaration.insert("parametersJsonSchema".into(), schema);
            forms.push("/tools[]/functionDeclarations/parameters");
        }
    }
    top.shift_remove("tools");
    if !tools.is_empty() {
        top.insert("tools".into(), tools.into());
    }
    body
}

fn is_googles(schema: &Value) -> bool {
    schema["type"].as_str().is_some_and(|kind| kind.bytes().all(|byte| byte.is_ascii_uppercase()))
}

/// The tools as what they are, in order of their names: one entry may hold several.
fn tools(list: Option<&Value>) -> Vec<Value> {
    let mut tools = Vec::new();
    for (name, value) in
        list.and_then(Value::as_array).into_iter().flatten().flat_map(|tool| tool.as_object().unwrap())
    {
        match value {
            Value::Array(declarations) => tools.extend(declarations.iter().map(|one| json!({ name: one }))),
            value => tools.push(json!({ name: value })),
        }
    }
    tools.sort_by_key(|tool| {
        let (kind, value) = tool.as_object().unwrap().iter().next().unwrap();
        (kind.clone(), value["name"].as_str().unwrap_or_default().to_owned())
    });
    tools
}

fn camel(value: &Value) -> Value {
    match value {
        Value::Array(list) => list.iter().map(camel).collect(),
        Value::Object(object) => {
            let mut out = Map::new();
            for (name, value) in object.iter().filter(|(_, value)| !value.is_null()) {
                let mut words = name.split('_');
                let mut name = words.next().unwrap_or_default().to_owned();
                for word in words {
                    let mut letters = word.chars();
                    name.extend(letters.next().map(|first| first.to_ascii_uppercase()));
                    name.push_str(letters.as_str());
                }
                let value = match value.as_str() {
                    // Both alphabets are taken, padded or not.
                    Some(data) if name == "data" || name == "thoughtSignature" => {
                        json!(data.replace('-', "+").replace('_', "/").trim_end_matches('='))
                    }
                    _ if is_opaque(&name) => value.clone(),
                    _ => camel(value),
                };
                out.insert(name, value);
            }
            default(&mut out, "thought", json!(false));
            out.into()
        }
        other => other.clone(),
    }
}

/// <https://platform.openai.com/docs/api-reference/embeddings/create>: `input` is a text or a list of them.
fn embeddings(body: &mut Value) {
    if let Some(input) = body.get_mut("input").filter(|input| input.is_string()) {
        *input = json!([input.take()]);
    }
}
