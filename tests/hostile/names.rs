//! Names that resolve to what they should not, by a resolver of the test's own: the library in this process, with real
//! components.

use crate::support;
use crate::support::server::Server;
use aimu_host::{Failure, FailureKind, Host, Resolve};
use futures::future::BoxFuture;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Answers that come one after the other; the last one stays.
struct Answers {
    answers: Vec<Vec<IpAddr>>,
    asked: AtomicUsize,
}

impl Answers {
    fn new(answers: &[&[&str]]) -> Arc<Self> {
        let of = |texts: &&[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
        Arc::new(Self { answers: answers.iter().map(of).collect(), asked: AtomicUsize::new(0) })
    }
}

impl Resolve for Answers {
    fn resolve<'a>(&'a self, _: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        Box::pin(async {
            let asked = self.asked.fetch_add(1, Ordering::SeqCst);
            Ok(self.answers[asked.min(self.answers.len() - 1)].clone())
        })
    }
}

/// A host whose names resolve so, and which has granted the guest what it declares.
fn host(home: &support::Home, resolver: Arc<Answers>) -> Host {
    let builder = Host::builder().home(aimu_host::Home::at(home.data())).plugin_dir(home.plugins());
    builder.resolver(resolver).allow(true).retries(0).build().unwrap()
}

/// Has the guest ask its server once.
async fn asked(host: &Host, model: &str) -> Result<String, Failure> {
    let mut client = host.client(model).await?;
    client.chat("[{}]").await.map(|answer| answer.text)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_granted_name_that_leads_inside() {
    let home = support::Home::with(&["raw_request"]);
    // `https://api.raw-request.example`, which is the plugin's own word.
    for (attack, address) in [
        ("a name of loopback", "127.0.0.1"),
        ("a name of loopback by IPv6", "::1"),
        ("a name of loopback, v4-mapped", "::ffff:127.0.0.1"),
        ("a name of a private address", "10.0.0.1"),
        ("a name of a shared address", "100.64.0.1"),
        ("a name of a unique-local address", "fd12::1"),
        ("a name of metadata", "169.254.169.254"),
        ("a name of metadata by NAT64", "64:ff9b::a9fe:a9fe"),
        ("a name of Amazon's metadata by IPv6", "fd00:ec2::254"),
        ("a name of this machine by the unspecified address", "0.0.0.0"),
    ] {
        let answers = Answers::new(&[&[address]]);
        let failure = asked(&host(&home, answers.clone()), "raw-request:x").await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Denied, "{attack}: {failure:?}");
        assert!(failure.message.contains("addresses"), "{attack}: {failure:?}");
        assert_eq!(answers.asked.load(Ordering::SeqCst), 1, "{attack}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_whose_name_leads_inside() {
    // One of the internet that comes with the program does not become local by its name's answer.
    let home = support::Home::fresh();
    let config =
        "[providers.own]\nplugin = \"openai\"\ncredential = { source = { env = [] }, required = false }\n";
    std::fs::write(home.data().join("config.toml"), config).unwrap();
    for address in ["127.0.0.1", "10.0.0.1"] {
        let mut client = host(&home, Answers::new(&[&[address]])).client("own:gpt-4o").await.unwrap();
        let failure = client.chat("Hi").await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Denied, "{address}: {failure:?}");
        assert!(failure.message.contains("api.openai.com"), "{failure:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_that_changes_its_mind() {
    let home = support::Home::with(&["raw_request"]);
    let server = Server::answering(200, &[], "hello");
    let port = server.url().rsplit(':').next().unwrap().to_owned();
    let model = format!("raw-request:x@http://rebind.example:{port}");

    // Checked as loopback, which the user named; the second answer would be metadata, and nobody asks for it.
    let answers = Answers::new(&[&["127.0.0.1"], &["169.254.169.254"]]);
    let host = host(&home, answers.clone());
    assert!(asked(&host, &model).await.unwrap().ends_with("hello"));
    assert_eq!(answers.asked.load(Ordering::SeqCst), 1, "one connection is one look-up");
    // The server has closed: the next connection asks again, and its answer is checked again.
    let failure = asked(&host, &model).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Denied, "{failure:?}");
    assert_eq!((server.requests().len(), answers.asked.load(Ordering::SeqCst)), (1, 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_of_good_and_bad_addresses() {
    let home = support::Home::with(&["raw_request"]);
    let server = Server::answering(200, &[], "hello");
    let port = server.url().rsplit(':').next().unwrap().to_owned();
    let mixed = Answers::new(&[&["169.254.169.254", "0.0.0.0", "127.0.0.1", "fd00:ec2::254"]]);
    let text = asked(&host(&home, mixed), &format!("raw-request:x@http://mixed.example:{port}")).await;
    // Only the one that may be connected to is.
    assert!(text.unwrap().ends_with("hello"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn localhost_is_never_asked_for() {
    let home = support::Home::with(&["raw_request"]);
    let server = Server::answering(200, &[], "hello");
    let port = server.url().rsplit(':').next().unwrap().to_owned();
    let answers = Answers::new(&[&["93.184.216.34"]]);
    let host = host(&home, answers.clone());
    for name in ["localhost", "x.localhost"] {
        assert!(
            asked(&host, &format!("raw-request:x@http://{name}:{port}")).await.unwrap().ends_with("hello")
        );
    }
    assert_eq!(answers.asked.load(Ordering::SeqCst), 0);
}
