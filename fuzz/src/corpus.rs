//! The inputs that are kept, for the ordinary tests that run them.

use std::path::Path;

/// Runs a function over every file of a target's corpus, of which there are more than `least`.
pub fn each(target: &str, least: usize, run: fn(&[u8])) {
    // Two packages have such tests, at different depths of the workspace.
    let folders = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().map(|folder| folder.join("fuzz/corpus"));
    let folder = folders.into_iter().find(|folder| folder.is_dir()).unwrap().join(target);
    let mut seen = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        // The name of the file that fails is in the output.
        println!("{}", path.display());
        run(&std::fs::read(path).unwrap());
        seen += 1;
    }
    assert!(seen > least, "the corpus of {target} has {seen} files");
}
