//! Media as blocks (<https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ContentBlock.html>): bytes in
//! base64, or a place in S3. Formats have short names there, and a document must have a name of its own.

use std::collections::HashSet;

use aimu_sdk::media::{base64, essence, is_text};
use aimu_sdk::{Failure, Media, MediaKind, MediaSource};
use serde_json::{Map, Value, json};

/// The most that a document's name may have
/// (<https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_DocumentBlock.html>).
const MAX_NAME: usize = 200;

/// The names of a request's documents, which must differ.
#[derive(Debug, Default)]
pub(crate) struct Names(HashSet<String>);

/// A medium's block.
pub(crate) fn block(media: &Media, names: &mut Names) -> Result<Value, Failure> {
    let source = match &media.source {
        MediaSource::Bytes(bytes) => json!({ "bytes": base64(bytes) }),
        MediaSource::Url(place) | MediaSource::FileId(place) if place.starts_with("s3://") => {
            json!({ "s3Location": { "uri": place } })
        }
        MediaSource::Url(_) => {
            return Err(Failure::unsupported("Bedrock takes bytes and s3:// addresses, no other URL"));
        }
        MediaSource::FileId(_) => {
            return Err(Failure::unsupported("Bedrock has no file store but S3: give an s3:// address"));
        }
    };
    let kind = kind(media);
    let format = format(media, kind)?;
    Ok(match kind {
        MediaKind::Image => json!({ "image": { "format": format, "source": source } }),
        MediaKind::Video => json!({ "video": { "format": format, "source": source } }),
        MediaKind::Audio => json!({ "audio": { "format": format, "source": source } }),
        MediaKind::Document => {
            json!({ "document": { "name": names.unique(media.name.as_deref()), "format": format, "source": source } })
        }
    })
}

/// A file may come as a document because nobody looked into it.
fn kind(media: &Media) -> MediaKind {
    let mime = essence(&media.mime_type);
    match (media.kind, mime.split('/').next()) {
        (MediaKind::Document, Some("image")) => MediaKind::Image,
        (MediaKind::Document, Some("video")) => MediaKind::Video,
        (MediaKind::Document, Some("audio")) => MediaKind::Audio,
        (kind, _) => kind,
    }
}

fn format(media: &Media, kind: MediaKind) -> Result<String, Failure> {
    let mime = essence(&media.mime_type);
    // Where no type is stated, the end of a name or an address says it.
    let place = match &media.source {
        MediaSource::Url(place) | MediaSource::FileId(place) => Some(place.as_str()),
        MediaSource::Bytes(_) => media.name.as_deref(),
    };
    let ending =
        place.and_then(|place| place.rsplit(['/', '\\']).next()?.rsplit_once('.')).map(|(_, ending)| ending);
    let ending = ending.map(str::to_ascii_lowercase).unwrap_or_default();
    let (_, subtype) = mime.split_once('/').unwrap_or(("", &mime));
    let subtype = if subtype.is_empty() || subtype == "octet-stream" { ending.as_str() } else { subtype };
    let name = match kind {
        MediaKind::Image => match subtype {
            "jpg" | "pjpeg" => "jpeg",
            other => other,
        },
        MediaKind::Video => match subtype {
            "quicktime" => "mov",
            "x-matroska" | "matroska" => "mkv",
            "x-flv" => "flv",
            "x-ms-wmv" => "wmv",
            "3gpp" | "3gp" => "three_gp",
            other => other,
        },
        MediaKind::Audio => match subtype {
            "mpeg" => "mp3",
            "x-wav" | "wave" | "vnd.wave" => "wav",
            "x-flac" => "flac",
            "x-m4a" => "m4a",
            "x-matroska" | "matroska" => "mka",
            other => other,
        },
        MediaKind::Document => match subtype {
            "pdf" | "csv" | "doc" | "docx" | "xls" | "xlsx" | "html" | "txt" | "md" => subtype,
            "plain" => "txt",
            "markdown" | "x-markdown" => "md",
            "msword" => "doc",
            "vnd.openxmlformats-officedocument.wordprocessingml.document" => "docx",
            "vnd.ms-excel" => "xls",
            "vnd.openxmlformats-officedocument.spreadsheetml.sheet" => "xlsx",
            "xhtml+xml" => "html",
            // Other text goes as what it is.
            _ if is_text(&mime) => "txt",
            _ => {
                let message = format!(
                    "Bedrock takes documents of PDF, Word, Excel, CSV, HTML, Markdown and text, not {}; convert it first",
                    if mime.is_empty() { "of an unknown type" } else { &mime }
                );
                return Err(Failure::unsupported(message));
            }
        },
    };
    if name.is_empty() {
        return Err(Failure::invalid("a medium has no type: name its MIME type"));
    }
    Ok(name.to_owned())
}

impl Names {
    /// A name in the alphabet that is allowed, and of which there is no other. A file's name may hold instructions to
    /// the model, as the API's documentation warns; it is the caller's to choose.
    fn unique(&mut self, wanted: Option<&str>) -> String {
        let mut name = String::new();
        for c in wanted.unwrap_or_default().chars() {
            let c =
                if c.is_ascii_alphanumeric() || matches!(c, '-' | '(' | ')' | '[' | ']') { c } else { ' ' };
            if !(c == ' ' && (name.is_empty() || name.ends_with(' '))) {
                name.push(c);
            }
        }
        name.truncate(MAX_NAME - " 1000".len());
        let name = name.trim_end();
        let mut number = self.0.len() + 1;
        let mut unique = if name.is_empty() { format!("Document {number}") } else { name.to_owned() };
        let front = if name.is_empty() { "Document" } else { name };
        while !self.0.insert(unique.clone()) {
            number += 1;
            unique = format!("{front} {number}");
        }
        unique
    }
}

/// The bytes and the format of an image, a video or a sound that a model made; `None` if it is somewhere else.
pub(crate) fn made(kind: &str, inner: &Map<String, Value>) -> Option<(MediaKind, String, String)> {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    let (kind, family) = match kind {
        "image" => (MediaKind::Image, "image"),
        "video" => (MediaKind::Video, "video"),
        "audio" => (MediaKind::Audio, "audio"),
        _ => return None,
    };
    let format = text(inner.get("format"))?;
    let bytes = text(inner.get("source").and_then(|source| source.get("bytes")))?;
    let subtype = match format.as_str() {
        "mp3" => "mpeg",
        "mov" => "quicktime",
        "three_gp" => "3gpp",
        other => other,
    };
    Some((kind, format!("{family}/{subtype}"), bytes))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn media(kind: MediaKind, mime: &str, source: MediaSource, name: Option<&str>) -> Media {
        Media { kind, mime_type: mime.into(), source, name: name.map(str::to_owned), detail: None }
    }

    #[test]
    fn formats_have_short_names() {
        let format = |kind, mime: &str| {
            let block = block(&media(kind, mime, MediaSource::Bytes(vec![1]), None), &mut Names::default())?;
            let inner = block.as_object().unwrap().values().next().unwrap().clone();
            assert_eq!(inner["source"], json!({ "bytes": "AQ==" }));
            Ok::<_, Failure>(format!(
                "{} {}",
                block.as_object().unwrap().keys().next().unwrap(),
                inner["format"]
            ))
        };
        for (kind, mime, want) in [
            (MediaKind::Image, "image/jpeg", "image \"jpeg\""),
            (MediaKind::Image, "IMAGE/JPG; q=1", "image \"jpeg\""),
            (MediaKind::Video, "video/quicktime", "video \"mov\""),
            (MediaKind::Video, "video/3gpp", "video \"three_gp\""),
            (MediaKind::Audio, "audio/mpeg", "audio \"mp3\""),
            (MediaKind::Document, "application/pdf", "document \"pdf\""),
            (MediaKind::Document, "text/plain", "document \"txt\""),
            (MediaKind::Document, "text/markdown", "document \"md\""),
            (MediaKind::Document, "application/json", "document \"txt\""),
            (MediaKind::Document, "application/vnd.ms-excel", "document \"xls\""),
            (MediaKind::Document, "image/png", "image \"png\""),
        ] {
            assert_eq!(format(kind, mime).unwrap(), want, "{mime}");
        }
        assert!(format(MediaKind::Document, "application/zip").unwrap_err().message.contains("convert"));
        assert!(format(MediaKind::Image, "").is_err());
    }

    #[test]
    fn places_in_s3_and_no_others() {
        let of = |source| block(&media(MediaKind::Video, "", source, None), &mut Names::default());
        let place = "s3://bucket/a.mp4";
        let want = json!({ "video": { "format": "mp4", "source": { "s3Location": { "uri": place } } } });
        assert_eq!(of(MediaSource::Url(place.into())).unwrap(), want);
        assert_eq!(of(MediaSource::FileId(place.into())).unwrap(), want);
        assert!(of(MediaSource::Url("https://a/b.mp4".into())).is_err());
        assert!(of(MediaSource::FileId("file-1".into())).is_err());
    }

    #[test]
    fn names_are_plain_and_differ() {
        let mut names = Names::default();
        assert_eq!(names.unique(None), "Document 1");
        assert_eq!(names.unique(Some("report_v1.final.pdf")), "report v1 final pdf");
        assert_eq!(names.unique(Some("report v1  final/pdf")), "report v1 final pdf 4");
        assert_eq!(names.unique(Some("Document 1")), "Document 1 5");
        assert_eq!(names.unique(Some("ü?")), "Document 5");
        assert!(names.unique(Some(&"x".repeat(999))).len() <= MAX_NAME);
    }
}
