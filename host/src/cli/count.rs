//! `aimu-host count`: how many tokens a request would take, counted by the provider.

use super::answer::{Form, Printer};
use super::call::{Output, RequestArgs, read_document};
use super::exit::{Exit, Result};
use super::globals::Globals;
use super::interrupt;
use super::open;
use super::prompt::{Asked, Given};
use super::terminal::Stdout;
use aimu_host::RequestDocument;

/// The arguments of `count`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  aimu-host count anthropic:claude-sonnet-4-5 'Why is the sky blue?'
  aimu-host count gemini:gemini-2.5-flash -a report.pdf 'Three points, please'
  aimu-host count openai:gpt-5 --request call.json")]
pub(super) struct CountArgs {
    #[command(flatten)]
    asked: Asked,

    /// Instructions in front of the conversation
    #[arg(short, long, value_name = "TEXT", conflicts_with = "request", help_heading = "Call options")]
    system: Option<String>,

    /// Count one request document, a file or `-` for standard input: one that `chat --request` takes
    #[arg(
        long,
        value_name = "FILE|-",
        conflicts_with_all = ["option", "attachments", "thinking", "schema", "schema_retries", "retries"],
        help_heading = "Call options"
    )]
    request: Option<String>,

    #[command(flatten)]
    call: RequestArgs,
}

impl CountArgs {
    /// Counts, and prints the number.
    pub(super) async fn run(self, globals: &Globals) -> Result<()> {
        let count = self.count(globals).await?;
        let mut stdout = Stdout::new();
        stdout.text(&format!("{count}\n"))?;
        Ok(stdout.flush()?)
    }

    async fn count(&self, globals: &Globals) -> Result<u32> {
        let mut printer =
            Printer::new(Output { form: Form::Text, value: false, usage: false, include: None });
        if let Some(path) = &self.request {
            let model = self.asked.model_alone()?;
            let document = RequestDocument::parse(read_document(path)?).map_err(Exit::Usage)?;
            let host = globals.host(&self.call.run.limits())?;
            let given = Given::of(model.or(document.model.as_deref()));
            let client = open::client(&host, given, None, &self.call, &mut printer).await?;
            return Ok(interrupt::unless(client.count_document(document, !self.call.run.no_check)).await??);
        }
        let host = globals.host(&self.call.run.limits())?;
        let system = self.system.as_deref();
        let (client, message) =
            open::asked(&host, &self.asked, system, &self.call, false, &mut printer).await?;
        let options = self.call.options()?;
        let call = client.count(message.unwrap_or_default()).options(options);
        Ok(interrupt::unless(call.into_future()).await??)
    }
}
