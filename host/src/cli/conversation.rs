//! A conversation at a terminal.

use super::answer::Printer;
use super::call::CallArgs;
use super::exit::{Exit, Result};
use super::interrupt;
use super::offered::{Allowed, ToolArgs};
use super::terminal::Stderr;
use aimu_host::{Answer, Attachment, CallOptions, Client, Failure, FailureKind, Home, Host, UserMessage};
use rustyline::error::ReadlineError;
use rustyline::{
    Cmd, ConditionalEventHandler, Config, DefaultEditor, Event, EventContext, EventHandler, KeyEvent,
    Movement, RepeatCount,
};
use std::path::PathBuf;

/// Lines that the prompt remembers between conversations.
const REMEMBERED: usize = 1_000;

const HELP: &str = "\
/attach FILE|URL  attach something to the next message
/system [TEXT]    set the instructions; without TEXT, take them back
/reset            begin a new conversation with the same instructions
/exit             leave; Ctrl-D does too, and Ctrl-C where nothing is typed
/help             this list
A line that ends in \\ goes on in the next. A space before / sends the line as it is. Ctrl-C stops an answer.";

/// Talks until the user leaves. An answer that fails or is stopped leaves nothing in the conversation.
pub(super) async fn hold(host: &Host, mut client: Client, call: &CallArgs, tools: &ToolArgs) -> Result<()> {
    let options = call.options()?;
    let allowed = Allowed::default();
    // A pattern that nothing fits is told before anything is typed.
    tools.toolbox(host, &allowed).await?;
    let mut stderr = Stderr::new();
    let mut prompt = Prompt::open()?;
    let mut attached = Vec::new();
    stderr.line(&format!("{}: /help lists commands, Ctrl-D leaves", client.model()));
    while let Some(line) = prompt.line()? {
        match Command::of(&line) {
            Command::Say(text) if text.trim().is_empty() => {}
            Command::Say(text) => {
                let message = attached.drain(..).fold(UserMessage::new(text), UserMessage::attach);
                let mut printer = Printer::new(call.output());
                let outcome = async {
                    // The component may have been exchanged since the last turn, and servers' tools change.
                    interrupt::unless(client.renew()).await??;
                    let toolbox = tools.toolbox(host, &allowed).await?;
                    let options = CallOptions { toolbox, ..options.clone() };
                    printer.follow(client.chat(message).options(options).stream()?).await
                };
                let outcome: Result<Answer> = outcome.await;
                match printer.close(outcome) {
                    Err(Exit::Interrupted) => stderr.line("(stopped; this turn is forgotten)"),
                    Err(Exit::Closed) => return Err(Exit::Closed),
                    Err(exit) => exit.print(),
                    Ok(()) => {}
                }
            }
            Command::Attach(what) => match Attachment::from_argument(what) {
                Ok(attachment) => attached.push(attachment),
                Err(failure) => Exit::Failed(failure).print(),
            },
            Command::System(text) => client.set_system((!text.is_empty()).then(|| text.to_owned())),
            Command::Reset => {
                client.reset();
                attached.clear();
            }
            Command::Help => stderr.line(HELP),
            Command::Exit => break,
            Command::Unknown(word) => stderr.line(&format!("there is no command {word}; /help lists them")),
        }
    }
    Ok(())
}

/// What a line means.
#[derive(Debug, PartialEq, Eq)]
enum Command<'a> {
    Say(&'a str),
    Attach(&'a str),
    System(&'a str),
    Reset,
    Help,
    Exit,
    Unknown(&'a str),
}

impl<'a> Command<'a> {
    fn of(line: &'a str) -> Self {
        if !line.starts_with('/') {
            return Self::Say(line.strip_prefix(' ').filter(|line| line.starts_with('/')).unwrap_or(line));
        }
        let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        match (word, rest.trim()) {
            ("/attach", what) if !what.is_empty() => Self::Attach(what),
            ("/system", text) => Self::System(text),
            ("/reset", "") => Self::Reset,
            ("/help" | "/?", "") => Self::Help,
            ("/exit" | "/quit", "") => Self::Exit,
            _ => Self::Unknown(word),
        }
    }
}

/// The line that the user types, with editing and a memory.
struct Prompt {
    editor: DefaultEditor,
    memory: Option<PathBuf>,
}

impl Prompt {
    fn open() -> Result<Self> {
        let config = Config::builder().max_history_size(REMEMBERED).map_err(broken)?.build();
        let mut editor = DefaultEditor::with_config(config).map_err(broken)?;
        editor.bind_sequence(KeyEvent::ctrl('C'), EventHandler::Conditional(Box::new(ClearOrLeave)));
        let memory = Home::from_environment().history_file().filter(|file| ready(file));
        if let Some(file) = &memory {
            // The first conversation has none yet.
            let _ = editor.load_history(file);
        }
        Ok(Self { editor, memory })
    }

    /// The next message, of one or more lines; `None` when the user leaves.
    fn line(&mut self) -> Result<Option<String>> {
        let mut whole = String::new();
        loop {
            let prompt = if whole.is_empty() { "> " } else { ". " };
            match self.editor.readline(prompt) {
                Ok(line) => match line.strip_suffix('\\') {
                    Some(line) => whole = whole + line + "\n",
                    None => {
                        whole += &line;
                        break;
                    }
                },
                Err(ReadlineError::Eof) => return Ok(None),
                Err(ReadlineError::Interrupted) => return Err(Exit::Interrupted),
                Err(error) => return Err(broken(error)),
            }
        }
        self.remember(&whole);
        Ok(Some(whole))
    }

    fn remember(&mut self, line: &str) {
        if line.trim().is_empty() || !self.editor.add_history_entry(line).unwrap_or_default() {
            return;
        }
        if let Some(file) = &self.memory
            && let Err(error) = self.editor.append_history(file)
        {
            tracing::debug!("the history {} can't be written: {error}", file.display());
        }
    }
}

/// Ctrl-C empties the line, and leaves where it is empty.
struct ClearOrLeave;

impl ConditionalEventHandler for ClearOrLeave {
    fn handle(&self, _: &Event, _: RepeatCount, _: bool, context: &EventContext<'_>) -> Option<Cmd> {
        Some(if context.line().is_empty() { Cmd::Interrupt } else { Cmd::Kill(Movement::WholeBuffer) })
    }
}

fn broken(error: ReadlineError) -> Exit {
    Failure::new(FailureKind::Internal, format!("the terminal can't be read: {error}")).into()
}

/// Makes the folder of the history, and the file if it is not there: for the user alone, as prompts may be private.
fn ready(file: &std::path::Path) -> bool {
    use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
    let folder =
        file.parent().map(|folder| std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder));
    let made = std::fs::OpenOptions::new().append(true).create(true).mode(0o600).open(file);
    folder.is_some_and(|folder| folder.is_ok()) && made.is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slash_is_a_command_and_a_space_before_it_is_not() {
        assert_eq!(Command::of("/system be brief "), Command::System("be brief"));
        assert_eq!(Command::of("/system"), Command::System(""));
        assert_eq!(Command::of("/etc/hosts is what?"), Command::Unknown("/etc/hosts"));
        assert_eq!(Command::of(" /etc/hosts is what?"), Command::Say("/etc/hosts is what?"));
        assert_eq!(Command::of("/attach"), Command::Unknown("/attach"));
        assert_eq!(Command::of(" two"), Command::Say(" two"));
    }
}
