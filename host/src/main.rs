//! The program `aimu-host`: the library on the command line.

mod cli;
mod telemetry;

fn main() -> std::process::ExitCode {
    aimu_host::compile_if_asked().unwrap_or_else(cli::run)
}
