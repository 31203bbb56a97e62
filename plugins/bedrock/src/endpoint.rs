//! Where requests go (<https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html>). A model's id
//! is one segment of the path, although it may be an ARN with slashes.

use std::fmt::Write;

/// The URL of an operation on a model.
pub(crate) fn operation(base_url: &str, model: &str, operation: &str) -> String {
    let mut url = format!("{}/model/", base_url.trim_end_matches('/'));
    encode(&mut url, model);
    url.push('/');
    url.push_str(operation);
    url
}

/// The server that lists models (<https://docs.aws.amazon.com/general/latest/gr/bedrock.html>): a neighbour of the one that
/// answers, where that is Amazon's own; anything else that stands before it (a gateway, a test) is asked itself.
pub(crate) fn control(base_url: &str) -> String {
    let base_url = base_url.trim_end_matches('/');
    match base_url.strip_prefix("https://bedrock-runtime.") {
        Some(rest) if rest.ends_with(".amazonaws.com") => format!("https://bedrock.{rest}"),
        _ => base_url.to_owned(),
    }
}

/// Adds a text as one segment of a path, or one value of a query.
pub(crate) fn encode(url: &mut String, text: &str) {
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => url.push(char::from(byte)),
            _ => {
                // Writing to a string can't fail.
                let _ = write!(url, "%{byte:02X}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_one_segment() {
        assert_eq!(
            operation("https://a/", "us.amazon.nova-lite-v1:0", "converse"),
            "https://a/model/us.amazon.nova-lite-v1%3A0/converse"
        );
        assert_eq!(
            operation("https://a/b", "arn:aws:bedrock:r:1:x/ü", "converse-stream"),
            "https://a/b/model/arn%3Aaws%3Abedrock%3Ar%3A1%3Ax%2F%C3%BC/converse-stream"
        );
    }

    #[test]
    fn models_are_listed_by_a_neighbour() {
        for (base, control_plane) in [
            ("https://bedrock-runtime.eu-west-1.amazonaws.com", "https://bedrock.eu-west-1.amazonaws.com"),
            (
                "https://bedrock-runtime.eu-west-1.amazonaws.com.evil.test/",
                "https://bedrock-runtime.eu-west-1.amazonaws.com.evil.test",
            ),
            ("http://127.0.0.1:81/aws", "http://127.0.0.1:81/aws"),
        ] {
            assert_eq!(control(base), control_plane);
        }
    }
}
