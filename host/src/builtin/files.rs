//! Files below one folder that the user named: listed and read, and nothing else.
//!
//! Problem: a model writes the paths. Decision: they are looked up below the opened folder (cap-std), so that neither `..`
//! nor a link leads out; what is no plain file is not opened; an answer is bounded, and says how to go on. Price: a link
//! to what lies outside can't be read, even if the user made it.

use crate::attachment::sniff;
use crate::model::{Failure, FailureKind, Media, MediaKind, MediaSource, ToolOutput};
use crate::openai::data_url::type_of_name;
use crate::tools::{Function, ToolContext, ToolReply};
use cap_std::ambient_authority;
use cap_std::fs::{Dir, File, FileType, OpenOptions, OpenOptionsExt};
use nix::fcntl::OFlag;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

/// Entries of a folder that are looked at: it may have millions.
const LOOKED_AT: usize = 20_000;

/// Entries that are listed.
const LISTED: usize = 1_000;

/// Bytes of one read, unless fewer are asked for: some 16,000 tokens.
const PIECE: u64 = 64 << 10;

/// Bytes of a picture: what services take.
const PICTURE: u64 = 5 << 20;

/// Bytes that say what a file is.
const HEAD: u64 = 4 << 10;

/// A folder that the user named.
#[derive(Clone)]
pub(crate) struct Folder(Arc<Dir>);

impl Folder {
    /// # Errors
    /// There is no such folder, or it can't be opened.
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        Dir::open_ambient_dir(path, ambient_authority()).map(|dir| Self(Arc::new(dir))).map_err(|error| {
            let what = format!("the folder {} can't be opened: {error}", path.display());
            Failure::new(FailureKind::InvalidRequest, what)
        })
    }
}

#[derive(Deserialize, JsonSchema)]
struct List {
    /// A folder's path, below the folder that was named; without it, that one
    path: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
struct ReadAt {
    /// The file's path, below the folder that was named
    path: String,
    /// The byte to begin with, for long files; 0 unless it is said
    offset: Option<u64>,
    /// Bytes to read, 65536 at most
    limit: Option<u64>,
}

#[derive(Serialize)]
struct Listing {
    entries: Vec<Entry>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

#[derive(Serialize)]
struct Entry {
    name: String,
    kind: &'static str,
    /// Bytes, of files.
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
}

/// `files_list`.
pub(super) fn list(folder: Option<Folder>) -> Function {
    let description = "Lists the files and folders in a folder, hidden ones too";
    Function::new("files_list", description, move |_: ToolContext, List { path }: List| {
        let folder = named(folder.clone());
        async move {
            let path = path.filter(|path| !path.is_empty()).unwrap_or_else(|| ".".to_owned());
            apart(folder?, move |dir| entries(dir, &path)).await
        }
    })
}

/// `files_read`.
pub(super) fn read(folder: Option<Folder>) -> Function {
    let description = "Reads a text file, or looks at a picture; a long file piece by piece";
    Function::replying("files_read", description, move |_: ToolContext, asked: ReadAt| {
        let folder = named(folder.clone());
        async move { apart(folder?, move |dir| content(dir, &asked)).await }
    })
}

fn named(folder: Option<Folder>) -> Result<Folder, String> {
    folder.ok_or_else(|| "the user named no folder".to_owned())
}

/// On a thread that may wait for a disk.
async fn apart<T: Send + 'static>(
    folder: Folder,
    work: impl FnOnce(&Dir) -> Result<T, String> + Send + 'static,
) -> Result<T, String> {
    tokio::task::spawn_blocking(move || work(&folder.0)).await.map_err(|error| error.to_string())?
}

fn entries(dir: &Dir, path: &str) -> Result<Listing, String> {
    let unreadable = |error| format!("`{path}` can't be listed: {error}");
    let mut found = Vec::new();
    let mut more = false;
    for entry in dir.read_dir(path).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        if found.len() == LOOKED_AT {
            more = true;
            break;
        }
        found.push((entry.file_name().to_string_lossy().into_owned(), entry));
    }
    found.sort_by(|(a, _), (b, _)| a.cmp(b));
    let all = found.len();
    let entries = found.into_iter().take(LISTED).map(|(name, entry)| {
        let kind = entry.file_type().map_or("unknown", kind_of);
        let size = if kind == "file" { entry.metadata().ok().map(|metadata| metadata.len()) } else { None };
        Entry { name, kind, size }
    });
    let note = (all > LISTED)
        .then(|| format!("[cut: {LISTED} of {}{all} entries]", if more { "more than " } else { "" }));
    Ok(Listing { entries: entries.collect(), note })
}

fn kind_of(kind: FileType) -> &'static str {
    if kind.is_file() {
        "file"
    } else if kind.is_dir() {
        "folder"
    } else if kind.is_symlink() {
        "link"
    } else {
        "neither a file nor a folder"
    }
}

fn content(dir: &Dir, asked: &ReadAt) -> Result<ToolReply, String> {
    let path = asked.path.as_str();
    let unreadable = |error| format!("`{path}` can't be read: {error}");
    let mut file = open(dir, path)?;
    let size = file.metadata().map_err(unreadable)?.len();
    let offset = asked.offset.unwrap_or_default();
    if offset == 0 {
        let mut head = Vec::new();
        (&mut file).take(HEAD).read_to_end(&mut head).map_err(unreadable)?;
        if head.is_empty() {
            return Ok("[the file is empty]".into());
        }
        let kind = sniff::media_type(whole(&head), type_of_name(path));
        match kind {
            Some(kind) if is_picture(kind) => return picture(head, file, kind, size, path),
            Some(kind) if !is_text(kind) => {
                return Err(format!("`{path}` is no text: {kind}, {size} bytes"));
            }
            Some(_) => {}
            None => return Err(format!("`{path}` is no text that is UTF-8: {size} bytes")),
        }
    } else if offset >= size {
        return Err(format!("`{path}` has {size} bytes, and {offset} is behind its end"));
    }
    file.seek(SeekFrom::Start(offset)).map_err(unreadable)?;
    let limit = asked.limit.unwrap_or(PIECE).clamp(4, PIECE);
    let mut bytes = Vec::new();
    file.take(limit).read_to_end(&mut bytes).map_err(unreadable)?;
    // A piece may begin and end within a character.
    let begun = bytes.iter().take(3).take_while(|byte| offset > 0 && **byte & 0xC0 == 0x80).count();
    let piece = whole(bytes.get(begun..).unwrap_or_default());
    let end = offset + (begun + piece.len()) as u64;
    let mut text = match std::str::from_utf8(piece) {
        Ok(text) if !text.contains('\0') => text.to_owned(),
        _ => return Err(format!("`{path}` is no text that is UTF-8 from byte {offset} on")),
    };
    if end < size {
        text += &format!("\n[cut: bytes {offset} to {end} of {size}; go on with offset {end}]");
    }
    Ok(text.into())
}

/// A plain file below the folder. Nothing else is opened: a pipe would wait for its other end, and a device may do anything.
fn open(dir: &Dir, path: &str) -> Result<File, String> {
    let unreadable = |error| format!("`{path}` can't be read: {error}");
    let plain = |is_file: bool| if is_file { Ok(()) } else { Err(format!("`{path}` is not a file")) };
    plain(dir.metadata(path).map_err(unreadable)?.is_file())?;
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(OFlag::O_NONBLOCK.bits());
    let file = dir.open_with(path, &options).map_err(unreadable)?;
    // It may be another now.
    plain(file.metadata().map_err(unreadable)?.is_file())?;
    Ok(file)
}

/// Without a last character that is only begun.
fn whole(bytes: &[u8]) -> &[u8] {
    match std::str::from_utf8(bytes) {
        Err(error) if error.error_len().is_none() => bytes.get(..error.valid_up_to()).unwrap_or(bytes),
        _ => bytes,
    }
}

fn is_picture(kind: &str) -> bool {
    matches!(kind, "image/png" | "image/jpeg" | "image/gif" | "image/webp")
}

fn is_text(kind: &str) -> bool {
    kind.starts_with("text/") || kind == "application/json"
}

fn picture(mut bytes: Vec<u8>, file: File, kind: &str, size: u64, path: &str) -> Result<ToolReply, String> {
    if size > PICTURE {
        return Err(format!("`{path}` is a picture of {size} bytes; {} MiB are looked at", PICTURE >> 20));
    }
    let read = file.take(PICTURE).read_to_end(&mut bytes);
    read.map_err(|error| format!("`{path}` can't be read: {error}"))?;
    let source = MediaSource::Bytes(bytes);
    let media =
        Media { kind: MediaKind::Image, mime_type: kind.to_owned(), source, name: None, detail: None };
    Ok(ToolReply { output: vec![ToolOutput::Media(media)], is_error: false })
}
