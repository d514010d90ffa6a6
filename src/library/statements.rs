//! Reads a TOML file statement by statement, so that an invalid line affects only itself.

use std::collections::BTreeMap;

use toml::{Table, Value};

use super::edited::Problem;

/// Maximum number of lines in a statement. If a bracket or string is still open after that many lines, the
/// first line is treated as invalid.
const LONGEST: usize = 256;

/// Length of the longest path whose line is recorded: that of a field in an array of sections.
const RECORDED: usize = 3;

/// A file, read statement by statement.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Document {
    /// The values of the valid statements.
    pub table: Table,
    /// The invalid lines, in file order.
    pub invalid: Vec<InvalidLine>,
    /// The line of each section and value, by path.
    lines: BTreeMap<Vec<String>, usize>,
}

/// A line that cannot be parsed, or that sets a value that is already set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidLine {
    /// The line, counted from 1.
    pub line: usize,
    /// Line of the section header above it; 0 if there is none.
    pub section: usize,
    /// Description of the problem.
    pub why: String,
    text: String,
}

impl InvalidLine {
    /// Returns whether the line is meant to set `name`; see [`sets`].
    pub fn sets(&self, name: &str) -> bool {
        sets(&self.text, name)
    }

    /// Returns the problem to report if the line is ignored.
    pub fn problem(&self) -> Problem {
        Problem::new(self.line, "", format!("{}; ignored", self.why))
    }
}

impl Document {
    /// Parses each statement of a file separately.
    pub fn parse(text: &str) -> Self {
        let lines: Vec<&str> = text.lines().collect();
        let mut document = Self::default();
        let (mut names, mut section) = (Vec::new(), 0);
        let mut at = 0;
        while at < lines.len() {
            let line = at + 1;
            let first = lines[at].trim_start();
            let is_header = first.starts_with('[');
            let mut length = statement(&lines[at..]);
            let why = match lines[at..at + length].join("\n").parse::<Table>() {
                Ok(header) if is_header => {
                    (names, section) = (path_of(&header), line);
                    let opened = document.open(&names, first.starts_with("[["), line);
                    (!opened).then(|| "already set above".to_owned())
                }
                Ok(fields) => (!document.add(&names, fields, line)).then(|| "already set above".to_owned()),
                Err(error) => {
                    if is_header {
                        // Assume the section that was probably intended, so that the lines below it keep
                        // their meaning.
                        (names, section) = (vec![intended(first)], line);
                        document.open(&names, first.starts_with("[[") || first.contains("]]"), line);
                    }
                    length = 1;
                    Some(reason(error.message()))
                }
            };
            if let Some(why) = why {
                document.invalid.push(InvalidLine { line, section, why, text: lines[at].to_owned() });
            }
            at += length;
        }
        document
    }

    /// Returns the line of a section or value, counted from 1. If it is unknown, returns the line of the section
    /// that should contain the value, or 1. In an array of sections, the path contains the index of the section.
    pub fn line(&self, path: &[&str]) -> usize {
        let path: Vec<String> = path.iter().map(|&name| name.to_owned()).collect();
        (1..=path.len()).rev().find_map(|length| self.lines.get(&path[..length])).copied().unwrap_or(1)
    }

    /// Opens a section, or appends one to an array of sections; returns `false` if a value is in the way.
    fn open(&mut self, names: &[String], is_array: bool, line: usize) -> bool {
        if is_array && let Some((name, above)) = names.split_last() {
            let Some(table) = table_at(&mut self.table, above, &mut Vec::new()) else { return false };
            match table.entry(name.clone()).or_insert_with(|| Value::Array(Vec::new())) {
                Value::Array(sections) => sections.push(Value::Table(Table::new())),
                _ => return false,
            }
        }
        let mut path = Vec::new();
        let opened = table_at(&mut self.table, names, &mut path).is_some();
        if opened && path.len() <= RECORDED {
            self.lines.entry(path).or_insert(line);
        }
        opened
    }

    /// Adds the fields that a section does not contain yet; returns whether all of them were added.
    fn add(&mut self, names: &[String], fields: Table, line: usize) -> bool {
        if fields.is_empty() {
            return true; // A blank line or a comment.
        }
        let mut path = Vec::new();
        let Some(table) = table_at(&mut self.table, names, &mut path) else { return false };
        record(&mut self.lines, &mut path, &fields, line);
        merge(table, fields)
    }
}

/// Returns the table at the path `names`, creating missing tables; in an array of tables, the last one is used.
/// Appends the path, including array indices, to `path`. Returns `None` if a value is in the way.
fn table_at<'a>(mut table: &'a mut Table, names: &[String], path: &mut Vec<String>) -> Option<&'a mut Table> {
    for name in names {
        path.push(name.clone());
        table = match table.entry(name.clone()).or_insert_with(|| Value::Table(Table::new())) {
            Value::Table(inner) => inner,
            Value::Array(items) => {
                path.push(items.len().checked_sub(1)?.to_string());
                items.last_mut()?.as_table_mut()?
            }
            _ => return None,
        };
    }
    Some(table)
}

/// Records the line of each field, unless it is already known.
fn record(lines: &mut BTreeMap<Vec<String>, usize>, path: &mut Vec<String>, fields: &Table, line: usize) {
    if path.len() >= RECORDED {
        return;
    }
    for (name, value) in fields {
        path.push(name.clone());
        lines.entry(path.clone()).or_insert(line);
        if let Value::Table(inner) = value {
            record(lines, path, inner, line);
        }
        path.pop();
    }
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

/// Returns the first name in a malformed section header.
fn intended(header: &str) -> String {
    let name = header.trim_start_matches(|c: char| !c.is_alphanumeric());
    name.chars().take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '-')).collect()
}

/// Returns the reason for a parse error. For unquoted text, the parser may report an invalid float or boolean
/// instead, depending on the first letter.
fn reason(message: &str) -> String {
    let unquoted = ["invalid float", "invalid boolean", "string values must be quoted"];
    if unquoted.iter().any(|start| message.starts_with(start)) {
        "the value is not valid TOML (text needs quotes)".to_owned()
    } else {
        message.to_owned()
    }
}

/// Adds the values of `new` that do not exist yet; returns whether all of them were added.
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

/// Returns the number of lines of the first statement: 1, or more if a bracket or string is still open at the end
/// of the line and is closed on a later one.
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
pub fn sets(line: &str, name: &str) -> bool {
    let key = line.trim_start().trim_start_matches(['"', '\'']);
    let word: String = key.chars().take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '-')).collect();
    word.replace('-', "_").eq_ignore_ascii_case(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn invalid(document: &Document) -> Vec<usize> {
        document.invalid.iter().map(|invalid| invalid.line).collect()
    }

    #[test]
    fn valid_files_read_like_a_whole_document() {
        let text = "a = 1 # [\nb = [ # one\n  \"x]\", 'y\"',\n]\nc = \"\"\"\nd = 1\n\"\"\"\ne.f = { g = 2 }\n\n[m]\nn = 1\n[m.o]\np = 2\n[q]\n\
                    [[r]]\ns = 1\n[r.t]\nu = 1\n[[r]]\n[[r]]\ns = 2\n";
        let document = Document::parse(text);
        assert_eq!((document.table, document.invalid), (text.parse().expect("valid"), Vec::new()));
    }

    #[test]
    fn an_invalid_line_affects_only_itself() {
        for wrong in
            ["x = USB", "x = [1,", "x = \"open", "x = '''open", "x", "= 3", "]", "x = [1, {", "\u{0}"]
        {
            let text = format!("a = 1\n{wrong}\nb = [1,\n2]\n[m]\nc = 2");
            let document = Document::parse(&text);
            assert_eq!(invalid(&document), [2], "{wrong}");
            assert_eq!(document.table, "a = 1\nb = [1, 2]\n[m]\nc = 2".parse().expect("valid"), "{wrong}");
        }
    }

    #[test]
    fn a_section_survives_its_broken_header_and_a_repeated_setting_does_not_replace_the_first() {
        for header in ["[macros", "[macros # mine", "[\"macros]", "[macros] x"] {
            let document = Document::parse(&format!("{header}\nfusion = 0.5"));
            assert_eq!(document.table, "[macros]\nfusion = 0.5".parse().expect("valid"), "{header}");
            assert_eq!(invalid(&document), [1], "{header}");
        }
        for header in ["[[m", "[[m]", "[m]]"] {
            let document = Document::parse(&format!("[[m]]\na = 1\n{header}\na = 2"));
            assert_eq!(document.table, "[[m]]\na = 1\n[[m]]\na = 2".parse().expect("valid"), "{header}");
            assert_eq!(invalid(&document), [3], "{header}");
        }
        let document = Document::parse("a = 1\na = 2\n[m]\nb = 1\nb = 2\n[a]\n\nc = 1");
        assert_eq!(document.table, "a = 1\n[m]\nb = 1".parse().expect("valid"));
        assert_eq!(invalid(&document), [2, 5, 6, 8]);
        let sections: Vec<_> = document.invalid.iter().map(|invalid| invalid.section).collect();
        assert_eq!(sections, [0, 3, 6, 6]);
    }

    #[test]
    fn lines_are_found_by_path() {
        let document = Document::parse("a.b = 1\n\nc = [\n1]\n[m]\nd = 1\n[[r]]\ne = 1\n[[r]]\ne = 2\n");
        let lines = [
            &["a", "b"][..],
            &["c"],
            &["m", "d"],
            &["r", "0", "e"],
            &["r", "1"],
            &["r", "1", "e"],
            &["r", "1", "missing"],
            &["missing"],
        ];
        assert_eq!(lines.map(|path| document.line(path)), [1, 3, 6, 8, 9, 10, 9, 1]);
    }

    #[test]
    fn unquoted_text_is_reported_as_such() {
        for value in ["nope", "india", "USB", "truex", "no", "off"] {
            let document = Document::parse(&format!("guard = {value}"));
            assert!(document.invalid[0].why.contains("text needs quotes"), "{value}: {:?}", document.invalid);
        }
    }

    #[test]
    fn hostile_files_are_parsed_in_linear_time() {
        for line in ["a=[\n", "a=1\n", "[a\n", "'''\n", "a={b=[\n"] {
            assert!(Document::parse(&line.repeat(20_000)).invalid.len() > 10_000, "{line}");
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
