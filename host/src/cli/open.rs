//! From the arguments of a call to a client for its model, and what to ask it.

use super::answer::Printer;
use super::call::RequestArgs;
use super::consent;
use super::exit::{Exit, Result};
use super::interrupt;
use super::prompt::{Asked, Given, join, standard_input};
use aimu_host::{Client, Host, Setup, UserMessage};

const NOTHING: &str = "there is no prompt: give it as an argument or on standard input; for a conversation, run \
                       `aimu-host chat` at a terminal";

/// A client, and what to ask it; where nothing was given and the user `can_type`, there is no message.
pub(super) async fn asked(
    host: &Host,
    asked: &Asked,
    system: Option<&str>,
    call: &RequestArgs,
    can_type: bool,
    printer: &mut Printer,
) -> Result<(Client, Option<UserMessage>)> {
    let given = asked.given(host).await;
    let message = message(&given, call)?;
    let nothing = message.is_none() && !can_type;
    // Nobody looks for a default model to ask it nothing.
    if nothing && given.model.is_none() {
        return Err(Exit::usage(NOTHING));
    }
    let client = client(host, given, system, call, printer).await?;
    // A wrong model is the better news: `echo:echo hi` may have been meant as two arguments.
    if nothing {
        return Err(Exit::usage(NOTHING));
    }
    Ok((client, message))
}

/// A client for the model that was named, or for the default one, which is said aloud.
pub(super) async fn client(
    host: &Host,
    given: Given,
    system: Option<&str>,
    call: &RequestArgs,
    printer: &mut Printer,
) -> Result<Client> {
    let model = match given.model {
        Some(model) => model,
        None => {
            let default = interrupt::unless(host.default_model()).await?.map_err(|mut failure| {
                failure.message.extend(given.hint.map(|hint| format!(". {hint}")));
                Exit::Usage(failure)
            })?;
            if let Some(notice) = &default.notice {
                printer.warn(notice);
            }
            default.model
        }
    };
    printer.model.clone_from(&model);
    let setup = Setup {
        settings: call.run.settings(),
        system: system.map(str::to_owned),
        fallbacks: call.fallbacks.clone(),
        ..Setup::default()
    };
    consent::client(host, &model, setup).await
}

/// The user's message, if there is anything in it.
fn message(given: &Given, call: &RequestArgs) -> Result<Option<UserMessage>> {
    // An attachment may take standard input, and then there is no prompt there.
    let input = if call.attaches_input() { None } else { standard_input()? };
    let prompt = join(input, given.prompt.as_deref());
    let attachments = call.attachments()?;
    if prompt.is_none() && attachments.is_empty() {
        return Ok(None);
    }
    let message = UserMessage::new(prompt.unwrap_or_default());
    Ok(Some(attachments.into_iter().fold(message, UserMessage::attach)))
}
