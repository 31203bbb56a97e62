//! MCP servers as the user names them: `[mcp.NAME]` in config.toml.

use crate::config::{CredentialConfig, CredentialSource};
use crate::limits::parse_duration;
use crate::secrets::Secret;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// One server.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "ServerTable")]
pub(crate) struct ServerConfig {
    pub(crate) way: Way,
    /// How long a call may take.
    pub(crate) timeout: Option<Duration>,
    /// How long it may take to start.
    pub(crate) start_timeout: Option<Duration>,
    pub(crate) disabled: bool,
}

/// How a server is reached.
#[derive(Clone, Debug)]
pub(crate) enum Way {
    /// A program that is started, and spoken to over its standard streams.
    Program(ProgramConfig),
    /// A server that is spoken to over HTTP.
    Url(UrlConfig),
    /// What is written says no way, and this is wrong with it.
    Wrong(String),
}

/// A program that is a server.
#[derive(Clone, Debug)]
pub(crate) struct ProgramConfig {
    pub(crate) command: String,
    pub(crate) arguments: Vec<Given>,
    /// Variables, beside the few that every server has.
    pub(crate) environment: BTreeMap<String, Given>,
    /// Where it is started.
    pub(crate) folder: Option<PathBuf>,
}

/// A server on the network.
#[derive(Clone, Debug)]
pub(crate) struct UrlConfig {
    pub(crate) url: String,
    pub(crate) headers: BTreeMap<String, Given>,
    pub(crate) credential: Option<CredentialConfig>,
}

/// A value that a server is given.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Given {
    /// Itself. It may be a key that somebody wrote there, and prints as `…`.
    Plain(Secret),
    /// From where keys come from.
    Source(CredentialSource),
    /// A text with variables of the environment in it: `Bearer ${TOKEN}`.
    #[serde(skip)]
    Template(Secret),
}

impl Given {
    fn is_of_program(&self) -> bool {
        matches!(self, Self::Source(CredentialSource::Command(_)))
    }
}

/// A server as it is written.
#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct ServerTable {
    pub(super) command: Option<String>,
    pub(super) args: Option<Vec<Secret>>,
    pub(super) env: Option<BTreeMap<String, Given>>,
    pub(super) cwd: Option<PathBuf>,
    pub(super) url: Option<String>,
    pub(super) headers: Option<BTreeMap<String, Given>>,
    pub(super) credential: Option<CredentialConfig>,
    pub(super) timeout: Option<String>,
    pub(super) start_timeout: Option<String>,
    #[serde(default)]
    pub(super) disabled: bool,
}

impl TryFrom<ServerTable> for ServerConfig {
    type Error = String;

    fn try_from(table: ServerTable) -> Result<Self, String> {
        let time = |name: &str, text: &Option<String>| match text {
            None => Ok(None),
            Some(text) => parse_duration(text)
                .map(Some)
                .ok_or_else(|| format!("`{name}` of an MCP server is a time such as 500ms, 30s or 5m")),
        };
        Ok(Self {
            timeout: time("timeout", &table.timeout)?,
            start_timeout: time("start-timeout", &table.start_timeout)?,
            disabled: table.disabled,
            way: way(table, Given::Plain)?,
        })
    }
}

/// How a server is reached. `argument` says what an argument of a program is.
pub(super) fn way(table: ServerTable, argument: impl Fn(Secret) -> Given) -> Result<Way, String> {
    let ServerTable { command, args, env, cwd, url, headers, credential, .. } = table;
    match (command, url) {
        (Some(command), None) if headers.is_none() && credential.is_none() => {
            if command.trim().is_empty() {
                return Err("`command` of an MCP server names no program".to_owned());
            }
            let environment = env.unwrap_or_default();
            if environment.keys().any(|name| name.is_empty() || name.contains(['=', '\0'])) {
                return Err("`env` of an MCP server has a name that no variable has".to_owned());
            }
            let arguments = args.unwrap_or_default().into_iter().map(argument).collect();
            Ok(Way::Program(ProgramConfig { command, arguments, environment, folder: cwd }))
        }
        (Some(_), None) => {
            Err("`headers` and `credential` of an MCP server are for a `url`; a program is given `env`"
                .to_owned())
        }
        (None, Some(url)) if args.is_none() && env.is_none() && cwd.is_none() => {
            Ok(Way::Url(UrlConfig { url, headers: headers.unwrap_or_default(), credential }))
        }
        (None, Some(_)) => Err("`args`, `env` and `cwd` of an MCP server are for a `command`".to_owned()),
        _ => Err("an MCP server has either a `command` or a `url`".to_owned()),
    }
}

impl ServerConfig {
    /// Files are named from where the configuration is.
    pub(crate) fn resolve_paths(&mut self, folder: &Path) {
        if let Way::Program(ProgramConfig { folder: Some(own), .. }) = &mut self.way {
            *own = folder.join(&*own);
        }
    }

    /// Whether it has programs run.
    pub(crate) fn names_programs(&self) -> bool {
        match &self.way {
            Way::Program(_) => true,
            Way::Url(UrlConfig { headers, credential, .. }) => {
                let by_command = |own: &CredentialConfig| matches!(own.source, CredentialSource::Command(_));
                headers.values().any(Given::is_of_program) || credential.as_ref().is_some_and(by_command)
            }
            Way::Wrong(_) => false,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<ServerConfig, String> {
        crate::config::parse(&format!("[mcp.x]\n{text}\n")).map(|mut config| config.mcp.remove("x").unwrap())
    }

    #[test]
    fn a_server_is_a_program_or_a_url() {
        let program = of("command = 'npx'\nargs = ['-y', 'it']\nenv = { A = 'b', T = { env = 'TOKEN' } }\n\
                          timeout = '5m'\ncwd = 'there'")
        .unwrap();
        assert!(program.names_programs() && program.timeout == Some(Duration::from_secs(300)));
        let Way::Program(own) = program.way else { panic!("no program") };
        assert!(matches!(&own.environment["A"], Given::Plain(value) if value.expose() == "b"));
        assert!(matches!(&own.environment["T"], Given::Source(CredentialSource::Env(_))));
        let url = of("url = 'https://x.test/mcp'\nheaders = { a = 'b' }\n\
                      credential = { source = { env = 'TOKEN' } }\ndisabled = true")
        .unwrap();
        assert!(!url.names_programs() && url.disabled);
        let key = of("url = 'https://x.test/mcp'\nheaders = { a = { command = 'op read x' } }").unwrap();
        assert!(key.names_programs());
    }

    #[test]
    fn what_contradicts_itself_is_refused_without_its_text() {
        for (text, word) in [
            ("", "either"),
            ("command = 'a'\nurl = 'hunter2'", "either"),
            ("command = ' '", "names no program"),
            ("command = 'a'\nheaders = { a = 'hunter2' }", "for a `url`"),
            ("url = 'https://x.test'\nargs = ['hunter2']", "for a `command`"),
            ("url = 'https://x.test'\nenv = { A = 'hunter2' }", "for a `command`"),
            ("command = 'a'\ntimeout = 'hunter2'", "`timeout`"),
            ("command = 'a'\nenv = { 'A=B' = 'hunter2' }", "no variable"),
            ("command = 'a'\nenv = { A = ['hunter2'] }", "env"),
            ("command = 'a'\ntoken = 'hunter2'", "token"),
        ] {
            let error = of(text).map(|_| ()).unwrap_err();
            assert!(error.contains(word) && !error.contains("hunter2"), "{text}: {error}");
        }
        let printed =
            format!("{:?}", of("command = 'a'\nargs = ['hunter2']\nenv = { A = 'hunter2' }").unwrap());
        assert!(!printed.contains("hunter2"), "{printed}");
    }
}
