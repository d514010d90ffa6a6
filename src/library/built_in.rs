//! The presets built into the program.

use std::sync::LazyLock;

use crate::facts::PresetId;

/// Relative path and contents of every built-in preset, sorted by path.
const TABLE: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/built_in_presets.rs"));

/// All built-in presets, with their IDs.
static ALL: LazyLock<Vec<BuiltIn>> = LazyLock::new(|| {
    let preset = |&(path, text): &(&'static str, &'static str)| BuiltIn {
        id: PresetId::of(text.as_bytes()),
        path,
        text,
        shaders: text.lines().any(|line| line.starts_with("warp_") || line.starts_with("comp_")),
    };
    TABLE.iter().map(preset).collect()
});

/// A preset built into the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BuiltIn {
    /// Hash of the preset's bytes.
    pub id: PresetId,
    /// Path of the form `scene/energy/name.milk`.
    pub path: &'static str,
    /// Contents of the file.
    pub text: &'static str,
    /// Whether the preset has shaders of its own, which take time to compile.
    pub shaders: bool,
}

impl BuiltIn {
    /// Returns the name shown on the desk.
    pub fn name(&self) -> &'static str {
        let file = self.path.rsplit('/').next().unwrap_or(self.path);
        file.strip_suffix(".milk").unwrap_or(file)
    }

    /// Returns the scene that the preset was made for, which is the first folder in its path.
    pub fn scene(&self) -> &'static str {
        self.path.split('/').next().unwrap_or_default()
    }

    /// Returns the preset's energy, which is the second folder in its path.
    pub fn energy(&self) -> crate::facts::Energy {
        let folder = self.path.split('/').nth(1).unwrap_or_default();
        crate::facts::Energy::ALL.into_iter().find(|energy| energy.label() == folder).unwrap_or_default()
    }
}

/// Iterates over all built-in presets, sorted by path.
pub fn built_in() -> impl Iterator<Item = BuiltIn> {
    ALL.iter().copied()
}
