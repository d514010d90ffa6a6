//! Reads a TOML file statement by statement, so that an invalid line affects only itself.

use toml::{Table, Value};

/// Maximum number of lines in a statement. If a bracket or string is still open after that many lines, the
/// first line is treated as invalid.
const LONGEST: usize = 256;

/// A line that cannot be parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct InvalidLine {
    /// Index of the line, from 0.
    pub at: usize,
    /// Description of the problem.
    pub why: String,
}

/// Parses each statement of a file separately; returns a table of the valid ones, and the invalid lines.
pub(super) fn parse(text: &str) -> (Table, Vec<InvalidLine>) {
    let lines: Vec<&str> = text.lines().collect();
    let (mut table, mut invalid) = (Table::new(), Vec::new());
    let mut section = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        let length = statement(&lines[at..]);
        match lines[at..at + length].join("\n").parse::<Table>() {
            Ok(parsed) if lines[at].trim_start().starts_with('[') => {
                section = path_of(&parsed);
                at += length;
            }
            Ok(parsed) => {
                let parsed = section.iter().rev().fold(parsed, |inner, name: &String| {
                    Table::from_iter([(name.clone(), Value::Table(inner))])
                });
                if !merge(&mut table, parsed) {
                    invalid.push(InvalidLine { at, why: "duplicate setting".into() });
                }
                at += length;
            }
            Err(error) => {
                let line = lines[at].trim();
                if line.starts_with('[') {
                    // Assume the section that was probably intended, so that the lines below it keep their
                    // meaning.
                    section = vec![line.trim_matches(|c: char| !c.is_alphanumeric() && c != '_').to_owned()];
                }
                invalid.push(InvalidLine { at, why: error.message().to_owned() });
                at += 1;
            }
        }
    }
    (table, invalid)
}

/// Returns the path of a section header, outermost table first.
fn path_of(header: &Table) -> Vec<String> {
    let mut path = Vec::new();
    let mut inner = Some(header);
    while let Some((name, value)) = inner.and_then(|table| table.iter().next()) {
        path.push(name.clone());
        inner = value.as_table();
    }
    path
}

/// Adds those values of `new` that do not exist yet; returns whether all of them were added.
fn merge(table: &mut Table, new: Table) -> bool {
    let mut added = true;
    for (name, value) in new {
        match (table.get_mut(&name), value) {
            (None, value) => _ = table.insert(name, value),
            (Some(Value::Table(inner)), Value::Table(new)) => added &= merge(inner, new),
            (Some(_), _) => added = false,
        }
    }
    added
}

/// Returns the number of lines of the first statement: 1, or more if a bracket or a string stays open at the
/// end of the line and is closed below.
fn statement(lines: &[&str]) -> usize {
    let mut depth = 0_usize;
    let mut open: Option<&str> = None;
    for (number, line) in lines.iter().take(LONGEST).enumerate() {
        let mut rest = *line;
        while let Some(first) = rest.chars().next() {
            let delimiter = ["\"\"\"", "'''", "\"", "'"].into_iter().find(|quote| rest.starts_with(quote));
            match (open, delimiter) {
                (Some(quote), _) if rest.starts_with(quote) => {
                    open = None;
                    rest = &rest[quote.len()..];
                    continue;
                }
                (Some(quote), _) if first == '\\' && quote.starts_with('"') => {
                    rest = rest[1..].chars().next().map_or("", |escaped| &rest[1 + escaped.len_utf8()..]);
                    continue;
                }
                (Some(_), _) => {}
                (None, Some(quote)) => {
                    open = Some(quote);
                    rest = &rest[quote.len()..];
                    continue;
                }
                (None, None) => match first {
                    '#' => break,
                    '[' | '{' => depth += 1,
                    ']' | '}' => depth = depth.saturating_sub(1),
                    _ => {}
                },
            }
            rest = &rest[first.len_utf8()..];
        }
        open = open.filter(|quote| quote.len() == 3); // Only triple-quoted strings span lines.
        if depth == 0 && open.is_none() {
            return number + 1;
        }
    }
    1
}

/// Returns whether a line sets `name`, which may be quoted, in any letter case, or written with dashes
/// instead of underscores.
pub(super) fn sets(line: &str, name: &str) -> bool {
    let key = line.trim_start().trim_start_matches(['"', '\'']);
    let word: String = key.chars().take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '-')).collect();
    word.replace('-', "_").eq_ignore_ascii_case(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn invalid(text: &str) -> Vec<usize> {
        parse(text).1.into_iter().map(|line| line.at).collect()
    }

    #[test]
    fn valid_files_read_like_a_whole_document() {
        let text = "a = 1 # [\nb = [ # one\n  \"x]\", 'y\"',\n]\nc = \"\"\"\nd = 1\n\"\"\"\ne.f = { g = 2 }\n\n[m]\nn = 1\n[m.o]\np = 2\n";
        assert_eq!(parse(text), (text.parse().expect("valid"), Vec::new()));
    }

    #[test]
    fn an_invalid_line_costs_itself() {
        for wrong in
            ["x = USB", "x = [1,", "x = \"open", "x = '''open", "x", "= 3", "]", "x = [1, {", "\u{0}"]
        {
            let text = format!("a = 1\n{wrong}\nb = [1,\n2]\n[m]\nc = 2");
            let (table, lines) = parse(&text);
            assert_eq!(table, "a = 1\nb = [1, 2]\n[m]\nc = 2".parse().expect("valid"), "{wrong}");
            assert_eq!(lines.iter().map(|line| line.at).collect::<Vec<_>>(), [1], "{wrong}");
        }
    }

    #[test]
    fn a_section_survives_its_broken_header_and_a_repeated_setting_does_not_replace_the_first() {
        let (table, lines) = parse("[macros\nfusion = 0.5");
        assert_eq!((table["macros"]["fusion"].as_float(), lines.len()), (Some(0.5), 1));
        let (table, _) = parse("a = 1\na = 2");
        assert_eq!(table["a"].as_integer(), Some(1));
        assert_eq!(invalid("a = 1\na = 2\n[m]\nb = 1\nb = 2"), [1, 4]);
    }

    #[test]
    fn hostile_files_are_read_in_a_time_that_grows_with_their_size() {
        for line in ["a=[\n", "a=1\n", "[a\n", "'''\n", "a={b=[\n"] {
            assert!(parse(&line.repeat(20_000)).1.len() > 10_000, "{line}");
        }
    }

    #[test]
    fn a_name_is_recognised_in_other_spellings() {
        for line in ["limit_flashes=1", " \"limit_flashes\" = 1", "Limit-Flashes on"] {
            assert!(sets(line, "limit_flashes"), "{line}");
        }
        assert!(
            !sets("# limit_flashes = true", "limit_flashes") && !sets("limit_flashes2 = 1", "limit_flashes")
        );
    }
}
