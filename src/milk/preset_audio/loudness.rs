//! Bass, middle and treble relative to the recent past, as presets expect them.

use super::SPECTRUM_BINS;

/// First bin of bass, mid and treble, and the end: each a sixth of the spectrum.
const EDGES: [usize; 4] = [0, SPECTRUM_BINS / 6, SPECTRUM_BINS / 3, SPECTRUM_BINS / 2];
/// Frames after which the long average slows down.
const WARM_UP_FRAMES: u32 = 50;

/// Followers of the three bands.
#[derive(Default)]
pub(super) struct Loudness {
    damped: [f32; 3],
    usual: [f32; 3],
    frames: u32,
}

impl Loudness {
    /// Loudness of both channels now and damped, each relative to what was usual lately (1 = usual).
    pub fn update(&mut self, spectrum: &[[f32; SPECTRUM_BINS]; 2], elapsed: f64) -> ([f32; 3], [f32; 3]) {
        // Rates are given at 30 frames a second.
        let rate = |at_30_fps: f32| at_30_fps.powf(30.0 * elapsed.clamp(0.0, 1.0) as f32);
        let (mut now, mut damped) = ([1.0; 3], [1.0; 3]);
        for band in 0..3 {
            let bins = EDGES[band]..EDGES[band + 1];
            let loud: f32 = spectrum.iter().map(|channel| channel[bins.clone()].iter().sum::<f32>()).sum();
            let keep = rate(if loud > self.damped[band] { 0.2 } else { 0.5 });
            self.damped[band] = self.damped[band] * keep + loud * (1.0 - keep);
            let keep = rate(if self.frames < WARM_UP_FRAMES { 0.9 } else { 0.992 });
            self.usual[band] = self.usual[band] * keep + loud * (1.0 - keep);
            if self.usual[band] >= 0.001 {
                now[band] = loud / self.usual[band];
                damped[band] = self.damped[band] / self.usual[band];
            }
        }
        self.frames = self.frames.saturating_add(1);
        (now, damped)
    }
}
