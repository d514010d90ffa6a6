//! When to cut: the musical events that request a cut, and the beat that the cut waits for.

use serde::{Deserialize, Serialize};

use super::scene_belief::SceneBelief;
use crate::analysis::{Features, Passage, Scene, Section};
use crate::units::Seconds;

/// Why a cut happens now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Moment {
    /// The scene changed.
    SceneChange,
    /// The energy returned after a breakdown or build.
    Drop,
    /// The music became more or less intense.
    EnergyJump,
    /// A musical phrase ended.
    PhraseEnd,
    /// The preset has been on air for its maximum time.
    LongEnough,
}

impl Moment {
    /// Returns the text shown to the performer.
    pub fn description(self) -> &'static str {
        match self {
            Self::SceneChange => "scene change",
            Self::Drop => "drop",
            Self::EnergyJump => "energy change",
            Self::PhraseEnd => "end of a phrase",
            Self::LongEnough => "maximum time on air",
        }
    }

    /// Returns whether the cut should be delayed while the scene may be changing.
    fn can_wait(self) -> bool {
        match self {
            Self::SceneChange | Self::Drop => false,
            Self::EnergyJump | Self::PhraseEnd | Self::LongEnough => true,
        }
    }
}

/// Minimum time on air before an automatic cut, in seconds.
const MIN_ON_AIR_SECS: f64 = 4.0;
/// Longest wait for a hit when there is no trusted beat, in seconds.
const HIT_WAIT_SECS: f64 = 2.0;
/// Minimum strength of a hit to cut on when there is no trusted beat.
const HIT: f32 = 0.5;
/// How far the energy must rise above its average to trigger a cut.
const JUMP: f32 = 0.2;
/// Minimum downbeat confidence to wait for a downbeat.
const SURE_DOWNBEAT: f32 = 0.5;
/// How long a new energy must last before it requests a cut, in seconds; a drum fill is shorter.
const NEW_ENERGY_SECS: f64 = 1.2;
/// Difference between the energy and its average at which it counts as rising or falling.
const UNSTEADY: f32 = 0.15;
/// Delay of a cut that can wait, in seconds (most of a bar): what looks like the end of a phrase or a change
/// of energy may turn out to be the start of a new scene.
const SETTLE_SECS: f64 = 1.5;
/// Minimum age of a scene for a drop to cause a cut, in seconds; an earlier drop is the sudden start of a new
/// track.
const DROP_AFTER_SECS: f64 = 15.0;
/// Multiple of the minimum dwell after which a phrase end requests a cut.
const PHRASE_DWELL: f64 = 1.2;
/// Multiple of the maximum dwell after which a cut waits only for its beat.
const FORCED_DWELL: f64 = 1.5;

/// The timing of the current frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Clock {
    /// Current time on the audio clock.
    pub now: Seconds,
    /// Duration of the frame, in seconds.
    pub frame_secs: f64,
    /// How long the preset has been on air, in seconds.
    pub on_air_secs: f64,
    /// How long presets stay on air, as a multiple of the automatic duration.
    pub dwell: f64,
}

/// The timing of cuts: follows the music and decides when to cut.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Timing {
    /// The scene that the current preset was chosen for, and the section at the last cut; `None` before the
    /// first cut.
    since_cut: Option<(Scene, Section)>,
    belief: SceneBelief,
    passage: Passage,
    /// Whether a drop began in this frame.
    dropped: bool,
    pending: Option<(Moment, f64)>,
    /// How long the section has differed from the one at the last cut, or the energy has been above its
    /// average by [`JUMP`], in seconds.
    other_energy_secs: f64,
}

impl Timing {
    /// Observes a frame of `dt` seconds; must be called for every frame, even if no cut is possible in it.
    pub fn observe(&mut self, features: &Features, dt: f64) {
        self.belief.observe(&features.scene, dt);
        self.dropped = features.passage == Passage::Drop && self.passage != Passage::Drop;
        self.passage = features.passage;
    }

    /// Returns the reason to cut in the frame observed last, or `None` if there should be no cut.
    pub fn step(&mut self, features: &Features, clock: &Clock) -> Option<Moment> {
        let forced = clock.on_air_secs >= FORCED_DWELL * dwell_limits(features, clock.dwell).1;
        let waits = !forced && self.must_wait(features);
        let passed = |moment: Moment| match moment {
            Moment::SceneChange => !self.other_scene(features), // The scene changed back.
            moment => waits && moment.can_wait(),
        };
        self.pending = self.pending.filter(|(moment, _)| !passed(*moment));
        let moment = self.find_moment(features, clock).filter(|moment| !(waits && moment.can_wait()));
        match (self.pending, moment) {
            (None, Some(moment)) => self.pending = Some((moment, clock.now.0)),
            // A scene change or a drop replaces a cut that can wait.
            (Some((pending, _)), Some(moment)) if pending.can_wait() && !moment.can_wait() => {
                self.pending = Some((moment, clock.now.0));
            }
            (Some(_) | None, _) => {}
        }
        let (moment, since) = self.pending?;
        let settle_secs = if moment.can_wait() && !forced { SETTLE_SECS } else { 0.0 };
        let waited_secs = clock.now.0 - since - settle_secs;
        (waited_secs >= 0.0 && self.is_due(moment, waited_secs, features, clock)).then_some(moment)
    }

    /// Records a cut to a preset chosen for `scene`; later sections are compared with the current one.
    pub fn cut(&mut self, scene: Scene, features: &Features) {
        self.since_cut = Some((scene, features.section));
        self.pending = None;
        self.other_energy_secs = 0.0;
    }

    /// Drops the pending cut; called while Auto is off, the preset is held or a crossfade is running.
    pub fn forget(&mut self) {
        self.pending = None;
    }

    /// Returns the reason for the pending cut, if any.
    pub fn waiting(&self) -> Option<Moment> {
        self.pending.map(|(moment, _)| moment)
    }

    /// Returns whether cuts that can wait must wait because a scene change may be under way, which would soon cause
    /// another cut. Techno without a trusted beat counts too: it is in a breakdown or ending.
    fn must_wait(&self, features: &Features) -> bool {
        let beat_gone = features.scene.scene == Scene::Techno && !features.beat.trusted();
        self.other_scene(features) || beat_gone || !self.belief.calm()
    }

    /// Returns whether the detected scene differs from the one that the preset was chosen for.
    fn other_scene(&self, features: &Features) -> bool {
        self.since_cut.is_some_and(|(scene, _)| scene != features.scene.scene)
    }

    fn find_moment(&mut self, features: &Features, clock: &Clock) -> Option<Moment> {
        let section = self.since_cut.map_or(features.section, |(_, section)| section);
        let stayed = clock.on_air_secs;
        let (least, most) = dwell_limits(features, clock.dwell);
        let jumped = features.energy_fast.get() - features.energy_slow.get() > JUMP;
        // No phrase ends during a rise or fall.
        let steady = (features.energy_fast.get() - features.energy_slow.get()).abs() < UNSTEADY;
        let has_drops = matches!(features.scene.scene, Scene::Techno | Scene::Rock);
        let other_energy = section != features.section || jumped;
        self.other_energy_secs = if other_energy { self.other_energy_secs + clock.frame_secs } else { 0.0 };
        let phrase_beats = features.beat.phrase_bars as f32 * f32::from(features.beat.beats_per_bar);
        let phrase_ends =
            features.beat.trusted() && phrase_beats > 0.0 && phrase_beats - features.beat.phrase_beats <= 1.0;
        match () {
            () if stayed < MIN_ON_AIR_SECS => None,
            // A cut for the end of the music is not urgent: it waits for the minimum dwell.
            () if self.other_scene(features)
                && self.belief.followed()
                && (features.scene.scene != Scene::None || stayed >= least) =>
            {
                Some(Moment::SceneChange)
            }
            () if self.dropped && has_drops && self.belief.settled(DROP_AFTER_SECS) => Some(Moment::Drop),
            () if stayed < least => None,
            () if self.other_energy_secs >= NEW_ENERGY_SECS => Some(Moment::EnergyJump),
            () if !steady => None,
            () if phrase_ends && stayed >= PHRASE_DWELL * least => Some(Moment::PhraseEnd),
            () if stayed >= most => Some(Moment::LongEnough),
            () => None,
        }
    }

    /// Returns whether to cut in this frame. With a trusted beat, a cut falls on the frame nearest to a beat; if the
    /// downbeat is known, the cut waits up to a bar for it. Without a trusted beat, it happens at
    /// once or on a hit, depending on the reason.
    fn is_due(&self, moment: Moment, waited_secs: f64, features: &Features, clock: &Clock) -> bool {
        let grid = &features.beat;
        if !grid.trusted() {
            return match moment {
                Moment::SceneChange | Moment::Drop | Moment::EnergyJump => true,
                Moment::PhraseEnd | Moment::LongEnough => {
                    features.hit.get() >= HIT || features.onset.get() >= HIT || waited_secs >= HIT_WAIT_SECS
                }
            };
        }
        let beats = grid.beats_at(clock.now);
        let nearest = beats.round();
        let off_secs = (beats - nearest) * grid.tempo.period().0;
        // The beat lies within half a frame of this frame.
        let on_beat = (-clock.frame_secs / 2.0..clock.frame_secs / 2.0).contains(&off_secs);
        let on_downbeat = grid.beat_of_bar(nearest as i64) == 0;
        let waits = grid.downbeat_confidence.get() >= SURE_DOWNBEAT
            && waited_secs < f64::from(grid.beats_per_bar) * grid.tempo.period().0;
        on_beat && (on_downbeat || !waits)
    }
}

/// Returns the minimum and maximum dwell in seconds, multiplied by `dwell`; shorter for more intense music.
fn dwell_limits(features: &Features, dwell: f64) -> (f64, f64) {
    let (least, most) = match features.scene.scene {
        Scene::Ambient => (18.0, 60.0),
        Scene::Techno => (10.0, 32.0),
        Scene::Rock => (12.0, 40.0),
        Scene::None => (15.0, 45.0),
    };
    let pace = match features.section {
        Section::Calm => 1.2,
        Section::Groove => 1.0,
        Section::Peak => 0.8,
    };
    (least * pace * dwell, most * pace * dwell)
}
