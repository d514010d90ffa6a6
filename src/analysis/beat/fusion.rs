//! Combines the accents of the drums with the activations of the network.

use super::drums::Accent;
use crate::activation::Activation;

/// Hops by which the activations lag behind the accents.
pub const LAG: usize = 2;
/// Weight of the activations relative to the accents, which reach about 2.
const WEIGHT: f32 = 1.5;

/// Delay line that holds accents until their activations arrive, and adds the two.
pub struct Fusion {
    past: [Accent; LAG],
    at: usize,
}

impl Fusion {
    /// Builds an empty delay line.
    pub fn new() -> Self {
        Self { past: [Accent::default(); LAG], at: 0 }
    }

    /// Returns the accent of [`LAG`] hops ago, first alone and then combined with its activation.
    pub fn step(&mut self, accent: Accent, activation: Activation) -> (Accent, Accent) {
        let before = std::mem::replace(&mut self.past[self.at], accent);
        self.at = (self.at + 1) % LAG;
        let Activation { beat, downbeat, .. } = activation;
        (before, Accent { all: before.all + WEIGHT * beat, beat, downbeat, ..before })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn activations_meet_the_accents_of_their_own_hop() {
        let mut fusion = Fusion::new();
        for hop in 0..20 {
            let accent =
                if hop == 5 { Accent { all: 1.0, low: 1.0, ..Accent::default() } } else { Accent::default() };
            let beat = if hop == 5 + LAG { 0.8 } else { 0.0 };
            let (plain, fused) = fusion.step(accent, Activation { beat, downbeat: 0.5, presence: 1.0 });
            let expected = if hop == 5 + LAG { (1.0 + WEIGHT * 0.8, 1.0, 0.8) } else { (0.0, 0.0, 0.0) };
            assert_eq!((fused.all, fused.low, fused.beat), expected, "hop {hop}");
            assert_eq!((plain.all, plain.beat), (expected.1, 0.0), "hop {hop}");
        }
    }
}
