//! Problems in a file edited by hand: the line, the field, and what to write instead.

use std::fmt;
use std::path::Path;

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
    /// Creates a problem in a line, counted from 1.
    pub fn new(line: usize, field: &str, why: impl Into<String>) -> Self {
        Self { line, field: field.to_owned(), why: why.into() }
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

/// Returns a message for each problem in `file`.
pub fn messages(file: &Path, problems: &[Problem]) -> Vec<String> {
    problems.iter().map(|problem| format!("{}: {problem}", file.display())).collect()
}

/// Returns the first message, with the number of further messages and the command that lists them all; `None` if
/// `messages` is empty.
pub fn summary(messages: &[String], command: &str) -> Option<String> {
    let first = messages.first()?;
    Some(match messages.len() - 1 {
        0 => first.clone(),
        more => format!("{first} (and {more} more: see '{command}')"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_names_the_first_problem_and_the_command_that_lists_all() {
        let problem = |line| Problem::new(line, "n", "unknown; ignored");
        let messages = messages(Path::new("keys.toml"), &[problem(3), problem(4)]);
        let first = "keys.toml: line 3, n: unknown; ignored";
        assert_eq!(messages[0], first);
        assert_eq!(summary(&[], "aivj keys"), None);
        assert_eq!(summary(&messages[..1], "aivj keys").as_deref(), Some(first));
        let both = summary(&messages, "aivj keys");
        assert_eq!(both, Some(format!("{first} (and 1 more: see 'aivj keys')")));
    }
}
