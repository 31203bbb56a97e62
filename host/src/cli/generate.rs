//! `aimu-host generate`: one prompt, without a conversation.

use super::answer::Printer;
use super::call::CallArgs;
use super::exit::{Exit, Result};
use super::globals::Globals;
use super::{open, prompt};
use aimu_host::Answer;

/// The arguments of `generate`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  aimu-host generate echo:echo 'Hello!'
  git diff | aimu-host generate anthropic:claude-sonnet-4-5 'Write a commit message'")]
pub(super) struct GenerateArgs {
    #[command(flatten)]
    asked: prompt::Asked,

    #[command(flatten)]
    call: CallArgs,
}

impl GenerateArgs {
    /// Asks and prints the answer.
    pub(super) async fn run(self, globals: &Globals) -> Result<()> {
        let mut printer = Printer::new(self.call.output());
        let outcome = self.answer(globals, &mut printer).await;
        printer.close(outcome)
    }

    async fn answer(&self, globals: &Globals, printer: &mut Printer) -> Result<Answer> {
        let host = globals.host(&self.call.limits())?;
        let given = self.asked.given(&host).await;
        let text = self.call.prompt(given.prompt.as_deref())?;
        let message = open::message(text, &self.call)?.ok_or_else(|| Exit::usage(prompt::NONE))?;
        let client = open::client(&host, given.model.as_deref(), None, &self.call, printer).await?;
        let answering =
            client.generate(message).options(self.call.options()?).stream().map_err(Exit::of_lookup)?;
        printer.follow(answering).await
    }
}
