//! Media in messages: OpenAI's part forms, both ways.

use super::data_url::{
    data_url, decode_base64, format_of_type, kind_of_type, parse_data_url, type_of_format, type_of_name,
};
use super::fields::{Fields, invalid};
use crate::attachment::sniff;
use crate::model::{Media, MediaKind, MediaSource, Result};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

/// Media from a URL of any sort: a data URL's bytes are taken out, `http(s)` and store URLs (`gs:`, `s3:`) stay URLs.
/// `kind` is what the part says it is; `None` derives it from the type.
fn from_url(url: &str, path: &str, kind: Option<MediaKind>, mime: Option<&str>) -> Result<Media> {
    let (found, source) = match parse_data_url(url) {
        Some(parsed) => {
            let (found, bytes) = parsed.map_err(|what| invalid(path, what))?;
            (Some(found).filter(|found| !found.is_empty()), MediaSource::Bytes(bytes))
        }
        None if url.contains("://") => (None, MediaSource::Url(url.to_owned())),
        None => {
            return Err(invalid(path, "must be a data URL (data:<type>;base64,<data>) or an http(s) URL"));
        }
    };
    let stated = mime.map(str::to_owned).or(found);
    let kind = kind.unwrap_or_else(|| stated.as_deref().map_or(MediaKind::Document, kind_of_type));
    let mime_type = stated.or_else(|| type_of_name(url).map(str::to_owned)).unwrap_or_default();
    Ok(Media { kind, mime_type, source, name: None, detail: None })
}

/// The URL of `{"image_url": {"url": …}}`, or of the short form `{"image_url": "…"}`.
fn url_of<'a>(part: &Fields<'a>, key: &str) -> Result<(&'a str, String, Option<Fields<'a>>)> {
    match part.get(key) {
        Some(Value::String(url)) => Ok((url, part.at(key), None)),
        Some(value) => {
            let inner = Fields::of(value, part.at(key))?;
            Ok((inner.required_text("url")?, inner.at("url"), Some(inner)))
        }
        None => Err(part.missing(key, "an object with `url`")),
    }
}

/// Media of a content part of type `kind`, the members of the part that it took, and what is left inside.
pub(super) fn read(part: &Fields<'_>, kind: &str) -> Result<Option<(Media, &'static [&'static str])>> {
    Ok(Some(match kind {
        "image_url" | "video_url" => {
            let (key, media_kind, took): (_, _, &[&str]) = if kind == "image_url" {
                ("image_url", MediaKind::Image, &["image_url"])
            } else {
                ("video_url", MediaKind::Video, &["video_url"])
            };
            let (url, path, inner) = url_of(part, key)?;
            let mut media = from_url(url, &path, Some(media_kind), None)?;
            if let Some(inner) = inner {
                inner.only(&["url", "detail", "mime", "mime_type"])?;
                media.detail = inner.text("detail")?.map(str::to_owned);
                if let Some(mime) = inner.text("mime")?.or(inner.text("mime_type")?) {
                    media.mime_type = mime.to_owned();
                }
            }
            (media, took)
        }
        "document_url" => {
            let (url, path, _) = url_of(part, "document_url")?;
            let name = part.text("document_name")?.map(str::to_owned);
            let media = from_url(url, &path, Some(MediaKind::Document), None)?;
            (Media { name, ..media }, &["document_url", "document_name"])
        }
        // Mistral's short form: the bytes alone, which say themselves what they are.
        "input_audio" if part.get("input_audio").is_some_and(Value::is_string) => {
            let path = part.at("input_audio");
            let bytes =
                decode_base64(part.required_text("input_audio")?).map_err(|what| invalid(&path, what))?;
            let mime_type = sniff::media_type(&bytes, None)
                .filter(|mime| mime.starts_with("audio/"))
                .ok_or_else(|| {
                    invalid(&path, "is no sound of a known format; give an object with `data` and `format`")
                })?;
            let source = MediaSource::Bytes(bytes);
            let media = Media {
                kind: MediaKind::Audio,
                mime_type: mime_type.to_owned(),
                source,
                name: None,
                detail: None,
            };
            (media, &["input_audio"])
        }
        "input_audio" => {
            let audio =
                part.object("input_audio")?.ok_or_else(|| part.missing("input_audio", "an object"))?;
            audio.only(&["data", "format", "mime", "mime_type"])?;
            let data = audio.required_text("data")?;
            let format = audio.text("format")?;
            let mime = audio.text("mime")?.or(audio.text("mime_type")?).map(str::to_owned);
            let mime = mime.or_else(|| format.map(type_of_format));
            let media = if data.contains(':') {
                from_url(data, &audio.at("data"), Some(MediaKind::Audio), mime.as_deref())?
            } else {
                let mime_type =
                    mime.ok_or_else(|| audio.missing("format", "`wav`, `mp3` or another format's name"))?;
                let bytes = decode_base64(data).map_err(|what| invalid(&audio.at("data"), what))?;
                let source = MediaSource::Bytes(bytes);
                Media { kind: MediaKind::Audio, mime_type, source, name: None, detail: None }
            };
            (media, &["input_audio"])
        }
        "file" => {
            let file = part.object("file")?.ok_or_else(|| part.missing("file", "an object"))?;
            (read_file(&file)?, &["file"])
        }
        _ => return Ok(None),
    }))
}

fn read_file(file: &Fields<'_>) -> Result<Media> {
    file.only(&[
        "file_data",
        "file_id",
        "filename",
        "mime",
        "mime_type",
        "format",
        "url",
        "file_url",
        "detail",
    ])?;
    let stated = file.text("mime")?.or(file.text("mime_type")?).or(file.text("format")?);
    let name = file.text("filename")?.map(str::to_owned);
    let url =
        file.text("url")?.map(|url| (url, "url")).or(file.text("file_url")?.map(|url| (url, "file_url")));
    let named = name.as_deref().and_then(type_of_name);
    let media = match (file.text("file_data")?, url, file.text("file_id")?) {
        (Some(data), None, None) if data.contains(':') => {
            from_url(data, &file.at("file_data"), None, stated)?
        }
        (Some(data), None, None) => {
            let bytes = decode_base64(data).map_err(|what| invalid(&file.at("file_data"), what))?;
            let mime = stated.or(named).unwrap_or_default();
            let source = MediaSource::Bytes(bytes);
            Media { kind: kind_of_type(mime), mime_type: mime.to_owned(), source, name: None, detail: None }
        }
        (None, Some((url, key)), None) => from_url(url, &file.at(key), None, stated)?,
        (None, None, Some(id)) => {
            let mime = stated.or(named).unwrap_or_default();
            let source = MediaSource::FileId(id.to_owned());
            Media { kind: kind_of_type(mime), mime_type: mime.to_owned(), source, name: None, detail: None }
        }
        _ => {
            return Err(invalid(file.path(), "needs exactly one of `file_data`, `url` and `file_id`"));
        }
    };
    let mime_type =
        if media.mime_type.is_empty() { named.unwrap_or_default().to_owned() } else { media.mime_type };
    Ok(Media { name, mime_type, detail: file.text("detail")?.map(str::to_owned), ..media })
}

/// The OpenAI-format content part of this media.
pub(crate) fn write(media: &Media) -> Value {
    let url = match &media.source {
        MediaSource::Bytes(bytes) => data_url(&media.mime_type, bytes),
        MediaSource::Url(url) => url.clone(),
        MediaSource::FileId(id) => {
            return file_part(media, "file_id", id.clone());
        }
    };
    match (media.kind, &media.source) {
        (MediaKind::Image, _) => {
            let mut inner = json!({"url": url});
            if let (Some(detail), Some(inner)) = (&media.detail, inner.as_object_mut()) {
                inner.insert("detail".to_owned(), json!(detail));
            }
            json!({"type": "image_url", "image_url": inner})
        }
        (MediaKind::Audio, MediaSource::Bytes(bytes)) => {
            let audio = json!({"data": STANDARD.encode(bytes), "format": format_of_type(&media.mime_type)});
            json!({"type": "input_audio", "input_audio": audio})
        }
        (MediaKind::Video, _) => json!({"type": "video_url", "video_url": {"url": url}}),
        (_, MediaSource::Bytes(_)) => file_part(media, "file_data", url),
        _ => file_part(media, "url", url),
    }
}

fn file_part(media: &Media, key: &str, value: String) -> Value {
    let mut file = serde_json::Map::new();
    file.insert(key.to_owned(), json!(value));
    if let Some(name) = &media.name {
        file.insert("filename".to_owned(), json!(name));
    }
    if key != "file_data" && !media.mime_type.is_empty() {
        file.insert("mime".to_owned(), json!(media.mime_type));
    }
    json!({"type": "file", "file": file})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(value: &Value) -> Result<Media> {
        let fields = Fields::of(value, "p").unwrap();
        let kind = fields.required_text("type").unwrap();
        read(&fields, kind).map(|found| found.unwrap().0)
    }

    #[test]
    fn every_form_becomes_media() {
        let bytes = |bytes: &[u8]| MediaSource::Bytes(bytes.to_vec());
        let url = |url: &str| MediaSource::Url(url.to_owned());
        let cases = [
            (
                json!({"type": "image_url", "image_url": {"url": "data:image/png;base64,AQI=", "detail": "low"}}),
                (MediaKind::Image, "image/png", bytes(&[1, 2])),
            ),
            (
                json!({"type": "image_url", "image_url": "https://x.test/a.jpg?s=1"}),
                (MediaKind::Image, "image/jpeg", url("https://x.test/a.jpg?s=1")),
            ),
            (
                json!({"type": "input_audio", "input_audio": "SUQz"}),
                (MediaKind::Audio, "audio/mpeg", bytes(b"ID3")),
            ),
            (
                json!({"type": "input_audio", "input_audio": {"data": "//8", "format": "mp3"}}),
                (MediaKind::Audio, "audio/mpeg", bytes(&[255, 255])),
            ),
            (
                json!({"type": "file", "file": {"file_data": "__8=", "filename": "a.pdf"}}),
                (MediaKind::Document, "application/pdf", bytes(&[255, 255])),
            ),
            (
                json!({"type": "file", "file": {"file_data": "data:text/plain,a%20b%", "mime": "text/x"}}),
                (MediaKind::Document, "text/x", bytes(b"a b%")),
            ),
            (
                json!({"type": "file", "file": {"url": "https://youtu.be/x", "mime": "video/mp4"}}),
                (MediaKind::Video, "video/mp4", url("https://youtu.be/x")),
            ),
            (
                json!({"type": "file", "file": {"file_id": "file-1"}}),
                (MediaKind::Document, "", MediaSource::FileId("file-1".to_owned())),
            ),
            (
                json!({"type": "video_url", "video_url": {"url": "data:video/mp4;base64,AQ=="}}),
                (MediaKind::Video, "video/mp4", bytes(&[1])),
            ),
            (
                json!({"type": "document_url", "document_url": "gs://bucket/a.pdf", "document_name": "A"}),
                (MediaKind::Document, "application/pdf", url("gs://bucket/a.pdf")),
            ),
        ];
        for (value, (kind, mime, source)) in cases {
            let media = part(&value).unwrap();
            assert_eq!((media.kind, media.mime_type.as_str(), media.source), (kind, mime, source), "{value}");
        }
    }

    #[test]
    fn wrong_media_say_where_and_what() {
        let wrong = [
            (json!({"type": "image_url"}), "p: `image_url` is missing; it must be an object with `url`"),
            (
                json!({"type": "image_url", "image_url": {"url": "a.png"}}),
                "p.image_url.url: must be a data URL (data:<type>;base64,<data>) or an http(s) URL",
            ),
            (
                json!({"type": "file", "file": {"file_id": "a", "url": "https://x"}}),
                "p.file: needs exactly one of `file_data`, `url` and `file_id`",
            ),
            (
                json!({"type": "input_audio", "input_audio": {"data": "AAA="}}),
                "p.input_audio: `format` is missing; it must be `wav`, `mp3` or another format's name",
            ),
        ];
        for (value, message) in wrong {
            assert_eq!(part(&value).unwrap_err().message, message);
        }
        let failure =
            part(&json!({"type": "file", "file": {"file_data": "data:a/b;base64,!!"}})).unwrap_err();
        assert!(failure.message.starts_with("p.file.file_data: is not base64"), "{failure}");
    }

    #[test]
    fn what_is_written_reads_back() {
        for (kind, mime) in [
            (MediaKind::Image, "image/webp"),
            (MediaKind::Audio, "audio/mpeg"),
            (MediaKind::Audio, "audio/mp4"),
            (MediaKind::Audio, "audio/webm"),
            (MediaKind::Video, "video/mp4"),
            (MediaKind::Document, "application/pdf"),
        ] {
            for source in [
                MediaSource::Bytes(vec![1, 2, 3]),
                MediaSource::Url("https://x.test/a".to_owned()),
                MediaSource::FileId("f".to_owned()),
            ] {
                let media = Media { kind, mime_type: mime.to_owned(), source, name: None, detail: None };
                let read = part(&write(&media)).unwrap();
                assert_eq!(read.kind, media.kind);
                assert_eq!(read.source, media.source);
                if !matches!(
                    (kind, &media.source),
                    (MediaKind::Image | MediaKind::Video, MediaSource::Url(_))
                ) {
                    assert_eq!(read.mime_type, mime, "{media:?}");
                }
            }
        }
    }
}
