//! Where requests go (<https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html>). A model's id
//! is one segment of the path, although it may be an ARN with slashes.

use std::fmt::Write;

/// The URL of an operation on a model.
pub(crate) fn operation(base_url: &str, model: &str, operation: &str) -> String {
    let mut url = format!("{}/model/", base_url.trim_end_matches('/'));
    for byte in model.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => url.push(char::from(byte)),
            _ => {
                // Writing to a string can't fail.
                let _ = write!(url, "%{byte:02X}");
            }
        }
    }
    url.push('/');
    url.push_str(operation);
    url
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
}
