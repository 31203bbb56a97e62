//! `plugins lock` and `--locked`: a lock file restricts, and never grants.

use super::{ALL, KEY, NONE, allow, changed, exchange, home};
use crate::support::program::Outcome;
use crate::support::{Home, guest};
use serde_json::json;
use std::fs;
use std::path::PathBuf;

fn locked(home: &Home, option: &str) -> Outcome {
    home.aimu(["chat", "asks:x", "--request", "-", "--json", option])
        .env(KEY.0, KEY.1)
        .input(r#"{"messages":[{"role":"user","content":"Hi"}]}"#)
        .run()
}

/// Programs of these tests run in the home's folder, so the default lock file is there.
fn file(home: &Home) -> PathBuf {
    home.data().join("plugins.lock")
}

#[test]
fn what_stands_in_it_runs_and_nothing_else() {
    let home = home(&["asks", "well_behaved"]);
    allow(&home, &["--yes"]).ok();
    let written = home.aimu(["plugins", "lock"]).run().ok();
    assert!(written.stdout.contains("asks") && written.stdout.contains("well-behaved"), "{written:?}");
    let text = fs::read_to_string(file(&home)).unwrap();
    for word in
        ["id = \"asks\"", "sha256 = ", "https://files.asks.example", "\"api-key\"", "source = \"asks.wasm\""]
    {
        assert!(text.contains(word), "{word} is not in {text}");
    }
    assert!(!text.contains(home.plugins().to_str().unwrap()), "a path of this machine is in {text}");
    assert_eq!(locked(&home, "--locked").ok().json()["text"], ALL);
    // It is written alike again, which a repository wants.
    home.aimu(["plugins", "lock", "--json"]).run().ok();
    assert_eq!(fs::read_to_string(file(&home)).unwrap(), text);

    // Other bytes, even those that would keep their grant.
    exchange(&home, &changed("asks", 1));
    let message = locked(&home, "--locked").failed(&["denied"])["error"]["message"].to_string();
    assert!(message.contains("lock file") && message.contains("plugins lock"), "{message}");
    let list = home.aimu(["plugins", "list", "--locked"]).run().ok();
    assert!(list.stdout.contains("asks can't be used") && list.stdout.contains("well-behaved"), "{list:?}");
    assert_eq!(super::text(&home), ALL);
    // `--allow` allows what is asked for, not who.
    let allowed = home.aimu(["chat", "asks:x", "Hi", "--locked", "--allow"]).run().exits(1);
    allowed.says(&["lock file"]);
    // What comes with the program is not restricted.
    assert_eq!(home.aimu(["chat", "echo:echo", "Hi", "--locked"]).run().ok().stdout, "Hi\n");
    // One that was added stands in none.
    home.install("trap");
    home.aimu(["chat", "trap:early", "Hi", "--locked"]).run().exits(1).says(&["lock file", "trap"]);
}

#[test]
fn it_grants_nothing() {
    let home = home(&["asks"]);
    allow(&home, &["--yes"]).ok();
    home.aimu(["plugins", "lock", "--output", "team.lock"]).run().ok();
    home.aimu(["plugins", "revoke", "asks"]).run().ok();
    let team = "--locked=team.lock";
    let message = locked(&home, team).failed(&["denied"])["error"]["message"].to_string();
    assert!(message.contains("plugins allow asks"), "{message}");
    // For this run, the user says so.
    let once = home.aimu(["chat", "asks:x", "Hi", team, "--allow"]).env(KEY.0, KEY.1).run().ok();
    assert_eq!(once.stdout.trim(), ALL);
}

#[test]
fn it_takes_away_what_it_does_not_state() {
    let home = home(&["asks"]);
    allow(&home, &["--origin", "https://api.asks.example"]).ok();
    home.aimu(["plugins", "lock"]).run().ok();
    allow(&home, &["--yes"]).ok();
    assert_eq!(super::text(&home), ALL);
    assert_eq!(locked(&home, "--locked").ok().json()["text"], NONE);
    let text = fs::read_to_string(file(&home)).unwrap();
    fs::write(file(&home), text.replace("https://api.asks", "https://other.asks")).unwrap();
    let message = locked(&home, "--locked").failed(&["denied"])["error"]["message"].to_string();
    assert!(message.contains("does not state https://api.asks.example"), "{message}");
}

#[test]
fn a_lock_file_that_is_none() {
    let home = home(&["asks"]);
    home.aimu(["chat", "echo:echo", "Hi", "--locked"]).run().exits(1).says(&["plugins.lock", "plugins lock"]);
    fs::write(file(&home), "[package]\nname = \"\u{1b}[2J\"\n").unwrap();
    let outcome = home.aimu(["plugins", "list", "--locked"]).run().exits(1);
    assert!(!outcome.stderr.contains('\u{1b}'), "{outcome:?}");
    outcome.says(&["plugins.lock", "damaged"]);
    // Nor is it replaced.
    home.aimu(["plugins", "lock"]).run().exits(1).says(&["not replaced"]);
    // Without the option, nobody looks at it.
    home.aimu(["plugins", "list"]).run().ok();
}

#[test]
fn broken_components_are_left_out() {
    let home = home(&["asks"]);
    home.put("broken.wasm", b"no component");
    fs::copy(guest("asks"), home.plugins().join("zz.wasm")).unwrap();
    let written = home.aimu(["plugins", "lock", "--json"]).run().ok();
    assert!(written.stderr.contains("broken.wasm") && written.stderr.contains("zz.wasm"), "{written:?}");
    let lock = written.json();
    assert_eq!(lock["plugin"].as_array().unwrap().len(), 1, "{lock}");
    assert_eq!((&lock["plugin"][0]["id"], &lock["plugin"][0]["origins"]), (&json!("asks"), &json!([])));
}
