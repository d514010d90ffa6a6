//! The thin binary: hands the arguments over and turns an error into one short line.

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
