//! What came out of a call, compared with what a case expects.
//!
//! The result is the object that `--json` prints, with what only the library tells beside it (`parts`, `details`,
//! `response_id`, `metadata`). Whatever a case has a fact for is compared.

use super::values::plain;
use serde_json::{Value, json};
use std::collections::HashSet;

/// What a result gets wrong. `raw` is the answer as it was recorded.
pub fn differences(api: &str, expect: &Value, got: &Value, raw: &str) -> Vec<String> {
    let mut found = Found::default();
    let error = if expect["kind"] == "error" { expect } else { &expect["stream_error"] };
    if error.is_object() {
        self::error(error, got, &mut found);
    } else if got["error"].is_object() {
        found.0.push(format!("failed: {}", got["error"]));
    }
    if expect["kind"] == "message" {
        message(expect, got, raw, &mut found);
        if got["parts"].is_array() && !got["error"].is_object() {
            facts(api, expect, got, raw, &mut found);
        }
    }
    found.0
}

#[derive(Default)]
struct Found(Vec<String>);

impl Found {
    fn check(&mut self, what: &str, want: &Value, got: &Value) {
        if want != got {
            self.differ(what, want, got);
        }
    }

    fn differ(&mut self, what: &str, want: &Value, got: &Value) {
        let clip = |value: &Value| value.to_string().chars().take(200).collect::<String>();
        self.0.push(format!("{what}: wanted {}, got {}", clip(want), clip(got)));
    }
}

fn error(want: &Value, got: &Value, found: &mut Found) {
    let error = &got["error"];
    let kinds = list(&want["error_kind_ok"]).unwrap_or_else(|| vec![&want["error_kind"]]);
    if !kinds.contains(&&error["kind"]) {
        found.differ("error kind", &json!(kinds), error);
    }
    if let Some(message) = want["message"].as_str() {
        // A gateway's error may say more than the case took from it.
        let told = error["message"].as_str().unwrap_or_default();
        if !words(told).starts_with(&words(message)) {
            found.differ("error message", &want["message"], &error["message"]);
        }
    }
    if want["status"].is_number() {
        found.check("error status", &want["status"], &error["http_status"]);
    }
    for word in ["code", "type"] {
        if !want[word].is_null() && !holds(&error["provider_error"], &want[word]) {
            found.differ(&format!("error {word}"), &want[word], &error["provider_error"]);
        }
    }
    if let Some(seconds) = want["retry_after"].as_f64() {
        found.check("retry after", &plain(&json!(seconds * 1000.0)), &error["retry_after_ms"]);
    }
}

/// Whether a value stands anywhere in a document.
fn holds(document: &Value, value: &Value) -> bool {
    document == value
        || match document {
            Value::Array(items) => items.iter().any(|item| holds(item, value)),
            Value::Object(members) => members.values().any(|member| holds(member, value)),
            _ => false,
        }
}

fn message(expect: &Value, got: &Value, raw: &str, found: &mut Found) {
    let notes: Vec<&str> = list(&expect["notes"]).into_iter().flatten().filter_map(Value::as_str).collect();
    let noted = |word: &str| notes.iter().any(|note| note.contains(word));
    if noted("<think>") {
        thoughts_in_text(expect, got, found);
    } else {
        if text(&expect["text"]) != text(&got["text"]) {
            found.differ("text", &expect["text"], &got["text"]);
        }
        if !noted("tool_plan") && letters(&expect["reasoning"]) != letters(&got["reasoning"]) {
            found.differ("reasoning", &expect["reasoning"], &got["reasoning"]);
        }
    }
    if text(&expect["refusal"]) != text(&got["refusal"]) {
        found.differ("refusal", &expect["refusal"], &got["refusal"]);
    }
    calls(expect, got, found);
    // An error in the stream ends the answer as failed, whatever reason had come before.
    if !got["error"].is_object() {
        finish(expect, got, found);
    }
    usage(&expect["usage"], &got["usage"], raw, found);
}

fn finish(expect: &Value, got: &Value, found: &mut Found) {
    if !expect["finish"].is_null() {
        let allowed = list(&expect["finish_ok"]).unwrap_or_else(|| vec![&expect["finish"]]);
        if !allowed.contains(&&got["finish"]) {
            found.differ("finish", &expect["finish"], &got["finish"]);
        }
    }
    if !expect["finish_raw"].is_null() {
        found.check("raw finish", &expect["finish_raw"], &got["raw_finish"]);
    }
}

/// Lifting thoughts out of the text is right, and so is leaving them where the server put them.
fn thoughts_in_text(expect: &Value, got: &Value, found: &mut Found) {
    let bare = |text: String| text.replace("<think>", "").replace("</think>", "");
    let together = letters(&got["reasoning"]) + &letters(&got["text"]);
    if bare(letters(&expect["text"])) != together && text(&expect["text"]) != text(&got["text"]) {
        found.differ("text with thoughts", &expect["text"], &got["text"]);
    }
}

/// Names under which a wire tells what the cases know by another name only.
const ALSO: [(&str, &str); 2] =
    [("reasoning", "\"thinking_tokens\""), ("cache_write", "\"cache_creation_input_tokens\"")];

fn usage(want: &Value, got: &Value, raw: &str, found: &mut Found) {
    for (wanted, have) in [
        ("input_total", "input"),
        ("output_total", "output"),
        ("reasoning", "reasoning"),
        ("cache_read", "cache_read"),
        ("cache_write", "cache_write"),
    ] {
        let also = |(name, also): &(&str, &str)| *name == wanted && raw.contains(also);
        // What is unknown is not 0: a number without a source in the answer is an invention.
        let told = want[wanted].is_null() && ALSO.iter().any(also);
        if !told && plain(&want[wanted]) != plain(&got[have]) {
            found.differ(&format!("usage {wanted}"), want, got);
        }
    }
}

fn calls(expect: &Value, got: &Value, found: &mut Found) {
    let want = calls_of(&expect["tool_calls"]);
    let have = calls_of(&got["tool_calls"]);
    // The length limit may cut a call in two: it may be dropped or given as it came.
    let (want, have) = if expect["finish"] == "length" {
        let whole: Vec<_> = want.into_iter().filter(|call| call.whole).collect();
        let have = have.into_iter().filter(|call| whole.iter().any(|want| want.same(call))).collect();
        (whole, have)
    } else {
        (want, have)
    };
    if want.len() != have.len() || !want.iter().zip(&have).all(|(want, have)| want.same(have)) {
        found.differ("tool calls", &expect["tool_calls"], &got["tool_calls"]);
    }
}

/// A tool call as both sides tell it.
struct Call<'a> {
    id: Option<&'a str>,
    name: &'a Value,
    arguments: Value,
    /// Its arguments are valid JSON.
    whole: bool,
}

fn calls_of(value: &Value) -> Vec<Call<'_>> {
    let calls = value.as_array().into_iter().flatten();
    calls
        .map(|call| {
            let whole = !call["arguments"].is_null() && call.get("arguments_raw").is_none();
            let told = if call["arguments"].is_null() { "arguments_raw" } else { "arguments" };
            Call { id: call["id"].as_str(), name: &call["name"], arguments: plain(&call[told]), whole }
        })
        .collect()
}

impl Call<'_> {
    fn same(&self, got: &Call<'_>) -> bool {
        // Where the wire has no id, the host mints one.
        let id = self.id.is_none_or(|id| id.is_empty() || got.id == Some(id));
        id && self.name == got.name && self.arguments == got.arguments
    }
}

/// What the case has a fact for and `--json` has no member of its own.
fn facts(api: &str, expect: &Value, got: &Value, raw: &str, found: &mut Found) {
    let parts = got["parts"].as_array().unwrap();
    // Answers of these wires name no model; then it is the one that was asked.
    if !matches!(api, "converse" | "cohere-chat") || !expect["model"].is_null() {
        found.check("model", &expect["model"], &got["model"]);
    }
    // Some services give each chunk of a stream an id of its own.
    let id = text(&got["response_id"]);
    if expect["id"] != got["response_id"]
        && !(api == "chat-completions" && raw.contains(id) && !id.is_empty())
    {
        found.differ("id", &expect["id"], &got["response_id"]);
    }
    let count = |name: &str| json!(expect[name].as_u64().unwrap_or(0));
    let number = |test: fn(&Value) -> bool| json!(parts.iter().filter(|part| test(part)).count());
    found.check("signatures", &count("signatures"), &number(is_signed));
    found.check("redacted", &count("redacted"), &number(is_redacted));
    found.check("audio", &count("audio"), &number(|part| part["content"]["media"].is_object()));
    found.check("citations", &count("citations"), &json!(sources(api, &got["citations"])));
    server_tools(expect, got, found);
    let details = list(&got["details"]).unwrap_or_default();
    let logprobs = details.iter().any(|detail| detail["kind"] == "logprobs");
    found.check("logprobs", &json!(expect["logprobs"] == true), &json!(logprobs));
    if !expect["stop_sequence"].is_null() {
        found.check("stop sequence", &expect["stop_sequence"], &got["metadata"]["stop_sequence"]);
    }
    if expect["text_parts"].is_array() {
        let texts = parts.iter().map(|part| &part["content"]["text"]);
        let texts: Vec<&Value> = texts.filter(|it| it.is_string() && **it != "").collect();
        found.check("text parts", &expect["text_parts"], &json!(texts));
    }
    if let Some(want) = list(&expect["reasoning_parts"]) {
        let want: Vec<&str> = want.into_iter().map(text).collect();
        found.check("reasoning parts", &json!(want.join("\n\n")), &got["reasoning"]);
    }
}

/// A part that holds what its provider needs back to trust it: a signature, or encrypted reasoning.
fn is_signed(part: &Value) -> bool {
    let replay = &part["replay"];
    let data = if replay["data"].is_object() { &replay["data"] } else { &part["content"]["opaque"]["data"] };
    replay["signature"].is_string()
        || data["encrypted_content"].is_string()
        || data["signature"].is_string()
        || data["type"] == "reasoning.encrypted"
}

/// Reasoning that its provider blacked out. What chat completions call encrypted counts as signed there.
fn is_redacted(part: &Value) -> bool {
    part["content"]["reasoning"]["redacted"].is_string() && !is_signed(part)
}

/// How many sources are cited. The cases count sources; Gemini's answers have a citation for each span that stands on
/// one.
fn sources(api: &str, citations: &Value) -> usize {
    let citations = list(citations).unwrap_or_default();
    if api != "generate-content" {
        return citations.len();
    }
    let source = |it: &Value| format!("{} {} {}", it["url"], it["title"], it["quote"]);
    citations.into_iter().map(source).collect::<HashSet<_>>().len()
}

/// Calls that the provider ran itself, and blocks of its own, by the wire's words for them.
fn server_tools(expect: &Value, got: &Value, found: &mut Found) {
    // The searches that only an answer's grounding tells of are details, no parts.
    const GROUNDED: [(&str, &str); 2] = [("googleSearch", "grounding"), ("urlContext", "url-context")];
    let details = list(&got["details"]).unwrap_or_default();
    let mut want = Vec::new();
    for tool in list(&expect["server_tools"]).into_iter().flatten() {
        match GROUNDED.iter().find(|(name, _)| tool["type"] == *name) {
            Some((_, kind)) if details.iter().any(|detail| detail["kind"] == *kind) => {}
            _ => want.push(&tool["type"]),
        }
    }
    // A stream tells of a tool when it starts, and again when it has ended.
    let mut ran: Vec<&Value> =
        details.into_iter().filter(|detail| detail["kind"] == "executed_tool").collect();
    ran.dedup_by_key(|detail| &detail["data"]["index"]);
    let mut have: Vec<Value> = ran.into_iter().map(|detail| detail["data"]["type"].clone()).collect();
    have.extend(list(&got["parts"]).into_iter().flatten().filter_map(server_tool));
    found.check("server tools", &json!(want), &json!(have));
}

fn server_tool(part: &Value) -> Option<Value> {
    // Members of a part of Gemini's that name what it is.
    const MEMBERS: [&str; 2] = ["executableCode", "toolCall"];
    let (content, data) = (&part["content"], &part["replay"]["data"]);
    if content["tool-call"]["server_executed"] == true {
        let member = MEMBERS.iter().find(|name| data.get(**name).is_some());
        let kind = data["type"].as_str().or(member.copied());
        return Some(json!(kind.unwrap_or("server_tool_use")));
    }
    let kind = content["opaque"]["kind"].as_str()?;
    // An item of reasoning is none, nor are members of the message itself.
    (kind != "reasoning" && kind != "message").then(|| json!(kind))
}

fn list(value: &Value) -> Option<Vec<&Value>> {
    value.as_array().map(|items| items.iter().collect())
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn letters(value: &Value) -> String {
    text(value).split_whitespace().collect()
}
