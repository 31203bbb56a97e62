//! `plugins add`, `remove` and `lock`: which components there are, and which a team has agreed on.

use super::listing;
use crate::cli::exit::{Exit, Result, paragraph};
use crate::cli::terminal::{Stderr, Stdout};
use aimu_host::{GrantState, Host, escaped};
use serde_json::json;
use std::path::{Path, PathBuf};

/// Copies a component into the plugin folder.
pub(super) async fn add(
    host: &Host,
    file: PathBuf,
    replace: bool,
    json: bool,
    stdout: &mut Stdout,
) -> Result<()> {
    let added = if replace { host.replace_plugin(file).await } else { host.add_plugin(file).await };
    let plugin = added.map_err(Exit::Failed)?;
    if json {
        return Ok(stdout.json(&listing::object(&plugin))?);
    }
    let id = escaped(&plugin.id);
    let path = plugin.file.as_deref().unwrap_or(Path::new("")).display().to_string();
    let mut text = format!("{id} is at {}\n", escaped(&path));
    let allows = format!("`aimu-host plugins allow {id}` allows it that");
    match &plugin.grants {
        Some(Ok(grants)) if grants.state == GrantState::Suspended => {
            text +=
                &format!("it asks for more than the one before: {}\nit is suspended; {allows}\n", grants.new);
        }
        Some(Ok(grants)) if grants.state != GrantState::NothingAsked => {
            text += &format!("it asks for {}\n", grants.asked);
            if !grants.missing.is_empty() {
                text += &format!("{allows}\n");
            }
        }
        _ => {}
    }
    Ok(stdout.text(&text)?)
}

/// Deletes a component.
pub(super) async fn remove(host: &Host, name: &str, json: bool, stdout: &mut Stdout) -> Result<()> {
    let file = host.remove_plugin(name).await.map_err(Exit::of_lookup)?;
    if json {
        return Ok(stdout.json(&json!({ "ok": true, "file": file }))?);
    }
    Ok(stdout.text(&format!("{} is deleted\n", escaped(&file.display().to_string())))?)
}

/// Writes the lock file.
pub(super) async fn lock(host: &Host, output: &Path, json: bool, stdout: &mut Stdout) -> Result<()> {
    let (lock, left_out) = host.plugin_lock(output).await?;
    let mut stderr = Stderr::new();
    for failure in &left_out {
        stderr.warning(&format!("left out: {}", escaped(&paragraph(failure))));
    }
    lock.write(output).map_err(Exit::Failed)?;
    if json {
        return Ok(stdout.json(&lock)?);
    }
    let ids: Vec<_> = lock.plugins.iter().map(|plugin| escaped(&plugin.id)).collect();
    let ids = if ids.is_empty() { "no plugins".to_owned() } else { ids.join(", ") };
    Ok(stdout.text(&format!("{} has {ids}\n", escaped(&output.display().to_string())))?)
}
