//! What fuzzers run of the host, as ordinary tests: every file of the corpora goes through the same functions.

#[path = "../../fuzz/src/corpus.rs"]
mod corpus;
#[path = "../../fuzz/src/host.rs"]
mod host;

use corpus::each;

#[test]
fn components() {
    each("inspect", 5, host::inspect);
}

#[test]
fn model_strings() {
    each("model_string", 5, host::model_string);
}

#[test]
fn request_documents() {
    each("request_document", 5, host::request_document);
}

#[test]
fn configurations() {
    each("config", 5, host::config);
}
