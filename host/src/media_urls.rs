//! Media by URL, for models whose provider takes bytes.
//!
//! Problem: a user attaches a URL, and some services take it while others want the bytes. Decision: before a call the
//! host fetches it where the catalogue says that the model does not take URLs itself, and the provider gets the bytes
//! under the type that they have. An id that no catalogue knows passes with its URL, as all that is unknown does: an
//! empty or foreign catalogue says nothing (most servers that speak OpenAI's API have none, and take URLs). The
//! component knows its wire, though: where it says `unsupported` before it has made any request, as those for Ollama
//! and Bedrock do, it is asked once more with the bytes. The history keeps the URL. Price: the bytes of a conversation's
//! last call stay with its client, so that the next turn, whose history has the same URLs, neither fetches them again
//! nor sees another file.
//!
//! Only what the user and tools wrote is fetched. A URL in an answer is the provider's word: a plugin could have the
//! host read from a place that the user has allowed for files of their own.

use crate::attachment::sniff;
use crate::egress::{Fetched, Fetcher, shown};
use crate::limits::deadline;
use crate::model::{
    Failure, FailureKind, Media, MediaKind, MediaSource, Message, PartContent, Result, Role, ToolOutput,
};
use crate::openai::data_url;
use crate::provider::Call;
use futures::stream::{self, StreamExt, TryStreamExt};
use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// Files that are fetched at once. A message has few, and a server that has them all should not feel an attack.
const AT_ONCE: usize = 4;

/// The files of a client's last call, by URL.
#[derive(Debug, Default)]
pub(crate) struct Files(Mutex<HashMap<String, Arc<Fetched>>>);

/// What is done about the URLs of one call.
pub(crate) struct MediaUrls {
    fetcher: Arc<Fetcher>,
    files: Arc<Files>,
    /// The provider takes bytes.
    wants_bytes: bool,
    /// The catalogue says that it takes URLs: what it refuses it refuses for another reason.
    takes_urls: bool,
}

impl MediaUrls {
    /// For a model that takes URLs, takes bytes, or of which it is not known.
    pub(crate) fn new(fetcher: Arc<Fetcher>, files: Arc<Files>, takes_urls: Option<bool>) -> Self {
        Self { fetcher, files, wants_bytes: takes_urls == Some(false), takes_urls: takes_urls == Some(true) }
    }

    /// Puts bytes in the place of URLs, where the provider takes bytes. Takes its time from the call's.
    pub(crate) async fn fetch(&self, media: Vec<&mut Media>, call: &mut Call) -> Result<()> {
        if !self.wants_bytes {
            return Ok(());
        }
        let urls: BTreeSet<String> = media.iter().filter_map(|media| url(media)).map(str::to_owned).collect();
        if urls.is_empty() {
            return Ok(());
        }
        let started = Instant::now();
        // Boxed: it is rare and large, and its room would be part of every call.
        let found = match tokio::time::timeout(call.limits.total, Box::pin(self.all(&urls, call))).await {
            Ok(found) => found?,
            Err(_) => {
                let what = format!("the media of the call were not fetched ({})", list(&urls));
                return Err(deadline("total", &what, call.limits.total));
            }
        };
        call.limits.total = call.limits.total.saturating_sub(started.elapsed());
        for media in media {
            if let Some(file) = url(media).and_then(|url| found.get(url)) {
                put(media, file)?;
            }
        }
        *self.files.0.lock().unwrap_or_else(PoisonError::into_inner) = found;
        Ok(())
    }

    /// The files of these URLs, each fetched once.
    async fn all(&self, urls: &BTreeSet<String>, call: &Call) -> Result<HashMap<String, Arc<Fetched>>> {
        let known = self.files.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let known: HashMap<_, _> = known.into_iter().filter(|(url, _)| urls.contains(url)).collect();
        let held = Arc::new(AtomicUsize::new(known.values().map(|file| file.bytes.len()).sum()));
        let missing: Vec<String> = urls.iter().filter(|url| !known.contains_key(*url)).cloned().collect();
        let limits = call.limits;
        let fetches = missing.into_iter().map(|url| {
            let (fetcher, held) = (self.fetcher.clone(), held.clone());
            async move {
                let file = fetcher.get(&url, &limits, &held).await?;
                Ok::<_, Failure>((url, Arc::new(file)))
            }
        });
        let fetched = stream::iter(fetches).buffer_unordered(AT_ONCE).try_collect::<HashMap<_, _>>().await?;
        Ok(known.into_iter().chain(fetched).collect())
    }

    /// Whether the component has refused URLs, so that it is worth asking once more with bytes. From then on they are
    /// fetched.
    pub(crate) fn refused(&mut self, failure: &Failure, media: &[&mut Media], call: &Call) -> bool {
        let before_any_request =
            failure.kind == FailureKind::Unsupported && failure.http_status.is_none() && !call.has_response();
        let refused = before_any_request && self.may_refuse(media);
        self.wants_bytes |= refused;
        refused
    }

    /// Whether the component may refuse URLs.
    pub(crate) fn may_refuse(&self, media: &[&mut Media]) -> bool {
        !self.takes_urls && !self.wants_bytes && !media.is_empty()
    }
}

/// The media of messages that the user or a tool named by an http(s) URL. Those of a provider's own store (`gs:`, `s3:`)
/// are its own to read.
pub(crate) fn by_url(messages: &mut [Message]) -> Vec<&mut Media> {
    let parts = messages.iter_mut().filter(|message| message.role != Role::Assistant);
    let media = parts.flat_map(|message| &mut message.parts).flat_map(|part| {
        let (one, outputs): (_, &mut [ToolOutput]) = match &mut part.content {
            PartContent::Media(media) => (Some(media), &mut []),
            PartContent::ToolResult(result) => (None, &mut result.output),
            _ => (None, &mut []),
        };
        one.into_iter().chain(outputs.iter_mut().filter_map(|output| match output {
            ToolOutput::Media(media) => Some(media),
            _ => None,
        }))
    });
    media.filter(|media| url(media).is_some()).collect()
}

/// The same of a prompt's media.
pub(crate) fn of_prompt(media: &mut [Media]) -> Vec<&mut Media> {
    media.iter_mut().filter(|media| url(media).is_some()).collect()
}

fn url(media: &Media) -> Option<&str> {
    let MediaSource::Url(url) = &media.source else { return None };
    let is = |scheme: &str| url.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    (is("http://") || is("https://")).then_some(url)
}

fn list(urls: &BTreeSet<String>) -> String {
    urls.iter().map(|url| shown(url)).collect::<Vec<_>>().join(", ")
}

/// Puts a file in the place of its URL.
fn put(media: &mut Media, file: &Fetched) -> Result<()> {
    let url = url(media).unwrap_or_default().to_owned();
    let wrong = |what: &str| {
        let what = format!("{} {what}", shown(&url));
        Failure::new(FailureKind::InvalidRequest, what)
    };
    if file.bytes.is_empty() {
        return Err(wrong("is empty"));
    }
    let mime_type = media_type(&file.bytes, &file.mime_type, &media.mime_type, &url).ok_or_else(|| {
        wrong("is nothing that can be attached: its bytes are not what its server calls them; attach the file itself")
    })?;
    // A page about a picture is the commonest wrong URL, and a model would read the page's source.
    if mime_type == "text/html" && media.kind != MediaKind::Document {
        let kind = match media.kind {
            MediaKind::Audio => "a sound",
            MediaKind::Video => "a video",
            _ => "an image",
        };
        return Err(wrong(&format!("is a web page and not {kind}; give the URL of the file itself")));
    }
    media.kind = data_url::kind_of_type(&mime_type);
    if media.kind == MediaKind::Document && media.name.is_none() {
        let path = shown(&url);
        media.name = path.rsplit('/').next().filter(|name| !name.is_empty()).map(str::to_owned);
    }
    media.mime_type = mime_type;
    media.source = MediaSource::Bytes(file.bytes.clone());
    Ok(())
}

/// What a file is. Its bytes say it first; where they do not, it is what its server, the message or its URL's end call
/// it, unless the bytes of that type would have said so.
fn media_type(bytes: &[u8], served: &str, stated: &str, url: &str) -> Option<String> {
    let vague = ["", "application/octet-stream", "binary/octet-stream"];
    let ending = data_url::type_of_name(&shown(url)).unwrap_or_default();
    let said = [served, stated, ending].into_iter().find(|said| !vague.contains(said)).unwrap_or_default();
    if let Some(found) = sniff::media_type(bytes, data_url::known(said)) {
        return Some(found.to_owned());
    }
    (!said.is_empty() && data_url::known(said).is_none()).then(|| said.to_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::model::ToolResult;

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";

    fn media(kind: MediaKind, url: &str) -> Media {
        let source = MediaSource::Url(url.to_owned());
        Media { kind, mime_type: String::new(), source, name: None, detail: None }
    }

    fn file(bytes: &[u8], mime_type: &str) -> Fetched {
        Fetched { bytes: bytes.to_vec(), mime_type: mime_type.to_owned(), cut: false }
    }

    fn message(role: Role, content: PartContent) -> Message {
        Message { role, parts: vec![content.into()], extra: None, origin: None }
    }

    #[test]
    fn what_the_user_and_tools_wrote_is_found_and_no_more() {
        let image = |url| media(MediaKind::Image, url);
        let result = ToolResult {
            call_id: "c".to_owned(),
            name: "f".to_owned(),
            output: vec![
                ToolOutput::Text("http://t".to_owned()),
                ToolOutput::Media(image("http://tool/a.png")),
            ],
            is_error: false,
        };
        let mut messages = vec![
            message(Role::User, PartContent::Media(image("HTTPS://user/a.png"))),
            message(Role::User, PartContent::Media(image("gs://bucket/a.png"))),
            message(Role::Assistant, PartContent::Media(image("http://plugin/a.png"))),
            message(Role::Tool, PartContent::ToolResult(result)),
        ];
        let urls: Vec<_> = by_url(&mut messages).iter().map(|media| url(media).unwrap().to_owned()).collect();
        assert_eq!(urls, ["HTTPS://user/a.png", "http://tool/a.png"]);
        let mut media = [image("http://x/a.png"), image("s3://x/a.png")];
        assert_eq!(of_prompt(&mut media).len(), 1);
    }

    #[test]
    fn the_bytes_say_what_a_file_is_before_anyone_else() {
        for (bytes, served, stated, url, want) in [
            (PNG, "image/jpeg", "image/gif", "http://x/a.webp", Some("image/png")),
            (PNG, "", "", "http://x/a", Some("image/png")),
            (b"a,b\n", "text/csv", "", "http://x/a", Some("text/csv")),
            (b"# Title", "application/octet-stream", "", "http://x/a.md?x=.csv", Some("text/markdown")),
            (b"<html>", "text/html", "", "http://x/a.png", Some("text/html")),
            // A type that we can't tell by its bytes is what it is called.
            (b"PK\x03\x04\0", "application/vnd.ms-excel", "", "http://x/a", Some("application/vnd.ms-excel")),
            (b"PK\x03\x04\0", "binary/octet-stream", "application/msword", "u", Some("application/msword")),
            // One that we could tell, it is not.
            (b"\0\x01", "image/png", "", "http://x/a.png", None),
            (b"\0\x01", "", "", "http://x/a", None),
        ] {
            let found = media_type(bytes, served, stated, url);
            assert_eq!(found.as_deref(), want, "{served} {stated} {url}");
        }
    }

    #[test]
    fn a_file_takes_the_place_of_its_url() {
        let mut picture = media(MediaKind::Document, "https://x.test/a?sig=1");
        put(&mut picture, &file(PNG, "")).unwrap();
        assert_eq!((picture.kind, picture.mime_type.as_str()), (MediaKind::Image, "image/png"));
        assert_eq!((picture.source, picture.name), (MediaSource::Bytes(PNG.to_vec()), None));
        let mut paper = media(MediaKind::Image, "https://x.test/d/paper?sig=1");
        put(&mut paper, &file(b"%PDF-1.4", "application/pdf")).unwrap();
        assert_eq!((paper.kind, paper.name.as_deref()), (MediaKind::Document, Some("paper")));
        for (kind, bytes, mime, words) in [
            (
                MediaKind::Image,
                &b"<html>"[..],
                "text/html",
                "https://x.test/p is a web page and not an image",
            ),
            (MediaKind::Audio, b"\0\x01", "audio/mpeg", "is nothing that can be attached"),
            (MediaKind::Image, b"", "image/png", "is empty"),
        ] {
            let failure = put(&mut media(kind, "https://x.test/p?secret"), &file(bytes, mime)).unwrap_err();
            assert!(failure.message.contains(words) && !failure.message.contains("secret"), "{failure}");
        }
        put(&mut media(MediaKind::Document, "https://x.test/p"), &file(b"<html>", "text/html")).unwrap();
    }
}
