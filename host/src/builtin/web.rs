//! A page of the web, through the host's own way out: servers of the internet, and those that the user allowed.

use super::page;
use crate::attachment::sniff;
use crate::egress::{Fetched, Fetcher};
use crate::limits::Limits;
use crate::tools::{Function, ToolContext};
use schemars::JsonSchema;
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;

/// Bytes of a page; long articles have some hundred thousand.
const PAGE: usize = 1 << 20;

/// Bytes of text that one call gives: some 16,000 tokens.
const PIECE: usize = 64 << 10;

/// Time for one page, with all redirects.
const TIME: Duration = Duration::from_secs(30);

#[derive(Deserialize, JsonSchema)]
struct Asked {
    /// An http or https URL
    url: String,
    /// The byte of the page's text to begin with, to go on with a long page; 0 unless it is said
    offset: Option<usize>,
}

/// `fetch_page`. What the model asks for leaves the machine, so somebody is asked first.
pub(super) fn fetch_page(fetcher: Arc<Fetcher>, limits: Limits) -> Function {
    let description =
        "Fetches a page of the web and gives its text; links stand as numbers, with their URLs at the end";
    let fetch = move |_: ToolContext, Asked { url, offset }: Asked| {
        let fetcher = fetcher.clone();
        async move {
            let page = fetcher.page(&url, &limits, PAGE).await.map_err(|failure| failure.message)?;
            // Laying out takes a while, and others wait for this thread.
            let read = tokio::task::spawn_blocking(move || read(page)).await;
            let (text, cut) = read.map_err(|_| "the page can't be read".to_owned())??;
            piece(&text, cut, offset.unwrap_or_default())
        }
    };
    Function::new("fetch_page", description, fetch).timeout(TIME).ask_first()
}

/// The text of what came, and whether its end is missing.
fn read(page: Fetched) -> Result<(String, bool), String> {
    let Fetched { bytes, mime_type, cut } = page;
    let kind = if mime_type.is_empty() { sniffed(&bytes) } else { &mime_type };
    match kind {
        "text/html" | "application/xhtml+xml" => {
            page::text(&bytes).map(|(text, cut_too)| (text, cut || cut_too))
        }
        kind if is_text(kind) => Ok((String::from_utf8_lossy(&bytes).into_owned(), cut)),
        kind => Err(format!("it is no page and no text: {kind}")),
    }
}

/// What bytes are whose server does not say.
fn sniffed(bytes: &[u8]) -> &'static str {
    let head = String::from_utf8_lossy(bytes.get(..512).unwrap_or(bytes)).trim_start().to_ascii_lowercase();
    if head.starts_with("<!doctype html") || head.starts_with("<html") {
        return "text/html";
    }
    sniff::media_type(bytes, None).unwrap_or("bytes of an unknown kind")
}

fn is_text(kind: &str) -> bool {
    kind.starts_with("text/")
        || kind.ends_with("+json")
        || kind.ends_with("+xml")
        || matches!(
            kind,
            "application/json" | "application/xml" | "application/javascript" | "application/yaml"
        )
}

/// What one call gives of a text.
fn piece(text: &str, cut: bool, offset: usize) -> Result<String, String> {
    if offset > 0 && offset >= text.len() {
        return Err(format!("the page's text has {} bytes, and {offset} is behind its end", text.len()));
    }
    let from = text.floor_char_boundary(offset);
    let end = text.floor_char_boundary(from + PIECE);
    let rest = if cut { "; the page itself is longer than is read" } else { "" };
    let mut piece = text.get(from..end).unwrap_or_default().to_owned();
    if end < text.len() {
        piece += &format!("\n[cut: bytes {from} to {end} of {}{rest}; go on with offset {end}]", text.len());
    } else if cut {
        piece += &format!("\n[cut: the page is longer than {} MiB or takes too long to read]", PAGE >> 20);
    } else if piece.is_empty() {
        piece += "[the page has no text]";
    }
    Ok(piece)
}
