//! One item of the output, as it grows.
//!
//! Problem: what an item needs back is known when it ends, and its parts can't end before. Decision: all parts of an
//! item end with it. Calls that the server runs are server-executed calls, images that it makes are media, and what
//! has no shape in the contract is an opaque part.
//!
//! Source: <https://platform.openai.com/docs/api-reference/responses/object#responses/object-output>.

use serde_json::{Map, Value, json};

use super::super::media;
use super::input::{OF_BLOCK, OF_ITEM};
use super::piece::{Piece, What};
use crate::media::from_base64;
use crate::{CallStart, Detail, Event, Failure, Opaque, PartContent, PartKind, Parts, Replay};

/// One item.
#[derive(Debug)]
pub(super) struct Item {
    kind: Kind,
    /// The item as the server said it last.
    wire: Value,
    /// Parts that are open, in order.
    pieces: Vec<Piece>,
    closed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Message,
    Reasoning,
    /// Of the caller's function, or of its free-text tool.
    Call,
    /// The server runs it.
    ServerCall,
    Image,
    Opaque,
}

impl Item {
    /// The item that begins.
    pub(super) fn open(wire: &Value, parts: &mut Parts, out: &mut Vec<Event>) -> Self {
        let text = |name: &str| wire.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let kind = match text("type").as_str() {
            "message" => Kind::Message,
            "reasoning" => Kind::Reasoning,
            "function_call" | "custom_tool_call" => Kind::Call,
            "image_generation_call" => Kind::Image,
            "tool_search_call" if text("execution") != "client" => Kind::ServerCall,
            "web_search_call" | "file_search_call" | "code_interpreter_call" | "mcp_call" => Kind::ServerCall,
            // xAI's and others' own searches.
            own if own.ends_with("_search_call") && own != "tool_search_call" => Kind::ServerCall,
            _ => Kind::Opaque,
        };
        let mut item = Self { kind, wire: wire.clone(), pieces: Vec::new(), closed: false };
        match kind {
            Kind::Call => {
                let start = CallStart { id: text("call_id"), name: text("name"), server_executed: false };
                item.start(What::Arguments, 0, PartKind::ToolCall(start), parts, out);
            }
            Kind::ServerCall => {
                let name = match text("name") {
                    name if !name.is_empty() => name,
                    _ => text("type").trim_end_matches("_call").to_owned(),
                };
                let start = CallStart { id: text("id"), name, server_executed: true };
                item.start(What::Arguments, 0, PartKind::ToolCall(start), parts, out);
            }
            Kind::Message | Kind::Reasoning | Kind::Image | Kind::Opaque => {}
        }
        item
    }

    /// Whether the caller must answer it.
    pub(super) fn is_call(&self) -> bool {
        self.kind == Kind::Call
    }

    fn start(&mut self, what: What, place: u64, kind: PartKind, parts: &mut Parts, out: &mut Vec<Event>) {
        let part = parts.start(out, kind);
        let (text, annotations, others) = (String::new(), Vec::new(), Map::new());
        self.pieces.push(Piece { part, what, place, text, annotations, others, logprobs: false });
    }

    fn find(&mut self, what: What, place: u64) -> Option<&mut Piece> {
        self.pieces.iter_mut().find(|piece| piece.what == what && piece.place == place)
    }

    /// More of a text. Empty text opens nothing.
    pub(super) fn grow(
        &mut self,
        what: What,
        place: u64,
        text: &str,
        parts: &mut Parts,
        out: &mut Vec<Event>,
    ) {
        if text.is_empty() || self.closed {
            return;
        }
        match what {
            What::Summary | What::Thought => self.reason(what, place, text, parts, out),
            What::Text | What::Refusal | What::Arguments => {
                self.begin_or_grow(what, place, text, parts, out);
            }
        }
    }

    fn begin_or_grow(&mut self, what: What, place: u64, text: &str, parts: &mut Parts, out: &mut Vec<Event>) {
        if self.find(what, place).is_none() {
            let kind = match what {
                What::Text => PartKind::Text,
                What::Refusal => PartKind::Refusal,
                What::Summary => PartKind::ReasoningSummary,
                What::Thought => PartKind::ReasoningText,
                // A call begins with its name.
                What::Arguments => return,
            };
            self.start(what, place, kind, parts, out);
        }
        if let Some(piece) = self.find(what, place) {
            piece.grow(text, out);
        }
    }

    /// A text as it is when it has ended: what was not said yet is said.
    pub(super) fn settle(
        &mut self,
        what: What,
        place: u64,
        text: &str,
        parts: &mut Parts,
        out: &mut Vec<Event>,
    ) {
        if self.pieces.iter().any(|piece| piece.what == what && piece.place > place && what.is_reasoning()) {
            // The part has gone on to the next piece.
            return;
        }
        let said = self.find(what, place).map(|piece| piece.text.as_str()).unwrap_or_default();
        let rest = text.strip_prefix(said).unwrap_or_default().to_owned();
        self.grow(what, place, &rest, parts, out);
    }

    /// More of a reasoning's part: one however many pieces it has, since the item goes back with its first part.
    fn reason(&mut self, what: What, place: u64, text: &str, parts: &mut Parts, out: &mut Vec<Event>) {
        match self.pieces.iter_mut().find(|piece| piece.what == what && piece.place != place) {
            Some(piece) => {
                piece.place = place;
                piece.grow("\n\n", out);
                // What `settle` compares with is the text of this place alone.
                piece.text.clear();
                piece.grow(text, out);
            }
            None => self.begin_or_grow(what, place, text, parts, out),
        }
    }

    pub(super) fn content_is(&mut self, place: u64, block: &Value, parts: &mut Parts, out: &mut Vec<Event>) {
        let text = |name: &str| block.get(name).and_then(Value::as_str).unwrap_or_default();
        match text("type") {
            "output_text" | "text" => {
                self.settle(What::Text, place, text("text"), parts, out);
                if let Some(logprobs) = block.get("logprobs")
                    && self.find(What::Text, place).is_some_and(|piece| !piece.logprobs)
                {
                    self.logprobs(place, logprobs, out);
                }
            }
            "refusal" => self.settle(What::Refusal, place, text("refusal"), parts, out),
            "reasoning_text" => self.settle(What::Thought, place, text("text"), parts, out),
            _ => {}
        }
        const KNOWN: [&str; 5] = ["type", "text", "refusal", "annotations", "logprobs"];
        let what = if text("type") == "refusal" { What::Refusal } else { What::Text };
        if let Some(piece) = self.find(what, place) {
            let members = block.as_object().into_iter().flatten();
            let others = members.filter(|(name, value)| !KNOWN.contains(&name.as_str()) && !value.is_null());
            piece.others = others.map(|(name, value)| (name.clone(), value.clone())).collect();
        }
        let annotations = block.get("annotations").and_then(Value::as_array);
        if let Some(annotations) = annotations.filter(|annotations| !annotations.is_empty())
            && let Some(piece) = self.find(What::Text, place)
        {
            piece.annotations.clone_from(annotations);
        }
    }

    pub(super) fn annotation(&mut self, place: u64, annotation: &Value) {
        if let Some(piece) = self.find(What::Text, place)
            && annotation.is_object()
        {
            piece.annotations.push(annotation.clone());
        }
    }

    /// Log-probabilities, in the form that chat completions give them.
    pub(super) fn logprobs(&mut self, place: u64, logprobs: &Value, out: &mut Vec<Event>) {
        let Some(piece) = self.find(What::Text, place) else { return };
        if logprobs.as_array().is_some_and(|list| !list.is_empty()) {
            piece.logprobs = true;
            let data = json!({"content": logprobs}).to_string();
            out.push(Event::Detail(Detail { index: Some(piece.part), kind: "logprobs".into(), data }));
        }
    }

    /// A server tool's progress.
    pub(super) fn progress(&self, kind: &str, out: &mut Vec<Event>) {
        if self.kind == Kind::ServerCall
            && let Some(piece) = self.pieces.first()
        {
            let kind = kind.trim_start_matches("response.").to_owned();
            let data = json!({"item_id": self.wire.get("id")}).to_string();
            out.push(Event::Detail(Detail { index: Some(piece.part), kind, data }));
        }
    }

    /// The item as it is when it has ended.
    pub(super) fn done(
        &mut self,
        wire: &Value,
        parts: &mut Parts,
        out: &mut Vec<Event>,
    ) -> Result<(), Failure> {
        if self.closed {
            return Ok(());
        }
        self.wire = wire.clone();
        let text = |name: &str| wire.get(name).and_then(Value::as_str).unwrap_or_default();
        let list = |name: &str| wire.get(name).and_then(Value::as_array).into_iter().flatten();
        match self.kind {
            Kind::Message => {
                for (place, block) in (0..).zip(list("content")) {
                    self.content_is(place, block, parts, out);
                }
            }
            Kind::Reasoning => {
                for (place, block) in (0..).zip(list("content")) {
                    let text = block.get("text").and_then(Value::as_str).unwrap_or_default();
                    self.settle(What::Thought, place, text, parts, out);
                }
                for (place, block) in (0..).zip(list("summary")) {
                    let text = block.get("text").and_then(Value::as_str).unwrap_or_default();
                    self.settle(What::Summary, place, text, parts, out);
                }
            }
            Kind::Call => {
                let name = if text("type") == "custom_tool_call" { "input" } else { "arguments" };
                self.settle(What::Arguments, 0, text(name), parts, out);
            }
            Kind::ServerCall => {
                if let Some(piece) = self.pieces.first_mut() {
                    piece.grow(&asked(wire), out);
                }
            }
            Kind::Image => self.image(parts, out)?,
            Kind::Opaque => {}
        }
        self.close(parts, out);
        Ok(())
    }

    fn image(&mut self, parts: &mut Parts, out: &mut Vec<Event>) -> Result<(), Failure> {
        let Some(result) = self.wire.get("result").and_then(Value::as_str).map(str::to_owned) else {
            return Ok(());
        };
        let format = self.wire.get("output_format").and_then(Value::as_str).unwrap_or("png");
        let mime_type = format!("image/{format}");
        let data = from_base64(&result)?;
        drop(result);
        // The bytes are the part's own: they are put in again on the way back.
        if let Value::Object(members) = &mut self.wire {
            members.shift_remove("result");
        }
        let replay = self.verbatim();
        media::image_with(&mime_type, &data, Some(replay), parts, out);
        self.closed = true;
        Ok(())
    }

    /// Ends the item's parts, with what the server needs back.
    pub(super) fn close(&mut self, parts: &mut Parts, out: &mut Vec<Event>) {
        if std::mem::replace(&mut self.closed, true) {
            return;
        }
        match self.kind {
            Kind::Message if self.pieces.is_empty() => {
                // An answer without a word is an item all the same, and what follows may hang on it.
                let replay = self.of_message(&[], Map::new());
                let part = parts.start(out, PartKind::Text);
                Parts::end(out, part, replay);
            }
            Kind::Message => {
                for piece in std::mem::take(&mut self.pieces) {
                    piece.cite(out);
                    let replay = self.of_message(&piece.annotations, piece.others);
                    Parts::end(out, piece.part, replay);
                }
            }
            Kind::Reasoning if !self.pieces.is_empty() => {
                let id = self.word("id");
                let mut replay =
                    Some(Replay { signature: None, item_id: None, data: Some(self.wire.to_string()) });
                for piece in std::mem::take(&mut self.pieces) {
                    let rest = || Replay { signature: None, item_id: Some(id.clone()), data: None };
                    Parts::end(out, piece.part, Some(replay.take().unwrap_or_else(rest)));
                }
            }
            Kind::Call => {
                let replay = self.of_call();
                self.end_all(replay, out);
            }
            Kind::ServerCall => {
                let replay = Some(self.verbatim());
                self.end_all(replay, out);
            }
            Kind::Reasoning | Kind::Image | Kind::Opaque => {
                let opaque = Opaque { kind: self.word("type"), data: self.wire.to_string() };
                parts.whole(out, PartContent::Opaque(opaque), None);
            }
        }
    }

    fn end_all(&mut self, replay: Option<Replay>, out: &mut Vec<Event>) {
        for piece in std::mem::take(&mut self.pieces) {
            Parts::end(out, piece.part, replay.clone());
        }
    }

    fn word(&self, name: &str) -> String {
        self.wire.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    fn id(&self) -> Option<String> {
        Some(self.word("id")).filter(|id| !id.is_empty())
    }

    /// The whole item.
    fn verbatim(&self) -> Replay {
        Replay { signature: None, item_id: self.id(), data: Some(self.wire.to_string()) }
    }

    /// The members that no field of the contract holds and that are not as usual.
    fn others(&self, known: &[&str]) -> Map<String, Value> {
        let usual = |name: &str, value: &Value| name == "status" && value == "completed";
        let members = self.wire.as_object().into_iter().flatten();
        let others = members.filter(|(name, value)| {
            !known.contains(&name.as_str()) && !value.is_null() && !usual(name, value)
        });
        others.map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    fn of_message(&self, annotations: &[Value], mut block: Map<String, Value>) -> Option<Replay> {
        let members = self.others(&["type", "id", "role", "content"]);
        let mut data = Map::new();
        if !members.is_empty() {
            data.insert(OF_ITEM.into(), members.into());
        }
        if !annotations.is_empty() {
            block.insert("annotations".into(), annotations.into());
        }
        if !block.is_empty() {
            data.insert(OF_BLOCK.into(), block.into());
        }
        replay(self.id(), data)
    }

    fn of_call(&self) -> Option<Replay> {
        let mut data = self.others(&["type", "id", "call_id", "name", "arguments", "input"]);
        let kind = self.word("type");
        if kind != "function_call" {
            data.insert("type".into(), kind.into());
        }
        replay(self.id(), data)
    }
}

fn replay(item_id: Option<String>, data: Map<String, Value>) -> Option<Replay> {
    let data = (!data.is_empty()).then(|| Value::Object(data).to_string());
    (item_id.is_some() || data.is_some()).then_some(Replay { signature: None, item_id, data })
}

/// What a server's own tool was asked, as one JSON object.
fn asked(wire: &Value) -> String {
    match wire.get("arguments") {
        Some(Value::String(arguments)) => return arguments.clone(),
        Some(arguments @ Value::Object(_)) => return arguments.to_string(),
        _ => {}
    }
    if let Some(action @ Value::Object(_)) = wire.get("action") {
        return action.to_string();
    }
    let names = ["queries", "query", "code"];
    let members: Map<String, Value> =
        names.iter().filter_map(|name| Some(((*name).to_owned(), wire.get(*name)?.clone()))).collect();
    if members.is_empty() { String::new() } else { Value::Object(members).to_string() }
}
