//! Import cycles between files: every `use` and every path through `crate::`, `super::`, `self::` or a child module is
//! resolved, through re-exports, to the file that defines the item.
//!
//! Unit tests inside a file are ignored, because a test may import anything.

use std::collections::{BTreeMap, BTreeSet};

/// Path of a module, without `crate`.
type Module = Vec<String>;

/// The items that one file defines, re-exports and mentions.
#[derive(Default)]
struct File {
    defines: BTreeSet<String>,
    reexports: Vec<Module>,
    mentions: Vec<Vec<String>>,
}

/// Returns groups of files that import each other in a cycle; `sources` are paths below `src` with their text.
pub fn cycles<'a>(sources: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<Vec<String>> {
    let files: BTreeMap<Module, File> =
        sources.map(|(path, text)| (module_of(path), scan(&outside_tests(tokens(text))))).collect();
    let mut edges: BTreeMap<&Module, BTreeSet<&Module>> = BTreeMap::new();
    for (module, file) in &files {
        let targets = file.mentions.iter().filter_map(|path| absolute(&files, module, path));
        let targets = targets.filter_map(|path| resolve(&files, &path, 0)).filter(|to| *to != module);
        edges.insert(module, targets.collect());
    }
    components(&edges)
}

/// Converts a path to a module path: `stage/pass/mod.rs` is `stage::pass`.
fn module_of(path: &str) -> Module {
    let path = path.trim_end_matches(".rs");
    let parts = path.split('/').filter(|part| !matches!(*part, "mod" | "lib" | "main"));
    parts.map(str::to_owned).collect()
}

/// Splits text into words and punctuation, without comments, strings, characters and lifetimes.
fn tokens(text: &str) -> Vec<String> {
    let letters: Vec<char> = text.chars().collect();
    let (mut found, mut at) = (Vec::new(), 0);
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    while let Some(&letter) = letters.get(at) {
        let next = letters.get(at + 1).copied().unwrap_or(' ');
        if letter == '/' && next == '/' {
            at += letters[at..].iter().take_while(|c| **c != '\n').count();
        } else if letter == '"' {
            at += 1;
            while letters.get(at).is_some_and(|c| *c != '"') {
                at += if letters[at] == '\\' { 2 } else { 1 };
            }
            at += 1;
        } else if letter == '\'' {
            // A character literal or a lifetime.
            let character = next == '\\' || letters.get(at + 2) == Some(&'\'');
            at += if next == '\\' {
                4
            } else if character {
                3
            } else {
                2
            };
        } else if is_word(letter) {
            let length = letters[at..].iter().take_while(|c| is_word(**c)).count();
            found.push(letters[at..at + length].iter().collect());
            at += length;
        } else {
            if !letter.is_whitespace() {
                found.push(letter.to_string());
            }
            at += 1;
        }
    }
    found
}

/// Returns the tokens before `#[cfg(test)] mod tests {`, the last item of a file.
fn outside_tests(mut tokens: Vec<String>) -> Vec<String> {
    let start = ["#", "[", "cfg", "(", "test", ")", "]", "mod", "tests", "{"];
    if let Some(at) = tokens.windows(start.len()).position(|window| window.iter().eq(start.iter())) {
        tokens.truncate(at);
    }
    tokens
}

fn scan(tokens: &[String]) -> File {
    const DEFINING: [&str; 9] =
        ["struct", "enum", "trait", "type", "fn", "const", "static", "union", "macro_rules"];
    let mut file = File::default();
    let mut at = 0;
    while at < tokens.len() {
        let word = tokens[at].as_str();
        if word == "use" {
            let end = at + tokens[at..].iter().position(|token| token == ";").unwrap_or(0);
            let mut paths = Vec::new();
            expand(&[], &tokens[at + 1..end.max(at + 1)], &mut paths);
            let public = at > 0 && (tokens[at - 1] == "pub" || tokens[at - 1] == ")");
            let list = if public { &mut file.reexports } else { &mut file.mentions };
            list.extend(paths);
            at = end.max(at) + 1;
            continue;
        }
        if DEFINING.contains(&word)
            && let Some(name) = tokens[at + 1..].iter().find(|token| *token != "!")
        {
            file.defines.insert(name.clone());
        }
        // `pub(in path)` restricts visibility and imports nothing.
        let visibility = at > 1 && tokens[at - 1] == "in" && tokens[at - 2] == "(";
        let begins = at < 2 || tokens[at - 1] != ":" || tokens[at - 2] != ":";
        let path = path_at(&tokens[at..]);
        if begins && !visibility && path.len() > 1 {
            at += 3 * path.len() - 2;
            file.mentions.push(path);
        } else {
            at += 1;
        }
    }
    file
}

/// Returns the words joined by `::` at the start of these tokens.
fn path_at(tokens: &[String]) -> Vec<String> {
    let is_word = |token: &String| token.starts_with(|c: char| c.is_alphabetic() || c == '_');
    let mut path = Vec::new();
    let mut rest = tokens;
    while let Some(word) = rest.first().filter(|token| is_word(token)) {
        path.push(word.clone());
        match rest.get(1..3) {
            Some([first, second]) if first == ":" && second == ":" => rest = &rest[3..],
            _ => break,
        }
    }
    path
}

/// Collects the paths of a `use` tree.
fn expand(prefix: &[String], tree: &[String], paths: &mut Vec<Vec<String>>) {
    match tree.first().map(String::as_str) {
        Some("{") => {
            let (mut depth, mut from) = (0, 1);
            for (at, token) in tree.iter().enumerate() {
                depth += i32::from(token == "{") - i32::from(token == "}");
                if (depth == 1 && token == ",") || depth == 0 {
                    expand(prefix, &tree[from..at], paths);
                    from = at + 1;
                }
                if depth == 0 {
                    break;
                }
            }
        }
        Some(word) => {
            let mut path = prefix.to_vec();
            path.push(word.to_owned());
            match tree.get(1..3) {
                Some([first, second]) if first == ":" && second == ":" => expand(&path, &tree[3..], paths),
                _ => paths.push(path),
            }
        }
        None => {}
    }
}

/// Returns the path from the crate root; `None` for other crates and for local names.
fn absolute(files: &BTreeMap<Module, File>, module: &Module, path: &[String]) -> Option<Module> {
    let mut base = module.clone();
    let mut rest = path;
    match path[0].as_str() {
        "crate" => return Some(path[1..].to_vec()),
        "super" | "self" => {
            while let Some(word) = rest.first().filter(|word| *word == "super" || *word == "self") {
                if word == "super" {
                    base.pop();
                }
                rest = &rest[1..];
            }
        }
        child => {
            base.push(child.to_owned());
            if !files.contains_key(&base) {
                return None;
            }
            base.pop();
        }
    }
    base.extend_from_slice(rest);
    Some(base)
}

/// Returns the file that defines the item at this path.
fn resolve<'a>(files: &'a BTreeMap<Module, File>, path: &[String], depth: usize) -> Option<&'a Module> {
    const DEEPEST: usize = 8;
    let length = (0..=path.len()).rev().find(|&length| files.contains_key(&path[..length]))?;
    let (module, file) = files.get_key_value(&path[..length])?;
    let Some(item) = path.get(length).filter(|item| *item != "*") else { return Some(module) };
    if file.defines.contains(item) || depth == DEEPEST {
        return Some(module);
    }
    let reexport = file.reexports.iter().find(|reexport| reexport.last() == Some(item));
    let target = reexport.and_then(|reexport| absolute(files, module, reexport));
    match target {
        Some(target) => resolve(files, &target, depth + 1),
        None => Some(module),
    }
}

/// Returns the strongly connected components with at least two modules (Tarjan, 1972).
fn components(edges: &BTreeMap<&Module, BTreeSet<&Module>>) -> Vec<Vec<String>> {
    struct Search<'a> {
        edges: &'a BTreeMap<&'a Module, BTreeSet<&'a Module>>,
        order: BTreeMap<&'a Module, usize>,
        low: BTreeMap<&'a Module, usize>,
        stack: Vec<&'a Module>,
        found: Vec<Vec<String>>,
    }
    impl<'a> Search<'a> {
        fn visit(&mut self, module: &'a Module) {
            let number = self.order.len();
            self.order.insert(module, number);
            self.low.insert(module, number);
            self.stack.push(module);
            for &next in self.edges.get(module).into_iter().flatten() {
                if !self.order.contains_key(next) {
                    self.visit(next);
                    let low = self.low[next].min(self.low[module]);
                    self.low.insert(module, low);
                } else if self.stack.contains(&next) {
                    let low = self.order[next].min(self.low[module]);
                    self.low.insert(module, low);
                }
            }
            if self.low[module] == number {
                let from = self.stack.iter().position(|on| *on == module).unwrap_or(0);
                let group: Vec<String> = self.stack.drain(from..).map(|module| module.join("::")).collect();
                if group.len() > 1 {
                    self.found.push(group);
                }
            }
        }
    }
    let mut search =
        Search { edges, order: BTreeMap::new(), low: BTreeMap::new(), stack: Vec::new(), found: Vec::new() };
    for &module in edges.keys() {
        if !search.order.contains_key(module) {
            search.visit(module);
        }
    }
    search.found
}

#[test]
fn cycles_are_found_through_reexports_and_modules() {
    let sources = [
        ("a/mod.rs", "mod b; pub use b::Thing; pub struct Other;"),
        ("a/b.rs", "use super::c::call; pub struct Thing;"),
        ("a/c.rs", "pub fn call(_: crate::a::Thing) {}"),
        ("d.rs", "use crate::a::{self, Thing}; // use crate::d\nfn f() { let _ = \"crate::d\"; }"),
        ("e.rs", "#[cfg(test)] mod tests { use crate::f::x; }"),
        ("f.rs", "pub fn x() { crate::e::y(); }"),
    ];
    assert_eq!(cycles(sources.into_iter()), [["a::b", "a::c"]]);
}
