//! A page of the web: from servers that are allowed, within bounds.

use crate::support::Home;
use crate::support::program::Program;
use crate::support::server::Server;
use serde_json::json;

const HTML: (&str, &str) = ("content-type", "text/html; charset=utf-8");

fn fetch(url: &str, allowed: &[&Server]) -> Program {
    let arguments = json!({"url": url}).to_string();
    let program = Home::new().aimu(["tools", "call", "fetch_page", &arguments]);
    allowed.iter().fold(program, |program, server| program.arg("--allow-media-from").arg(&server.url()))
}

#[test]
fn a_page_is_its_text() {
    let page = "<html><head><title>T</title><style>p{}</style></head><body><h1>News</h1>\
                <p>Rain in <a href=\"/b\">Bergen</a>.<script>no()</script></body></html>";
    let server = Server::answering(200, &[HTML], page);
    let outcome = fetch(&server.url(), &[&server]).run().ok();
    assert!(outcome.stdout.contains("# News") && outcome.stdout.contains("Bergen"), "{outcome:?}");
    assert!(!outcome.stdout.contains("no()") && !outcome.stdout.contains('<'), "{outcome:?}");
    let request = server.request();
    assert!(request.method == "GET" && request.header("cookie").is_none(), "{request:?}");

    let server = Server::answering(200, &[("content-type", "application/json")], r#"{"a": "<b>"}"#);
    assert_eq!(fetch(&server.url(), &[&server]).run().ok().stdout, "{\"a\": \"<b>\"}\n");
}

#[test]
fn only_servers_that_are_allowed_are_asked() {
    let server = Server::answering(200, &[HTML], "<p>inside");
    fetch(&server.url(), &[]).run().exits(1).says(&["is refused", "--allow-media-from"]);
    let to = format!("{}/next", server.url());
    let redirecting = Server::answering(302, &[("location", &to)], "");
    fetch(&redirecting.url(), &[&redirecting]).run().exits(1).says(&["is refused"]);
    assert!(server.requests().is_empty());
    assert_eq!(fetch(&redirecting.url(), &[&redirecting, &server]).run().ok().stdout, "inside\n");
    for url in ["file:///etc/passwd", "http://169.254.169.254/latest", "http://u:p@127.0.0.1/", "no url"] {
        fetch(url, &[]).run().exits(1).says(&["could not fetch"]);
    }
}

#[test]
fn what_is_too_much_is_cut_and_what_is_no_text_is_refused() {
    let server = Server::answering(200, &[HTML], "<p>word</p>".repeat(400_000));
    let outcome = fetch(&server.url(), &[&server]).run().ok();
    assert!(outcome.stdout.len() < 70_000, "{}", outcome.stdout.len());
    assert!(
        outcome.stdout.contains("[cut: bytes 0 to 6553"),
        "{}",
        &outcome.stdout[outcome.stdout.len() - 200..]
    );
    let further = json!({"url": server.url(), "offset": 65_000}).to_string();
    let program = Home::new().aimu(["tools", "call", "fetch_page", &further]).arg("--allow-media-from");
    assert!(program.arg(&server.url()).run().ok().stdout.contains("[cut: bytes 65000 to 1305"));

    let deep = Server::answering(200, &[HTML], "<div>".repeat(200_000));
    fetch(&deep.url(), &[&deep]).run().exits(1).says(&["256 levels"]);
    let picture = Server::answering(200, &[("content-type", "image/png")], "x");
    fetch(&picture.url(), &[&picture]).run().exits(1).says(&["no page and no text: image/png"]);
    let missing = Server::answering(404, &[HTML], "");
    fetch(&missing.url(), &[&missing]).run().exits(1).says(&["answered 404"]);
}
