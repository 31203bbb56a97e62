//! What fuzzers run of the parsers of streams, as ordinary tests: every file of the corpora goes through the same
//! functions.
#![allow(missing_docs, unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../../../fuzz/src/streams.rs"]
mod streams;

/// Runs a function over every file of a corpus.
fn each(target: &str, run: fn(&[u8])) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus");
    let files = std::fs::read_dir(format!("{folder}/{target}")).unwrap();
    let mut seen = 0;
    for file in files {
        let path = file.unwrap().path();
        // The name of the file that fails is in the output.
        println!("{}", path.display());
        run(&std::fs::read(path).unwrap());
        seen += 1;
    }
    assert!(seen > 4, "the corpus of {target} has {seen} files");
}

#[test]
fn server_sent_events() {
    each("sse", streams::sse);
}

#[test]
fn lines_of_json() {
    each("ndjson", streams::ndjson);
}

#[test]
fn amazons_event_stream() {
    each("event_stream", streams::event_stream);
}
