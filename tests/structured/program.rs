//! `--schema`: the value alone on stdout, or an error.

use crate::support::Home;
use crate::support::program::Program;
use crate::support::server::Server;
use crate::{FITS, home, is_by_prompt, is_native, model, saying, schema};
use serde_json::{Value, json};

fn ask(home: &Home, verb: &str, provider: &str, server: &Server) -> Program {
    home.aimu([verb, &model(provider, server), "Who?", "--schema", &schema().to_string()])
}

#[test]
fn a_model_without_structured_output_is_asked_in_the_prompt() {
    let home = home();
    let fenced = format!("Here you are:\n```json\n{FITS}\n```\nAnything else?");
    let server = saying(&[&fenced]);
    let outcome = ask(&home, "chat", "plain", &server).run().ok();
    assert_eq!(outcome.stdout, "{\"name\":\"Ada\",\"age\":36}\n");
    assert!(outcome.stderr.is_empty(), "{outcome:?}");
    let body = server.request().json();
    is_by_prompt(&body);
    assert_eq!(
        body["messages"][1],
        json!({"role": "user", "content": "Who?"}),
        "the question is the user's own"
    );

    // Instructions that there are come first, as one text.
    let server = saying(&[FITS]);
    ask(&home, "chat", "plain", &server).arg("-s").arg("Be brief.").run().ok();
    let body = server.request().json();
    is_by_prompt(&body);
    assert!(body["messages"][0]["content"].as_str().unwrap().starts_with("Be brief.\n\n"), "{body}");

    // A prompt has none, and so it says it itself.
    let server = saying(&[FITS]);
    let outcome = ask(&home, "generate", "plain", &server).run().ok();
    assert_eq!(outcome.stdout, "{\"name\":\"Ada\",\"age\":36}\n");
    let body = server.request().json();
    let prompt = body["messages"][0]["content"].as_str().unwrap();
    assert!(prompt.starts_with("Who?\n\n") && prompt.contains(&schema().to_string()), "{body}");
    assert_eq!((body["messages"].as_array().unwrap().len(), &body["response_format"]), (1, &Value::Null));
}

#[test]
fn others_are_asked_on_the_wire() {
    let home = home();
    for (model, no_check) in [("able:m", false), ("openai-compat:unheard-of", false), ("plain:m", true)] {
        let server = saying(&[FITS]);
        let model = format!("{model}@{}", server.url());
        let mut program = home.aimu(["chat", &model, "Who?", "--schema", &schema().to_string()]);
        if no_check {
            program = program.arg("--no-check");
        }
        assert_eq!(program.run().ok().stdout, "{\"name\":\"Ada\",\"age\":36}\n");
        is_native(&server.request().json());
    }
}

#[test]
fn what_does_not_fit_is_asked_for_again() {
    let home = home();
    for (verb, provider) in [("chat", "plain"), ("chat", "able"), ("generate", "plain"), ("generate", "able")]
    {
        let server = saying(&["No idea.", r#"{"name": "Ada", "age": "old"}"#, FITS]);
        let outcome = ask(&home, verb, provider, &server).arg("--usage").run().ok();
        assert_eq!(outcome.stdout, "{\"name\":\"Ada\",\"age\":36}\n", "{verb} {provider}");
        let stderr = &outcome.stderr;
        assert_eq!(stderr.matches("warning: ").count(), 2, "{outcome:?}");
        assert!(stderr.contains("it is not JSON") && stderr.contains("at /age"), "{outcome:?}");
        assert!(stderr.contains("usage: 21 in, 15 out"), "all answers are paid for: {outcome:?}");
        let bodies: Vec<Value> = server.requests().iter().map(|request| request.json()).collect();
        assert_eq!(bodies.len(), 3);
        let last = bodies[2]["messages"].as_array().unwrap();
        let told = last.last().unwrap()["content"].as_str().unwrap();
        assert!(told.contains("at /age: \"old\" is not of type \"integer\""), "{told}");
        assert!(last.iter().any(|message| message.to_string().contains("old")), "{last:?}");
        for body in &bodies {
            match (verb, provider) {
                (_, "able") => is_native(body),
                ("chat", _) => is_by_prompt(body),
                _ => assert_eq!(body["response_format"], Value::Null),
            }
        }
        if verb == "chat" {
            let roles: Vec<_> =
                last.iter().rev().take(3).map(|message| message["role"].as_str().unwrap()).collect();
            assert_eq!(roles, ["user", "assistant", "user"]);
        }
    }
}

#[test]
fn no_answer_that_fits_is_an_error() {
    let home = home();
    let wrong = r#"{"name": 1}"#;
    for (more, asked) in [(&[][..], 3), (&["--schema-retries", "0"], 1), (&["--schema-retries", "4"], 5)] {
        let server = saying(&[wrong]);
        let mut program = ask(&home, "chat", "able", &server);
        for argument in more {
            program = program.arg(argument);
        }
        let outcome = program.run().exits(1);
        assert_eq!((outcome.stdout.as_str(), server.requests().len()), ("", asked));
        outcome.says(&["error: ", "no answer that fits the JSON Schema", "at /name", "--schema-retries"]);
    }
    // What came is there to be looked at.
    let server = saying(&[wrong]);
    let result = ask(&home, "chat", "able", &server).arg("--json").run().failed(&["protocol"]);
    assert_eq!((result["text"].as_str(), result.get("value")), (Some(wrong), None));
}

#[test]
fn refusals_and_cut_answers_are_errors_that_say_so() {
    let home = home();
    for (answer, kind, word) in [
        ("!length\n{\"name\": \"A", "protocol", "cut by a length limit"),
        ("!content_filter\n{\"name\"", "content-filter", "filter"),
    ] {
        let server = saying(&[answer]);
        let result = ask(&home, "chat", "plain", &server).arg("--json").run().failed(&[kind]);
        assert!(result["error"]["message"].as_str().unwrap().contains(word), "{result}");
        assert_eq!(server.requests().len(), 1, "asking again would not help");
    }
    let refusal = json!({"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [{"index": 0,
        "message": {"role": "assistant", "content": null, "refusal": "I won't."}, "finish_reason": "stop"}]});
    let server = Server::answering(200, &[("content-type", "application/json")], refusal.to_string());
    let result = ask(&home, "chat", "able", &server)
        .arg("--json")
        .arg("--no-stream")
        .run()
        .failed(&["content-filter"]);
    assert!(result["error"]["message"].as_str().unwrap().contains("I won't."), "{result}");
}

#[test]
fn scripts_get_the_value_too() {
    let home = home();
    let server = saying(&["No.", FITS]);
    let lines = ask(&home, "chat", "plain", &server).arg("--events").run().ok().lines();
    let done = lines.last().unwrap();
    assert_eq!(done["value"], json!({"name": "Ada", "age": 36}), "{done}");
    assert_eq!((&done["usage"]["input"], &done["text"]), (&json!(14), &json!(FITS)));
    // Parts of both answers, each under an index of its own.
    let starts: Vec<_> =
        lines.iter().filter(|line| line["type"] == "start").map(|line| line["index"].clone()).collect();
    assert_eq!(starts, [json!(0), json!(1)]);
    let text: String = lines
        .iter()
        .filter(|line| line["type"] == "delta")
        .map(|line| line["text"].as_str().unwrap())
        .collect();
    assert_eq!(text, format!("No.{FITS}"));
    assert_eq!(lines.iter().filter(|line| line["type"] == "warning").count(), 1);
    assert_eq!(done["warnings"].as_array().unwrap().len(), 1);
    let usage: Vec<_> =
        lines.iter().filter(|line| line["type"] == "usage").map(|line| line["input"].clone()).collect();
    assert_eq!(usage.last(), Some(&json!(14)), "{usage:?}");
}

#[test]
fn a_request_document_makes_one_request() {
    let home = home();
    let format = json!({"type": "json_schema", "json_schema": {"name": "person", "schema": schema()}});
    let document =
        json!({"messages": [{"role": "user", "content": "Who?"}], "response_format": format}).to_string();
    for (provider, answer, value) in [
        ("able", FITS, json!({"name": "Ada", "age": 36})),
        ("plain", FITS, json!({"name": "Ada", "age": 36})),
        ("able", "No.", Value::Null),
        ("plain", "No.", Value::Null),
        ("able", "!length\n{", Value::Null),
    ] {
        let server = saying(&[answer]);
        let ask = home.aimu(["chat", &model(provider, &server), "--request", "-", "--json"]);
        let outcome = ask.input(document.as_str()).run().ok();
        let result = outcome.json();
        assert_eq!(result.get("value").unwrap_or(&Value::Null), &value, "{result}");
        let warned = result["warnings"].to_string().contains("does not fit its JSON Schema");
        assert_eq!(warned, answer == "No.", "{result}");
        let body = server.request().json();
        if provider == "plain" { is_by_prompt(&body) } else { is_native(&body) }
    }
    // A schema that the host can't read is the provider's to judge.
    let odd = document.replace("\"object\"", "\"OBJECT\"");
    let server = saying(&[FITS]);
    let ask = home.aimu(["chat", &model("able", &server), "--request", "-", "--json"]);
    assert_eq!(ask.input(odd).run().ok().json()["warnings"], json!([]));
}

#[test]
fn a_schema_that_is_none_is_told_before_anything_is_sent() {
    let home = home();
    let server = saying(&[FITS]);
    let remote = format!(r#"{{"$ref": "{}/schema.json"}}"#, server.url());
    for wrong in [r#"{"type": "objekt"}"#, remote.as_str(), r#"{"$ref": "file:///etc/passwd"}"#] {
        let outcome = home.aimu(["chat", &model("able", &server), "Who?", "--schema", wrong]).run().exits(2);
        outcome.says(&["no JSON Schema by itself"]);
    }
    assert!(server.requests().is_empty());
}
