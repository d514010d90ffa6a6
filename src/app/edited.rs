//! What is wrong with a file that was edited by hand: which line, which field, and what to write instead.

use std::fmt;
use std::ops::Range;

/// One thing that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The line, counted from 1.
    pub line: usize,
    /// The field, or nothing when the line as a whole cannot be read.
    pub field: String,
    /// What is wrong.
    pub why: String,
}

impl Problem {
    /// A problem at these bytes of `text`; at its first line when the place is not known.
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

/// The line on which this byte lies, counted from 1.
pub(super) fn line_of(text: &str, byte: usize) -> usize {
    text.bytes().take(byte).filter(|&byte| byte == b'\n').count() + 1
}

/// All of them in one message about `file`, which goes on without the lines it names.
pub(super) fn told(file: &std::path::Path, problems: &[Problem]) -> Option<String> {
    let first = problems.first()?;
    let more = match problems.len() {
        1 => String::new(),
        count => format!(" (and {} more)", count - 1),
    };
    Some(format!("{}: {first}{more}; the other lines are used", file.display()))
}
