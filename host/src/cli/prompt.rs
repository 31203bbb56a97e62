//! What is asked, and of whom: the arguments MODEL and PROMPT, and standard input.

use super::exit::{Exit, Result};
use aimu_host::Host;
use std::io::{self, IsTerminal, Read};

/// The two positional arguments of a call. Each may be left out.
#[derive(Debug, clap::Args)]
pub(super) struct Asked {
    /// provider:model-id[@base-url][;flags], as `aimu-host models` lists them
    ///
    /// Without it, the model in AIMU_LANGUAGE_MODEL, else the first that a server of this machine offers. One argument
    /// alone is the MODEL if it has a colon and no white space, or if it is a provider's name or begins with one and a
    /// colon; else it is the PROMPT.
    #[arg(value_name = "MODEL")]
    first: Option<String>,

    /// What to ask; text on standard input goes before it
    #[arg(value_name = "PROMPT")]
    second: Option<String>,
}

/// Model and prompt, as far as they were given as arguments.
#[derive(Debug, Default)]
pub(super) struct Given {
    pub(super) model: Option<String>,
    pub(super) prompt: Option<String>,
    /// What to say where a word that may have been meant as a model was not taken as one.
    pub(super) hint: Option<String>,
}

impl Given {
    /// A model without a prompt.
    pub(super) fn of(model: Option<&str>) -> Self {
        Self { model: model.map(str::to_owned), ..Self::default() }
    }

    /// One argument that is a prompt.
    fn prompt_alone(prompt: &str) -> Self {
        let word = !prompt.contains(char::is_whitespace);
        let hint = word.then(|| {
            format!("`{prompt}` alone was taken as the prompt, since a model is `provider:model-id`")
        });
        Self { model: None, prompt: Some(prompt.to_owned()), hint }
    }
}

impl Asked {
    /// Which argument is which.
    pub(super) async fn given(&self, host: &Host) -> Given {
        let (Some(only), None) = (&self.first, &self.second) else {
            return Given { prompt: self.second.clone(), ..Given::of(self.first.as_deref()) };
        };
        let is_model = match looks_like_model(only) {
            Some(is_model) => is_model,
            None => host.providers().await.iter().any(|provider| provider.name == before_colon(only)),
        };
        if is_model { Given::of(Some(only)) } else { Given::prompt_alone(only) }
    }

    /// With a request document, there is no prompt.
    pub(super) fn model_alone(&self) -> Result<Option<&str>> {
        match &self.second {
            Some(_) => Err(Exit::usage(
                "the prompt is in the request document: give --request or a prompt, not both",
            )),
            None => Ok(self.first.as_deref()),
        }
    }
}

/// Whether an argument alone is a model string, as far as its form says.
pub(super) fn looks_like_model(argument: &str) -> Option<bool> {
    let blank = argument.contains(char::is_whitespace);
    match (argument.contains(':'), blank) {
        (true, false) => Some(true),
        (false, true) => Some(false),
        // `echo` alone may be a model string cut short, and `note: buy milk` a prompt.
        _ => None,
    }
}

/// What would be the provider's name.
pub(super) fn before_colon(argument: &str) -> &str {
    argument.split(':').next().unwrap_or_default()
}

/// The text on standard input, unless it is a terminal.
pub(super) fn standard_input() -> Result<Option<String>> {
    let mut stdin = io::stdin();
    if stdin.is_terminal() {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    stdin
        .read_to_end(&mut bytes)
        .map_err(|error| Exit::usage(format!("standard input can't be read: {error}")))?;
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
        for model in
            ["echo:echo", "nobody:x", "ollama:qwen3:8b", "openai-compat:m@http://localhost:1/v1;tools"]
        {
            assert_eq!(looks_like_model(model), Some(true), "{model}");
        }
        assert_eq!(looks_like_model("hello there"), Some(false));
        assert_eq!(looks_like_model("hello"), None);
        assert_eq!(looks_like_model("note: buy milk"), None);
    }

    #[test]
    fn what_may_be_a_provider_stands_before_the_colon() {
        assert_eq!(["echo", "echo:echo hi", "note: echo"].map(before_colon), ["echo", "echo", "note"]);
    }

    #[test]
    fn only_a_word_may_have_been_meant_as_a_model() {
        assert!(Given::prompt_alone("gpt-5").hint.is_some());
        assert!(Given::prompt_alone("why is it so?").hint.is_none());
    }

    #[test]
    fn standard_input_goes_first() {
        assert_eq!(join(Some("a\n".into()), Some("b")).as_deref(), Some("a\n\nb"));
        assert_eq!(join(Some(" \n".into()), Some("b")).as_deref(), Some("b"));
        assert_eq!(join(Some("a\n".into()), None).as_deref(), Some("a"));
        assert_eq!(join(None, Some(" ")), None);
    }
}
