//! One call of a tool: bounded in time, whatever the tool does, and in size, whatever it answers.

use super::toolbox::Offered;
use super::{ToolContext, ToolReply, Toolbox, arguments};
use crate::model::{Failure, FailureKind, Media, MediaSource, Result, ToolCall, ToolOutput};
use crate::openai::fields::nearest;
use serde_json::{Map, Value};
use std::sync::Arc;
use tokio::task::JoinSet;
use tracing::Instrument;

/// Bytes of the media of one answer. They are no text of the model's window, so they count apart; services take pictures
/// of 5 to 20 MB.
const MOST_MEDIA: usize = 16 << 20;

/// Pieces of one answer: of what tools give, a list of pages or pictures is the longest.
const MOST_PIECES: usize = 256;

impl Toolbox {
    /// Runs one tool as a model's call is run: the arguments, a JSON object's text, are checked against its schema and
    /// put right where it is plain what was meant; time and answer are bounded. Nobody is asked.
    ///
    /// An answer whose `is_error` is set tells what failed in the tool.
    ///
    /// # Errors
    /// There is no such tool, or the arguments do not fit.
    pub async fn call(&self, name: &str, arguments: &str) -> Result<ToolReply> {
        let offered = self.find(name).ok_or_else(|| {
            let near = nearest(name, self.definitions().map(|tool| tool.name.as_str()));
            let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            Failure::new(FailureKind::NotFound, format!("there is no tool `{name}`{near}"))
        })?;
        let read = arguments::read(arguments, &offered.validator);
        let read =
            read.map_err(|what| Failure::new(FailureKind::InvalidRequest, format!("{name}: {what}")))?;
        let call = ToolCall {
            id: "call_0".to_owned(),
            name: name.to_owned(),
            arguments: arguments.to_owned(),
            server_executed: false,
        };
        let context = ToolContext::new(call, self.values.clone());
        Ok(run(self, offered, context, read).await)
    }
}

/// What a tool answers to arguments that fit its schema. Dropping the future ends the call.
pub(super) async fn run(
    toolbox: &Toolbox,
    offered: &Arc<Offered>,
    context: ToolContext,
    arguments: Map<String, Value>,
) -> ToolReply {
    let name = offered.name();
    let timeout = toolbox.timeout_of(offered);
    // A task of its own: a tool that panics, or that computes and never waits, ends by itself alone.
    let mut task = JoinSet::new();
    let tool = offered.clone();
    task.spawn(async move { tool.tool.call(&context, arguments).await }.in_current_span());
    let reply = match tokio::time::timeout(timeout, task.join_next()).await {
        Ok(Some(Ok(Ok(reply)))) => reply,
        Ok(Some(Ok(Err(failure)))) => ToolReply::error(failure.message),
        Ok(Some(Err(_)) | None) => ToolReply::error(format!("{name} failed inside: it panicked")),
        Err(_) => ToolReply::error(format!("{name} was ended: it took longer than {timeout:?}")),
    };
    cut(reply, toolbox.reply)
}

/// The answer with so many bytes of text and values at most, and a note where there were more.
fn cut(reply: ToolReply, most: usize) -> ToolReply {
    let ToolReply { output, is_error } = reply;
    let pieces = output.len();
    let (mut left, mut media_left) = (most, MOST_MEDIA);
    let mut kept = Vec::with_capacity(pieces.min(MOST_PIECES));
    for piece in output.into_iter().take(MOST_PIECES) {
        let piece = match piece {
            ToolOutput::Text(text) => ToolOutput::Text(cut_text(text, &mut left)),
            // Most values are small, and are kept as they are.
            ToolOutput::Json(value) => {
                let text = value.to_string();
                if text.len() <= left {
                    left -= text.len();
                    ToolOutput::Json(value)
                } else {
                    ToolOutput::Text(cut_text(text, &mut left))
                }
            }
            ToolOutput::Media(media) => cut_media(media, &mut media_left),
        };
        kept.push(piece);
    }
    if pieces > MOST_PIECES {
        kept.push(ToolOutput::Text(format!("[cut: {MOST_PIECES} of {pieces} pieces]")));
    }
    ToolReply { output: kept, is_error }
}

fn cut_text(mut text: String, left: &mut usize) -> String {
    let whole = text.len();
    if whole <= *left {
        *left -= whole;
        return text;
    }
    text.truncate(text.floor_char_boundary(*left));
    *left = 0;
    let note = format!("[cut: {} of {whole} bytes]", text.len());
    // What a tool gave as a string of 50 MB is not to be held for the whole conversation.
    text.shrink_to_fit();
    if text.is_empty() { note } else { text + "\n" + &note }
}

fn cut_media(media: Media, left: &mut usize) -> ToolOutput {
    let size = match &media.source {
        MediaSource::Bytes(bytes) => bytes.len(),
        MediaSource::Url(text) | MediaSource::FileId(text) => text.len(),
    };
    if size <= *left {
        *left -= size;
        return ToolOutput::Media(media);
    }
    let what = if media.mime_type.is_empty() { "media" } else { &media.mime_type };
    let note = format!("[left out: {what} of {size} bytes; {} MiB go to the model]", MOST_MEDIA >> 20);
    ToolOutput::Text(note)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::tools::Function;
    use serde_json::json;
    use std::time::Duration;

    #[derive(serde::Deserialize, schemars::JsonSchema)]
    struct Way {
        way: String,
    }

    fn toolbox() -> Toolbox {
        let mut toolbox = Toolbox::new();
        let ends = Function::new("ends", "", |_: ToolContext, Way { way }: Way| async move {
            match way.as_str() {
                "panic" => panic!("at once"),
                "wait" => std::future::pending().await,
                "block" => std::thread::sleep(Duration::from_secs(3)),
                "fail" => return Err("it can't"),
                _ => {}
            }
            Ok(json!({"way": way}))
        });
        toolbox.add(ends).unwrap();
        toolbox.timeout("*", Duration::from_secs(1)).unwrap();
        toolbox
    }

    async fn told(way: &str) -> String {
        let reply = toolbox().call("ends", &json!({"way": way}).to_string()).await.unwrap();
        assert!(reply.is_error, "{reply:?}");
        let ToolOutput::Text(text) = &reply.output[0] else { panic!("{reply:?}") };
        text.clone()
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn however_a_tool_ends_the_model_is_told() {
        assert_eq!(told("panic").await, "ends failed inside: it panicked");
        assert_eq!(told("wait").await, "ends was ended: it took longer than 1s");
        assert_eq!(told("block").await, "ends was ended: it took longer than 1s");
        assert_eq!(told("fail").await, "ends: it can't");
        let reply = toolbox().call("ends", "{\"way\": 7}").await.unwrap();
        assert_eq!(reply, ToolReply::from(json!({"way": "7"})));
    }

    #[tokio::test]
    async fn what_can_not_be_run_is_a_failure() {
        let failure = toolbox().call("end", "{}").await.unwrap_err();
        assert_eq!(failure.message, "there is no tool `end`; did you mean `ends`?");
        let failure = toolbox().call("ends", "{}").await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::InvalidRequest);
        assert!(failure.message.starts_with("ends: the arguments do not fit"), "{failure}");
    }

    #[test]
    fn what_is_too_much_is_cut_with_a_note() {
        let text = |text: &str| ToolOutput::Text(text.to_owned());
        let reply = |output| ToolReply { output, is_error: false };
        let small = reply(vec![text("abc"), ToolOutput::Json(json!([1]))]);
        assert_eq!(cut(small.clone(), 6), small);
        assert_eq!(cut(small, 4).output, [text("abc"), text("[\n[cut: 1 of 3 bytes]")]);
        assert_eq!(
            cut(reply(vec![text("aé"), text("b")]), 2).output,
            [text("a\n[cut: 1 of 3 bytes]"), text("[cut: 0 of 1 bytes]")]
        );
        let many = cut(reply(vec![text(""); 1_000]), 1);
        assert_eq!(many.output.len(), 257);
        assert_eq!(many.output[256], text("[cut: 256 of 1000 pieces]"));
        let source = MediaSource::Bytes(vec![0; MOST_MEDIA]);
        let kind = crate::model::MediaKind::Image;
        let picture = Media { kind, mime_type: "image/png".to_owned(), source, name: None, detail: None };
        let two = cut(reply(vec![ToolOutput::Media(picture.clone()), ToolOutput::Media(picture)]), 1);
        assert!(matches!(&two.output[..], [ToolOutput::Media(_), ToolOutput::Text(note)]
            if note.starts_with("[left out: image/png of 16777216 bytes")));
    }
}
