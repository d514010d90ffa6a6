//! Value parsers and defaults of arguments shared by several commands.

use std::ffi::OsString;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use clap::builder::{OsStringValueParser, TypedValueParser};

use crate::disk::{self, FileKind};

/// Range for options that stop a command after a number of seconds; the upper end is no limit in practice.
pub(super) const ANY_SECONDS: RangeInclusive<f64> = 0.0..=1e9;

/// Parses a number of seconds in `range`.
pub(super) fn seconds(
    range: RangeInclusive<f64>,
) -> impl Fn(&str) -> Result<f64, String> + Clone + Send + Sync + 'static {
    move |text: &str| match text.trim().parse::<f64>() {
        Ok(seconds) if range.contains(&seconds) => Ok(seconds),
        _ => Err(format!("expected a number of seconds from {} to {}", range.start(), range.end())),
    }
}

/// Parses the path of an output file, which is replaced if it exists. The folder of the file must exist, and must be
/// outside `/proc` and `/dev` (`/dev/shm` is allowed). Devices, pipes and folders are refused.
pub(super) fn output_file() -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().try_map(|text: OsString| {
        let path = PathBuf::from(text);
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if !folder.is_dir() {
            return Err(format!(
                "the folder {} does not exist; create it, or choose another",
                folder.display()
            ));
        }
        let real = disk::real_path(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let inside = |place: &str| cfg!(unix) && real.starts_with(place);
        // The entries of these folders refer to devices and open files, even where they are links to regular files.
        if inside("/proc") || (inside("/dev") && !inside("/dev/shm")) {
            return Err(format!("{} is a system folder; choose another", folder.display()));
        }
        match disk::kind(&path).map(FileKind::regular) {
            Ok(Err(what)) => Err(format!("{} is {what}; choose another name", path.display())),
            _ => Ok(path),
        }
    })
}

/// Warns about texture folders that cannot be read, which worker processes skip silently.
pub(super) fn check_textures(folders: &[PathBuf]) {
    for folder in folders {
        if let Err(error) = disk::has_entries(folder) {
            eprintln!(
                "aivj: cannot read the texture folder {}: {error}; presets are drawn without its images",
                folder.display()
            );
        }
    }
}

/// Parses `WIDTHxHEIGHT`, each from 1 to 8192.
pub(super) fn size(text: &str) -> Result<[u32; 2], String> {
    pair(text, "expected WIDTHxHEIGHT, for example 640x360")
}

/// Parses `COLUMNSxROWS`, each from 1 to 8192.
pub(super) fn mesh(text: &str) -> Result<[u32; 2], String> {
    pair(text, "expected COLUMNSxROWS, for example 48x36")
}

fn pair(text: &str, expected: &str) -> Result<[u32; 2], String> {
    let (first, second) = text.split_once(['x', 'X']).ok_or(expected)?;
    let number = |text: &str| match text.trim().parse::<u32>() {
        Ok(number @ 1..=8192) => Ok(number),
        _ => Err(format!("{text} is not a number from 1 to 8192; {expected}")),
    };
    Ok([number(first)?, number(second)?])
}

/// Returns the default number of workers: one per available CPU core.
pub(super) fn default_workers() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use clap::builder::TypedValueParser as _;

    use super::{ANY_SECONDS, mesh, output_file, seconds, size};

    #[test]
    fn seconds_are_finite_and_in_range() {
        assert_eq!(seconds(ANY_SECONDS)("2.5"), Ok(2.5));
        assert_eq!(seconds(ANY_SECONDS)("0"), Ok(0.0));
        for wrong in ["nan", "inf", "-1", "1e300", "", "soon"] {
            assert!(seconds(ANY_SECONDS)(wrong).is_err(), "{wrong}");
        }
        let error = seconds(0.1..=10.0)("11").unwrap_err();
        assert_eq!(error, "expected a number of seconds from 0.1 to 10");
    }

    #[test]
    fn an_output_file_needs_an_existing_folder() {
        let folder = tempfile::tempdir().expect("a folder");
        let parsed =
            |path: &Path| output_file().parse_ref(&clap::Command::new("aivj"), None, path.as_os_str()).ok();
        let file = folder.path().join("a.json");
        assert_eq!(parsed(&file), Some(file.clone()));
        assert_eq!(parsed(Path::new("a.json")), Some("a.json".into()));
        assert_eq!(parsed(&folder.path().join("missing/a.json")), None);
        assert!(!folder.path().join("missing").exists());
    }

    #[cfg(unix)]
    #[test]
    fn an_output_file_does_not_replace_a_device_a_pipe_or_a_folder() {
        let folder = tempfile::tempdir().expect("a folder");
        let linked = folder.path().join("linked");
        std::os::unix::fs::symlink("/dev/null", &linked).expect("linked");
        let parsed =
            |path: &Path| output_file().parse_ref(&clap::Command::new("aivj"), None, path.as_os_str()).ok();
        for wrong in ["/dev/stdout", "/dev/null", "/dev/fd/1", "/dev/../dev/new.json"].map(Path::new) {
            assert_eq!(parsed(wrong), None, "{}", wrong.display());
        }
        assert_eq!((parsed(&linked), parsed(folder.path())), (None, None));
        std::fs::write(folder.path().join("old.json"), "{}").expect("written");
        assert!(parsed(&folder.path().join("old.json")).is_some());
    }

    #[test]
    fn an_error_names_the_values_that_the_option_expects() {
        assert_eq!(size("640x360"), Ok([640, 360]));
        assert_eq!(mesh("48X36"), Ok([48, 36]));
        assert_eq!(size("640").unwrap_err(), "expected WIDTHxHEIGHT, for example 640x360");
        assert_eq!(mesh("48").unwrap_err(), "expected COLUMNSxROWS, for example 48x36");
        let too_large = "8193 is not a number from 1 to 8192; expected COLUMNSxROWS, for example 48x36";
        assert_eq!(mesh("48x8193").unwrap_err(), too_large);
    }
}
