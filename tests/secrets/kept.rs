//! `aimu-host keys`: set, list, remove.

use super::{CANARY, answering, bearer, configure, key, run, search, sent};
use crate::support::Home;
use crate::support::terminal::Terminal;
use nix::sys::termios::{LocalFlags, tcgetattr};
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::PermissionsExt;

fn set(home: &Home, name: &str, which: &str) {
    run(home, home.aimu(["keys", "set", name]).input(key(which) + "\n")).ok();
}

fn listed(home: &Home, env: &[(&str, &str)]) -> Vec<Value> {
    let list =
        env.iter().fold(home.aimu(["keys", "list", "--json"]), |list, (name, value)| list.env(name, value));
    run(home, list).ok().json().as_array().unwrap().clone()
}

#[test]
fn keys_are_listed_with_who_uses_them() {
    let home = Home::fresh();
    home.install("asks");
    let server = answering();
    configure(&home, &server, "{ source = { command = \"planted-program --now\" } }");
    let nothing = listed(&home, &[]);
    let of_command =
        json!({ "name": "planted-program", "source": "command", "used_by": ["mine"], "not_allowed": [] });
    assert_eq!(nothing, std::slice::from_ref(&of_command));

    set(&home, "groq", "groq");
    set(&home, "nobody", "nobody");
    let told = run(&home, home.aimu(["keys", "set", "nobody"]).input(key("nobody"))).ok();
    assert!(told.stderr.contains("no provider uses"), "{told:?}");
    let groq_key = key("variable");
    let list =
        listed(&home, &[("ASKS_API_KEY", &groq_key), ("GROQ_API_KEY", &groq_key), ("HF_TOKEN", &groq_key)]);
    let entry = |name: &str, source: &str, used_by: &[&str], not_allowed: &[&str]| json!({ "name": name, "source": source, "used_by": used_by, "not_allowed": not_allowed });
    assert_eq!(
        list,
        [
            entry("groq", "keys-file", &["groq"], &[]),
            entry("nobody", "keys-file", &[], &[]),
            // The variable of groq is there, and not used.
            entry("ASKS_API_KEY", "environment", &[], &["asks"]),
            entry("HF_TOKEN", "environment", &["huggingface"], &[]),
            of_command,
        ]
    );
    let table = run(&home, home.aimu(["keys", "list"]).env("ASKS_API_KEY", &groq_key)).ok().stdout;
    let line = |name: &str| table.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
    assert!(line("groq").contains("keys.toml") && line("groq").ends_with("groq"), "{table}");
    assert!(
        line("nobody").ends_with("nothing") && line("ASKS_API_KEY").ends_with("asks (not allowed)"),
        "{table}"
    );

    run(&home, home.aimu(["plugins", "allow", "asks", "--yes"])).ok();
    set(&home, "asks", "asks");
    let list = listed(&home, &[]);
    assert!(list.contains(&entry("asks", "keys-file", &["asks"], &[])), "{list:?}");
}

#[test]
fn a_kept_key_is_the_users_alone_and_can_be_forgotten() {
    let home = Home::fresh();
    let file = home.data().join("keys.toml");
    set(&home, "groq", "one");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(fs::read_to_string(&file).unwrap().contains(&key("one")));
    let kept = run(&home, home.aimu(["keys", "set", "groq", "--json"]).input(key("two"))).ok().json();
    assert_eq!((&kept["ok"], &kept["source"]), (&json!(true), &json!("keys-file")));
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains(&key("two")) && !text.contains(&key("one")), "{text}");

    run(&home, home.aimu(["keys", "remove", "groq"])).ok();
    assert!(!fs::read_to_string(&file).unwrap().contains(CANARY));
    let outcome = run(&home, home.aimu(["keys", "remove", "groq", "--json"])).exits(2);
    assert_eq!(outcome.json()["error"]["kind"], "not-found");
    let leftovers: Vec<_> = fs::read_dir(home.data())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains("keys") && name != "keys.toml" && name != ".keys.toml.lock")
        .collect();
    assert!(leftovers.is_empty(), "{leftovers:?}");
}

#[test]
fn what_is_no_key_is_not_kept() {
    let home = Home::fresh();
    let set = |name: &str, input: String| run(&home, home.aimu(["keys", "set", name]).input(input)).exits(2);
    set("groq", " \n".to_owned()).says(&["nothing"]);
    set("groq", format!("{}\n{}\n", key("a"), key("b"))).says(&["several lines"]);
    set("groq", key("a").repeat(5000)).says(&["64 KiB"]);
    // The key in the place of the name.
    set(&format!("{}+/=x", key("a")), key("a")).says(&["has the name of its provider"]);
    // It is no argument.
    run(&home, home.aimu(["keys", "set", "groq", "the-key"])).exits(2);
    set("groq", "a".to_owned() + "\u{7}").says(&["characters"]);
    let keyring = home.aimu(["keys", "set", "groq", "--store", "keyring"]).input(key("a"));
    run(&home, keyring).exits(2).says(&["AIMU_HOST_HOME"]);
    assert!(!home.data().join("keys.toml").exists());
}

#[test]
fn a_file_that_others_can_read_or_that_is_damaged_is_not_used() {
    let home = Home::fresh();
    let server = answering();
    configure(&home, &server, "{ source = { keyring = \"mine\" }, required = true }");
    set(&home, "mine", "kept");
    run(&home, super::chat(&home)).ok();
    assert_eq!(sent(&server), [bearer("kept")]);
    let file = home.data().join("keys.toml");
    let mode = |mode| fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
    mode(0o644);
    run(&home, super::chat(&home)).exits(1).says(&["keys.toml", "chmod 600"]);
    run(&home, home.aimu(["keys", "list"])).exits(1).says(&["chmod 600"]);
    mode(0o600);
    let whole = fs::read_to_string(&file).unwrap();
    fs::write(&file, whole.replace("value", "vale")).unwrap();
    run(&home, super::chat(&home)).exits(1).says(&["keys.toml", "damaged"]);
    // It is not replaced either.
    run(&home, home.aimu(["keys", "set", "groq"]).input(key("x"))).exits(1).says(&["damaged"]);
    assert!(fs::read_to_string(&file).unwrap().contains("vale"));
    // Who needs no key is not held up.
    run(&home, home.aimu(["chat", "echo:echo", "Hi"])).ok();
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_key_is_typed_without_being_shown() {
    let home = Home::fresh();
    let mut terminal = Terminal::start(&home, &["keys", "set", "groq"], &[]);
    terminal.until("Key for groq: ");
    terminal.types(&format!("{}\n", key("typed")));
    let (code, seen) = terminal.end();
    assert_eq!(code, Some(0), "{seen}");
    assert!(seen.contains("is kept in") && !seen.contains(CANARY), "{seen}");
    assert!(fs::read_to_string(home.data().join("keys.toml")).unwrap().contains(&key("typed")));
    search(home.data());
    // Ctrl-C keeps nothing.
    let mut terminal = Terminal::start(&home, &["keys", "set", "mistral"], &[]);
    terminal.until("Key for mistral: ");
    terminal.types("half\u{3}");
    let screen = terminal.keyboard.try_clone().unwrap();
    let (code, seen) = terminal.end();
    // The terminal shows again what is typed next.
    assert!(tcgetattr(&screen).unwrap().local_flags.contains(LocalFlags::ECHO | LocalFlags::ICANON));
    assert_eq!(code, Some(130), "{seen}");
    assert!(!seen.contains("half"), "{seen}");
    assert!(!fs::read_to_string(home.data().join("keys.toml")).unwrap().contains("mistral"));
}

/// With the folders of a user, and no bus on which a keyring could be.
#[cfg(target_os = "linux")]
#[test]
fn without_a_keyring_the_file_has_it_and_that_is_said() {
    let home = Home::fresh();
    let config = home.data().join("config");
    let program = |arguments: &[&str]| {
        let program =
            home.aimu(arguments).env("AIMU_HOST_HOME", "").env("XDG_CONFIG_HOME", config.to_str().unwrap());
        program.env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/no/such/bus")
    };
    let kept = run(&home, program(&["keys", "set", "groq"]).input(key("x"))).ok();
    assert!(kept.stderr.contains("no keyring of this system can be reached"), "{kept:?}");
    let file = config.join("aimu-host/keys.toml");
    assert!(kept.stdout.contains(file.to_str().unwrap()), "{kept:?}");
    assert!(fs::read_to_string(&file).unwrap().contains(&key("x")));
    // Who wants the keyring gets no file instead.
    let refused =
        run(&home, program(&["keys", "set", "mistral", "--store", "keyring"]).input(key("y"))).exits(1);
    refused.says(&["mistral", "no keyring of this system"]);
    assert!(!fs::read_to_string(&file).unwrap().contains("mistral"));
    // A key that is named as one of the keyring, which is not there.
    let text = fs::read_to_string(&file).unwrap() + "\"mistral\" = { keyring = true }\n";
    fs::write(&file, text).unwrap();
    run(&home, program(&["chat", "mistral:m", "Hi"])).exits(1).says(&["`mistral`", "keyring"]);
}
