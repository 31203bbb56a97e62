//! A calculator.
//!
//! Problem: an expression is a program, and one of a hundred characters may compute for ever or fill the memory.
//! Decision: it runs on a thread of its own, with a stack that the longest one fits in, until its time is over or nobody
//! waits; what can't be interrupted is refused before. Price: no shifts, dice and functions of one's own.

use crate::tools::{Function, ToolContext};
use schemars::JsonSchema;
use serde::Deserialize;
use std::time::{Duration, Instant};
use tokio::sync::oneshot::{self, Sender};

/// Bytes of an expression: a page's worth of sums.
const LONGEST: usize = 1_000;

/// What the longest expression takes, all of it opening brackets, is under 8 MiB in an optimised build.
const STACK: usize = 64 << 20;

/// Time for one expression. Those that are worth anything take a few milliseconds.
const TIME: Duration = Duration::from_secs(2);

/// Characters of a result: more digits than any question needs.
const DIGITS: usize = 2_000;

#[derive(Deserialize, JsonSchema)]
struct Asked {
    /// Such as `2 * (3 + 4)`, `5% of 80`, `sqrt(2)`, `10!`, `1/3 to fraction`, `3 ft 2 in to m` or `20 °C to °F`
    expression: String,
}

/// `calculate`.
pub(super) fn calculate() -> Function {
    let description = "Calculates an expression exactly where it can be, with units, functions such as sin, ln and sqrt, \
                       and constants such as pi; `approx.` stands before what was rounded";
    Function::new("calculate", description, |_: ToolContext, Asked { expression }: Asked| async move {
        check(&expression)?;
        let (sender, result) = oneshot::channel();
        std::thread::Builder::new()
            .stack_size(STACK)
            .spawn(move || work(&expression, sender))
            .map_err(|error| format!("this machine gives no thread: {error}"))?;
        result.await.map_err(|_| "the expression can't be worked out".to_owned())?
    })
}

/// Refuses what takes more than it may and does not hear when it is told to stop.
fn check(expression: &str) -> Result<(), String> {
    if expression.len() > LONGEST {
        return Err(format!("an expression has {LONGEST} bytes at most; calculate it in parts"));
    }
    if ["<<", ">>", "\\", "λ", "=>", ":"].iter().any(|sign| expression.contains(sign)) {
        return Err(
            "there are no shifts, texts with escapes and functions of one's own: write 2^n for a shift"
                .to_owned(),
        );
    }
    let mut words =
        expression.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.starts_with("0x"));
    let dice = |word: &str| {
        let count = word.trim_start_matches(|c: char| c.is_ascii_digit());
        count.strip_prefix('d').is_some_and(|faces| faces.starts_with(|c: char| c.is_ascii_digit()))
    };
    if words.any(dice) { Err("there are no dice".to_owned()) } else { Ok(()) }
}

/// Works an expression out, as long as somebody waits for it.
fn work(expression: &str, sender: Sender<Result<String, String>>) {
    let until = Until { end: Instant::now() + TIME, sender };
    let result = fend_core::evaluate_with_interrupt(expression, &mut fend_core::Context::new(), &until);
    let late = Instant::now() >= until.end;
    let told = match result {
        Ok(result) => Ok(cut(result.get_main_result())),
        Err(_) if late => Err(format!("it takes longer than {} s", TIME.as_secs())),
        Err(error) => Err(cut(&error)),
    };
    // Nobody may wait any more.
    let _ = until.sender.send(told);
}

struct Until {
    end: Instant,
    sender: Sender<Result<String, String>>,
}

impl fend_core::Interrupt for Until {
    fn should_interrupt(&self) -> bool {
        self.sender.is_closed() || Instant::now() >= self.end
    }
}

fn cut(result: &str) -> String {
    match result.char_indices().nth(DIGITS) {
        Some((at, _)) => {
            format!("{}… [cut: {DIGITS} of {} characters]", &result[..at], result.chars().count())
        }
        None if result.is_empty() => "(nothing)".to_owned(),
        None => result.to_owned(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::tools::Toolbox;
    use serde_json::json;

    async fn told(expression: &str) -> (bool, String) {
        let mut toolbox = Toolbox::new();
        toolbox.add(calculate()).unwrap();
        let arguments = json!({"expression": expression}).to_string();
        let reply = toolbox.call("calculate", &arguments).await.unwrap();
        (reply.is_error, serde_json::to_value(&reply.output[0]).unwrap()["text"].as_str().unwrap().to_owned())
    }

    #[tokio::test]
    async fn what_is_asked_is_worked_out() {
        for (asked, result) in [
            ("2 * (3 + 4)", "14"),
            ("5% of 80", "4"),
            ("0.1 + 0.2", "0.3"),
            ("1/3 to fraction", "1/3"),
            ("3 ft to m", "0.9144 m"),
            ("0x1d4 to decimal", "468"),
            ("a = 3; a * 2", "6"),
        ] {
            assert_eq!(told(asked).await, (false, result.to_owned()), "{asked}");
        }
        assert!(told("2^20000").await.1.contains("[cut: 2000 of 6021"));
    }

    #[tokio::test]
    async fn what_would_take_too_much_ends() {
        for (asked, says) in [
            ("9^9^9^9", "calculate: "),
            ("1 << 2^50", "no shifts"),
            ("(\\x. x x) (\\x. x x)", "functions of one's own"),
            ("99999d99999", "no dice"),
            ("d4000000000", "no dice"),
            ("2 +", "calculate: "),
            (&"1".repeat(1_001), "1000 bytes at most"),
        ] {
            let (is_error, text) = told(asked).await;
            assert!(is_error && text.contains(says), "{asked}: {text}");
        }
        assert_eq!(told("9^9^9").await, (true, "calculate: it takes longer than 2 s".to_owned()));
        assert_eq!(told(&format!("{}1", "(".repeat(999))).await, (false, "1".to_owned()));
    }
}
