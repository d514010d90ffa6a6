//! Reads the text of a preset shader: splits it into tokens, processes its directives and expands its macros.

mod condition;
mod error;
mod lexer;
mod limits;
mod preprocessor;
mod token;

pub use error::{Error, ErrorKind, Pos};
pub use limits::NESTING;
pub use token::{Name, Token, TokenKind};

/// Returns the preprocessed tokens of `source`; the last one is `TokenKind::End`.
///
/// # Errors
/// Returns an error if the text is invalid or exceeds a limit.
pub fn tokens(source: &str) -> Result<Vec<Token>, Error> {
    preprocessor::expand(lexer::tokens(source)?)
}
