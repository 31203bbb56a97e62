//! Files below a folder, and none beside it.

use crate::call;
use crate::support::Home;
use crate::support::program::Outcome;
use serde_json::json;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use tempfile::TempDir;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";

/// A folder with what may be in one, and a secret beside it.
struct Place {
    home: Home,
    _whole: TempDir,
    folder: PathBuf,
}

fn place() -> Place {
    let whole = tempfile::tempdir().unwrap();
    let folder = whole.path().join("notes");
    fs::create_dir_all(folder.join("sub")).unwrap();
    fs::write(whole.path().join("secret"), "the secret").unwrap();
    fs::write(folder.join("a.md"), "# Grüße\n").unwrap();
    fs::write(folder.join(".hidden"), "h").unwrap();
    fs::write(folder.join("sub/b.txt"), "below").unwrap();
    fs::write(folder.join("empty"), "").unwrap();
    fs::write(folder.join("binary"), b"\x7fELF\0\0\x01").unwrap();
    fs::write(folder.join("picture"), PNG).unwrap();
    fs::write(folder.join("doc.pdf"), "%PDF-1.7\nrest").unwrap();
    fs::write(folder.join("long"), "0123456789é".repeat(100_000)).unwrap();
    symlink("../secret", folder.join("up")).unwrap();
    symlink(whole.path().join("secret"), folder.join("away")).unwrap();
    symlink("sub/b.txt", folder.join("inside")).unwrap();
    nix::unistd::mkfifo(&folder.join("pipe"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    Place { home: Home::new(), _whole: whole, folder }
}

impl Place {
    fn read(&self, path: &str) -> Outcome {
        self.read_at(&json!({"path": path}))
    }

    fn read_at(&self, arguments: &serde_json::Value) -> Outcome {
        call(&self.home, &format!("files_read={}", self.folder.display()), arguments)
    }
}

#[test]
fn a_folder_is_listed_with_what_is_hidden() {
    let place = place();
    let name = format!("files_list={}", place.folder.display());
    let listed = call(&place.home, &name, &json!({})).ok().json();
    let entry = |name: &str| {
        let entries = listed["entries"].as_array().unwrap();
        entries.iter().find(|entry| entry["name"] == name).unwrap_or_else(|| panic!("{listed}")).clone()
    };
    assert_eq!(entry("a.md"), json!({"name": "a.md", "kind": "file", "size": 10}));
    assert_eq!(entry(".hidden")["kind"], "file");
    assert_eq!(entry("sub"), json!({"name": "sub", "kind": "folder"}));
    assert_eq!(entry("up")["kind"], "link");
    assert_eq!(entry("pipe")["kind"], "neither a file nor a folder");
    let below = call(&place.home, &name, &json!({"path": "sub"})).ok().json();
    assert_eq!(below["entries"][0]["name"], "b.txt");
    for outside in ["..", "/", "sub/../.."] {
        call(&place.home, &name, &json!({"path": outside})).exits(1).says(&["can't be listed"]);
    }
    fs::create_dir(place.folder.join("many")).unwrap();
    (0..1_200).for_each(|at| fs::write(place.folder.join(format!("many/{at:04}")), "").unwrap());
    let many = call(&place.home, &name, &json!({"path": "many"})).ok().json();
    assert_eq!(many["entries"].as_array().unwrap().len(), 1_000);
    assert_eq!(many["note"], "[cut: 1000 of 1200 entries]");
}

#[test]
fn a_file_is_read() {
    let place = place();
    assert_eq!(place.read("a.md").ok().stdout, "# Grüße\n");
    assert_eq!(place.read("./sub/b.txt").ok().stdout, "below\n");
    assert_eq!(place.read("inside").ok().stdout, "below\n");
    assert_eq!(place.read("empty").ok().stdout, "[the file is empty]\n");
    let picture = place.home.aimu([
        "tools",
        "call",
        &format!("files_read={}", place.folder.display()),
        "{\"path\": \"picture\"}",
        "--json",
    ]);
    assert_eq!(picture.run().ok().json()["output"][0]["media"]["mime_type"], "image/png");
    place.read("doc.pdf").exits(1).says(&["no text", "application/pdf"]);
    place.read("binary").exits(1).says(&["no text"]);
}

#[test]
fn a_long_file_is_read_in_pieces_that_fit_together() {
    let place = place();
    let whole = fs::read_to_string(place.folder.join("long")).unwrap();
    let (mut text, mut offset) = (String::new(), 0);
    // Every piece but the last says where the next begins.
    for limit in [65_536, 65_535, 7, 65_533] {
        let outcome = place.read_at(&json!({"path": "long", "offset": offset, "limit": limit})).ok();
        let (piece, note) = outcome.stdout.rsplit_once("\n[cut: ").unwrap();
        assert!(piece.len() <= limit && note.contains("of 1200000"), "{note}");
        text += piece;
        offset = note.trim_end().rsplit(' ').next().unwrap().trim_end_matches(']').parse().unwrap();
        assert_eq!(offset, text.len());
    }
    assert!(whole.starts_with(&text));
    place.read_at(&json!({"path": "long", "offset": 1_200_000})).exits(1).says(&["behind its end"]);
}

#[test]
fn nothing_beside_the_folder_is_read_and_nothing_waits() {
    let place = place();
    for path in ["../secret", "/etc/passwd", "up", "away", "sub/../../secret"] {
        let outcome = place.read(path).exits(1);
        assert!(!outcome.stderr.contains("the secret"), "{outcome:?}");
        outcome.says(&["can't be read"]);
    }
    for path in ["pipe", "sub"] {
        place.read(path).exits(1).says(&["is not a file"]);
    }
    place.read("nothing").exits(1).says(&["`nothing` can't be read"]);
}

#[test]
fn the_folder_has_to_be_named_and_to_be_there() {
    let home = Home::new();
    call(&home, "files_read", &json!({"path": "a"})).exits(2).says(&["-T files=FOLDER"]);
    call(&home, "files_read=/no/such/folder", &json!({"path": "a"})).exits(2).says(&["/no/such/folder"]);
    call(&home, "time_now=/", &json!({})).exits(2).says(&["-T files=FOLDER"]);
}
