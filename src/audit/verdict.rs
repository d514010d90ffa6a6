//! Verdicts: five separate assessments of a preset, each with its reason.
//!
//! Safety: whether it can be played; completeness: whether all of its parts work; look: whether there is something to
//! see; flash: whether it may be harmful; cost: how much time it needs on this machine. Looks are judged relative to
//! the library, not by fixed gates, so that a dark library is not a bad one.

use serde::{Deserialize, Serialize};

use crate::audit::probe::{Look, ProbeEvidence, ProbeOutcome, ProbeReport};
use crate::media::flash::{FlashScore, FlashVerdict};

/// Whether a preset can be played.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Safety {
    /// The preset can be played.
    Ok,
    /// Not a valid preset, or over a limit.
    Refused,
    /// It does not terminate.
    Hang,
    /// Its worker process died.
    Abort,
    /// The graphics device was lost.
    DeviceLost,
    /// It exceeded the memory limit.
    Memory,
}

impl Safety {
    /// Every value, in the order of reports.
    pub const ALL: [Self; 6] =
        [Self::Ok, Self::Refused, Self::Hang, Self::Abort, Self::DeviceLost, Self::Memory];

    /// Returns the name in files and reports.
    pub fn label(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Refused => "refused",
            Self::Hang => "hang",
            Self::Abort => "abort",
            Self::DeviceLost => "device-lost",
            Self::Memory => "memory",
        }
    }

    /// Returns the corresponding reason in `quality-blacklist.json`, if not ok.
    pub fn reference_reason(self) -> Option<&'static str> {
        match self {
            Self::Ok => None,
            Self::Refused | Self::DeviceLost => Some("render-failed"),
            Self::Hang => Some("probe-timeout"),
            Self::Abort | Self::Memory => Some("wasm-abort"),
        }
    }
}

/// Whether there is something to see.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LookVerdict {
    /// The look is acceptable.
    #[default]
    Ok,
    /// The picture is all black.
    Black,
    /// The picture is all white.
    White,
    /// Nothing in the picture moves.
    Frozen,
    /// Much darker than the rest of the library, without highlights.
    TooDark,
    /// Much brighter than the rest of the library.
    TooBright,
    /// Hardly any motion, compared with the rest of the library.
    LowMotion,
    /// The preset was not drawn.
    Unseen,
}

impl LookVerdict {
    /// Every value, in the order of reports.
    pub const ALL: [Self; 8] = [
        Self::Ok,
        Self::Black,
        Self::White,
        Self::Frozen,
        Self::TooDark,
        Self::TooBright,
        Self::LowMotion,
        Self::Unseen,
    ];

    /// Returns the name in files and reports.
    pub fn label(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Black => "black",
            Self::White => "white",
            Self::Frozen => "frozen",
            Self::TooDark => "too-dark",
            Self::TooBright => "too-bright",
            Self::LowMotion => "low-motion",
            Self::Unseen => "unseen",
        }
    }

    /// Returns the corresponding reason in `quality-blacklist.json`, if not ok.
    pub fn reference_reason(self) -> Option<&'static str> {
        match self {
            Self::Ok | Self::Unseen => None,
            Self::Black | Self::TooDark => Some("too-dark"),
            Self::White | Self::TooBright => Some("too-bright"),
            Self::Frozen | Self::LowMotion => Some("low-motion"),
        }
    }
}

/// The stored result of an audit of one preset.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Whether it can be played.
    pub safety: Safety,
    /// Why it cannot be played; otherwise empty.
    pub why: String,
    /// What was measured.
    #[serde(flatten)]
    pub evidence: ProbeEvidence,
}

impl Record {
    /// Creates the record of a probe; an infrastructure error is not a result and is returned as its message.
    pub fn of(report: ProbeReport) -> Result<Self, String> {
        let ProbeReport { outcome, evidence } = report;
        let (safety, why) = match outcome {
            ProbeOutcome::Drawn => (Safety::Ok, String::new()),
            ProbeOutcome::Refused(why) => (Safety::Refused, why),
            ProbeOutcome::Endless(why) => (Safety::Hang, why),
            ProbeOutcome::Failed(why) => (Safety::Abort, why),
            ProbeOutcome::DeviceLost(why) => (Safety::DeviceLost, why),
            ProbeOutcome::Infrastructure(why) => return Err(why),
        };
        Ok(Self { safety, why, evidence })
    }

    /// Drops the text parameters, to save memory when all records of a library are loaded.
    pub fn lean(mut self) -> Self {
        self.evidence.text.params.clear();
        self
    }

    /// Creates a record without measurements.
    pub fn without_evidence(safety: Safety, why: String) -> Self {
        Self { safety, why, evidence: ProbeEvidence::default() }
    }

    /// Returns the verdict on its look by these gates.
    pub fn look_verdict(&self, gates: &Gates) -> LookVerdict {
        self.evidence.look.as_ref().map_or(LookVerdict::Unseen, |look| gates.judge(look))
    }

    /// Returns the verdict on its flashes.
    pub fn flash_verdict(&self) -> FlashVerdict {
        self.evidence.flash.verdict()
    }

    /// Returns whether it is playable with an acceptable look.
    pub fn good(&self, gates: &Gates) -> bool {
        self.safety == Safety::Ok && self.look_verdict(gates) == LookVerdict::Ok
    }

    /// Describes why it is not ok; empty if it is.
    pub fn reasons(&self, gates: &Gates) -> Vec<String> {
        let mut reasons = Vec::new();
        if self.safety != Safety::Ok {
            reasons.push(format!("{}: {}", self.safety.label(), self.why));
        }
        let verdict = self.look_verdict(gates);
        if let Some(look) = self.evidence.look.as_ref().filter(|_| verdict != LookVerdict::Ok) {
            let hint =
                if self.evidence.missing.is_empty() { "" } else { ", possibly because images are missing" };
            reasons.push(match verdict {
                LookVerdict::Black => format!("black: no lit pixels{hint}"),
                LookVerdict::White => "white: the whole picture is white".into(),
                LookVerdict::Frozen => format!("frozen: nothing moves{hint}"),
                LookVerdict::TooDark => {
                    let (luma, gate) = (look.luma, gates.dark);
                    format!("too dark: luma {luma:.3}, below {gate:.3} for this library{hint}")
                }
                LookVerdict::TooBright => {
                    format!("too bright: luma {:.3}, above {:.3} for this library", look.luma, gates.bright)
                }
                LookVerdict::LowMotion => {
                    let (motion, gate) = (look.motion, gates.still);
                    format!("low motion: {motion:.4} per frame, below {gate:.4} for this library{hint}")
                }
                LookVerdict::Ok | LookVerdict::Unseen => return reasons,
            });
        }
        match self.flash_verdict() {
            FlashVerdict::Pass => {}
            FlashVerdict::Warn => reasons.push(format!("flashes at the limit: {}", self.flash_counts())),
            FlashVerdict::Fail => reasons.push(format!("flashes too often: {}", self.flash_counts())),
        }
        reasons.extend(self.evidence.missing.iter().map(|name| format!("missing texture: {name}")));
        reasons.extend(self.evidence.broken.iter().map(|part| format!("broken: {part}")));
        reasons
    }

    fn flash_counts(&self) -> String {
        let FlashScore { general, red, general_screen, .. } = self.evidence.flash;
        format!("{general} general, {red} red, {general_screen} full-screen in the worst second")
    }
}

/// Thresholds of acceptable looks in one library.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gates {
    /// Mean luma below which a preset without highlights is too dark.
    pub dark: f64,
    /// Mean luma above which it is too bright.
    pub bright: f64,
    /// Motion below which it has low motion.
    pub still: f64,
    /// Number of looks the gates were derived from; 0 for the default gates.
    pub from: usize,
}

impl Default for Gates {
    /// Returns the gates for small libraries.
    fn default() -> Self {
        Self { dark: 0.03, bright: 0.96, still: 0.001, from: 0 }
    }
}

impl Gates {
    /// Minimum number of looks to derive gates from.
    const MIN_LOOKS: usize = 50;
    /// Maximum luma of a black picture, minimum luma of a white one.
    const ALL_BLACK: f64 = 0.012;
    const ALL_WHITE: f64 = 0.985;
    /// Change between frames below which a picture is frozen.
    const FROZEN: f64 = 0.0001;
    /// Highlight above which a dark picture is acceptable.
    const BRIGHT_HIGHLIGHT: f64 = 0.3;

    /// Derives the gates of a library: fractions of its median values, within fixed bounds.
    pub fn of<'a>(looks: impl Iterator<Item = &'a Look>) -> Self {
        let alive = looks.filter(|look| look.highlight > Self::ALL_BLACK && look.motion > Self::FROZEN);
        let (mut lumas, mut motions): (Vec<f64>, Vec<f64>) =
            alive.map(|look| (look.luma, look.motion)).unzip();
        if lumas.len() < Self::MIN_LOOKS {
            return Self::default();
        }
        let (luma, motion) = (median(&mut lumas), median(&mut motions));
        Self {
            dark: (0.15 * luma).clamp(0.005, 0.06),
            bright: (1.0 - 0.08 * (1.0 - luma)).clamp(0.9, 0.98),
            still: (0.08 * motion).clamp(0.0004, 0.004),
            from: lumas.len(),
        }
    }

    /// Judges one look.
    pub fn judge(&self, look: &Look) -> LookVerdict {
        let dim = look.highlight < Self::BRIGHT_HIGHLIGHT;
        if look.luma_range[1] < Self::ALL_BLACK && look.highlight < Self::ALL_BLACK {
            LookVerdict::Black
        } else if look.luma_range[0] > Self::ALL_WHITE {
            LookVerdict::White
        } else if look.motion_peak < Self::FROZEN {
            LookVerdict::Frozen
        } else if look.luma < self.dark && dim {
            LookVerdict::TooDark
        } else if look.luma > self.bright {
            LookVerdict::TooBright
        } else if look.motion < self.still {
            LookVerdict::LowMotion
        } else {
            LookVerdict::Ok
        }
    }
}

fn median(values: &mut [f64]) -> f64 {
    let middle = values.len() / 2;
    let (_, median, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    *median
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(luma: f64, motion: f64) -> Look {
        Look {
            luma,
            luma_range: [luma * 0.9, luma * 1.1],
            highlight: luma,
            motion,
            motion_peak: motion * 2.0,
            ..Look::default()
        }
    }

    #[test]
    fn a_dark_library_has_darker_gates() {
        let dark: Vec<Look> = (0..100).map(|n| look(0.04 + 0.001 * n as f64, 0.01)).collect();
        let bright: Vec<Look> = (0..100).map(|n| look(0.4 + 0.001 * n as f64, 0.01)).collect();
        let one = look(0.03, 0.01);
        assert_eq!(Gates::of(dark.iter()).judge(&one), LookVerdict::Ok);
        assert_eq!(Gates::of(bright.iter()).judge(&one), LookVerdict::TooDark);
    }

    #[test]
    fn thin_bright_lines_on_black_are_not_too_dark() {
        let lines = Look { highlight: 0.9, ..look(0.01, 0.01) };
        assert_eq!(Gates::default().judge(&lines), LookVerdict::Ok);
    }

    #[test]
    fn black_white_and_frozen_differ_from_dark_bright_and_low_motion() {
        let gates = Gates::default();
        assert_eq!(gates.judge(&look(0.0, 0.0)), LookVerdict::Black);
        let white = Look { luma_range: [1.0, 1.0], ..look(1.0, 0.0) };
        assert_eq!(gates.judge(&white), LookVerdict::White);
        assert_eq!(gates.judge(&look(0.5, 0.0)), LookVerdict::Frozen);
        assert_eq!(gates.judge(&look(0.5, 0.0005)), LookVerdict::LowMotion);
    }

    #[test]
    fn a_missing_image_is_mentioned_as_a_possible_cause() {
        let mut record = Record::without_evidence(Safety::Ok, String::new());
        record.evidence.look = Some(look(0.0, 0.0));
        record.evidence.missing.push("clouds2".into());
        let reasons = record.reasons(&Gates::default());
        assert!(reasons[0].contains("images are missing"), "{reasons:?}");
        assert!(!record.good(&Gates::default()));
    }
}
