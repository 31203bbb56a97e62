//! The command line: one verb a file.

mod answer;
mod call;
mod capabilities;
mod chat;
mod consent;
mod conversation;
mod count;
mod doctor;
mod embed;
mod exit;
mod generate;
mod globals;
mod interrupt;
mod keys;
mod mcp;
mod models;
mod offered;
mod open;
mod phases;
mod plugins;
mod prompt;
mod pull;
mod table;
mod terminal;
mod tools;
mod unseen;

use crate::telemetry;
use aimu_host::{Failure, FailureKind};
use clap::Parser;
use exit::{Exit, Result};
use std::process::ExitCode;

/// Chats with any model through providers that are sandboxed WebAssembly components.
#[derive(Debug, Parser)]
#[command(
    name = "aimu-host",
    bin_name = "aimu-host",
    version,
    after_help = "\
Examples:
  aimu-host chat echo:echo 'Hello!'      ask a model
  aimu-host chat                         talk with the default model
  aimu-host embed openai:text-embedding-3-small 'Hello!'
  aimu-host models --tools               models that call tools
  aimu-host chat -T calculator 'What is 2^64?'
  aimu-host keys set groq                keep a key for a provider
  aimu-host plugins inspect new.wasm     what a component is and asks for
  aimu-host plugins allow new            let it have that
  aimu-host doctor                       what is there, and what is wrong

Exit codes: 0 done, 1 it failed, 2 it was asked wrongly, 130 interrupted."
)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,

    #[command(flatten)]
    globals: globals::Globals,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Ask a model, or talk with it
    Chat(chat::ChatArgs),
    /// Complete one prompt, without a conversation
    Generate(generate::GenerateArgs),
    /// Turn texts into vectors
    Embed(embed::EmbedArgs),
    /// Count the tokens that a request would take
    Count(count::CountArgs),
    /// Have a provider's server fetch a model
    Pull(pull::PullArgs),
    /// List models and what they can do
    Models(models::ModelsArgs),
    /// List tools that conversations can offer, look at one, and run one
    #[command(subcommand)]
    Tools(tools::ToolsVerb),
    /// Keep keys for providers, and list those that there are
    #[command(subcommand)]
    Keys(keys::KeysVerb),
    /// Look at provider components, add them, and decide what they may use
    #[command(subcommand)]
    Plugins(plugins::PluginsVerb),
    /// List the MCP servers of the configuration, and see whether they work
    #[command(subcommand)]
    Mcp(mcp::McpVerb),
    /// Look at folders, plugins, keys and local servers, and say what to do about what is wrong
    ///
    /// Keys are named and never shown or tried. The exit code is 1 where there is something to be done.
    Doctor(doctor::DoctorArgs),
}

/// Runs the program; the exit code says how it went.
pub(crate) fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help that nobody reads is no failure.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    telemetry::start(cli.globals.verbose);
    match cli.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(exit) => {
            exit.print();
            ExitCode::from(exit.code())
        }
    }
}

impl Cli {
    fn run(self) -> Result<()> {
        // The verb, and with it the component, runs on this thread; one worker is enough for the sockets.
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.map_err(|error| {
            Exit::from(Failure::new(FailureKind::Internal, format!("this machine gives no threads: {error}")))
        })?;
        let outcome = runtime.block_on(async {
            match self.verb {
                Verb::Chat(args) => args.run(&self.globals).await,
                Verb::Generate(args) => args.run(&self.globals).await,
                Verb::Embed(args) => args.run(&self.globals).await,
                Verb::Count(args) => args.run(&self.globals).await,
                Verb::Pull(args) => args.run(&self.globals).await,
                Verb::Models(args) => args.run(&self.globals).await,
                Verb::Tools(verb) => verb.run(&self.globals).await,
                Verb::Keys(verb) => verb.run(&self.globals).await,
                Verb::Plugins(verb) => verb.run(&self.globals).await,
                Verb::Mcp(verb) => verb.run(&self.globals).await,
                Verb::Doctor(args) => args.run(&self.globals).await,
            }
        });
        // A name lookup or a compilation that nobody waits for any more must not hold the exit up.
        runtime.shutdown_background();
        outcome
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_arguments_fit_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn globals_stand_before_and_behind_the_verb() {
        for line in
            ["aimu-host --plugins a models --plugins b", "aimu-host -v models --allow --limit memory=1m"]
        {
            assert!(Cli::try_parse_from(line.split(' ')).is_ok(), "{line}");
        }
    }

    #[test]
    fn what_contradicts_a_request_document_is_refused() {
        for more in
            ["-s x", "-o seed 1", "-a f", "--thinking off", "--fallback e:e", "--retries 1", "-T time"]
        {
            let line = format!("aimu-host chat e:e --request - {more}");
            assert_eq!(
                Cli::try_parse_from(line.split(' ')).err().map(|error| error.exit_code()),
                Some(2),
                "{more}"
            );
        }
        assert!(Cli::try_parse_from("aimu-host chat -o top_k -1 -o stop x e:e hi".split(' ')).is_ok());
    }
}
