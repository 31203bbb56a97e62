//! What fuzzers run of the host, as ordinary tests: every file of the corpora goes through the same functions.

#[path = "../../fuzz/src/host.rs"]
mod host;

/// Runs a function over every file of a corpus.
fn each(target: &str, run: fn(&[u8])) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz/corpus");
    let files = std::fs::read_dir(format!("{folder}/{target}")).unwrap();
    let mut seen = 0;
    for file in files {
        let path = file.unwrap().path();
        // The name of the file that fails is in the output.
        println!("{}", path.display());
        run(&std::fs::read(path).unwrap());
        seen += 1;
    }
    assert!(seen > 5, "the corpus of {target} has {seen} files");
}

#[test]
fn components() {
    each("inspect", host::inspect);
}

#[test]
fn model_strings() {
    each("model_string", host::model_string);
}

#[test]
fn request_documents() {
    each("request_document", host::request_document);
}

#[test]
fn configurations() {
    each("config", host::config);
}
