//! `plugins add` and `plugins remove`.

use super::{ALL, allow, denied, home, text};
use crate::support::guest;
use serde_json::json;
use std::fs;
use std::path::PathBuf;

fn files(folder: &std::path::Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

fn path(guest_name: &str) -> String {
    guest(guest_name).to_str().unwrap().to_owned()
}

#[test]
fn an_added_component_is_there_and_allowed_nothing() {
    let home = home(&[]);
    let told = home.aimu(["plugins", "add", &path("asks_more")]).default_plugins().run().ok();
    assert!(told.stdout.contains("https://collector.example"), "{told:?}");
    assert!(told.stdout.contains("aimu-host plugins allow asks"), "{told:?}");
    // In the user's own folder, under its id.
    assert_eq!(files(&home.data().join("plugins")), ["asks.wasm"]);
    home.aimu(["chat", "asks:x", "Hi"]).default_plugins().run().exits(1).says(&["plugins allow asks"]);
    home.aimu(["plugins", "allow", "asks", "--yes"]).default_plugins().run().ok();
    home.aimu(["chat", "asks:x", "Hi"]).default_plugins().run().ok();

    // A folder that is named is used instead.
    let added = home.aimu(["plugins", "add", &path("trap"), "--json"]).run().ok().json();
    assert_eq!((&added["id"], &added["grants"]["state"]), (&json!("trap"), &json!("nothing-asked")));
    assert_eq!(files(home.plugins()), ["trap.wasm"]);
}

#[test]
fn a_name_that_is_taken_is_refused() {
    let home = home(&["asks"]);
    fs::write(home.data().join("config.toml"), "[providers.trap]\nplugin = \"echo\"\n").unwrap();
    let other = home.data().join("other.wasm");
    fs::copy(guest("asks_more"), &other).unwrap();
    for (file, words) in [
        (path("poses_as_echo"), &["echo", "comes with the program"][..]),
        (path("trap"), &["trap", "config.toml"]),
        (other.to_str().unwrap().to_owned(), &["asks", "asks.wasm", "--replace"]),
        (path("asks"), &["asks"]),
    ] {
        home.aimu(["plugins", "add", &file]).run().exits(1).says(words);
        let failed = home.aimu(["plugins", "add", &file, "--json"]).run().exits(1).json();
        assert_eq!((&failed["ok"], &failed["error"]["kind"]), (&json!(false), &json!("denied")), "{failed}");
    }
    assert_eq!(files(home.plugins()), ["asks.wasm"]);
    // A file in its place that is something else is not written over.
    home.put("panic.wasm", b"mine");
    home.aimu(["plugins", "add", &path("panic")]).run().exits(1).says(&["panic.wasm", "--replace"]);
    assert_eq!(fs::read(home.plugins().join("panic.wasm")).unwrap(), b"mine");
}

#[test]
fn an_update_takes_the_place_of_the_one_before() {
    let home = home(&[]);
    // It need not have its id's name, and stays where it is.
    let place = home.put("my-name.wasm", &fs::read(guest("asks")).unwrap());
    allow(&home, &["--yes"]).ok();
    let update = home.data().join("update.wasm");
    fs::write(&update, super::changed("asks", 1)).unwrap();
    let update = update.to_str().unwrap();

    // Refused with the command that does it.
    let refused = home.aimu(["plugins", "add", update]).run().exits(1);
    let command = refused.stderr.split('`').find(|part| part.contains("plugins add")).unwrap();
    let words: Vec<&str> = command.split(' ').skip(1).chain(["--json"]).collect();
    let replaced = home.aimu(words).default_plugins().run().ok().json();
    assert_eq!(replaced["grants"]["state"], "allowed", "{replaced}");
    assert_eq!(files(home.plugins()), ["my-name.wasm"]);
    assert_eq!(fs::read(&place).unwrap(), super::changed("asks", 1));
    assert_eq!(text(&home), ALL);

    // One that asks for more is suspended, and the difference is shown.
    let told = home.aimu(["plugins", "add", &path("asks_more"), "--replace"]).run().ok().stdout;
    for word in ["suspended", "https://collector.example", "aimu-host plugins allow asks"] {
        assert!(told.contains(word), "{word} is not in {told}");
    }
    assert!(!told.contains("files.asks.example"), "{told}");
    assert!(denied(&home).contains("suspended"));

    // Where there is none, it is simply added; what is broken makes room, and what is another's does not.
    home.put("trap.wasm", b"broken");
    home.aimu(["plugins", "add", &path("trap"), "--replace"]).run().ok();
    home.aimu(["plugins", "add", &path("panic"), "--replace"]).run().ok();
    assert_eq!(files(home.plugins()), ["my-name.wasm", "panic.wasm", "trap.wasm"]);
    home.put("spin.wasm", &fs::read(guest("well_behaved")).unwrap());
    home.aimu(["plugins", "add", &path("spin"), "--replace"]).run().exits(1).says(&["well-behaved"]);
    home.aimu(["plugins", "add", &path("poses_as_echo"), "--replace"]).run().exits(1).says(&["echo"]);
    home.put("zz.wasm", &fs::read(guest("trap")).unwrap());
    home.aimu(["plugins", "add", &path("trap"), "--replace"]).run().exits(1).says(&["trap.wasm", "zz.wasm"]);
    // Nothing of where they came from is remembered.
    let remembered = fs::read_to_string(home.data().join("cache/files.json")).unwrap_or_default();
    assert!(!remembered.contains(update), "{remembered}");
}

#[test]
fn what_is_no_provider_is_not_added() {
    let home = home(&[]);
    let text: PathBuf = home.data().join("text\u{1b}[2J.wasm");
    fs::write(&text, "no component").unwrap();
    for file in [text.to_str().unwrap(), &path("describe_lies"), "/nowhere/at-all.wasm"] {
        let outcome = home.aimu(["plugins", "add", file]).run().exits(1);
        assert!(!outcome.stderr.contains('\u{1b}'), "{outcome:?}");
        assert!(files(home.plugins()).is_empty(), "something is left");
        assert!(!outcome.stderr.contains(".adding-"), "the name of a copy: {outcome:?}");
        let name =
            std::path::Path::new(file).file_stem().unwrap().to_str().unwrap().split('\u{1b}').next().unwrap();
        outcome.says(&[name]);
    }
}

#[test]
fn removed_is_removed_with_its_grants() {
    let home = home(&["asks"]);
    allow(&home, &["--yes"]).ok();
    assert_eq!(text(&home), ALL);
    let removed = home.aimu(["plugins", "remove", "asks", "--json"]).run().ok().json();
    assert!(removed["file"].as_str().unwrap().ends_with("asks.wasm"), "{removed}");
    assert!(files(home.plugins()).is_empty());
    home.install("asks");
    denied(&home);
    home.aimu(["plugins", "remove", "nowhere"]).run().exits(2).says(&["nowhere"]);
    home.aimu(["plugins", "remove", "echo"]).run().exits(2).says(&["comes with the program"]);
}

#[test]
fn broken_and_refused_components_can_be_removed() {
    let home = home(&["asks", "describe_traps", "describe_lies", "poses_as_echo"]);
    home.put("broken.wasm", b"no component");
    fs::copy(guest("asks"), home.plugins().join("zz.wasm")).unwrap();
    for name in ["broken", "describe_traps", "describe_lies", "poses_as_echo.wasm"] {
        home.aimu(["plugins", "remove", name]).run().ok();
    }
    // Two files with one id: which one is meant has to be said.
    allow(&home, &["--yes"]).ok();
    home.aimu(["plugins", "remove", "asks"]).run().exits(2).says(&["asks.wasm", "zz.wasm"]);
    let second = home.plugins().join("zz.wasm");
    home.aimu(["plugins", "remove", second.to_str().unwrap()]).run().ok();
    assert_eq!(files(home.plugins()), ["asks.wasm"]);
    // The other one keeps what it was allowed.
    assert_eq!(text(&home), ALL);
}
