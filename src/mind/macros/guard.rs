//! The range guard: compresses automatic moves before they reach an extreme. Never affects the performer's settings.

use crate::analysis::Section;
use crate::mind::Control;

/// Factor applied to the part of a move that is outside the range.
const SLOPE: f32 = 0.35;

/// Returns `wanted`, with the part outside the control's range multiplied by [`SLOPE`]. The range is widened
/// to include the performer's setting `set`.
pub(super) fn guarded(control: Control, wanted: f32, set: f32, section: Section) -> f32 {
    let (low, high) = range(control, section);
    let (low, high) = (low.min(set), high.max(set));
    let over = (wanted - high).max(0.0) + (wanted - low).min(0.0);
    (wanted.clamp(low, high) + SLOPE * over).clamp(0.0, 1.0)
}

/// Returns the range of a control within which automatic moves are not compressed.
fn range(control: Control, section: Section) -> (f32, f32) {
    let (low, high) = match section {
        Section::Peak => (0.28, 0.92),
        Section::Groove => (0.31, 0.88),
        Section::Calm => (0.34, 0.84),
    };
    match control {
        Control::Fusion => (low + 0.01, high),
        Control::Motion => (low, high + 0.02),
        Control::Sparkle => (low, high + 0.04),
        Control::M4 | Control::M5 | Control::M6 | Control::M7 | Control::M8 => (0.22, 0.90),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extremes_are_compressed_but_not_the_performers_setting() {
        let calm = |wanted, set| guarded(Control::Fusion, wanted, set, Section::Calm);
        assert_eq!(calm(0.6, 0.5), 0.6);
        assert!((calm(1.0, 0.5) - (0.84 + 0.35 * 0.16)).abs() < 1e-6);
        assert_eq!(calm(1.0, 1.0), 1.0);
        assert_eq!(calm(0.0, 0.0), 0.0);
    }
}
