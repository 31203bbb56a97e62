//! What is asked, and of whom: the arguments MODEL and PROMPT, and standard input.

use super::exit::{Exit, Result};
use aimu_host::Host;
use std::io::{self, IsTerminal, Read};

/// What is said where nothing is asked.
pub(super) const NONE: &str = "there is no prompt: give it as an argument or on standard input; for a conversation, run \
                               `aimu-host chat` at a terminal";

/// The two positional arguments of a call. Each may be left out.
#[derive(Debug, clap::Args)]
pub(super) struct Asked {
    /// provider:model-id[@base-url][;flags], as `aimu-host models` lists them
    ///
    /// Without it, the model in AIMU_LANGUAGE_MODEL, else the first that a local server offers. One argument alone is
    /// the MODEL if it has a colon and no white space, or begins with a provider's name; else it is the PROMPT.
    #[arg(value_name = "MODEL")]
    first: Option<String>,

    /// What to ask; text on standard input goes before it
    #[arg(value_name = "PROMPT")]
    second: Option<String>,
}

/// Model and prompt, as far as they were given as arguments.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Given {
    pub(super) model: Option<String>,
    pub(super) prompt: Option<String>,
}

impl Asked {
    /// Which argument is which.
    pub(super) async fn given(&self, host: &Host) -> Given {
        match (&self.first, &self.second) {
            (Some(only), None) => {
                let providers = match looks_like_model(only) {
                    None => host.providers().await.into_iter().map(|provider| provider.name).collect(),
                    Some(_) => Vec::new(),
                };
                if looks_like_model(only).unwrap_or_else(|| begins_with_provider(only, &providers)) {
                    Given { model: Some(only.clone()), prompt: None }
                } else {
                    Given { model: None, prompt: Some(only.clone()) }
                }
            }
            (first, second) => Given { model: first.clone(), prompt: second.clone() },
        }
    }

    /// With a request document, there is no prompt.
    pub(super) fn model_alone(&self) -> Result<Option<&str>> {
        match &self.second {
            Some(_) => Err(Exit::usage("the prompt is in the request document: give --request or a prompt, not both")),
            None => Ok(self.first.as_deref()),
        }
    }
}

/// Whether an argument alone is a model string, as far as its form says.
fn looks_like_model(argument: &str) -> Option<bool> {
    let blank = argument.contains(char::is_whitespace);
    match (argument.contains(':'), blank) {
        (true, false) => Some(true),
        (false, true) => Some(false),
        // `echo` alone may be a model string cut short, and `note: buy milk` a prompt.
        _ => None,
    }
}

fn begins_with_provider(argument: &str, providers: &[String]) -> bool {
    let name = argument.split(':').next().unwrap_or_default();
    providers.iter().any(|provider| provider == name)
}

/// The text on standard input, unless it is a terminal.
pub(super) fn standard_input() -> Result<Option<String>> {
    let mut stdin = io::stdin();
    if stdin.is_terminal() {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    stdin.read_to_end(&mut bytes).map_err(|error| Exit::usage(format!("standard input can't be read: {error}")))?;
    String::from_utf8(bytes).map(Some).map_err(|_| {
        Exit::usage("standard input is not UTF-8 text; to attach it as a file, add `--attachment -`")
    })
}

/// What came on standard input, then the argument, as one prompt.
pub(super) fn join(input: Option<String>, argument: Option<&str>) -> Option<String> {
    let input = input.map(|text| text.trim_end().to_owned()).filter(|text| !text.is_empty());
    let argument = argument.filter(|text| !text.trim().is_empty());
    match (input, argument) {
        (Some(input), Some(argument)) => Some(format!("{input}\n\n{argument}")),
        (input, argument) => input.or(argument.map(str::to_owned)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_says_most() {
        for model in ["echo:echo", "nobody:x", "ollama:qwen3:8b", "openai-compat:m@http://localhost:1/v1;tools"] {
            assert_eq!(looks_like_model(model), Some(true), "{model}");
        }
        assert_eq!(looks_like_model("hello there"), Some(false));
        assert_eq!(looks_like_model("hello"), None);
        assert_eq!(looks_like_model("note: buy milk"), None);
    }

    #[test]
    fn a_providers_name_makes_it_a_model() {
        let providers = ["echo".to_owned()];
        assert!(begins_with_provider("echo", &providers));
        assert!(begins_with_provider("echo:echo hi", &providers));
        assert!(!begins_with_provider("note: echo", &providers));
    }

    #[test]
    fn standard_input_goes_first() {
        assert_eq!(join(Some("a\n".into()), Some("b")).as_deref(), Some("a\n\nb"));
        assert_eq!(join(Some(" \n".into()), Some("b")).as_deref(), Some("b"));
        assert_eq!(join(Some("a\n".into()), None).as_deref(), Some("a"));
        assert_eq!(join(None, Some(" ")), None);
    }
}
