//! Requests that the host signs for Amazon: the server checks each signature by an account of its own, as AWS does.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use sha2::{Digest, Sha256};
use std::time::{SystemTime, UNIX_EPOCH};
use support::Home;
use support::program::{Outcome, Program};
use support::server::{Request, Server};

const ID: &str = "AKIDTESTTESTTESTTEST";
const SECRET: &str = "c2VjcmV0/of+a/test/5c1e9a70b3d24f86ab97";
const TOKEN: &str = "IQoJb3JpZ2luX2VjEXAMPLE//////////wEaCXVzLWVhc3QtMSJ=";
const MODEL: &str = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";

/// What the service answers.
const WHOLE: &str = r#"{"output":{"message":{"role":"assistant","content":[{"text":"Hello"}]}},"stopReason":"end_turn","usage":{"inputTokens":1,"outputTokens":2}}"#;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// HMAC as RFC 2104 defines it, apart from the one that the host uses.
fn hmac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut block = [0; 64];
    assert!(key.len() <= block.len());
    block[..key.len()].copy_from_slice(key);
    let padded = |with: u8| block.map(|byte| byte ^ with);
    let inner = Sha256::new().chain_update(padded(0x36)).chain_update(text).finalize();
    Sha256::new().chain_update(padded(0x5c)).chain_update(inner).finalize().to_vec()
}

/// Checks a request as the service in a region would.
#[track_caller]
fn verify(request: &Request, region: &str) {
    let time = request.header("x-amz-date").expect("the time");
    assert!(time.len() == 16 && time.ends_with('Z') && time.as_bytes()[8] == b'T', "{time}");
    let scope = format!("{}/{region}/bedrock/aws4_request", &time[..8]);
    let authorization = request.header("authorization").expect("a signature");
    let rest = authorization.strip_prefix("AWS4-HMAC-SHA256 ").expect(authorization);
    let fields: Vec<(&str, &str)> = rest.split(", ").map(|field| field.split_once('=').unwrap()).collect();
    let [("Credential", credential), ("SignedHeaders", signed), ("Signature", signature)] = fields[..] else {
        panic!("{authorization}");
    };
    assert_eq!(credential, format!("{ID}/{scope}"));
    let signed: Vec<&str> = signed.split(';').collect();
    let content_type = request.header("content-type").map(|_| "content-type");
    for needed in ["host", "x-amz-date"].into_iter().chain(content_type) {
        assert!(signed.contains(&needed), "{needed} is not signed: {signed:?}");
    }
    for (name, _) in request.headers.iter().filter(|(name, _)| name.starts_with("x-amz-")) {
        assert!(signed.contains(&name.as_str()), "{name} is not signed");
    }
    assert!(signed.is_sorted());
    // Each byte of the path is encoded once more; a slash parts segments.
    let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
    let mut query: Vec<&str> = query.split('&').collect();
    query.sort_unstable();
    let path: String = path
        .bytes()
        .map(|byte| match byte {
            b'/' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
            byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect();
    let headers: String =
        signed.iter().map(|name| format!("{name}:{}\n", request.header(name).expect(name))).collect();
    let canonical = format!(
        "{}\n{path}\n{}\n{headers}\n{}\n{}",
        request.method,
        query.join("&"),
        signed.join(";"),
        hex(&Sha256::digest(&request.body))
    );
    let text = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", hex(&Sha256::digest(canonical.as_bytes())));
    let mut key = format!("AWS4{SECRET}").into_bytes();
    for part in scope.split('/') {
        key = hmac(&key, part.as_bytes());
    }
    assert_eq!(signature, hex(&hmac(&key, text.as_bytes())), "the signature of\n{canonical}");
}

fn service() -> Server {
    Server::answering(200, &[("content-type", "application/json")], WHOLE)
}

/// A call with keys, over a model's id that has to be encoded.
fn call(home: &Home, server: &Server, model: &str, more: &[&str]) -> Program {
    let model = format!("bedrock:{model}@{}", server.url());
    let arguments = ["chat", &model, "Hi", "--no-stream", "--json"];
    let program = home.aimu(arguments.iter().chain(more));
    program.env("AWS_ACCESS_KEY_ID", ID).env("AWS_SECRET_ACCESS_KEY", SECRET)
}

#[track_caller]
fn is_silent(outcome: &Outcome) {
    for secret in [ID, SECRET, TOKEN] {
        let part = &secret[..14];
        assert!(!outcome.stdout.contains(part), "{part} is on standard output: {outcome:?}");
        assert!(!outcome.stderr.contains(part), "{part} is on standard error: {outcome:?}");
    }
}

#[test]
fn the_server_finds_each_signature_right() {
    let profile = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc~1";
    for model in [MODEL, profile] {
        let server = service();
        let outcome = call(&Home::new(), &server, model, &[]).run().ok();
        assert_eq!(outcome.json()["text"], "Hello");
        let request = server.request();
        assert!(!request.path.contains(':') && request.path.matches('/').count() == 3, "{}", request.path);
        verify(&request, "us-east-1");
        assert_eq!(request.header("x-amz-security-token"), None);
        is_silent(&outcome);
    }
}

#[test]
fn a_session_token_is_part_of_it() {
    let server = service();
    let outcome = call(&Home::new(), &server, MODEL, &[])
        .env("AWS_SESSION_TOKEN", TOKEN)
        .env("RUST_LOG", "trace")
        .run()
        .ok();
    let request = server.request();
    assert_eq!(request.header("x-amz-security-token"), Some(TOKEN));
    verify(&request, "us-east-1");
    is_silent(&outcome);
}

#[test]
fn the_time_is_now() {
    let server = service();
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let before = now();
    call(&Home::new(), &server, MODEL, &[]).run().ok();
    let request = server.request();
    let time = request.header("x-amz-date").unwrap();
    let number = |range: std::ops::Range<usize>| time[range].parse::<u64>().unwrap();
    // Days of a year that begins in March, as calendars of computers count.
    let (year, month) = match (number(0..4), number(4..6)) {
        (year, month @ 1..=2) => (year - 1, month + 9),
        (year, month) => (year, month - 3),
    };
    let days =
        365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + number(6..8) - 719_469;
    let seconds = days * 86_400 + number(9..11) * 3600 + number(11..13) * 60 + number(13..15);
    assert!((before..=now()).contains(&seconds), "{time} is not between {before} and {}", now());
}

#[test]
fn the_accounts_models_are_listed_page_by_page() {
    let server = Server::start(|request, connection| {
        let model = |id: &str, sold: &str| {
            serde_json::json!({
                "modelId": id, "modelName": "A name", "providerName": "Maker", "inputModalities": ["TEXT", "IMAGE"],
                "outputModalities": ["TEXT"], "responseStreamingSupported": true, "inferenceTypesSupported": [sold]
            })
        };
        let profile = |id: &str, kind: &str| {
            serde_json::json!({
                "inferenceProfileId": id, "inferenceProfileArn": format!("arn:aws:bedrock:us-east-1:1:p/{id}"),
                "models": [{ "modelArn": "arn:aws:bedrock:us-east-1::foundation-model/by.profile" }],
                "status": "ACTIVE", "type": kind
            })
        };
        let body = match request.path.as_str() {
            "/foundation-models" => serde_json::json!({
                "modelSummaries": [model("on.demand", "ON_DEMAND"), model("by.profile", "INFERENCE_PROFILE")]
            }),
            "/inference-profiles?maxResults=1000&type=SYSTEM_DEFINED" => serde_json::json!({
                "inferenceProfileSummaries": [profile("us.by.profile", "SYSTEM_DEFINED")], "nextToken": "a/b+c="
            }),
            "/inference-profiles?maxResults=1000&type=SYSTEM_DEFINED&nextToken=a%2Fb%2Bc%3D" => {
                serde_json::json!({
                    "inferenceProfileSummaries": [profile("eu.by.profile", "SYSTEM_DEFINED")]
                })
            }
            "/inference-profiles?maxResults=1000&type=APPLICATION" => serde_json::json!({
                "inferenceProfileSummaries": [profile("own", "APPLICATION")]
            }),
            other => panic!("{other}"),
        };
        connection.answer(200, &[("content-type", "application/json")], body.to_string().as_bytes())
    });
    let provider = format!("bedrock@{}", server.url());
    let home = Home::new();
    let list = home.aimu(["models", "--provider", &provider, "--refresh", "--json"]);
    let outcome = list.env("AWS_ACCESS_KEY_ID", ID).env("AWS_SECRET_ACCESS_KEY", SECRET).run().ok();
    is_silent(&outcome);
    let listed = outcome.json();
    let ids: Vec<&str> =
        listed.as_array().unwrap().iter().map(|model| model["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["on.demand", "us.by.profile", "eu.by.profile", "arn:aws:bedrock:us-east-1:1:p/own"]);
    assert_eq!(listed[0]["capabilities"], serde_json::json!(["vision"]));
    assert_eq!(server.requests().len(), 4);
    server.requests().iter().for_each(|request| verify(request, "us-east-1"));
}

#[test]
fn the_region_is_the_settings_else_the_environments() {
    for (setting, region, default, want) in [
        (None, None, None, "us-east-1"),
        (None, None, Some("eu-west-3"), "eu-west-3"),
        (None, Some("eu-west-1"), Some("eu-west-3"), "eu-west-1"),
        (Some("region=ap-south-1"), Some("eu-west-1"), None, "ap-south-1"),
    ] {
        let server = service();
        let setting: Vec<&str> = setting.into_iter().flat_map(|setting| ["--setting", setting]).collect();
        let home = Home::new();
        let mut program = call(&home, &server, MODEL, &setting);
        for (name, value) in [("AWS_REGION", region), ("AWS_DEFAULT_REGION", default)] {
            if let Some(value) = value {
                program = program.env(name, value);
            }
        }
        program.run().ok();
        verify(&server.request(), want);
    }
    let server = service();
    let outcome = call(&Home::new(), &server, MODEL, &["--setting", "region=evil.example/x"]).run().exits(2);
    outcome.says(&["region"]);
    assert!(server.requests().is_empty());
}

#[test]
fn an_api_key_goes_before_keys_that_sign() {
    let server = service();
    let key = "bedrock-api-key-0123456789abcdef";
    call(&Home::new(), &server, MODEL, &[]).env("AWS_BEARER_TOKEN_BEDROCK", key).run().ok();
    let request = server.request();
    assert_eq!(request.header("authorization"), Some(format!("Bearer {key}").as_str()));
    assert!(request.headers.iter().all(|(name, _)| !name.starts_with("x-amz-")), "{request:?}");
}

#[test]
fn keys_that_are_missing_are_told() {
    let home = Home::new();
    let model = format!("bedrock:{MODEL}");
    let outcome = home.aimu(["chat", &model, "Hi"]).run().exits(1);
    outcome.says(&["AWS_BEARER_TOKEN_BEDROCK", "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"]);
    let outcome = home.aimu(["chat", &model, "Hi"]).env("AWS_ACCESS_KEY_ID", ID).run().exits(1);
    outcome.says(&["not whole", "AWS_SECRET_ACCESS_KEY"]);
    is_silent(&outcome);
    // A token alone is no key.
    let outcome = home.aimu(["chat", &model, "Hi"]).env("AWS_SESSION_TOKEN", TOKEN).run().exits(1);
    outcome.says(&["AWS_BEARER_TOKEN_BEDROCK"]);
    is_silent(&outcome);
}

#[test]
fn a_server_that_echoes_the_keys_does_not_get_them_shown() {
    let server = Server::start(|request, connection| {
        let heard: Vec<String> =
            request.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        let message = format!("I heard {} and know {SECRET}", heard.join(", "));
        let body = serde_json::json!({ "message": message }).to_string();
        let headers =
            [("content-type", "application/json"), ("x-amzn-errortype", "InvalidSignatureException")];
        connection.answer(403, &headers, body.as_bytes())
    });
    let outcome = call(&Home::new(), &server, MODEL, &["--retries", "0", "-v"])
        .env("AWS_SESSION_TOKEN", TOKEN)
        .env("RUST_LOG", "trace")
        .run()
        .exits(1);
    is_silent(&outcome);
    let result = outcome.failed(&["authentication"]);
    let message = result["error"]["message"].as_str().unwrap();
    assert!(message.contains("I heard") && message.contains("****"), "{message}");
}

#[test]
fn keys_of_another_account_have_variables_of_their_own() {
    let home = Home::fresh();
    let config = |env: &str| {
        let server = service();
        let text = format!(
            "[providers.other]\nplugin = \"bedrock\"\nbase-url = \"{}\"\nsettings = {{ region = \"eu-west-1\" }}\n\
             credential = {{ source = {{ env = {env} }}, required = true }}\n",
            server.url()
        );
        std::fs::write(home.data().join("config.toml"), text).unwrap();
        let program = home.aimu(["chat", &format!("other:{MODEL}"), "Hi", "--no-stream", "--json"]);
        let program = program.env("AWS_ACCESS_KEY_ID", "no").env("AWS_SESSION_TOKEN", "no");
        (server, program.env("MY_ID", ID).env("MY_SECRET", SECRET))
    };
    let (server, program) = config("{ access-key-id = \"MY_ID\", secret-access-key = \"MY_SECRET\" }");
    program.run().ok();
    verify(&server.request(), "eu-west-1");
    assert_eq!(server.request().header("x-amz-security-token"), None);
    let (server, program) = config("\"MY_SECRET\"");
    program.run().ok();
    assert_eq!(server.request().header("authorization"), Some(format!("Bearer {SECRET}").as_str()));
    let (server, program) = config("{ access-key = \"MY_ID\" }");
    program.run().exits(2).says(&["access-key"]);
    assert!(server.requests().is_empty());
}
