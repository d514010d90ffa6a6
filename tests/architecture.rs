//! Checks which modules and third-party crates each top-level module imports, against tables of permitted imports;
//! also file sizes, the list of threads, and where unsafe code, device calls, file access and the wall clock may be
//! used.

#[path = "architecture/cycles.rs"]
mod cycles;
#[path = "architecture/threads.rs"]
mod threads;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Each module, and the modules it may import.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("units", &[]),
    ("faults", &[]),
    ("watchdog", &[]),
    ("disk", &[]),
    ("confine", &[]),
    ("salvage", &[]),
    ("handoff", &["units"]),
    ("activation", &["units"]),
    ("analysis", &["units", "activation"]),
    // The audio doctor tells a room from a line, and whether the beat is trusted.
    ("audio", &["units", "disk", "handoff", "analysis"]),
    ("media", &["units", "disk", "confine"]),
    ("eel", &[]),
    ("preprocess", &[]),
    ("hlsl", &["preprocess"]),
    ("milk", &["units", "eel", "hlsl"]),
    ("layers", &["units", "disk", "eel", "milk"]),
    ("shading", &[]),
    ("pipelines", &["shading"]),
    ("interpolation", &[]),
    ("facts", &["units", "milk"]),
    ("store", &["units", "disk", "salvage", "facts"]),
    ("library", &["units", "disk", "milk", "facts", "store"]),
    ("find", &["units", "disk", "media", "facts", "store", "library"]),
    ("mind", &["units", "analysis", "facts", "library", "find"]),
    // The limiter applies the rules of the flash meter.
    (
        "stage",
        &["units", "handoff", "disk", "media", "milk", "layers", "shading", "pipelines", "interpolation"],
    ),
    ("pacing", &[]),
    ("watch", &["stage", "pacing"]),
    ("warmup", &["handoff", "milk", "facts", "library", "stage", "pacing"]),
    (
        "show",
        &[
            "units", "faults", "handoff", "analysis", "milk", "layers", "facts", "store", "library", "mind",
            "stage", "pacing", "watch", "warmup",
        ],
    ),
    ("jobs", &["units", "disk", "confine", "milk", "facts", "library"]),
    ("listen", &["units", "audio", "analysis"]),
    ("training", &["units", "disk", "audio", "analysis", "jobs"]),
    (
        "audit",
        &[
            "units", "disk", "confine", "audio", "media", "milk", "facts", "store", "library", "stage",
            "warmup", "show", "jobs",
        ],
    ),
    ("pack", &["units", "disk", "media", "milk", "facts", "store", "library", "jobs", "audit"]),
    (
        "frames",
        &[
            "units", "disk", "confine", "audio", "media", "milk", "facts", "store", "library", "stage",
            "show", "jobs", "audit",
        ],
    ),
    (
        "breed",
        &["units", "disk", "media", "milk", "facts", "store", "library", "jobs", "audit", "pack", "frames"],
    ),
    ("embed", &["units", "disk", "confine", "milk", "facts", "library", "find", "jobs", "frames"]),
    ("models", &["disk", "jobs", "embed"]),
    ("cluster", &["units", "disk", "facts", "library", "jobs", "frames", "embed"]),
    ("tune", &["units", "disk", "facts", "store", "library", "jobs", "embed", "cluster"]),
    ("lora", &["units", "disk", "store", "jobs", "frames", "embed", "cluster", "tune"]),
    ("shards", &["disk", "facts", "store", "jobs", "audit", "frames", "embed"]),
    (
        "night",
        &[
            "units", "disk", "audio", "facts", "store", "library", "stage", "jobs", "audit", "pack",
            "frames", "breed", "embed", "cluster", "tune",
        ],
    ),
    ("archive", &["units", "disk", "handoff", "facts", "store", "library", "find", "mind", "show"]),
    ("desk", &["units", "disk", "analysis", "facts", "library", "find", "mind", "pacing", "show", "archive"]),
    ("midi", &["units", "disk", "facts", "library", "mind", "show", "desk"]),
    (
        "app",
        &[
            "units", "faults", "disk", "watchdog", "handoff", "audio", "analysis", "media", "milk", "layers",
            "facts", "store", "library", "find", "mind", "stage", "pacing", "warmup", "show", "jobs",
            "audit", "embed", "night", "archive", "desk", "midi",
        ],
    ),
    (
        "cli",
        &[
            "units", "disk", "confine", "watchdog", "listen", "audio", "analysis", "media", "facts", "store",
            "library", "find", "mind", "stage", "show", "training", "jobs", "audit", "pack", "frames",
            "breed", "embed", "models", "cluster", "tune", "lora", "shards", "night", "archive", "midi",
            "app",
        ],
    ),
];

/// Third-party crates, and the only modules that may use them.
const THIRD_PARTY: &[(&str, &[&str])] = &[
    ("cpal", &["audio"]),
    ("symphonia", &["audio"]),
    ("hound", &["audio"]),
    ("biquad", &["audit"]),
    ("rustfft", &["analysis", "milk"]),
    ("realfft", &["analysis"]),
    ("ebur128", &["analysis"]),
    ("lactea_preset", &["milk"]),
    ("cranelift", &["eel"]),
    ("ab_glyph", &["layers"]),
    ("epaint_default_fonts", &["layers"]),
    ("cap_std", &["disk"]),
    ("cap_fs_ext", &["disk"]),
    ("rustix", &["disk"]),
    ("landlock", &["confine"]),
    ("seccompiler", &["confine"]),
    ("arc_swap", &["handoff"]),
    ("rusqlite", &["store"]),
    ("toml_edit", &["library"]),
    ("linfa", &["cluster", "embed", "training"]),
    ("ort", &["embed"]),
    ("burn_tensor", &["lora"]),
    ("safetensors", &["lora"]),
    ("clap", &["cli"]),
    ("smallvec", &["milk", "watch", "show"]),
    ("clap_complete", &["cli"]),
    ("clap_mangen", &["cli"]),
    ("sysinfo", &["jobs"]),
    ("rayon", &["jobs"]),
    ("maud", &["audit", "night"]),
    ("base64", &["audit", "jobs"]),
    ("fs4", &["night"]),
    ("cpu_time", &["units"]),
    ("windows_sys", &["jobs", "handoff"]),
    ("win32job", &["jobs"]),
    ("dunce", &["library", "night"]),
    ("ureq", &["models"]),
    ("wgpu", &["pipelines", "stage", "app", "desk"]),
    ("winit", &["app"]),
    ("midir", &["midi"]),
    ("egui", &["desk", "app"]),
];

/// Maximum number of lines in a Rust file.
const MAX_LINES: usize = 800;
const MAX_WGSL_LINES: usize = 400;

fn files(folder: &Path, extension: &str, found: &mut Vec<PathBuf>) {
    let entries = fs::read_dir(folder).expect("a folder of this package");
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            files(&path, extension, found);
        } else if path.extension().is_some_and(|e| e == extension) {
            found.push(path);
        }
    }
}

fn sources() -> Vec<(String, PathBuf, String)> {
    let root = Path::new("src");
    let mut found = Vec::new();
    files(root, "rs", &mut found);
    found.sort();
    let module = |path: &Path| {
        let inside = path.strip_prefix(root).expect("below src");
        inside.components().next().expect("a name").as_os_str().to_string_lossy().into_owned()
    };
    found.into_iter().map(|p| (module(&p), p.clone(), fs::read_to_string(&p).expect("readable"))).collect()
}

/// Returns the code without comments, so that words in documentation are ignored.
fn code(text: &str) -> String {
    text.lines().map(|line| line.split("//").next().unwrap_or("")).collect::<Vec<_>>().join("\n")
}

/// Returns the modules named after `crate::`, alone or in a group.
fn modules_named(code: &str) -> Vec<&str> {
    let mut modules = Vec::new();
    for (at, prefix) in code.match_indices("crate::") {
        let rest = &code[at + prefix.len()..];
        let Some(group) = rest.strip_prefix('{') else {
            modules.push(first_word(rest));
            continue;
        };
        let mut depth = 0;
        let inner = group.split_inclusive(|c: char| {
            depth += i32::from(c == '{') - i32::from(c == '}');
            depth <= 0 && (c == ',' || c == '}')
        });
        let end = |part: &str| part.ends_with('}') && part.matches('}').count() > part.matches('{').count();
        for part in inner {
            modules.push(first_word(part.trim_start()));
            if end(part) {
                break;
            }
        }
    }
    modules.retain(|module| !module.is_empty());
    modules
}

fn first_word(text: &str) -> &str {
    &text[..text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len())]
}

/// Returns the identifiers before `::` that do not follow another `::`.
fn crates_named(code: &str) -> Vec<&str> {
    let in_word = |c: char| c.is_alphanumeric() || c == '_';
    let words = code.match_indices("::").filter_map(|(at, _)| {
        let before = &code[..at];
        let word = before.rsplit(|c: char| !in_word(c)).next().unwrap_or_default();
        let behind = before[..before.len() - word.len()].ends_with("::");
        (!behind && !word.is_empty()).then_some(word)
    });
    words.collect()
}

#[test]
fn imports_are_found_in_groups_and_bare_paths() {
    let text = "use crate::{stage::{Gpu, Stage}, mind}; fn f(x: &wgpu::Device) -> linfa_clustering::KMeans { crate::app::run() }";
    assert_eq!(modules_named(text), ["stage", "mind", "app"]);
    assert_eq!(crates_named(text), ["crate", "stage", "wgpu", "linfa_clustering", "crate"]);
}

#[test]
fn modules_import_only_permitted_modules() {
    let table: BTreeMap<_, _> = MAY_IMPORT.iter().copied().collect();
    let mut offences = Vec::new();
    let mut modules_seen = 0;
    for (module, path, text) in sources() {
        let Some(allowed) = table.get(module.as_str()) else { continue };
        modules_seen += 1;
        for word in modules_named(&code(&text)) {
            if table.contains_key(word) && word != module && !allowed.contains(&word) {
                offences.push(format!("{}: {module} imports {word}", path.display()));
            }
        }
    }
    assert!(modules_seen > 20, "only {modules_seen} files were checked");
    assert!(offences.is_empty(), "{}", offences.join("\n"));
}

#[test]
fn third_party_crates_stay_in_their_modules() {
    let mut offences = Vec::new();
    for (module, path, text) in sources() {
        let code = code(&text);
        for (third_party, modules) in THIRD_PARTY {
            let family = format!("{third_party}_");
            let used =
                crates_named(&code).iter().any(|word| *word == *third_party || word.starts_with(&family));
            if used && !modules.contains(&module.as_str()) {
                offences.push(format!("{}: {third_party} may be used in {modules:?} only", path.display()));
            }
        }
    }
    assert!(offences.is_empty(), "{}", offences.join("\n"));
}

#[test]
fn files_do_not_form_import_cycles() {
    let sources = sources();
    let root = Path::new("src");
    let named = sources.iter().map(|(_, path, text)| {
        (path.strip_prefix(root).expect("below src").to_str().expect("plain names"), text.as_str())
    });
    let found = cycles::cycles(named);
    let lines: Vec<String> = found.iter().map(|group| group.join(", ")).collect();
    assert!(found.is_empty(), "{} import cycles:\n{}", found.len(), lines.join("\n"));
}

/// Maximum number of lines in a top-level module.
const MAX_MODULE_LINES: usize = 7000;

#[test]
fn no_module_grows_too_large() {
    let mut modules: BTreeMap<String, usize> = BTreeMap::new();
    for (module, _, text) in sources() {
        *modules.entry(module).or_default() += text.lines().count();
    }
    let large: Vec<_> = modules.iter().filter(|(_, lines)| **lines > MAX_MODULE_LINES).collect();
    assert!(large.is_empty(), "{large:?}");
}

#[test]
fn every_file_has_a_module_comment_and_stays_short() {
    let mut offences = Vec::new();
    for (_, path, text) in sources() {
        let lines = text.lines().count();
        if !text.starts_with("//!") {
            offences.push(format!("{}: no //! header", path.display()));
        }
        if lines > MAX_LINES {
            offences.push(format!("{}: {lines} lines", path.display()));
        }
    }
    let mut shaders = Vec::new();
    files(Path::new("shaders"), "wgsl", &mut shaders);
    for path in shaders {
        let lines = fs::read_to_string(&path).expect("readable").lines().count();
        if lines > MAX_WGSL_LINES {
            offences.push(format!("{}: {lines} lines", path.display()));
        }
    }
    assert!(offences.is_empty(), "{}", offences.join("\n"));
}

#[test]
fn failing_device_calls_are_only_made_by_gpu() {
    // wgpu panics in these calls once the device is lost, or reports errors to callbacks; `Gpu` turns both
    // into a `Result`.
    const CALLS: [&str; 6] = [
        "queue.submit(",
        "device.poll(",
        ".map_async(",
        "create_buffer_init(",
        ".configure(&",
        "get_current_texture(",
    ];
    let mut offences = Vec::new();
    for (_, path, text) in sources() {
        let code = code(&text);
        let code = code.split("#[cfg(test)]").next().unwrap_or_default();
        for call in CALLS.iter().filter(|call| code.contains(**call)) {
            if !path.ends_with("src/stage/gpu.rs") && !path.ends_with("tests.rs") {
                offences.push(format!("{}: {call}", path.display()));
            }
        }
    }
    assert!(offences.is_empty(), "{}", offences.join("\n"));
}

#[test]
fn only_permitted_modules_read_the_clock() {
    // These modules only measure durations; none of them lets the wall clock decide what a show does.
    const MEASURE: [&str; 15] = [
        "app", "audio", "audit", "cli", "cluster", "embed", "frames", "jobs", "listen", "midi", "night",
        "shards", "stage", "watchdog", "training",
    ];
    const MEASURING_FILES: [&str; 3] =
        ["src/archive/persistence.rs", "src/warmup/warmer.rs", "src/units/processor.rs"];
    for (module, path, text) in sources() {
        let reads = code(&text).contains("Instant::now") || code(&text).contains("SystemTime::now");
        let exempt =
            MEASURE.contains(&module.as_str()) || MEASURING_FILES.iter().any(|file| path.ends_with(file));
        assert!(!reads || exempt, "{}: reads the clock", path.display());
    }
}

/// Files that may contain `unsafe`, and what it wraps.
const UNSAFE: &[(&str, &str)] = &[
    ("src/eel/native/", "calls into machine code that was just generated"),
    ("src/jobs/", "system calls that no safe crate wraps"),
    ("src/app/live/clock.rs", "a call to the system clock"),
    ("src/interpolation/", "instructions that the processor was found to support"),
    ("src/app/shutdown.rs", "ending the process immediately"),
    ("src/pipelines/module.rs", "a shader whose bounds were checked beforehand"),
    ("src/cli/mod.rs", "restoring the default action of a signal"),
    ("src/handoff/priority.rs", "system calls that no safe crate wraps"),
    ("src/watchdog/", "system calls that no safe crate wraps"),
    ("src/library/trim.rs", "a call to the allocator"),
];

#[test]
fn unsafe_code_is_confined_and_justified() {
    let mut offences = Vec::new();
    for (_, path, text) in sources() {
        let name = path.to_string_lossy().replace('\\', "/");
        let name = name.rfind("src/").map_or(name.as_str(), |at| &name[at..]);
        let lines: Vec<&str> = text.lines().collect();
        for (number, line) in lines.iter().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            let opens = ["unsafe {", "unsafe impl"].iter().any(|form| code.contains(form));
            if !opens {
                continue;
            }
            if !UNSAFE.iter().any(|(place, _)| name.starts_with(place)) {
                offences.push(format!("{name}:{}: unsafe code in this file", number + 1));
            }
            // The justification is a comment right above, above an attribute, or on the line itself.
            let above = lines[..number].iter().rev().take_while(|line| {
                let line = line.trim_start();
                line.starts_with("//")
                    || line.starts_with("#[")
                    || !line.ends_with([';', '}', '{']) && !line.is_empty()
            });
            if !line.contains("SAFETY:") && !above.clone().any(|line| line.contains("SAFETY:")) {
                offences.push(format!("{name}:{}: no SAFETY comment", number + 1));
            }
        }
    }
    assert!(offences.is_empty(), "{}", offences.join("\n"));
}

/// Files outside `disk` that open files for writing by themselves, and which.
const WRITERS: &[(&str, &str)] = &[
    ("src/app/set_log_writer.rs", "the set log, which is named by the user or new"),
    ("src/cli/settings.rs", "a settings file that must not exist yet"),
    ("src/models/", "downloads in the data folder"),
    ("src/jobs/show_lock.rs", "a lock in the data folder"),
    ("src/jobs/single_instance.rs", "a request in the data folder"),
    ("src/store/", "files next to the store"),
];

#[test]
fn files_are_written_through_disk() {
    const WRITES: [&str; 5] = ["fs::copy(", "fs::write(", "OpenOptions", "File::create", "File::options("];
    let mut offences = Vec::new();
    for (module, path, text) in sources() {
        let name = path.to_string_lossy().replace('\\', "/");
        let code = code(&text);
        let code = code.split("mod tests {").next().unwrap_or_default();
        let is_test = path.components().any(|part| part.as_os_str() == "tests") || path.ends_with("tests.rs");
        let may_write =
            is_test || module == "disk" || WRITERS.iter().any(|(place, _)| name.starts_with(place));
        // `UnsavedFile::create` is not `File::create`.
        let writes = |write: &str| {
            code.match_indices(write).any(|(at, _)| !code[..at].ends_with(|c: char| c.is_alphanumeric()))
        };
        for write in WRITES.iter().filter(|write| !may_write && writes(write)) {
            offences.push(format!("{name}: {write}"));
        }
    }
    assert!(offences.is_empty(), "{}", offences.join("\n"));
}

#[test]
fn files_in_folders_are_opened_through_disk() {
    // Modules that read untrusted files. Not listed: `store`, which opens the program's own database. Tests
    // are exempt.
    const MODULES: [&str; 16] = [
        "analysis", "audio", "audit", "cluster", "desk", "embed", "find", "frames", "lora", "media", "midi",
        "models", "pack", "stage", "training", "tune",
    ];
    const READS: [&str; 6] =
        ["File::open(", "fs::read(", "fs::read_to_string(", "image::open(", "ImageReader::open(", "WalkDir"];
    let mut offences = Vec::new();
    for (module, path, text) in sources() {
        let code = code(&text);
        let code = code.split("#[cfg(test)]").next().unwrap_or_default();
        let is_test = path.components().any(|part| part.as_os_str() == "tests") || path.ends_with("tests.rs");
        let reads = |read: &str| {
            code.match_indices(read).any(|(at, _)| !code[..at].ends_with(|c: char| c.is_alphanumeric()))
        };
        for read in READS.iter().filter(|read| reads(read)) {
            if MODULES.contains(&module.as_str()) && !is_test {
                offences.push(format!("{}: {read}", path.display()));
            }
        }
    }
    assert!(offences.is_empty(), "{}", offences.join("\n"));
}
