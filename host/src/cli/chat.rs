//! `aimu-host chat`: one question, a conversation, or one request document.

use super::answer::{Form, Printer};
use super::call::{CallArgs, read_document};
use super::exit::{Exit, Result};
use super::globals::Globals;
use super::offered::{Allowed, ToolArgs};
use super::prompt::{Asked, Given};
use super::{conversation, open};
use aimu_host::{Answer, CallOptions, Client, Host, RequestDocument, UserMessage};
use std::io::{self, IsTerminal};

/// The arguments of `chat`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  aimu-host chat echo:echo 'Hello!'
  aimu-host chat ollama:qwen3:8b                     a conversation, at a terminal
  cat notes.md | aimu-host chat 'Summarise this'     with the default model
  aimu-host chat openai:gpt-5 -a plot.png 'What does it show?'
  aimu-host chat openai:gpt-5 -T time -T files=notes 'What is due this week?'
  aimu-host chat echo:echo --request call.json --json")]
pub(super) struct ChatArgs {
    #[command(flatten)]
    asked: Asked,

    /// Instructions in front of the conversation
    #[arg(short, long, value_name = "TEXT", conflicts_with = "request", help_heading = "Call options")]
    system: Option<String>,

    /// Send one request document, a file or `-` for standard input, exactly as it is
    ///
    /// Its shape, and those of what --json and --events print, are in docs/request-documents.md. Tools are offered
    /// and not run: their calls are the result. MODEL wins over the document's `model`, --no-stream over `stream`.
    #[arg(
        long,
        value_name = "FILE|-",
        conflicts_with_all = [
            "option", "attachments", "thinking", "schema", "schema_retries", "fallbacks", "retries", "tools",
        ],
        help_heading = "Call options"
    )]
    request: Option<String>,

    #[command(flatten)]
    tools: ToolArgs,

    #[command(flatten)]
    call: CallArgs,
}

impl ChatArgs {
    /// Asks and prints the answer, or holds the conversation.
    pub(super) async fn run(self, globals: &Globals) -> Result<()> {
        let mut printer = Printer::new(self.call.output());
        let outcome = match &self.request {
            Some(document) => self.send(document, globals, &mut printer).await,
            None => match self.prepare(globals, &mut printer).await {
                Ok((host, client, None)) => {
                    return conversation::hold(&host, client, &self.call, &self.tools).await;
                }
                Ok((host, client, Some(message))) => self.ask(&host, client, message, &mut printer).await,
                Err(exit) => Err(exit),
            },
        };
        printer.close(outcome)
    }

    /// A client, and what to ask it; nothing to ask means a conversation.
    async fn prepare(
        &self,
        globals: &Globals,
        printer: &mut Printer,
    ) -> Result<(Host, Client, Option<UserMessage>)> {
        let host = globals.host(&self.call.request.run.limits())?;
        let system = self.system.as_deref();
        let call = &self.call.request;
        let (client, message) =
            open::asked(&host, &self.asked, system, call, self.can_converse(), printer).await?;
        Ok((host, client, message))
    }

    fn can_converse(&self) -> bool {
        self.call.output().form == Form::Text && io::stdin().is_terminal() && io::stdout().is_terminal()
    }

    async fn ask(
        &self,
        host: &Host,
        mut client: Client,
        message: UserMessage,
        printer: &mut Printer,
    ) -> Result<Answer> {
        let toolbox = self.tools.toolbox(host, &Allowed::default()).await?;
        let options = CallOptions { toolbox, ..self.call.options()? };
        let answering = client.chat(message).options(options).stream().map_err(Exit::of_lookup)?;
        printer.follow(answering).await
    }

    /// One upstream request, exactly as the document says.
    async fn send(&self, path: &str, globals: &Globals, printer: &mut Printer) -> Result<Answer> {
        let model = self.asked.model_alone()?;
        printer.model = model.unwrap_or_default().to_owned();
        let mut document = RequestDocument::parse(read_document(path)?).map_err(Exit::Usage)?;
        if self.call.output.no_stream {
            document.without_stream();
        }
        let host = globals.host(&self.call.request.run.limits())?;
        let model = model.or(document.model.as_deref());
        let client = open::client(&host, Given::of(model), None, &self.call.request, printer).await?;
        let answering = client.send(document, !self.call.request.run.no_check).map_err(Exit::of_lookup)?;
        printer.follow(answering).await
    }
}
