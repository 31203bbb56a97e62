//! The program at a terminal: a real one, with the test at its other end.

use super::Home;
use pty_process::blocking::{Command, open};
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::Child;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// Far beyond what any of this takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// The program at a terminal.
pub struct Terminal {
    pub child: Child,
    pub keyboard: File,
    screen: mpsc::Receiver<Vec<u8>>,
    pub seen: String,
}

impl Terminal {
    pub fn start(home: &Home, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let (master, slave) = open().unwrap();
        // The terminal is in charge of the program: Ctrl-C is a signal wherever the program does not read it itself.
        let child = Command::new(env!("CARGO_BIN_EXE_aimu-host"))
            .args(arguments)
            .arg("--plugins")
            .arg(home.plugins())
            .env_clear()
            .env("HOME", home.data())
            .env("AIMU_HOST_HOME", home.data())
            .env("TERM", "xterm")
            .env("NO_COLOR", "1")
            .envs(environment.iter().copied())
            .current_dir(home.data())
            .spawn(slave)
            .unwrap();
        let (sender, screen) = mpsc::channel();
        let keyboard = File::from(OwnedFd::from(master));
        let mut reader = keyboard.try_clone().unwrap();
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            // The other end is closed by an error on some systems.
            while let Ok(length @ 1..) = reader.read(&mut buffer) {
                if sender.send(buffer[..length].to_vec()).is_err() {
                    break;
                }
            }
        });
        Self { child, keyboard, screen, seen: String::new() }
    }

    /// Waits until this is on the screen.
    pub fn until(&mut self, text: &str) {
        let start = Instant::now();
        while !self.seen.contains(text) {
            let left = PATIENCE.saturating_sub(start.elapsed());
            match self.screen.recv_timeout(left) {
                Ok(bytes) => self.seen += &String::from_utf8_lossy(&bytes),
                Err(error) => panic!("{text:?} does not come ({error}): {:?}", self.seen),
            }
        }
    }

    /// The same, and forgets what was shown up to there: what is looked for next comes after it.
    pub fn past(&mut self, text: &str) {
        self.until(text);
        let end = self.seen.find(text).unwrap() + text.len();
        self.seen.drain(..end);
    }

    pub fn types(&mut self, text: &str) {
        self.keyboard.write_all(text.as_bytes()).unwrap();
    }

    /// Waits for the end: the exit code, and all that was on the screen.
    pub fn end(mut self) -> (Option<i32>, String) {
        let start = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            if start.elapsed() > PATIENCE {
                self.child.kill().unwrap();
                panic!("the program does not end: {:?}", self.seen);
            }
            thread::sleep(Duration::from_millis(5));
        };
        while let Ok(bytes) = self.screen.recv_timeout(Duration::from_millis(200)) {
            self.seen += &String::from_utf8_lossy(&bytes);
        }
        (status.code(), self.seen)
    }
}
