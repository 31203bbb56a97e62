//! Servers that a component may not reach, under every form of their addresses.

use super::{answering, call, names, raw, works};
use crate::support::Home;
use serde_json::json;

/// Forms of addresses that nobody can grant: the attack, and the host of a URL.
const NEVER: [(&str, &str); 26] = [
    ("metadata", "169.254.169.254"),
    ("metadata by a decimal host", "2852039166"),
    ("metadata by a hexadecimal host", "0xa9fea9fe"),
    ("metadata by an octal host", "0251.0376.0251.0376"),
    ("metadata by a short host", "169.254.43518"),
    ("metadata with a dot behind", "169.254.169.254."),
    ("metadata in other dots", "169\u{3002}254\u{3002}169\u{3002}254"),
    ("metadata in other digits", "\u{ff11}69.254.169.254"),
    ("metadata, percent-encoded", "%31%36%39.254.169.254"),
    ("metadata, v4-mapped", "[::ffff:169.254.169.254]"),
    ("metadata, v4-compatible", "[::169.254.169.254]"),
    ("metadata by NAT64", "[64:ff9b::a9fe:a9fe]"),
    ("metadata by a local NAT64", "[64:ff9b:1::a9fe:a9fe]"),
    ("metadata by 6to4", "[2002:a9fe:a9fe::1]"),
    ("metadata by ISATAP", "[2001:db9::5efe:a9fe:a9fe]"),
    ("Amazon's metadata by IPv6", "[fd00:ec2::254]"),
    ("Google's metadata by IPv6", "[fd20:ce::254]"),
    ("credentials of a container", "169.254.170.2"),
    ("Alibaba's metadata", "100.100.100.200"),
    ("Azure's wire server", "168.63.129.16"),
    ("link-local", "[fe80::1]"),
    ("this machine by the unspecified address", "0.0.0.0"),
    ("this machine by IPv6's unspecified address", "[::]"),
    ("multicast", "224.0.0.1"),
    ("broadcast", "255.255.255.255"),
    ("benchmarking", "198.18.0.1"),
];

/// Addresses of this machine and network, which a user may name: `PORT` is a server's that was not.
const LOCAL: [(&str, &str); 17] = [
    ("loopback, another port", "127.0.0.1:PORT"),
    ("loopback, another address", "127.0.0.2:PORT"),
    ("loopback by its name", "localhost:PORT"),
    ("loopback by a name below", "x.localhost:PORT"),
    ("loopback by IPv6", "[::1]:PORT"),
    ("loopback, v4-mapped", "[::ffff:127.0.0.1]:PORT"),
    ("loopback by NAT64", "[64:ff9b::7f00:1]:PORT"),
    ("loopback by a decimal host", "2130706433:PORT"),
    ("loopback by an octal host", "0177.0.0.1:PORT"),
    ("loopback by a short hexadecimal host", "0x7f.1:PORT"),
    ("private, class A", "10.0.0.1"),
    ("private, class B", "172.16.0.1"),
    ("private, class C", "192.168.0.1"),
    ("shared", "100.64.0.1"),
    ("unique-local", "[fd12::1]"),
    ("a database's port", "127.0.0.1:5432"),
    ("a user part that looks like the granted server", "GRANTED@127.0.0.1:PORT"),
];

#[test]
fn what_was_not_granted_is_refused() {
    let home = Home::with(&["other_origin"]);
    let (granted, other) = (answering(), answering());
    let port = other.url().rsplit(':').next().unwrap().to_owned();
    let granted_host = granted.url().replace("http://", "");
    for (attack, host) in NEVER.iter().chain(&LOCAL) {
        for scheme in ["http", "https"] {
            let host = host.replace("PORT", &port).replace("GRANTED", &granted_host);
            let model = format!("other-origin:{scheme}://{host}/x@{}", granted.url());
            let outcome = call(&home, &model, &[]).run();
            assert!(other.requests().is_empty() && granted.requests().is_empty(), "{attack}: {outcome:?}");
            // What is no URL of a server does not even leave the guest.
            outcome.failed(&["denied", "invalid-request"]);
        }
    }
    // The same port by another name of the granted server is another origin, too.
    let alias = granted.url().replace("127.0.0.1", "localhost");
    let outcome = call(&home, &format!("other-origin:{alias}/x@{}", granted.url()), &[]).run();
    outcome.failed(&["denied"]);
    // What was granted is reached.
    call(&home, &format!("other-origin:{}/x@{}", granted.url(), granted.url()), &[]).run().ok();
    assert_eq!(granted.requests().len(), 1);
    works(&home);
}

#[test]
fn what_nobody_can_grant_is_refused_to_the_user_too() {
    let home = Home::with(&["raw_request"]);
    for (attack, host) in NEVER {
        let outcome =
            raw(&home, &format!("http://{host}"), &json!([{}]), &["--allow", "--limit", "connect=2s"]);
        // Some forms are no URL to begin with.
        if outcome.code == Some(2) {
            assert!(!outcome.stdout.contains("\"text\""), "{attack}: {outcome:?}");
            continue;
        }
        let result = outcome.failed(&["denied"]);
        names(&result, "raw-request", &["can't be granted"]);
    }
    works(&home);
}

#[test]
fn a_declared_loopback_server_is_not_reached() {
    // The plugin's own default is a server of this machine; granting all that it declares does not make it the user's.
    let home = Home::with(&["many_requests"]);
    let result = call(&home, "many-requests:x", &["--allow"]).run().failed(&["denied"]);
    names(&result, "many-requests", &["127.0.0.1", "only a base URL that you name"]);
    works(&home);
}

#[test]
fn redirects_lead_nowhere() {
    let home = Home::with(&["raw_request"]);
    let other = answering();
    for (attack, to) in [
        ("a redirect to metadata", "http://169.254.169.254/latest/meta-data/".to_owned()),
        ("a redirect to another port", format!("{}/stolen", other.url())),
        ("a redirect to a file", "file:///etc/passwd".to_owned()),
        ("a redirect to another protocol", format!("gopher://{}/", other.url().replace("http://", ""))),
    ] {
        for status in [301, 302, 303, 307, 308] {
            let location = to.clone();
            let server = super::Server::answering(status, &[("location", &location)], "");
            let result = raw(&home, &server.url(), &json!([{}]), &["--allow"]).ok().json();
            // The guest is told, and may do nothing about it.
            assert!(result["text"].as_str().unwrap().starts_with(&status.to_string()), "{attack}: {result}");
            assert!(other.requests().is_empty(), "{attack} was followed");
            assert_eq!(server.requests().len(), 1, "{attack}");
        }
    }
    works(&home);
}
