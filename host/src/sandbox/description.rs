//! What a component may say of itself, as far as types don't say it. All of it is shown, listed, or used as a name.

use crate::grants::{ANY, Permissions, base_origin, declared_origin};
use crate::model::{CredentialPlacement, Description, Failure, FailureKind, Result};

/// Characters of a name, a version, a variable: what a line of a list has room for.
const NAME: usize = 256;

/// Characters of a URL or a model's id: brokers' ids are paths.
const URL: usize = 2_048;

/// Entries of a list that a person has to read: servers, credentials, fields, tools.
const ENTRIES: usize = 256;

/// Characters of what a tool says to models: a page, of the context window of each request.
const TOLD: usize = 8_192;

/// What the contract says of a description in words.
pub(super) fn check_description(description: &Description) -> Result<()> {
    let wrong =
        |what: String| Err(Failure::new(FailureKind::Internal, format!("broke the contract: {what}")));
    let id = &description.id;
    let valid = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if id.is_empty() || id.len() > 64 || !id.chars().all(valid) {
        return wrong(format!("its id `{}` is not lower-case letters, digits and `-`", id.escape_debug()));
    }
    let base = base_origin(description).ok().flatten();
    let declares = |text: &String| {
        description.origins.contains(text)
            || (base.is_some() && declared_origin(description, text).ok() == base)
    };
    for credential in &description.credentials {
        let name = credential.name.escape_debug();
        let has = |field: &str| credential.fields.iter().any(|have| have.name == field && !have.optional);
        match &credential.placement {
            CredentialPlacement::AwsSigv4 { .. } if !(has("access-key-id") && has("secret-access-key")) => {
                return wrong(format!(
                    "its credential `{name}` signs, and lacks `access-key-id` or `secret-access-key`"
                ));
            }
            CredentialPlacement::Bearer | CredentialPlacement::Header { .. }
                if credential.fields.len() > 1 =>
            {
                return wrong(format!("its credential `{name}` has several fields for one header"));
            }
            _ => {}
        }
        if let Some(origin) = credential.send_to.iter().find(|origin| *origin == ANY || !declares(origin)) {
            return wrong(format!(
                "its credential `{name}` goes to `{}`, which is neither one of its origins nor its default base URL's",
                origin.escape_debug()
            ));
        }
    }
    if description.is_of_tools() && base.is_none() && !description.credentials.is_empty() {
        return wrong("it has credentials, and no default base URL that they are sent to".to_owned());
    }
    check_sizes(description).or_else(wrong)?;
    // What nobody can look at can't be allowed either.
    Permissions::of(description).map(drop).or_else(wrong)
}

/// Refuses what nobody could read.
fn check_sizes(description: &Description) -> Result<(), String> {
    let Description {
        display_name,
        version,
        homepage,
        default_base_url,
        origins,
        credentials,
        models,
        tools,
        ..
    } = description;
    text("display-name", display_name, NAME)?;
    text("version", version, NAME)?;
    text("homepage", homepage.as_deref().unwrap_or_default(), URL)?;
    text("default-base-url", default_base_url.as_deref().unwrap_or_default(), URL)?;
    list("origins", origins.len())?;
    for origin in origins {
        text("origins", origin, URL)?;
    }
    list("credentials", credentials.len())?;
    for credential in credentials {
        text("the name of a credential", &credential.name, NAME)?;
        list("the fields of a credential", credential.fields.len())?;
        for field in &credential.fields {
            text("the name of a credential's field", &field.name, NAME)?;
            list("the variables of a credential", field.env.len())?;
            for variable in &field.env {
                text("a variable of a credential", variable, NAME)?;
            }
        }
    }
    for model in models {
        text("a model's id", &model.id, URL)?;
        text("a model's display-name", model.display_name.as_deref().unwrap_or_default(), NAME)?;
    }
    list("tools", tools.len())?;
    for tool in tools {
        text("a tool's name", &tool.name, NAME)?;
        text("a tool's description", &tool.description, TOLD)?;
    }
    Ok(())
}

fn text(what: &str, text: &str, most: usize) -> Result<(), String> {
    match text.chars().count() {
        length if length > most => Err(format!("`{what}` has {length} characters, and may have {most}")),
        _ => Ok(()),
    }
}

fn list(what: &str, length: usize) -> Result<(), String> {
    if length > ENTRIES {
        return Err(format!("`{what}` has {length} entries, and may have {ENTRIES}"));
    }
    Ok(())
}
