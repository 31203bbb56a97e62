//! Compiling a component that nobody here wrote.
//!
//! Problem: compiling runs to its end; nothing in the engine can stop it, and some kilobytes of WebAssembly can be made
//! that take minutes or gigabytes. Decision: a process of its own compiles, the same program started again, which the
//! kernel bounds in processor time and memory. It has no environment, gets the bytes on its standard input and gives
//! machine code on its standard output. What comes with the program is compiled here, since its authors are known. Price:
//! a process for each new component, and a copy of its code. On systems other than Linux the kernel does not bound the
//! memory. An embedding program whose `main` does not take part (see [`compile_if_asked`]) compiles in its own process,
//! where the call is let go after that time and the compiler goes on.

use crate::limits::{Limits, reached};
use crate::model::{Failure, FailureKind, Result};
use rustix::process::{Resource, Rlimit, Signal, setrlimit};
use std::ffi::OsString;
use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{ExitCode, ExitStatus, Stdio};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;

/// The first argument of a program that is started to compile. No verb is called so.
const ARGUMENT: &str = "__compile-component";

/// Threads that compile: each takes memory of its own.
const THREADS: usize = 8;

/// Bytes of what a compiler may say of its failure.
const SAID: u64 = 4096;

/// Real time for each second of processor time: a busy machine is slow, but not for ever.
const PATIENCE: u32 = 20;

/// Where components are compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compiler {
    /// In this process.
    Here,
    /// In another of the same program.
    Apart,
}

/// Compiles in a process of its own; gives machine code of this engine.
pub(super) async fn compile_apart(bytes: &[u8], limits: &Limits) -> Result<Vec<u8>> {
    let broken = |what: String| Failure::new(FailureKind::Internal, what);
    if is_asked() {
        // Else it would start itself without end.
        return Err(broken(
            "it can't be compiled: this program was started to compile, and its `main` does not begin with \
             `aimu_host::compile_if_asked`"
                .to_owned(),
        ));
    }
    let seconds = limits.compile_time.as_secs().max(1);
    let mut command = Command::new(this_program().map_err(|error| {
        broken(format!("it can't be compiled, since this program does not find itself: {error}"))
    })?);
    command
        .arg(ARGUMENT)
        .args([seconds.to_string(), limits.compile_memory.to_string(), limits.stack.to_string()])
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let mut child = command
        .spawn()
        .map_err(|error| broken(format!("it can't be compiled, since no process was to be had: {error}")))?;
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (Some(mut stdin), Some(mut stdout), Some(stderr)) = (stdin, stdout, stderr) else {
        return Err(broken("it can't be compiled, since its compiler has no pipes".to_owned()));
    };
    let (mut code, mut said) = (Vec::new(), Vec::new());
    let talk = async {
        let write = async {
            // One that ends early closes its input; how it ended says why.
            let _ = stdin.write_all(bytes).await;
            drop(stdin);
        };
        let mut said_at_most = stderr.take(SAID);
        let (_, code, said) =
            tokio::join!(write, stdout.read_to_end(&mut code), said_at_most.read_to_end(&mut said));
        code.and(said)?;
        child.wait().await
    };
    let status = match tokio::time::timeout(limits.compile_time * PATIENCE, talk).await {
        Ok(Ok(status)) => status,
        Ok(Err(error)) => return Err(broken(format!("its compiler was lost: {error}"))),
        Err(_) => return Err(too_long(limits)),
    };
    if status.success() { Ok(code) } else { Err(ended(status, &String::from_utf8_lossy(&said), limits)) }
}

/// The failure of a component that took too long.
pub(super) fn too_long(limits: &Limits) -> Failure {
    let seconds = limits.compile_time.as_secs().max(1);
    reached("compile-time", &format!("its component takes more than {seconds} s to compile"))
}

/// Why a compiler gave nothing.
fn ended(status: ExitStatus, said: &str, limits: &Limits) -> Failure {
    if status.signal() == Some(Signal::XCPU.as_raw()) {
        return too_long(limits);
    }
    let out_of_memory = ["memory allocation of", "annot allocate memory", "capacity overflow"];
    if out_of_memory.iter().any(|words| said.contains(words)) {
        let mebibytes = limits.compile_memory >> 20;
        let what = format!("its component takes more than {mebibytes} MiB of memory to compile");
        return reached("compile-memory", &what);
    }
    match status.code() {
        Some(1) => {
            Failure::new(FailureKind::Unsupported, format!("its component can't be loaded: {}", said.trim()))
        }
        _ => Failure::new(FailureKind::Internal, format!("compiling its component failed ({status})")),
    }
}

/// This very program, also after its file was replaced by a newer one, whose code would not fit.
fn this_program() -> std::io::Result<PathBuf> {
    let running = PathBuf::from("/proc/self/exe");
    if running.exists() { Ok(running) } else { std::env::current_exe() }
}

/// Whether this program was started to compile.
fn is_asked() -> bool {
    std::env::args_os().nth(1).is_some_and(|argument| argument == ARGUMENT)
}

/// What a program does that was started to compile a component: `None` if it was not.
///
/// The first thing in the `main` of a program that uses [`HostBuilder::compile_apart`](crate::HostBuilder::compile_apart):
///
/// ```no_run
/// fn main() -> std::process::ExitCode {
///     if let Some(code) = aimu_host::compile_if_asked() {
///         return code;
///     }
///     // What the program is for.
///     std::process::ExitCode::SUCCESS
/// }
/// ```
#[must_use]
pub fn compile_if_asked() -> Option<ExitCode> {
    if !is_asked() {
        return None;
    }
    let code = match compile(std::env::args_os().skip(2).collect()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(what) => {
            let _ = writeln!(std::io::stderr(), "{what}");
            ExitCode::from(1)
        }
    };
    Some(code)
}

fn compile(arguments: Vec<OsString>) -> std::result::Result<(), String> {
    let numbers: Option<Vec<u64>> =
        arguments.iter().map(|argument| argument.to_str().and_then(|text| text.parse().ok())).collect();
    let Some([seconds, memory, stack]) = numbers.as_deref() else {
        return Err("this is not for people to call".to_owned());
    };
    bound(*seconds, *memory)?;
    rayon::ThreadPoolBuilder::new()
        .num_threads(THREADS.min(std::thread::available_parallelism().map_or(1, usize::from)))
        .build_global()
        .map_err(|error| error.to_string())?;
    let stack = usize::try_from(*stack).map_err(|error| error.to_string())?;
    let mut bytes = Vec::new();
    std::io::stdin().read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    let engine =
        wasmtime::Engine::new(&super::engine::config(stack)).map_err(|error| format!("{error:#}"))?;
    let code = engine.precompile_component(&bytes).map_err(|error| format!("{error:#}"))?;
    std::io::stdout().write_all(&code).map_err(|error| error.to_string())
}

/// Bounds this process. What is beyond is ended by the kernel, or finds no memory.
fn bound(seconds: u64, memory: u64) -> std::result::Result<(), String> {
    let bounds = [
        // A second more for the hard one, at which the kernel kills without saying why.
        (Resource::Cpu, seconds, seconds.saturating_add(1)),
        // All that is private and can be written: reserved addresses don't count, as they would with `As`.
        (Resource::Data, memory, memory),
        // What is lost by a crash is not worth a file of gigabytes.
        (Resource::Core, 0, 0),
    ];
    for (resource, soft, hard) in bounds {
        setrlimit(resource, Rlimit { current: Some(soft), maximum: Some(hard) })
            .map_err(|error| format!("no bounds for the compiler: {error}"))?;
    }
    Ok(())
}

/// A compiler in this process can't be stopped, but nobody has to wait for it.
pub(super) fn patience(limits: &Limits) -> Duration {
    limits.compile_time * PATIENCE
}
