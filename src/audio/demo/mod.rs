//! Built-in demo track: three minutes of original synthesised music.
//!
//! It contains ambient, techno, silence and rock, so that everything driven by audio can be shown and tested
//! without a file. The output is deterministic (noise is seeded). Each part is driven only by the number of
//! samples since its start, so the track can start anywhere at no cost.

mod ambient;
pub(crate) mod drums;
mod guitar;
mod part;
mod plan;
mod rock;
mod space;
mod techno;
pub(crate) mod tone;

use ambient::{Ambient, Role};
use part::PartFrame;
use rock::Rock;
use space::Hall;
use techno::Techno;
use tone::soft;

pub use plan::{HIGHLIGHT, LENGTH, PlanPassage, PlanSection, SECTIONS, section_at};

use crate::units::{SampleIndex, Seconds};

use super::source::Playhead;
use super::{Block, Frame, Pcm, SAMPLE_RATE_HZ, Source};

/// Feedback of the shared reverb, for a tail of about three seconds.
const HALL_FEEDBACK: f32 = 0.9;

/// The demo track, read as a [`Source`] or through [`Self::fill`].
pub struct DemoTrack {
    rate_hz: u32,
    /// Position in the track, in samples; wraps at the end.
    at: u64,
    opening: Ambient,
    techno: Techno,
    rock: Rock,
    closing: Ambient,
    hall: Hall,
    head: Playhead,
}

impl DemoTrack {
    /// Builds the track, positioned at its beginning; `rate_hz` is clamped to 8,000 to 192,000.
    pub fn new(rate_hz: u32) -> Self {
        let rate_hz = rate_hz.clamp(8_000, 192_000);
        let rate = rate_hz as f32;
        let closing_secs = (plan::LENGTH.0 - plan::CLOSING_START) as f32;
        Self {
            rate_hz,
            at: 0,
            opening: Ambient::new(rate, Role::Opening, plan::TECHNO_START as f32),
            techno: Techno::new(rate),
            rock: Rock::new(rate),
            closing: Ambient::new(rate, Role::Closing, closing_secs),
            hall: Hall::new(rate, HALL_FEEDBACK),
            head: Playhead::default(),
        }
    }

    /// Moves the start to `moment`, wrapped to the length of the track; [`HIGHLIGHT`] suits a short excerpt.
    pub fn starting_at(mut self, moment: Seconds) -> Self {
        self.at = self.samples(moment.0.rem_euclid(LENGTH.0));
        self
    }

    /// Fills `frames` with the next audio of the track, which repeats at its end.
    pub fn fill(&mut self, frames: &mut [Frame]) {
        for frame in frames {
            *frame = self.next();
        }
    }

    fn samples(&self, secs: f64) -> u64 {
        (secs * f64::from(self.rate_hz)).round() as u64
    }

    fn next(&mut self) -> Frame {
        let [techno, silence, rock, closing, end] =
            [plan::TECHNO_START, plan::SILENCE_START, plan::ROCK_START, plan::CLOSING_START, LENGTH.0]
                .map(|secs| self.samples(secs));
        let at = self.at;
        self.at = if at + 1 >= end { 0 } else { at + 1 };
        if (silence..rock).contains(&at) {
            if at == silence {
                self.hall = Hall::new(self.rate_hz as f32, HALL_FEEDBACK); // cuts the reverb tail of the drop
            }
            return [0.0; 2];
        }
        let sound = if at < techno {
            self.opening.next(at)
        } else if at < silence {
            self.techno.next(at - techno)
        } else if at < closing {
            self.rock.next(at - rock)
        } else {
            // The band's last chord rings under the closing pad.
            let (band, pad) = (self.rock.next(at - rock), self.closing.next(at - closing));
            let mix = |a: Frame, b: Frame| [a[0] + b[0], a[1] + b[1]];
            PartFrame { dry: mix(band.dry, pad.dry), hall: mix(band.hall, pad.hall) }
        };
        let hall = self.hall.next(sound.hall);
        let gain = self.fade(at, silence) * self.fade(at, end);
        [0, 1].map(|side| 0.96 * soft((sound.dry[side] + hall[side]) * 0.78) * gain)
    }

    /// Returns the gain at sample `at` of a fade-out during the last 0.7 s before `stop`; 1 after `stop`.
    fn fade(&self, at: u64, stop: u64) -> f32 {
        let left = stop.saturating_sub(at) as f32 / self.rate_hz as f32;
        if at > stop { 1.0 } else { tone::ramp(0.0, 0.7, left) }
    }
}

impl Source for DemoTrack {
    fn read(&mut self, now: Seconds, block: &mut Block) {
        debug_assert_eq!(self.rate_hz, SAMPLE_RATE_HZ, "a source runs at the common sample rate");
        block.start = SampleIndex(self.head.position());
        block.frames.clear();
        for _ in 0..self.head.due(now) {
            let frame = self.next();
            block.frames.push(frame);
        }
    }

    fn finished(&self) -> bool {
        false
    }

    fn name(&self) -> String {
        "Demo track".into()
    }
}

/// Renders the whole track at `rate_hz`.
pub fn render(rate_hz: u32) -> Pcm {
    render_start(rate_hz, LENGTH)
}

/// Renders the first `seconds` of the track at `rate_hz`, or all of it if it is shorter.
pub fn render_start(rate_hz: u32, seconds: Seconds) -> Pcm {
    let mut track = DemoTrack::new(rate_hz);
    let mut frames = vec![[0.0; 2]; track.samples(seconds.0.clamp(0.0, LENGTH.0)) as usize];
    track.fill(&mut frames);
    Pcm { rate_hz: track.rate_hz, frames }
}

#[cfg(test)]
mod tests;
