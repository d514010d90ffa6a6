//! When to change: the moments in the music that ask for it, and the beat they wait for.

use serde::{Deserialize, Serialize};

use super::scene_belief::SceneBelief;
use crate::analysis::{Features, Passage, Scene, Section};
use crate::units::Seconds;

/// Why the picture changes now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Moment {
    /// Another kind of music began.
    SceneChange,
    /// The energy came back at once.
    Drop,
    /// The music became more or less intense.
    EnergyJump,
    /// A phrase ended.
    PhraseEnd,
    /// It has been on air for long.
    LongEnough,
}

impl Moment {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::SceneChange => "another kind of music began",
            Self::Drop => "the drop",
            Self::EnergyJump => "the energy changed",
            Self::PhraseEnd => "a phrase ended",
            Self::LongEnough => "it was on air for long",
        }
    }

    /// Whether it is better to wait when the scene itself may be changing.
    fn can_wait(self) -> bool {
        match self {
            Self::SceneChange | Self::Drop => false,
            Self::EnergyJump | Self::PhraseEnd | Self::LongEnough => true,
        }
    }
}

/// Shortest time on air before anything but a hand may change the picture, seconds.
const SHORTEST_SECS: f64 = 4.0;
/// Longest that an unplaced change waits for a hit where there is no beat, seconds.
const HIT_WAIT_SECS: f64 = 2.0;
/// Strength of a hit that a change may fall on where there is no beat.
const HIT: f32 = 0.5;
/// Rise of the energy over its own average that asks for a change.
const JUMP: f32 = 0.2;
/// How sure the downbeat must be to be waited for.
const SURE_DOWNBEAT: f32 = 0.5;
/// Beats a change waits for the downbeat before any beat will do.
const DOWNBEAT_WAIT: f64 = 4.0;
/// How long the energy has to be another one, seconds: a fill is no change.
const LASTS_SECS: f64 = 1.2;
/// Energy this far from its own average is on its way to somewhere.
const UNSTEADY: f32 = 0.15;
/// A change that can wait is listened past for most of a bar, seconds: where a phrase ends other music may begin, and the
/// energy changes with it.
const LISTEN_SECS: f64 = 1.5;
/// A drop belongs to a piece that has played for a while, seconds; a sudden start is another piece.
const DROP_AFTER_SECS: f64 = 15.0;
/// Times the shortest stay after which the end of a phrase is taken.
const PHRASE_STAY: f64 = 1.2;
/// Times the longest stay after which a change waits for nothing but its beat.
const FORCED_STAY: f64 = 1.5;

/// This frame on the audio clock.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Clock {
    /// The moment on the audio clock.
    pub now: Seconds,
    /// How long the frame lasts, seconds.
    pub frame_secs: f64,
    /// How long the preset has been on air, seconds.
    pub on_air_secs: f64,
    /// How long presets stay, as a multiple of what suits the music.
    pub dwell: f64,
}

/// Watches the music for moments to change.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Timing {
    /// The scene the picture was chosen for, and the section at that time.
    since_cut: Option<(Scene, Section)>,
    belief: SceneBelief,
    passage: Passage,
    /// The drop has come with this very frame.
    dropped: bool,
    wanted: Option<(Moment, f64)>,
    /// How long the energy has been another one, seconds.
    other_energy_secs: f64,
}

impl Timing {
    /// Listens to a frame of `dt` seconds; every frame counts, also those in which nothing may change.
    pub fn hear(&mut self, heard: &Features, dt: f64) {
        self.belief.hear(&heard.scene, dt);
        self.dropped = heard.passage == Passage::Drop && self.passage != Passage::Drop;
        self.passage = heard.passage;
    }

    /// Whether the picture should change in the frame that was heard last, and why.
    pub fn step(&mut self, heard: &Features, clock: &Clock) -> Option<Moment> {
        let forced = clock.on_air_secs >= FORCED_STAY * stay(heard, clock.dwell).1;
        let waits = !forced && self.waits(heard);
        let passed = |moment: Moment| match moment {
            Moment::SceneChange => !self.other_scene(heard), // It was a guess, and another one now.
            moment => waits && moment.can_wait(),
        };
        self.wanted = self.wanted.filter(|(moment, _)| !passed(*moment));
        let moment = self.asks(heard, clock).filter(|moment| !(waits && moment.can_wait()));
        match (self.wanted, moment) {
            (None, Some(moment)) => self.wanted = Some((moment, clock.now.0)),
            // A scene change or a drop outweighs what merely had its time.
            (Some((wanted, _)), Some(moment)) if wanted.can_wait() && !moment.can_wait() => {
                self.wanted = Some((moment, clock.now.0));
            }
            (Some(_) | None, _) => {}
        }
        let (moment, since) = self.wanted?;
        let listens_secs = if moment.can_wait() && !forced { LISTEN_SECS } else { 0.0 };
        let waited_secs = clock.now.0 - since - listens_secs;
        (waited_secs >= 0.0 && self.placed(moment, waited_secs, heard, clock)).then_some(moment)
    }

    /// The picture changed, to one chosen for `scene`; the music as it is now is what the next change is measured against.
    pub fn cut(&mut self, scene: Scene, heard: &Features) {
        self.since_cut = Some((scene, heard.section));
        self.wanted = None;
        self.other_energy_secs = 0.0;
    }

    /// Nothing is wanted any more: the performer took over.
    pub fn forget(&mut self) {
        self.wanted = None;
    }

    /// Why a change is on its way, while one waits for its beat.
    pub fn waiting(&self) -> Option<Moment> {
        self.wanted.map(|(moment, _)| moment)
    }

    /// Whether a change that can wait has to: another kind of music may have begun, and its own change would follow at
    /// once. Techno without its beat is in a breakdown or at its end.
    fn waits(&self, heard: &Features) -> bool {
        let beat_gone = heard.scene.scene == Scene::Techno && !heard.beat.trusted();
        self.other_scene(heard) || beat_gone || !self.belief.calm()
    }

    /// Whether the picture was chosen for another kind of music.
    fn other_scene(&self, heard: &Features) -> bool {
        self.since_cut.is_some_and(|(scene, _)| scene != heard.scene.scene)
    }

    fn asks(&mut self, heard: &Features, clock: &Clock) -> Option<Moment> {
        let section = self.since_cut.map_or(heard.section, |(_, section)| section);
        let stayed = clock.on_air_secs;
        let (least, most) = stay(heard, clock.dwell);
        let jumped = heard.energy_fast.get() - heard.energy_slow.get() > JUMP;
        // In the middle of a fall or a rise nothing ends.
        let steady = (heard.energy_fast.get() - heard.energy_slow.get()).abs() < UNSTEADY;
        let has_drops = matches!(heard.scene.scene, Scene::Techno | Scene::Rock);
        let other_energy = section != heard.section || jumped;
        self.other_energy_secs = if other_energy { self.other_energy_secs + clock.frame_secs } else { 0.0 };
        let phrase_beats = heard.beat.phrase_bars as f32 * 4.0;
        let phrase_ends =
            heard.beat.trusted() && phrase_beats > 0.0 && phrase_beats - heard.beat.phrase_beats <= 1.0;
        match () {
            () if stayed < SHORTEST_SECS => None,
            // The end of the music is no music to rush to.
            () if self.other_scene(heard)
                && self.belief.followed()
                && (heard.scene.scene != Scene::None || stayed >= least) =>
            {
                Some(Moment::SceneChange)
            }
            () if self.dropped && has_drops && self.belief.settled(DROP_AFTER_SECS) => Some(Moment::Drop),
            () if stayed < least => None,
            () if self.other_energy_secs >= LASTS_SECS => Some(Moment::EnergyJump),
            () if !steady => None,
            () if phrase_ends && stayed >= PHRASE_STAY * least => Some(Moment::PhraseEnd),
            () if stayed >= most => Some(Moment::LongEnough),
            () => None,
        }
    }

    /// Whether this frame is the place for the change: the frame nearest to a beat where the beat is trusted, a hit
    /// otherwise.
    fn placed(&self, moment: Moment, waited_secs: f64, heard: &Features, clock: &Clock) -> bool {
        let grid = &heard.beat;
        if !grid.trusted() {
            return match moment {
                Moment::SceneChange | Moment::Drop | Moment::EnergyJump => true,
                Moment::PhraseEnd | Moment::LongEnough => {
                    heard.hit.get() >= HIT || heard.onset.get() >= HIT || waited_secs >= HIT_WAIT_SECS
                }
            };
        }
        let beats = grid.beats_at(clock.now);
        let nearest = beats.round();
        let off_secs = (beats - nearest) * grid.tempo.period().0;
        // The frame that holds the beat in its middle: never more than half a frame away.
        let on_beat = (-clock.frame_secs / 2.0..clock.frame_secs / 2.0).contains(&off_secs);
        let on_downbeat = (nearest as i64).rem_euclid(4) as u64 == grid.downbeat % 4;
        let waits = grid.downbeat_confidence.get() >= SURE_DOWNBEAT
            && waited_secs < DOWNBEAT_WAIT * grid.tempo.period().0;
        on_beat && (on_downbeat || !waits)
    }
}

/// Shortest and longest stay on air by itself, seconds: calm music changes slowly, and `dwell` times so.
fn stay(heard: &Features, dwell: f64) -> (f64, f64) {
    let (least, most) = match heard.scene.scene {
        Scene::Ambient => (18.0, 60.0),
        Scene::Techno => (10.0, 32.0),
        Scene::Rock => (12.0, 40.0),
        Scene::None => (15.0, 45.0),
    };
    let pace = match heard.section {
        Section::Calm => 1.2,
        Section::Groove => 1.0,
        Section::Peak => 0.8,
    };
    (least * pace * dwell, most * pace * dwell)
}
