//! A proxy is used where the configuration names one, and every check of addresses holds behind it.

use super::tunnel::{Does, Proxy, address};
use super::{All, chat, configured};
use crate::support::Home;
use crate::support::canary::{CANARY, percent_encoded};
use crate::support::server::{Server, closed_port};
use crate::support::wires::CHAT_COMPLETIONS;
use aimu_host::{FailureKind, Host};
use std::sync::Arc;

fn answers() -> Server {
    Server::answering(200, &[("content-type", "application/json")], CHAT_COMPLETIONS.whole)
}

/// An instance of a server of the internet, reached by this proxy.
fn far(proxy: &str, more: &str) -> String {
    format!(
        "[providers.far]\nplugin = \"openai-compat\"\nbase-url = \"http://93.184.216.34/v1\"\nproxy = \"{proxy}\"\n{more}"
    )
}

#[test]
fn it_is_asked_for_the_address_that_was_checked() {
    let server = answers();
    let proxy = Proxy::start(Does::Lead(address(&server.url())));
    let home = configured(&far(&format!("http://{}", proxy.authority()), ""));
    chat(&home, "far:m", &[]).run().ok();
    assert_eq!(proxy.targets(), ["CONNECT 93.184.216.34:80 HTTP/1.1"]);
    let request = server.request();
    assert_eq!(
        (request.path.as_str(), request.header("host")),
        ("/v1/chat/completions", Some("93.184.216.34"))
    );
    assert_eq!(request.header("proxy-authorization"), None);
}

#[test]
fn it_may_want_a_password_which_nobody_else_sees() {
    let server = answers();
    let proxy = Proxy::start(Does::Lead(address(&server.url())));
    let password = percent_encoded();
    let home = configured(&far(&format!("http://me:{password}@{}", proxy.authority()), ""));
    chat(&home, "far:m", &[]).run().ok();
    use base64::Engine;
    let expected = base64::engine::general_purpose::STANDARD.encode(format!("me:{CANARY}"));
    let head = proxy.heads()[0].to_lowercase();
    assert!(head.contains(&format!("proxy-authorization: basic {expected}").to_lowercase()), "{head}");
    assert_eq!(server.request().header("proxy-authorization"), None);

    // Where it is not good enough, and where the proxy is not there: told without it.
    for (does, word) in [(Does::Say(407), "authorization required"), (Does::Say(403), "did not connect")] {
        let proxy = Proxy::start(does);
        let home = configured(&far(&format!("http://me:{password}@{}", proxy.authority()), ""));
        let result = chat(&home, "far:m", &[]).run().failed(&["network"]);
        let message = result["error"]["message"].as_str().unwrap();
        assert!(message.contains(word) && message.contains("`proxy`"), "{message}");
        assert!(message.contains(&proxy.authority()), "{message}");
    }
    let home = configured(&far(&format!("http://me:{password}@{}", closed_port()), ""));
    let result = chat(&home, "far:m", &[]).run().failed(&["network"]);
    assert!(result["error"]["message"].as_str().unwrap().contains("the proxy"), "{result}");
    // Nor where it is no proxy, or no TOML.
    for broken in [
        format!("https://me:{password}@p"),
        format!("me:{password}@p:1"),
        format!("http://me:{password}@p\" x"),
    ] {
        let outcome = chat(&configured(&far(&broken, "")), "far:m", &[]).run();
        assert!(matches!(outcome.code, Some(1 | 2)), "{outcome:?}");
        assert!(outcome.stderr.contains("proxy"), "{outcome:?}");
    }
}

#[test]
fn one_for_all_has_exceptions() {
    let server = answers();
    let proxy = Proxy::start(Does::Lead(address(&server.url())));
    let direct = answers();
    let config = format!(
        "[network]\nproxy = \"http://{proxy}\"\n\
         [providers.far]\nplugin = \"openai-compat\"\nbase-url = \"http://93.184.216.34/v1\"\n\
         [providers.here]\nplugin = \"openai-compat\"\nbase-url = \"{here}/v1\"\n\
         [providers.none]\nplugin = \"openai-compat\"\nbase-url = \"{here}/v1\"\nproxy = \"none\"\n",
        proxy = proxy.authority(),
        here = direct.url(),
    );
    let home = configured(&config);
    chat(&home, "far:m", &[]).run().ok();
    // This machine is not the proxy's.
    chat(&home, "here:m", &[]).run().ok();
    chat(&home, "none:m", &[]).run().ok();
    assert_eq!(proxy.targets(), ["CONNECT 93.184.216.34:80 HTTP/1.1"]);
    assert_eq!((server.requests().len(), direct.requests().len()), (1, 2));
    // Servers of the network, which the user named, and files go by it, too.
    chat(&home, "openai-compat:m@http://192.168.77.77:8000/v1", &[]).run().ok();
    let picture = ["-a", "http://93.184.216.35/a.png"];
    chat(&home, "ollama:m@http://127.0.0.1:9", &picture).run().exits(1);
    assert_eq!(
        proxy.targets()[1..],
        ["CONNECT 192.168.77.77:8000 HTTP/1.1", "CONNECT 93.184.216.35:80 HTTP/1.1"]
    );
}

#[test]
fn no_key_goes_to_a_typed_server_by_it() {
    let server = answers();
    let proxy = Proxy::start(Does::Lead(address(&server.url())));
    let home = configured(&format!("[network]\nproxy = \"http://{}\"\n", proxy.authority()));
    chat(&home, "openai:gpt-4o@http://93.184.216.34/v1", &["--no-check"]).run();
    assert_eq!(proxy.targets().len(), 1);
    for request in server.requests() {
        assert_eq!(request.header("authorization"), None, "{request:?}");
    }
}

#[test]
fn what_nobody_may_reach_is_not_asked_of_it() {
    let proxy = Proxy::start(Does::Lead(address(&answers().url())));
    for host in
        ["169.254.169.254", "[::ffff:169.254.169.254]", "[fd00:ec2::254]", "0.0.0.0", "100.100.100.200"]
    {
        let config = far(&format!("http://{}", proxy.authority()), "").replace("93.184.216.34", host);
        chat(&configured(&config), "far:m", &[]).run().failed(&["denied"]);
    }
    assert!(proxy.heads().is_empty(), "{:?}", proxy.heads());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_are_not_left_to_it() {
    // A name is resolved here, once; the proxy hears the address.
    let server = answers();
    let proxy = Proxy::start(Does::Lead(address(&server.url())));
    let config = far(&format!("http://{}", proxy.authority()), "");
    let host = |home: &Home, resolves: &'static str| {
        let builder = Host::builder().home(aimu_host::Home::at(home.data())).plugin_dir(home.plugins());
        builder.resolver(Arc::new(All(resolves))).allow(true).retries(0).build().unwrap()
    };
    let home = configured(&config.replace("93.184.216.34", "llm.example"));
    let mut client = host(&home, "93.184.216.34").client("far:m").await.unwrap();
    client.chat("Hi").await.unwrap();
    assert_eq!(proxy.targets(), ["CONNECT 93.184.216.34:80 HTTP/1.1"]);
    assert_eq!(server.request().header("host"), Some("llm.example"));

    // A name that leads inside does so for a proxy as well.
    let mut client = host(&home, "169.254.169.254").client("far:m").await.unwrap();
    assert_eq!(client.chat("Hi").await.unwrap_err().kind, FailureKind::Denied);
    let home = configured(&format!("[network]\nproxy = \"http://{}\"\n", proxy.authority()));
    home.install("raw_request");
    for inside in ["10.0.0.1", "127.0.0.1", "fd12::1"] {
        let mut client = host(&home, inside).client("raw-request:x").await.unwrap();
        assert_eq!(client.chat("[{}]").await.unwrap_err().kind, FailureKind::Denied, "{inside}");
    }
    assert_eq!(proxy.targets().len(), 1);
}
