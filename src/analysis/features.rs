//! What the house knows about the music at one moment: the one struct that leaves this room.

use serde::{Deserialize, Serialize};

use crate::units::{Phase, Seconds, Tempo, Unipolar};

/// Everything heard, at one moment of the audio clock. Small and plain: it crosses threads by newest-wins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Features {
    /// Moment on the audio clock that these values describe.
    pub at: Seconds,
    /// Nothing but silence reaches the house.
    pub silent: bool,
    /// The raw signal, for meters.
    pub level: Level,
    /// How loud each band feels after automatic gain; silence is 0.
    pub bands: Bands,
    /// The fast follower of hits (kick, snare, clap), 0 to 1.
    pub hit: Unipolar,
    /// Strength of the newest onset, 0 when there is none at this hop.
    pub onset: Unipolar,
    /// How fast the spectrum changes, 0 to 1.
    pub flux: Unipolar,
    /// Where the weight of the spectrum lies, 0 dark to 1 bright.
    pub centroid: Unipolar,
    /// 0 tonal to 1 noise.
    pub flatness: Unipolar,
    /// Energy over about a beat.
    pub energy_fast: Unipolar,
    /// Energy over about a bar or two.
    pub energy_slow: Unipolar,
    /// Where the music is in its beat and bar.
    pub beat: BeatGrid,
    /// How intense this passage is.
    pub section: Section,
    /// What the passage is doing right now.
    pub passage: Passage,
    /// What kind of music this is.
    pub scene: SceneView,
}

/// The raw input, unprocessed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Level {
    /// Root mean square of the last block, 0..1 of full scale.
    pub rms: f32,
    /// Largest sample of the last block, 0..1 of full scale.
    pub peak: f32,
    /// Momentary loudness in LUFS (EBU R128); below -70 is silence.
    pub loudness_lufs: f32,
}

/// Band envelopes after automatic gain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Bands {
    /// 20 to 60 Hz.
    pub sub_bass: Unipolar,
    /// 60 to 250 Hz.
    pub bass: Unipolar,
    /// 250 to 4,000 Hz.
    pub mid: Unipolar,
    /// 4,000 Hz and above.
    pub high: Unipolar,
}

/// The beat as a straight line through time: enough to know the phase at any moment.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct BeatGrid {
    /// A moment on which a beat falls.
    pub anchor: Seconds,
    /// How fast beats follow each other.
    pub tempo: Tempo,
    /// 0 none, below 0.5 not to be trusted, 1 sure.
    pub confidence: Unipolar,
    /// Number of the anchor's beat since the grid was found.
    pub anchor_beat: u64,
    /// Which beat number modulo four is the downbeat.
    pub downbeat: u64,
    /// How sure the downbeat is, 0 to 1.
    pub downbeat_confidence: Unipolar,
    /// Beats since the phrase began, when the grid is trusted; a phrase is 8, 16 or 32 bars.
    pub phrase_beats: f32,
    /// Length of the phrase in bars, 0 when unknown.
    pub phrase_bars: u32,
}

impl Default for BeatGrid {
    fn default() -> Self {
        Self {
            anchor: Seconds::ZERO,
            tempo: crate::units::DEFAULT_TEMPO,
            confidence: Unipolar::ZERO,
            anchor_beat: 0,
            downbeat: 0,
            downbeat_confidence: Unipolar::ZERO,
            phrase_beats: 0.0,
            phrase_bars: 0,
        }
    }
}

/// Confidence from which a beat may steer anything.
pub const TRUSTED_CONFIDENCE: f32 = 0.5;

impl BeatGrid {
    /// Whether the beat may be used to place a cut.
    pub fn trusted(&self) -> bool {
        self.confidence.get() >= TRUSTED_CONFIDENCE
    }

    /// Beats since the grid's beat number 0, at any moment; runs smoothly between hops.
    pub fn beats_at(&self, now: Seconds) -> f64 {
        self.anchor_beat as f64 + (now.0 - self.anchor.0) / self.tempo.period().0
    }

    /// Where `now` lies between two beats.
    pub fn at(&self, now: Seconds) -> Phase {
        Phase::new(self.beats_at(now))
    }

    /// The moment of the next beat strictly after `now`.
    pub fn next_beat(&self, now: Seconds) -> Seconds {
        let beat = self.beats_at(now).floor() + 1.0;
        Seconds(self.anchor.0 + (beat - self.anchor_beat as f64) * self.tempo.period().0)
    }
}

/// How intense a passage is; moves on energy alone, never needs a trusted beat.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Section {
    /// Little happens.
    #[default]
    Calm,
    /// It moves.
    Groove,
    /// Everything at once.
    Peak,
}

/// What a passage is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Passage {
    /// Nothing special.
    #[default]
    Steady,
    /// Tension rises.
    Build,
    /// The energy has just come back at once; true for about two seconds.
    Drop,
    /// The drums are gone, the piece goes on.
    Breakdown,
}

/// The kinds of music the house tells apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scene {
    /// Beatless, drifting.
    Ambient,
    /// Machines and a straight beat.
    Techno,
    /// A band.
    Rock,
    /// No music: silence, speech, noise.
    #[default]
    None,
}

impl Scene {
    /// Every scene, in the order of [`SceneView::probabilities`].
    pub const ALL: [Self; 4] = [Self::Ambient, Self::Techno, Self::Rock, Self::None];

    /// The label as written in files and on the desk.
    pub fn label(self) -> &'static str {
        match self {
            Self::Ambient => "ambient",
            Self::Techno => "techno",
            Self::Rock => "rock",
            Self::None => "none",
        }
    }
}

/// The scene decided on and how sure each one is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SceneView {
    /// The decision, after hysteresis.
    pub scene: Scene,
    /// Probability of each scene in the order of [`Scene::ALL`]; sums to 1 once decided.
    pub probabilities: [f32; 4],
    /// When the decision last changed.
    pub since: Seconds,
}
