//! A flag for each capability, to ask which models have it.

use aimu_host::Capability;
use clap::{Arg, ArgAction, ArgMatches, Command, error::Error};

/// The capabilities that were asked for.
#[derive(Clone, Debug, Default)]
pub(super) struct Capabilities(pub(super) Vec<Capability>);

/// By hand, since the flags are the contract's words: a new capability is a flag without a line here but its help.
impl clap::Args for Capabilities {
    fn augment_args(command: Command) -> Command {
        Capability::ALL.into_iter().fold(command, |command, capability| {
            command.arg(
                Arg::new(capability.as_str())
                    .long(capability.as_str())
                    .action(ArgAction::SetTrue)
                    .help_heading("Only models that")
                    .help(ability(capability)),
            )
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl clap::FromArgMatches for Capabilities {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let asked = |capability: &Capability| matches.get_flag(capability.as_str());
        Ok(Self(Capability::ALL.into_iter().filter(asked).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// What a model with it does.
fn ability(capability: Capability) -> &'static str {
    match capability {
        Capability::Tools => "call tools",
        Capability::ParallelTools => "call several tools in one turn",
        Capability::Thinking => "think before they answer",
        Capability::Vision => "see images",
        Capability::Audio => "hear",
        Capability::Documents => "read documents",
        Capability::StructuredOutput => "answer in the form of a JSON Schema",
        Capability::ImageOutput => "make images",
        Capability::AudioOutput => "speak",
        Capability::PromptCache => "cache marked prompts",
        Capability::MediaUrls => "fetch media URLs themselves",
        Capability::ServerTools => "run tools of their own",
    }
}
