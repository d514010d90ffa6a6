//! Gates: the thresholds for an acceptable look in one library.

use serde::{Deserialize, Serialize};

use super::look_verdict::LookVerdict;
use super::probe::{Cost, Look};

/// Thresholds set by the user. Each replaces the one derived from the library; render times are unlimited by
/// default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct GateLimits {
    /// Mean luma, 0 to 1, below which a preset is too dark.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_avg_luma: Option<f64>,
    /// Mean luma, 0 to 1, above which a preset is too bright.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_avg_luma: Option<f64>,
    /// Mean change in luma between frames, 0 to 1, below which a preset has low motion.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_avg_frame_delta: Option<f64>,
    /// Mean render time per measured frame, in milliseconds, above which a preset is too slow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_avg_render_ms: Option<f64>,
    /// Time of the slowest measured frame, in milliseconds, above which a preset is too slow. The field name
    /// is the predecessor's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_p95_render_ms: Option<f64>,
}

/// Thresholds for an acceptable look in one library.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gates {
    /// Mean luma, 0 to 1, below which a preset without highlights is too dark.
    pub dark: f64,
    /// Mean luma, 0 to 1, above which a preset is too bright.
    pub bright: f64,
    /// Mean change in luma between frames, 0 to 1, below which a preset has low motion.
    pub still: f64,
    /// Number of looks that the thresholds were derived from; 0 for the defaults.
    pub from: usize,
    /// Thresholds set by the user.
    #[serde(flatten)]
    pub limits: GateLimits,
}

impl Default for Gates {
    /// Returns the thresholds for small libraries.
    fn default() -> Self {
        Self { dark: 0.03, bright: 0.96, still: 0.001, from: 0, limits: GateLimits::default() }
    }
}

impl Gates {
    /// Minimum number of looks to derive thresholds from.
    const MIN_LOOKS: usize = 50;
    /// Luma, 0 to 1, below which a picture counts as black.
    const ALL_BLACK: f64 = 0.012;
    /// Luma, 0 to 1, above which a picture counts as white.
    const ALL_WHITE: f64 = 0.985;
    /// Mean change in luma between consecutive frames, 0 to 1, below which a picture counts as frozen.
    const FROZEN: f64 = 0.0001;
    /// Minimum luma, 0 to 1, of the highlights that make a dark picture acceptable.
    const BRIGHT_HIGHLIGHT: f64 = 0.3;

    /// Derives the thresholds of a library from its median luma and motion, within fixed bounds; returns the
    /// defaults if fewer than 50 of the looks are neither black nor frozen.
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
            limits: GateLimits::default(),
        }
    }

    /// Returns these thresholds, overridden by those set in `limits`.
    pub fn within(self, limits: GateLimits) -> Self {
        Self {
            dark: limits.min_avg_luma.unwrap_or(self.dark),
            bright: limits.max_avg_luma.unwrap_or(self.bright),
            still: limits.min_avg_frame_delta.unwrap_or(self.still),
            from: self.from,
            limits,
        }
    }

    /// Returns the verdict on a look. A threshold set by the user takes precedence: highlights do not excuse a
    /// preset below the minimum luma, and a preset within the user's limit does not count as black, white or
    /// frozen either.
    pub fn judge(&self, look: &Look) -> LookVerdict {
        let GateLimits { min_avg_luma, max_avg_luma, min_avg_frame_delta, .. } = self.limits;
        let dim = look.highlight < Self::BRIGHT_HIGHLIGHT;
        let is_dark = look.luma < self.dark && (dim || min_avg_luma.is_some());
        let is_bright = look.luma > self.bright;
        let is_still = look.motion < self.still;
        if look.luma_range[1] < Self::ALL_BLACK
            && look.highlight < Self::ALL_BLACK
            && (is_dark || min_avg_luma.is_none())
        {
            LookVerdict::Black
        } else if look.luma_range[0] > Self::ALL_WHITE && (is_bright || max_avg_luma.is_none()) {
            LookVerdict::White
        } else if look.motion_peak < Self::FROZEN && (is_still || min_avg_frame_delta.is_none()) {
            LookVerdict::Frozen
        } else if is_dark {
            LookVerdict::TooDark
        } else if is_bright {
            LookVerdict::TooBright
        } else if is_still {
            LookVerdict::LowMotion
        } else {
            LookVerdict::Ok
        }
    }

    /// Returns whether a preset exceeds one of the user's limits on render time.
    pub fn is_slow(&self, cost: &Cost) -> bool {
        self.is_slow_on_average(cost) || self.is_slow_at_worst(cost)
    }

    /// Returns whether a preset's mean render time exceeds the user's limit.
    pub fn is_slow_on_average(&self, cost: &Cost) -> bool {
        self.limits.max_avg_render_ms.is_some_and(|most| cost.cpu_ms + cost.gpu_ms > most)
    }

    /// Returns whether a preset's slowest frame exceeds the user's limit.
    pub fn is_slow_at_worst(&self, cost: &Cost) -> bool {
        self.limits.max_p95_render_ms.is_some_and(|most| cost.slowest_ms > most)
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
    fn thresholds_set_by_the_user_replace_those_of_the_library() {
        let within = |limits| Gates::default().within(limits);
        let none = GateLimits::default();
        let lines = Look { highlight: 0.9, ..look(0.01, 0.01) };
        let dark = within(GateLimits { min_avg_luma: Some(0.06), ..none });
        assert_eq!(dark.judge(&lines), LookVerdict::TooDark);
        assert_eq!(dark.judge(&look(0.07, 0.0015)), LookVerdict::Ok);
        let moving = within(GateLimits { min_avg_frame_delta: Some(0.002), ..none });
        assert_eq!(moving.judge(&look(0.07, 0.0015)), LookVerdict::LowMotion);
        let open = within(GateLimits {
            min_avg_luma: Some(0.0),
            max_avg_luma: Some(1.0),
            min_avg_frame_delta: Some(0.0),
            ..none
        });
        for anything in [look(0.0, 0.0), look(1.0, 0.0)] {
            assert_eq!(open.judge(&anything), LookVerdict::Ok);
        }
    }
}
