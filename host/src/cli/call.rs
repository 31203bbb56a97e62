//! Options of one call, for every verb that makes one.

use super::answer::Form;
use super::exit::{Exit, Result};
use super::globals::{parse_duration, split_pair};
use aimu_host::{Attachment, CallOptions, Phase, ResponseFormat, Thinking, ThinkingMode};
use serde_json::{Map, Value};
use std::io::{self, Read};

/// How a model is called, and how its answer is printed.
#[derive(Debug, clap::Args)]
pub(super) struct CallArgs {
    #[command(flatten)]
    pub(super) request: RequestArgs,

    #[command(flatten)]
    pub(super) output: OutputArgs,
}

/// What is asked of a text model.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Call options")]
pub(super) struct RequestArgs {
    /// A parameter, for example `-o temperature 0.2`; can be given several times
    ///
    /// temperature, top_p, top_k, min_p, presence_penalty, frequency_penalty, repetition_penalty, max_tokens,
    /// context_length, seed and stop have these names for all providers, and a warning says where one does not take
    /// them; others are sent as they are. VALUE is JSON, or else text; `null` takes back what the model's card
    /// recommends.
    #[arg(short, long = "option", num_args = 2, value_names = ["KEY", "VALUE"], allow_negative_numbers = true)]
    option: Vec<String>,

    /// An image, sound or document: a path, a URL, or `-` for standard input; can be given several times
    #[arg(short, long = "attachment", value_name = "PATH|URL|-")]
    attachments: Vec<String>,

    /// Whether and how hard to think: off, on, adaptive, a level such as low or high, or a number of tokens
    #[arg(long, value_name = "LEVEL", value_parser = parse_thinking)]
    thinking: Option<Thinking>,

    /// A JSON Schema that the answer must fit: a file, or the schema itself; the value alone is printed
    #[arg(long, value_name = "FILE|JSON")]
    schema: Option<String>,

    /// How often an answer that does not fit --schema is asked for again [default: 2]
    #[arg(long, value_name = "N")]
    schema_retries: Option<u32>,

    /// A model to ask where the first fails before it has begun to answer; can be given several times
    ///
    /// It gets the whole conversation, the same options and the same tools; --setting is for the first alone.
    #[arg(long = "fallback", value_name = "MODEL")]
    pub(super) fallbacks: Vec<String>,

    #[command(flatten)]
    pub(super) run: RunArgs,
}

/// How any call of a model is made.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Call options")]
pub(super) struct RunArgs {
    /// A setting of the provider for this run; can be given several times
    #[arg(long = "setting", value_name = "KEY=VALUE", value_parser = parse_setting)]
    settings: Vec<(String, Value)>,

    /// How long the whole call may take, for example 500ms, 30s or 5m
    #[arg(long, value_name = "DURATION", value_parser = parse_timeout)]
    timeout: Option<String>,

    /// How often to try again when it may help, as long as nothing has come
    #[arg(long, value_name = "N")]
    pub(super) retries: Option<u32>,

    /// Send what the catalogue says the model can't do
    #[arg(long)]
    pub(super) no_check: bool,
}

/// How an answer is printed.
#[derive(Clone, Debug)]
pub(super) struct Output {
    pub(super) form: Form,
    /// The answer is a value, printed once it is checked.
    pub(super) value: bool,
    /// Say how many tokens it took.
    pub(super) usage: bool,
    /// Only these phases, where some are named.
    pub(super) include: Option<Vec<Phase>>,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Output")]
pub(super) struct OutputArgs {
    /// Ask for one answer at once instead of a stream
    #[arg(long)]
    pub(super) no_stream: bool,

    /// Print one JSON object, also when the call fails
    #[arg(long, conflicts_with = "events")]
    json: bool,

    /// Print each event as it comes, one JSON object a line; the last line is that of --json
    #[arg(long)]
    events: bool,

    /// Say on stderr how many tokens it took
    #[arg(long)]
    usage: bool,

    /// Show only these phases: thinking, tool-calling, generating (comma-separated)
    ///
    /// Default: all, but thinking only where stderr is a terminal. --json has them all whatever is shown.
    #[arg(long, value_name = "PHASES", value_delimiter = ',', value_parser = parse_phase)]
    include: Option<Vec<Phase>>,
}

impl CallArgs {
    /// The options as the library takes them.
    pub(super) fn options(&self) -> Result<CallOptions> {
        Ok(CallOptions { no_stream: self.output.no_stream, ..self.request.options()? })
    }

    /// How the answer is printed.
    pub(super) fn output(&self) -> Output {
        let form = match (self.output.json, self.output.events) {
            (true, _) => Form::Json,
            (_, true) => Form::Events,
            _ => Form::Text,
        };
        let value = self.request.schema.is_some();
        Output { form, value, usage: self.output.usage, include: self.output.include.clone() }
    }
}

impl RequestArgs {
    /// The options as the library takes them.
    pub(super) fn options(&self) -> Result<CallOptions> {
        Ok(CallOptions {
            options: options(&self.option),
            thinking: self.thinking.clone(),
            response_format: self.response_format()?,
            schema_retries: self.schema_retries,
            no_check: self.run.no_check,
            retries: self.run.retries,
            ..CallOptions::default()
        })
    }

    fn response_format(&self) -> Result<ResponseFormat> {
        let Some(given) = &self.schema else {
            return Ok(ResponseFormat::Text);
        };
        let text = if given.trim_start().starts_with('{') {
            given.clone()
        } else {
            let unreadable = |error| Exit::usage(format!("the schema {given} can't be read: {error}"));
            std::fs::read_to_string(given).map_err(unreadable)?
        };
        let schema: Value = serde_json::from_str(&text)
            .map_err(|error| Exit::usage(format!("the schema is not JSON: {error}")))?;
        Ok(ResponseFormat::Schema(schema.into()))
    }

    /// An attachment is read from standard input.
    pub(super) fn attaches_input(&self) -> bool {
        self.attachments.iter().any(|attachment| attachment == "-")
    }

    /// The attachments, in order.
    pub(super) fn attachments(&self) -> Result<Vec<Attachment>> {
        self.attachments.iter().map(|given| Attachment::from_argument(given).map_err(Exit::Usage)).collect()
    }
}

impl RunArgs {
    /// The provider's settings for this run.
    pub(super) fn settings(&self) -> Map<String, Value> {
        self.settings.iter().cloned().collect()
    }

    /// Limits that are options of their own.
    pub(super) fn limits(&self) -> Vec<(&str, &str)> {
        self.timeout.iter().map(|timeout| ("total", timeout.as_str())).collect()
    }
}

/// The values of an option that takes a key and a value.
pub(super) fn options(pairs: &[String]) -> Map<String, Value> {
    pairs.chunks_exact(2).map(|pair| (pair[0].clone(), json_or_text(&pair[1]))).collect()
}

/// The bytes of a request document: a file's, or those of standard input.
pub(super) fn read_document(path: &str) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = match path {
        "-" => io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes),
        path => std::fs::read(path),
    };
    read.map_err(|error| Exit::usage(format!("the request document {path} can't be read: {error}")))
}

/// JSON if it is, else text: `0.2`, `true`, `["a"]`, `hello`.
fn json_or_text(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
}

fn parse_setting(text: &str) -> Result<(String, Value), String> {
    split_pair(text).map(|(key, value)| (key.to_owned(), json_or_text(value)))
}

fn parse_timeout(text: &str) -> Result<String, String> {
    parse_duration(text).map(|_| text.to_owned())
}

fn parse_thinking(text: &str) -> Result<Thinking, String> {
    let thinking = |mode| Thinking { mode, effort: None, budget_tokens: None, summary: None };
    Ok(match text {
        "off" | "0" => thinking(ThinkingMode::Off),
        "on" => thinking(ThinkingMode::On),
        "adaptive" => thinking(ThinkingMode::Adaptive),
        number if number.starts_with(|c: char| c.is_ascii_digit()) => {
            let budget = number.parse().map_err(|_| "a budget is a number of tokens")?;
            Thinking { budget_tokens: Some(budget), ..thinking(ThinkingMode::On) }
        }
        level
            if !level.is_empty() && level.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c)) =>
        {
            Thinking { effort: Some(level.to_owned()), ..thinking(ThinkingMode::On) }
        }
        _ => {
            return Err(
                "write off, on, adaptive, a level such as low or high, or a number of tokens".to_owned()
            );
        }
    })
}

fn parse_phase(text: &str) -> Result<Phase, String> {
    match text.replace('_', "-").as_str() {
        "thinking" => Ok(Phase::Thinking),
        "tool-calling" => Ok(Phase::ToolCalling),
        "generating" => Ok(Phase::Generating),
        _ => Err("there are thinking, tool-calling and generating".to_owned()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_value_is_json_or_text() {
        assert_eq!(json_or_text("0.5"), json!(0.5));
        assert_eq!(json_or_text("null"), Value::Null);
        assert_eq!(json_or_text("[\"a\"]"), json!(["a"]));
        assert_eq!(json_or_text("END"), json!("END"));
        assert_eq!(parse_setting("url=a=b").unwrap(), ("url".to_owned(), json!("a=b")));
    }

    #[test]
    fn thinking_is_a_switch_a_level_or_a_budget() {
        assert_eq!(parse_thinking("off").unwrap().mode, ThinkingMode::Off);
        assert_eq!(parse_thinking("adaptive").unwrap().mode, ThinkingMode::Adaptive);
        assert_eq!(parse_thinking("high").unwrap().effort.as_deref(), Some("high"));
        assert_eq!(parse_thinking("2048").unwrap().budget_tokens, Some(2048));
        for bad in ["", "very much", "12x", "99999999999"] {
            assert!(parse_thinking(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn phases_have_both_spellings() {
        assert_eq!(parse_phase("tool_calling").unwrap(), Phase::ToolCalling);
        assert_eq!(parse_phase("tool-calling").unwrap(), Phase::ToolCalling);
        assert!(parse_phase("done").unwrap_err().contains("generating"));
    }
}
