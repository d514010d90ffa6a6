//! The `aivj` binary: runs the command-line interface and prints errors with their causes.

use std::process::ExitCode;

fn main() -> ExitCode {
    match aivj::cli::run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("aivj: {}", aivj::cli::error_text(&error));
            ExitCode::FAILURE
        }
    }
}
