//! Components that change under a running program: a new build is taken up, one that is broken changes nothing, one that
//! asks for more is suspended, and calls end with the component that they began with.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "reload/conversation.rs"]
mod conversation;
mod support;

use aimu_host::{Client, Event, FailureKind, Host, PluginEntry};
use futures::StreamExt;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::{Mutex, mpsc};
use std::time::{Duration, Instant};
use support::server::Server;
use support::{Home, changed, guest};

/// A bound that nothing reaches unless it hangs.
const PATIENCE: Duration = Duration::from_secs(60);

fn home(guests: &[&str]) -> Home {
    let home = Home::fresh();
    guests.iter().for_each(|guest| drop(home.install(guest)));
    home
}

fn host(home: &Home) -> Host {
    let builder = Host::builder().home(aimu_host::Home::at(home.data())).plugin_dir(home.plugins());
    builder.retries(0).build().unwrap()
}

/// Exchanges a file for another in one step, as careful programs do.
fn exchange(path: &Path, bytes: &[u8]) {
    let aside = path.with_extension("new");
    fs::write(&aside, bytes).unwrap();
    fs::rename(aside, path).unwrap();
}

async fn entry(host: &Host, id: &str) -> Option<PluginEntry> {
    host.plugins().await.into_iter().find(|plugin| plugin.id == id)
}

/// The digest of the component that answers for an id.
async fn digest(host: &Host, id: &str) -> String {
    entry(host, id).await.unwrap().status.unwrap().0.digest
}

fn fine() -> Server {
    Server::start(|_, connection| {
        connection.stream()?;
        connection.chunk("data: fine\n\ndata: .\n\n")?;
        connection.end()
    })
}

async fn says(client: &mut Client) -> String {
    client.chat("Hi").await.unwrap().text
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_build_answers_clients_that_are_there_already() {
    let home = home(&["asks"]);
    let file = home.plugins().join("asks.wasm");
    home.aimu(["plugins", "allow", "asks", "--yes"]).run().ok();
    let host = host(&home);
    let mut client = host.client("asks:x").await.unwrap();
    assert_eq!(says(&mut client).await, "credentials: []");

    // The same asked for: it goes on, for these bytes.
    exchange(&file, &changed("asks", 1));
    host.reload().await;
    assert_eq!(says(&mut client).await, "credentials: []");
    assert!(
        fs::read_to_string(home.data().join("grants.toml")).unwrap().contains(&digest(&host, "asks").await)
    );

    // More asked for: suspended, for clients that are there as for new ones, with the difference.
    exchange(&file, &fs::read(guest("asks_more")).unwrap());
    host.reload().await;
    let answers = [
        client.chat("Hi").await.err(),
        client.generate("Hi").await.err(),
        client.chat("Hi").stream().unwrap().finish().await.err(),
        client.embed(["Hi"]).await.err(),
        client.count("Hi").await.err(),
        client.pull().finish().await.err(),
        host.client("asks:x").await.err(),
    ];
    for failure in answers {
        let failure = failure.unwrap();
        assert_eq!(failure.kind, FailureKind::Denied, "{failure:?}");
        for word in ["suspended", "https://collector.example", "plugins allow asks"] {
            assert!(failure.message.contains(word), "{word} is not in: {failure:?}");
        }
    }
    // Allowed while the program runs, it answers.
    home.aimu(["plugins", "allow", "asks", "--yes"]).run().ok();
    assert_eq!(says(&mut client).await, "more credentials: []");
    // Both turns that went well are in the conversation, and nothing of those that did not.
    assert_eq!(client.history().len(), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn files_come_and_go() {
    let home = home(&[]);
    let (host, server) = (host(&home), fine());
    let model = format!("well-behaved:known@{}", server.url());
    assert_eq!(host.client(model.as_str()).await.err().unwrap().kind, FailureKind::NotFound);
    assert!(entry(&host, "well-behaved").await.is_none());

    let file = home.install("well_behaved");
    // Nobody has to say so.
    let mut client = host.client(model.as_str()).await.unwrap();
    assert_eq!(says(&mut client).await, "fine");
    let models = host.models(&aimu_host::ModelQuery::default()).await.unwrap();
    assert!(models.iter().any(|model| model.to_string() == "well-behaved:known"));

    fs::remove_file(&file).unwrap();
    let failure = client.chat("Hi").await.err().unwrap();
    assert!(failure.kind == FailureKind::NotFound && failure.message.contains("well-behaved"), "{failure:?}");
    assert!(entry(&host, "well-behaved").await.is_none());
    // And back, under another name.
    fs::copy(guest("well_behaved"), home.plugins().join("other-name.wasm")).unwrap();
    host.reload().await;
    assert_eq!(says(&mut client).await, "fine");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_ends_with_the_component_that_it_began_with() {
    let home = home(&["well_behaved"]);
    let file = home.plugins().join("well_behaved.wasm");
    let (go_on, wait) = mpsc::channel::<()>();
    let wait = Mutex::new(wait);
    let server = Server::start(move |_, connection| {
        connection.stream()?;
        connection.chunk("data: one \n\n")?;
        let _ = wait.lock().unwrap().recv_timeout(PATIENCE);
        connection.chunk("data: two\n\ndata: .\n\n")?;
        connection.end()
    });
    let host = host(&home);
    let mut client = host.client(format!("well-behaved:known@{}", server.url())).await.unwrap();
    let mut other = host.client(format!("well-behaved:known@{}", fine().url())).await;
    for exchange_it in [true, false] {
        let mut answering = client.chat("Hi").stream().unwrap();
        while !matches!(answering.next().await.unwrap().unwrap(), Event::Delta { .. }) {}
        let before = digest(&host, "well-behaved").await;
        if exchange_it {
            exchange(&file, &changed("well_behaved", 1));
            host.reload().await;
            assert_ne!(digest(&host, "well-behaved").await, before);
        } else {
            fs::remove_file(&file).unwrap();
            host.reload().await;
            let failure = other.as_mut().unwrap().chat("Hi").await.err().unwrap();
            assert_eq!(failure.kind, FailureKind::NotFound, "{failure:?}");
        }
        go_on.send(()).unwrap();
        assert_eq!(answering.finish().await.unwrap().text, "one two");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_file_leaves_the_one_before_at_work() {
    let home = home(&["well_behaved"]);
    let file = home.plugins().join("well_behaved.wasm");
    let (host, server) = (host(&home), fine());
    let mut client = host.client(format!("well-behaved:known@{}", server.url())).await.unwrap();
    assert_eq!(says(&mut client).await, "fine");
    let before = digest(&host, "well-behaved").await;
    let whole = fs::read(guest("well_behaved")).unwrap();
    for bad in [
        b"no component".to_vec(),
        Vec::new(),
        whole[..whole.len() / 2].to_vec(),
        b"\0asm\x01\0\0\0".to_vec(),
        fs::read(guest("describe_traps")).unwrap(),
        fs::read(guest("describe_lies")).unwrap(),
    ] {
        exchange(&file, &bad);
        host.reload().await;
        assert_eq!(says(&mut client).await, "fine");
        let entry = entry(&host, "well-behaved").await.unwrap();
        assert_eq!(entry.status.unwrap().0.digest, before);
        let broken = entry.broken.expect("nobody is told").message;
        for word in ["the file has changed and is broken", "well_behaved.wasm", "the earlier one is in use"] {
            assert!(broken.contains(word), "{word} is not in: {broken}");
        }
    }
    exchange(&file, &changed("well_behaved", 1));
    host.reload().await;
    assert_eq!(says(&mut client).await, "fine");
    let entry = entry(&host, "well-behaved").await.unwrap();
    assert!(entry.broken.is_none() && entry.status.unwrap().0.digest != before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_copied_slowly_is_taken_whole() {
    let home = home(&["well_behaved"]);
    let (host, server) = (host(&home), fine());
    let mut client = host.client(format!("well-behaved:known@{}", server.url())).await.unwrap();
    let before = digest(&host, "well-behaved").await;
    let whole = changed("well_behaved", 1);
    let mut file = fs::File::create(home.plugins().join("well_behaved.wasm")).unwrap();
    for piece in whole.chunks(whole.len() / 20) {
        file.write_all(piece).unwrap();
        assert_eq!(says(&mut client).await, "fine");
        assert_eq!(digest(&host, "well-behaved").await, before);
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    drop(file);
    let start = Instant::now();
    while digest(&host, "well-behaved").await == before {
        assert!(start.elapsed() < PATIENCE, "it is never taken up");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(says(&mut client).await, "fine");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_waits_for_anothers_new_build() {
    let home = home(&["well_behaved", "trap"]);
    let (host, server) = (host(&home), fine());
    let mut client = host.client(format!("well-behaved:known@{}", server.url())).await.unwrap();
    assert!(entry(&host, "trap").await.unwrap().status.is_ok());
    // It takes ten seconds of computing until it is given up.
    exchange(&home.plugins().join("trap.wasm"), &fs::read(guest("describe_spins")).unwrap());
    fs::copy(guest("describe_spins"), home.plugins().join("new.wasm")).unwrap();
    tokio::time::sleep(Duration::from_millis(700)).await;
    let start = Instant::now();
    assert_eq!(says(&mut client).await, "fine");
    host.client(format!("well-behaved:known@{}", server.url())).await.unwrap();
    assert!(start.elapsed() < Duration::from_secs(8), "the call took {:?}", start.elapsed());
    // Whoever wants to know waits.
    let told = entry(&host, "trap").await.unwrap();
    assert!(told.status.is_ok() && told.broken.unwrap().message.contains("broken"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_is_not_taken_over_while_the_program_runs() {
    let home = home(&["well_behaved"]);
    let host = host(&home);
    let before = digest(&host, "well-behaved").await;
    home.put("aaa.wasm", &changed("well_behaved", 1));
    host.reload().await;
    assert_eq!(digest(&host, "well-behaved").await, before);
    let plugins = host.plugins().await;
    let of_id: Vec<_> = plugins.iter().filter(|plugin| plugin.id == "well-behaved").collect();
    let refused = of_id.iter().find_map(|plugin| plugin.status.as_ref().err()).unwrap();
    assert!(of_id.len() == 2 && refused.message.contains("aaa.wasm"), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_configuration_names_by_path_is_followed_too() {
    let home = home(&[]);
    let file = home.data().join("own.wasm");
    fs::copy(guest("asks"), &file).unwrap();
    let config = format!("[providers.mine]\nplugin = \"{}\"\n", file.display());
    fs::write(home.data().join("config.toml"), config).unwrap();
    home.aimu(["plugins", "allow", "mine", "--yes"]).run().ok();
    let host = host(&home);
    let mut client = host.client("mine:x").await.unwrap();
    assert_eq!(says(&mut client).await, "credentials: []");
    exchange(&file, b"broken");
    host.reload().await;
    assert_eq!(says(&mut client).await, "credentials: []");
    exchange(&file, &fs::read(guest("asks_more")).unwrap());
    host.reload().await;
    assert_eq!(client.chat("Hi").await.err().unwrap().kind, FailureKind::Denied);
    fs::remove_file(&file).unwrap();
    let failure = client.chat("Hi").await.err().unwrap();
    assert!(failure.message.contains("own.wasm"), "{failure:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_program_itself_puts_there_is_there_at_once() {
    let home = home(&[]);
    let host = host(&home);
    assert!(host.client("asks:x").await.is_err());
    host.add_plugin(guest("asks")).await.unwrap();
    let seen = host.undecided("asks:x").await.unwrap().unwrap();
    host.allow_plugin(&seen, &seen.asked).await.unwrap();
    let mut client = host.client("asks:x").await.unwrap();
    assert_eq!(says(&mut client).await, "credentials: []");
    host.replace_plugin(guest("asks_more")).await.unwrap();
    assert_eq!(client.chat("Hi").await.err().unwrap().kind, FailureKind::Denied);
    host.remove_plugin("asks").await.unwrap();
    assert_eq!(client.chat("Hi").await.err().unwrap().kind, FailureKind::NotFound);
}
