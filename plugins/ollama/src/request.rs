//! A request as the body of `POST /api/chat` (<https://docs.ollama.com/api/chat>) or `POST /api/generate`
//! (<https://docs.ollama.com/api/generate>).

use aimu_sdk::{
    ChatRequest, Failure, GenerateRequest, ResponseFormat, Sampling, Thinking, ThinkingMode, Tool,
    ToolChoice, ToolDefinition, json,
};
use serde_json::{Map, Value, json};

use crate::messages::{self, Said};
use crate::options;

/// A finished request body, and what was changed or dropped on the way.
#[derive(Clone, Debug, PartialEq)]
pub struct Body {
    /// The document to send.
    pub body: Value,
    /// For the user; never errors.
    pub warnings: Vec<String>,
}

/// Converts a chat.
///
/// # Errors
/// The request holds what Ollama does not take, or JSON that is none.
pub fn chat(request: &ChatRequest) -> Result<Body, Failure> {
    let mut warnings = Vec::new();
    let mut body = Map::new();
    body.insert("model".into(), request.model.as_str().into());
    body.insert("messages".into(), messages::convert(&request.messages, &mut warnings)?.into());
    let tools = tools(request, &mut warnings)?;
    if !tools.is_empty() {
        body.insert("tools".into(), tools.into());
    }
    if let Some(alternatives) = request.logprobs {
        body.insert("logprobs".into(), true.into());
        if alternatives > 0 {
            body.insert("top_logprobs".into(), alternatives.into());
        }
    }
    let common = Common {
        streaming: request.streaming,
        sampling: &request.sampling,
        thinking: request.thinking.as_ref(),
        format: &request.response_format,
        extra: request.extra.as_deref(),
    };
    common.finish(body, warnings)
}

/// Converts a prompt.
///
/// # Errors
/// As [`chat`].
pub fn generate(request: &GenerateRequest) -> Result<Body, Failure> {
    let mut said = Said::default();
    for media in &request.media {
        said.media(media)?;
    }
    said.text(&request.prompt);
    let mut body = Map::new();
    body.insert("model".into(), request.model.as_str().into());
    body.insert("prompt".into(), said.content().into());
    if !said.images.is_empty() {
        body.insert("images".into(), said.images.into());
    }
    let common = Common {
        streaming: request.streaming,
        sampling: &request.sampling,
        thinking: request.thinking.as_ref(),
        format: &request.response_format,
        extra: request.extra.as_deref(),
    };
    common.finish(body, Vec::new())
}

/// What both have.
struct Common<'a> {
    streaming: bool,
    sampling: &'a Sampling,
    thinking: Option<&'a Thinking>,
    format: &'a ResponseFormat,
    extra: Option<&'a str>,
}

impl Common<'_> {
    fn finish(self, mut body: Map<String, Value>, mut warnings: Vec<String>) -> Result<Body, Failure> {
        // Without it, Ollama streams.
        body.insert("stream".into(), self.streaming.into());
        json::put(&mut body, "think", self.thinking.map(|thinking| think(thinking, &mut warnings)));
        match self.format {
            ResponseFormat::Text => {}
            ResponseFormat::Json => {
                body.insert("format".into(), "json".into());
            }
            ResponseFormat::Schema(format) => {
                body.insert("format".into(), json::parse(&format.schema, "the schema of the answer")?);
            }
        }
        let options = options::of(self.sampling);
        if !options.is_empty() {
            body.insert("options".into(), options.into());
        }
        let mut body = Value::Object(body);
        match self.extra.map(|extra| json::parse(extra, "`extra` of the request")).transpose()? {
            None => {}
            Some(Value::Object(mut extra)) => {
                options::gather(&mut extra);
                json::merge(&mut body, Value::Object(extra));
            }
            Some(_) => return Err(Failure::invalid("`extra` of the request must be a JSON object")),
        }
        Ok(Body { body, warnings })
    }
}

/// A switch, or a level where the model has levels (<https://docs.ollama.com/capabilities/thinking>).
fn think(thinking: &Thinking, warnings: &mut Vec<String>) -> Value {
    if thinking.budget_tokens.is_some() {
        warnings.push("the budget for thinking is dropped: Ollama has a switch and levels only".into());
    }
    match (thinking.mode, thinking.effort.as_deref()) {
        (ThinkingMode::Off, _) | (_, Some("none")) => false.into(),
        (_, Some(level)) => level.into(),
        (_, None) => true.into(),
    }
}

/// The tools on offer. The API has no `tool_choice`, so a choice is made by what is offered, as far as that goes.
fn tools(request: &ChatRequest, warnings: &mut Vec<String>) -> Result<Vec<Value>, Failure> {
    let named = match &request.tool_choice {
        ToolChoice::None => return Ok(Vec::new()),
        ToolChoice::Named(name) => Some(name.as_str()),
        ToolChoice::Auto | ToolChoice::Required => None,
    };
    let offered = |tool: &&Tool| match (named, tool) {
        (Some(name), Tool::Function(function)) => function.name == name,
        (Some(_), Tool::ProviderDefined(_)) => false,
        (None, _) => true,
    };
    let tools: Vec<Value> = request
        .tools
        .iter()
        .filter(offered)
        .map(|tool| match tool {
            Tool::Function(function) => self::function(function),
            Tool::ProviderDefined(tool) => json::parse(&tool.data, "a provider-defined tool"),
        })
        .collect::<Result<_, _>>()?;
    match named {
        _ if tools.is_empty() && request.tools.is_empty() => {}
        Some(name) if tools.is_empty() => {
            return Err(Failure::invalid(format!("the tool `{name}` that is to be called is not on offer")));
        }
        Some(_) => warnings.push(
            "the tool to call can't be named to Ollama: it alone is offered, and the model decides".into(),
        ),
        None if request.tool_choice == ToolChoice::Required => {
            warnings.push("a call can't be demanded from Ollama: the model decides".into());
        }
        None => {}
    }
    if request.parallel_tool_calls == Some(false) && !tools.is_empty() {
        warnings.push("parallel_tool_calls is dropped: Ollama can't be kept to one call at a time".into());
    }
    Ok(tools)
}

fn function(function: &ToolDefinition) -> Result<Value, Failure> {
    let parameters = match function.parameters.trim() {
        "" => json!({ "type": "object", "properties": {} }),
        text => json::parse(text, "the parameters of a tool")?,
    };
    let mut tool = json!({
        "type": "function",
        "function": {
            "name": function.name, "description": function.description, "parameters": parameters,
        },
    });
    json::merge_extra(&mut tool, function.extra.as_deref(), "a tool")?;
    Ok(tool)
}
