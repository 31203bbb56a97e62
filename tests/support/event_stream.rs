//! Amazon's binary messages, as the service writes them
//! (<https://docs.aws.amazon.com/transcribe/latest/dg/streaming-setting-up.html>).

/// A message that says something.
pub fn event(name: &str, payload: &str) -> Vec<u8> {
    message("event", name, payload)
}

/// A message that says that the stream has failed.
pub fn exception(name: &str, payload: &str) -> Vec<u8> {
    message("exception", name, payload)
}

fn message(kind: &str, name: &str, payload: &str) -> Vec<u8> {
    let mut headers = Vec::new();
    for (header, value) in [
        (format!(":{kind}-type"), name),
        (":content-type".to_owned(), "application/json"),
        (":message-type".to_owned(), kind),
    ] {
        headers.push(u8::try_from(header.len()).unwrap());
        headers.extend(header.as_bytes());
        headers.push(7);
        headers.extend(u16::try_from(value.len()).unwrap().to_be_bytes());
        headers.extend(value.as_bytes());
    }
    let length = |length: usize| u32::try_from(length).unwrap().to_be_bytes();
    let mut bytes = [length(16 + headers.len() + payload.len()), length(headers.len())].concat();
    bytes.extend(crc32fast::hash(&bytes).to_be_bytes());
    bytes.extend(headers);
    bytes.extend(payload.as_bytes());
    bytes.extend(crc32fast::hash(&bytes).to_be_bytes());
    bytes
}
