//! Properties of everything that reads untrusted input: whatever the bytes, it never panics, ends within its budget,
//! and stays within its memory limit.
//!
//! The functions under test are those of the fuzz targets (`fuzz/src/entries.rs`). Here they run on the seeds of each
//! target, on damaged seeds, on noise and on programs generated from a grammar. Every run uses the same cases; set
//! `PROPTEST_RNG_SEED` or `PROPTEST_CASES` for others. Add a failing case to `fuzz/seeds/TARGET/`.

mod damage;
mod memory;
mod program;

#[path = "../../fuzz/src/entries.rs"]
mod entries;

use std::path::Path;

use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, Strategy, any};
use proptest::test_runner::{RngSeed, TestCaseError, TestRunner};

/// Seed of the generated cases.
const SEED: u64 = 20_261_129;

/// Memory that a target may need besides [`PER_BYTE`] times the size of its input, in bytes.
const BASE: usize = 64 << 20;
/// Memory that a target may need for each byte of its input, in bytes.
const PER_BYTE: usize = 64;
/// Memory that code may use while it runs, in bytes.
const CODE: usize = 128 << 20;
/// Memory that the target `picture` may need instead, in bytes: what decoding an image of the maximum size takes.
/// Images are the one exception, because a few bytes can describe a large image of a single colour.
const PICTURE: usize = 600 << 20;

/// A target: its name and its function.
struct Target {
    name: &'static str,
    run: fn(&[u8]),
}

const EEL: Target = Target { name: "eel", run: entries::eel };
const PRESET: Target = Target { name: "preset", run: entries::preset };
const FILES: [Target; 14] = [
    Target { name: "library_files", run: entries::library_files },
    Target { name: "matrix", run: entries::matrix },
    Target { name: "sound", run: entries::sound },
    Target { name: "picture", run: entries::picture },
    Target { name: "model", run: entries::model },
    Target { name: "model_config", run: entries::model_config },
    Target { name: "settings", run: entries::settings },
    Target { name: "keys", run: entries::keys },
    Target { name: "layers", run: entries::layers },
    Target { name: "midi_profile", run: entries::midi_profile },
    Target { name: "midi_messages", run: entries::midi_messages },
    Target { name: "store", run: entries::store },
    Target { name: "taste", run: entries::taste },
    Target { name: "set_log", run: entries::set_log },
];

impl Target {
    /// Returns the peak memory limit for an input of `bytes` bytes.
    fn max_memory(&self, bytes: usize) -> usize {
        let reading = BASE + PER_BYTE * bytes.min(entries::MAX_BYTES);
        match self.name {
            "picture" => PICTURE,
            "eel" | "preset" => reading + CODE,
            _ => reading,
        }
    }

    /// Runs the target; a panic or excessive memory use fails the case.
    fn check(&self, data: &[u8]) -> Result<(), TestCaseError> {
        let run = std::panic::AssertUnwindSafe(|| (self.run)(data));
        let (result, peak) = memory::peak_of(|| std::panic::catch_unwind(run));
        result.map_err(|panic| {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no text");
            TestCaseError::fail(format!("{}: {text}", self.name))
        })?;
        let max = self.max_memory(data.len());
        if peak > max {
            let [peak, max] = [peak, max].map(|bytes| bytes >> 10);
            return Err(TestCaseError::fail(format!("{}: {peak} KiB, {max} allowed", self.name)));
        }
        Ok(())
    }

    /// Checks `cases` values of `strategy`.
    fn check_cases<S: Strategy>(&self, cases: u32, strategy: S, bytes: impl Fn(&S::Value) -> Vec<u8>)
    where
        S::Value: std::fmt::Debug,
    {
        let defaults = ProptestConfig::default();
        let asked_for = std::env::var_os("PROPTEST_RNG_SEED").is_some();
        let config = ProptestConfig {
            cases: if std::env::var_os("PROPTEST_CASES").is_some() { defaults.cases } else { cases },
            rng_seed: if asked_for { defaults.rng_seed } else { RngSeed::Fixed(SEED) },
            failure_persistence: None,
            max_shrink_iters: 4096,
            ..defaults
        };
        let outcome = TestRunner::new(config).run(&strategy, |value| self.check(&bytes(&value)));
        assert_ok(outcome, self.name);
    }

    /// Returns the seeds in `fuzz/seeds/NAME`, by file name.
    fn seeds(&self) -> Vec<(String, Vec<u8>)> {
        let folder = Path::new("fuzz/seeds").join(self.name);
        let files = std::fs::read_dir(&folder).expect("a folder of seeds");
        let read = |file: std::io::Result<std::fs::DirEntry>| {
            let path = file.expect("a file").path();
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            (name, std::fs::read(&path).expect("readable"))
        };
        let mut seeds: Vec<_> = files.map(read).collect();
        seeds.sort();
        assert!(!seeds.is_empty(), "{} has no seeds", self.name);
        seeds
    }

    /// Checks the target on seeds, damaged seeds and noise.
    fn check_files(&self, cases: u32) {
        for (name, seed) in self.seeds() {
            assert_ok(self.check(&seed), &name);
        }
        let seeds: Vec<Vec<u8>> = self.seeds().into_iter().map(|(_, seed)| seed).collect();
        self.check_cases(cases, damage::damage(seeds.len()), |damage| damage.apply_to(&seeds));
        self.check_cases(cases / 4, vec(any::<u8>(), 0..512), Clone::clone);
    }
}

/// Fails the test with a description of the failing case.
fn assert_ok(outcome: Result<(), impl std::fmt::Display>, what: &str) {
    let failure = outcome.err().map(|failure| failure.to_string());
    assert!(failure.is_none(), "{what}: {}", failure.unwrap_or_default());
}

#[test]
fn untrusted_files_are_read_or_rejected() {
    for target in FILES {
        target.check_files(1500);
    }
}

#[test]
fn untrusted_presets_are_played_or_rejected() {
    PRESET.check_files(120);
    let text = |(lines, shader): &(Vec<(&str, String)>, String)| {
        let mut text = String::from("MILKDROP_PRESET_VERSION=201\nPSVERSION=2\n[preset00]\n");
        lines.iter().for_each(|(key, value)| text.push_str(&format!("{key}={value}\n")));
        text.push_str(&format!("comp_1=`shader_body {{ {shader} }}\n"));
        text.into_bytes()
    };
    PRESET.check_cases(120, (program::preset_lines(), program::shader()), text);
}

#[test]
fn untrusted_code_ends_within_its_budget() {
    EEL.check_files(2000);
    EEL.check_cases(3000, program::program(), |source| source.clone().into_bytes());
}

#[test]
fn extreme_nesting_and_repetition_are_rejected_or_cut_short() {
    for (head, again, tail) in [
        ("x=", "(", ")"),
        ("x=", "sin(", ")"),
        ("x=", "megabuf(", ")"),
        ("", "loop(9999999,", ")"),
        ("", "while(", ")"),
        ("x=", "if(1,", ",2)"),
        ("x=", "1?", ":2"),
        ("", "x=", ""),
        ("x=", "-", ""),
        ("x=1", "+x", ""),
        ("x=1", "[1", "]"),
        ("", "x+=1;", ""),
        ("", "/*", "*/"),
        ("memcpy(0,1,65536);", "memcpy(1,0,65536);", ""),
        ("", "n+=65536;megabuf(n)=1;gmegabuf(n)=1;freembuf(0);", ""),
    ] {
        for count in [100, 399, 400, 1_000, 20_000] {
            let source = format!("{head}{}1{}", again.repeat(count), tail.repeat(count));
            assert_ok(EEL.check(source.as_bytes()), &format!("{count} times {again}"));
        }
    }
}
