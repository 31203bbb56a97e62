//! Fetching a model (<https://docs.ollama.com/api/pull>): a stream of lines, the last of which says `success`.

use aimu_sdk::library::progress;
use aimu_sdk::{Completion, Decoder, Event, Failure, FailureKind, FinishReason, Frame, json};
use serde_json::Value;

use crate::errors;

/// The lines of one pull.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    success: bool,
}

impl Lines {
    fn line(&mut self, line: &Value, out: &mut Vec<Event>) -> Result<(), Failure> {
        if line.get("error").is_some() {
            return Err(refine(errors::of_body(line, "")));
        }
        let status = line.get("status").and_then(Value::as_str).unwrap_or_default();
        let bytes = |name: &str| line.get(name).and_then(Value::as_u64);
        out.push(progress(status, bytes("completed"), bytes("total")));
        self.success |= status == "success";
        Ok(())
    }
}

impl Decoder for Lines {
    fn frame(&mut self, frame: Frame<'_>, out: &mut Vec<Event>) -> Result<(), Failure> {
        self.line(&json::answer(frame.data.as_bytes())?, out)
    }

    fn whole(&mut self, body: &[u8], out: &mut Vec<Event>) -> Result<(), Failure> {
        self.line(&json::answer(body)?, out)
    }

    fn done(&self) -> bool {
        self.success
    }

    fn finish(&mut self, _: &mut Vec<Event>) -> Result<Completion, Failure> {
        if self.success {
            Ok(Completion::new(FinishReason::Stop))
        } else {
            Err(Failure::truncated("`success`"))
        }
    }
}

/// A model that the registry does not have is told as a file that is missing there.
pub(crate) fn refine(mut failure: Failure) -> Failure {
    if failure.message.contains("file does not exist") {
        failure.kind = FailureKind::NotFound;
        failure.message = format!("{}: https://ollama.com/library lists what there is", failure.message);
    }
    failure
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn play(lines: &[&str]) -> (Vec<Event>, Result<Completion, Failure>) {
        let (mut decoder, mut out) = (Lines::default(), Vec::new());
        for data in lines {
            if let Err(failure) = decoder.frame(Frame { event: "", data }, &mut out) {
                return (out, Err(failure));
            }
        }
        let finish = decoder.finish(&mut out);
        (out, finish)
    }

    #[test]
    fn lines_tell_how_far_it_is() {
        let layer = r#"{"status":"pulling 1a2b","digest":"sha256:1a2b","total":10,"completed":4}"#;
        let lines = [r#"{"status":"pulling manifest"}"#, layer, r#"{"status":"success"}"#];
        let (events, end) = play(&lines);
        assert!(end.is_ok());
        assert_eq!(
            events,
            [
                progress("pulling manifest", None, None),
                progress("pulling 1a2b", Some(4), Some(10)),
                progress("success", None, None)
            ]
        );
        let cut = play(&lines[..2]).1.unwrap_err();
        assert_eq!(cut.kind, FailureKind::Protocol);
        let missing =
            play(&[lines[0], r#"{"error":"pull model manifest: file does not exist"}"#]).1.unwrap_err();
        assert_eq!(missing.kind, FailureKind::NotFound);
    }
}
