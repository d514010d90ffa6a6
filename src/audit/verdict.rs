//! What is thought of a preset after the audit: five parts that are never mixed up, each with its reason in words.
//!
//! Safety says whether it can be played at all, completeness whether all of it plays, look whether there is something
//! to see, flash whether it may harm, cost what it asks of this machine. A look is judged against the other presets
//! of the library, not against fixed gates: a library of dark presets is not a library of bad ones.

use serde::{Deserialize, Serialize};

use crate::audit::probe::{Look, ProbeEvidence, ProbeOutcome, ProbeReport};
use crate::media::flash::{FlashScore, FlashVerdict};

/// Whether a preset can be played.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Safety {
    /// It plays.
    Ok,
    /// It is no preset, or asks for more than any preset may.
    Refused,
    /// It does not come to an end.
    Hang,
    /// The process that played it died.
    Abort,
    /// The graphics device was lost.
    DeviceLost,
    /// It needs more memory than any preset may.
    Memory,
}

impl Safety {
    /// Every outcome.
    pub const ALL: [Self; 6] =
        [Self::Ok, Self::Refused, Self::Hang, Self::Abort, Self::DeviceLost, Self::Memory];

    /// The word in files and reports.
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

    /// The reason the reference format knows it by; none when it plays.
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
    /// Nothing speaks against it.
    #[default]
    Ok,
    /// All black.
    Black,
    /// All white.
    White,
    /// It never moves.
    Frozen,
    /// Much darker than the library, and nothing in it stands out.
    TooDark,
    /// Much brighter than the library.
    TooBright,
    /// It hardly moves, compared with the library.
    LowMotion,
    /// It was not drawn.
    Unseen,
}

impl LookVerdict {
    /// Every verdict.
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

    /// The word in files and reports.
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

    /// The reason the reference format knows it by.
    pub fn reference_reason(self) -> Option<&'static str> {
        match self {
            Self::Ok | Self::Unseen => None,
            Self::Black | Self::TooDark => Some("too-dark"),
            Self::White | Self::TooBright => Some("too-bright"),
            Self::Frozen | Self::LowMotion => Some("low-motion"),
        }
    }
}

/// Everything the audit keeps of one preset.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Whether it can be played.
    pub safety: Safety,
    /// Why not, in words.
    pub why: String,
    /// What was seen of it.
    #[serde(flatten)]
    pub evidence: ProbeEvidence,
}

impl Record {
    /// The record of a finding; an infrastructure error is no finding about the preset and is handed back in words.
    pub fn of(finding: ProbeReport) -> Result<Self, String> {
        let ProbeReport { ended, evidence } = finding;
        let (safety, why) = match ended {
            ProbeOutcome::Drawn => (Safety::Ok, String::new()),
            ProbeOutcome::Refused(why) => (Safety::Refused, why),
            ProbeOutcome::Endless(why) => (Safety::Hang, why),
            ProbeOutcome::Failed(why) => (Safety::Abort, why),
            ProbeOutcome::DeviceLost(why) => (Safety::DeviceLost, why),
            ProbeOutcome::Infrastructure(why) => return Err(why),
        };
        Ok(Self { safety, why, evidence })
    }

    /// Without the parameters of its text: who keeps the records of a whole library has no room for them.
    pub fn lean(mut self) -> Self {
        self.evidence.text.params.clear();
        self
    }

    /// The record of a preset whose process did not answer.
    pub fn ended(safety: Safety, why: String) -> Self {
        Self { safety, why, evidence: ProbeEvidence::default() }
    }

    /// What is thought of its look, beside the rest of the library.
    pub fn look_verdict(&self, gates: &Gates) -> LookVerdict {
        self.evidence.look.as_ref().map_or(LookVerdict::Unseen, |look| gates.judge(look))
    }

    /// What is thought of its flashes.
    pub fn flash_verdict(&self) -> FlashVerdict {
        self.evidence.flash.verdict()
    }

    /// It can be played and there is something to see.
    pub fn good(&self, gates: &Gates) -> bool {
        self.safety == Safety::Ok && self.look_verdict(gates) == LookVerdict::Ok
    }

    /// Why it is not ok, in words; empty when it is.
    pub fn reasons(&self, gates: &Gates) -> Vec<String> {
        let mut reasons = Vec::new();
        if self.safety != Safety::Ok {
            reasons.push(format!("{}: {}", self.safety.label(), self.why));
        }
        let verdict = self.look_verdict(gates);
        if let Some(look) = self.evidence.look.as_ref().filter(|_| verdict != LookVerdict::Ok) {
            let excuse =
                if self.evidence.missing.is_empty() { "" } else { ", which may be for want of its images" };
            reasons.push(match verdict {
                LookVerdict::Black => format!("black: no pixel gets light{excuse}"),
                LookVerdict::White => "white: the whole picture is white".into(),
                LookVerdict::Frozen => format!("frozen: nothing moves{excuse}"),
                LookVerdict::TooDark => {
                    let (luma, gate) = (look.luma, gates.dark);
                    format!("too dark: light {luma:.3}, below {gate:.3} for this library{excuse}")
                }
                LookVerdict::TooBright => {
                    format!("too bright: light {:.3}, above {:.3} for this library", look.luma, gates.bright)
                }
                LookVerdict::LowMotion => {
                    let (motion, gate) = (look.motion, gates.still);
                    format!("low motion: {motion:.4} a frame, below {gate:.4} for this library{excuse}")
                }
                LookVerdict::Ok | LookVerdict::Unseen => return reasons,
            });
        }
        match self.flash_verdict() {
            FlashVerdict::Pass => {}
            FlashVerdict::Warn => reasons.push(format!("flashes at the limit: {}", self.flash_words())),
            FlashVerdict::Fail => reasons.push(format!("flashes too often: {}", self.flash_words())),
        }
        reasons.extend(self.evidence.missing.iter().map(|name| format!("missing texture: {name}")));
        reasons.extend(self.evidence.broken.iter().map(|part| format!("does not work: {part}")));
        reasons
    }

    fn flash_words(&self) -> String {
        let FlashScore { general, red, general_screen, .. } = self.evidence.flash;
        format!("{general} of light, {red} of red, {general_screen} of the whole screen in its worst second")
    }
}

/// Where looks stop being ok in one library.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gates {
    /// Mean light below which a preset is too dark, unless something in it stands out.
    pub dark: f64,
    /// Mean light above which it is too bright.
    pub bright: f64,
    /// Motion below which it hardly moves.
    pub still: f64,
    /// Presets the gates were taken from; 0 for the usual ones.
    pub from: usize,
}

impl Default for Gates {
    /// The gates for a library too small to speak for itself.
    fn default() -> Self {
        Self { dark: 0.03, bright: 0.96, still: 0.001, from: 0 }
    }
}

impl Gates {
    /// Presets that make a library large enough to be its own measure.
    const ENOUGH: usize = 50;
    /// Highest pixel of a black picture, lowest of a white one.
    const ALL_BLACK: f64 = 0.012;
    const ALL_WHITE: f64 = 0.985;
    /// Change between frames below which nothing moves at all.
    const FROZEN: f64 = 0.0001;
    /// A highlight this bright makes up for a dark picture.
    const STANDS_OUT: f64 = 0.3;

    /// The gates of a library with these looks: parts of its median, within what is sensible anywhere.
    pub fn of<'a>(looks: impl Iterator<Item = &'a Look>) -> Self {
        let alive = looks.filter(|look| look.highlight > Self::ALL_BLACK && look.motion > Self::FROZEN);
        let (mut lumas, mut motions): (Vec<f64>, Vec<f64>) =
            alive.map(|look| (look.luma, look.motion)).unzip();
        if lumas.len() < Self::ENOUGH {
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

    /// What is thought of one look.
    pub fn judge(&self, look: &Look) -> LookVerdict {
        let dim = look.highlight < Self::STANDS_OUT;
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
    fn a_dark_library_is_judged_by_its_own_light() {
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
    fn black_white_and_frozen_are_told_apart_from_dark_bright_and_slow() {
        let gates = Gates::default();
        assert_eq!(gates.judge(&look(0.0, 0.0)), LookVerdict::Black);
        let white = Look { luma_range: [1.0, 1.0], ..look(1.0, 0.0) };
        assert_eq!(gates.judge(&white), LookVerdict::White);
        assert_eq!(gates.judge(&look(0.5, 0.0)), LookVerdict::Frozen);
        assert_eq!(gates.judge(&look(0.5, 0.0005)), LookVerdict::LowMotion);
    }

    #[test]
    fn a_missing_image_excuses_a_dark_picture_and_no_machine_is_blamed_on_a_preset() {
        let mut record = Record::ended(Safety::Ok, String::new());
        record.evidence.look = Some(look(0.0, 0.0));
        record.evidence.missing.push("clouds2".into());
        let reasons = record.reasons(&Gates::default());
        assert!(reasons[0].contains("want of its images"), "{reasons:?}");
        assert!(!record.good(&Gates::default()));
    }
}
