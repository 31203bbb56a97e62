//! The whole program, from its start to its end.

use std::process::{Command, Stdio};
use std::time::Instant;

pub struct Start {
    pub milliseconds: f64,
    pub mebibytes: f64,
}

/// `aimu-host chat echo:echo hi` with a warm cache: medians of its time and its peak memory.
pub fn start() -> Start {
    let home = tempfile::tempdir().unwrap();
    let run = || {
        let start = Instant::now();
        let status = Command::new(env!("CARGO_BIN_EXE_aimu-host"))
            .args(["chat", "echo:echo", "hi"])
            .env("AIMU_HOST_HOME", home.path())
            .current_dir(home.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .status()
            .unwrap();
        assert!(status.success());
        start.elapsed().as_secs_f64() * 1e3
    };
    run();
    let mut times: Vec<f64> = (0..30).map(|_| run()).collect();
    Start { milliseconds: crate::median(&mut times), mebibytes: peak(home.path()) }
}

/// The program's peak memory in MiB, by GNU time; not a number where that is missing.
fn peak(home: &std::path::Path) -> f64 {
    let usage = Command::new("/usr/bin/time")
        .args(["-f", "%M", env!("CARGO_BIN_EXE_aimu-host"), "chat", "echo:echo", "hi"])
        .env("AIMU_HOST_HOME", home)
        .current_dir(home)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .output();
    match usage {
        Ok(output) => {
            String::from_utf8_lossy(&output.stderr).trim().parse::<f64>().unwrap_or(f64::NAN) / 1024.0
        }
        Err(_) => f64::NAN,
    }
}
