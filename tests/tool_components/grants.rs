//! What components of tools may use: as providers, nothing until it is allowed, for the bytes that were seen.

use super::{exchange, home, host, run, says, tool, with};
use crate::support::server::Server;
use crate::support::{Home, changed, guest};
use aimu_host::{FailureKind, Host};
use serde_json::{Value, json};
use std::fs;

const KEY: (&str, &str) = ("TOOL_ASKS_KEY", "sk-test-55d0b1c2");

fn page() -> Server {
    Server::answering(200, &[("content-type", "text/plain")], "the page")
}

fn state(home: &Home, id: &str) -> Value {
    let all = home.aimu(["plugins", "list", "--json"]).run().ok().json();
    all.as_array().unwrap().iter().find(|plugin| plugin["id"] == id).unwrap()["grants"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_fetched_from_a_server_that_was_allowed() {
    let home = with("aimu-tool-fetch");
    let (host, server, other) = (host(&home), page(), page());
    // Nobody has decided: the source says so, with the command.
    let failure = host.tools_of("fetch").await.err().unwrap();
    assert_eq!(failure.kind, FailureKind::Denied, "{failure:?}");
    for word in ["any server", "aimu-host plugins allow fetch", "--origin"] {
        assert!(failure.message.contains(word), "{word} is not in: {failure:?}");
    }
    home.aimu(["plugins", "allow", "fetch", "--origin", "not an origin"]).run().exits(2);
    let told = home.aimu(["plugins", "allow", "fetch", "--origin", &server.url()]).run().ok();
    assert!(
        told.stdout.contains(&server.url()) && told.stdout.contains("any server of the internet"),
        "{told:?}"
    );
    assert_eq!(state(&home, "fetch")["state"], "partly-allowed");

    let fetch = tool(&host, "fetch", "page").await;
    assert_eq!(says(&fetch, json!({"url": format!("{}/a?b=c", server.url())})).await, "the page");
    assert_eq!(server.request().path, "/a?b=c");

    // Another is refused with the command that allows it, and that command does.
    let there = json!({"url": other.url()});
    let failure = run(&fetch, there.clone()).await.unwrap_err();
    assert!(failure.contains(&format!("{} is not granted", other.url())), "{failure}");
    let command = failure.split('`').find(|part| part.starts_with("aimu-host plugins allow")).unwrap();
    assert!(command.ends_with(&format!("--origin {}", other.url())), "{command}");
    home.aimu(command.split(' ').skip(1)).default_plugins().run().ok();
    assert_eq!(says(&fetch, there.clone()).await, "the page");

    // Taken back, it is so at once.
    home.aimu(["plugins", "revoke", "fetch"]).run().ok();
    assert!(run(&fetch, there).await.unwrap_err().contains("aimu-host plugins allow fetch"));
    assert_eq!((server.requests().len(), other.requests().len()), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn any_server_is_none_of_this_machine() {
    let home = with("aimu-tool-fetch");
    let (host, server) = (host(&home), page());
    home.aimu(["plugins", "allow", "fetch", "--yes"]).run().ok();
    assert_eq!(state(&home, "fetch")["state"], "allowed");
    let fetch = tool(&host, "fetch", "page").await;
    for (url, word) in [
        (server.url(), "--origin http://127.0.0.1"),
        ("http://[::1]:9/".to_owned(), "of this machine"),
        ("http://192.168.0.1/".to_owned(), "of this machine"),
        ("http://169.254.169.254/latest/meta-data".to_owned(), "can't be granted"),
        ("file:///etc/passwd".to_owned(), "not an http or https URL"),
        (server.url().replace("127.0.0.1", "localhost"), "refused"),
    ] {
        let failure = run(&fetch, json!({"url": url})).await.expect_err(&url);
        assert!(failure.contains(word), "{url}: {failure}");
    }
    assert!(server.requests().is_empty());
    // Named, it is.
    home.aimu(["plugins", "allow", "fetch", "--origin", &server.url()]).run().ok();
    assert_eq!(says(&fetch, json!({"url": server.url()})).await, "the page");
    // And stays so for a new build that asks for the same.
    let bytes =
        [fs::read(crate::support::example("aimu-tool-fetch")).unwrap(), vec![0, 3, 1, b'x', 1]].concat();
    exchange(&home.plugins().join("tool.wasm"), &bytes);
    host.reload().await;
    assert_eq!(says(&fetch, json!({"url": server.url()})).await, "the page");
    let failure = run(&fetch, json!({"url": page().url()})).await.unwrap_err();
    assert!(failure.contains("of this machine"), "{failure}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_added_on_the_way_and_is_never_seen() {
    let home = home(&["tool_asks"]);
    let server = Server::start(|request, connection| {
        let key = request.header("authorization").unwrap_or("none").to_owned();
        connection.answer(200, &[("content-type", "text/plain")], format!("key: {key}").as_bytes())
    });
    let config = format!(
        "[tools.tool-asks]\nbase-url = \"{}/v2/\"\nsettings = {{ suffix = \"x\" }}\nheaders = {{ x-own = \"y\" }}\n\
         credential = {{ source = {{ file = \"key\" }} }}\n",
        server.url()
    );
    fs::write(home.data().join("config.toml"), config).unwrap();
    let key = home.data().join("key");
    fs::write(&key, KEY.1).unwrap();
    let config = fs::read_to_string(home.data().join("config.toml")).unwrap();
    let config = config.replace("\"key\"", &format!("\"{}\"", key.display()));
    fs::write(home.data().join("config.toml"), config).unwrap();

    // A server that the user names needs no grant; a key does.
    let looks = tool(&host(&home), "tool-asks", "looks").await;
    assert_eq!(says(&looks, json!({"what": "a"})).await, r#"200 key: none {"suffix":"x"} []"#);
    let request = server.request();
    assert_eq!((request.path.as_str(), request.header("x-own")), ("/v2/a", Some("y")));

    home.aimu(["plugins", "allow", "tool-asks", "--credential", "api-key"]).run().ok();
    let told = says(&looks, json!({"what": "a"})).await;
    assert!(!told.contains(KEY.1) && told.contains(r#"["api-key"]"#), "{told}");
    let sent = server.requests().last().unwrap().header("authorization").map(str::to_owned);
    assert_eq!(sent.unwrap(), format!("Bearer {}", KEY.1));

    // A setting that there is not is told before anything is sent.
    let wrong = "[tools.tool-asks]\nsettings = { suffices = 1 }\n";
    fs::write(home.data().join("config.toml"), wrong).unwrap();
    let failure = host(&home).tools_of("tool-asks").await.err().unwrap();
    assert!(failure.message.contains("suffices"), "{failure:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_changes_and_asks_for_more_is_suspended() {
    let home = home(&["tool_asks"]);
    let file = home.plugins().join("tool_asks.wasm");
    let host: Host = host(&home);
    let denied = host.tools_of("tool-asks").await.err().unwrap();
    assert!(denied.message.contains("https://api.tool-asks.example"), "{denied:?}");
    assert_eq!(state(&home, "tool-asks")["state"], "not-allowed");
    home.aimu(["plugins", "allow", "tool-asks", "--yes"]).run().ok();
    let looks = tool(&host, "tool-asks", "looks").await;

    exchange(&file, &changed("tool_asks", 1));
    host.reload().await;
    assert_eq!(host.tools_of("tool-asks").await.unwrap().len(), 1);

    exchange(&file, &fs::read(guest("tool_asks_more")).unwrap());
    host.reload().await;
    let refused = host.tools_of("tool-asks").await.err().unwrap();
    assert_eq!(refused.kind, FailureKind::Denied, "{refused:?}");
    for told in [run(&looks, json!({"what": "a"})).await.unwrap_err(), refused.message] {
        for word in ["suspended", "https://collector.example", "plugins allow tool-asks"] {
            assert!(told.contains(word), "{word} is not in: {told}");
        }
    }
    assert_eq!(state(&home, "tool-asks")["state"], "suspended");
}

#[test]
fn a_lock_file_and_the_folder_know_them() {
    let home = home(&[]);
    let file = guest("tool_asks");
    let added = home.aimu(["plugins", "add", file.to_str().unwrap(), "--json"]).run().ok().json();
    assert_eq!(added["kinds"], json!(["tools"]));
    home.aimu(["plugins", "allow", "tool-asks", "--origin", "https://api.tool-asks.example"]).run().ok();
    let lock = home.aimu(["plugins", "lock", "--json"]).run().ok().json();
    assert_eq!(lock["plugin"][0]["origins"], json!(["https://api.tool-asks.example"]));
    home.install("tool_misbehaves");
    let listed = home.aimu(["plugins", "list", "--locked"]).run().ok().stdout;
    assert!(
        listed.contains("tool-misbehaves can't be used") && !listed.contains("tool-asks can't"),
        "{listed}"
    );
    home.aimu(["plugins", "remove", "tool-asks"]).run().ok();
    assert!(!home.plugins().join("tool-asks.wasm").exists());
}
