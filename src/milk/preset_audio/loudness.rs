//! Bass, mid and treble levels relative to their recent average.

use super::sound::SPECTRUM_BINS;

/// Bin edges of bass, mid and treble; each band is a sixth of the spectrum.
const EDGES: [usize; 4] = [0, SPECTRUM_BINS / 6, SPECTRUM_BINS / 3, SPECTRUM_BINS / 2];
/// Number of initial frames during which the long-term average adapts faster.
const WARM_UP_FRAMES: u32 = 50;

/// Short-term and long-term averages of the three bands.
#[derive(Default)]
pub(super) struct Loudness {
    smoothed: [f32; 3],
    average: [f32; 3],
    frames: u32,
}

impl Loudness {
    /// Returns the levels of this frame and the smoothed levels, both relative to the long-term average (1 = average).
    pub fn update(&mut self, spectrum: &[[f32; SPECTRUM_BINS]; 2], elapsed: f64) -> ([f32; 3], [f32; 3]) {
        // Rates are per frame at 30 fps.
        let rate = |at_30_fps: f32| at_30_fps.powf(30.0 * elapsed.clamp(0.0, 1.0) as f32);
        let (mut now, mut smoothed) = ([1.0; 3], [1.0; 3]);
        for band in 0..3 {
            let bins = EDGES[band]..EDGES[band + 1];
            let level: f32 = spectrum.iter().map(|channel| channel[bins.clone()].iter().sum::<f32>()).sum();
            let keep = rate(if level > self.smoothed[band] { 0.2 } else { 0.5 });
            self.smoothed[band] = self.smoothed[band] * keep + level * (1.0 - keep);
            let keep = rate(if self.frames < WARM_UP_FRAMES { 0.9 } else { 0.992 });
            self.average[band] = self.average[band] * keep + level * (1.0 - keep);
            if self.average[band] >= 0.001 {
                now[band] = level / self.average[band];
                smoothed[band] = self.smoothed[band] / self.average[band];
            }
        }
        self.frames = self.frames.saturating_add(1);
        (now, smoothed)
    }
}
