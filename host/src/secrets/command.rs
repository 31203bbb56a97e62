//! A program of the user's that gives a key: what password managers and the tools of clouds are asked with.
//!
//! It is run without a shell, with the user's environment, a bounded time and a bounded output. What it writes to stderr
//! goes to ours, so that it can say why it gives none and ask for a password: we never hold that. What it prints is one
//! of three:
//! - a line: the key;
//! - `{"access_token": "…", "expires_in": 3600}`, as OAuth has it (RFC 6749, 5.1), the lifetime in seconds, optional;
//! - `{"Version": 1, "AccessKeyId": …, "SecretAccessKey": …, "SessionToken": …, "Expiration": …}`, as AWS's
//!   `credential_process` has it, the last two optional.

use super::sources::expanded;
use super::{CommandLine, SIGNING_FIELDS, Secret, Values};
use crate::model::{Failure, FailureKind, Result};
use serde::Deserialize;
use std::process::Stdio;
use std::str::FromStr;
use std::time::{Duration, SystemTime};
use tokio::io::AsyncReadExt;
use zeroize::Zeroizing;

/// The most that is read: tokens have some thousand characters.
const MOST_BYTES: usize = 64 << 10;

impl CommandLine {
    /// Runs it: the values, and how long they hold.
    pub(super) async fn run(&self, provider: &str) -> Result<(Values, Option<Duration>)> {
        let failed = |what: String| {
            let what = format!("the command `{}`, which gives the key of `{provider}`, {what}", self.program);
            Failure::new(FailureKind::Authentication, what)
        };
        let mut child = tokio::process::Command::new(expanded(&self.program))
            .args(&self.arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| failed(format!("could not be started: {error}")))?;
        // Large enough at once: what grows leaves its text behind.
        let mut output = Zeroizing::new(Vec::with_capacity(MOST_BYTES + 1));
        let stdout = child.stdout.take();
        let run = async {
            if let Some(stdout) = stdout {
                stdout.take(MOST_BYTES as u64 + 1).read_to_end(&mut output).await?;
            }
            if output.len() > MOST_BYTES {
                return Ok(None);
            }
            child.wait().await.map(Some)
        };
        let status = match tokio::time::timeout(self.timeout, run).await {
            Ok(Ok(Some(status))) => status,
            Ok(Ok(None)) => return Err(failed(format!("prints more than {} KiB", MOST_BYTES >> 10))),
            Ok(Err(error)) => return Err(failed(format!("could not be heard: {error}"))),
            Err(_) => {
                let time = self.timeout;
                return Err(failed(format!(
                    "did not end within {time:?}; `timeout` of the credential's source sets that"
                )));
            }
        };
        if !status.success() {
            return Err(failed(format!("failed ({status}); what it says itself is on stderr")));
        }
        let text = std::str::from_utf8(&output).map_err(|_| failed("prints what is no text".to_owned()))?;
        let (values, lifetime) =
            parse(text, SystemTime::now()).map_err(|what| failed(format!("printed {what}")))?;
        Ok((values, lifetime.or(self.expires_in)))
    }
}

/// What a program prints that has more to say than a key.
#[derive(Deserialize)]
struct Document {
    access_token: Option<Secret>,
    expires_in: Option<f64>,
    #[serde(rename = "Version")]
    version: Option<u32>,
    #[serde(rename = "AccessKeyId")]
    access_key_id: Option<Secret>,
    #[serde(rename = "SecretAccessKey")]
    secret_access_key: Option<Secret>,
    #[serde(rename = "SessionToken")]
    session_token: Option<Secret>,
    #[serde(rename = "Expiration")]
    expiration: Option<String>,
}

/// The values in what was printed, and how long they hold. The error says what was printed instead, and nothing of it.
fn parse(text: &str, now: SystemTime) -> std::result::Result<(Values, Option<Duration>), &'static str> {
    let one = |secret: Secret| Values::from([("key".to_owned(), secret)]);
    if !text.trim_start().starts_with('{') {
        return Ok((one(Secret::line(text)?), None));
    }
    // The parser's own words may hold a part of the text.
    let document: Document =
        serde_json::from_str(text).map_err(|_| "JSON that is no `access_token` and no key of AWS")?;
    if let Some(token) = document.access_token {
        let lifetime = match document.expires_in {
            None => None,
            Some(seconds) if seconds <= 0.0 => return Err("a token that has expired already"),
            Some(seconds) => Some(
                Duration::try_from_secs_f64(seconds)
                    .map_err(|_| "an `expires_in` that is no number of seconds")?,
            ),
        };
        return Ok((one(Secret::line(token.expose())?), lifetime));
    }
    let (Some(id), Some(key)) = (document.access_key_id, document.secret_access_key) else {
        return Err("JSON without `access_token`, and without `AccessKeyId` and `SecretAccessKey`");
    };
    if document.version.is_some_and(|version| version != 1) {
        return Err("a key of AWS in a form that is not `Version` 1");
    }
    let lifetime = match document.expiration {
        None => None,
        Some(time) => {
            let time = moment(&time).ok_or("an `Expiration` that is no time as 2030-01-31T12:00:00Z")?;
            Some(time.duration_since(now).map_err(|_| "a key that has expired already")?)
        }
    };
    let token = document.session_token.filter(|token| !token.expose().is_empty());
    let mut values = Values::new();
    for (name, secret) in SIGNING_FIELDS.into_iter().zip([Some(id), Some(key), token]) {
        if let Some(secret) = secret {
            values.insert(name.to_owned(), Secret::line(secret.expose())?);
        }
    }
    Ok((values, lifetime))
}

/// A time as RFC 3339 has it, which TOML's parser reads.
fn moment(text: &str) -> Option<SystemTime> {
    let toml::value::Datetime { date: Some(date), time: Some(time), offset: Some(offset) } =
        toml::value::Datetime::from_str(text).ok()?
    else {
        return None;
    };
    let minutes = match offset {
        toml::value::Offset::Z => 0,
        toml::value::Offset::Custom { minutes } => i64::from(minutes),
    };
    // Days of a year that begins in March, so that the day of a leap year is its last.
    let (year, month) = match date.month {
        1..=2 => (i64::from(date.year) - 1, i64::from(date.month) + 9),
        month => (i64::from(date.year), i64::from(month) - 3),
    };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + i64::from(date.day)
        - 719_469;
    let clock =
        i64::from(time.hour) * 3600 + i64::from(time.minute) * 60 + i64::from(time.second.unwrap_or(0));
    let seconds = u64::try_from(days * 86_400 + clock - minutes * 60).ok()?;
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn what_programs_print() {
        let now = at(1_440_938_160);
        let read = |text: &str| {
            parse(text, now).map(|(values, lifetime)| {
                let values: Vec<String> = values.values().map(|secret| secret.expose().to_owned()).collect();
                (values.join(" "), lifetime.map(|lifetime| lifetime.as_secs()))
            })
        };
        assert_eq!(read("sk-a\n").unwrap(), ("sk-a".to_owned(), None));
        assert_eq!(
            read(r#" {"access_token":"t","expires_in":90,"token_type":"x"}"#).unwrap(),
            ("t".to_owned(), Some(90))
        );
        assert_eq!(read(r#"{"access_token":"t"}"#).unwrap(), ("t".to_owned(), None));
        let aws = r#"{"Version":1,"AccessKeyId":"i","SecretAccessKey":"k","SessionToken":"s","Expiration":"2015-08-30T14:36:10+02:00"}"#;
        assert_eq!(read(aws).unwrap(), ("i k s".to_owned(), Some(10)));
        for (text, word) in [
            ("", "nothing"),
            ("a\nb", "several lines"),
            ("{\"access_token\": sk-a}", "JSON that is no"),
            ("{\"access_token\": 7}", "JSON that is no"),
            ("{\"access_token\":\"t\",\"expires_in\":0}", "expired already"),
            ("{\"access_token\":\"t\",\"expires_in\":1e300}", "no number of seconds"),
            ("{\"token\":\"sk-a\"}", "without `access_token`"),
            ("{\"AccessKeyId\":\"sk-a\"}", "without `access_token`"),
            ("{\"Version\":2,\"AccessKeyId\":\"i\",\"SecretAccessKey\":\"k\"}", "`Version` 1"),
            (
                "{\"AccessKeyId\":\"i\",\"SecretAccessKey\":\"k\",\"Expiration\":\"2015-08-30T12:00:00Z\"}",
                "expired already",
            ),
            ("{\"AccessKeyId\":\"i\",\"SecretAccessKey\":\"k\",\"Expiration\":\"soon\"}", "no time"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(word) && !error.contains("sk-a"), "{text}: {error}");
        }
    }

    #[test]
    fn times_are_read() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2015-08-30T12:36:00Z", Some(1_440_938_160)),
            ("2024-02-29T23:59:59.5Z", Some(1_709_251_199)),
            ("2030-01-31T12:00:00-05:30", Some(1_896_111_000)),
            ("2015-08-30", None),
            ("2015-08-30T12:36:00", None),
            ("1960-01-01T00:00:00Z", None),
        ] {
            assert_eq!(moment(text), seconds.map(at), "{text}");
        }
    }

    #[tokio::test]
    async fn programs_that_give_no_key_are_told() {
        let told = async |script: &str, timeout: Option<u64>| {
            let words = ["sh", "-c", script].map(str::to_owned).to_vec();
            let line = CommandLine::configured(words, None, timeout.map(Duration::from_millis)).unwrap();
            let failure = line.run("mine").await.map(|_| ()).unwrap_err();
            assert_eq!(failure.kind, FailureKind::Authentication);
            assert!(failure.message.contains("`sh`") && failure.message.contains("`mine`"), "{failure}");
            failure.message
        };
        assert!(told("exit 3", None).await.contains("exit status: 3"));
        assert!(told("printf 'sk-a\\nsk-b'", None).await.contains("several lines"));
        assert!(told("yes", None).await.contains("more than 64 KiB"));
        assert!(told("printf '\\377'", None).await.contains("no text"));
        // A child of its own that holds the pipe open holds nobody up.
        assert!(told("sleep 100 & sleep 100", Some(300)).await.contains("did not end within 300ms"));
        let none = CommandLine::new("/no/such/program", &[], None).run("mine").await.map(|_| ()).unwrap_err();
        assert!(none.message.contains("could not be started"), "{none}");
        assert!(CommandLine::configured(Vec::new(), None, None).is_err());
        let private = format!("{:?}", CommandLine::new("curl", &["-utheirs:hunter2"], None));
        assert!(private.contains("curl") && !private.contains("hunter2"), "{private}");
    }
}
