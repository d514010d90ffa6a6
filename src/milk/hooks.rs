//! Hands inside a running preset: a factor and an offset on every per-frame variable, or an exponent.
//!
//! The macros reach the preset through these; at rest every factor and exponent is 1 and every offset 0.

use smallvec::SmallVec;

use super::names::frame;

/// Variables the macros touch at once; more than these cost an allocation.
const USUAL_TOUCHES: usize = 8;

/// What the macros do to one deck's preset this frame.
#[derive(Clone, Debug, PartialEq)]
pub struct Hooks {
    /// Applied after per-frame code, in this order: the variable's slot and what happens to it.
    touched: SmallVec<[(usize, Touch); USUAL_TOUCHES]>,
    /// Speed of the preset's clock, 1 = as written.
    pub time_speed: f64,
    /// Gain on everything the preset hears, 1 = as it is.
    pub audio_gain: f32,
}

/// What happens to one variable.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Touch {
    Line { factor: f64, offset: f64 },
    Power(f64),
}

impl Default for Hooks {
    fn default() -> Self {
        Self { touched: SmallVec::new(), time_speed: 1.0, audio_gain: 1.0 }
    }
}

impl Hooks {
    /// Adds a factor and an offset to the per-frame variable `name`. False when there is no such variable.
    pub fn touch(&mut self, name: &str, factor: f64, offset: f64) -> bool {
        self.add(name, Touch::Line { factor, offset })
    }

    /// Raises the per-frame variable `name` to `exponent`, for what rests at 1 and multiplies, as zoom does. Values of
    /// 0 and below stay as they are. False when there is no such variable.
    pub fn bend(&mut self, name: &str, exponent: f64) -> bool {
        self.add(name, Touch::Power(exponent))
    }

    fn add(&mut self, name: &str, touch: Touch) -> bool {
        let Some(slot) = frame::NAMES.iter().position(|&known| known == name) else { return false };
        if slot >= frame::time {
            return false; // What the preset only reads is not ours to write.
        }
        self.touched.push((slot, touch));
        true
    }

    /// Applies the hooks to the per-frame variables.
    pub(super) fn apply(&self, vars: &mut [f64]) {
        for &(slot, touch) in &self.touched {
            vars[slot] = match touch {
                Touch::Line { factor, offset } => vars[slot] * factor + offset,
                Touch::Power(exponent) if vars[slot] > 0.0 => vars[slot].powf(exponent),
                Touch::Power(_) => vars[slot],
            };
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

    #[test]
    fn an_exponent_keeps_rest_and_sign() {
        let mut hooks = Hooks::default();
        assert!(hooks.bend("zoom", 2.0) && hooks.bend("zoomexp", 2.0) && hooks.bend("rot", 2.0));
        let mut vars = vec![1.0; 128];
        (vars[frame::zoomexp], vars[frame::rot]) = (0.9, -0.3);
        hooks.apply(&mut vars);
        assert_eq!([vars[frame::zoom], vars[frame::zoomexp], vars[frame::rot]], [1.0, 0.9 * 0.9, -0.3]);
    }
}
