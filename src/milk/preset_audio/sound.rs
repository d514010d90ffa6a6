//! One frame of audio as presets see it.

/// Number of waveform samples per channel.
pub const WAVE_SAMPLES: usize = 576;
/// Number of spectrum bins per channel.
pub const SPECTRUM_BINS: usize = 512;
/// Number of samples left after alignment. The spectrum is computed from the same number of samples: the
/// oldest ones, before alignment.
pub(super) const ALIGNED_SAMPLES: usize = 480;

/// Waveform, spectrum and band levels of one frame.
#[derive(Clone, Debug)]
pub struct PresetAudio {
    /// Waveform, left and right, oldest sample first; full scale is -1 to 1. Samples from index 480
    /// (`ALIGNED_SAMPLES`) on are silence.
    pub wave: [[f32; WAVE_SAMPLES]; 2],
    /// Magnitude spectrum, left and right, low to high, for samples scaled to -128..127. The upper bins are boosted.
    pub spectrum: [[f32; SPECTRUM_BINS]; 2],
    /// Levels of bass, mid and treble relative to their recent averages; 1 = average.
    pub bands: [f32; 3],
    /// The same levels as `bands`, smoothed over time.
    pub bands_att: [f32; 3],
}

impl Default for PresetAudio {
    fn default() -> Self {
        Self {
            wave: [[0.0; WAVE_SAMPLES]; 2],
            spectrum: [[0.0; SPECTRUM_BINS]; 2],
            bands: [1.0; 3],
            bands_att: [1.0; 3],
        }
    }
}

impl PresetAudio {
    /// Returns a copy scaled by `gain`, a linear factor.
    pub fn with_gain(&self, gain: f32) -> Self {
        let mut louder = self.clone();
        louder.wave.as_flattened_mut().iter_mut().for_each(|sample| *sample *= gain);
        louder.spectrum.as_flattened_mut().iter_mut().for_each(|bin| *bin *= gain);
        louder.bands.iter_mut().chain(&mut louder.bands_att).for_each(|band| *band *= gain);
        louder
    }
}
