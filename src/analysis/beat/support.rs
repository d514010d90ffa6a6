//! Measures how well the activations of the network support a grid.

use super::grid::Count;

/// Length of the activation history in hops, 8 s.
const HISTORY: usize = 800;
/// Hops before and after a beat in which its activation may peak.
const BEFORE: usize = 2;
const AFTER: usize = 3;
const TOOTH: usize = BEFORE + 1 + AFTER;
/// Minimum number of beats in the history.
const MIN_BEATS: usize = 3;
/// Lower limit of the deviation, for activations close to zero.
const MIN_DEVIATION: f32 = 1e-3;
/// Smoothing factor of the presence per hop, for a time constant of two seconds.
const PRESENCE_SMOOTHING: f32 = 0.005;

/// Support of the activations for a grid.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Support {
    /// Mean activation on the beats, 0 to 1.
    pub level: f32,
    /// Distance of that mean from chance, in standard deviations.
    pub z: f32,
}

/// Beat activations of the last few seconds, and the smoothed presence of music with a beat.
pub struct ActivationHistory {
    /// Activations of the last hops; the oldest is at `hops % TOOTH`.
    recent: [f32; TOOTH],
    /// Peak around each hop; the peak around hop `n` is at `n % HISTORY`.
    peaks: Vec<f32>,
    hops: usize,
    mean: f32,
    deviation: f32,
    presence: f32,
}

impl ActivationHistory {
    /// Builds an empty history.
    pub fn new() -> Self {
        Self {
            recent: [0.0; TOOTH],
            peaks: vec![0.0; HISTORY],
            hops: 0,
            mean: 0.0,
            deviation: MIN_DEVIATION,
            presence: 0.5,
        }
    }

    /// Adds the beat activation and the presence of a hop.
    pub fn push(&mut self, beat: f32, presence: f32) {
        self.recent[self.hops % TOOTH] = beat;
        if let Some(centre) = self.hops.checked_sub(AFTER) {
            self.peaks[centre % HISTORY] = self.recent.iter().copied().fold(0.0, f32::max);
        }
        self.presence += (presence - self.presence) * PRESENCE_SMOOTHING;
        self.hops += 1;
    }

    /// Returns the number of hops with a known peak, at most [`HISTORY`].
    fn known(&self) -> usize {
        self.hops.saturating_sub(AFTER).min(HISTORY)
    }

    /// Recomputes the mean and standard deviation of the peaks.
    pub fn update(&mut self) {
        let known = &self.peaks[..self.known()];
        let count = known.len().max(1) as f32;
        self.mean = known.iter().sum::<f32>() / count;
        let square = known.iter().map(|peak| (peak - self.mean).powi(2)).sum::<f32>() / count;
        self.deviation = square.sqrt().max(MIN_DEVIATION);
    }

    /// Returns the probability that the last two seconds were music with a beat, 0 to 1.
    pub fn presence(&self) -> f32 {
        self.presence
    }

    /// Returns the support for the beats of a grid that lie in the history; the default (no support) with fewer than
    /// three beats.
    pub fn support(&self, grid: Count) -> Support {
        let newest = self.hops as f64 - 1.0 - AFTER as f64;
        let oldest = (self.hops as f64 - AFTER as f64 - self.known() as f64).max(0.0);
        let mut beat = grid.anchor + ((newest - grid.anchor) / grid.period).floor() * grid.period;
        let (mut sum, mut count) = (0.0, 0);
        while beat >= oldest {
            sum += self.peaks[beat.round() as usize % HISTORY];
            count += 1;
            beat -= grid.period;
        }
        if count < MIN_BEATS {
            return Support::default();
        }
        let level = sum / count as f32;
        Support { level, z: (level - self.mean) / self.deviation * (count as f32).sqrt() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grid_of_the_activations_has_the_most_support() {
        let mut history = ActivationHistory::new();
        for hop in 0..1_003 {
            let late = (hop + 50 - 7) % 50;
            history.push(if late < 2 { 0.8 } else { 0.05 }, 1.0);
        }
        history.update();
        let support = |anchor, period| history.support(Count { anchor, period, number: 0 });
        let right = support(957.0, 50.0);
        assert!((right.level - 0.8).abs() < 0.01 && right.z > 8.0, "{right:?}");
        for (name, wrong) in [("half a beat off", support(932.0, 50.0)), ("faster", support(957.0, 37.0))] {
            assert!(wrong.z < 0.4 * right.z && wrong.level < 0.5, "{name}: {wrong:?}");
        }
        let slower = support(957.0, 100.0);
        assert!((slower.z / right.z - 0.5_f32.sqrt()).abs() < 0.05, "{slower:?} {right:?}");
        assert_eq!(support(957.0, 400.0), Support::default(), "two beats are too few");
        assert!(history.presence() > 0.99);
    }
}
