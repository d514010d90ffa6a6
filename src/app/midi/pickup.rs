//! Pick-up: a knob that is not where its value is takes hold only when it passes it, so that nothing jumps.

/// How near is near enough, as a share of the whole range: a little over two steps of a 7-bit knob.
const NEAR: f32 = 0.02;

/// What one knob did last.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pickup {
    /// Where it stood.
    last: Option<f32>,
    /// What it last set, while it has hold.
    set: Option<f32>,
}

impl Pickup {
    /// Whether the knob, now at `knob`, takes hold of a value that stands at `current`; both 0 to 1.
    pub fn takes_hold(&mut self, knob: f32, current: f32) -> bool {
        // It keeps hold as long as nobody else moved the value.
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
    fn a_knob_takes_hold_where_the_value_is() {
        let mut knob = Pickup::default();
        assert!(!knob.takes_hold(0.1, 0.5));
        assert!(!knob.takes_hold(0.3, 0.5));
        assert!(knob.takes_hold(0.7, 0.5), "it passed the value");
        assert!(knob.takes_hold(0.9, 0.7), "it has hold");
    }

    #[test]
    fn a_value_moved_by_others_must_be_picked_up_again() {
        let mut knob = Pickup::default();
        assert!(knob.takes_hold(0.5, 0.5));
        assert!(!knob.takes_hold(0.55, 0.9));
        assert!(!knob.takes_hold(0.6, 0.9));
        assert!(knob.takes_hold(0.89, 0.9));
    }
}
