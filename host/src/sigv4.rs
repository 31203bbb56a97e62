//! Amazon's request signature, version 4 (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>).
//!
//! Problem: some services take no key but a proof of one, over the finished request. Decision: the host signs on the
//! way out, so that a component never has the keys, and the algorithm is this file over the hashes that TLS has here:
//! AWS's own crate for it would bring 25 others, a second SHA-2 among them. Price: what is asked of the algorithm is held by its published vectors below.
//! Signed are the body, the path, the query, and the headers that identify the request; not those that the HTTP client
//! adds later.

use crate::model::{Failure, FailureKind, Result};
use crate::secrets::Secret;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode, utf8_percent_encode};
use ring::{digest, hmac};
use std::fmt::Write;
use std::time::SystemTime;
use url::{Position, Url};
use zeroize::Zeroizing;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const DATE: HeaderName = HeaderName::from_static("x-amz-date");
const TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");

/// The headers that a signature sets.
pub(crate) const HEADERS: [HeaderName; 3] = [header::AUTHORIZATION, DATE, TOKEN];

/// Everything but the unreserved characters of RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The same within a path.
const RESERVED_IN_PATH: &AsciiSet = &RESERVED.remove(b'/');

/// Who signs, for which service where. Prints no secret.
#[derive(Clone, Debug)]
pub(crate) struct Signer {
    pub(crate) service: String,
    pub(crate) region: String,
    pub(crate) access_key_id: Secret,
    pub(crate) secret_access_key: Secret,
    pub(crate) session_token: Option<Secret>,
}

/// A request as it will go out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outgoing<'a> {
    pub(crate) method: &'a Method,
    pub(crate) url: &'a Url,
    pub(crate) body: &'a Bytes,
}

impl Signer {
    /// Adds the signature, and what it needs, to the headers.
    pub(crate) fn sign(&self, request: Outgoing<'_>, headers: &mut HeaderMap, now: SystemTime) -> Result<()> {
        let time = timestamp(now);
        let date = time.get(..8).unwrap_or_default();
        headers.insert(DATE, value(&time, false)?);
        if let Some(token) = &self.session_token {
            headers.insert(TOKEN, value(token.expose(), true)?);
        }
        let (signed, canonical) = canonical(request, headers, self.service == "s3");
        let scope = format!("{date}/{}/{}/aws4_request", self.region, self.service);
        let text = format!("{ALGORITHM}\n{time}\n{scope}\n{}", hex(digest(canonical.as_bytes()).as_ref()));
        let signature = hex(&*authenticate(&*self.key(date), text.as_bytes()));
        let authorization = Zeroizing::new(format!(
            "{ALGORITHM} Credential={}/{scope}, SignedHeaders={signed}, Signature={signature}",
            self.access_key_id.expose()
        ));
        headers.insert(header::AUTHORIZATION, value(&authorization, true)?);
        Ok(())
    }

    /// The key of a day, a region and a service.
    fn key(&self, date: &str) -> Zeroizing<[u8; 32]> {
        let secret = Zeroizing::new(format!("AWS4{}", self.secret_access_key.expose()));
        let parts = [date, &self.region, &self.service, "aws4_request"];
        let mut parts = parts.into_iter();
        let first = authenticate(secret.as_bytes(), parts.next().unwrap_or_default().as_bytes());
        parts.fold(first, |key, part| authenticate(&*key, part.as_bytes()))
    }
}

fn value(text: &str, sensitive: bool) -> Result<HeaderValue> {
    let mut value = HeaderValue::from_str(text).map_err(|_| {
        let what = "a key for Amazon's signature holds characters that no header can carry; is there a line break in it?";
        Failure::new(FailureKind::Authentication, what)
    })?;
    value.set_sensitive(sensitive);
    Ok(value)
}

/// The names of the headers that are signed, and the text that the signature is over.
fn canonical(request: Outgoing<'_>, headers: &HeaderMap, single: bool) -> (String, String) {
    let host = &request.url[Position::BeforeHost..Position::AfterPort];
    let mut signed = vec![("host", host.to_owned())];
    for name in headers.keys() {
        if *name == header::CONTENT_TYPE || name.as_str().starts_with("x-amz-") {
            let values: Vec<String> = headers
                .get_all(name)
                .iter()
                .map(|value| {
                    let text = String::from_utf8_lossy(value.as_bytes());
                    text.split_whitespace().collect::<Vec<_>>().join(" ")
                })
                .collect();
            signed.push((name.as_str(), values.join(",")));
        }
    }
    signed.sort();
    let names = signed.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");
    let mut text = format!(
        "{}\n{}\n{}\n",
        request.method,
        canonical_path(request.url.path(), single),
        canonical_query(request.url.query().unwrap_or_default())
    );
    for (name, value) in &signed {
        let _ = writeln!(text, "{name}:{value}");
    }
    let _ = write!(text, "\n{names}\n{}", hex(digest(request.body).as_ref()));
    (names, text)
}

/// The path as it is sent, encoded once more, as every service but S3 has it; empty segments count for nothing there.
fn canonical_path(path: &str, single: bool) -> String {
    if single {
        return path.to_owned();
    }
    let mut canonical = String::new();
    for segment in path.split('/').filter(|segment| !segment.is_empty()) {
        canonical.push('/');
        canonical.extend(utf8_percent_encode(segment, RESERVED_IN_PATH));
    }
    if canonical.is_empty() || path.ends_with('/') {
        canonical.push('/');
    }
    canonical
}

/// Names and values in one way of encoding, in order.
fn canonical_query(query: &str) -> String {
    let encode = |text: &str| {
        let bytes: Vec<u8> = percent_decode_str(text).collect();
        percent_encode(&bytes, RESERVED).to_string()
    };
    let mut pairs: Vec<(String, String)> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (encode(name), encode(value))
        })
        .collect();
    pairs.sort();
    let pairs: Vec<String> = pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("&")
}

fn authenticate(key: &[u8], text: &[u8]) -> Zeroizing<[u8; 32]> {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text);
    let mut bytes = Zeroizing::new([0; 32]);
    bytes.iter_mut().zip(tag.as_ref()).for_each(|(to, from)| *to = *from);
    bytes
}

fn digest(bytes: &[u8]) -> digest::Digest {
    digest::digest(&digest::SHA256, bytes)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// `20150830T123600Z`, out of the form that HTTP has for dates: `Sun, 30 Aug 2015 12:36:00 GMT`.
pub(crate) fn timestamp(now: SystemTime) -> String {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let date = httpdate::fmt_http_date(now);
    let mut words = date.split(' ').skip(1);
    let mut word = || words.next().unwrap_or_default();
    let (day, month, year, time) = (word(), word(), word(), word());
    let month = MONTHS.iter().position(|name| *name == month).map_or(0, |index| index + 1);
    format!("{year}{month:02}{day}T{}Z", time.replace(':', ""))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// The keys of AWS's documentation and of its test vectors, which are all of 2015-08-30 12:36.
    fn signer(service: &str) -> Signer {
        Signer {
            service: service.to_owned(),
            region: "us-east-1".to_owned(),
            access_key_id: Secret::new("AKIDEXAMPLE".to_owned()),
            secret_access_key: Secret::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned()),
            session_token: None,
        }
    }

    fn now() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_440_938_160)
    }

    fn sign(
        signer: &Signer,
        method: &Method,
        url: &str,
        headers: &[(&'static str, &'static str)],
        body: &str,
    ) -> HeaderMap {
        let mut map: HeaderMap = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        let url = Url::parse(url).unwrap();
        signer
            .sign(
                Outgoing { method, url: &url, body: &Bytes::copy_from_slice(body.as_bytes()) },
                &mut map,
                now(),
            )
            .unwrap();
        map
    }

    /// What the vectors say of a request: the signed headers, and the signature.
    fn signature(headers: &HeaderMap) -> (String, String) {
        let text = headers[header::AUTHORIZATION].to_str().unwrap();
        let part = |name: &str| {
            let (_, rest) = text.split_once(&format!("{name}=")).unwrap();
            rest.split(',').next().unwrap().to_owned()
        };
        (part("SignedHeaders"), part("Signature"))
    }

    #[test]
    fn the_documented_example() {
        let form = ("content-type", "application/x-www-form-urlencoded; charset=utf-8");
        let url = "https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08";
        let signer = signer("iam");
        let headers = sign(&signer, &Method::GET, url, &[form], "");
        assert_eq!(
            headers[header::AUTHORIZATION],
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, \
             SignedHeaders=content-type;host;x-amz-date, \
             Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
        );
        assert_eq!(headers[DATE], "20150830T123600Z");
        assert_eq!(
            hex(&*signer.key("20150830")),
            "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9"
        );
    }

    #[test]
    fn the_published_vectors() {
        let plain = "host;x-amz-date";
        let form = ("content-type", "application/x-www-form-urlencoded");
        for (method, path, headers, body, names, want) in [
            // get-vanilla, get-vanilla-query-order-key-case, get-unreserved, get-slashes, post-vanilla,
            // post-x-www-form-urlencoded
            (
                Method::GET,
                "/",
                &[][..],
                "",
                plain,
                "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
            ),
            (
                Method::GET,
                "/?Param2=value2&Param1=value1",
                &[],
                "",
                plain,
                "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
            ),
            (
                Method::GET,
                "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
                &[],
                "",
                plain,
                "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
            ),
            (
                Method::GET,
                "//example//",
                &[],
                "",
                plain,
                "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84",
            ),
            (
                Method::POST,
                "/",
                &[],
                "",
                plain,
                "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
            ),
            (
                Method::POST,
                "/",
                &[form],
                "Param1=value1",
                "content-type;host;x-amz-date",
                "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
            ),
        ] {
            let url = format!("https://example.amazonaws.com{path}");
            let headers = sign(&signer("service"), &method, &url, headers, body);
            assert_eq!(signature(&headers), (names.to_owned(), want.to_owned()), "{method} {path}");
        }
    }

    #[test]
    fn paths_are_encoded_twice_and_queries_once() {
        assert_eq!(canonical_path("/model/a.b-v1%3A0/converse", false), "/model/a.b-v1%253A0/converse");
        assert_eq!(canonical_path("/model/arn%3Aaws%2Fx/y", false), "/model/arn%253Aaws%252Fx/y");
        assert_eq!(canonical_path("/a%20b", true), "/a%20b");
        assert_eq!(canonical_path("", false), "/");
        assert_eq!(canonical_query("b=%2f&a=1+2&a&b=%20"), "a=&a=1%2B2&b=%20&b=%2F");
    }

    #[test]
    fn a_session_token_and_a_port_are_signed() {
        let token = Secret::new("token/+=".to_owned());
        let signer = Signer { session_token: Some(token), ..signer("service") };
        let with = |url: &str| sign(&signer, &Method::GET, url, &[("accept", "x")], "");
        let headers = with("http://127.0.0.1:81/");
        assert_eq!(headers[TOKEN], "token/+=");
        assert!(headers[TOKEN].is_sensitive() && headers[header::AUTHORIZATION].is_sensitive());
        assert_eq!(signature(&headers).0, "host;x-amz-date;x-amz-security-token");
        assert_ne!(signature(&headers), signature(&with("http://127.0.0.1:82/")));
        // The scheme's own port is not in the header.
        assert_eq!(signature(&with("http://127.0.0.1/")), signature(&with("http://127.0.0.1:80/")));
    }

    #[test]
    fn keys_are_not_printed_and_must_fit_a_header() {
        let mut signer = signer("service");
        let printed = format!("{signer:?}");
        assert!(!printed.contains("AKID") && !printed.contains("wJalr"), "{printed}");
        signer.access_key_id = Secret::new("a\nb".to_owned());
        let url = Url::parse("https://a/").unwrap();
        let request = Outgoing { method: &Method::GET, url: &url, body: &Bytes::new() };
        let failure = signer.sign(request, &mut HeaderMap::new(), now()).unwrap_err();
        assert_eq!(failure.kind, FailureKind::Authentication);
    }
}
