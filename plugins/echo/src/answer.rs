//! What each model answers: pure, and the same each time.

use aimu_sdk::{
    ChatRequest, Failure, FailureKind, Media, Message, PartContent, Reasoning, Role, ThinkingMode, Tool,
    ToolChoice, ToolDefinition, ToolOutput, json,
};

use crate::schema::{number, plausible};

/// One part of an answer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Said {
    Reasoning(String),
    Text(String),
    Call { id: String, name: String, arguments: String },
}

/// A whole answer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) said: Vec<Said>,
}

impl Answer {
    /// The last user text, in the format that was asked for.
    pub(crate) fn echo(request: &ChatRequest) -> Self {
        Self { said: vec![Said::Text(in_format(request, last_text(request)))] }
    }

    /// A thought about it first, unless thinking is off.
    pub(crate) fn thought(request: &ChatRequest) -> Self {
        let Self { mut said } = Self::echo(request);
        let off = request.thinking.as_ref().is_some_and(|thinking| thinking.mode == ThinkingMode::Off);
        if !off {
            let words = last_text(request).split_whitespace().count();
            said.insert(0, Said::Reasoning(format!("The user wrote {words} words. I will say them again.")));
        }
        Self { said }
    }

    /// A call of the tool that is chosen, or the first; and after its result, an answer with it.
    pub(crate) fn tool(request: &ChatRequest) -> Result<Self, Failure> {
        if let Some(results) = results(request) {
            return Ok(Self { said: vec![Said::Text(in_format(request, results))] });
        }
        let Some(tool) = chosen(request)? else {
            return Ok(Self::echo(request));
        };
        let text = last_text(request);
        let schema = json::parse(&tool.parameters, "the tool's parameters")?;
        let mut arguments = plausible(&schema, &text);
        if arguments.as_object().is_none_or(serde_json::Map::is_empty) {
            arguments = serde_json::json!({ "text": text });
        }
        // The id differs from turn to turn, as a history needs it.
        let id = format!("call_{}", request.messages.len());
        Ok(Self { said: vec![Said::Call { id, name: tool.name.clone(), arguments: arguments.to_string() }] })
    }

    /// Numbers up to the one in the prompt, else up to `count`.
    pub(crate) fn long(request: &ChatRequest, count: u64) -> Self {
        let count = number(&last_text(request)).map_or(count, |number| number as u64);
        let mut text = String::new();
        for n in 1..=count {
            text.push_str(&n.to_string());
            text.push(' ');
        }
        Self { said: vec![Said::Text(text)] }
    }

    /// Whether it calls a tool.
    pub(crate) fn calls(&self) -> bool {
        self.said.iter().any(|said| matches!(said, Said::Call { .. }))
    }
}

/// The failure whose kind the prompt names.
pub(crate) fn failure(request: &ChatRequest) -> Failure {
    let text = last_text(request);
    let kind = match text.split_whitespace().next().unwrap_or_default() {
        "authentication" => FailureKind::Authentication,
        "permission" => FailureKind::Permission,
        "not-found" => FailureKind::NotFound,
        "invalid-request" => FailureKind::InvalidRequest,
        "context-length" => FailureKind::ContextLength,
        "rate-limited" => FailureKind::RateLimited,
        "quota" => FailureKind::Quota,
        "overloaded" => FailureKind::Overloaded,
        "content-filter" => FailureKind::ContentFilter,
        "timeout" => FailureKind::Timeout,
        "network" => FailureKind::Network,
        "denied" => FailureKind::Denied,
        "limit" => FailureKind::Limit,
        "protocol" => FailureKind::Protocol,
        "unsupported" => FailureKind::Unsupported,
        "internal" => FailureKind::Internal,
        _ => FailureKind::Server,
    };
    Failure::new(kind, format!("echo:fail failed as asked: {text}"))
}

/// How many words the model is given.
pub(crate) fn words_in(request: &ChatRequest) -> u32 {
    let words =
        request.messages.iter().map(|message| text_of(message).split_whitespace().count()).sum::<usize>();
    u32::try_from(words).unwrap_or(u32::MAX)
}

/// The text as it is, or as the only text of a JSON document of the schema that is asked for.
fn in_format(request: &ChatRequest, text: String) -> String {
    let Some(schema) = crate::json_format(&request.response_format) else {
        return text;
    };
    let value = serde_json::from_str(schema).map(|schema| plausible(&schema, &text)).unwrap_or_default();
    if value.as_object().is_none_or(serde_json::Map::is_empty) {
        return serde_json::json!({ "text": text }).to_string();
    }
    value.to_string()
}

/// The tool to call. Choosing none is possible, and so is having none.
fn chosen(request: &ChatRequest) -> Result<Option<&ToolDefinition>, Failure> {
    let mut functions = request.tools.iter().filter_map(|tool| match tool {
        Tool::Function(function) => Some(function),
        Tool::ProviderDefined(_) => None,
    });
    match &request.tool_choice {
        ToolChoice::None => Ok(None),
        ToolChoice::Auto => Ok(functions.next()),
        ToolChoice::Required => match functions.next() {
            Some(tool) => Ok(Some(tool)),
            None => Err(Failure::invalid("a tool call is required but no tool is offered")),
        },
        ToolChoice::Named(name) => match functions.find(|tool| tool.name == *name) {
            Some(tool) => Ok(Some(tool)),
            None => Err(Failure::invalid(format!("the tool {name} is chosen but not offered"))),
        },
    }
}

/// The results that end the conversation, if it ends with any.
fn results(request: &ChatRequest) -> Option<String> {
    let last = request.messages.iter().rev().take_while(|message| message.role == Role::Tool);
    let mut texts: Vec<String> = last.map(text_of).collect();
    texts.reverse();
    (!texts.is_empty()).then(|| texts.join("\n"))
}

/// What the user said last.
fn last_text(request: &ChatRequest) -> String {
    request.messages.iter().rev().find(|message| message.role == Role::User).map(text_of).unwrap_or_default()
}

/// A message's words. Media are named.
fn text_of(message: &Message) -> String {
    let texts: Vec<String> = message
        .parts
        .iter()
        .filter_map(|part| match &part.content {
            PartContent::Text(text) | PartContent::Refusal(text) => Some(text.clone()),
            PartContent::Media(media) => Some(name_of(media)),
            PartContent::ToolResult(result) => {
                let outputs: Vec<String> = result.output.iter().map(output_text).collect();
                let verb = if result.is_error { "failed" } else { "answered" };
                Some(format!("{} {verb}: {}", result.name, outputs.join(" ")))
            }
            PartContent::Reasoning(Reasoning::Text(text) | Reasoning::Summary(text)) => Some(text.clone()),
            PartContent::Reasoning(Reasoning::Redacted(_))
            | PartContent::ToolCall(_)
            | PartContent::Opaque(_) => None,
        })
        .collect();
    texts.join(" ")
}

fn output_text(output: &ToolOutput) -> String {
    match output {
        ToolOutput::Text(text) | ToolOutput::Json(text) => text.clone(),
        ToolOutput::Media(media) => name_of(media),
    }
}

fn name_of(media: &Media) -> String {
    use aimu_sdk::MediaSource::{Bytes, FileId, Url};
    match &media.source {
        Bytes(bytes) => format!("[{}, {} bytes]", media.mime_type, bytes.len()),
        Url(place) | FileId(place) => format!("[{}, {place}]", media.mime_type),
    }
}
