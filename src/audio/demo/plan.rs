//! Timeline of the demo track, also used by tests and tools.

use crate::units::Seconds;

use super::{rock, techno};

/// Character of a section.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PlanPassage {
    /// Slow, without a beat.
    Ambient,
    /// Four on the floor.
    Techno,
    /// A rock band.
    Rock,
    /// Digital silence.
    Silence,
}

/// A named section of the track.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PlanSection {
    /// Short name of the section.
    pub name: &'static str,
    /// Character of the section.
    pub passage: PlanPassage,
    /// Start of the section.
    pub start: Seconds,
    /// End of the section, which is the start of the next one.
    pub end: Seconds,
    /// Tempo in beats per minute, with a beat at `start`; `None` for a section without a beat.
    pub bpm: Option<f64>,
}

impl PlanSection {
    /// Returns the length of the section.
    pub fn length(&self) -> Seconds {
        self.end - self.start
    }
}

/// Start of the techno part, in seconds.
pub(super) const TECHNO_START: f64 = 32.0;
const TECHNO_BAR: f64 = 240.0 / techno::BPM;
const TECHNO_END: f64 = TECHNO_START + TECHNO_BAR * techno::END as f64;
/// Start of the silence, in seconds: one second after the techno part, whose last beat rings until then.
pub(super) const SILENCE_START: f64 = TECHNO_END + 1.0;
pub(super) const ROCK_START: f64 = SILENCE_START + 3.0;
const ROCK_BAR: f64 = 240.0 / rock::BPM;
pub(super) const CLOSING_START: f64 = ROCK_START + ROCK_BAR * rock::END as f64;

/// Length of the track.
pub const LENGTH: Seconds = Seconds(CLOSING_START + 14.0);

/// Best start for a 20-second excerpt: seven seconds of build, then the drop.
pub const HIGHLIGHT: Seconds = Seconds(techno_bar(techno::BUILD));

const fn techno_bar(bar: u64) -> f64 {
    TECHNO_START + TECHNO_BAR * bar as f64
}

const fn rock_bar(bar: u64) -> f64 {
    ROCK_START + ROCK_BAR * bar as f64
}

const fn section(name: &'static str, passage: PlanPassage, start: f64, end: f64) -> PlanSection {
    let bpm = match passage {
        PlanPassage::Techno => Some(techno::BPM),
        PlanPassage::Rock => Some(rock::BPM),
        PlanPassage::Ambient | PlanPassage::Silence => None,
    };
    PlanSection { name, passage, start: Seconds(start), end: Seconds(end), bpm }
}

/// All sections in order, without gaps.
pub const SECTIONS: [PlanSection; 13] = [
    section("pads", PlanPassage::Ambient, 0.0, TECHNO_START),
    section("groove", PlanPassage::Techno, TECHNO_START, techno_bar(techno::ACID)),
    section("acid", PlanPassage::Techno, techno_bar(techno::ACID), techno_bar(techno::BREAKDOWN)),
    section("breakdown", PlanPassage::Techno, techno_bar(techno::BREAKDOWN), techno_bar(techno::BUILD)),
    section("build", PlanPassage::Techno, techno_bar(techno::BUILD), techno_bar(techno::DROP)),
    section("drop", PlanPassage::Techno, techno_bar(techno::DROP), SILENCE_START),
    section("silence", PlanPassage::Silence, SILENCE_START, ROCK_START),
    section("riff", PlanPassage::Rock, ROCK_START, rock_bar(rock::VERSE)),
    section("verse", PlanPassage::Rock, rock_bar(rock::VERSE), rock_bar(rock::CHORUS)),
    section("chorus", PlanPassage::Rock, rock_bar(rock::CHORUS), rock_bar(rock::BRIDGE)),
    section("bridge", PlanPassage::Rock, rock_bar(rock::BRIDGE), rock_bar(rock::FINALE)),
    section("finale", PlanPassage::Rock, rock_bar(rock::FINALE), CLOSING_START),
    section("afterglow", PlanPassage::Ambient, CLOSING_START, LENGTH.0),
];

/// Returns the section at `moment`; times past the end wrap around.
pub fn section_at(moment: Seconds) -> &'static PlanSection {
    let place = moment.0.rem_euclid(LENGTH.0);
    SECTIONS.iter().rev().find(|section| section.start.0 <= place).unwrap_or(&SECTIONS[0])
}
