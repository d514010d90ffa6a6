//! Problems in a file edited by hand: the line, the field, and what to write instead.

use std::fmt;
use std::ops::Range;

/// A problem in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The line, counted from 1.
    pub line: usize,
    /// The field; empty if the whole line cannot be parsed.
    pub field: String,
    /// What is wrong, and what to write instead.
    pub why: String,
}

impl Problem {
    /// Creates a problem at a byte range of `text`, or at the first line if the range is unknown.
    pub fn at(text: &str, place: Option<Range<usize>>, field: &str, why: &str) -> Self {
        Self {
            line: line_of(text, place.map_or(0, |place| place.start)),
            field: field.into(),
            why: why.into(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        let Self { line, field, why } = self;
        if field.is_empty() {
            write!(out, "line {line}: {why}")
        } else {
            write!(out, "line {line}, {field}: {why}")
        }
    }
}

/// Returns the number of the line that contains the byte at offset `byte`, counted from 1.
pub fn line_of(text: &str, byte: usize) -> usize {
    text.bytes().take(byte).filter(|&byte| byte == b'\n').count() + 1
}

/// Formats each problem of `file` as a message.
pub fn messages(file: &std::path::Path, problems: &[Problem]) -> Vec<String> {
    problems
        .iter()
        .map(|problem| format!("{}: {problem}; the other lines still apply", file.display()))
        .collect()
}

/// Formats the first problem of `file`, and the number of further ones, as one message; `None` if there are
/// none.
pub fn summary(file: &std::path::Path, problems: &[Problem]) -> Option<String> {
    let first = problems.first()?;
    let more = match problems.len() {
        1 => String::new(),
        count => format!(" (and {} more)", count - 1),
    };
    Some(format!("{}: {first}{more}; the other lines still apply", file.display()))
}
