//! Soft takeover: a knob takes effect only once it reaches or passes the current value, so that the value does not
//! jump.

/// Tolerance as a share of the range: a little over two steps of a 7-bit knob.
const NEAR: f32 = 0.02;

/// State of one knob.
#[derive(Clone, Copy, Debug, Default)]
pub struct SoftTakeover {
    /// Last position of the knob.
    last: Option<f32>,
    /// Last value that the knob set; `None` while it does not control the value.
    set: Option<f32>,
}

impl SoftTakeover {
    /// Handles a movement to `knob`; returns whether the knob controls the value, which is at `current`. Both
    /// are from 0 to 1.
    pub fn takes_hold(&mut self, knob: f32, current: f32) -> bool {
        // The knob keeps control until something else moves the value.
        let has_hold = self.set.is_some_and(|set| (set - current).abs() <= NEAR);
        let near = (knob - current).abs() <= NEAR;
        let passed = self.last.is_some_and(|last| (last - current) * (knob - current) <= 0.0);
        self.last = Some(knob);
        let takes_hold = has_hold || near || passed;
        self.set = takes_hold.then_some(knob);
        takes_hold
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_knob_acts_once_it_reaches_the_value() {
        let mut knob = SoftTakeover::default();
        assert!(!knob.takes_hold(0.1, 0.5));
        assert!(!knob.takes_hold(0.3, 0.5));
        assert!(knob.takes_hold(0.7, 0.5), "it passed the value");
        assert!(knob.takes_hold(0.9, 0.7), "it controls the value");
    }

    #[test]
    fn a_value_moved_by_others_must_be_reached_again() {
        let mut knob = SoftTakeover::default();
        assert!(knob.takes_hold(0.5, 0.5));
        assert!(!knob.takes_hold(0.55, 0.9));
        assert!(!knob.takes_hold(0.6, 0.9));
        assert!(knob.takes_hold(0.89, 0.9));
    }
}
