//! What a call may use. Every limit has a default that says why its number, a name, and a setting.

use crate::model::{Failure, FailureKind, Result};
use std::time::Duration;

const MIB: usize = 1 << 20;

/// Bounds of one call. Reaching one is an error that names the limit and how to set it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Linear memory of one call, bytes. A request with 12 MiB of images takes 64 MiB in a component that
    /// encodes them plainly; interpreters start at some 40 MiB.
    pub memory: usize,
    /// Time that the guest may compute between two events, without what it waits for.
    pub cpu: Duration,
    /// The whole call, from its start to its end.
    pub total: Duration,
    /// Until the connection stands, TLS included.
    pub connect: Duration,
    /// Until the response's head: models that think answer late.
    pub first_byte: Duration,
    /// Between two pieces of the response. Services send pings every 15 s or so.
    pub idle: Duration,
    /// Bytes of the bodies of requests that are on their way at once: above what the big services take (32 to 50 MB).
    pub request_body: usize,
    /// Bytes of a response's head.
    pub response_headers: usize,
    /// Bytes of a response's body, after decompression.
    pub response_body: usize,
    /// Bytes of the media that the host fetches by URL for one call, together: what the services take inline.
    pub media: usize,
    /// HTTP requests of one call.
    pub requests: usize,
    /// Bytes that a call may emit.
    pub emitted: usize,
    /// Events that a call may emit.
    pub events: usize,
    /// Things of the host's that a call may hold at once (headers, bodies, timers): each may take 128 KiB. A guest in
    /// Python holds some tens.
    pub resources: usize,
    /// Lines that a call may log.
    pub log_lines: usize,
    /// Bytes of a component. A plain Python component is 18 MB.
    pub component: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory: 256 * MIB,
            cpu: Duration::from_secs(10),
            total: Duration::from_secs(30 * 60),
            connect: Duration::from_secs(10),
            first_byte: Duration::from_secs(5 * 60),
            idle: Duration::from_secs(2 * 60),
            request_body: 64 * MIB,
            response_headers: 64 << 10,
            response_body: 256 * MIB,
            media: 32 * MIB,
            requests: 64,
            emitted: 256 * MIB,
            events: 4_000_000,
            resources: 1_024,
            log_lines: 200,
            component: 80 * MIB,
        }
    }
}

impl Limits {
    /// The names that [`Limits::set`] takes.
    pub const NAMES: [&'static str; 16] = [
        "memory",
        "cpu",
        "total",
        "connect",
        "first-byte",
        "idle",
        "request-body",
        "response-headers",
        "response-body",
        "media",
        "requests",
        "emitted",
        "events",
        "resources",
        "log-lines",
        "component",
    ];

    /// Sets one limit from text: a count, bytes with an optional `k`, `m` or `g`, or a time such as `500ms`, `30s`
    /// or `5m`.
    ///
    /// # Errors
    /// No such limit, or a value that is none.
    pub fn set(&mut self, name: &str, value: &str) -> Result<()> {
        let wrong = |form: &str| {
            Failure::new(
                FailureKind::InvalidRequest,
                format!("the limit `{name}` takes {form}, not `{value}`"),
            )
        };
        let size = || parse_size(value).ok_or_else(|| wrong("a number, with an optional k, m or g"));
        let time = || parse_duration(value).ok_or_else(|| wrong("a time such as 500ms, 30s or 5m"));
        match name {
            "memory" => self.memory = size()?,
            "cpu" => self.cpu = time()?,
            "total" => self.total = time()?,
            "connect" => self.connect = time()?,
            "first-byte" => self.first_byte = time()?,
            "idle" => self.idle = time()?,
            "request-body" => self.request_body = size()?,
            "response-headers" => self.response_headers = size()?,
            "response-body" => self.response_body = size()?,
            "media" => self.media = size()?,
            "requests" => self.requests = size()?,
            "emitted" => self.emitted = size()?,
            "events" => self.events = size()?,
            "resources" => self.resources = size()?,
            "log-lines" => self.log_lines = size()?,
            "component" => self.component = size()?,
            _ => {
                return Err(Failure::new(
                    FailureKind::InvalidRequest,
                    format!("there is no limit `{name}`; there are {}", Self::NAMES.join(", ")),
                ));
            }
        }
        Ok(())
    }
}

/// The failure of a limit that was reached.
pub(crate) fn reached(name: &str, what: &str) -> Failure {
    Failure::new(
        FailureKind::Limit,
        format!(
            "reached its limit `{name}`: {what}. Raise it with `--limit {name}=…` if the plugin needs more"
        ),
    )
}

/// The failure of a deadline that passed.
pub(crate) fn deadline(name: &str, what: &str, after: Duration) -> Failure {
    Failure::new(
        FailureKind::Timeout,
        format!("{what} within {after:?} (the `{name}` deadline). Set it with `--limit {name}=…`"),
    )
}

fn parse_size(text: &str) -> Option<usize> {
    let text = text.trim().to_ascii_lowercase();
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let unit = match text[digits.len()..].trim() {
        "" | "b" => 1,
        "k" | "kb" | "kib" => 1 << 10,
        "m" | "mb" | "mib" => 1 << 20,
        "g" | "gb" | "gib" => 1 << 30,
        _ => return None,
    };
    digits.parse::<usize>().ok()?.checked_mul(unit)
}

/// A time such as `500ms`, `30s`, `5m`, `1h`, or seconds without a unit.
pub(crate) fn parse_duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &text[number.len()..] {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => return None,
    };
    let seconds = number.trim().parse::<f64>().ok()? * unit;
    Duration::try_from_secs_f64(seconds).ok().filter(|duration| !duration.is_zero())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn every_named_limit_can_be_set() {
        for name in Limits::NAMES {
            let mut limits = Limits::default();
            limits.set(name, "7").unwrap();
            assert_ne!(limits, Limits::default(), "{name}");
        }
        assert!(Limits::default().set("memroy", "1").unwrap_err().message.contains("response-headers"));
    }

    #[test]
    fn sizes_and_times_have_units() {
        let mut limits = Limits::default();
        limits.set("memory", "64m").unwrap();
        limits.set("idle", "250ms").unwrap();
        assert_eq!(limits.memory, 64 << 20);
        assert_eq!(limits.idle, Duration::from_millis(250));
        for bad in ["", "x", "-1", "1y", "0s"] {
            assert!(limits.set("idle", bad).is_err(), "{bad}");
        }
    }
}
