//! A secret that somebody types, of which the terminal shows nothing.
//!
//! Problem: `rpassword` asks first and silences the terminal then, so that what is typed or pasted between the two is
//! shown; and Ctrl-C ends the program while the terminal is still silent. Decision: it is silenced before the question,
//! what was typed until then is thrown away, and Ctrl-C is an error of the reading. Price: the terminal is set twice.

use nix::sys::termios::{LocalFlags, SetArg, SpecialCharacterIndices, Termios, tcgetattr, tcsetattr};
use rpassword::ConfigBuilder;
use std::io;
use tokio::signal::unix::{SignalKind, signal};

/// Asks at the terminal that is the standard input; the question goes to standard error. Blocks.
///
/// # Errors
/// [`io::ErrorKind::Interrupted`] after Ctrl-C; the terminal can't be set or read.
pub(super) fn read(question: &str) -> io::Result<String> {
    let _silent = Silent::new()?;
    // Ctrl-C raises the signal, too, which must not end the program before the terminal is as it was.
    let _handled = signal(SignalKind::interrupt())?;
    let terminal = ConfigBuilder::new().input_file_path("/dev/stdin").output_writer(io::stderr()).build();
    rpassword::prompt_password_with_config(question, terminal)
}

/// The terminal shows nothing and sends no signals, until this is dropped.
struct Silent(Termios);

impl Silent {
    fn new() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut silent = before.clone();
        silent
            .local_flags
            .remove(LocalFlags::ECHO | LocalFlags::ECHONL | LocalFlags::ICANON | LocalFlags::ISIG);
        silent.control_chars[SpecialCharacterIndices::VMIN as usize] = 1;
        silent.control_chars[SpecialCharacterIndices::VTIME as usize] = 0;
        tcsetattr(io::stdin(), SetArg::TCSAFLUSH, &silent)?;
        Ok(Self(before))
    }
}

impl Drop for Silent {
    fn drop(&mut self) {
        // There is nobody to tell, and nothing else to try.
        let _ = tcsetattr(io::stdin(), SetArg::TCSANOW, &self.0);
    }
}
