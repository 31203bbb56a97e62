//! What a component can see and touch of the machine: nothing.

use super::{Server, call, works};
use crate::support::Home;

/// What the guest tries, as it names it, and the attack that it is.
const ATTACKS: [(&str, &str); 12] = [
    ("environment", "read the environment"),
    ("arguments", "read the arguments"),
    ("input", "read standard input"),
    ("written file", "write a file"),
    ("connection", "open a socket"),
    ("listener", "listen on a socket"),
    ("datagrams", "send datagrams"),
    ("names", "look a name up"),
    ("/", "list the file system"),
    (".", "list the working folder"),
    ("/etc/passwd", "read a file"),
    ("/proc/self/environ", "read the environment as a file"),
];

#[test]
fn nothing_of_the_machine_is_there() {
    let home = Home::with(&["reads_environment"]);
    let server = Server::answering(200, &[], "hello");
    let address = server.url().replace("http://", "");
    let program = call(&home, &format!("reads-environment:{address}"), &[]).env("AIMU_SECRET", "sesame");
    let result = program.run().ok().json();
    let text = result["text"].as_str().unwrap();
    for (thing, attack) in ATTACKS {
        let nothing = text.lines().any(|line| line == format!("{thing}: nothing"));
        assert!(nothing, "{attack}: {text}");
    }
    assert_eq!(text.lines().count(), ATTACKS.len(), "{text}");
    assert!(server.requests().is_empty());
    assert!(!std::path::Path::new("/tmp/aimu-was-here").exists());
    works(&home);
}
