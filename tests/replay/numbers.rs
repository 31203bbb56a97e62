//! Calls that answer with numbers: embeddings, and counts of tokens.

use super::calls::callers;
use super::cases::{self, Delivery, Exchange};
use super::report::Verdict;
use super::{outcome, requests};
use serde_json::{Value, json};

/// How far a number may be from the case's, which has six places.
const NEAR: f64 = 1.5e-6;

/// Runs one exchange of embeddings: by the program, and by the library with the answer cut.
pub fn embeddings(exchange: &Exchange) -> Verdict {
    let exchange = &second_version(exchange);
    let server = cases::replay(exchange, vec![Delivery::Whole, Delivery::Cut(exchange.seed())]);
    let printed = callers().program_embeds(exchange, &server.url());
    let Ok(got) = serde_json::from_str::<Value>(&printed.stdout) else {
        return Verdict::failed(format!("the program gave no result: {printed:?}"));
    };
    let mut wrong = outcome::differences(&exchange.api, &exchange.expect, &got, &exchange.text());
    if printed.code != Some(i32::from(exchange.expect["kind"] == "error")) {
        wrong.push(format!("exit code {:?}", printed.code));
    }
    if exchange.expect["kind"] == "embeddings" {
        wrong.extend(vectors(&exchange.expect, &got));
    }
    let again = callers().library_embeds(exchange, &server.url());
    if again != got {
        let clip = |value: &Value| value.to_string().chars().take(200).collect::<String>();
        wrong.push(format!("cut: {}, and was {}", clip(&again), clip(&got)));
    }
    let requests = server.requests();
    let differences = match requests.as_slice() {
        [first, second] if first.json() == second.json() => requests::differences(exchange, first),
        other => {
            wrong.push(format!("{} requests were made, or two that differ", other.len()));
            Vec::new()
        }
    };
    Verdict { wrong, differences, ..Verdict::default() }
}

/// Cohere's API is asked in its second version, whose requests differ as declared; answers of the first are read as
/// well.
fn second_version(exchange: &Exchange) -> Exchange {
    let mut exchange = exchange.clone();
    let url = exchange.url().replace("cohere.com/v1/embed", "cohere.com/v2/embed");
    if let Some(request) = &mut exchange.request {
        request["url"] = json!(url);
    }
    exchange
}

/// What is wrong about vectors: their count, lengths and first values, and the usage.
pub fn vectors(expect: &Value, got: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    let vectors = got["vectors"].as_array().cloned().unwrap_or_default();
    if expect["count"] != json!(vectors.len()) {
        wrong.push(format!("count: wanted {}, got {}", expect["count"], vectors.len()));
    }
    let mut lengths: Vec<usize> = vectors.iter().map(|vector| vector.as_array().unwrap().len()).collect();
    lengths.dedup();
    if expect["dims"] != json!(lengths) {
        wrong.push(format!("dims: wanted {}, got {lengths:?}", expect["dims"]));
    }
    let first = expect["first3"].as_array().cloned().unwrap_or_default();
    for (want, vector) in first.iter().zip(&vectors) {
        let near =
            |place: usize| (want[place].as_f64().unwrap() - vector[place].as_f64().unwrap()).abs() < NEAR;
        if !(0..3).all(near) {
            wrong.push(format!("values: wanted {want}, got {:?}", &vector.as_array().unwrap()[..3]));
        }
    }
    if !expect["usage"]["input"].is_null() && expect["usage"]["input"] != got["usage"]["input"] {
        wrong.push(format!("usage: wanted {}, got {}", expect["usage"], got["usage"]));
    }
    wrong
}

/// An exchange of a count that can be asked for on the command line, with its text. The cases have no input of these.
pub fn countable(exchange: &Exchange) -> Option<(Exchange, String)> {
    // Only a path of Vertex AI's says which service it is, and Converse has no such verb here.
    if !matches!(exchange.provider.as_str(), "anthropic" | "gemini" | "openai") {
        return None;
    }
    let body = &exchange.request.as_ref()?["body"];
    let text = single_text(body)?;
    let input = json!({ "model": body["model"] });
    Some((Exchange { input, asked: true, ..exchange.clone() }, text))
}

/// The text of a request that is nothing but one text of the user.
fn single_text(body: &Value) -> Option<String> {
    let plain = body.get("tools").is_none() && body.get("systemInstruction").is_none();
    let messages = ["messages", "contents", "input"].iter().find_map(|name| body[*name].as_array())?;
    let [message] = messages.as_slice() else { return None };
    let texts = [&message["content"], &message["content"][0]["text"], &message["parts"][0]["text"]];
    texts.into_iter().find_map(Value::as_str).filter(|_| plain).map(str::to_owned)
}

/// Runs one exchange of a count.
pub fn count(exchange: &Exchange, text: &str) -> Verdict {
    let server = cases::replay(exchange, vec![Delivery::Cut(exchange.seed())]);
    let printed = callers().program_counts(exchange, &server.url(), text);
    let mut wrong = Vec::new();
    let expect = &exchange.expect;
    if expect["kind"] == "error" {
        let message = expect["message"].as_str().unwrap();
        if printed.code != Some(1) || !printed.stderr.contains(message) {
            wrong.push(format!("wanted the error {message:?}, got {printed:?}"));
        }
    } else if printed.code != Some(0)
        || serde_json::from_str(&printed.stdout).ok() != expect["input"].as_u64()
    {
        wrong.push(format!("wanted {}, got {printed:?}", expect["input"]));
    }
    let differences = match server.requests().as_slice() {
        [sent] => requests::differences(exchange, sent),
        other => {
            wrong.push(format!("{} requests were made", other.len()));
            Vec::new()
        }
    };
    Verdict { wrong, differences, ..Verdict::default() }
}
