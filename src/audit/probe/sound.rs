//! What presets hear while they are probed: passages of the demo track, whole and band by band, known not to be silent.

use anyhow::ensure;
use biquad::{Biquad as _, Coefficients, DirectForm2Transposed, Q_BUTTERWORTH_F32, ToHertz as _, Type};
use serde::{Deserialize, Serialize};

use crate::audio::demo::{DemoTrack, SECTIONS};
use crate::audio::{Frame, HOUSE_RATE_HZ, Level};
use crate::units::Seconds;

/// Quietest passage that counts as music, dBFS.
const AUDIBLE_DBFS: f32 = -45.0;
/// Level every single band is brought to, so that reactions can be compared, root mean square.
const BAND_RMS: f32 = 0.2;

/// What is heard in one frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ProbeSignal {
    /// The drop of the demo track.
    Techno,
    /// Only what of it lies below 180 Hz.
    Low,
    /// Only 300 Hz to 2.5 kHz.
    Mid,
    /// Only what lies above 4 kHz.
    High,
    /// The pads.
    Ambient,
    /// Nothing.
    Silence,
}

impl ProbeSignal {
    /// Everything, in the order it is heard, with its share of the sampled frames in 24ths.
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
    /// Sound for `warm_up` frames of techno and `sampled` frames of everything in turn, at `fps`.
    pub fn new(warm_up: u32, sampled: u32, fps: f64) -> anyhow::Result<Self> {
        let per_frame = (f64::from(HOUSE_RATE_HZ) / fps).round() as usize;
        let sampled = sampled as usize;
        let mut heard = vec![ProbeSignal::Techno; warm_up as usize];
        let mut share = 0;
        for (hearing, part) in ProbeSignal::PLAN {
            share += part;
            heard.resize(warm_up as usize + (sampled * share).div_ceil(24), hearing);
        }
        let length = heard.len() * per_frame;
        let techno = passage("drop", length);
        let band = |filters: &[Coefficients<f32>]| levelled(filtered(&techno, filters));
        let sources = [
            (ProbeSignal::Low, band(&[low_pass(180.0); 2])),
            (ProbeSignal::Mid, band(&[high_pass(300.0), low_pass(2500.0)])),
            (ProbeSignal::High, band(&[high_pass(4000.0); 2])),
            (ProbeSignal::Ambient, passage("afterglow", length)),
            (ProbeSignal::Techno, techno),
        ];
        for (hearing, sound) in &sources {
            let level = Level::of(sound).rms_dbfs;
            ensure!(
                level > AUDIBLE_DBFS,
                "the {hearing:?} passage is silent ({level:.0} dBFS); nothing is judged"
            );
        }
        let frames = heard.into_iter().enumerate().map(|(number, hearing)| {
            let part = number * per_frame..(number + 1) * per_frame;
            let source = sources.iter().find(|(name, _)| *name == hearing);
            (hearing, source.map_or_else(|| vec![[0.0; 2]; per_frame], |(_, sound)| sound[part].to_vec()))
        });
        Ok(Self { frames: frames.collect() })
    }

    /// What each frame hears, in order.
    pub fn frames(&self) -> impl Iterator<Item = (ProbeSignal, &[Frame])> {
        self.frames.iter().map(|(hearing, sound)| (*hearing, sound.as_slice()))
    }
}

/// A stretch of the demo track from the beginning of a section.
fn passage(section: &str, length: usize) -> Vec<Frame> {
    let start = SECTIONS.iter().find(|part| part.name == section).map_or(Seconds(0.0), |part| part.start);
    let mut sound = vec![[0.0; 2]; length];
    DemoTrack::new(HOUSE_RATE_HZ).starting_at(start).fill(&mut sound);
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

/// The same sound at the level all bands are compared at.
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

/// A Butterworth filter of second order.
fn coefficients(kind: Type<f32>, hz: f32) -> Coefficients<f32> {
    Coefficients::from_params(kind, (HOUSE_RATE_HZ as f32).hz(), hz.hz(), Q_BUTTERWORTH_F32)
        .expect("the bands end below the Nyquist frequency")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_heard_and_silence_is_silent() {
        let sound = ProbeSound::new(8, 24, 30.0).expect("audible");
        let heard: Vec<_> = sound.frames().map(|(hearing, _)| hearing).collect();
        assert_eq!(heard.len(), 32);
        for (hearing, share) in ProbeSignal::PLAN {
            let warm_up = if hearing == ProbeSignal::Techno { 8 } else { 0 };
            assert_eq!(heard.iter().filter(|&&h| h == hearing).count(), share + warm_up, "{hearing:?}");
        }
        for (hearing, sound) in sound.frames() {
            let silent = sound.iter().all(|frame| *frame == [0.0; 2]);
            assert_eq!(silent, hearing == ProbeSignal::Silence, "{hearing:?}");
        }
    }

    #[test]
    fn a_band_keeps_its_own_notes_and_loses_the_others() {
        let sine = |hz: f32| -> Vec<Frame> {
            let at = |n| (std::f32::consts::TAU * hz * n as f32 / HOUSE_RATE_HZ as f32).sin();
            (0..8820).map(|n| [at(n); 2]).collect()
        };
        let loudness = |hz, filter| Level::of(&filtered(&sine(hz), &[filter, filter])).rms_dbfs;
        assert!(loudness(60.0, low_pass(180.0)) > -5.0);
        assert!(loudness(2000.0, low_pass(180.0)) < -40.0);
        assert!(loudness(60.0, high_pass(4000.0)) < -40.0);
    }
}
