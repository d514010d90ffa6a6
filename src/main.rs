//! The thin binary: runs the command line and prints an error as one line.

use std::process::ExitCode;

fn main() -> ExitCode {
    match aivj::cli::run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("aivj: {error:#}");
            ExitCode::FAILURE
        }
    }
}
