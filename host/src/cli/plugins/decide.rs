//! `plugins allow` and `plugins revoke`: what a component may use.

use crate::cli::consent;
use crate::cli::exit::{Exit, Result};
use crate::cli::terminal::{Stderr, Stdout};
use aimu_host::{Failure, FailureKind, Host, Permissions, PluginGrants, escaped};
use serde_json::{Value, json};

/// The arguments of `plugins allow`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct AllowArgs {
    /// The plugin's id, the path of a component, or a provider of config.toml that stands on one
    name: String,

    /// A server that it asks for, or any where a component of tools asks for any; can be given several times
    #[arg(long = "origin", value_name = "ORIGIN")]
    origins: Vec<String>,

    /// A credential that it asks for, by name; can be given several times
    #[arg(long = "credential", value_name = "NAME")]
    credentials: Vec<String>,

    /// Allow all that it asks for without being asked
    #[arg(long, conflicts_with_all = ["origins", "credentials"])]
    yes: bool,

    /// Print a JSON object
    #[arg(long)]
    pub(super) json: bool,
}

impl AllowArgs {
    /// Shows what is asked for, asks where nothing was named, and allows.
    pub(super) async fn run(&self, host: &Host, stdout: &mut Stdout) -> Result<()> {
        let wanted = host.plugin_grants(&self.name).await.map_err(Exit::of_lookup)?;
        let named = !self.origins.is_empty() || !self.credentials.is_empty();
        let allowed = if named {
            let named = wanted.asked.named(&self.origins, &self.credentials);
            named.map_err(|what| {
                Exit::usage(format!("the plugin `{}` {what}; it asks for {}", wanted.plugin, wanted.asked))
            })?
        } else {
            wanted.asked.clone()
        };
        // A server that is named may be one that "any server of the internet" leaves out.
        let granted_already = allowed.origins.is_subset(&wanted.granted.origins)
            && allowed.credentials.is_subset(&wanted.granted.credentials);
        let granted = if wanted.missing.is_empty() && (!named || granted_already) {
            // Nothing is left to decide.
            wanted
        } else if named || self.agreed(&wanted).await? {
            host.allow_plugin(&wanted, &allowed).await.map_err(Exit::of_lookup)?
        } else {
            let what = format!("the plugin `{}` was not allowed anything", wanted.plugin);
            return Err(Failure::new(FailureKind::Denied, what).into());
        };
        if self.json {
            return Ok(stdout.json(&object(&granted))?);
        }
        Ok(stdout.text(&told(&granted))?)
    }

    async fn agreed(&self, wanted: &PluginGrants) -> Result<bool> {
        if self.yes {
            Stderr::new().line(&consent::shown(wanted));
            return Ok(true);
        }
        if consent::somebody_is_there() {
            return consent::ask(wanted).await;
        }
        Stderr::new().line(&consent::shown(wanted));
        let what = format!(
            "nobody is there to be asked: add `--yes` to allow the plugin `{}` all of that, or name what you allow with \
             `--origin` and `--credential`",
            wanted.plugin
        );
        Err(Failure::new(FailureKind::Denied, what).into())
    }
}

fn told(grants: &PluginGrants) -> String {
    let id = escaped(&grants.plugin);
    if grants.asked.is_empty() {
        return format!("{id} asks for nothing, and needs no leave\n");
    }
    let list = |title: &str, permissions: &Permissions| {
        let lines = permissions.lines().into_iter().map(|line| format!("  {line}\n"));
        lines.fold(format!("{title}\n"), |text, line| text + &line)
    };
    let mut text = list(&format!("{id} is allowed"), &grants.granted);
    if !grants.missing.is_empty() {
        text += &list("and not", &grants.missing);
    }
    text
}

fn object(grants: &PluginGrants) -> Value {
    let mut object = json!(grants);
    object["ok"] = json!(true);
    object
}

/// Takes back what a plugin was allowed.
pub(super) async fn revoke(host: &Host, name: &str, json: bool, stdout: &mut Stdout) -> Result<()> {
    // By its id first: the component may be gone, or broken.
    let mut revoked = host.revoke_plugin(name).await?;
    if !revoked {
        // A word that is no plugin's is a mistake; a plugin without grants is as it should be.
        let plugin = host.plugin_grants(name).await.map_err(Exit::of_lookup)?.plugin;
        revoked = plugin != name && host.revoke_plugin(&plugin).await?;
    }
    if json {
        return Ok(stdout.json(&json!({ "ok": true, "plugin": name, "revoked": revoked }))?);
    }
    let id = escaped(name);
    Ok(stdout.text(&match revoked {
        true => format!("{id} is allowed nothing any more\n"),
        false => format!("{id} was not allowed anything\n"),
    })?)
}
