//! The answer, streamed or whole, as events (<https://ai.google.dev/api/generate-content#v1beta.GenerateContentResponse>).
//! A stream is a row of such answers, each with the parts that are new; a whole answer is a row of one.
//!
//! Text parts stay open until the end: what they are grounded on comes after them, and a citation belongs before a
//! part's end. A part with a signature is never joined with one without, as the API asks
//! (<https://ai.google.dev/gemini-api/docs/thought-signatures>), so each goes back where it came from.

use aimu_sdk::{
    Completion, Decoder, Detail, Event, Failure, FinishReason, Frame, MediaKind, MediaStart, Opaque,
    PartBytes, PartContent, PartKind, Parts, Replay, ToolCall, json,
};
use serde_json::{Map, Value};

use crate::ending::{finish_reason, usage_of};
use crate::{errors, grounding};

/// Media go on in pieces of this size: what one `emit` takes has room for one beside other events.
const PIECE: usize = 256 * 1024;

/// Decodes one answer.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    /// The model that was asked.
    asked: String,
    parts: Parts,
    /// The part that the next text of its kind grows.
    growing: Option<(u32, Kind)>,
    texts: Vec<Text>,
    /// A call that the caller has to run has come.
    called: bool,
    /// Members of the answers and of their first candidates, the last of each.
    told: Map<String, Value>,
    usage: Map<String, Value>,
    finish: Option<String>,
    whole: bool,
}

/// What a text part holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Thought,
}

/// A text part that is open.
#[derive(Debug)]
struct Text {
    index: u32,
    /// What it has so far, to find a citation's place in it.
    text: String,
    replay: Option<Replay>,
}

impl Answer {
    /// A decoder for one answer of `model`.
    #[must_use]
    pub(crate) fn new(model: &str) -> Self {
        Self { asked: model.rsplit('/').next().unwrap_or_default().to_owned(), ..Self::default() }
    }

    fn take(&mut self, mut answer: Map<String, Value>, out: &mut Vec<Event>) -> Result<(), Failure> {
        if answer.get("error").is_some_and(|error| !error.is_null()) {
            return Err(errors::of_body(&Value::Object(answer)));
        }
        if let Some(Value::Object(usage)) = answer.shift_remove("usageMetadata") {
            let first = self.usage.is_empty();
            self.usage.extend(usage.into_iter().filter(|(_, count)| !count.is_null()));
            if first {
                out.push(Event::Usage(usage_of(&self.usage)));
            }
        }
        // More than one is never asked for here; who does so by `extra` gets the first.
        let candidates = match answer.shift_remove("candidates") {
            Some(Value::Array(candidates)) => candidates,
            _ => Vec::new(),
        };
        let first = |candidate: &Value| candidate.get("index").and_then(Value::as_u64).unwrap_or(0) == 0;
        self.told.extend(answer.into_iter().filter(|(_, value)| !value.is_null()));
        match candidates.into_iter().find(first) {
            Some(Value::Object(candidate)) => self.candidate(candidate, out),
            _ => Ok(()),
        }
    }

    fn candidate(&mut self, mut candidate: Map<String, Value>, out: &mut Vec<Event>) -> Result<(), Failure> {
        let parts =
            candidate.get_mut("content").and_then(|content| content.get_mut("parts")).map(Value::take);
        candidate.shift_remove("content");
        candidate.shift_remove("index");
        if let Some(Value::Array(parts)) = parts {
            for part in parts {
                if let Value::Object(part) = part {
                    self.part(part, out)?;
                }
                if self.whole {
                    // Here a part is a part, not as much as was ready.
                    self.seal(out);
                }
            }
        }
        if let Some(Value::String(word)) = candidate.shift_remove("finishReason") {
            self.finish = Some(word);
        }
        if let Some(logprobs) = candidate.shift_remove("logprobsResult").filter(says_something) {
            let index = self.texts.last().map(|text| text.index);
            out.push(Event::Detail(Detail { index, kind: "logprobs".into(), data: logprobs.to_string() }));
        }
        // What is empty in the last piece of a stream may have come before.
        self.told.extend(candidate.into_iter().filter(|(_, value)| says_something(value)));
        Ok(())
    }

    fn part(&mut self, mut part: Map<String, Value>, out: &mut Vec<Event>) -> Result<(), Failure> {
        // A part is what it has, not what some serializer says that it has not.
        part.retain(|_, value| !value.is_null());
        let signature = match part.shift_remove("thoughtSignature") {
            Some(Value::String(signature)) if !signature.is_empty() => Some(signature),
            _ => None,
        };
        if part.get("thought") == Some(&Value::Bool(false)) {
            part.shift_remove("thought");
        }
        let sort = ["text", "functionCall", "inlineData", "executableCode", "toolCall"]
            .into_iter()
            .find(|name| part.contains_key(*name));
        match sort {
            Some("text") => {
                let thought = part.shift_remove("thought") == Some(Value::Bool(true));
                let text = take_text(&mut part, "text");
                let kind = if thought { Kind::Thought } else { Kind::Text };
                self.text(kind, text, replay(signature, part), out);
            }
            Some("functionCall") => self.call(part, signature, out)?,
            Some("inlineData") => self.media(part, signature, out)?,
            Some(name) => self.server_call(name, part, signature, out),
            // A signature alone, or nothing.
            None if part.is_empty() => {
                self.text(Kind::Text, String::new(), replay(signature, part), out);
            }
            None => {
                self.seal(out);
                let kind = part.keys().find(|name| *name != "thought").cloned().unwrap_or_default();
                let opaque = Opaque { kind, data: Value::Object(part).to_string() };
                self.parts.whole(out, PartContent::Opaque(opaque), replay(signature, Map::new()));
            }
        }
        Ok(())
    }

    fn text(&mut self, kind: Kind, text: String, replay: Option<Replay>, out: &mut Vec<Event>) {
        if text.is_empty() && replay.is_none() {
            return;
        }
        if replay.is_some() || self.growing.is_none_or(|(_, have)| have != kind) {
            self.seal(out);
            let sort = match kind {
                Kind::Text => PartKind::Text,
                Kind::Thought => PartKind::ReasoningSummary,
            };
            self.growing = Some((self.parts.start(out, sort), kind));
        }
        let Some((index, _)) = self.growing else { return };
        Parts::delta(out, index, &text);
        let own = replay.is_some();
        match kind {
            Kind::Thought if own => Parts::end(out, index, replay),
            Kind::Thought => {}
            Kind::Text => match self.texts.last_mut() {
                Some(open) if open.index == index => open.text.push_str(&text),
                _ => self.texts.push(Text { index, text, replay }),
            },
        }
        if own {
            self.growing = None;
        }
    }

    /// The next text begins a part of its own.
    fn seal(&mut self, out: &mut Vec<Event>) {
        if let Some((index, Kind::Thought)) = self.growing.take() {
            Parts::end(out, index, None);
        }
    }

    fn call(
        &mut self,
        mut part: Map<String, Value>,
        signature: Option<String>,
        out: &mut Vec<Event>,
    ) -> Result<(), Failure> {
        self.seal(out);
        let mut call = match part.shift_remove("functionCall") {
            Some(Value::Object(call)) => call,
            _ => Map::new(),
        };
        call.retain(|_, value| !value.is_null());
        let id = take_text(&mut call, "id");
        let name = take_text(&mut call, "name");
        if name.is_empty() || call.contains_key("partialArgs") {
            // Only who asks for it by `extra` gets it.
            let message = "a function call came in pieces; leave out streamFunctionCallArguments";
            return Err(Failure::protocol(message));
        }
        let arguments = call.shift_remove("args").map(|args| args.to_string()).unwrap_or_default();
        if !call.is_empty() {
            part.insert("functionCall".into(), call.into());
        }
        if id.is_empty() && !part.is_empty() {
            // The host says so itself only where there is nothing else to come back.
            part.insert("id_synthetic".into(), true.into());
        }
        self.called = true;
        let call = ToolCall { id, name, arguments, server_executed: false };
        self.parts.whole(out, PartContent::ToolCall(call), replay(signature, part));
        Ok(())
    }

    /// A tool that Google runs: the part goes back as it is.
    fn server_call(
        &mut self,
        sort: &str,
        part: Map<String, Value>,
        signature: Option<String>,
        out: &mut Vec<Event>,
    ) {
        self.seal(out);
        let inner = part.get(sort);
        let text = |name: &str| inner.and_then(|inner| inner.get(name)).and_then(Value::as_str);
        let (name, arguments) = match sort {
            "toolCall" => (text("toolType").unwrap_or(sort), inner.and_then(|inner| inner.get("args"))),
            _ => (sort, inner),
        };
        let call = ToolCall {
            id: text("id").unwrap_or_default().to_owned(),
            name: name.to_owned(),
            arguments: arguments.map(Value::to_string).unwrap_or_default(),
            server_executed: true,
        };
        self.parts.whole(out, PartContent::ToolCall(call), replay(signature, part));
    }

    fn media(
        &mut self,
        mut part: Map<String, Value>,
        signature: Option<String>,
        out: &mut Vec<Event>,
    ) -> Result<(), Failure> {
        self.seal(out);
        let mut inner = match part.shift_remove("inlineData") {
            Some(Value::Object(inner)) => inner,
            _ => Map::new(),
        };
        let mime_type = take_text(&mut inner, "mimeType");
        let bytes = aimu_sdk::media::from_base64(&take_text(&mut inner, "data"))?;
        if !inner.is_empty() {
            part.insert("inlineData".into(), inner.into());
        }
        let kind = match mime_type.split('/').next() {
            Some("image") => MediaKind::Image,
            Some("audio") => MediaKind::Audio,
            Some("video") => MediaKind::Video,
            _ => MediaKind::Document,
        };
        let index = self.parts.start(out, PartKind::Media(MediaStart { kind, mime_type }));
        out.extend(bytes.chunks(PIECE).map(|piece| Event::Bytes(PartBytes { index, data: piece.to_vec() })));
        Parts::end(out, index, replay(signature, part));
        Ok(())
    }

    /// Why the prompt itself was not answered.
    fn blocked(&self) -> Option<&str> {
        self.told.get("promptFeedback")?.get("blockReason")?.as_str()
    }

    fn told_text(&self, name: &str) -> Option<String> {
        self.told.get(name).and_then(Value::as_str).map(str::to_owned)
    }

    /// What has no member in the contract: why it ended in words, ratings, feedback on the prompt, the whole usage.
    /// Members that are not known yet are among it.
    fn metadata(&self) -> Option<String> {
        const SAID_ELSEWHERE: [&str; 4] =
            ["responseId", "modelVersion", "groundingMetadata", "urlContextMetadata"];
        let elsewhere = |name: &str| SAID_ELSEWHERE.contains(&name);
        let mut kept = self.told.clone();
        kept.retain(|name, _| !elsewhere(name));
        if !self.usage.is_empty() {
            kept.insert("usage".into(), Value::Object(self.usage.clone()));
        }
        (!kept.is_empty()).then(|| Value::Object(kept).to_string())
    }
}

impl Decoder for Answer {
    fn frame(&mut self, frame: Frame<'_>, out: &mut Vec<Event>) -> Result<(), Failure> {
        // Gateways that speak OpenAI's dialect too end their streams with it.
        if frame.data == "[DONE]" {
            return Ok(());
        }
        match serde_json::from_str(frame.data) {
            Ok(Value::Object(answer)) => self.take(answer, out),
            Ok(Value::Array(answers)) if answers.iter().any(|answer| answer.get("error").is_some()) => {
                Err(errors::of_body(&Value::Array(answers)))
            }
            _ => {
                let start = aimu_sdk::failure::excerpt(frame.data.as_bytes());
                Err(Failure::protocol(format!("an event of the stream can't be read: {start}")))
            }
        }
    }

    fn whole(&mut self, body: &[u8], out: &mut Vec<Event>) -> Result<(), Failure> {
        match json::answer(body)? {
            // What `streamGenerateContent` gives without `alt=sse`: the stream as one list.
            Value::Array(answers) => {
                for answer in answers {
                    if let Value::Object(answer) = answer {
                        self.take(answer, out)?;
                    }
                }
                Ok(())
            }
            Value::Object(answer) => {
                self.whole = true;
                if !["candidates", "promptFeedback", "usageMetadata", "error"]
                    .iter()
                    .any(|name| answer.contains_key(*name))
                {
                    let message = "the answer has no candidates: is this the generateContent API?";
                    return Err(Failure::protocol(message));
                }
                self.take(answer, out)
            }
            _ => Err(Failure::protocol("the answer is not a JSON object")),
        }
    }

    fn finish(&mut self, out: &mut Vec<Event>) -> Result<Completion, Failure> {
        let (finish, raw_finish) = match (self.finish.as_deref(), self.blocked()) {
            (Some(word), _) => (finish_reason(word, self.called), Some(word.to_owned())),
            (None, Some(word)) => (FinishReason::ContentFilter, Some(word.to_owned())),
            (None, None) if self.whole => (FinishReason::Other("none".into()), None),
            (None, None) => return Err(Failure::truncated("a finishReason")),
        };
        self.seal(out);
        let places: Vec<grounding::Place<'_>> = self
            .texts
            .iter()
            .map(|text| grounding::Place { index: text.index, text: text.text.as_str() })
            .collect();
        grounding::events(&self.told, &places, out);
        for text in std::mem::take(&mut self.texts) {
            Parts::end(out, text.index, text.replay);
        }
        Ok(Completion {
            finish,
            raw_finish,
            usage: (!self.usage.is_empty()).then(|| usage_of(&self.usage)),
            response_id: self.told_text("responseId"),
            request_id: None,
            model: self.told_text("modelVersion").filter(|model| *model != self.asked),
            metadata: self.metadata(),
        })
    }
}

/// `None` where there is nothing to bring back.
fn replay(signature: Option<String>, rest: Map<String, Value>) -> Option<Replay> {
    let data = (!rest.is_empty()).then(|| Value::Object(rest).to_string());
    (signature.is_some() || data.is_some()).then_some(Replay { signature, item_id: None, data })
}

fn says_something(value: &Value) -> bool {
    !value.is_null() && value.as_object().is_none_or(|members| !members.is_empty())
}

fn take_text(object: &mut Map<String, Value>, name: &str) -> String {
    match object.shift_remove(name) {
        Some(Value::String(text)) => text,
        _ => String::new(),
    }
}
