//! What a preset hears in one frame.

/// Samples of waveform a preset sees per channel.
pub const WAVE_SAMPLES: usize = 576;
/// Bins of spectrum a preset sees per channel.
pub const SPECTRUM_BINS: usize = 512;

/// The sound of one frame as presets see it: waveform, spectrum and loudness relative to the recent past.
#[derive(Clone, Debug)]
pub struct Heard {
    /// Waveform, left and right, -1..1, oldest sample first.
    pub wave: [[f32; WAVE_SAMPLES]; 2],
    /// Magnitude spectrum, left and right, low to high.
    pub spectrum: [[f32; SPECTRUM_BINS]; 2],
    /// Bass, mid and treble now, 1 = usual.
    pub bands: [f32; 3],
    /// The same, damped.
    pub bands_att: [f32; 3],
}

impl Default for Heard {
    fn default() -> Self {
        Self {
            wave: [[0.0; WAVE_SAMPLES]; 2],
            spectrum: [[0.0; SPECTRUM_BINS]; 2],
            bands: [1.0; 3],
            bands_att: [1.0; 3],
        }
    }
}
