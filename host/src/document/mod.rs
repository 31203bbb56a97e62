//! The request document: one JSON object that says a whole call, for scripts and tests.
//!
//! It has the shape of an OpenAI chat request, with one list of options and a provider's own dialect where there is
//! one. What the contract has a field for goes there; everything else becomes [`ChatRequest::extra`] at the place that
//! it has on the wire, so that nothing a caller writes is lost. The price is that such members mean something to one
//! wire only, and that the caller must know it.

mod embeddings;
mod extra;
mod options;
mod thinking;
mod tools;

use crate::model::{ChatRequest, Failure, FailureKind, Result};
use crate::openai::{self, fields::Fields};
pub use embeddings::EmbedDocument;
use extra::Extra;
use serde_json::{Value, json};

/// The keys of a document.
const KEYS: [&str; 16] = [
    "model",
    "stream",
    "messages",
    "options",
    "reasoning",
    "tools",
    "tool_choice",
    "provider_tools",
    "response_format",
    "generation_config",
    "tool_config",
    "output_config",
    "text_options",
    "allowed_tools",
    "include_usage",
    "extra",
];

/// A call as one JSON object.
#[derive(Clone, Debug, PartialEq)]
pub struct RequestDocument {
    /// The model string, as the caller wrote it; a model given elsewhere wins.
    pub model: Option<String>,
    /// Whether the answer is to be streamed; `None` leaves it to the caller, and the request then streams.
    pub stream: Option<bool>,
    /// The conversation as it was written.
    pub messages: Vec<Value>,
    /// The request, with the messages converted. Its `model` is empty until the model string is resolved.
    pub request: ChatRequest,
    /// Portable options that were given as `null`: they cancel what the model's card or the client would set.
    pub cancelled: Vec<String>,
}

impl RequestDocument {
    /// Reads a document.
    ///
    /// # Errors
    /// `invalid-request` with the place, what is wrong there and what is accepted.
    pub fn parse(document: impl AsRef<[u8]>) -> Result<Self> {
        Self::from_value(&self::json(document.as_ref())?).map_err(|mut failure| {
            failure.message = format!("the request document is wrong: {}", failure.message);
            failure
        })
    }

    fn from_value(value: &Value) -> Result<Self> {
        let fields = Fields::of(value, "")?;
        if fields.has("input") {
            let what = "`input` belongs to embeddings (`aimu-host embed`); a chat has `messages`";
            return Err(Failure::new(FailureKind::InvalidRequest, what));
        }
        fields.only(&KEYS)?;
        let messages = fields.list("messages")?.unwrap_or_default();
        if messages.is_empty() {
            return Err(fields.missing("messages", "a list of at least one message"));
        }
        let stream = fields.flag("stream")?;
        let mut extra = Extra::default();
        let mut request = ChatRequest::new("", openai::messages(messages)?);
        request.streaming = stream.unwrap_or(true);
        let mut cancelled = Vec::new();
        if let Some(options) = fields.object("options")? {
            cancelled = options::read(&options, &mut request, &mut extra)?;
        }
        if let Some(reasoning) = fields.object("reasoning")? {
            request.thinking = thinking::read(&reasoning, &mut extra)?;
        }
        tools::read(&fields, &mut request, &mut extra)?;
        wire_members(&fields, request.streaming, &mut extra)?;
        request.extra = extra.into_value();
        let model = fields.text("model")?.map(str::to_owned);
        Ok(Self { model, stream, messages: messages.to_vec(), request, cancelled })
    }

    /// Makes it a request for one answer at once, whatever it says.
    pub fn without_stream(&mut self) {
        self.request.streaming = false;
        // OpenAI refuses the options of a stream that there is not.
        if let Some(Value::Object(extra)) = &mut self.request.extra {
            extra.remove("stream_options");
        }
        self.request.extra.take_if(|extra| extra.as_object().is_some_and(serde_json::Map::is_empty));
    }
}

/// The JSON of a document, which may begin with a byte order mark.
fn json(bytes: &[u8]) -> Result<Value> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    serde_json::from_slice(bytes).map_err(|error| {
        Failure::new(FailureKind::InvalidRequest, format!("the request document is not JSON: {error}"))
    })
}

/// Members that are one wire's own, each to its place there. What the caller says in `extra` wins over all.
fn wire_members(fields: &Fields<'_>, streaming: bool, extra: &mut Extra) -> Result<()> {
    const OBJECTS: [(&str, &str); 4] = [
        ("generation_config", "generationConfig"),
        ("tool_config", "toolConfig"),
        ("output_config", "output_config"),
        ("text_options", "text"),
    ];
    for (key, wire) in OBJECTS {
        if let Some(value) = fields.get(key) {
            Fields::of(value, fields.at(key))?;
            extra.put(&[wire], value.clone());
        }
    }
    if let Some(names) = fields.list("allowed_tools")? {
        extra.put(&["toolConfig", "functionCallingConfig", "allowedFunctionNames"], json!(names));
    }
    if let Some(usage) = fields.flag("include_usage")?.filter(|_| streaming) {
        extra.put(&["stream_options", "include_usage"], Value::Bool(usage));
    }
    if let Some(own) = fields.get("extra") {
        Fields::of(own, fields.at("extra"))?;
        extra.merge(own.clone());
    }
    Ok(())
}

#[cfg(test)]
mod tests;
