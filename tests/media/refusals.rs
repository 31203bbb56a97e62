//! What is not fetched, and how that is told: with the URL, without its secrets, and with what to do.

use crate::support::Home;
use crate::support::server::{Request, Server, closed_port};
use crate::{IMAGE, PNG, look, ollama, pictures, seer};
use serde_json::Value;
use std::time::{Duration, Instant};

/// The seer's failure, checked: it names the URL, and no secret of it.
#[track_caller]
fn failure(home: &Home, server: &Server, path: &str, more: &[&str], kind: &str, words: &[&str]) -> Value {
    let url = format!("{}{path}?sig=secret", server.url());
    let mut program = look(home, server, &url).arg("--json").arg("--retries").arg("0");
    for argument in more {
        program = program.arg(argument);
    }
    let result = program.run().failed(&[kind]);
    let message = result["error"]["message"].as_str().unwrap();
    assert!(message.contains(&format!("{}{path}", server.url())), "{message}");
    assert!(!message.contains("secret"), "{message}");
    for word in words {
        assert!(message.contains(word), "{word:?} is not in {message}");
    }
    assert_eq!(result["error"]["http_status"], Value::Null, "it is not the provider's: {result}");
    result
}

#[test]
fn this_machine_is_reached_only_where_the_user_says_so() {
    let home = Home::new();
    let (files, models) = (pictures(), ollama());
    let port = files.url().rsplit_once(':').unwrap().1.to_owned();
    let model = format!("ollama:test@{}", models.url());
    for host in ["127.0.0.1", "localhost", "2130706433", "[::ffff:127.0.0.1]", "app.localhost"] {
        let url = format!("http://{host}:{port}/a.png?sig=secret");
        // Another port that is allowed, another host, another scheme: none of them is this server.
        let others = [format!("http://{host}:1"), format!("https://{host}:{port}"), "http://10.0.0.1".into()];
        let mut program = home.aimu(["chat", &model, "Hi", "-a", &url, "--json"]);
        for other in &others {
            program = program.arg("--allow-media-from").arg(other);
        }
        let outcome = program.run();
        assert!(!outcome.stderr.contains("secret"), "{outcome:?}");
        let result = outcome.failed(&["denied"]);
        let message = result["error"]["message"].as_str().unwrap();
        assert!(message.contains("--allow-media-from http://"), "{message}");
        assert!(message.contains(&format!(":{port}")), "{message}");
    }
    for never in ["http://169.254.169.254/latest", "http://[fd00:ec2::254]/latest"] {
        let program = home.aimu(["chat", &model, "Hi", "-a", never, "--json"]);
        let origin = never.trim_end_matches("/latest");
        let result = program.arg("--allow-media-from").arg(origin).run().failed(&["denied"]);
        assert!(result["error"]["message"].as_str().unwrap().contains("can't be allowed"), "{result}");
    }
    let with_user = format!("http://me:secret@127.0.0.1:{port}/a.png");
    let program = home.aimu(["chat", &model, "Hi", "-a", &with_user, "--json"]);
    let outcome = program.arg("--allow-media-from").arg(&files.url()).run();
    assert!(!outcome.stderr.contains("secret"), "{outcome:?}");
    outcome.failed(&["denied"]);
    // A name is resolved by the host itself, once it is allowed.
    let by_name = format!("http://localhost:{port}");
    let program = home.aimu(["chat", &model, "Hi", "-a", &format!("{by_name}/a.png")]);
    program.arg("--allow-media-from").arg(&by_name).run().ok();
    assert_eq!((files.requests().len(), models.requests().len()), (1, 1));
}

#[test]
fn an_origin_is_checked_where_it_is_written() {
    let home = Home::new();
    for wrong in ["localhost:8000", "http://localhost/a", "*", "file:///tmp"] {
        let outcome = home.aimu(["chat", "echo:echo", "Hi", "--allow-media-from", wrong]).run().exits(2);
        outcome.says(&[wrong, "http://localhost:8000"]);
    }
}

#[test]
fn a_redirect_leads_nowhere_that_is_refused() {
    let home = seer();
    let inner = pictures();
    let inner_url = format!("{}/a.png?sig=secret", inner.url());
    for (to, kind, word) in [
        (inner_url.as_str(), "denied", "--allow-media-from"),
        ("http://169.254.169.254/latest?secret", "denied", "169.254.169.254"),
        ("http://localhost:1/x?secret", "denied", "localhost:1"),
        ("file:///etc/passwd", "denied", "only http and https"),
        ("http://user:secret@127.0.0.1/", "denied", "no user and password"),
        ("/again?secret", "network", "redirected more than 5 times"),
        ("http://", "network", "nowhere"),
    ] {
        let to = to.to_owned();
        let files = Server::start(move |_, connection| connection.answer(302, &[("location", &to)], b""));
        failure(&home, &files, "/a.png", &[], kind, &[word]);
        assert!(files.requests().len() <= 6);
    }
    assert!(inner.requests().is_empty());
}

#[test]
fn what_a_server_says_is_told() {
    let home = seer();
    for (status, kind, word) in [
        (404, "not-found", "is the URL right?"),
        (410, "not-found", "is the URL right?"),
        (401, "not-found", "attach the file itself"),
        (403, "not-found", "attach the file itself"),
        (304, "not-found", "304"),
        (429, "network", "later"),
        (500, "network", "later"),
        (503, "network", "later"),
    ] {
        let files = Server::answering(status, &[IMAGE], PNG);
        failure(&home, &files, "/a.png", &[], kind, &[&status.to_string(), word]);
    }
    for (content_type, body, word) in [
        ("text/html", &b"<!doctype html><title>Sign in</title>"[..], "is a web page and not an image"),
        ("image/png", b"\0\x01\x02", "is nothing that can be attached"),
        ("image/png", b"", "is empty"),
    ] {
        let files = Server::answering(200, &[("content-type", content_type)], body);
        failure(&home, &files, "/a.png", &[], "invalid-request", &[word]);
    }
}

#[test]
fn a_file_has_limits() {
    let home = seer();
    let large = [PNG, &[0; 70_000]].concat();
    let files = Server::answering(200, &[IMAGE], large.as_slice());
    failure(&home, &files, "/a.png", &["--limit", "media=64k"], "limit", &["65536", "--limit media="]);
    look(&home, &files, &format!("{}/a.png", files.url())).arg("--limit").arg("media=80k").run().ok();
    // All files of a call together. Either may be the one too many, and the path of one begins with that of the other.
    let two = ["-a", &format!("{}/a.png/b", files.url()), "--limit", "media=80k"];
    failure(&home, &files, "/a.png", &two, "limit", &["for one call"]);

    let bomb = {
        use std::io::Write;
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        gzip.write_all(PNG).unwrap();
        gzip.write_all(&vec![0; 4 << 20]).unwrap();
        gzip.finish().unwrap()
    };
    assert!(bomb.len() < 64 << 10);
    let files = Server::answering(200, &[IMAGE, ("content-encoding", "gzip")], bomb);
    failure(&home, &files, "/a.png", &["--limit", "media=1m"], "limit", &["1048576"]);

    // One that never ends.
    let endless = Server::start(|_: &Request, connection| {
        connection.head(200, &[IMAGE])?;
        loop {
            connection.chunk([0; 4096])?;
        }
    });
    failure(&home, &endless, "/a.png", &["--limit", "media=1m"], "limit", &["media"]);
}

#[test]
fn a_server_that_hangs_ends_at_a_deadline() {
    let home = seer();
    let wait = Duration::from_secs(20);
    let mute = Server::start(move |_, connection| {
        connection.closed_within(wait);
        Ok(())
    });
    let stops = Server::start(move |_, connection| {
        connection.head(200, &[IMAGE])?;
        connection.chunk(PNG)?;
        connection.closed_within(wait);
        Ok(())
    });
    let start = Instant::now();
    failure(&home, &mute, "/a.png", &["--limit", "first-byte=300ms"], "timeout", &["first-byte"]);
    failure(&home, &stops, "/a.png", &["--limit", "idle=300ms"], "timeout", &["idle"]);
    failure(&home, &mute, "/a.png", &["--timeout", "300ms"], "timeout", &["total"]);
    failure(&home, &stops, "/a.png", &["--timeout", "300ms"], "timeout", &["total"]);
    assert!(start.elapsed() < Duration::from_secs(15), "{:?}", start.elapsed());
}

#[test]
fn a_connection_that_breaks_is_told() {
    let home = seer();
    let cut = Server::start(|_, connection| {
        connection.head(200, &[IMAGE])?;
        connection.chunk(PNG)
    });
    failure(&home, &cut, "/a.png", &[], "network", &["in the middle of the file"]);
    let url = format!("http://{}", closed_port());
    let program = home.aimu(["chat", "seer:echo", "Hi", "--json", "--retries", "0", "-a"]);
    let program = program.arg(&format!("{url}/a.png?secret")).arg("--allow-media-from").arg(&url);
    let result = program.run().failed(&["network"]);
    let message = result["error"]["message"].as_str().unwrap();
    assert!(message.contains(&format!("could not fetch {url}/a.png: could not connect")), "{message}");
    assert!(!message.contains("secret"), "{message}");
}
