//! Which source goes before which.

use super::{CANARY, answering, bearer, chat, configure, key, run, sent};
use crate::support::Home;
use crate::support::wires::MESSAGES;
use std::fs;

fn keep(home: &Home, name: &str, which: &str) {
    run(home, home.aimu(["keys", "set", name]).input(key(which) + "\n")).ok();
}

#[test]
fn the_configuration_goes_before_what_is_kept_and_that_before_the_environment() {
    let home = Home::fresh();
    let server = answering();
    let ask = |credential: &str| {
        configure(&home, &server, credential);
        run(&home, chat(&home).env("MINE_KEY", &key("configured")).env("OPENAI_API_KEY", &key("default")))
            .ok();
        sent(&server).pop().unwrap()
    };
    let configured = "{ source = { env = \"MINE_KEY\" }, required = true }";
    assert_eq!(ask(configured), bearer("configured"));
    keep(&home, "mine", "kept");
    assert_eq!(ask(configured), bearer("configured"));
    // What the configuration names is not there: what is kept under the instance's name, and nobody else's variable.
    assert_eq!(ask("{ source = { env = \"OTHER\" }, required = true }"), bearer("kept"));
    run(&home, home.aimu(["keys", "remove", "mine"])).ok();
    let outcome = run(&home, chat(&home).env("OPENAI_API_KEY", &key("default"))).exits(1);
    outcome.says(&["`mine` needs a key", "OTHER", "aimu-host keys set mine"]);
    // One key may serve an instance of another name, where its configuration says so.
    keep(&home, "shared", "shared");
    assert_eq!(ask("{ source = { keyring = \"shared\" }, required = true }"), bearer("shared"));
}

#[test]
fn a_kept_key_goes_before_the_variable_of_a_provider() {
    let home = Home::fresh();
    let server = crate::support::server::Server::answering(
        200,
        &[("content-type", "application/json")],
        MESSAGES.whole,
    );
    let ask = || {
        run(&home, MESSAGES.ask(&home, &server.url()).env(MESSAGES.key.0, &key("variable"))).ok();
        server.requests().pop().unwrap().header(MESSAGES.key.1).map(str::to_owned)
    };
    assert_eq!(ask(), Some(key("variable")));
    keep(&home, "anthropic", "kept");
    assert_eq!(ask(), Some(key("kept")));
    // Another provider's key is another's.
    run(&home, home.aimu(["keys", "remove", "anthropic"])).ok();
    keep(&home, "openai", "other");
    assert_eq!(ask(), Some(key("variable")));
}

#[test]
fn a_file_has_a_key_and_is_read_again_when_it_is_refused() {
    let home = Home::fresh();
    let path = home.data().join("planted.key");
    let server = {
        let path = path.clone();
        crate::support::server::Server::start(move |request, connection| {
            let headers = [("content-type", "application/json")];
            if request.header("authorization").is_some_and(|sent| sent.ends_with("-new")) {
                return connection.answer(200, &headers, crate::CHAT_COMPLETIONS.whole.as_bytes());
            }
            // Whoever writes such files writes them anew.
            fs::write(&path, key("new")).unwrap();
            connection.answer(401, &headers, br#"{"error":{"message":"expired"}}"#)
        })
    };
    configure(
        &home,
        &server,
        &format!("{{ source = {{ file = \"{}\" }}, required = true }}", path.display()),
    );
    run(&home, chat(&home)).exits(1).says(&["`mine` needs a key", "planted.key"]);
    fs::write(&path, key("old") + "\n").unwrap();
    let outcome = run(&home, chat(&home)).ok();
    assert_eq!(outcome.stdout, "Hello, world\n");
    assert_eq!(sent(&server), [bearer("old"), bearer("new")]);
    for (text, word) in [("a\nb", "several lines"), ("\n", "nothing")] {
        fs::write(&path, text).unwrap();
        run(&home, chat(&home)).exits(1).says(&["planted.key", word]);
    }
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn a_key_in_clear_text_goes_to_this_machine_alone() {
    let home = Home::fresh();
    let text = "[providers.mine]\nplugin = \"openai-compat\"\nbase-url = \"http://10.255.255.1:9/v1\"\n\
                credential = { source = { env = \"MINE_KEY\" } }\n";
    fs::write(home.data().join("config.toml"), text).unwrap();
    let outcome = run(&home, chat(&home).env("MINE_KEY", &key("x"))).exits(1);
    outcome.says(&["has no TLS", "clear text", "https"]);
}

#[test]
fn keys_of_several_fields_can_be_kept() {
    let home = Home::fresh();
    let server = answering();
    let model = format!("bedrock:m@{}", server.url());
    let ask = || run(&home, home.aimu(["chat", &model, "Hi", "--no-stream", "--retries", "0"]));
    keep(&home, "bedrock/access-key-id", "id");
    ask().exits(1).says(&["not whole", "aimu-host keys set bedrock/secret-access-key"]);
    keep(&home, "bedrock/secret-access-key", "secret");
    // The answer is of another wire; the request is what counts.
    ask();
    let authorization = sent(&server).pop().unwrap().unwrap();
    assert!(
        authorization.starts_with(&format!("AWS4-HMAC-SHA256 Credential=sk-{CANARY}-id/")),
        "{authorization}"
    );
}
