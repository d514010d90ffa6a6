//! Translation errors and their positions in the source.

use std::fmt;

/// A position in the source: line and column, counted from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pos {
    /// Line, from 1; 0 if the error has no position.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

/// The category of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The text is not valid HLSL.
    Syntax,
    /// A semantic error: an unknown name, or types that do not match.
    Semantic,
    /// The shader exceeds a limit.
    Limit,
}

/// Why a shader cannot be translated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// Position of the error in the source.
    pub pos: Pos,
    /// Category of the error.
    pub kind: ErrorKind,
    /// Error message, without the position.
    pub message: String,
}

impl Error {
    pub(crate) fn syntax<T>(pos: Pos, message: impl Into<String>) -> Result<T, Self> {
        Err(Self { pos, kind: ErrorKind::Syntax, message: message.into() })
    }

    pub(crate) fn semantic<T>(pos: Pos, message: impl Into<String>) -> Result<T, Self> {
        Err(Self { pos, kind: ErrorKind::Semantic, message: message.into() })
    }

    pub(crate) fn limit<T>(pos: Pos, message: impl Into<String>) -> Result<T, Self> {
        Err(Self { pos, kind: ErrorKind::Limit, message: message.into() })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.pos.line == 0 {
            return f.write_str(&self.message);
        }
        write!(f, "line {}, column {}: {}", self.pos.line, self.pos.column, self.message)
    }
}

impl std::error::Error for Error {}
