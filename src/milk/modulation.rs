//! Modulation of a running preset by the macros: a factor and an offset, or an exponent, applied to per-frame
//! variables.
//!
//! The default modulation leaves the preset unchanged.

use smallvec::SmallVec;

use super::names::frame;

/// Number of changes stored inline, without allocation; the Motion macro makes seven.
const INLINE_CHANGES: usize = 8;

/// Modulation of one deck's preset for one frame.
#[derive(Clone, Debug, PartialEq)]
pub struct Modulation {
    /// Variable slots and their changes, applied in this order after per-frame code.
    changes: SmallVec<[(usize, Change); INLINE_CHANGES]>,
    /// Speed of the preset's clock; 1 = real time.
    pub time_speed: f64,
    /// Linear gain of the preset's audio; 1 = unchanged.
    pub audio_gain: f32,
}

/// A change to one variable.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Change {
    Linear { factor: f64, offset: f64 },
    Power(f64),
}

impl Default for Modulation {
    fn default() -> Self {
        Self { changes: SmallVec::new(), time_speed: 1.0, audio_gain: 1.0 }
    }
}

impl Modulation {
    /// Adds a change that multiplies the per-frame variable `name` by `factor` and adds `offset`. Returns
    /// false if there is no variable of this name that presets can write.
    pub fn add_linear(&mut self, name: &str, factor: f64, offset: f64) -> bool {
        self.add(name, Change::Linear { factor, offset })
    }

    /// Adds a change that raises the per-frame variable `name` to the power of `exponent`; meant for factors
    /// that are neutral at 1, such as zoom. Values of 0 and below stay unchanged. Returns false if there is
    /// no variable of this name that presets can write.
    pub fn add_power(&mut self, name: &str, exponent: f64) -> bool {
        self.add(name, Change::Power(exponent))
    }

    fn add(&mut self, name: &str, change: Change) -> bool {
        let Some(slot) = frame::NAMES.iter().position(|&known| known == name) else { return false };
        if slot >= frame::time {
            return false; // Read-only for presets.
        }
        self.changes.push((slot, change));
        true
    }

    /// Applies all changes to the per-frame variables.
    pub(super) fn apply(&self, vars: &mut [f64]) {
        for &(slot, change) in &self.changes {
            vars[slot] = match change {
                Change::Linear { factor, offset } => vars[slot] * factor + offset,
                Change::Power(exponent) if vars[slot] > 0.0 => vars[slot].powf(exponent),
                Change::Power(_) => vars[slot],
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_writable_variables_are_accepted() {
        let mut modulation = Modulation::default();
        assert!(modulation.add_linear("zoom", 1.1, 0.0));
        assert!(!modulation.add_linear("bass", 2.0, 0.0));
        assert!(!modulation.add_linear("no_such_thing", 2.0, 0.0));
        let mut vars = vec![1.0; 128];
        modulation.apply(&mut vars);
        assert_eq!(vars[frame::zoom], 1.1);
    }

    #[test]
    fn an_exponent_leaves_1_and_negative_values_unchanged() {
        let mut modulation = Modulation::default();
        assert!(
            modulation.add_power("zoom", 2.0)
                && modulation.add_power("zoomexp", 2.0)
                && modulation.add_power("rot", 2.0)
        );
        let mut vars = vec![1.0; 128];
        (vars[frame::zoomexp], vars[frame::rot]) = (0.9, -0.3);
        modulation.apply(&mut vars);
        assert_eq!([vars[frame::zoom], vars[frame::zoomexp], vars[frame::rot]], [1.0, 0.9 * 0.9, -0.3]);
    }
}
