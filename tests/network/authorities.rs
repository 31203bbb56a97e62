//! TLS with an authority of one's own.

use super::tunnel::{Does, Proxy};
use super::{All, chat, configured};
use crate::support::Home;
use crate::support::canary::CANARY;
use crate::support::wires::CHAT_COMPLETIONS;
use aimu_host::{FailureKind, Host};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::thread;

/// An authority, and a server that it has certified for some names.
struct Tls {
    address: SocketAddr,
    /// The authority's certificate, as PEM.
    authority: String,
    heads: Arc<Mutex<Vec<String>>>,
}

fn server(names: &[&str]) -> Tls {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &issuer).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![certificate.der().clone()], key).unwrap();
    let config = Arc::new(config);

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let heads: Arc<Mutex<Vec<String>>> = Arc::default();
    let seen = heads.clone();
    thread::spawn(move || {
        for socket in listener.incoming().map_while(Result::ok) {
            let connection = ServerConnection::new(config.clone()).unwrap();
            let mut reader = BufReader::new(StreamOwned::new(connection, socket));
            let mut head = String::new();
            // One that does not trust us goes away in the handshake.
            while reader.read_line(&mut head).is_ok_and(|length| length > 2) {}
            if head.is_empty() {
                continue;
            }
            let length = head
                .to_lowercase()
                .split("content-length: ")
                .nth(1)
                .map_or(0, |rest| rest.split("\r\n").next().unwrap().parse().unwrap());
            reader.read_exact(&mut vec![0; length]).unwrap();
            seen.lock().unwrap().push(head);
            let body = CHAT_COMPLETIONS.whole;
            let answer = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            );
            let mut stream = reader.into_inner();
            stream.write_all(answer.as_bytes()).unwrap();
            stream.conn.send_close_notify();
            let _ = stream.flush();
        }
    });
    Tls { address, authority: issuer.pem(), heads }
}

/// An instance of a server with a key, and what else it says.
fn own(base_url: &str, more: &str) -> String {
    format!(
        "[providers.own]\nplugin = \"openai-compat\"\nbase-url = \"{base_url}\"\n\
         credential = {{ source = {{ env = \"CANARY_KEY\" }}, required = true }}\n{more}"
    )
}

fn with_file(config: &str, pem: &str) -> Home {
    let home = configured("");
    let file = home.data().join("authority.pem");
    std::fs::write(&file, pem).unwrap();
    // Named from where the configuration is.
    std::fs::write(home.data().join("config.toml"), config.replace("FILE", "authority.pem")).unwrap();
    home
}

#[test]
fn it_is_trusted_where_the_configuration_names_it() {
    let tls = server(&["127.0.0.1"]);
    let url = format!("https://{}/v1", tls.address);
    for config in
        [own(&url, "ca-file = \"FILE\"\n"), format!("[network]\nca-file = \"FILE\"\n{}", own(&url, ""))]
    {
        let home = with_file(&config, &tls.authority);
        chat(&home, "own:m", &[]).run().ok();
        let head = tls.heads.lock().unwrap().pop().unwrap();
        assert!(head.contains(&format!("authorization: Bearer {CANARY}\r\n")), "{head}");
    }
    // Not of itself, not of another authority, not for another instance.
    let other = server(&["127.0.0.1"]);
    for (config, pem) in [
        (own(&url, ""), &tls.authority),
        (own(&url, "ca-file = \"FILE\"\n"), &other.authority),
        (
            format!("{}[providers.else]\nplugin = \"openai-compat\"\nca-file = \"FILE\"\n", own(&url, "")),
            &tls.authority,
        ),
    ] {
        let result = chat(&with_file(&config, pem), "own:m", &[]).run().failed(&["network"]);
        let message = result["error"]["message"].as_str().unwrap();
        assert!(message.contains("certificate") && message.contains("`ca-file`"), "{message}");
    }
    assert!(tls.heads.lock().unwrap().is_empty());
}

#[test]
fn a_file_that_has_none_is_told() {
    let tls = server(&["127.0.0.1"]);
    let url = format!("https://{}/v1", tls.address);
    for (pem, word) in
        [("nothing", "has no certificate"), ("-----BEGIN CERTIFICATE-----\n?", "is not a PEM file")]
    {
        let outcome = chat(&with_file(&own(&url, "ca-file = \"FILE\"\n"), pem), "own:m", &[]).run();
        assert!(matches!(outcome.code, Some(1 | 2)), "{outcome:?}");
        assert!(outcome.stderr.contains(word), "{word}: {outcome:?}");
    }
    let outcome = chat(&configured(&own(&url, "ca-file = \"/none/such.pem\"\n")), "own:m", &[]).run();
    assert!(
        outcome.stderr.contains("/none/such.pem") && outcome.stderr.contains("can't be read"),
        "{outcome:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn through_a_proxy_it_is_the_servers_name_that_counts() {
    for (name, right) in [("llm.example", true), ("other.example", false)] {
        let tls = server(&[name]);
        let proxy = Proxy::start(Does::Lead(tls.address));
        let config = own(
            "https://llm.example/v1",
            &format!("ca-file = \"FILE\"\nproxy = \"http://{}\"\n", proxy.authority()),
        );
        // No key in this process's environment: one is not needed.
        let config = config.replace("required = true", "required = false");
        let home = with_file(&config, &tls.authority);
        let builder = Host::builder().home(aimu_host::Home::at(home.data())).plugin_dir(home.plugins());
        let host = builder.resolver(Arc::new(All("93.184.216.34"))).retries(0).build().unwrap();
        let outcome = host.client("own:m").await.unwrap().chat("Hi").await;
        assert_eq!(proxy.targets(), ["CONNECT 93.184.216.34:443 HTTP/1.1"]);
        if right {
            outcome.unwrap();
            assert!(tls.heads.lock().unwrap()[0].to_lowercase().contains("host: llm.example\r\n"));
        } else {
            assert_eq!(outcome.unwrap_err().kind, FailureKind::Network);
            assert!(tls.heads.lock().unwrap().is_empty());
        }
    }
}
