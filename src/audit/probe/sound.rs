//! Music for a probe: passages of the demo track, unfiltered and split by frequency band, each checked to be
//! audible.

use anyhow::ensure;
use biquad::{Biquad as _, Coefficients, DirectForm2Transposed, Q_BUTTERWORTH_F32, ToHertz as _, Type};
use serde::{Deserialize, Serialize};

use crate::audio::demo::{DemoTrack, SECTIONS};
use crate::audio::{Frame, Level, SAMPLE_RATE_HZ};
use crate::units::Seconds;

/// RMS level, in dBFS, above which a passage counts as music.
const AUDIBLE_DBFS: f32 = -45.0;
/// Root mean square level, 0 to 1, that every frequency band is scaled to, so that reactions are comparable.
const BAND_RMS: f32 = 0.2;

/// Signal played during one frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ProbeSignal {
    /// The drop of the demo track.
    Techno,
    /// The drop, low-pass filtered at 180 Hz.
    Low,
    /// The drop, band-pass filtered from 300 Hz to 2.5 kHz.
    Mid,
    /// The drop, high-pass filtered at 4 kHz.
    High,
    /// The afterglow of the demo track.
    Ambient,
    /// Silence.
    Silence,
}

impl ProbeSignal {
    /// All signals in order, with their share of the measured frames, in 24ths.
    const PLAN: [(Self, usize); 6] = [
        (Self::Techno, 8),
        (Self::Low, 4),
        (Self::Mid, 4),
        (Self::High, 4),
        (Self::Ambient, 2),
        (Self::Silence, 2),
    ];
}

/// The sound of every frame of a probe.
pub struct ProbeSound {
    frames: Vec<(ProbeSignal, Vec<Frame>)>,
}

impl ProbeSound {
    /// Renders `warm_up` frames of techno, then `measured` frames divided among all signals in turn, at
    /// `fps`.
    pub fn new(warm_up: u32, measured: u32, fps: f64) -> anyhow::Result<Self> {
        let per_frame = (f64::from(SAMPLE_RATE_HZ) / fps).round() as usize;
        let measured = measured as usize;
        let mut signals = vec![ProbeSignal::Techno; warm_up as usize];
        let mut share = 0;
        for (signal, part) in ProbeSignal::PLAN {
            share += part;
            signals.resize(warm_up as usize + (measured * share).div_ceil(24), signal);
        }
        let length = signals.len() * per_frame;
        let techno = passage("drop", length);
        let band = |filters: &[Coefficients<f32>]| levelled(filtered(&techno, filters));
        let sources = [
            (ProbeSignal::Low, band(&[low_pass(180.0); 2])),
            (ProbeSignal::Mid, band(&[high_pass(300.0), low_pass(2500.0)])),
            (ProbeSignal::High, band(&[high_pass(4000.0); 2])),
            (ProbeSignal::Ambient, passage("afterglow", length)),
            (ProbeSignal::Techno, techno),
        ];
        for (signal, sound) in &sources {
            let level = Level::of(sound).rms_dbfs;
            ensure!(level > AUDIBLE_DBFS, "the {signal:?} passage is silent ({level:.0} dBFS)");
        }
        let frames = signals.into_iter().enumerate().map(|(number, signal)| {
            let part = number * per_frame..(number + 1) * per_frame;
            let source = sources.iter().find(|(name, _)| *name == signal);
            (signal, source.map_or_else(|| vec![[0.0; 2]; per_frame], |(_, sound)| sound[part].to_vec()))
        });
        Ok(Self { frames: frames.collect() })
    }

    /// Returns the samples of each frame.
    pub fn into_samples(self) -> Vec<Vec<Frame>> {
        self.frames.into_iter().map(|(_, samples)| samples).collect()
    }

    /// Returns the signal and the samples of each frame.
    pub fn frames(&self) -> impl Iterator<Item = (ProbeSignal, &[Frame])> {
        self.frames.iter().map(|(signal, sound)| (*signal, sound.as_slice()))
    }
}

/// Renders `length` audio frames of the demo track from the start of a section.
fn passage(section: &str, length: usize) -> Vec<Frame> {
    let start = SECTIONS.iter().find(|part| part.name == section).map_or(Seconds(0.0), |part| part.start);
    let mut sound = vec![[0.0; 2]; length];
    DemoTrack::new(SAMPLE_RATE_HZ).starting_at(start).fill(&mut sound);
    sound
}

fn filtered(sound: &[Frame], filters: &[Coefficients<f32>]) -> Vec<Frame> {
    let mut sound = sound.to_vec();
    for filter in filters {
        for side in 0..2 {
            let mut filter = DirectForm2Transposed::<f32>::new(*filter);
            sound.iter_mut().for_each(|frame| frame[side] = filter.run(frame[side]));
        }
    }
    sound
}

/// Scales a sound to the common level of the bands, [`BAND_RMS`], and clips it at full scale.
fn levelled(mut sound: Vec<Frame>) -> Vec<Frame> {
    let rms = 10.0_f32.powf(Level::of(&sound).rms_dbfs / 20.0);
    let gain = BAND_RMS / rms.max(1e-4);
    sound.iter_mut().flatten().for_each(|sample| *sample = (*sample * gain).clamp(-1.0, 1.0));
    sound
}

fn low_pass(hz: f32) -> Coefficients<f32> {
    coefficients(Type::LowPass, hz)
}

fn high_pass(hz: f32) -> Coefficients<f32> {
    coefficients(Type::HighPass, hz)
}

/// Returns the coefficients of a second-order Butterworth filter.
fn coefficients(kind: Type<f32>, hz: f32) -> Coefficients<f32> {
    Coefficients::from_params(kind, (SAMPLE_RATE_HZ as f32).hz(), hz.hz(), Q_BUTTERWORTH_F32)
        .expect("the bands end below the Nyquist frequency")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_signals_play_and_only_silence_is_silent() {
        let sound = ProbeSound::new(8, 24, 30.0).expect("audible");
        let signals: Vec<_> = sound.frames().map(|(signal, _)| signal).collect();
        assert_eq!(signals.len(), 32);
        for (signal, share) in ProbeSignal::PLAN {
            let warm_up = if signal == ProbeSignal::Techno { 8 } else { 0 };
            assert_eq!(signals.iter().filter(|&&h| h == signal).count(), share + warm_up, "{signal:?}");
        }
        for (signal, sound) in sound.frames() {
            let silent = sound.iter().all(|frame| *frame == [0.0; 2]);
            assert_eq!(silent, signal == ProbeSignal::Silence, "{signal:?}");
        }
    }

    #[test]
    fn a_band_keeps_its_frequencies_and_attenuates_others() {
        let sine = |hz: f32| -> Vec<Frame> {
            let at = |n| (std::f32::consts::TAU * hz * n as f32 / SAMPLE_RATE_HZ as f32).sin();
            (0..8820).map(|n| [at(n); 2]).collect()
        };
        let loudness = |hz, filter| Level::of(&filtered(&sine(hz), &[filter, filter])).rms_dbfs;
        assert!(loudness(60.0, low_pass(180.0)) > -5.0);
        assert!(loudness(2000.0, low_pass(180.0)) < -40.0);
        assert!(loudness(60.0, high_pass(4000.0)) < -40.0);
    }
}
