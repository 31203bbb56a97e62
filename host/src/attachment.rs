//! Files, bytes and URLs that go with a message.
//!
//! What a file is, its bytes say before its name does: a service refuses a picture under the wrong media type.

pub(crate) mod sniff;

use crate::model::{Failure, FailureKind, Media, MediaKind, MediaSource, Result};
use crate::openai::{data_url, media};
use serde_json::Value;
use std::io::Read;
use std::path::Path;

/// Bytes of one attachment: no service takes a request of more than 32 to 50 MB, base64 included, so more can only
/// fail later and dearer. Larger media go by URL.
const MAX_BYTES: u64 = 32 << 20;

/// An image, sound, video or document that goes with a message.
#[derive(Clone, Debug, PartialEq)]
pub struct Attachment(Media);

impl Attachment {
    /// What a user names on a command line: `-` for standard input, a URL, a data URL, or else a path.
    ///
    /// # Errors
    /// As the ways themselves.
    pub fn from_argument(argument: &str) -> Result<Self> {
        if argument == "-" {
            Self::from_reader(std::io::stdin().lock(), None, "standard input")
        } else if argument.contains("://")
            || argument.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("data:"))
        {
            Self::from_url(argument)
        } else {
            Self::from_path(argument)
        }
    }

    /// A file.
    ///
    /// # Errors
    /// `invalid-request` when it can't be read, is empty or too large, or is nothing that a model takes.
    pub fn from_path(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let shown = path.display().to_string();
        let cannot = |error| wrong(&shown, format_args!("can't be read: {error}"));
        if path.is_dir() {
            return Err(wrong(&shown, "is a folder; attach its files one by one"));
        }
        let file = std::fs::File::open(path).map_err(cannot)?;
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        Self::from_reader(file, name, &shown)
    }

    /// Bytes, with a file name where there is one.
    ///
    /// # Errors
    /// `invalid-request` when they are empty, too many, or nothing that a model takes.
    pub fn from_bytes(bytes: Vec<u8>, name: Option<&str>) -> Result<Self> {
        Self::of_bytes(bytes, name.map(str::to_owned), name.unwrap_or("the attachment"))
    }

    /// An `http(s)` URL, which stays one, or a data URL, whose bytes are taken out.
    ///
    /// # Errors
    /// `invalid-request` when it is neither, or its data is wrong.
    pub fn from_url(url: &str) -> Result<Self> {
        if let Some(parsed) = data_url::parse_data_url(url) {
            let (mime, bytes) = parsed.map_err(|what| wrong("the data URL", what))?;
            if mime.is_empty() {
                return Self::of_bytes(bytes, None, "the data URL");
            }
            fits(&bytes, "the data URL")?;
            return Ok(Self::of(mime, MediaSource::Bytes(bytes), None));
        }
        let parsed = url::Url::parse(url).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let parsed = parsed.ok_or_else(|| wrong(url, "is neither an http(s) URL nor a data URL"))?;
        // A URL without a telling end is most often a picture; a document's or sound's name says so.
        let mime = data_url::type_of_name(parsed.path()).unwrap_or_default();
        let source = MediaSource::Url(url.to_owned());
        if mime.is_empty() {
            let mime_type = String::new();
            return Ok(Self(Media { kind: MediaKind::Image, mime_type, source, name: None, detail: None }));
        }
        let name = parsed.path_segments().and_then(Iterator::last).filter(|name| !name.is_empty());
        Ok(Self::of(mime.to_owned(), source, name.map(str::to_owned)))
    }

    /// The media that it is.
    #[must_use]
    pub fn media(&self) -> &Media {
        &self.0
    }

    /// Its content part in OpenAI format.
    #[must_use]
    pub fn to_part(&self) -> Value {
        media::write(&self.0)
    }

    fn from_reader(reader: impl Read, name: Option<String>, shown: &str) -> Result<Self> {
        let mut bytes = Vec::new();
        // One byte more than allowed tells a file that is too large from one that just fits; `/dev/zero` ends too.
        let read = reader.take(MAX_BYTES + 1).read_to_end(&mut bytes);
        read.map_err(|error| wrong(shown, format_args!("can't be read: {error}")))?;
        Self::of_bytes(bytes, name, shown)
    }

    fn of_bytes(bytes: Vec<u8>, name: Option<String>, shown: &str) -> Result<Self> {
        fits(&bytes, shown)?;
        let named = name.as_deref().and_then(data_url::type_of_name);
        let mime = sniff::media_type(&bytes, named).ok_or_else(|| {
            wrong(
                shown,
                "is nothing that can be attached. Accepted: images (PNG, JPEG, GIF, WebP, BMP, TIFF, HEIC, AVIF), sound \
                 (WAV, MP3, Ogg, FLAC, M4A, AAC, WebM), video (MP4, MOV, WebM), PDF and text",
            )
        })?;
        Ok(Self::of(mime.to_owned(), MediaSource::Bytes(bytes), name))
    }

    fn of(mime_type: String, source: MediaSource, name: Option<String>) -> Self {
        let kind = data_url::kind_of_type(&mime_type);
        let name = name.filter(|_| kind == MediaKind::Document);
        Self(Media { kind, mime_type, source, name, detail: None })
    }
}

fn fits(bytes: &[u8], shown: &str) -> Result<()> {
    if bytes.is_empty() {
        return Err(wrong(shown, "is empty"));
    }
    if u64::try_from(bytes.len()).is_ok_and(|length| length > MAX_BYTES) {
        let what = format_args!(
            "is larger than {} MiB, which no service takes inline; give its URL",
            MAX_BYTES >> 20
        );
        return Err(wrong(shown, what));
    }
    Ok(())
}

fn wrong(shown: &str, what: impl std::fmt::Display) -> Failure {
    Failure::new(FailureKind::InvalidRequest, format!("the attachment `{shown}` {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";

    fn message(result: Result<Attachment>) -> String {
        let failure = result.unwrap_err();
        assert_eq!(failure.kind, FailureKind::InvalidRequest);
        failure.message
    }

    #[test]
    fn the_bytes_say_what_a_file_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("picture.jpg");
        std::fs::write(&path, PNG).unwrap();
        let attachment = Attachment::from_argument(path.to_str().unwrap()).unwrap();
        assert_eq!(attachment.media().mime_type, "image/png");
        let url = data_url::data_url("image/png", PNG);
        assert_eq!(attachment.to_part(), json!({"type": "image_url", "image_url": {"url": url}}));
        let text = folder.path().join("notes.md");
        std::fs::write(&text, "# é").unwrap();
        let part = Attachment::from_path(&text).unwrap().to_part();
        assert_eq!(part["file"]["filename"], "notes.md");
        assert_eq!(part["file"]["file_data"], data_url::data_url("text/markdown", "# é".as_bytes()));
    }

    #[test]
    fn urls_stay_urls_and_data_urls_become_bytes() {
        let part = |url: &str| Attachment::from_argument(url).unwrap().to_part();
        let image = json!({"type": "image_url", "image_url": {"url": "https://x.test/a?b=c"}});
        assert_eq!(part("https://x.test/a?b=c"), image);
        assert_eq!(
            part("https://x.test/d/a.pdf?x=1"),
            json!({"type": "file", "file":
                {"url": "https://x.test/d/a.pdf?x=1", "filename": "a.pdf", "mime": "application/pdf"}})
        );
        assert_eq!(part("https://x.test/a.mp3")["file"]["mime"], "audio/mpeg");
        let sound = Attachment::from_url("data:audio/wav;base64,AQI=").unwrap();
        assert_eq!(sound.media().source, MediaSource::Bytes(vec![1, 2]));
        assert_eq!(
            sound.to_part(),
            json!({"type": "input_audio", "input_audio": {"data": "AQI=", "format": "wav"}})
        );
    }

    #[test]
    fn what_can_not_be_attached_is_refused_with_a_reason() {
        let folder = tempfile::tempdir().unwrap();
        assert!(
            message(Attachment::from_path(folder.path()))
                .ends_with("is a folder; attach its files one by one")
        );
        assert!(message(Attachment::from_path(folder.path().join("no"))).contains("can't be read: "));
        assert!(message(Attachment::from_bytes(vec![], None)).ends_with("is empty"));
        assert!(message(Attachment::from_bytes(vec![0, 1, 2], Some("a.bin"))).contains("Accepted: images"));
        assert!(message(Attachment::from_argument("ftp://x.test/a")).contains("neither an http(s) URL"));
        assert!(message(Attachment::from_url("data:image/png;base64,!")).contains("is not base64"));
        let endless = std::io::repeat(b'a');
        assert!(message(Attachment::from_reader(endless, None, "zero")).contains("larger than 32 MiB"));
    }
}
