//! Result of a probe.

use serde::{Deserialize, Serialize};

use super::{Cost, Look, PerceptualHash, TextFacts};
use crate::media::flash::FlashScore;

/// Everything measured on a preset. If it was not drawn, only the facts about its source may be known.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ProbeEvidence {
    /// Names of missing images.
    pub missing: Vec<String>,
    /// Messages about parts that do not work and were replaced or skipped.
    pub broken: Vec<String>,
    /// Look; `None` if the preset was not drawn.
    pub look: Option<Look>,
    /// Perceptual hash, to find presets that look alike.
    #[serde(rename = "likeness")]
    pub perceptual_hash: Option<PerceptualHash>,
    /// Flash counts over all frames.
    pub flash: FlashScore,
    /// Cost on this computer.
    pub cost: Cost,
    /// Facts about the preset's source.
    pub text: TextFacts,
}

/// Result of probing one preset.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProbeReport {
    /// Outcome of the probe.
    pub outcome: ProbeOutcome,
    /// The measurements.
    pub evidence: ProbeEvidence,
}

impl ProbeReport {
    /// Creates the report of a preset that was not drawn.
    pub fn without_evidence(outcome: ProbeOutcome) -> Self {
        Self { outcome, evidence: ProbeEvidence::default() }
    }
}

/// Outcome of a probe, as far as the worker can determine it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProbeOutcome {
    /// All frames were drawn.
    Drawn,
    /// The file is not a valid preset or exceeds a limit.
    Refused(String),
    /// The code exceeded its budget in too many frames.
    Endless(String),
    /// The engine panicked on the preset.
    Failed(String),
    /// The graphics device was lost during playback.
    DeviceLost(String),
    /// The probe failed for reasons outside the preset; there is no result.
    Infrastructure(String),
}

impl ProbeOutcome {
    /// Returns why there is no picture, or why it does not count; empty if all frames were drawn.
    pub fn why(&self) -> &str {
        match self {
            Self::Drawn => "",
            Self::Refused(why)
            | Self::Endless(why)
            | Self::Failed(why)
            | Self::DeviceLost(why)
            | Self::Infrastructure(why) => why,
        }
    }
}
