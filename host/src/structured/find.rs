//! The JSON value in what a model wrote.

use serde_json::Value;

/// The value of an answer: the text itself, else what a fence encloses, else what stands between the first opening and
/// the last closing bracket, those of a list where a list is wanted. An error says why the text itself is none.
pub(crate) fn value(text: &str, list: bool) -> Result<Value, String> {
    let whole = text.trim();
    let error = match serde_json::from_str(whole) {
        Ok(value) => return Ok(value),
        Err(_) if whole.is_empty() => return Err("it is empty".to_owned()),
        Err(error) => format!("it is not JSON: {error}"),
    };
    let parse = |text: &str| serde_json::from_str(text.trim()).ok();
    fenced(whole).find_map(parse).or_else(|| parse(between(whole, list)?)).ok_or(error)
}

/// What the fences of Markdown enclose, without the word that names the language.
fn fenced(text: &str) -> impl Iterator<Item = &str> {
    // Every second piece is inside.
    text.split("```").skip(1).step_by(2).map(|inside| match inside.split_once('\n') {
        Some((first, rest)) if first.trim().chars().all(|c| c.is_ascii_alphanumeric()) => rest,
        _ => inside,
    })
}

fn between(text: &str, list: bool) -> Option<&str> {
    let (open, close) = if list { ('[', ']') } else { ('{', '}') };
    text.get(text.find(open)?..=text.rfind(close)?)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn models_wrap_a_value_in_many_ways() {
        for text in [
            r#"{"a": 1}"#,
            "\n {\"a\": 1}\n",
            "```json\n{\"a\": 1}\n```",
            "Here you are:\n\n```\n{\"a\": 1}\n```\nAnything else?",
            "```JSON5\r\n{\"a\": 1}```",
            "```{\"a\": 1}```",
            "```sh\nls {x}\n```\nand\n```json\n{\"a\": 1}\n```",
            "Sure! {\"a\": 1} is what you want.",
            "Ünïcode ```{\"a\": 1} é",
        ] {
            assert_eq!(value(text, false), Ok(json!({"a": 1})), "{text}");
        }
        assert_eq!(value("the list [{\"a\": 1}, 2] is it", true), Ok(json!([{"a": 1}, 2])));
        assert_eq!(value("3", false), Ok(json!(3)));
        assert_eq!(value("```\n[1]\n```", false), Ok(json!([1])));
    }

    #[test]
    fn what_is_no_value_says_so() {
        assert_eq!(value(" ", false).unwrap_err(), "it is empty");
        for text in ["no", "{\"a\": 1", "} {", "```", "{\"a\": 1} and {\"b\": 2}", "][", "{é}"] {
            assert!(value(text, false).unwrap_err().starts_with("it is not JSON: "), "{text}");
            assert!(value(text, true).is_err(), "{text}");
        }
    }
}
