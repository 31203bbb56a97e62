//! Servers that are programs.

use crate::support::canary::CANARY;
use crate::world::{SOON, World, call, check, failure, number, runs, text, toolbox, until};
use aimu_host::{Approval, FailureKind};
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread")]
async fn a_server_is_started_when_it_is_asked_and_all_its_tools_are_there() {
    let world = World::new().server("my.good", "good", "", "").server("other", "ends-at-once", "", "");
    let host = world.host();
    let checked = check(&host, "my.good").await;
    assert_eq!(
        (checked.about.as_deref(), checked.protocol.as_deref()),
        (Some("good 1.2.3"), Some("2026-07-28"))
    );
    assert!(checked.problems.is_empty(), "{:?}", checked.problems);
    let tools = checked.tools.unwrap();
    // Three pages, under names that services take.
    assert_eq!(tools.len(), 9);
    let echo = tools.iter().find(|tool| tool.definition().description == "the tool echo").unwrap();
    assert!(echo.definition().name.starts_with("my_good__echo"), "{}", echo.definition().name);
    assert_eq!(echo.definition().parameters["required"][0], "text");
    assert_eq!(echo.approval(), Approval::Ask);
}

#[tokio::test(flavor = "multi_thread")]
async fn tools_answer() {
    let world = World::new().server("s", "good", "", "");
    let host = world.host();
    let tools = toolbox(&host, "s").await;
    let answer = call(&tools, "s__echo", r#"{"text": "héllo"}"#).await;
    assert!(!answer.is_error && text(&answer) == "héllo", "{answer:?}");
    assert_eq!(text(&call(&tools, "s__picture", "{}").await), "[image/png]");
    let failed = call(&tools, "s__fail", "{}").await;
    assert!(failed.is_error && text(&failed) == "it is Sunday", "{failed:?}");
    // Many at once, over one connection.
    let slow = || call(&tools, "s__slow", r#"{"ms": 300}"#);
    let start = Instant::now();
    let answers = futures::future::join_all((0..20).map(|_| slow())).await;
    assert!(answers.iter().all(|answer| text(answer) == "done"));
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_is_never_an_old_one() {
    let world = World::new().server("s", "good", "", "");
    let host = world.host();
    let tools = toolbox(&host, "s").await;
    call(&tools, "s__grow", "{}").await;
    let tools = toolbox(&host, "s").await;
    let grown = tools.definitions().find(|tool| tool.name.starts_with("s__grown_0")).unwrap().name.clone();
    assert_eq!(text(&call(&tools, &grown, "{}").await), "grown.0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_given_up_is_told_to_the_server() {
    let world = World::new().server("s", "good", "timeout = '200ms'", "");
    let host = world.host();
    let tools = toolbox(&host, "s").await;
    let answer = call(&tools, "s__slow", r#"{"ms": 60000}"#).await;
    assert!(answer.is_error, "{answer:?}");
    let start = Instant::now();
    while text(&call(&tools, "s__cancelled", "{}").await) != "1" {
        assert!(start.elapsed() < SOON, "the server was not told");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn its_environment_is_what_the_configuration_gives() {
    let world = World::new();
    std::fs::write(world.path().join("key"), format!("{CANARY}\n")).unwrap();
    let key = format!("KEY = {{ file = '{}' }}, PLAIN = 'a plain value'", world.path().join("key").display());
    let world = world.server("s", "good", "", &key);
    let host = world.host();
    let tools = toolbox(&host, "s").await;
    let answer = call(&tools, "s__environment", "{}").await;
    let seen = text(&answer);
    // The variables that Cargo gives to tests are ours, and not its.
    assert!(std::env::var("CARGO_MANIFEST_DIR").is_ok() && !seen.contains("CARGO_MANIFEST_DIR"), "{seen}");
    assert!(
        seen.contains("\"PATH\"") && seen.contains("a plain value") && seen.contains("\"KEY\""),
        "{seen}"
    );
    // It has the key; nobody else is shown it.
    assert!(!seen.contains(CANARY) && seen.contains("****"), "{seen}");
    let missing = World::new().server("s", "good", "", "KEY = { env = 'NO_SUCH_KEY_OF_OURS' }");
    let told = failure(&missing.host(), "s").await;
    assert_eq!(told.kind, FailureKind::Authentication);
    assert!(told.message.contains("`KEY`") && told.message.contains("NO_SUCH_KEY_OF_OURS"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_of_before_are_spoken_to_as_they_know_it() {
    for role in ["old", "strict", "greets", "floods-stderr"] {
        let world = World::new().server("s", role, "", "");
        let host = world.host();
        let checked = check(&host, "s").await;
        assert_eq!(checked.protocol.as_deref(), Some("2024-11-05"), "{role}: {:?}", checked.tools.err());
        let tools = toolbox(&host, "s").await;
        assert_eq!(text(&call(&tools, "s__hello", "{}").await), "hello", "{role}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_does_not_come_is_told_and_costs_its_own_tools() {
    let key = format!("KEY = {{ file = 'FOLDER/key' }}, X = '{}'", "x");
    let world = World::new();
    std::fs::write(world.path().join("key"), CANARY).unwrap();
    let key = key.replace("FOLDER", world.path().to_str().unwrap());
    let short = "start-timeout = '1s'";
    let world = world
        .server("silent", "silent", short, "")
        .server("garbage", "garbage", "", "")
        .server("endless", "endless-line", "", "")
        .server("ends", "ends-at-once", "", &key)
        .server("list", "lists-nothing-sensible", "", "")
        .line("[mcp.none]\ncommand = '/no/such/program'")
        .server("good", "good", "", "");
    let host = world.host();
    for (name, kind, words) in [
        ("silent", FailureKind::Timeout, &["did not answer", "start-timeout"][..]),
        ("garbage", FailureKind::Limit, &["1 MiB", "no message"]),
        ("endless", FailureKind::Limit, &["16 MiB"]),
        ("ends", FailureKind::Network, &["ended", "exit status: 3", "no licence found"]),
        ("list", FailureKind::Protocol, &["no list of tools"]),
        ("none", FailureKind::NotFound, &["/no/such/program", "installed"]),
    ] {
        let told = failure(&host, name).await;
        assert_eq!(told.kind, kind, "{name}: {told}");
        assert!(words.iter().all(|word| told.message.contains(word)), "{name}: {told}");
        assert!(told.message.contains(&format!("`{name}`")) && !told.message.contains(CANARY), "{told}");
        // Nobody waits for the next one to fail in the same way.
        let start = Instant::now();
        let again = failure(&host, name).await;
        assert!(again.kind == kind && start.elapsed() < Duration::from_secs(5), "{name}: {again}");
    }
    assert!(check(&host, "good").await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_goes_wrong_is_told_and_the_next_one_has_a_new_server() {
    for (role, words) in [
        ("dies", &["in the middle of the call", "exit status: 7", "I am broken"][..]),
        ("answers-hugely", &["16 MiB", "was ended"]),
        ("answers-endlessly", &["16 MiB", "was ended"]),
        ("answers-nonsense", &["no result"]),
    ] {
        let pid = World::new();
        let file = pid.path().join("pid");
        let world = World::new().server("s", role, "", &format!("PID_FILE = '{}'", file.display()));
        let host = world.host();
        let tools = toolbox(&host, "s").await;
        let mut servers = Vec::new();
        for _ in 0..2 {
            let answer = call(&tools, "s__hello", "{}").await;
            let told = text(&answer);
            assert!(answer.is_error, "{role}: {told}");
            assert!(words.iter().all(|word| told.contains(word)), "{role}: {told}");
            assert!(told.contains("`s`") && told.len() < 2_000, "{role}: {told}");
            servers.push(number(&file));
        }
        assert_ne!(servers[0], servers[1], "{role} was not started again");
        drop((tools, host));
        until("a server is left", || servers.iter().all(|server| !runs(server)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_never_ends_costs_itself() {
    let world = World::new().server("s", "never-answers", "timeout = '300ms'", "");
    let host = world.host();
    let tools = toolbox(&host, "s").await;
    let answer = call(&tools, "s__hello", "{}").await;
    assert!(answer.is_error && text(&answer).contains("300ms"), "{answer:?}");
    assert_eq!(text(&call(&tools, "s__hello", "{}").await), "hello");
    // One that does not even read what it is asked.
    let world = World::new().server("s", "ignores-stdin", "timeout = '300ms'", "");
    let host = world.host();
    let tools = toolbox(&host, "s").await;
    let long = format!(r#"{{"text": "{}"}}"#, "x".repeat(1 << 20));
    for _ in 0..3 {
        let answer = call(&tools, "s__hello", &long).await;
        assert!(answer.is_error && text(&answer).contains("300ms"), "{answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tools_that_are_none_are_left_out_and_named() {
    let world = World::new().server("odd", "odd-tools", "", "").server("endless", "lists-for-ever", "", "");
    let host = world.host();
    let odd = check(&host, "odd").await;
    let names: Vec<_> = odd.tools.iter().flatten().map(|tool| tool.definition().name.clone()).collect();
    assert_eq!(names, ["odd__hello"]);
    for (problem, word) in odd.problems.iter().zip(["`hello` is listed twice", "`none`", "`broken`"]) {
        assert!(problem.contains(word), "{problem}");
    }
    assert_eq!(odd.problems.len(), 3);
    let endless = check(&host, "endless").await;
    assert_eq!(endless.tools.unwrap().len(), 100);
    assert!(endless.problems[0].contains("100 pages"), "{:?}", endless.problems);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_process_is_left() {
    let world = World::new();
    let [server, child] = ["server", "child"].map(|name| world.path().join(name));
    let files = format!("PID_FILE = '{}', CHILD_FILE = '{}'", server.display(), child.display());
    let world = world.server("s", "has-a-child", "", &files);
    let host = world.host();
    let tools = toolbox(&host, "s").await;
    let processes = [number(&server), number(&child)];
    assert!(processes.iter().all(|process| runs(process)));
    // A tool alone keeps its server.
    drop(host);
    assert_eq!(text(&call(&tools, "s__hello", "{}").await), "hello");
    drop(tools);
    until("a process is left", || processes.iter().all(|process| !runs(process)));
}
