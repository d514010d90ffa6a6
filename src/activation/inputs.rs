//! Inputs of the network: the logarithmic level of each band, and its deviation from the running mean of that band.
//!
//! The level shows what is loud. The deviation is not affected by equalisation, distance from the loudspeakers or
//! steady noise, which shift a band and its mean alike.

/// Number of hops in a frame.
const FRAME_HOPS: usize = 2;
/// Length of a frame, in seconds.
const FRAME_SECS: f32 = 0.02;
/// Offset added to the relative band powers before the logarithm, 50 dB below the reference power.
const FLOOR: f32 = 1e-5;
/// Further offset added to the mean power of a frame, as in training (`tests/tools/beats/features.py`).
const SMALLEST: f32 = 1e-8;
/// Time constant of the running mean of a band, in seconds.
const MEAN_SECS: f32 = 1.5;
/// Offset and scale of the levels, and scale of the deviations; they map both to about -1 to 1.
const LEVEL: (f32, f32) = (6.0, 0.25);
const DISTANCE: f32 = 0.5;

/// Band powers of the current frame, and the running means that normalise them.
pub(super) struct Inputs<const BANDS: usize> {
    power: [f32; BANDS],
    hops: usize,
    mean: [f32; BANDS],
    frames: u32,
}

impl<const BANDS: usize> Inputs<BANDS> {
    /// Builds empty inputs.
    pub fn new() -> Self {
        Self { power: [0.0; BANDS], hops: 0, mean: [0.0; BANDS], frames: 0 }
    }

    /// Adds the band powers of a hop, divided by the power `reference` and scaled by `gate`. On the last hop of a
    /// frame, writes the levels, followed by the deviations, to `out` and returns true.
    pub fn push(&mut self, bands: &[f32], reference: f32, gate: f32, out: &mut [f32]) -> bool {
        for (sum, power) in self.power.iter_mut().zip(bands) {
            *sum += power * gate / reference;
        }
        self.hops += 1;
        if self.hops < FRAME_HOPS {
            return false;
        }
        self.hops = 0;
        self.frames = self.frames.saturating_add(1);
        // The mean is a plain average until the frames span the time constant.
        let share = (1.0 - (-FRAME_SECS / MEAN_SECS).exp()).max(1.0 / self.frames as f32);
        let (levels, distances) = out.split_at_mut(BANDS);
        for (band, (level, distance)) in levels.iter_mut().zip(distances).enumerate() {
            let power = self.power[band] / FRAME_HOPS as f32 + SMALLEST + FLOOR;
            let log = power.ln();
            let mean = &mut self.mean[band];
            *mean += (log - *mean) * share;
            *level = (log + LEVEL.0) * LEVEL.1;
            *distance = (log - *mean) * DISTANCE;
        }
        self.power = [0.0; BANDS];
        true
    }
}
