//! What a probe hands back: what it saw of a preset, and how it ended.

use serde::{Deserialize, Serialize};

use super::{Cost, Look, PerceptualHash, TextFacts};
use crate::media::flash::FlashScore;

/// Everything that was seen of a preset, whatever is thought of it. Of one that was not drawn, only its text.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ProbeEvidence {
    /// Images it asks for that are not there.
    pub missing: Vec<String>,
    /// Parts that do not work and were replaced or left out, in words.
    pub broken: Vec<String>,
    /// What it looks like, when it was drawn.
    pub look: Option<Look>,
    /// Bits to tell pictures that are alike by.
    pub likeness: Option<PerceptualHash>,
    /// Flashes of all its frames.
    pub flash: FlashScore,
    /// What it costs here.
    pub cost: Cost,
    /// What its text is made of.
    pub text: TextFacts,
}

/// What probing one preset found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProbeReport {
    /// How it went.
    pub ended: ProbeOutcome,
    /// What was seen.
    pub evidence: ProbeEvidence,
}

impl ProbeReport {
    /// What is found of a preset that was not drawn.
    pub fn without(ended: ProbeOutcome) -> Self {
        Self { ended, evidence: ProbeEvidence::default() }
    }
}

/// How a probe went, as far as the worker can tell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProbeOutcome {
    /// All frames were drawn.
    Drawn,
    /// It is no preset, or asks for more than any preset may.
    Refused(String),
    /// Its code does not come to an end by itself: it was cut short again and again.
    Endless(String),
    /// The engine failed on it.
    Failed(String),
    /// The graphics device was lost while it played.
    DeviceLost(String),
    /// Something outside the preset went wrong; nothing is said about the preset.
    Infrastructure(String),
}
