//! A key that must never be seen: planted where keys are, and looked for in all that a program leaves.
//!
//! Every run of the program in every test is searched; [`super::program::Program::armed`] plants the key in all variables
//! that hold one, turns the logs up, and has the files searched as well.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use std::fs;
use std::path::Path;
use std::sync::LazyLock;
use std::time::SystemTime;

/// The key. Some of its characters are others when they are percent-encoded or in a base64 for URLs.
pub const CANARY: &str = "sk-canary+7Qz/9fW3xK2=d41m~8d98f00b>204e?9800c";

/// The variables in which it is planted: those of the providers that come with the program, and of the guests.
pub const VARIABLES: [&str; 16] = [
    "ANTHROPIC_API_KEY",
    "AWS_BEARER_TOKEN_BEDROCK",
    "CO_API_KEY",
    "COHERE_API_KEY",
    "GEMINI_API_KEY",
    "GOOGLE_API_KEY",
    "GROQ_API_KEY",
    "HF_TOKEN",
    "MISTRAL_API_KEY",
    "OPENAI_API_KEY",
    "OPENROUTER_API_KEY",
    "ASKS_API_KEY",
    "CANARY_KEY",
    "RAW_REQUEST_KEY",
    "WELL_BEHAVED_API_KEY",
    "XAI_API_KEY",
];

/// The key in every form in which it is looked for: as it is and half of it, percent-encoded, in JSON's escapes, in
/// base64 of either alphabet wherever it stands in what was encoded, in hexadecimal.
static FORMS: LazyLock<Vec<(&str, String)>> = LazyLock::new(|| {
    let mut forms = vec![
        ("as it is", CANARY.to_owned()),
        ("its first half", CANARY[..20].to_owned()),
        ("its second half", CANARY[CANARY.len() - 20..].to_owned()),
        ("percent-encoded", percent_encoded()),
        ("percent-encoded", lower_escapes(&percent_encoded())),
        ("escaped", CANARY.replace('/', "\\/")),
        ("hexadecimal", CANARY.bytes().map(|byte| format!("{byte:02x}")).collect()),
    ];
    for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
        for shift in 0..3 {
            // What stands before and after it changes the characters at its ends, and no others.
            let text = engine.encode([&vec![b'x'; shift][..], CANARY.as_bytes()].concat());
            forms.push(("base64", text[4..text.len() - 4].to_owned()));
        }
    }
    forms
});

/// The key as it stands in a URL.
pub fn percent_encoded() -> String {
    let one = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    CANARY.bytes().map(one).collect()
}

/// The same with `%2b` for `%2B`.
fn lower_escapes(text: &str) -> String {
    let mut pieces = text.split('%');
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces.fold(first, |text, piece| format!("{text}%{}{}", piece[..2].to_lowercase(), &piece[2..]))
}

/// How the key is in there, if it is.
pub fn found(bytes: &[u8]) -> Option<&'static str> {
    let text = String::from_utf8_lossy(bytes);
    FORMS.iter().find(|(_, form)| text.contains(form)).map(|(name, _)| *name)
}

/// Searches the files that were written since then, but for the configuration, which is the test's own.
#[track_caller]
pub fn search(folder: &Path, since: SystemTime) {
    for entry in fs::read_dir(folder).unwrap().map_while(Result::ok) {
        // A file may be gone again: a cache makes room, a temporary file gets its name.
        let Ok(metadata) = entry.metadata() else { continue };
        let path = entry.path();
        if metadata.is_dir() {
            search(&path, since);
        } else if !path.ends_with("config.toml")
            && metadata.modified().is_ok_and(|then| then >= since)
            && let Ok(bytes) = fs::read(&path)
        {
            let form = found(&bytes);
            assert!(form.is_none(), "the key is in {} ({})", path.display(), form.unwrap_or_default());
        }
    }
}
