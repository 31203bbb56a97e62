//! What one call of a model gave.

use crate::model::{
    Citation, Completion, Detail, Failure, FailureKind, FinishReason, Media, MediaSource, Origin, Part,
    PartContent, Reasoning, Result, ToolCall, ToolRun, Usage,
};
use crate::openai::assistant_message;
use crate::structured::{unfinished, value};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// One answer of a model, complete or as far as it came.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Answer {
    /// The visible text: all text parts, in order.
    pub text: String,
    /// The model's thinking, in full or summarised; blocks are parted by a blank line. Empty where it showed none.
    pub reasoning: String,
    /// The value, where a JSON Schema was asked for and the text holds one that fits it.
    pub value: Option<Value>,
    /// The model declined, in its own words.
    pub refusal: Option<String>,
    /// Calls that the model waits for.
    pub tool_calls: Vec<ToolCall>,
    /// Calls that the provider ran itself; they are not to be run again.
    pub server_tool_calls: Vec<ToolCall>,
    /// Images and sound that the model made.
    pub media: Vec<Media>,
    /// Why the answer ended.
    pub finish: FinishReason,
    /// The provider's own word for it.
    pub raw_finish: Option<String>,
    /// Tokens; unknown is unknown.
    pub usage: Usage,
    /// Sources of spans of the text. Each `index` is a place in `parts`.
    pub citations: Vec<Citation>,
    /// What was dropped or changed on the way.
    pub warnings: Vec<String>,
    /// Anything else about the answer. Each `index` is a place in `parts`.
    pub details: Vec<Detail>,
    /// All parts, in order.
    pub parts: Vec<Part>,
    /// The answer as an OpenAI-format message for the history; it holds all that the provider needs back.
    pub message: Value,
    /// What the history gets where tools ran: all messages of the run, `message` among them. Else empty.
    pub messages: Vec<Value>,
    /// The calls of tools that the host saw to, in their order.
    pub tool_runs: Vec<ToolRun>,
    /// The model that answered.
    pub model: String,
    /// The answer's id at the provider.
    pub response_id: Option<String>,
    /// The request's id at the provider, for its support.
    pub request_id: Option<String>,
    /// What the provider said of the answer and what has no field here.
    pub metadata: Option<Value>,
}

/// What came beside the parts, with the places of the parts that it is about.
#[derive(Default, PartialEq)]
pub(super) struct Gathered {
    pub(super) citations: Vec<(usize, Citation)>,
    pub(super) details: Vec<(Option<usize>, Detail)>,
    pub(super) warnings: Vec<String>,
}

impl Answer {
    pub(super) fn assemble(
        origin: &Origin,
        parts: Vec<Part>,
        gathered: Gathered,
        completion: Completion,
    ) -> Self {
        let (parts, places) = without_empty(parts);
        let place = |old: usize| places.get(old).copied().flatten();
        let citations = gathered.citations.into_iter().filter_map(|(old, citation)| {
            let index = place(old)?;
            let part = parts.get(usize::try_from(index).ok()?)?;
            let span = citation.span.filter(|span| cuts(part, *span));
            Some(Citation { index, span, ..citation })
        });
        let citations = citations.collect();
        let details = gathered.details.into_iter();
        let details = details.map(|(old, detail)| Detail { index: old.and_then(place), ..detail }).collect();
        let mut answer = Self {
            text: String::new(),
            reasoning: String::new(),
            value: None,
            refusal: None,
            tool_calls: Vec::new(),
            server_tool_calls: Vec::new(),
            media: Vec::new(),
            raw_finish: completion.raw_finish.or_else(|| match &completion.finish {
                FinishReason::Other(word) => Some(word.clone()),
                _ => None,
            }),
            finish: completion.finish,
            usage: completion.usage.unwrap_or_default(),
            citations,
            warnings: gathered.warnings,
            details,
            message: assistant_message(&parts, origin),
            messages: Vec::new(),
            tool_runs: Vec::new(),
            parts: Vec::new(),
            model: completion.model.unwrap_or_else(|| origin.model.clone()),
            response_id: completion.response_id,
            request_id: completion.request_id,
            metadata: completion.metadata,
        };
        parts.iter().for_each(|part| answer.view(part));
        Self { parts, ..answer }
    }

    fn view(&mut self, part: &Part) {
        match &part.content {
            PartContent::Text(text) => self.text.push_str(text),
            PartContent::Refusal(text) => self.refusal.get_or_insert_default().push_str(text),
            PartContent::Reasoning(Reasoning::Text(text) | Reasoning::Summary(text)) => {
                if !self.reasoning.is_empty() && !text.is_empty() {
                    self.reasoning.push_str("\n\n");
                }
                self.reasoning.push_str(text);
            }
            PartContent::ToolCall(call) if call.server_executed => self.server_tool_calls.push(call.clone()),
            PartContent::ToolCall(call) => self.tool_calls.push(call.clone()),
            PartContent::Media(media) => self.media.push(media.clone()),
            PartContent::Reasoning(Reasoning::Redacted(_))
            | PartContent::ToolResult(_)
            | PartContent::Opaque(_) => {}
        }
    }

    /// The answer's JSON as a value of a type of the program's own: the value that fits the schema, where one was asked
    /// for, else the JSON that the text holds.
    ///
    /// ```no_run
    /// # async fn example(mut client: aimu_host::Client) -> aimu_host::Result<()> {
    /// #[derive(serde::Deserialize)]
    /// struct City {
    ///     name: String,
    ///     inhabitants: u64,
    /// }
    ///
    /// let schema = serde_json::json!({
    ///     "type": "object",
    ///     "properties": {"name": {"type": "string"}, "inhabitants": {"type": "integer"}},
    ///     "required": ["name", "inhabitants"],
    ///     "additionalProperties": false
    /// });
    /// let city: City = client.chat("The largest city of Iceland?").schema(schema).await?.json()?;
    /// println!("{}: {}", city.name, city.inhabitants);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The model refused, the answer was cut or asks for a tool, or it holds no JSON of this type.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        let wrong = |what: String| Failure::new(FailureKind::Protocol, what);
        let found = match &self.value {
            Some(value) => value.clone(),
            None => {
                if let Some(failure) = unfinished(self) {
                    return Err(failure);
                }
                if !self.tool_calls.is_empty() {
                    return Err(wrong(
                        "the answer is a call of a tool, and its JSON comes after it".to_owned(),
                    ));
                }
                let list = self.text.trim_start().starts_with('[');
                value(&self.text, list).map_err(|why| wrong(format!("the answer has no value: {why}")))?
            }
        };
        serde_json::from_value(found)
            .map_err(|error| wrong(format!("the answer's JSON is another than was wanted: {error}")))
    }

    /// What the history gets: the message, with all that tools put before it.
    #[must_use]
    pub fn turn(&self) -> &[Value] {
        if self.messages.is_empty() { std::slice::from_ref(&self.message) } else { &self.messages }
    }

    /// Whether the answer was cut: by a length limit or a filter.
    #[must_use]
    pub fn truncated(&self) -> bool {
        matches!(self.finish, FinishReason::Length | FinishReason::ContentFilter)
    }
}

/// Parts without those that say nothing, and where each went. Wires open blocks that stay empty.
fn without_empty(parts: Vec<Part>) -> (Vec<Part>, Vec<Option<u32>>) {
    let (mut kept, mut places) = (Vec::with_capacity(parts.len()), Vec::with_capacity(parts.len()));
    for part in parts {
        let empty = part.replay.is_none()
            && match &part.content {
                PartContent::Text(text)
                | PartContent::Refusal(text)
                | PartContent::Reasoning(Reasoning::Text(text) | Reasoning::Summary(text)) => text.is_empty(),
                PartContent::Media(Media { source: MediaSource::Bytes(bytes), .. }) => bytes.is_empty(),
                _ => false,
            };
        places.push(if empty { None } else { u32::try_from(kept.len()).ok() });
        if !empty {
            kept.push(part);
        }
    }
    (kept, places)
}

/// Whether a span cuts a text at characters: who shows it slices by it.
fn cuts(part: &Part, (start, end): (u32, u32)) -> bool {
    let (PartContent::Text(text) | PartContent::Refusal(text)) = &part.content else {
        return false;
    };
    let place = |at: u32| usize::try_from(at).unwrap_or(usize::MAX);
    text.get(place(start)..place(end)).is_some()
}
