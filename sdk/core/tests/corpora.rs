//! What fuzzers run of the parsers of streams, as ordinary tests: every file of the corpora goes through the same
//! functions.
#![allow(missing_docs, unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../../../fuzz/src/corpus.rs"]
mod corpus;
#[path = "../../../fuzz/src/streams.rs"]
mod streams;

use corpus::each;

#[test]
fn server_sent_events() {
    each("sse", 4, streams::sse);
}

#[test]
fn lines_of_json() {
    each("ndjson", 4, streams::ndjson);
}

#[test]
fn amazons_event_stream() {
    each("event_stream", 4, streams::event_stream);
}
