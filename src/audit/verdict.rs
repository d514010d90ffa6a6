//! Verdicts: five separate assessments of a preset, each with its reason.
//!
//! Safety: whether the preset can be played. Completeness: whether all of its parts work. Look: whether there is
//! something to see. Flash: whether its flashes may be harmful. Cost: how much time it needs on this computer.
//! Looks are judged relative to the library, not by fixed thresholds, so that a library of mostly dark presets is
//! not rejected.

use serde::{Deserialize, Serialize};

pub use super::gates::{GateLimits, Gates};
pub use super::look_verdict::LookVerdict;
use crate::audit::probe::{Cost, Look, ProbeEvidence, ProbeOutcome, ProbeReport};
use crate::media::flash::{FlashScore, FlashVerdict};

/// Whether a preset can be played.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Safety {
    /// The preset can be played.
    Ok,
    /// The file is not a valid preset, or exceeds a limit.
    Refused,
    /// The preset's code does not terminate, or the probe exceeded its time limit.
    Hang,
    /// The engine panicked or the worker process died while probing the preset.
    Abort,
    /// The graphics device was lost.
    DeviceLost,
    /// The preset exceeded the memory limit.
    Memory,
}

impl Safety {
    /// Every value, in the order of reports.
    pub const ALL: [Self; 6] =
        [Self::Ok, Self::Refused, Self::Hang, Self::Abort, Self::DeviceLost, Self::Memory];

    /// Returns the name used in files and reports.
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

    /// Returns the corresponding reason in `quality-blacklist.json`; `None` for [`Self::Ok`].
    pub fn reference_reason(self) -> Option<&'static str> {
        match self {
            Self::Ok => None,
            Self::Refused | Self::DeviceLost => Some("render-failed"),
            Self::Hang => Some("probe-timeout"),
            Self::Abort | Self::Memory => Some("wasm-abort"),
        }
    }
}

/// The stored result of auditing one preset.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Whether the preset can be played.
    pub safety: Safety,
    /// Why the preset cannot be played; empty if it can.
    pub why: String,
    /// The verdict on the look that another program gave, by that program's thresholds; flashes and the cost
    /// on this computer are then unknown. `None` if this program gave the verdict.
    #[serde(rename = "taken_over", default, skip_serializing_if = "Option::is_none")]
    pub imported: Option<LookVerdict>,
    /// The measurements.
    #[serde(flatten)]
    pub evidence: ProbeEvidence,
}

impl Record {
    /// Creates the record of a probe. An infrastructure error is not a result; its message is returned as the
    /// error.
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
        Ok(Self { safety, why, imported: None, evidence })
    }

    /// Drops the parameters extracted from the source, to save memory when all records of a library are
    /// loaded.
    pub fn without_params(mut self) -> Self {
        self.evidence.text.params.clear();
        self
    }

    /// Creates a record without measurements.
    pub fn without_evidence(safety: Safety, why: String) -> Self {
        Self { safety, why, imported: None, evidence: ProbeEvidence::default() }
    }

    /// Returns the verdict on the look by these thresholds. The verdict of another program is kept unless the
    /// user has set limits.
    pub fn look_verdict(&self, gates: &Gates) -> LookVerdict {
        if let Some(verdict) = self.imported.filter(|_| gates.limits == GateLimits::default()) {
            return verdict;
        }
        let Some(look) = &self.evidence.look else { return LookVerdict::Unseen };
        match gates.judge(look) {
            LookVerdict::Ok if gates.is_slow(&self.evidence.cost) => LookVerdict::Slow,
            verdict => verdict,
        }
    }

    /// Returns the verdict on the preset's flashes and regular patterns; `None` if they were not measured.
    pub fn flash_verdict(&self) -> Option<FlashVerdict> {
        let flash = &self.evidence.flash;
        self.is_measured().then(|| flash.verdict().max(flash.pattern_verdict()))
    }

    /// Returns the name of the verdict on flashes in files and in the store; `unknown` if they were not measured.
    pub fn flash_label(&self) -> &'static str {
        match self.flash_verdict() {
            None => "unknown",
            Some(FlashVerdict::Pass) => "pass",
            Some(FlashVerdict::Warn) => "warn",
            Some(FlashVerdict::Fail) => "fail",
        }
    }

    /// Returns whether the preset is playable and its look is acceptable.
    pub fn good(&self, gates: &Gates) -> bool {
        self.safety == Safety::Ok && self.look_verdict(gates) == LookVerdict::Ok
    }

    /// Returns why the preset is not ok, in the predecessor's terms; empty if it is.
    pub fn reference_reasons(&self, gates: &Gates) -> Vec<&'static str> {
        if self.safety != Safety::Ok {
            return self.safety.reference_reason().into_iter().collect();
        }
        let verdict = self.look_verdict(gates);
        let slow = [
            (gates.is_slow_on_average(&self.evidence.cost), "slow-render-avg"),
            (gates.is_slow_at_worst(&self.evidence.cost), "slow-render-p95"),
        ];
        match verdict {
            LookVerdict::Slow if self.imported.is_none() => {
                slow.into_iter().filter(|(is, _)| *is).map(|(_, reason)| reason).collect()
            }
            verdict => verdict.reference_reason().into_iter().collect(),
        }
    }

    /// Returns whether this program drew the preset. If it did not, or another program gave the verdict, flashes and
    /// cost are unknown.
    pub fn is_measured(&self) -> bool {
        self.measured_look().is_some()
    }

    /// Returns the measured look; `None` if this program did not draw the preset. Of a look that another program
    /// measured, only luma and motion are known.
    pub fn measured_look(&self) -> Option<&Look> {
        self.evidence.look.as_ref().filter(|_| self.imported.is_none())
    }

    /// Describes the problems of the preset, including flashes, missing textures and broken parts.
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
                LookVerdict::Slow => {
                    let Cost { cpu_ms, gpu_ms, slowest_ms, .. } = self.evidence.cost;
                    format!("slow: {:.1} ms per frame, {slowest_ms:.1} ms at worst", cpu_ms + gpu_ms)
                }
                LookVerdict::Ok | LookVerdict::Unseen => return reasons,
            });
        }
        if self.is_measured() {
            reasons.extend(self.flash_reasons());
        }
        reasons.extend(self.evidence.missing.iter().map(|name| format!("missing texture: {name}")));
        reasons.extend(self.evidence.broken.iter().map(|part| format!("broken: {part}")));
        reasons
    }

    fn flash_reasons(&self) -> impl Iterator<Item = String> {
        let flash = self.evidence.flash;
        let flashes = match flash.verdict() {
            FlashVerdict::Pass => None,
            FlashVerdict::Warn => Some(format!("flashes at the limit: {}", self.flash_counts())),
            FlashVerdict::Fail => Some(format!("flashes too often: {}", self.flash_counts())),
        };
        let secs = f64::from(flash.pattern_ms.unwrap_or_default()) / 1000.0;
        let pattern = (flash.pattern_verdict() == FlashVerdict::Fail)
            .then(|| format!("harmful regular pattern: on screen for {secs:.1} s"));
        flashes.into_iter().chain(pattern)
    }

    fn flash_counts(&self) -> String {
        let FlashScore { general, red, general_screen, red_screen, .. } = self.evidence.flash;
        let screen = general_screen.max(red_screen);
        format!("{general} general, {red} red, {screen} full-screen in the worst second")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unsafe_verdict_maps_to_a_reference_reason() {
        const HARD: [&str; 3] = ["wasm-abort", "render-failed", "probe-timeout"];
        for safety in Safety::ALL {
            let record = Record::without_evidence(safety, "why".into());
            let reasons = record.reference_reasons(&Gates::default());
            let known = reasons.iter().all(|reason| HARD.contains(reason));
            assert!(known && reasons.is_empty() == (safety == Safety::Ok), "{safety:?}: {reasons:?}");
        }
    }

    #[test]
    fn flashes_of_a_preset_that_was_not_drawn_are_unknown() {
        let mut record = Record::without_evidence(Safety::Hang, "20 s".into());
        assert_eq!((record.flash_verdict(), record.flash_label()), (None, "unknown"));
        record.evidence.look = Some(Look::default());
        assert_eq!((record.flash_verdict(), record.flash_label()), (Some(FlashVerdict::Pass), "pass"));
        record.imported = Some(LookVerdict::Ok);
        assert_eq!((record.flash_verdict(), record.flash_label()), (None, "unknown"));
    }

    #[test]
    fn a_regular_pattern_is_reported_and_fails_like_flashes() {
        let mut record = Record::without_evidence(Safety::Ok, String::new());
        record.evidence.look = Some(Look { luma: 0.3, motion: 0.01, motion_peak: 0.01, ..Look::default() });
        record.evidence.flash.pattern_ms = Some(1500);
        assert_eq!(record.flash_label(), "fail");
        let reasons = record.reasons(&Gates::default());
        assert!(reasons.contains(&"harmful regular pattern: on screen for 1.5 s".to_owned()), "{reasons:?}");
    }

    #[test]
    fn a_missing_image_is_mentioned_as_a_possible_cause() {
        let mut record = Record::without_evidence(Safety::Ok, String::new());
        record.evidence.look = Some(Look::default());
        record.evidence.missing.push("clouds2".into());
        let reasons = record.reasons(&Gates::default());
        assert!(reasons[0].contains("images are missing"), "{reasons:?}");
        assert!(!record.good(&Gates::default()));
    }

    #[test]
    fn a_verdict_of_another_program_is_kept_unless_the_user_sets_limits() {
        let mut record = Record::without_evidence(Safety::Ok, String::new());
        let luma_range = [0.04, 0.04];
        record.evidence.look =
            Some(Look { luma: 0.04, luma_range, motion: 0.01, motion_peak: 0.01, ..Look::default() });
        record.imported = Some(LookVerdict::TooDark);
        assert_eq!(record.look_verdict(&Gates::default()), LookVerdict::TooDark);
        let limits = GateLimits { min_avg_luma: Some(0.035), ..GateLimits::default() };
        assert_eq!(record.look_verdict(&Gates::default().within(limits)), LookVerdict::Ok);
    }

    #[test]
    fn slow_presets_are_rejected_only_if_the_user_limits_render_times() {
        let mut record = Record::without_evidence(Safety::Ok, String::new());
        let luma_range = [0.4, 0.4];
        record.evidence.look =
            Some(Look { luma: 0.4, luma_range, motion: 0.01, motion_peak: 0.01, ..Look::default() });
        record.evidence.cost = Cost { cpu_ms: 4.0, gpu_ms: 3.0, slowest_ms: 30.0, ..Cost::default() };
        let verdict = |max_avg_render_ms, max_p95_render_ms| {
            let limits = GateLimits { max_avg_render_ms, max_p95_render_ms, ..GateLimits::default() };
            record.look_verdict(&Gates::default().within(limits))
        };
        assert_eq!(verdict(None, None), LookVerdict::Ok);
        assert_eq!(verdict(Some(8.0), Some(40.0)), LookVerdict::Ok);
        assert_eq!(verdict(Some(6.0), None), LookVerdict::Slow);
        assert_eq!(verdict(None, Some(20.0)), LookVerdict::Slow);
        let limits = GateLimits {
            max_avg_render_ms: Some(6.0),
            max_p95_render_ms: Some(20.0),
            ..GateLimits::default()
        };
        let reasons = record.reference_reasons(&Gates::default().within(limits));
        assert_eq!(reasons, ["slow-render-avg", "slow-render-p95"]);
    }
}
