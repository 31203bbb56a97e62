//! What is fetched, how often, and what becomes of it.

use crate::support::Home;
use crate::support::server::{Request, Server};
use crate::support::wires::{CHAT_COMPLETIONS, CONVERSE, MESSAGES};
use crate::{IMAGE, PNG, is_bare, look, ollama, pictures, seer};
use aimu_host::{Attachment, Host, UserMessage};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

#[test]
fn a_provider_that_takes_bytes_gets_them() {
    let home = Home::new();
    let (files, models) = (pictures(), ollama());
    let url = format!("{}/a.png?sig=secret", files.url());
    // No catalogue knows the id: the component says that it takes no URLs, and is asked once more.
    let ask = home.aimu(["chat", &format!("ollama:test@{}", models.url()), "Hi", "-a", &url]);
    ask.arg("--allow-media-from").arg(&files.url()).env("OLLAMA_API_KEY", "key").run().ok();
    let asked = models.request().json();
    assert_eq!(asked["messages"][0]["images"], json!([STANDARD.encode(PNG)]), "{asked}");
    let fetched = files.request();
    assert_eq!(fetched.path, "/a.png?sig=secret");
    is_bare(&fetched);

    // The catalogue knows that this one takes bytes. A type that the server gets wrong is put right.
    let files = Server::answering(200, &[("content-type", "image/jpeg")], PNG);
    let models = CONVERSE.streaming(CONVERSE.events());
    let url = format!("{}/a", files.url());
    let model = format!("bedrock:amazon.nova-lite-v1:0@{}", models.url());
    for no_check in [&[][..], &["--no-check"]] {
        let arguments = ["chat", &model, "Hi", "-a", &url, "--allow-media-from", &files.url()];
        let program = home.aimu(arguments.iter().chain(no_check)).env("AWS_BEARER_TOKEN_BEDROCK", "key");
        program.run().ok();
    }
    for request in models.requests() {
        let content = &request.json()["messages"][0]["content"];
        let image = json!({"format": "png", "source": {"bytes": STANDARD.encode(PNG)}});
        assert!(content.as_array().unwrap().iter().any(|block| block["image"] == image), "{content}");
    }
    assert_eq!((models.requests().len(), files.requests().len()), (2, 2));
    files.requests().iter().for_each(is_bare);
}

#[test]
fn a_provider_that_takes_urls_gets_the_url() {
    let home = Home::new();
    let files = pictures();
    let url = format!("{}/a.png", files.url());
    // By its catalogue, and because nobody knows better.
    for (wire, model) in [(MESSAGES, "anthropic:claude-sonnet-4-5"), (CHAT_COMPLETIONS, "openai-compat:x")] {
        let models = wire.streaming(wire.events());
        let program = home.aimu(["chat", &format!("{model}@{}", models.url()), "Hi", "-a", &url]);
        program.env(wire.key.0, "key").run().ok();
        assert!(models.request().json().to_string().contains(&url), "{model}");
    }
    assert!(files.requests().is_empty());
}

#[test]
fn the_bytes_say_what_they_are() {
    let home = seer();
    for (path, content_type, body, said) in [
        ("/a.png", "image/png", PNG, "[image/png, 16 bytes]"),
        ("/a", "", PNG, "[image/png, 16 bytes]"),
        // A URL without a telling end is taken for a picture, until it is there.
        ("/a?x=1", "application/octet-stream", b"%PDF-1.4", "[application/pdf, 8 bytes]"),
        ("/notes.md", "text/markdown; charset=utf-8", b"# Hi", "[text/markdown, 4 bytes]"),
        ("/page.html", "text/html", b"<p>Hi</p>", "[text/html, 9 bytes]"),
        ("/t.docx", "application/msword", b"PK\x03\x04\0", "[application/msword, 5 bytes]"),
    ] {
        let files = Server::answering(200, &[("content-type", content_type)], body);
        let url = format!("{}{path}", files.url());
        assert_eq!(look(&home, &files, &url).run().ok().stdout.trim(), format!("Hi {said}"));
        assert_eq!(files.requests().len(), 1);
        // Sent in spite of the catalogue, a URL goes as it is.
        let passed = look(&home, &files, &url).arg("--no-check").run().ok().stdout;
        assert!(passed.contains(&url), "{passed}");
        assert_eq!(files.requests().len(), 1);
    }
}

#[test]
fn prompts_counts_and_request_documents_too() {
    let home = seer();
    let files = pictures();
    let url = format!("{}/a.png", files.url());
    let with = |verb| home.aimu([verb, "seer:echo", "Hi", "-a", &url, "--allow-media-from", &files.url()]);
    assert_eq!(with("generate").run().ok().stdout.trim(), "[image/png, 16 bytes] Hi");
    // Words are its tokens, and a URL would be one.
    assert_eq!(with("count").run().ok().stdout, "4\n");
    let content = json!([{"type": "image_url", "image_url": {"url": url}}]);
    let document = json!({"messages": [{"role": "user", "content": content}]}).to_string();
    let models = ollama();
    let ask = home.aimu(["chat", &format!("ollama:test@{}", models.url()), "--request", "-", "--json"]);
    ask.arg("--allow-media-from").arg(&files.url()).input(document).run().ok();
    assert_eq!(models.request().json()["messages"][0]["images"], json!([STANDARD.encode(PNG)]));
    assert_eq!(files.requests().len(), 3);
}

#[test]
fn a_url_is_fetched_once_and_several_together() {
    let home = seer();
    let (now, most) = (AtomicUsize::new(0), std::sync::Arc::new(AtomicUsize::new(0)));
    let seen = most.clone();
    let files = Server::start(move |_: &Request, connection| {
        seen.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        thread::sleep(Duration::from_millis(200));
        now.fetch_sub(1, Ordering::SeqCst);
        connection.answer(200, &[IMAGE], PNG)
    });
    let mut program = look(&home, &files, &format!("{}/0.png", files.url()));
    for number in [0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9] {
        program = program.arg("-a").arg(&format!("{}/{number}.png", files.url()));
    }
    let said = program.run().ok().stdout;
    assert_eq!(said.matches("[image/png, 16 bytes]").count(), 12, "{said}");
    let mut paths: Vec<String> = files.requests().into_iter().map(|request| request.path).collect();
    paths.sort();
    assert_eq!(paths.len(), 10, "{paths:?}");
    paths.dedup();
    assert_eq!(paths.len(), 10, "one was fetched twice");
    let most = most.load(Ordering::SeqCst);
    assert!((2..=4).contains(&most), "{most} at once");
}

#[test]
fn what_waiting_heals_is_tried_again() {
    let home = seer();
    let tries = AtomicUsize::new(0);
    let files = Server::start(move |_, connection| match tries.fetch_add(1, Ordering::SeqCst) {
        0 => connection.answer(503, &[], b""),
        _ => connection.answer(200, &[IMAGE], PNG),
    });
    look(&home, &files, &format!("{}/a.png", files.url())).arg("--retries").arg("1").run().ok();
    assert_eq!(files.requests().len(), 2);
}

#[tokio::test]
async fn the_history_keeps_the_url_and_the_client_the_bytes() {
    let home = seer();
    let files = pictures();
    let builder = Host::builder().home(aimu_host::Home::at(home.data())).plugin_dir(home.plugins());
    let host = builder.allow_media_from(files.url()).build().unwrap();
    let mut client = host.client("seer:echo").await.unwrap();
    let url = format!("{}/a.png?sig=1", files.url());
    let message = UserMessage::new("Hi").attach(Attachment::from_url(&url).unwrap());
    assert_eq!(client.chat(message).await.unwrap().text, "Hi [image/png, 16 bytes]");
    let first: Vec<Value> = client.history().to_vec();
    assert_eq!(first[0]["content"][1], json!({"type": "image_url", "image_url": {"url": url}}));
    // The next turn has the same URL in its history, and the file may be gone by now.
    client.chat("And now?").await.unwrap();
    assert_eq!(client.history()[..2], first[..]);
    assert_eq!(files.requests().len(), 1);
    // Another client has seen nothing.
    let message = UserMessage::new("Hi").attach(Attachment::from_url(&url).unwrap());
    host.client("seer:echo").await.unwrap().chat(message).await.unwrap();
    assert_eq!(files.requests().len(), 2);
}

#[test]
fn redirects_are_followed_to_the_file() {
    let home = seer();
    let files = Server::start(|request: &Request, connection| match request.path.as_str() {
        "/4" => connection.answer(200, &[IMAGE], PNG),
        path => {
            let next = path[1..].parse::<u32>().unwrap() + 1;
            let status = [301, 302, 303, 307][usize::try_from(next - 1).unwrap()];
            connection.answer(status, &[("location", &format!("/{next}")), ("set-cookie", "a=b")], b"")
        }
    });
    let said = look(&home, &files, &format!("{}/0", files.url())).run().ok().stdout;
    assert_eq!(said.trim(), "Hi [image/png, 16 bytes]");
    assert_eq!(files.requests().len(), 5);
    files.requests().iter().for_each(is_bare);
}
