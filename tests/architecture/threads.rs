//! Every thread has a name, and ARCHITECTURE.md lists it.

use std::fs;

/// Names that are not literals where a thread is started, and the names they stand for.
const PASSED_ON: [(&str, &[&str]); 3] = [
    ("SHOW_THREAD", &["show"]),
    ("name", &["style index", "manifest", "quality blacklist"]),
    ("self.name", &["audio list", "audio open"]),
];

/// Returns the name of each thread that `code` starts, with `N` for a number. A name that is not a literal is returned
/// as the expression, and a missing one as an empty string.
fn names(code: &str) -> Vec<String> {
    let builders = ["thread::Builder::new()", "ThreadPoolBuilder::new()"];
    let starts = builders.iter().flat_map(|builder| code.match_indices(builder));
    let name = |(at, builder): (usize, &str)| {
        let call = code[at + builder.len()..].split(';').next().unwrap_or_default();
        let Some((_, argument)) = call.split_once("name(") else { return String::new() };
        match argument.split('"').collect::<Vec<_>>()[..] {
            [before, literal, ..] if before.is_empty() || before.ends_with("format!(") => {
                literal.split_once('{').map_or(literal.to_owned(), |(text, _)| format!("{text}N"))
            }
            _ => argument.split(".into()").next().unwrap_or_default().to_owned(),
        }
    };
    starts.map(name).collect()
}

#[test]
fn names_of_threads_are_found() {
    let code = r#"
        let thread = thread::Builder::new().name("set log".into()).spawn(work)?;
        let thread = std::thread::Builder::new()
            .name(format!("warm-up {number}")).stack_size(64);
        thread::Builder::new().name(self.name.into()).spawn(work);
        thread::Builder::new().spawn(work);
        rayon::ThreadPoolBuilder::new().num_threads(2).thread_name(|number| format!("bake {number}")).build();
    "#;
    assert_eq!(names(code), ["set log", "warm-up N", "self.name", "", "bake N"]);
}

#[test]
fn every_thread_is_in_the_table_of_threads() {
    let text = fs::read_to_string("ARCHITECTURE.md").expect("readable");
    let table = text.split("\n## ").find(|section| section.starts_with("Threads\n")).expect("the section");
    let (mut found, mut offences) = (0, Vec::new());
    for (_, path, text) in super::sources() {
        for name in names(&super::code(&text)) {
            found += 1;
            let stands_for = PASSED_ON.iter().find(|(expression, _)| *expression == name);
            for name in stands_for.map_or(&[name.as_str()][..], |&(_, names)| names) {
                if !table.contains(&format!("`{name}`")) {
                    offences.push(format!("{}: ARCHITECTURE.md does not list `{name}`", path.display()));
                }
            }
        }
    }
    assert!(found > 40, "only {found} threads were found");
    assert!(offences.is_empty(), "{}", offences.join("\n"));
}
