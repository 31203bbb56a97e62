//! Programs that give keys: when they are run, what they may print, and keys that expire.

use super::{answering, bearer, chat, configure, key, run, sent};
use crate::CHAT_COMPLETIONS;
use crate::support::Home;
use crate::support::server::Server;
use std::fs;
use std::os::unix::fs::PermissionsExt;

/// A program that writes a line into `runs` each time it is run, and then does this; `$n` is how often it was.
fn program(home: &Home, does: &str) -> String {
    let path = home.data().join("planted-program");
    let runs = home.data().join("runs");
    let text =
        format!("#!/bin/sh\necho run >>'{0}'\nn=$(wc -l <'{0}' | tr -d ' ')\n{does}\n", runs.display());
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
    path.display().to_string()
}

fn runs(home: &Home) -> usize {
    fs::read_to_string(home.data().join("runs")).map_or(0, |text| text.lines().count())
}

fn source(program: &str, more: &str) -> String {
    format!("{{ source = {{ command = [\"{program}\", \"an argument\"]{more} }}, required = true }}")
}

/// Accepts keys that end so, and refuses others.
fn accepting(end: &'static str) -> Server {
    Server::start(move |request, connection| {
        let headers = [("content-type", "application/json")];
        match request.header("authorization") {
            Some(sent) if sent.ends_with(end) => {
                connection.answer(200, &headers, CHAT_COMPLETIONS.whole.as_bytes())
            }
            _ => connection.answer(401, &headers, br#"{"error":{"message":"the token has expired"}}"#),
        }
    })
}

#[test]
fn a_program_gives_the_key() {
    let home = Home::fresh();
    let server = answering();
    let name = program(&home, &format!("test \"$1\" = 'an argument' && echo '{}'", key("told")));
    configure(&home, &server, &source(&name, ""));
    assert_eq!(run(&home, chat(&home)).ok().stdout, "Hello, world\n");
    assert_eq!((sent(&server), runs(&home)), (vec![bearer("told")], 1));
    // A line as for a shell, without a shell.
    configure(&home, &server, &format!("{{ source = {{ command = \"{name} 'an argument'\" }} }}"));
    run(&home, chat(&home)).ok();
    assert_eq!(sent(&server).last().unwrap(), &bearer("told"));
    configure(&home, &server, &format!("{{ source = {{ command = \"{name} 'an argument' && echo no\" }} }}"));
    run(&home, chat(&home)).ok();
    assert_eq!(sent(&server).last().unwrap(), &bearer("told"));
}

#[test]
fn no_program_is_run_that_others_could_have_named() {
    let home = Home::fresh();
    let server = answering();
    let name = program(&home, &format!("echo '{}'", key("told")));
    configure(&home, &server, &source(&name, ""));
    let file = home.data().join("config.toml");
    for (path, mode, back) in [(file.clone(), 0o666, 0o600), (home.data().to_path_buf(), 0o777, 0o700)] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        run(&home, chat(&home)).exits(1).says(&["chmod go-w", "names a program"]);
        assert_eq!(runs(&home), 0);
        fs::set_permissions(&path, fs::Permissions::from_mode(back)).unwrap();
    }
    run(&home, chat(&home)).ok();
    assert_eq!(runs(&home), 1);
}

#[test]
fn a_key_that_is_refused_is_got_anew_once() {
    let home = Home::fresh();
    let server = accepting("-2");
    let name = program(&home, &format!("printf '{}-%s' \"$n\"", key("run")));
    configure(&home, &server, &source(&name, ""));
    let outcome = run(&home, chat(&home)).ok();
    assert_eq!(outcome.stdout, "Hello, world\n");
    assert_eq!((sent(&server), runs(&home)), (vec![bearer("run-1"), bearer("run-2")], 2));
    // The request is the same.
    let [first, second] = &server.requests()[..] else { panic!() };
    assert_eq!((&first.body, &first.path), (&second.body, &second.path));

    // It counts as a request.
    fs::remove_file(home.data().join("runs")).unwrap();
    run(&home, home.aimu(["chat", "mine:m", "Hi", "--no-stream", "--limit", "requests=1"]))
        .exits(1)
        .says(&["`requests`"]);

    // Streams, too.
    fs::remove_file(home.data().join("runs")).unwrap();
    let streaming = Server::start(|request, connection| {
        if request.header("authorization").is_some_and(|sent| sent.ends_with("-2")) {
            CHAT_COMPLETIONS.begin(connection, &CHAT_COMPLETIONS.events())?;
            return connection.end();
        }
        connection.answer(401, &[], b"")
    });
    configure(&home, &streaming, &source(&name, ""));
    let outcome = run(&home, home.aimu(["chat", "mine:m", "Hi", "--retries", "0"])).ok();
    assert_eq!((outcome.stdout.as_str(), streaming.requests().len()), ("Hello, world\n", 2));
}

#[test]
fn a_refusal_that_stays_is_told_after_one_more_try() {
    let home = Home::fresh();
    let server = accepting("never");
    let name = program(&home, &format!("printf '{}-%s' \"$n\"", key("run")));
    configure(&home, &server, &source(&name, ""));
    run(&home, chat(&home)).exits(1).says(&["the token has expired"]);
    assert_eq!((server.requests().len(), runs(&home)), (2, 2));
    // The same key again would be refused again.
    let name = program(&home, &format!("echo '{}'", key("same")));
    configure(&home, &server, &source(&name, ""));
    run(&home, chat(&home)).exits(1).says(&["the token has expired"]);
    assert_eq!((server.requests().len(), runs(&home)), (3, 4));
    // What can't be got again is not.
    configure(&home, &server, "{ source = { env = \"MINE_KEY\" } }");
    run(&home, chat(&home).env("MINE_KEY", &key("variable"))).exits(1).says(&["the token has expired"]);
    assert_eq!(server.requests().len(), 4);
}

#[test]
fn keys_hold_as_long_as_they_say() {
    let home = Home::fresh();
    let server = accepting("");
    let json = r#"printf '{"access_token":"KEY-%s","expires_in":LIFE}' "$n""#.replace("KEY", &key("run"));
    let host = |home: &Home| {
        let home_of = aimu_host::Home::at(home.data());
        aimu_host::Host::builder().home(home_of).plugin_dir(home.plugins()).retries(0).build().unwrap()
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for (life, expected) in [("3600", 1), ("0.02", 2)] {
        let _ = fs::remove_file(home.data().join("runs"));
        configure(&home, &server, &source(&program(&home, &json.replace("LIFE", life)), ""));
        let host = host(&home);
        runtime.block_on(async {
            let mut client = host.client("mine:m").await.unwrap();
            client.chat("Hi").await.unwrap();
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            client.chat("Hi").await.unwrap();
            // A client of the same provider asks nobody again.
            if life == "3600" {
                host.client("mine:m").await.unwrap().chat("Hi").await.unwrap();
            }
        });
        assert!(runs(&home) >= expected && (life != "3600" || runs(&home) == 1), "{life}: {}", runs(&home));
    }
}

#[test]
fn a_program_that_gives_no_key_is_told_before_anything_is_sent() {
    let home = Home::fresh();
    let server = answering();
    let told = |does: &str, more: &str, words: &[&str]| {
        configure(&home, &server, &source(&program(&home, does), more));
        let outcome = run(&home, chat(&home)).exits(1);
        outcome.says(&["planted-program", "`mine`"]);
        outcome.says(words);
    };
    told("echo 'not signed in' >&2; exit 4", "", &["exit status: 4", "not signed in"]);
    told("true", "", &["printed nothing"]);
    told(&format!("printf '{}\\n{}\\n'", key("a"), key("b")), "", &["several lines"]);
    told(&format!("echo '{{\"token\":\"{}\"}}'", key("a")), "", &["without `access_token`"]);
    told(&format!("echo '{{\"access_token\":{{\"x\":\"{}\"}}}}'", key("a")), "", &["JSON that is no"]);
    told("yes", "", &["64 KiB"]);
    told("sleep 60", ", timeout = \"200ms\"", &["did not end within 200ms"]);
    configure(&home, &server, &source("/no/such/planted-program", ""));
    run(&home, chat(&home)).exits(1).says(&["could not be started"]);
    configure(&home, &server, "{ source = { command = \"x\", env = \"Y\" } }");
    run(&home, chat(&home)).exits(2).says(&["one of `env`, `command`, `file` and `keyring`"]);
    assert!(server.requests().is_empty());
}

#[test]
fn keys_that_sign_come_from_a_program_and_expire() {
    let home = Home::fresh();
    let server = Server::start(|request, connection| {
        let headers = [("content-type", "application/json"), ("x-amzn-errortype", "ExpiredTokenException")];
        match request.header("authorization") {
            Some(sent) if sent.contains("-id-2/") => connection.answer(
                200,
                &headers[..1],
                br#"{"output":{"message":{"role":"assistant","content":[{"text":"Hello"}]}},"stopReason":"end_turn"}"#,
            ),
            _ => connection.answer(403, &headers, br#"{"message":"The security token is expired"}"#),
        }
    });
    let does = r#"printf '{"Version":1,"AccessKeyId":"ID-%s","SecretAccessKey":"SECRET","SessionToken":"TOKEN-%s","Expiration":"2999-01-01T00:00:00Z"}' "$n" "$n""#;
    let does =
        does.replace("ID", &key("id")).replace("SECRET", &key("secret")).replace("TOKEN", &key("token"));
    let text = format!(
        "[providers.mine]\nplugin = \"bedrock\"\nbase-url = \"{}\"\ncredential = {}\n",
        server.url(),
        source(&program(&home, &does), "")
    );
    fs::write(home.data().join("config.toml"), text).unwrap();
    assert_eq!(run(&home, chat(&home)).ok().stdout, "Hello\n");
    let tokens: Vec<_> = server
        .requests()
        .iter()
        .map(|request| request.header("x-amz-security-token").unwrap().to_owned())
        .collect();
    assert_eq!((tokens, runs(&home)), (vec![key("token-1"), key("token-2")], 2));
    // A plugin whose requests are not signed has no use for them.
    let name = program(&home, &does);
    configure(&home, &server, &source(&name, ""));
    run(&home, chat(&home)).exits(2).says(&["planted-program", "`openai-compat` takes none"]);
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn no_program_is_run_for_a_plugin_that_is_allowed_nothing() {
    let home = Home::fresh();
    home.install("takes_keys");
    let server = Server::answering(200, &[("content-type", "application/json")], "{}");
    let name = program(&home, &format!("echo '{}'", key("told")));
    let text = format!(
        "[providers.mine]\nplugin = \"takes-keys\"\nbase-url = \"{}\"\ncredential = {}\n",
        server.url(),
        source(&name, "")
    );
    fs::write(home.data().join("config.toml"), text).unwrap();
    let outcome = run(&home, home.aimu(["chat", "mine:x", "Hi"])).exits(1);
    outcome.says(&["aimu-host plugins allow takes-keys"]);
    assert_eq!((runs(&home), server.requests().len()), (0, 0));
    run(&home, home.aimu(["chat", "mine:x", "Hi", "--allow"])).ok();
    assert_eq!((sent(&server), runs(&home)), (vec![bearer("told")], 1));
}
