//! Media that the model made, in pieces that fit a batch of events.
//!
//! Source: <https://platform.openai.com/docs/guides/audio>.

use serde_json::Value;

use super::wire;
use crate::media::from_base64;
use crate::{Event, Failure, MediaKind, MediaStart, PartBytes, PartKind, Parts, Replay};

/// The most that one event carries: several fit the 1 MiB of one `emit`.
const PIECE: usize = 256 * 1024;

/// The spoken answer. Its transcript is the answer's text.
#[derive(Debug)]
pub(super) struct Audio {
    mime_type: String,
    part: Option<u32>,
    id: String,
}

impl Default for Audio {
    fn default() -> Self {
        Self::new("wav")
    }
}

impl Audio {
    /// Audio of the format that was asked for.
    pub(super) fn new(format: &str) -> Self {
        let mime_type = match format {
            "mp3" => "audio/mpeg".to_owned(),
            // OpenAI's is 24 kHz, mono, little-endian.
            "pcm16" | "pcm" => "audio/pcm".to_owned(),
            other => format!("audio/{other}"),
        };
        Self { mime_type, part: None, id: String::new() }
    }

    /// Takes a piece. An empty structure is none.
    pub(super) fn take(
        &mut self,
        audio: &Value,
        parts: &mut Parts,
        out: &mut Vec<Event>,
    ) -> Result<(), Failure> {
        let (id, data) = (wire::text(audio, "id"), wire::text(audio, "data"));
        if !id.is_empty() {
            self.id = id.into_owned();
        }
        if !data.is_empty() {
            let mime_type = &self.mime_type;
            let part = *self.part.get_or_insert_with(|| {
                let start = MediaStart { kind: MediaKind::Audio, mime_type: mime_type.clone() };
                parts.start(out, PartKind::Media(start))
            });
            bytes(out, part, &from_base64(&data)?);
        }
        Ok(())
    }

    /// Ends the part, with the id by which the next turn names it.
    pub(super) fn finish(&mut self, out: &mut Vec<Event>) {
        if let Some(part) = self.part.take() {
            let item_id = (!self.id.is_empty()).then(|| std::mem::take(&mut self.id));
            Parts::end(
                out,
                part,
                item_id.map(|id| Replay { signature: None, item_id: Some(id), data: None }),
            );
        }
    }
}

/// A picture that came whole.
pub(super) fn image(mime_type: &str, data: &[u8], parts: &mut Parts, out: &mut Vec<Event>) {
    image_with(mime_type, data, None, parts, out);
}

/// The same, with what the provider needs back.
pub(super) fn image_with(
    mime_type: &str,
    data: &[u8],
    replay: Option<Replay>,
    parts: &mut Parts,
    out: &mut Vec<Event>,
) {
    let start = MediaStart { kind: MediaKind::Image, mime_type: mime_type.to_owned() };
    parts.end_growing(out, None);
    let part = parts.start(out, PartKind::Media(start));
    bytes(out, part, data);
    Parts::end(out, part, replay);
}

fn bytes(out: &mut Vec<Event>, part: u32, data: &[u8]) {
    out.extend(data.chunks(PIECE).map(|piece| Event::Bytes(PartBytes { index: part, data: piece.to_vec() })));
}
