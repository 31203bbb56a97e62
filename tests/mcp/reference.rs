//! The reference servers, as their registries have them: installed once into the target folder.

use crate::support;
use crate::world::{World, call, check, text, toolbox};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How long an installation may take: it fetches some ten megabytes.
const PATIENCE: Duration = Duration::from_secs(180);

/// Installs something into a folder of its own by a command, which is given the folder; says why that can't be.
fn install(name: &str, command: impl Fn(&Path) -> Command) -> Result<PathBuf, String> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mcp-reference").join(name);
    let whole = folder.join("installed");
    if whole.exists() {
        return Ok(folder);
    }
    std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    let log = std::fs::File::create(folder.join("log")).map_err(|error| error.to_string())?;
    let mut command = command(&folder);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
    let mut child =
        command.spawn().map_err(|error| format!("{}: {error}", command.get_program().display()))?;
    let start = Instant::now();
    let status = loop {
        match child.try_wait().map_err(|error| error.to_string())? {
            Some(status) => break status,
            None if start.elapsed() > PATIENCE => {
                let _ = child.kill().and_then(|()| child.wait());
                return Err(format!("it takes more than {PATIENCE:?}"));
            }
            None => std::thread::sleep(Duration::from_millis(50)),
        }
    };
    if !status.success() {
        let log = std::fs::read_to_string(folder.join("log")).unwrap_or_default();
        return Err(log.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it failed").to_owned());
    }
    std::fs::write(whole, "").map_err(|error| error.to_string())?;
    Ok(folder)
}

#[tokio::test(flavor = "multi_thread")]
async fn server_everything_of_npm() {
    const PACKAGE: &str = "@modelcontextprotocol/server-everything";
    let installed = install("everything", |folder| {
        let mut npm = Command::new("npm");
        npm.args(["install", "--no-audit", "--no-fund", "--loglevel=error", "--prefix"])
            .arg(folder)
            .arg(PACKAGE);
        npm
    });
    let folder = match installed {
        Ok(folder) => folder,
        Err(why) => {
            return support::skip(
                "mcp::server_everything_of_npm",
                &format!("{PACKAGE} can't be installed: {why}"),
            );
        }
    };
    // As people start it: npx, a shell, node.
    let world = World::new().line(&format!(
        "[mcp.everything]\ncommand = 'npx'\n\
         args = ['--no-install', '--prefix', '{}', 'mcp-server-everything', 'stdio']",
        folder.display()
    ));
    let host = world.host();
    let checked = check(&host, "everything").await;
    assert!(checked.is_ok(), "{:?} {:?}", checked.tools.err(), checked.problems);
    let tools = toolbox(&host, "everything").await;
    let answer = call(&tools, "everything__echo", r#"{"message": "it is us"}"#).await;
    assert!(!answer.is_error && text(&answer).contains("it is us"), "{answer:?}");
    // A tool's name changes between its versions; an image comes from one of them.
    let image =
        tools.definitions().find(|tool| tool.name.to_lowercase().contains("image")).unwrap().name.clone();
    assert!(text(&call(&tools, &image, "{}").await).contains("[image/png]"));
}

#[tokio::test(flavor = "multi_thread")]
async fn mcp_server_time_of_pypi() {
    const PACKAGE: &str = "mcp-server-time";
    let installed = install("time", |folder| {
        let mut pip = Command::new("python3");
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target"])
            .arg(folder)
            .arg(PACKAGE);
        pip
    });
    let folder = match installed {
        Ok(folder) => folder,
        Err(why) => {
            return support::skip(
                "mcp::mcp_server_time_of_pypi",
                &format!("{PACKAGE} can't be installed: {why}"),
            );
        }
    };
    let world = World::new().line(&format!(
        "[mcp.time]\ncommand = 'python3'\nargs = ['-m', 'mcp_server_time', '--local-timezone=UTC']\n\
         env = {{ PYTHONPATH = '{}' }}",
        folder.display()
    ));
    let host = world.host();
    let checked = check(&host, "time").await;
    assert!(checked.is_ok(), "{:?} {:?}", checked.tools.err(), checked.problems);
    let tools = toolbox(&host, "time").await;
    let given = r#"{"source_timezone": "Asia/Tokyo", "time": "12:00", "target_timezone": "UTC"}"#;
    let answer = call(&tools, "time__convert_time", given).await;
    assert!(!answer.is_error && text(&answer).contains("T03:00:00"), "{answer:?}");
    let wrong = call(&tools, "time__get_current_time", r#"{"timezone": "Mars/Olympus"}"#).await;
    assert!(wrong.is_error, "{wrong:?}");
}
