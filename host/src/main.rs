//! The program `aimu-host`: the library on the command line.

mod cli;
mod telemetry;

fn main() -> std::process::ExitCode {
    cli::run()
}
