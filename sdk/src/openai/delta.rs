//! The message of an answer, as it grows: every form of its members to the contract's parts.

use serde_json::{Map, Value, json};

use super::citations::Citations;
use super::details::Details;
use super::media::{self as made, Audio};
use super::messages::MESSAGE_MEMBERS;
use super::quirks::ThinkTags;
use super::wire::{self, Content, Delta};
use crate::failure::excerpt;
use crate::media::split_data_url;
use crate::{
    CallPiece, Detail, Event, Failure, Media, MediaKind, MediaSource, Opaque, Opening, PartContent, Parts,
    Piece, Replay, Think,
};

/// What has come of the message.
#[derive(Debug)]
pub(super) struct Growing {
    parts: Parts,
    details: Details,
    pub(super) citations: Citations,
    /// Splits `<think>` tags off, until reasoning comes in a field of its own.
    think: Option<Think>,
    opening: Opening,
    pub(super) audio: Audio,
    /// What a tool call's part needs back, by the part's index.
    call_replays: Vec<(u32, Replay)>,
    /// The newest tool call's part.
    last_call: Option<u32>,
    /// Members of the message that go back on the next turn.
    members: Map<String, Value>,
}

impl Growing {
    pub(super) fn new(tags: ThinkTags) -> Self {
        let opening = match tags {
            ThinkTags::Off => None,
            ThinkTags::Model => Some(Opening::Model),
            ThinkTags::Prompt => Some(Opening::Prompt),
        };
        Self {
            parts: Parts::default(),
            details: Details::default(),
            citations: Citations::default(),
            think: opening.map(Think::new),
            opening: opening.unwrap_or_default(),
            audio: Audio::default(),
            call_replays: Vec::new(),
            last_call: None,
            members: Map::new(),
        }
    }

    /// The part that the newest text belongs to.
    pub(super) fn part(&self) -> Option<u32> {
        self.parts.growing()
    }

    /// Whether tools were called.
    pub(super) fn has_calls(&self) -> bool {
        self.parts.calls() > 0
    }

    /// Takes a piece of the message, or all of it.
    pub(super) fn take(
        &mut self,
        delta: &mut Delta<'_>,
        whole: bool,
        out: &mut Vec<Event>,
    ) -> Result<(), Failure> {
        let mut readable = false;
        if delta.reasoning_details.as_ref().is_some_and(|details| !details.is_empty()) {
            self.flush_think(out);
        }
        for detail in delta.reasoning_details.take().into_iter().flatten() {
            readable |= self.details.take(detail, &mut self.parts, out);
        }
        // The same reasoning often comes under several names.
        let reasoning =
            if delta.reasoning_content.is_empty() { &delta.reasoning } else { &delta.reasoning_content };
        if !readable {
            self.reasoning(&reasoning.0, out);
        }
        match &mut delta.content {
            Content::Text(text) => self.text(&text.0, whole, out),
            Content::Blocks(blocks) => blocks.drain(..).for_each(|block| self.block(block, whole, out)),
        }
        self.parts.refusal(out, &delta.refusal.0);
        for call in delta.tool_calls.iter().flatten() {
            self.call(call, out)?;
        }
        if let Some(function) = delta.function_call.take() {
            self.call(&json!({"function": function}), out)?;
        }
        if let Some(audio) = &delta.audio {
            self.audio.take(audio, &mut self.parts, out)?;
            self.text(&wire::text(audio, "transcript"), whole, out);
        }
        for image in delta.images.take().into_iter().flatten() {
            self.image(&image, out);
        }
        for annotation in delta.annotations.take().into_iter().flatten() {
            if annotation.get("type").is_some_and(|kind| kind == "file") {
                // OpenRouter reads a file once; with these it need not do so again.
                let files = self.members.entry("annotations").or_insert_with(|| json!([]));
                if let Some(files) = files.as_array_mut() {
                    files.push(annotation);
                }
            } else {
                self.citations.annotation(&annotation);
            }
        }
        for tool in delta.executed_tools.take().into_iter().flatten() {
            out.push(Event::Detail(Detail {
                index: None,
                kind: "executed_tool".into(),
                data: tool.to_string(),
            }));
        }
        if let Some(extra) = delta.extra_content.take().filter(|extra| extra.is_object()) {
            self.members.insert("extra_content".into(), *extra);
        }
        Ok(())
    }

    /// More reasoning, in a member of its own.
    pub(super) fn reasoning(&mut self, text: &str, out: &mut Vec<Event>) {
        if !text.is_empty() {
            self.flush_think(out);
            self.parts.reasoning(out, text);
        }
    }

    /// More text.
    pub(super) fn text(&mut self, text: &str, whole: bool, out: &mut Vec<Event>) {
        if text.is_empty() {
            return;
        }
        let Some(think) = &mut self.think else {
            self.parts.text(out, text);
            self.citations.text(text, self.parts.growing());
            return;
        };
        let (parts, citations) = (&mut self.parts, &mut self.citations);
        let mut take = |piece: Piece<'_>| match piece {
            Piece::Reasoning(text) => parts.reasoning(out, text),
            Piece::Text(text) => {
                parts.text(out, text);
                citations.text(text, parts.growing());
            }
            // It was shown as the answer, and can only be said now.
            Piece::WasReasoning => {
                let index = parts.growing();
                let data = r#"{"reason":"a thought was closed that was never opened"}"#.into();
                out.push(Event::Detail(Detail { index, kind: "was-reasoning".into(), data }));
                parts.end_growing(out, None);
            }
        };
        if whole {
            // All of it is here, so a thought that was never opened can still be one.
            let (reasoning, answer) = Think::whole(self.opening, text);
            take(Piece::Reasoning(&reasoning));
            take(Piece::Text(&answer));
        } else {
            think.push(text, &mut take);
        }
    }

    /// A block of a message whose content is a list.
    fn block(&mut self, block: Value, whole: bool, out: &mut Vec<Event>) {
        let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
        match block.get("type").and_then(Value::as_str) {
            Some("text" | "output_text") => self.text(&text(block.get("text")), whole, out),
            Some("refusal") => self.parts.refusal(out, &text(block.get("refusal"))),
            Some("thinking") => {
                self.flush_think(out);
                match block.get("thinking") {
                    Some(Value::Array(pieces)) => {
                        for piece in pieces {
                            self.parts.reasoning(out, &text(piece.get("text")));
                        }
                    }
                    thinking => self.parts.reasoning(out, &text(thinking)),
                }
                if whole && block.get("signature").is_some_and(|signature| !signature.is_null()) {
                    let data = Some(block.to_string());
                    self.parts.end_growing(out, Some(Replay { signature: None, item_id: None, data }));
                }
            }
            Some("image_url") => self.image(&block, out),
            // Mistral's references into documents, and what is new.
            Some(kind) => {
                let kind = kind.to_owned();
                out.push(Event::Detail(Detail {
                    index: self.parts.growing(),
                    kind,
                    data: block.to_string(),
                }));
            }
            None => {}
        }
    }

    fn call(&mut self, call: &Value, out: &mut Vec<Event>) -> Result<(), Failure> {
        let part_of = |kind: &str| call.get(kind).filter(|tool| !tool.is_null());
        if [Some(call), part_of("function"), part_of("custom")]
            .into_iter()
            .flatten()
            .any(|part| !part.is_object())
        {
            return Err(Failure::protocol(format!(
                "a tool call makes no sense: {}",
                excerpt(call.to_string().as_bytes())
            )));
        }
        let member = |kind: &str, name| part_of(kind).map(|tool| wire::text(tool, name)).unwrap_or_default();
        let id = wire::text(call, "id");
        let (mut name, mut arguments) = (member("function", "name"), member("function", "arguments"));
        let custom = name.is_empty() && arguments.is_empty() && part_of("custom").is_some();
        if custom {
            (name, arguments) = (member("custom", "name"), member("custom", "input"));
        }
        if id.is_empty() && name.is_empty() && arguments.is_empty() {
            // A gateway's empty structure is no call.
            return Ok(());
        }
        self.flush_think(out);
        let before = out.len();
        let slot = call.get("index").and_then(Value::as_u64);
        self.parts.call(out, CallPiece { slot, id: &id, name: &name, arguments: &arguments });
        for event in out.get(before..).unwrap_or_default() {
            if let Event::Start(start) = event {
                self.last_call = Some(start.index);
            }
        }
        let data = match call.get("extra_content").filter(|extra| extra.is_object()) {
            Some(extra) => Some(json!({"extra_content": extra})),
            _ if custom && !name.is_empty() => Some(json!({"type": "custom"})),
            _ => None,
        };
        if let (Some(data), Some(part)) = (data, self.last_call) {
            let signature = data.pointer("/extra_content/google/thought_signature").and_then(Value::as_str);
            let replay = Replay {
                signature: signature.map(str::to_owned),
                item_id: None,
                data: Some(data.to_string()),
            };
            self.call_replays.retain(|(index, _)| *index != part);
            self.call_replays.push((part, replay));
        }
        Ok(())
    }

    fn image(&mut self, image: &Value, out: &mut Vec<Event>) {
        let url = image.pointer("/image_url/url").or_else(|| image.get("image_url")).and_then(Value::as_str);
        let Some(url) = url else { return };
        if let Some((mime_type, bytes)) = split_data_url(url) {
            return made::image(mime_type, &bytes, &mut self.parts, out);
        }
        let source = MediaSource::Url(url.to_owned());
        let media =
            Media { kind: MediaKind::Image, mime_type: "image/*".into(), source, name: None, detail: None };
        self.parts.whole(out, PartContent::Media(media), None);
    }

    /// No more tags: gives what their splitter held back.
    fn flush_think(&mut self, out: &mut Vec<Event>) {
        if let Some(mut think) = self.think.take() {
            let (parts, citations) = (&mut self.parts, &mut self.citations);
            think.finish(&mut |piece| match piece {
                Piece::Reasoning(text) => parts.reasoning(out, text),
                Piece::Text(text) => {
                    parts.text(out, text);
                    citations.text(text, parts.growing());
                }
                Piece::WasReasoning => {}
            });
        }
    }

    /// Ends all parts, each with what it needs back.
    pub(super) fn finish(&mut self, out: &mut Vec<Event>) {
        self.flush_think(out);
        self.citations.finish(out);
        self.audio.finish(out);
        self.details.finish(out);
        let before = out.len();
        self.parts.finish(out);
        for event in out.get_mut(before..).unwrap_or_default() {
            if let Event::End(end) = event
                && let Some(place) = self.call_replays.iter().position(|(index, _)| *index == end.index)
            {
                end.replay = Some(self.call_replays.swap_remove(place).1);
            }
        }
        if !self.members.is_empty() {
            let data = Value::Object(std::mem::take(&mut self.members)).to_string();
            let opaque = Opaque { kind: MESSAGE_MEMBERS.into(), data };
            self.parts.whole(out, PartContent::Opaque(opaque), None);
        }
    }
}
