//! From the arguments of a call to a client for its model.

use super::answer::Printer;
use super::call::CallArgs;
use super::exit::{Exit, Result};
use super::interrupt;
use aimu_host::{Client, Host, Setup, UserMessage};

/// A client for the model that was named, or for the default one, which is said aloud.
pub(super) async fn client(
    host: &Host,
    model: Option<&str>,
    system: Option<&str>,
    call: &CallArgs,
    printer: &mut Printer,
) -> Result<Client> {
    let model = match model {
        Some(model) => model.to_owned(),
        None => {
            let default = interrupt::unless(host.default_model()).await?.map_err(Exit::Usage)?;
            if let Some(notice) = &default.notice {
                printer.warn(notice);
            }
            default.model
        }
    };
    printer.model.clone_from(&model);
    let setup = Setup { settings: call.settings(), system: system.map(str::to_owned), ..Setup::default() };
    interrupt::unless(host.client_with(model, setup)).await?.map_err(Exit::of_lookup)
}

/// The user's message, if there is anything in it.
pub(super) fn message(prompt: Option<String>, call: &CallArgs) -> Result<Option<UserMessage>> {
    let attachments = call.attachments()?;
    if prompt.is_none() && attachments.is_empty() {
        return Ok(None);
    }
    let message = UserMessage::new(prompt.unwrap_or_default());
    Ok(Some(attachments.into_iter().fold(message, UserMessage::attach)))
}
