//! `aimu-host generate`: one prompt, without a conversation.

use super::answer::Printer;
use super::call::CallArgs;
use super::exit::{Exit, Result};
use super::globals::Globals;
use super::open;
use super::prompt::Asked;
use aimu_host::Answer;

/// The arguments of `generate`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  aimu-host generate echo:echo 'Hello!'
  git diff | aimu-host generate anthropic:claude-sonnet-4-5 'Write a commit message'")]
pub(super) struct GenerateArgs {
    #[command(flatten)]
    asked: Asked,

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
        let host = globals.host(&self.call.request.run.limits())?;
        let (client, message) =
            open::asked(&host, &self.asked, None, &self.call.request, false, printer).await?;
        let answering = client
            .generate(message.unwrap_or_default())
            .options(self.call.options()?)
            .stream()
            .map_err(Exit::of_lookup)?;
        printer.follow(answering).await
    }
}
