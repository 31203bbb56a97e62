//! What a call may use. Every limit has a default that says why its number, a name, and a setting.

use crate::model::{Failure, FailureKind, Result};
use std::time::Duration;

const MIB: usize = 1 << 20;

/// A kind of limit: how its value is written.
trait Value: Sized {
    /// What a value looks like, for messages.
    const FORM: &'static str;

    fn parse(text: &str) -> Option<Self>;
}

impl Value for usize {
    const FORM: &'static str = "a number, with an optional k, m or g";

    fn parse(text: &str) -> Option<Self> {
        parse_size(text)
    }
}

impl Value for Duration {
    const FORM: &'static str = "a time such as 500ms, 30s or 5m";

    fn parse(text: &str) -> Option<Self> {
        parse_duration(text)
    }
}

/// The limits, each once: why its number, its name, its field and its default.
macro_rules! limits {
    ($($(#[$doc:meta])* $name:literal $field:ident: $type:ty = $default:expr;)*) => {
        /// Bounds of one call, and of what a host does for it. Reaching one is an error that names the limit and how to
        /// set it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct Limits {
            $($(#[$doc])* pub $field: $type,)*
        }

        impl Default for Limits {
            fn default() -> Self {
                Self { $($field: $default,)* }
            }
        }

        impl Limits {
            /// The names that [`Limits::set`] takes.
            pub const NAMES: &'static [&'static str] = &[$($name),*];

            /// Sets one limit from text: a count, bytes with an optional `k`, `m` or `g`, or a time such as `500ms`,
            /// `30s` or `5m`.
            ///
            /// # Errors
            /// No such limit, or a value that is none.
            pub fn set(&mut self, name: &str, value: &str) -> Result<()> {
                match name {
                    $($name => self.$field = parse(name, value)?,)*
                    _ => return Err(unknown(name)),
                }
                Ok(())
            }
        }
    };
}

limits! {
    /// Linear memory of one call, bytes, all memories together. A request with 12 MiB of images takes 64 MiB in a
    /// component that encodes them plainly; interpreters start at some 40 MiB.
    "memory" memory: usize = 256 * MIB;
    /// Elements of all tables of one call, 8 or 16 bytes each. Interpreters of V8's size have some ten thousand
    /// functions.
    "table-elements" table_elements: usize = 1_000_000;
    /// Core instances of one call, and as many memories and tables: one for each library that a component is linked
    /// from. A component of one language has fewer than ten, and the engine reads none of more than a thousand.
    "instances" instances: usize = 500;
    /// Stack of the guest's machine code, bytes. What a compiler lays into linear memory counts there.
    "stack" stack: usize = 512 << 10;
    /// Time that the guest may compute between two events, without what it waits for.
    "cpu" cpu: Duration = Duration::from_secs(10);
    /// The whole call, from its start to its end.
    "total" total: Duration = Duration::from_secs(30 * 60);
    /// Until the connection stands, TLS included.
    "connect" connect: Duration = Duration::from_secs(10);
    /// Until the response's head: models that think answer late.
    "first-byte" first_byte: Duration = Duration::from_secs(5 * 60);
    /// Between two pieces of the response. Services send pings every 15 s or so.
    "idle" idle: Duration = Duration::from_secs(2 * 60);
    /// HTTP requests of one call.
    "requests" requests: usize = 64;
    /// Those of them that are on their way at once: sent, and their response not yet read to its end.
    "concurrent-requests" concurrent_requests: usize = 64;
    /// Bytes of the bodies of requests that are on their way at once: above what the big services take (32 to 50 MB).
    "request-body" request_body: usize = 64 * MIB;
    /// Bytes of a response's head.
    "response-headers" response_headers: usize = 64 << 10;
    /// Bytes of a response's body, after decompression.
    "response-body" response_body: usize = 256 * MIB;
    /// Bytes of the media that the host fetches by URL for one call, together: what the services take inline.
    "media" media: usize = 32 * MIB;
    /// Bytes of the events that a guest hands over at once, and so of one event: the contract's bound.
    "event" event: usize = MIB;
    /// Bytes that a tool of a component answers with: some pictures. Of text, far less goes to a model.
    "tool-reply" tool_reply: usize = 16 * MIB;
    /// Events that a call may emit.
    "events" events: usize = 4_000_000;
    /// Bytes that a call may emit.
    "emitted" emitted: usize = 256 * MIB;
    /// Parts of one answer. Long agentic turns of recorded services have some fifty.
    "parts" parts: usize = 16_384;
    /// Things of the host's that a call may hold at once (headers, bodies, timers): each may take 128 KiB. A guest in
    /// Python holds some tens.
    "resources" resources: usize = 1_024;
    /// Lines that a call may log; those after them are dropped.
    "log-lines" log_lines: usize = 200;
    /// Bytes of such a line; it is cut there. It is a diagnostic, not a channel.
    "log-line" log_line: usize = 4_096;
    /// Bytes of what a component says of itself or lists: the biggest brokers offer some hundred models, with metadata.
    "catalog" catalog: usize = 16 * MIB;
    /// Bytes of a component. A plain Python component is 18 MB; this and the next two are four times what it takes.
    "component" component: usize = 80 * MIB;
    /// Processor time that compiling a component may take, all threads together, in whole seconds: 7 s for Python's.
    "compile-time" compile_time: Duration = Duration::from_secs(30);
    /// Memory that compiling a component may take, bytes: 360 MB for Python's.
    "compile-memory" compile_memory: usize = 1536 * MIB;
    /// Bytes of the host's cache of compiled code; the oldest files go first. Python's component compiled is 31 MB.
    "cache" cache: usize = 1024 * MIB;
    /// Calls of one instance that run at once, unless its `max-concurrent` says otherwise: twice the 500 streams that the
    /// benchmark holds, which take some 50 MiB.
    "calls" calls: usize = 1_024;
    /// Calls of one instance that wait for their turn. Each holds its request.
    "waiting-calls" waiting_calls: usize = 1_024;
    /// How long a call waits for its turn.
    "queue" queue: Duration = Duration::from_secs(5 * 60);
}

fn parse<T: Value>(name: &str, value: &str) -> Result<T> {
    T::parse(value).ok_or_else(|| {
        let what = format!("the limit `{name}` takes {}, not `{value}`", T::FORM);
        Failure::new(FailureKind::InvalidRequest, what)
    })
}

fn unknown(name: &str) -> Failure {
    let what = format!("there is no limit `{name}`; there are {}", Limits::NAMES.join(", "));
    Failure::new(FailureKind::InvalidRequest, what)
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
        for name in Limits::NAMES.iter().copied() {
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
