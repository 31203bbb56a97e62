//! Components that fail where they can, and say of themselves what is not so.

use super::{call, ends, names, works};
use crate::support::Home;

#[test]
fn a_trap() {
    ends("trap", "early", &[], &["internal"], &["unreachable"]);
    let result = ends("trap", "late", &[], &["internal"], &["unreachable"]);
    assert_eq!(result["text"], "so far so good");
}

#[test]
fn a_panic() {
    ends("panic", "x", &[], &["internal"], &["there is no cheese left"]);
}

/// Every export of a provider but `describe`, as the program calls it.
const EXPORTS: [(&str, &[&str]); 5] = [
    ("chat", &["chat", "MODEL", "Hi"]),
    ("generate", &["generate", "MODEL", "Hi"]),
    ("embed", &["embed", "MODEL", "Hi"]),
    ("count", &["count", "MODEL", "Hi"]),
    ("pull", &["pull", "MODEL"]),
];

#[test]
fn a_trap_in_every_export() {
    let home = Home::with(&["fails_everywhere"]);
    for (export, arguments) in EXPORTS {
        let arguments = arguments.iter().map(|word| word.replace("MODEL", "fails-everywhere:trap"));
        let outcome = home.aimu(arguments).armed().run().exits(1);
        assert!(outcome.stderr.contains("fails-everywhere"), "{export}: {outcome:?}");
        assert!(outcome.stderr.contains("it fails here, too"), "{export}: {outcome:?}");
        works(&home);
    }
    let outcome = home.aimu(["models", "--refresh", "--provider", "fails-everywhere"]).armed().run().exits(1);
    assert!(outcome.stderr.contains("it fails here, too"), "{outcome:?}");
    works(&home);
}

#[test]
fn never_returning_from_any_export() {
    let home = Home::with(&["fails_everywhere"]);
    for (export, arguments) in EXPORTS {
        let arguments = arguments.iter().map(|word| word.replace("MODEL", "fails-everywhere:spin"));
        let limit = ["--limit", "cpu=300ms"].map(str::to_owned);
        let outcome = home.aimu(arguments.chain(limit)).armed().run().exits(1);
        assert!(outcome.stderr.contains("`cpu`"), "{export}: {outcome:?}");
        works(&home);
    }
}

/// A component that is not fit is listed with the reason, and stands in nobody's way.
#[track_caller]
fn is_listed_as_unfit(guest: &str, words: &[&str]) {
    let home = Home::with(&[guest, "well_behaved"]);
    let list = home.aimu(["plugins", "list"]).armed().run().ok();
    assert!(list.stdout.contains("well-behaved") && list.stdout.contains("echo"), "{guest}: {list:?}");
    let told = format!("{}{}", list.stdout, list.stderr);
    assert!(told.contains(guest), "{guest} is not listed with a reason: {list:?}");
    for word in words {
        assert!(told.contains(word), "{word} is missing: {list:?}");
    }
    assert!(!told.contains('\u{1b}') && told.len() < 100_000, "{list:?}");
    let id = guest.replace('_', "-");
    let outcome = call(&home, &format!("{id}:x"), &[]).run();
    assert!(matches!(outcome.code, Some(1 | 2)), "{outcome:?}");
    works(&home);
}

#[test]
fn a_description_that_traps() {
    is_listed_as_unfit("describe_traps", &["I would rather not say"]);
}

#[test]
fn a_description_that_never_comes() {
    is_listed_as_unfit("describe_spins", &["cpu"]);
}

#[test]
fn a_description_of_two_hundred_thousand_models() {
    is_listed_as_unfit("describe_floods", &["--limit catalog="]);
}

#[test]
fn a_description_that_is_nonsense() {
    is_listed_as_unfit("describe_lies", &["broke the contract"]);
}

#[test]
fn a_name_of_ten_megabytes() {
    is_listed_as_unfit("describe_long", &["display-name", "10000000 characters"]);
}

#[test]
fn a_thousand_models_are_listed() {
    // It is what brokers have.
    let home = Home::with(&["describe_thousand"]);
    let models = home.aimu(["models", "--provider", "describe-thousand", "--json"]).armed().run().ok().json();
    assert_eq!(models.as_array().unwrap().len(), 1000);
}

#[test]
fn the_id_of_another_plugin() {
    let home = Home::with(&["poses_as_echo"]);
    let result = call(&home, "echo:echo", &[]).run().ok().json();
    assert_eq!(result["text"], "Hi", "another has read it: {result}");
    let list = home.aimu(["plugins", "list"]).armed().run().ok();
    assert!(format!("{}{}", list.stdout, list.stderr).contains("poses_as_echo"), "{list:?}");
    // Two files of one id: the first has it, and the second is told of.
    let home = Home::with(&["asks", "asks_more"]);
    let outcome = call(&home, "asks:x", &["--allow"]).run();
    if outcome.code == Some(0) {
        assert!(!outcome.stdout.contains("more credentials"), "{outcome:?}");
    }
    names(&call(&home, "asks:x", &[]).run().failed(&["denied"]), "asks", &["plugins allow"]);
}
