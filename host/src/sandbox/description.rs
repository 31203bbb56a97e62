//! Sizes of what a component says of itself. All of it is shown, listed, or used as a name.

use crate::model::Description;

/// Characters of a name, a version, a variable: what a line of a list has room for.
const NAME: usize = 256;

/// Characters of a URL or a model's id: brokers' ids are paths.
const URL: usize = 2_048;

/// Entries of a list that a person has to read: servers, credentials, fields.
const ENTRIES: usize = 256;

/// Refuses what nobody could read.
pub(super) fn check_sizes(description: &Description) -> Result<(), String> {
    let Description {
        display_name, version, homepage, default_base_url, origins, credentials, models, ..
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
