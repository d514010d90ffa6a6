//! `aivj-style-policy.v0.json`: the target energy of each profile, and other settings of the director.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::disk::{self, FileError};
use crate::facts::Energy;

/// A style policy; missing fields have default values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct StylePolicy {
    /// Format version, always `v0`.
    pub version: String,
    /// Creation time, in ISO 8601 format.
    pub generated_at: String,
    /// Name of the pack.
    pub pack: String,
    /// Probability that the director prefers styles similar to that of the previous preset. aivj's
    /// browser-based predecessor writes 1, which kept its director within one cluster; the default here is
    /// 0.2.
    pub prefer_same_author_chance: f64,
    /// Thresholds of the motion macro between calm, groove and peak.
    pub motion_thresholds: MotionThresholds,
    /// Target energy of each profile.
    pub profile_map: BTreeMap<String, Energy>,
}

/// Thresholds of the motion macro.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct MotionThresholds {
    /// Value of the motion macro, 0 to 1, below which calm presets are preferred.
    pub calm_max: f64,
    /// Value of the motion macro, 0 to 1, above which peak presets are preferred.
    pub groove_max: f64,
}

impl Default for MotionThresholds {
    fn default() -> Self {
        Self { calm_max: 0.42, groove_max: 0.72 }
    }
}

impl Default for StylePolicy {
    fn default() -> Self {
        let profiles = [
            ("ambient", Energy::Calm),
            ("drone", Energy::Calm),
            ("dub", Energy::Groove),
            ("videoVj", Energy::Groove),
            ("peakRave", Energy::Peak),
        ];
        Self {
            version: "v0".into(),
            generated_at: String::new(),
            pack: String::new(),
            prefer_same_author_chance: 0.2,
            motion_thresholds: MotionThresholds::default(),
            profile_map: profiles.into_iter().map(|(profile, energy)| (profile.to_owned(), energy)).collect(),
        }
    }
}

impl StylePolicy {
    /// Reads a policy; fails if its version is not `v0`.
    pub fn read(path: &Path) -> Result<Self, FileError> {
        let policy: Self = disk::read_json(path)?;
        if policy.version == "v0" {
            Ok(policy)
        } else {
            Err(FileError::new(path, &format!("unsupported version {:?}, expected \"v0\"", policy.version)))
        }
    }

    /// Writes the file atomically.
    pub fn write(&self, path: &Path) -> Result<(), FileError> {
        disk::write_json(path, self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_fields_of_a_policy_have_defaults() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("policy.json");
        std::fs::write(&path, r#"{"version":"v0","motionThresholds":{"calmMax":0.3}}"#).expect("written");
        let policy = StylePolicy::read(&path).expect("read");
        assert_eq!(policy.motion_thresholds, MotionThresholds { calm_max: 0.3, groove_max: 0.72 });
        assert_eq!(policy.profile_map["drone"], Energy::Calm);
        std::fs::write(&path, r#"{"version":"v7"}"#).expect("written");
        assert!(StylePolicy::read(&path).is_err());
    }
}
