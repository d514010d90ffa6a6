//! Which beat of four begins the bar: what falls on and between its beats, compared with how bars usually go.

use super::cells::Ranges;

/// What falls on a beat, and half way to the next, for the four beats of a bar.
pub type BarView = [[Ranges; 2]; 4];

/// How each place of a bar speaks for it: on a beat and half way to the next; low, middle, high and sharp.
/// A conditional logit over the cells of annotated music against the same cells turned by one, two and three beats.
const USUAL: BarView = [
    [[0.04, -0.04, -0.05, -0.03], [-0.28, -0.36, -0.46, 0.37]],
    [[-0.32, 0.19, 0.07, 0.07], [0.09, -0.12, -0.68, -0.04]],
    [[0.34, -0.34, -0.22, -0.15], [0.09, 0.39, 0.34, -0.28]],
    [[-0.01, 0.19, 0.20, 0.10], [0.07, 0.28, 0.67, -0.15]],
];
/// How fast the opinion moves, per look.
const PACE: f32 = 0.05;
/// Softens the accents of bars in which hardly anything falls.
const LEAST: f32 = 0.02;

/// Opinion about each beat number modulo four.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bar {
    opinion: [f32; 4],
    /// Number of the beat with which the performer began a bar; it holds until the grid changes.
    begun: Option<u64>,
}

impl Bar {
    /// The performer says that the bar begins with beat `number`.
    pub fn begin(&mut self, number: u64) {
        self.begun = Some(number);
    }

    /// Takes what falls on the beats whose numbers modulo four are 0 to 3.
    pub fn look(&mut self, view: &BarView) {
        let mut mean = [LEAST; 4];
        for place in view.iter().flatten() {
            mean.iter_mut().zip(place).for_each(|(mean, value)| *mean += value / 8.0);
        }
        let mean = mean.iter().sum::<f32>() / 4.0;
        for (first, opinion) in self.opinion.iter_mut().enumerate() {
            let mut speaks = 0.0;
            for (beat, usual) in USUAL.iter().enumerate() {
                for (place, usual) in view[(first + beat) % 4].iter().zip(usual) {
                    speaks += place.iter().zip(usual).map(|(value, usual)| value * usual).sum::<f32>();
                }
            }
            *opinion += (speaks / mean - *opinion) * PACE;
        }
    }

    /// Number of a beat that begins a bar, as others four beats apart do, and how sure that is, 0..1.
    pub fn downbeat(&self) -> (u64, f32) {
        if let Some(begun) = self.begun {
            return (begun, 1.0);
        }
        let best = (0..4).fold(0, |best, n| if self.opinion[n] > self.opinion[best] { n } else { best });
        // Its share among the four, and nothing when all are alike.
        let all: f32 = self.opinion.iter().map(|opinion| (opinion - self.opinion[best]).exp()).sum();
        (best as u64, (1.0 / all - 0.25) / 0.75)
    }
}
