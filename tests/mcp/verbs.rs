//! `aimu-host mcp`, and which configurations are read.

use crate::support::Home;
use crate::world::{World, check, number, runs, until};
use aimu_host::FailureKind;
use serde_json::json;
use std::os::unix::fs::PermissionsExt;

fn verb(world: &World, arguments: &[&str]) -> crate::support::program::Program {
    let config = world.config_file();
    let more = ["--config", config.to_str().unwrap()];
    Home::new().aimu(["mcp"].iter().chain(arguments).chain(&more))
}

#[test]
fn servers_are_listed_and_looked_at() {
    let world = World::new()
        .server("good", "good", "", "")
        .server("ends", "ends-at-once", "", "KEY = 'x'")
        .server("off", "good", "disabled = true", "")
        .url("web", "http://127.0.0.1:9/mcp?key=hunter2", "");
    let listed = verb(&world, &["list"]).run().ok();
    for word in ["good", "ends", "disabled", "http://127.0.0.1:9/mcp", "usable"] {
        assert!(listed.stdout.contains(word), "{}", listed.stdout);
    }
    assert!(!listed.stdout.contains("hunter2"), "{}", listed.stdout);
    let checked = verb(&world, &["check", "good"]).run().ok();
    assert!(checked.stdout.contains("good: good 1.2.3, protocol 2026-07-28, 9 tools"), "{}", checked.stdout);
    assert!(checked.stdout.contains("  good__echo"), "{}", checked.stdout);
    let all = verb(&world, &["check", "--json"]).run();
    assert_eq!(all.code, Some(1), "{}", all.stderr);
    let all: serde_json::Value = serde_json::from_str(&all.stdout).unwrap();
    let brief: Vec<_> =
        all.as_array().unwrap().iter().map(|one| (one["name"].clone(), one["ok"].clone())).collect();
    let wanted = [("ends", false), ("good", true), ("web", false)];
    assert_eq!(brief, wanted.map(|(name, ok)| (json!(name), json!(ok))));
    assert!(all[0]["error"]["message"].as_str().unwrap().contains("no licence"), "{all}");
    let unknown = verb(&world, &["check", "god"]).run();
    assert!(unknown.code == Some(2) && unknown.stderr.contains("Did you mean `good`?"), "{}", unknown.stderr);
}

#[test]
fn a_server_ends_with_the_program_however_that_ends() {
    for signal in ["-INT", "-KILL"] {
        let world = World::new();
        let file = world.path().join("pid");
        let world = world.server("silent", "silent", "", &format!("PID_FILE = '{}'", file.display()));
        let running = verb(&world, &["check"]).start();
        let server = number(&file);
        assert!(runs(&server));
        let id = running.id().to_string();
        assert!(std::process::Command::new("kill").args([signal, &id]).status().unwrap().success());
        until("the server is left", || !runs(&server));
        running.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_file_of_other_programs_is_read() {
    let world = World::new().line("mcp-servers = 'other/mcp.json'").server("both", "good", "", "");
    let folder = world.path().join("other");
    std::fs::create_dir(&folder).unwrap();
    let path = folder.join("mcp.json");
    let program = std::env::current_exe().unwrap();
    let arguments = ["serves", "--exact", "--nocapture", "--test-threads=2"];
    let file = json!({"mcpServers": {
        "theirs": {"command": program, "args": arguments, "env": {"MCP_TEST_SERVER": "${NO_SUCH:-old}"}, "alwaysAllow": []},
        "both": {"command": "/no/such/program"},
        "wrong": {"type": "sse", "url": "http://127.0.0.1:9/sse"},
    }});
    std::fs::write(&path, file.to_string()).unwrap();
    let host = world.host();
    assert_eq!(
        host.mcp_servers().iter().map(|server| &*server.name).collect::<Vec<_>>(),
        ["both", "theirs", "wrong"]
    );
    assert!(check(&host, "theirs").await.is_ok());
    // What config.toml says goes first.
    assert!(check(&host, "both").await.is_ok());
    assert!(check(&host, "wrong").await.tools.err().unwrap().message.contains("`sse`"));
}

#[test]
fn a_file_that_others_can_write_names_no_programs() {
    let world = World::new().server("s", "good", "", "");
    let open = |path: &std::path::Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    open(&world.config_file(), 0o666);
    let told = world.try_host().map(|_| ()).unwrap_err();
    assert!(told.kind == FailureKind::Denied && told.message.contains("chmod go-w"), "{told}");
    let world = World::new().line("mcp-servers = 'mcp.json'");
    let file = world.path().join("mcp.json");
    assert!(world.try_host().map(|_| ()).unwrap_err().message.contains("mcp.json"));
    for (text, fine) in [
        (r#"{"mcpServers": {"a": {"command": "x"}}}"#, false),
        (r#"{"mcpServers": {"a": {"url": "http://127.0.0.1:9"}}}"#, true),
    ] {
        std::fs::write(&file, text).unwrap();
        open(&file, 0o666);
        match world.try_host() {
            Ok(_) => assert!(fine),
            Err(told) => assert!(!fine && told.kind == FailureKind::Denied, "{told}"),
        }
    }
}
