//! What must hold of what the host reads: no panic, no message that is out of proportion, and what was read means the
//! same when it is written and read again.

use crate::config;
use crate::document::{EmbedDocument, RequestDocument};
use crate::model::Failure;
use crate::model_string::{ModelString, parse_url};
use crate::sandbox::{Inspection, inspect as inspect_bytes};
use serde_json::json;

/// A message quotes what is wrong, and may escape it; it does not repeat it over and over.
fn in_proportion(message: &str, bytes: &[u8]) {
    assert!(
        message.len() <= bytes.len() * 8 + 4096,
        "{} bytes make a message of {}",
        bytes.len(),
        message.len()
    );
}

fn told(failure: &Failure, bytes: &[u8]) {
    assert!(!failure.message.is_empty());
    in_proportion(&failure.message, bytes);
}

/// What a component is.
pub fn inspect(bytes: &[u8]) {
    match inspect_bytes(bytes) {
        Ok(inspection) => {
            assert!(!inspection.kinds().is_empty() && inspection.size == bytes.len());
            let names: usize = inspection.imports.iter().chain(&inspection.exports).map(String::len).sum();
            assert!(names <= bytes.len());
            let kept = serde_json::to_vec(&inspection).unwrap();
            assert_eq!(serde_json::from_slice::<Inspection>(&kept).unwrap(), inspection);
        }
        Err(failure) => told(&failure, bytes),
    }
}

/// `provider:model[@url][;flags]`
pub fn model_string(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    match text.parse::<ModelString>() {
        Ok(parsed) => {
            let written = parsed.to_string();
            assert_eq!(
                written.parse::<ModelString>().as_ref(),
                Ok(&parsed),
                "{text:?} is written {written:?}"
            );
        }
        Err(failure) => told(&failure, bytes),
    }
}

/// The documents of `--request`.
pub fn request_document(bytes: &[u8]) {
    match RequestDocument::parse(bytes) {
        Ok(document) => {
            assert!(!document.messages.is_empty());
            assert_eq!(RequestDocument::parse(bytes).as_ref(), Ok(&document));
            let again = json!({ "messages": document.messages }).to_string();
            let again = RequestDocument::parse(again).unwrap();
            assert_eq!(again.request.messages, document.request.messages);
            let mut at_once = document;
            at_once.without_stream();
            assert!(!at_once.request.streaming);
        }
        Err(failure) => told(&failure, bytes),
    }
    if let Err(failure) = EmbedDocument::parse(bytes) {
        told(&failure, bytes);
    }
}

/// `config.toml`
pub fn config(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match config::parse(text) {
        Ok(parsed) => {
            for instance in parsed.providers.values() {
                let mut models = Vec::new();
                config::overlay(&mut models, &instance.models);
                assert!(models.len() <= instance.models.len());
                if let Some(Err(failure)) = instance.base_url.as_deref().map(|url| parse_url(url, url)) {
                    told(&failure, bytes);
                }
            }
        }
        Err(what) => in_proportion(&what, bytes),
    }
}
