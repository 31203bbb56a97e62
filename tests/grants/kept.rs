//! Where grants are kept: for the user alone, never damaged, never lost.

use super::{ALL, allow, chat, denied, home, text};
use crate::support::{Home, guest};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::thread;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn the_file_is_the_users_alone() {
    let home = home(&["asks"]);
    // A configuration folder that is not there yet.
    let fresh = home.data().join("new/home");
    let fresh = fresh.to_str().unwrap();
    home.aimu(["plugins", "allow", "asks", "--yes"]).env("AIMU_HOST_HOME", fresh).run().ok();
    let file = Path::new(fresh).join("grants.toml");
    assert_eq!((mode(&file), mode(file.parent().unwrap())), (0o600, 0o700));
    let kept = fs::read_to_string(&file).unwrap();
    for word in ["plugin = \"asks\"", "sha256 = ", "https://api.asks.example", "asks.wasm", "allowed = \"20"]
    {
        assert!(kept.contains(word), "{word} is not in {kept}");
    }
    // Nothing is beside the component.
    let beside: Vec<_> =
        fs::read_dir(home.plugins()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(beside, ["asks.wasm"]);
}

#[track_caller]
fn refuses(home: &Home, word: &str) {
    let file = home.data().join("grants.toml");
    let before = fs::read(&file).unwrap();
    let message = denied(home);
    assert!(message.contains("grants.toml") && message.contains(word), "{message}");
    allow(home, &["--yes"]).exits(1).says(&["grants.toml", word]);
    home.aimu(["plugins", "revoke", "asks"]).run().exits(1).says(&["grants.toml", word]);
    assert_eq!(fs::read(&file).unwrap(), before, "it was replaced");
    // The others work, and the listing says what is wrong.
    assert_eq!(home.aimu(["chat", "echo:echo", "Hi"]).run().ok().stdout, "Hi\n");
    let list = home.aimu(["plugins", "list"]).run().ok();
    assert!(list.stdout.contains("asks") && list.stderr.contains(word), "{list:?}");
    // It has no say where nothing of it is needed.
    home.aimu(["chat", "asks:x", "Hi", "--allow"]).run().ok();
}

#[test]
fn a_damaged_file_is_told_and_left_alone() {
    let home = home(&["asks"]);
    let file = home.data().join("grants.toml");
    allow(&home, &["--yes"]).ok();
    let whole = fs::read_to_string(&file).unwrap();
    for (text, word) in [
        (String::new(), "damaged"),
        ("everything = true".to_owned(), "damaged"),
        (whole[..whole.len() / 2].to_owned(), "damaged"),
        (whole.replace("[grant.granted]", "[grant.granted]\neverything = true"), "damaged"),
        (whole.replace("version = 1", "version = 9"), "form 9"),
    ] {
        fs::write(&file, text).unwrap();
        refuses(&home, word);
    }
    fs::write(&file, whole).unwrap();
    assert_eq!(text(&home), ALL);
}

#[test]
fn a_file_that_others_can_write_is_not_believed() {
    let home = home(&["asks"]);
    let file = home.data().join("grants.toml");
    allow(&home, &["--yes"]).ok();
    for bad in [0o666, 0o620] {
        set_mode(&file, bad);
        refuses(&home, "chmod 600");
    }
    set_mode(&file, 0o600);
    set_mode(home.data(), 0o777);
    refuses(&home, "chmod 700");
    set_mode(home.data(), 0o700);
    // A link may lead to what somebody else writes.
    let elsewhere = home.data().join("elsewhere.toml");
    fs::rename(&file, &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &file).unwrap();
    refuses(&home, "link");
    fs::remove_file(&file).unwrap();
    fs::rename(&elsewhere, &file).unwrap();
    assert_eq!(text(&home), ALL);
}

#[test]
fn grants_at_the_same_time_lose_nothing() {
    let home = home(&["asks", "well_behaved", "takes_keys"]);
    // Compiled before, so that the programs meet at the file.
    home.aimu(["plugins", "list"]).run().ok();
    let one = ["asks", "--origin", "https://files.asks.example"];
    let two = ["asks", "--origin", "https://api.asks.example"];
    let three = ["asks", "--credential", "api-key"];
    thread::scope(|scope| {
        for words in [&one[..], &two, &three, &["well-behaved", "--yes"], &["takes-keys", "--yes"]] {
            let home = &home;
            scope.spawn(move || {
                home.aimu(["plugins", "allow"].iter().chain(words)).run().ok();
            });
        }
    });
    let all = home.aimu(["plugins", "list", "--json"]).run().ok().json();
    for id in ["asks", "well-behaved", "takes-keys"] {
        let plugin = all.as_array().unwrap().iter().find(|plugin| plugin["id"] == id).unwrap();
        assert_eq!(plugin["grants"]["state"], "allowed", "{plugin}");
    }
}

#[test]
fn grants_that_can_not_be_written_hold_for_the_run() {
    let home = home(&["asks"]);
    allow(&home, &["--yes"]).ok();
    let mut bytes = fs::read(guest("asks")).unwrap();
    bytes.extend([0, 3, 1, b'x', 7]);
    home.put("asks.wasm", &bytes);
    // The lock's place is taken, as in a folder that can't be written.
    let lock = home.data().join(".grants.toml.lock");
    fs::remove_file(&lock).unwrap();
    fs::create_dir(&lock).unwrap();
    let outcome = chat(&home).ok();
    assert_eq!(outcome.json()["text"], ALL);
    assert!(outcome.stderr.contains("for this run"), "{outcome:?}");
    allow(&home, &["--credential", "api-key"]).ok();
    home.aimu(["plugins", "revoke", "asks"]).run().exits(1).says(&["grants.toml"]);
}
