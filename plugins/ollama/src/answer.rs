//! The answer of `/api/chat` or `/api/generate`, streamed or whole, as events (<https://docs.ollama.com/api/streaming>).
//! A stream is a row of lines of the same shape as a whole answer, each with what is new; the last says `done`.
//!
//! Thoughts come in a member of their own where the server knows the model's template. Where it does not, they stand
//! in the text, in tags, which are lifted out until the member comes. A lone closing tag tells of a thought too, but
//! not where thinking was turned off: then the server was told not to look, and what comes is text.

use aimu_sdk::media::from_base64;
use aimu_sdk::{
    Completion, Decoder, Detail, Event, Failure, FinishReason, Frame, MediaKind, MediaStart, Opaque, Opening,
    PartBytes, PartContent, PartKind, Parts, Piece, Replay, Think, ToolCall, Usage,
};
use serde_json::{Map, Value};

use crate::errors;
use crate::messages::MESSAGE_MEMBERS;

/// Media go on in pieces of this size: what one `emit` takes has room for one beside other events.
const PIECE: usize = 256 * 1024;

/// Decodes one answer.
#[derive(Debug)]
pub struct Answer {
    /// The model that was asked.
    asked: String,
    /// The same as a user names it.
    name: String,
    parts: Parts,
    /// Splits tags off the text, until thoughts come in a member of their own.
    think: Option<Think>,
    opening: Opening,
    called: bool,
    whole: bool,
    /// Members of the message that the contract has not: they go back on the next turn.
    members: Map<String, Value>,
    /// Members of the last line: why it ended, counts and durations.
    last: Map<String, Value>,
    done: bool,
}

impl Answer {
    /// A decoder for the answer of `model`, which a user calls `name`, to a request with this body.
    #[must_use]
    pub fn new(model: &str, name: &str, body: &Value) -> Self {
        let off = body.get("think") == Some(&Value::Bool(false));
        let opening = if off { Opening::Pair } else { Opening::Model };
        Self {
            asked: model.to_owned(),
            name: name.to_owned(),
            parts: Parts::default(),
            think: Some(Think::new(opening)),
            opening,
            called: false,
            whole: false,
            members: Map::new(),
            last: Map::new(),
            done: false,
        }
    }

    fn line(&mut self, json: &str, out: &mut Vec<Event>) -> Result<(), Failure> {
        match serde_json::from_str(json) {
            Ok(Value::Object(line)) => self.take(line, out),
            _ => {
                let start = aimu_sdk::failure::excerpt(json.as_bytes());
                Err(Failure::protocol(format!("a line of the answer can't be read: {start}")))
            }
        }
    }

    fn take(&mut self, mut line: Map<String, Value>, out: &mut Vec<Event>) -> Result<(), Failure> {
        if line.get("error").is_some_and(|error| !error.is_null()) {
            return Err(errors::of_body(&Value::Object(line), &self.name));
        }
        if self.done {
            return Ok(());
        }
        if let Some(Value::Object(message)) = line.shift_remove("message") {
            self.message(message, out)?;
        }
        // `/api/generate` has no message: its members are the line's.
        if let Some(thought) = text_of(&line, "thinking") {
            self.thought(thought, out);
        }
        if let Some(text) = text_of(&line, "response") {
            self.text(text, out);
        }
        if let Some(Value::String(image)) = line.get("image") {
            self.image(image, out)?;
        }
        if let Some(logprobs) = line.shift_remove("logprobs").filter(|logprobs| !logprobs.is_null()) {
            let index = self.parts.growing();
            out.push(Event::Detail(Detail { index, kind: "logprobs".into(), data: logprobs.to_string() }));
        }
        if line.get("done") == Some(&Value::Bool(true)) {
            self.done = true;
            self.last = line;
        }
        Ok(())
    }

    fn message(&mut self, message: Map<String, Value>, out: &mut Vec<Event>) -> Result<(), Failure> {
        if let Some(thought) = text_of(&message, "thinking") {
            self.thought(thought, out);
        }
        if let Some(text) = text_of(&message, "content") {
            self.text(text, out);
        }
        for (name, value) in message {
            match (name.as_str(), value) {
                ("role" | "content" | "thinking", _) | (_, Value::Null) => {}
                ("images", Value::Array(images)) => {
                    for image in images.iter().filter_map(Value::as_str) {
                        self.image(image, out)?;
                    }
                }
                ("tool_calls", Value::Array(calls)) => {
                    for call in calls {
                        if let Value::Object(call) = call {
                            self.call(call, out);
                        }
                    }
                }
                (_, value) => match (self.members.get_mut(&name), value) {
                    (Some(Value::String(have)), Value::String(more)) => have.push_str(&more),
                    (_, value) => {
                        self.members.insert(name, value);
                    }
                },
            }
        }
        Ok(())
    }

    fn thought(&mut self, thought: &str, out: &mut Vec<Event>) {
        if !thought.is_empty() {
            self.end_tags(out);
            self.parts.reasoning(out, thought);
        }
    }

    fn text(&mut self, text: &str, out: &mut Vec<Event>) {
        let Some(think) = &mut self.think else {
            return self.parts.text(out, text);
        };
        let parts = &mut self.parts;
        if self.whole {
            // All of it is here, so that a thought that was never opened can still be one.
            let (thought, answer) = Think::whole(self.opening, text);
            parts.reasoning(out, &thought);
            return parts.text(out, &answer);
        }
        think.push(text, &mut |piece| match piece {
            Piece::Reasoning(text) => parts.reasoning(out, text),
            Piece::Text(text) => parts.text(out, text),
            // It was shown as the answer, and can only be said now.
            Piece::WasReasoning => {
                let index = parts.growing();
                let data = r#"{"reason":"a thought was closed that was never opened"}"#.into();
                out.push(Event::Detail(Detail { index, kind: "was-reasoning".into(), data }));
                parts.end_growing(out, None);
            }
        });
    }

    /// No more tags: gives what was held back because it might have become one.
    fn end_tags(&mut self, out: &mut Vec<Event>) {
        if let Some(mut think) = self.think.take() {
            let parts = &mut self.parts;
            think.finish(&mut |piece| match piece {
                Piece::Reasoning(text) => parts.reasoning(out, text),
                Piece::Text(text) => parts.text(out, text),
                Piece::WasReasoning => {}
            });
        }
    }

    fn call(&mut self, mut call: Map<String, Value>, out: &mut Vec<Event>) {
        let mut function = match call.shift_remove("function") {
            Some(Value::Object(function)) => function,
            _ => Map::new(),
        };
        let name = take_text(&mut function, "name");
        if name.is_empty() {
            return;
        }
        self.end_tags(out);
        let arguments = match function.shift_remove("arguments") {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => text,
            Some(arguments) => arguments.to_string(),
        };
        // Recent servers give one.
        let id = take_text(&mut call, "id");
        call.shift_remove("type");
        if !function.is_empty() {
            call.insert("function".into(), function.into());
        }
        if id.is_empty() && !call.is_empty() {
            // The host says so itself only where there is nothing else to come back.
            call.insert("id_synthetic".into(), true.into());
        }
        let data = (!call.is_empty()).then(|| Value::Object(call).to_string());
        let replay = data.map(|data| Replay { signature: None, item_id: None, data: Some(data) });
        self.called = true;
        let call = ToolCall { id, name, arguments, server_executed: false };
        self.parts.whole(out, PartContent::ToolCall(call), replay);
    }

    fn image(&mut self, base64: &str, out: &mut Vec<Event>) -> Result<(), Failure> {
        if base64.is_empty() {
            return Ok(());
        }
        self.end_tags(out);
        self.parts.end_growing(out, None);
        let bytes = from_base64(base64)?;
        let start = MediaStart { kind: MediaKind::Image, mime_type: image_type(&bytes).into() };
        let index = self.parts.start(out, PartKind::Media(start));
        out.extend(bytes.chunks(PIECE).map(|piece| Event::Bytes(PartBytes { index, data: piece.to_vec() })));
        Parts::end(out, index, None);
        Ok(())
    }

    fn finish_reason(&self, word: Option<&str>) -> FinishReason {
        match word {
            Some("length") => FinishReason::Length,
            // It says so after calls too.
            Some("stop") | None if self.called => FinishReason::ToolCalls,
            Some("stop") | None => FinishReason::Stop,
            // `load` and `unload`: nothing was asked, and the model was only brought in or out.
            Some(other) => FinishReason::Other(other.to_owned()),
        }
    }

    /// What has no member in the contract: durations, the model behind a cloud's, what is not known yet.
    fn metadata(&mut self) -> Option<String> {
        // Said elsewhere; and `context`, the conversation as numbers, which is of no use without a next turn.
        const LEFT_OUT: [&str; 11] = [
            "model",
            "created_at",
            "done",
            "done_reason",
            "message",
            "response",
            "thinking",
            "image",
            "prompt_eval_count",
            "eval_count",
            "context",
        ];
        let mut kept = std::mem::take(&mut self.last);
        kept.retain(|name, value| !LEFT_OUT.contains(&name.as_str()) && !value.is_null());
        (!kept.is_empty()).then(|| Value::Object(kept).to_string())
    }
}

impl Decoder for Answer {
    fn frame(&mut self, frame: Frame<'_>, out: &mut Vec<Event>) -> Result<(), Failure> {
        self.line(frame.data, out)
    }

    fn whole(&mut self, body: &[u8], out: &mut Vec<Event>) -> Result<(), Failure> {
        let Ok(text) = std::str::from_utf8(body) else {
            return Err(Failure::protocol("the answer is not UTF-8"));
        };
        if let Ok(Value::Object(answer)) = serde_json::from_str(text) {
            self.whole = true;
            self.take(answer, out)
        } else {
            // A stream whose type a proxy has lost begins like a document.
            text.lines()
                .filter(|line| !line.trim().is_empty())
                .try_for_each(|line| self.line(line.trim(), out))
        }
    }

    fn done(&self) -> bool {
        self.done
    }

    fn finish(&mut self, out: &mut Vec<Event>) -> Result<Completion, Failure> {
        if !self.done {
            return Err(Failure::truncated("`\"done\": true`"));
        }
        self.end_tags(out);
        self.parts.finish(out);
        if !self.members.is_empty() {
            let data = Value::Object(std::mem::take(&mut self.members)).to_string();
            let opaque = Opaque { kind: MESSAGE_MEMBERS.into(), data };
            self.parts.whole(out, PartContent::Opaque(opaque), None);
        }
        let raw_finish =
            text_of(&self.last, "done_reason").filter(|word| !word.is_empty()).map(str::to_owned);
        let model = text_of(&self.last, "model").filter(|model| !model.is_empty() && *model != self.asked);
        Ok(Completion {
            usage: usage(&self.last),
            model: model.map(str::to_owned),
            metadata: self.metadata(),
            raw_finish: raw_finish.clone(),
            ..Completion::new(self.finish_reason(raw_finish.as_deref()))
        })
    }
}

/// The counts, where the server gives them: it leaves out what is 0, as it does with a prompt that it had cached whole.
fn usage(last: &Map<String, Value>) -> Option<Usage> {
    let count = |name: &str| last.get(name).and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok());
    let (input, output) = (count("prompt_eval_count"), count("eval_count"));
    (input.is_some() || output.is_some()).then_some(Usage {
        input,
        output,
        reasoning: None,
        cache_read: None,
        cache_write: None,
    })
}

/// By the first bytes: the API names no type.
fn image_type(bytes: &[u8]) -> &'static str {
    match bytes {
        [0xff, 0xd8, ..] => "image/jpeg",
        [b'R', b'I', b'F', b'F', ..] => "image/webp",
        [b'G', b'I', b'F', ..] => "image/gif",
        _ => "image/png",
    }
}

fn text_of<'a>(members: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    members.get(name).and_then(Value::as_str)
}

fn take_text(members: &mut Map<String, Value>, name: &str) -> String {
    match members.shift_remove(name) {
        Some(Value::String(text)) => text,
        _ => String::new(),
    }
}
