//! `aimu-host embed`: texts to vectors.

use super::call::{RunArgs, options, read_document};
use super::consent;
use super::exit::{Exit, Result};
use super::globals::Globals;
use super::interrupt;
use super::prompt::{before_colon, looks_like_model, standard_input};
use super::terminal::{Stderr, Stdout};
use aimu_host::{
    Client, DEFAULT_EMBEDDING_MODEL_VARIABLE, Embed, EmbedDocument, EmbedResult, Embeddings, Failure,
    FailureKind, Host, Purpose, Setup,
};
use serde_json::{Value, json};

/// Texts of one call where each vector is a line: they are printed while others are still to be made, and no more than
/// these are in memory.
const AT_ONCE: usize = 2_048;

/// The arguments of `embed`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  aimu-host embed echo:embed 'Hello!' 'Good bye!'
  aimu-host embed openai:text-embedding-3-small --dimensions 256 <lines.txt >vectors.jsonl
  aimu-host embed gemini:gemini-embedding-001 --purpose query 'Where is it?' --json")]
pub(super) struct EmbedArgs {
    /// provider:model-id[@base-url][;flags], as `aimu-host models --embedding` lists them
    ///
    /// Without it, the model in AIMU_EMBEDDING_MODEL. The first argument is the MODEL if it has a colon and no white
    /// space, or if it is a provider's name or begins with one and a colon; else it is a TEXT.
    #[arg(value_name = "MODEL")]
    first: Option<String>,

    /// The texts; `-` or none: each line of standard input is one
    #[arg(value_name = "TEXT")]
    others: Vec<String>,

    /// The length of a vector, for models that have several
    #[arg(long, value_name = "N", help_heading = "Call options")]
    dimensions: Option<u32>,

    /// What the vectors are for: query, document, classification, clustering or similarity
    #[arg(long, value_name = "PURPOSE", value_parser = parse_purpose, help_heading = "Call options")]
    purpose: Option<Purpose>,

    /// A parameter of the provider's own, for example `-o truncate END`; can be given several times
    #[arg(
        short,
        long = "option",
        num_args = 2,
        value_names = ["KEY", "VALUE"],
        allow_negative_numbers = true,
        help_heading = "Call options"
    )]
    option: Vec<String>,

    /// Send one request document, a file or `-` for standard input, exactly as it is
    #[arg(
        long,
        value_name = "FILE|-",
        conflicts_with_all = ["others", "dimensions", "purpose", "option", "retries"],
        help_heading = "Call options"
    )]
    request: Option<String>,

    /// Print one JSON object with all vectors and the usage, also when the call fails
    #[arg(long, help_heading = "Output")]
    json: bool,

    /// Say on stderr how many tokens it took
    #[arg(long, help_heading = "Output")]
    usage: bool,

    #[command(flatten)]
    run: RunArgs,
}

impl EmbedArgs {
    /// Embeds, and prints the vectors.
    pub(super) async fn run(self, globals: &Globals) -> Result<()> {
        let mut model = String::new();
        let outcome = self.embed(globals, &mut model).await;
        if self.json {
            print_object(&model, &outcome)?;
        }
        let embeddings = outcome?;
        let mut stderr = Stderr::new();
        if !self.json {
            embeddings.warnings.iter().for_each(|warning| stderr.warning(warning));
        }
        if self.usage {
            let tokens = embeddings.usage.input.map_or("?".to_owned(), |tokens| tokens.to_string());
            stderr.line(&format!("usage: {tokens} in"));
        }
        Ok(())
    }

    /// With `--json`, all vectors; else they are printed as they come, and what is left is said of all of them.
    async fn embed(&self, globals: &Globals, model: &mut String) -> Result<Embeddings> {
        let host = globals.host(&self.run.limits())?;
        if let Some(path) = &self.request {
            let document = EmbedDocument::parse(read_document(path)?).map_err(Exit::Usage)?;
            *model = named(self.first.clone().or_else(|| document.model.clone()))?;
            let client = self.client(&host, model).await?;
            let call = client.embed_document(document);
            let call = if self.run.no_check { call.no_check() } else { call };
            return self.print(interrupt::unless(call.into_future()).await??);
        }
        let (given, texts) = self.arguments(&host).await;
        *model = named(given)?;
        let client = self.client(&host, model).await?;
        let mut texts = texts_of(texts)?;
        if self.json {
            return Ok(interrupt::unless(self.set(client.embed(texts)).into_future()).await??);
        }
        let mut all: Option<Embeddings> = None;
        while !texts.is_empty() {
            let later = texts.split_off(texts.len().min(AT_ONCE));
            let some = self.set(client.embed(std::mem::replace(&mut texts, later)));
            let some = self.print(interrupt::unless(some.into_future()).await??)?;
            all = Some(match all {
                Some(all) => both(all, some),
                None => some,
            });
        }
        Ok(all.unwrap_or_default())
    }

    /// Which argument is which.
    async fn arguments(&self, host: &Host) -> (Option<String>, Vec<String>) {
        let Some(first) = &self.first else { return (None, Vec::new()) };
        let is_model = match looks_like_model(first) {
            Some(is_model) => is_model,
            None => host.providers().await.iter().any(|provider| provider.name == before_colon(first)),
        };
        // `-` is a place to read from, whatever stands there.
        if is_model && first != "-" {
            return (Some(first.clone()), self.others.clone());
        }
        (None, std::iter::once(first).chain(&self.others).cloned().collect())
    }

    async fn client(&self, host: &Host, model: &str) -> Result<Client> {
        let setup = Setup { settings: self.run.settings(), ..Setup::default() };
        consent::client(host, model, setup).await
    }

    /// The options of the command line.
    fn set<'c>(&self, mut call: Embed<'c>) -> Embed<'c> {
        if let Some(dimensions) = self.dimensions {
            call = call.dimensions(dimensions);
        }
        if let Some(purpose) = self.purpose {
            call = call.purpose(purpose);
        }
        if let Some(retries) = self.run.retries {
            call = call.retries(retries);
        }
        if !self.option.is_empty() {
            call = call.extra(Value::Object(options(&self.option)));
        }
        if self.run.no_check { call.no_check() } else { call }
    }

    /// A line for each vector, unless one object comes at the end.
    fn print(&self, mut embeddings: Embeddings) -> Result<Embeddings> {
        if !self.json {
            let mut stdout = Stdout::new();
            for vector in embeddings.vectors.drain(..) {
                stdout.json(&vector)?;
            }
            stdout.flush()?;
        }
        Ok(embeddings)
    }
}

/// What is left to say of two calls, once their vectors are printed: a warning that both have is one.
fn both(mut all: Embeddings, some: Embeddings) -> Embeddings {
    all.usage = all.usage.plus(some.usage);
    let new = some.warnings.into_iter().filter(|warning| !all.warnings.contains(warning)).collect::<Vec<_>>();
    all.warnings.extend(new);
    all
}

/// The object of `--json`, whatever has become of the call.
fn print_object(model: &str, outcome: &Result<Embeddings>) -> Result<()> {
    let mut stdout = Stdout::new();
    match outcome {
        Ok(embeddings) => stdout.json(&EmbedResult::new(model, Ok(embeddings)))?,
        Err(Exit::Failed(failure) | Exit::Usage(failure)) => {
            stdout.json(&EmbedResult::new(model, Err(failure)))?;
        }
        Err(Exit::Interrupted) => {
            let failure = Failure::new(FailureKind::Internal, "interrupted by Ctrl-C");
            let mut object = json!(EmbedResult::new(model, Err(&failure)));
            // It is the user's act, and no kind of failure of a call.
            object["error"]["kind"] = json!("interrupted");
            stdout.json(&object)?;
        }
        Err(Exit::Closed) => {}
    }
    Ok(stdout.flush()?)
}

/// The model that was given, or the one that the environment names.
fn named(given: Option<String>) -> Result<String> {
    let default = || std::env::var(DEFAULT_EMBEDDING_MODEL_VARIABLE).ok();
    let model = given.or_else(default).map(|model| model.trim().to_owned()).filter(|model| !model.is_empty());
    model.ok_or_else(|| {
        Exit::usage(format!(
            "no model was named. Name one as `provider:model-id` (`aimu-host models --embedding` lists them), or set \
             {DEFAULT_EMBEDDING_MODEL_VARIABLE}"
        ))
    })
}

/// The texts of the arguments, with the lines of standard input in place of `-`, or alone where there are none.
fn texts_of(arguments: Vec<String>) -> Result<Vec<String>> {
    if !arguments.is_empty() && !arguments.iter().any(|argument| argument == "-") {
        return Ok(arguments);
    }
    let input = standard_input()?.ok_or_else(|| {
        Exit::usage("there is nothing to embed: give texts as arguments, or one a line on standard input")
    })?;
    let lines: Vec<String> = input.lines().map(str::to_owned).collect();
    // Left out, a blank line would move all vectors after it to the wrong text; and services refuse it.
    if let Some(place) = lines.iter().position(|line| line.trim().is_empty()) {
        return Err(Exit::usage(format!(
            "line {} of standard input is blank, which can't be embedded",
            place + 1
        )));
    }
    if lines.is_empty() && arguments.len() <= 1 {
        return Err(Exit::usage("there is nothing to embed: standard input is empty"));
    }
    if arguments.is_empty() {
        return Ok(lines);
    }
    let mut texts = Vec::new();
    for argument in arguments {
        if argument == "-" { texts.extend(lines.iter().cloned()) } else { texts.push(argument) }
    }
    Ok(texts)
}

fn parse_purpose(text: &str) -> Result<Purpose, String> {
    let found = Purpose::ALL.into_iter().find(|purpose| purpose.as_str() == text);
    found.ok_or_else(|| format!("there are {}", Purpose::ALL.map(Purpose::as_str).join(", ")))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn purposes_are_words() {
        assert_eq!(parse_purpose("clustering").unwrap(), Purpose::Clustering);
        assert!(parse_purpose("fun").unwrap_err().contains("similarity"));
    }

    #[test]
    fn arguments_are_texts() {
        let texts = vec!["a b".to_owned(), "note:x".to_owned()];
        assert_eq!(texts_of(texts.clone()).unwrap(), texts);
    }
}
