//! Which beat of four begins the bar: the one with a kick and without a snare, on average.

use super::comb::Slots;

/// How fast the opinion moves, per look.
const PACE: f32 = 0.03;

/// Opinion about each beat number modulo four.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bar {
    weight: [f32; 4],
    /// Set by the performer: it holds until the grid changes.
    begun: Option<u64>,
}

impl Bar {
    /// The performer says that the bar begins with beat `number`.
    pub fn begin(&mut self, number: u64) {
        self.begun = Some(number % 4);
    }

    /// Takes what fell on the beats, of which `number` was the last.
    pub fn look(&mut self, number: u64, slots: Slots) {
        for back in 0..4 {
            let beat = (number + 4 - back as u64) % 4;
            let opinion = slots.low[back] - slots.sharp[back];
            let weight = &mut self.weight[beat as usize];
            *weight += (opinion - *weight) * PACE;
        }
    }

    /// The downbeat's number modulo four, and how sure it is, 0..1.
    pub fn downbeat(&self) -> (u64, f32) {
        if let Some(begun) = self.begun {
            return (begun, 1.0);
        }
        let mut order = [0, 1, 2, 3];
        order.sort_unstable_by(|&a: &usize, &b| self.weight[b].total_cmp(&self.weight[a]));
        let lead = self.weight[order[0]] - self.weight[order[1]];
        (order[0] as u64, (lead * 4.0).clamp(0.0, 1.0))
    }
}
