//! Hands inside a running preset: a factor and an offset on every per-frame variable.
//!
//! The macros reach the preset through these; at rest every factor is 1 and every offset 0.

use super::names::frame;

/// What the macros do to one deck's preset this frame.
#[derive(Clone, Debug, PartialEq)]
pub struct Hooks {
    /// Applied after per-frame code: `value * factor + offset`, by [`Hooks::slot`].
    touched: Vec<(usize, f64, f64)>,
    /// Speed of the preset's clock, 1 = as written.
    pub time_speed: f64,
    /// Gain on everything the preset hears, 1 = as it is.
    pub audio_gain: f32,
}

impl Default for Hooks {
    fn default() -> Self {
        Self { touched: Vec::new(), time_speed: 1.0, audio_gain: 1.0 }
    }
}

impl Hooks {
    /// Adds a factor and an offset to the per-frame variable `name`. False when there is no such variable.
    pub fn touch(&mut self, name: &str, factor: f64, offset: f64) -> bool {
        let Some(slot) = frame::NAMES.iter().position(|&known| known == name) else { return false };
        if slot >= frame::time {
            return false; // What the preset only reads is not ours to write.
        }
        self.touched.push((slot, factor, offset));
        true
    }

    /// Applies the hooks to the per-frame variables.
    pub(super) fn apply(&self, vars: &mut [f64]) {
        for &(slot, factor, offset) in &self.touched {
            vars[slot] = vars[slot] * factor + offset;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_writable_variables_can_be_touched() {
        let mut hooks = Hooks::default();
        assert!(hooks.touch("zoom", 1.1, 0.0));
        assert!(!hooks.touch("bass", 2.0, 0.0));
        assert!(!hooks.touch("no_such_thing", 2.0, 0.0));
        let mut vars = vec![1.0; 128];
        hooks.apply(&mut vars);
        assert_eq!(vars[frame::zoom], 1.1);
    }
}
