//! Servers with a setting in their name: what is shown and allowed has the setting in it, and its value changes one label.

use super::{home, listed};
use crate::support::Home;
use crate::support::program::Outcome;

const ASKED: &str = "https://{region=10}.0.0.1";

/// Asks for a server; what is said of it.
fn ask(home: &Home, url: &str, more: &[&str]) -> Outcome {
    let model = format!("asks-region:{url}");
    home.aimu(["chat", &model, "Hi", "--retries", "0"].iter().chain(more)).run()
}

#[test]
fn a_grant_holds_for_the_setting() {
    let home = home(&["asks_region"]);
    let mine = "https://127.0.0.1/";
    ask(&home, mine, &[]).exits(1).says(&[ASKED, "aimu-host plugins allow asks-region"]);
    home.aimu(["plugins", "allow", "asks-region", "--yes"]).run().ok().says(&[ASKED]);
    assert_eq!(listed(&home, "asks-region")["grants"]["granted"]["origins"][1], ASKED);

    // The default is another server than this.
    ask(&home, mine, &[]).exits(1).says(&["https://127.0.0.1 is not granted"]);
    // The user's word makes it this one, and no more: what is of this machine stays closed to a plugin's own servers.
    ask(&home, mine, &["--setting", "region=127"]).exits(1).says(&["https://127.0.0.1 is of this machine"]);
    ask(&home, "https://10.0.0.1/", &["--setting", "region=127"]).exits(1).says(&["10.0.0.1 is not granted"]);
    for wrong in ["1.127", "127.0.0.1/", "127.0.0.1:8443/@", "evil.example#", ""] {
        let setting = format!("region={wrong}");
        let outcome = ask(&home, mine, &["--setting", &setting]).exits(2);
        outcome.says(&["`region`", "https://{region}.0.0.1"]);
    }
}

#[test]
fn one_that_is_left_out_is_not_reached() {
    let home = home(&["asks_region"]);
    let base = "https://api.asks-region.example";
    home.aimu(["plugins", "allow", "asks-region", "--origin", base]).run().ok();
    let outcome = ask(&home, "https://127.0.0.1/", &["--setting", "region=127"]).exits(1);
    outcome.says(&["not granted", ASKED]);
    // As it is shown it is named.
    home.aimu(["plugins", "allow", "asks-region", "--origin", ASKED]).run().ok();
    ask(&home, "https://127.0.0.1/", &["--setting", "region=127"]).exits(1).says(&["of this machine"]);
}
