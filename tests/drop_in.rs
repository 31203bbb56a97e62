//! A component that is copied into the plugin folder is there: listed, asked, with nothing rebuilt. What is no such
//! component is told with what to do, and keeps nobody else from working.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use serde_json::{Value, json};
use std::fs;
use support::Home;
use support::program::Outcome;
use support::server::Server;

fn server() -> Server {
    Server::start(|request, connection| match request.path.as_str() {
        "/models" => connection.answer(
            200,
            &[("content-type", "application/json")],
            br#"["known","fresh-from-the-server"]"#,
        ),
        "/chat" => {
            connection.stream()?;
            connection.chunk("data: Good \n\ndata:  day\n\n")?;
            connection.chunk("data: .\n\n")?;
            connection.end()
        }
        _ => connection.answer(404, &[], b""),
    })
}

/// The guest's own name for the contract's version, replaced: a component of another contract.
fn of_another_contract(version: &str) -> Vec<u8> {
    let mut bytes = fs::read(support::guest("well_behaved")).unwrap();
    let own = b"@0.1.0";
    assert_eq!(version.len(), own.len());
    let mut replaced = 0;
    for at in 0..bytes.len() - own.len() {
        let before = &bytes[at.saturating_sub(30)..at];
        if bytes[at..].starts_with(own) && before.windows(14).any(|window| window == b"aimu:provider/") {
            bytes[at..at + own.len()].copy_from_slice(version.as_bytes());
            replaced += 1;
        }
    }
    assert!(replaced >= 3, "the component names its contract {replaced} times");
    bytes
}

#[test]
fn a_copied_component_is_listed_and_chats() {
    let home = Home::new();
    let before = home.aimu(["plugins", "list"]).run().ok();
    assert!(!before.stdout.contains("well-behaved"));

    let file = home.install("well_behaved");
    let list = home.aimu(["plugins", "list"]).run().ok();
    assert!(list.stdout.contains("well-behaved") && list.stdout.contains("echo"), "{list:?}");

    let models = home.aimu(["models", "--provider", "well-behaved"]).run().ok();
    assert!(models.stdout.contains("well-behaved:known"), "{models:?}");

    let server = server();
    let model = format!("well-behaved:known@{}", server.url());
    let chat = home.aimu(["chat", &model, "Hello", "--allow"]).run().ok();
    assert_eq!(chat.stdout, "Good  day\n");
    assert_eq!(server.request().json(), json!({ "model": "known", "messages": 1 }));

    // Gone again with its file.
    fs::remove_file(file).unwrap();
    let after = home.aimu(["plugins", "list"]).run().ok();
    assert!(!after.stdout.contains("well-behaved"));
    home.aimu(["chat", &model, "Hello", "--allow"]).run().exits(2).says(&["well-behaved", "echo"]);
}

#[test]
fn a_new_component_under_the_same_name_is_noticed() {
    let home = Home::new();
    home.install("panic");
    home.aimu(["chat", "panic:x", "Hi"]).run().exits(1);
    fs::copy(support::guest("trap"), home.plugins().join("panic.wasm")).unwrap();
    home.aimu(["chat", "panic:x", "Hi"]).run().exits(2);
    home.aimu(["chat", "trap:x", "Hi"]).run().exits(1).says(&["trap"]);
}

#[test]
fn the_folder_plugins_is_the_default() {
    let home = Home::new();
    let here = tempfile::tempdir().unwrap();
    fs::create_dir(here.path().join("plugins")).unwrap();
    fs::copy(support::guest("well_behaved"), here.path().join("plugins/any-name.wasm")).unwrap();
    let list = home.aimu(["plugins", "list"]).default_plugins().in_folder(here.path()).run().ok();
    assert!(list.stdout.contains("well-behaved"), "{list:?}");
    // Not below it, and nothing of another ending.
    fs::create_dir(here.path().join("plugins/deeper")).unwrap();
    fs::rename(here.path().join("plugins/any-name.wasm"), here.path().join("plugins/deeper/any.wasm"))
        .unwrap();
    fs::copy(support::guest("trap"), here.path().join("plugins/trap.wasm.old")).unwrap();
    let list = home.aimu(["plugins", "list"]).default_plugins().in_folder(here.path()).run().ok();
    assert!(!list.stdout.contains("well-behaved") && !list.stdout.contains("trap"), "{list:?}");
}

#[test]
fn several_folders_can_be_named() {
    let home = Home::with(&["well_behaved"]);
    let other = Home::with(&["trap"]);
    let list = home.aimu(["plugins", "list", "--plugins", other.plugins().to_str().unwrap()]).run().ok();
    assert!(list.stdout.contains("well-behaved") && list.stdout.contains("trap"), "{list:?}");
}

#[test]
fn the_servers_models_are_asked_for_with_refresh_only() {
    let home = Home::with(&["well_behaved"]);
    let config = home.data().join("config.toml");
    assert!(!config.exists(), "no test writes one");
    let cached = home.aimu(["models", "--provider", "well-behaved", "--json"]).run().ok();
    let ids = |outcome: &Outcome| outcome.json().to_string();
    assert!(ids(&cached).contains("known") && !ids(&cached).contains("fresh-from-the-server"));
}

#[test]
fn inspect_tells_what_a_file_is() {
    let home = Home::new();
    let path = support::guest("well_behaved");
    let file = path.to_str().unwrap();
    let told = home.aimu(["plugins", "inspect", file]).run().ok();
    for word in ["well-behaved", "aimu:provider", "0.1.0", "wasi:http", "WELL_BEHAVED_API_KEY"] {
        assert!(told.stdout.contains(word), "{word} is missing: {told:?}");
    }
    let told = home.aimu(["plugins", "inspect", file, "--json"]).run().ok().json();
    let digest = told["sha256"].as_str().or_else(|| told["digest"].as_str()).unwrap_or_default();
    assert!(digest.trim_start_matches("sha256:").len() == 64, "{told}");
    assert_eq!(told["size"], json!(fs::metadata(&path).unwrap().len()), "{told}");
    assert!(told.to_string().contains("aimu:provider"), "{told}");
}

/// Files that are no providers, with what must be said about each.
fn misfits() -> Vec<(&'static str, Vec<u8>, &'static [&'static str])> {
    let whole = fs::read(support::guest("well_behaved")).unwrap();
    let middle = whole.len() / 2;
    let mut flipped = whole.clone();
    flipped[middle..middle + 64].fill(0xff);
    vec![
        ("text.wasm", b"this is no wasm".to_vec(), &["not"]),
        ("empty.wasm", Vec::new(), &["empty"]),
        ("module.wasm", b"\0asm\x01\0\0\0".to_vec(), &["module", "component"]),
        ("bare.wasm", b"\0asm\x0d\0\x01\0".to_vec(), &["aimu:provider"]),
        ("cut.wasm", whole[..middle].to_vec(), &["cut off"]),
        ("cut-in-the-head.wasm", whole[..6].to_vec(), &[]),
        ("flipped.wasm", flipped, &[]),
        ("newer.wasm", of_another_contract("@0.9.0"), &["0.9.0", "0.1.0"]),
        ("major.wasm", of_another_contract("@7.1.0"), &["7.1.0", "0.1.0"]),
    ]
}

#[test]
fn misfits_are_told_and_the_others_work() {
    let home = Home::with(&["well_behaved"]);
    for (name, bytes, _) in misfits() {
        home.put(name, &bytes);
    }
    let list = home.aimu(["plugins", "list"]).run().ok();
    let told = format!("{}{}", list.stdout, list.stderr);
    assert!(list.stdout.contains("well-behaved") && list.stdout.contains("echo"), "{list:?}");
    for (name, _, _) in misfits() {
        assert!(told.contains(name), "{name} is not listed: {told}");
    }
    let server = server();
    let model = format!("well-behaved:known@{}", server.url());
    assert_eq!(home.aimu(["chat", &model, "Hello", "--allow"]).run().ok().stdout, "Good  day\n");
    assert_eq!(home.aimu(["chat", "echo:echo", "Hello"]).run().ok().stdout, "Hello\n");
    // In JSON each has its reason.
    let json = home.aimu(["plugins", "list", "--json"]).run().ok().json().to_string();
    for (name, _, _) in misfits() {
        assert!(json.contains(name), "{name} is not in {json}");
    }
}

#[test]
fn inspect_says_what_is_wrong_with_a_file() {
    for (name, bytes, words) in misfits() {
        let home = Home::new();
        let path = home.put(name, &bytes);
        let outcome = home.aimu(["plugins", "inspect", path.to_str().unwrap()]).run().exits(1);
        outcome.says(&[words, &[name]].concat());
    }
    let home = Home::new();
    home.aimu(["plugins", "inspect", "/nowhere/at-all.wasm"]).run().exits(1).says(&["/nowhere/at-all.wasm"]);
}

#[test]
fn two_files_with_one_id() {
    let home = Home::with(&["well_behaved"]);
    fs::copy(support::guest("well_behaved"), home.plugins().join("zz-copy.wasm")).unwrap();
    let list = home.aimu(["plugins", "list"]).run().ok();
    let told = format!("{}{}", list.stdout, list.stderr);
    assert!(told.contains("well_behaved.wasm") && told.contains("zz-copy.wasm"), "{told}");
    assert_eq!(home.aimu(["chat", "echo:echo", "Hello"]).run().ok().stdout, "Hello\n");
}

#[test]
fn a_shipped_name_is_not_taken() {
    let home = Home::with(&["poses_as_echo"]);
    assert_eq!(home.aimu(["chat", "echo:echo", "Hello"]).run().ok().stdout, "Hello\n");
    let list = home.aimu(["plugins", "list"]).run().ok();
    let told = format!("{}{}", list.stdout, list.stderr);
    assert!(told.contains("poses_as_echo.wasm"), "nobody is told why it does not answer: {told}");
}

#[test]
fn a_folder_that_cannot_be_read() {
    let home = Home::new();
    let missing = home.plugins().join("missing");
    let outcome = home
        .aimu(["chat", "echo:echo", "Hello", "--plugins", missing.to_str().unwrap()])
        .default_plugins()
        .run();
    // A folder that was named and is not there is worth a word; what works goes on.
    assert!(format!("{}{}", outcome.stdout, outcome.stderr).contains("missing"), "{outcome:?}");
    let file = home.put("file", b"no folder");
    let outcome = home.aimu(["plugins", "list", "--plugins", file.to_str().unwrap()]).default_plugins().run();
    assert!(format!("{}{}", outcome.stdout, outcome.stderr).contains("file"), "{outcome:?}");

    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let closed = home.plugins().join("closed");
        fs::create_dir(&closed).unwrap();
        fs::set_permissions(&closed, fs::Permissions::from_mode(0o000)).unwrap();
        if fs::read_dir(&closed).is_ok() {
            return support::skip("a folder without permission", "this user may read everything");
        }
        let outcome = home.aimu(["chat", "echo:echo", "Hello", "--plugins", closed.to_str().unwrap()]).run();
        assert_eq!(outcome.stdout, "Hello\n", "{outcome:?}");
        outcome.says(&["closed"]);
    }
}

#[test]
fn the_cache_is_private_and_no_way_in() {
    let home = Home::fresh();
    home.install("well_behaved");
    home.aimu(["plugins", "list"]).run().ok();
    home.aimu(["chat", "echo:echo", "Hello"]).run().ok();
    let files = files(home.data());
    assert!(!files.is_empty());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let cache = files.iter().max_by_key(|path| fs::metadata(path).unwrap().len()).unwrap();
        let folder = fs::metadata(cache.parent().unwrap()).unwrap().permissions().mode();
        assert_eq!(folder & 0o077, 0, "{} is open to others", cache.parent().unwrap().display());
    }
    // Spoilt files of the cache are made again, not run.
    for file in &files {
        let length = fs::metadata(file).unwrap().len() as usize;
        fs::write(file, vec![0x90; length / 2]).unwrap();
    }
    assert_eq!(home.aimu(["chat", "echo:echo", "Hello"]).run().ok().stdout, "Hello\n");
    // Code that was compiled before is not taken from the drop zone.
    let compiled = files.iter().max_by_key(|path| fs::metadata(path).unwrap().len()).unwrap();
    fs::copy(compiled, home.plugins().join("compiled.wasm")).unwrap();
    let list = home.aimu(["plugins", "list"]).run().ok();
    assert!(format!("{}{}", list.stdout, list.stderr).contains("compiled.wasm"), "{list:?}");
}

fn files(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

#[test]
fn wrong_model_strings() {
    let home = Home::new();
    for (model, words) in [
        ("", &["provider:model"][..]),
        ("echo", &["echo:"]),
        (":echo", &["provider"]),
        ("echo:", &["echo:"]),
        ("nowhere:x", &["nowhere", "echo", "anthropic"]),
        ("ecko:echo", &["ecko", "echo"]),
        ("Echo:echo", &["echo"]),
        ("echo:no-such-model", &["no-such-model", "echo", "think"]),
        ("echo:echo;tools", &["flags"]),
        ("anthropic:some-new-model;telepathy", &["telepathy", "tools", "vision"]),
        ("echo:echo@http://127.0.0.1:1", &["base URL"]),
        ("openai-compat:x", &["base URL", "@http"]),
        ("openai-compat:x@http://", &["http://"]),
        ("openai-compat:x@ftp://127.0.0.1", &["base URL"]),
    ] {
        let outcome = home.aimu(["chat", model, "Hi"]).run();
        assert!(outcome.code == Some(2) || outcome.code == Some(1), "{model:?}: {outcome:?}");
        outcome.says(words);
        assert!(outcome.stdout.is_empty(), "{outcome:?}");
    }
}

#[test]
fn wrong_request_documents() {
    let home = Home::new();
    let messages = json!([{ "role": "user", "content": "Hi" }]);
    for (document, words) in [
        (String::new(), &["JSON"][..]),
        ("{".into(), &["JSON"]),
        ("[]".into(), &["object"]),
        (json!({ "messages": messages, "mesages": [] }).to_string(), &["mesages"]),
        (json!({ "messages": "Hi" }).to_string(), &["messages"]),
        (json!({ "messages": [{ "role": "wizard", "content": "Hi" }] }).to_string(), &["wizard"]),
        (json!({ "messages": [{ "content": "Hi" }] }).to_string(), &["role"]),
        (json!({ "messages": messages, "options": { "temperature": "hot" } }).to_string(), &["temperature"]),
        (json!({ "messages": messages, "tools": [{ "type": "function" }] }).to_string(), &["tools"]),
        (json!({ "messages": messages, "stream": "yes" }).to_string(), &["stream"]),
        (json!({ "messages": messages, "options": { "n": 2 } }).to_string(), &["n"]),
        (
            json!({ "messages": [{ "role": "user", "content": [{ "type": "smell", "smell": "roses" }] }] })
                .to_string(),
            &["smell"],
        ),
    ] {
        let outcome = home.aimu(["chat", "echo:echo", "--request", "-"]).input(document.as_str()).run();
        assert!(outcome.code == Some(2) || outcome.code == Some(1), "{document}: {outcome:?}");
        outcome.says(words);
        // With --json the result is an object all the same.
        let outcome =
            home.aimu(["chat", "echo:echo", "--request", "-", "--json"]).input(document.as_str()).run();
        let error: Value = outcome.json()["error"].clone();
        assert_eq!(error["kind"], "invalid-request", "{document}: {outcome:?}");
    }
    let outcome = home.aimu(["chat", "echo:echo", "--request", "/nowhere.json"]).run();
    assert_ne!(outcome.code, Some(0));
    outcome.says(&["/nowhere.json"]);
}
