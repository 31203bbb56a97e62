//! An answer of this wire format, streamed or whole, as the contract's events.
//!
//! Problem: fields that mean the same have several names and places, and brands differ even between a stream and a
//! whole answer. Decision: everything that can be told from the answer itself is told from it: every name is read,
//! and an answer is complete when its finish reason or `[DONE]` has come. Price: none that was measured.
//!
//! Source: <https://platform.openai.com/docs/api-reference/chat/streaming>.

use serde_json::{Value, json};

use super::delta::Growing;
use super::media::Audio;
use super::quirks::Quirks;
use super::wire::{self, Choice};
use super::{error, outcome};
use crate::failure::excerpt;
use crate::json::value;
use crate::{Completion, Decoder, Detail, Event, Failure, FinishReason, Frame, Grows, Repeat, Usage};

/// Decodes one answer.
#[derive(Debug)]
pub struct ChatDecoder {
    /// The model that was asked for.
    asked: String,
    message: Growing,
    /// The choice that is decoded: the first that came.
    choice: Option<u64>,
    finish: Option<String>,
    usage: Option<Usage>,
    id: Option<String>,
    model: Option<String>,
    repeat: Repeat,
    /// The chunk with the final usage: what else it says is the completion's metadata.
    last: String,
    done: bool,
}

impl ChatDecoder {
    /// A decoder for the answer to a request for `model`.
    #[must_use]
    pub fn new(model: impl Into<String>, quirks: &Quirks) -> Self {
        Self {
            asked: model.into(),
            message: Growing::new(quirks.think_tags),
            choice: None,
            finish: None,
            usage: None,
            id: None,
            model: None,
            repeat: Repeat::default(),
            last: String::new(),
            done: false,
        }
    }

    /// Names the format of the audio that was asked for: answers do not.
    #[must_use]
    pub fn with_audio_format(mut self, format: &str) -> Self {
        self.message.audio = Audio::new(format);
        self
    }

    /// One chunk, or a whole answer.
    fn answer(&mut self, json: &str, whole: bool, out: &mut Vec<Event>) -> Result<(), Failure> {
        let mut answer = None;
        if let Err(reason) = wire::read(json, &mut answer) {
            return Err(not_an_answer(json, &reason.to_string()));
        }
        let Some(answer) = &mut answer else { return Err(not_an_answer(json, "null")) };
        if answer.error.as_deref().is_some_and(says_something) {
            // What was used until then is told beside the error.
            if let Some(wire) = &answer.usage {
                out.push(Event::Usage(outcome::usage(wire)));
            }
            return Err(reported(json));
        }
        if let Some(error) =
            answer.x_groq.as_ref().and_then(|groq| groq.get("error")).filter(|error| says_something(error))
        {
            return Err(error::from_body(&json!({"error": error})));
        }
        // Chunks of a choice that is not decoded say nothing.
        let ours = |index| !whole && self.choice.is_none_or(|choice| choice == index);
        let only_text = answer.only_text(json).filter(|_| {
            answer.choices.first.as_ref().is_some_and(|choice| ours(choice.index.as_u64().unwrap_or(0)))
        });
        self.repeat.remember(json, only_text);
        if self.id.is_none() {
            self.id = std::mem::take(&mut answer.id).into_option();
        }
        if self.model.is_none() {
            self.model = std::mem::take(&mut answer.model).into_option();
        }
        if answer.citations.is_some() || answer.search_results.is_some() {
            self.message.citations.sources(answer.citations.take(), answer.search_results.take());
        }
        let nothing = !answer.choices.listed && answer.usage.is_none();
        if let Some(choice) = &mut answer.choices.first {
            self.choice(choice, whole, out)?;
        }
        let groqs =
            answer.x_groq.as_ref().and_then(|groq| groq.get("usage")).filter(|usage| usage.is_object());
        if let Some(wire) = answer.usage.as_deref().or(groqs) {
            let usage = outcome::usage(wire);
            if self.finish.is_some() {
                self.last.clear();
                self.last.push_str(json);
            }
            // Some servers repeat it in every chunk.
            if self.usage != Some(usage) {
                self.usage = Some(usage);
                out.push(Event::Usage(usage));
            }
        } else if nothing && is_error(json) {
            return Err(reported(json));
        }
        Ok(())
    }

    fn choice(&mut self, choice: &mut Choice<'_>, whole: bool, out: &mut Vec<Event>) -> Result<(), Failure> {
        if let Some(error) = choice.error.take().filter(|error| says_something(error)) {
            return Err(error::from_body(&json!({"error": error})));
        }
        let index = choice.index.as_u64().unwrap_or(0);
        if *self.choice.get_or_insert(index) != index {
            // The host refuses to ask for several; what a server adds by itself is not mixed in.
            return Ok(());
        }
        // In a stream, Perplexity repeats the whole message beside each delta.
        let (delta, message) = (choice.delta.as_mut(), choice.message.as_deref_mut());
        let delta = if whole { message.or(delta) } else { delta.or(message) };
        if let Some(delta) = delta {
            self.message.take(delta, whole, out)?;
        }
        if let Some(logprobs) = choice.logprobs.take().filter(|logprobs| has_logprobs(logprobs)) {
            let index = self.message.part();
            out.push(Event::Detail(Detail { index, kind: "logprobs".into(), data: logprobs.to_string() }));
        }
        if let Some(word) = std::mem::take(&mut choice.finish_reason).into_option() {
            self.finish = Some(word);
        }
        Ok(())
    }

    /// What the last chunk says beside the answer: prices, the upstream provider, timings.
    fn metadata(&self) -> Option<String> {
        let Ok(Value::Object(mut members)) = value(&self.last) else { return None };
        // The answer itself, what has a field of its own, and padding.
        const KNOWN: [&str; 9] = [
            "choices",
            "id",
            "object",
            "created",
            "model",
            "obfuscation",
            "p",
            "citations",
            "search_results",
        ];
        members.retain(|name, value| !KNOWN.contains(&name.as_str()) && !value.is_null());
        (!members.is_empty()).then(|| Value::Object(members).to_string())
    }
}

impl Decoder for ChatDecoder {
    fn frame(&mut self, frame: Frame<'_>, out: &mut Vec<Event>) -> Result<(), Failure> {
        let data = frame.data.trim();
        if self.done || data.is_empty() {
            return Ok(());
        }
        if data == "[DONE]" {
            self.done = true;
            return Ok(());
        }
        if frame.event == "error" {
            return Err(reported(data));
        }
        match self.repeat.text(data) {
            Some((Grows::Text, text)) => self.message.text(text, false, out),
            Some((Grows::Reasoning, text)) => self.message.reasoning(text, out),
            None => self.answer(data, false, out)?,
        }
        Ok(())
    }

    fn whole(&mut self, body: &[u8], out: &mut Vec<Event>) -> Result<(), Failure> {
        let Ok(json) = std::str::from_utf8(body) else {
            return Err(Failure::protocol("the answer is not UTF-8"));
        };
        self.answer(json, true, out)?;
        if self.choice.is_none() {
            return Err(Failure::protocol(format!("the answer holds no choice: {}", excerpt(body))));
        }
        if self.last.is_empty() {
            self.last.push_str(json);
        }
        self.done = true;
        Ok(())
    }

    fn done(&self) -> bool {
        self.done
    }

    fn finish(&mut self, out: &mut Vec<Event>) -> Result<Completion, Failure> {
        if !self.done && self.finish.is_none() {
            return Err(Failure::truncated("a finish reason"));
        }
        let calls = self.message.has_calls();
        self.message.finish(out);
        let finish = match self.finish.as_deref().and_then(outcome::finish) {
            // A named tool choice ends with `stop`, and some servers always do: the calls tell.
            None | Some(FinishReason::Stop) if calls => FinishReason::ToolCalls,
            None => FinishReason::Stop,
            Some(finish) => finish,
        };
        Ok(Completion {
            raw_finish: self.finish.take(),
            usage: self.usage,
            response_id: self.id.take(),
            model: self.model.take().filter(|model| *model != self.asked),
            metadata: self.metadata(),
            ..Completion::new(finish)
        })
    }
}

/// The failure of a frame that is no chunk.
fn not_an_answer(json: &str, reason: &str) -> Failure {
    if is_error(json) {
        return reported(json);
    }
    Failure::protocol(format!("the answer makes no sense ({reason}): {}", excerpt(json.as_bytes())))
}

/// The failure that a server reports inside an answer.
fn reported(json: &str) -> Failure {
    error::from_body(&value(json).unwrap_or_else(|_| json.into()))
}

/// Whether a document without choices is an error: by its `error`, or by the other shapes of one.
fn is_error(json: &str) -> bool {
    let Ok(Value::Object(document)) = value(json) else {
        return false;
    };
    let has = |name: &str| document.get(name).is_some_and(says_something);
    has("error") || has("detail") || has("errors") || (has("message") && (has("code") || has("type")))
}

fn says_something(error: &Value) -> bool {
    match error {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Object(members) => !members.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => true,
    }
}

/// Whether log-probabilities hold any: many servers always send the empty structure.
fn has_logprobs(logprobs: &Value) -> bool {
    logprobs.as_object().is_some_and(|kinds| kinds.values().any(says_something))
}
