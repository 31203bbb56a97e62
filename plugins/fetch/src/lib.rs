//! The tool `fetch`: reads a page as text.
//!
//! It asks for any server (`*`), which the user allows as a whole or, better, one by one. A redirect is not followed but
//! told: the next call has to be allowed as this one was.

use aimu_sdk::http::{HttpRequest, Response};
use aimu_sdk::tool::{Description, Reply, Tool, fetch};
use aimu_sdk::{Context, Failure};
use serde_json::{Value, json};

/// Bytes that are read of a page: more than a model gets to see.
const MOST: usize = 512 * 1024;

/// A page to read.
#[derive(Debug, serde::Deserialize)]
pub struct Page {
    url: String,
}

impl Tool for Page {
    const NAME: &'static str = "page";
    const DESCRIPTION: &'static str =
        "Reads what is at a URL, as text. Only servers that the user has allowed answer.";

    fn parameters() -> Value {
        json!({
            "type": "object",
            "properties": { "url": { "type": "string", "description": "http or https" } },
            "required": ["url"],
            "additionalProperties": false,
        })
    }

    fn run(self, _: &Context) -> Result<Reply, Failure> {
        let request =
            HttpRequest::get(self.url).header("accept", "text/*, application/json;q=0.9, */*;q=0.1");
        told(&fetch(&request, MOST)?)
    }
}

/// What a model gets of a response.
fn told(response: &Response<Vec<u8>>) -> Result<Reply, Failure> {
    match (response.status, response.header("location")) {
        (200..300, _) => text(response),
        (300..400, Some(place)) => Ok(format!("It is elsewhere: {place}").into()),
        _ => Err(Failure::from_response(response)),
    }
}

/// The text of a page; what was cut says so.
fn text(response: &Response<Vec<u8>>) -> Result<Reply, Failure> {
    let (body, is_cut) = match response.body.get(..MOST) {
        Some(most) => (most, true),
        None => (&response.body[..], false),
    };
    let kind = response.header("content-type").unwrap_or("of no stated type");
    // A character that was cut in two is no sign of bytes that are no text.
    let text = match std::str::from_utf8(body) {
        Ok(text) => text,
        Err(error) if is_cut && error.error_len().is_none() => {
            std::str::from_utf8(&body[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return Err(Failure::unsupported(format!("what is there is no text in UTF-8, but {kind}"))),
    };
    let end = if is_cut { "\n[cut here]" } else { "" };
    Ok(format!("{text}{end}").into())
}

fn about() -> Description {
    Description { origins: vec!["*".into()], ..Description::new("fetch", "Fetch", env!("CARGO_PKG_VERSION")) }
}

aimu_sdk::export_tools!(about: Page);

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use aimu_sdk::FailureKind;

    fn response(status: u16, headers: &[(&str, &str)], body: impl Into<Vec<u8>>) -> Response<Vec<u8>> {
        let headers = headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        Response { status, headers, body: body.into() }
    }

    #[test]
    fn a_page_is_its_text() {
        assert_eq!(told(&response(200, &[], "grüezi")).unwrap(), "grüezi".into());
        let elsewhere = told(&response(301, &[("Location", "https://b.test/")], "")).unwrap();
        assert_eq!(elsewhere, "It is elsewhere: https://b.test/".into());
        assert_eq!(told(&response(404, &[], "no")).unwrap_err().kind, FailureKind::NotFound);
        let image = response(200, &[("content-type", "image/png")], b"\x89PNG".to_vec());
        assert!(told(&image).unwrap_err().message.contains("image/png"));
    }

    #[test]
    fn a_long_page_is_cut_at_a_character() {
        let long = told(&response(200, &[], format!("x{}", "ü".repeat(MOST)))).unwrap();
        let aimu_sdk::ToolOutput::Text(text) = &long.output[0] else { unreachable!() };
        assert!(text.len() <= MOST + 20 && text.ends_with("ü\n[cut here]"));
    }
}
