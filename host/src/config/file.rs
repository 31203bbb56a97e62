//! The configuration's files: read within bounds, held against others' hands, and told of without their text.

use super::{Config, parse};
use crate::mcp::{self, ServerConfig};
use crate::model::{Failure, FailureKind, Result};
use crate::ownership::{is_ours, others_can_write};
use crate::plain_file;
use std::fs::{File, Metadata};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// The most that is read of a configuration.
const MOST_BYTES: u64 = 4 << 20;

/// The user's configuration; an absent file is an empty one.
pub(crate) fn load(path: &Path, must_exist: bool) -> Result<Config> {
    let failed = |what: &dyn std::fmt::Display| {
        Failure::new(FailureKind::InvalidRequest, format!("the configuration {}: {what}", path.display()))
    };
    // One that was named may be what another program prints.
    let opened = if must_exist { File::open(path) } else { plain_file::open(path) };
    match opened.and_then(read) {
        Ok((text, metadata)) => {
            let mut config = parse(&text).map_err(|what| failed(&what))?;
            if config.names_programs()
                && let Some(what) = open_to_others(path, &metadata)
            {
                let why = format!("it names a program to run, and {what}");
                return Err(Failure { kind: FailureKind::Denied, ..failed(&why) });
            }
            config.resolve_paths(path.parent().unwrap_or(Path::new("")));
            config.add_servers()?;
            Ok(config)
        }
        Err(error) if error.kind() == ErrorKind::NotFound && !must_exist => Ok(Config::default()),
        Err(error) => Err(failed(&error)),
    }
}

impl Config {
    /// Adds the servers of the file that it names; its own go before those.
    fn add_servers(&mut self) -> Result<()> {
        let Some(path) = &self.mcp_servers else { return Ok(()) };
        let failed = |kind, what: &dyn std::fmt::Display| {
            let what = format!(
                "the MCP servers {}, which `mcp-servers` of the configuration names: {what}",
                path.display()
            );
            Failure::new(kind, what)
        };
        let wrong = FailureKind::InvalidRequest;
        let (text, metadata) =
            plain_file::open(path).and_then(read).map_err(|error| failed(wrong, &error))?;
        let servers = mcp::parse_file(&text).map_err(|what| failed(wrong, &what))?;
        if servers.values().any(ServerConfig::names_programs)
            && let Some(what) = open_to_others(path, &metadata)
        {
            return Err(failed(FailureKind::Denied, &format!("it names a program to run, and {what}")));
        }
        for (name, mut server) in servers {
            server.resolve_paths(path.parent().unwrap_or(Path::new("")));
            self.mcp.entry(name).or_insert(server);
        }
        Ok(())
    }
}

/// A file's text, if it is not too large, and what the file is.
fn read(file: File) -> io::Result<(String, Metadata)> {
    let mut text = String::new();
    let metadata = file.metadata()?;
    file.take(MOST_BYTES + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MOST_BYTES {
        return Err(io::Error::new(ErrorKind::FileTooLarge, "it is larger than 4 MiB"));
    }
    Ok((text, metadata))
}

/// Whether somebody else could have written a file, and what to do about it. What is no file, a pipe from another program,
/// is what the user named.
fn open_to_others(path: &Path, metadata: &Metadata) -> Option<String> {
    if !metadata.is_file() {
        return None;
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let of_folder = std::fs::metadata(folder).ok();
    let named = [(path, Some(metadata)), (folder, of_folder.as_ref())];
    for (path, metadata) in named.into_iter().filter_map(|(path, metadata)| Some((path, metadata?))) {
        if !is_ours(metadata) {
            return Some(format!("{} belongs to another user", path.display()));
        }
        // In a folder such as /tmp nobody exchanges the files of others.
        let sticky = metadata.is_dir() && metadata.mode() & 0o1000 != 0;
        if others_can_write(metadata) && !sticky {
            return Some(format!(
                "others can write {0}: `chmod go-w {0}`, once you have read it",
                path.display()
            ));
        }
    }
    None
}

/// What is wrong with a file, and where; nothing of its text, since a line may hold a key that does not belong there.
pub(super) fn told(error: &toml::de::Error, text: &str) -> String {
    let message = without_text(error.message());
    let Some(before) = error.span().and_then(|span| text.get(..span.start)) else { return message };
    let number = before.matches('\n').count();
    match text.lines().nth(number).and_then(key_of) {
        Some(key) => format!("line {}, `{key}`: {message}", number + 1),
        None => format!("line {}: {message}", number + 1),
    }
}

/// A parser's message without a text that it quotes: `invalid type: string "…", expected a table`.
pub(crate) fn without_text(message: &str) -> String {
    let quoted = message.find("string \"").zip(message.rfind("\", expected"));
    match quoted.and_then(|(start, end)| message.get(..start).zip(message.get(end + 1..))) {
        Some((before, after)) => format!("{before}string{after}"),
        None => message.to_owned(),
    }
}

/// The key of a line, if it is one without quotation marks.
fn key_of(line: &str) -> Option<&str> {
    let key = line.split_once('=')?.0.trim();
    let bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    (!key.is_empty() && key.len() <= 64 && key.chars().all(bare)).then_some(key)
}
