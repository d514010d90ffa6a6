//! Results of the analysis at one moment.

use serde::{Deserialize, Serialize};

use crate::units::{Phase, Seconds, Tempo, Unipolar};

/// Features of the music at one moment of the audio clock. A small `Copy` type, because threads exchange it
/// and use only the newest value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Features {
    /// Time on the audio clock.
    pub at: Seconds,
    /// Whether the input is silent.
    pub silent: bool,
    /// Level of the raw signal, for meters.
    pub level: Level,
    /// Band envelopes after automatic gain, 0 in silence.
    pub bands: Bands,
    /// Fast envelope of hits (kick, snare, clap), 0 to 1.
    pub hit: Unipolar,
    /// Onset strength of the latest hop, 0 to 1; 0 without an onset.
    pub onset: Unipolar,
    /// Rate of spectral change, 0 to 1.
    pub flux: Unipolar,
    /// Spectral centroid, 0 dark to 1 bright.
    pub centroid: Unipolar,
    /// Spectral flatness, 0 tonal to 1 noise.
    pub flatness: Unipolar,
    /// Energy over about a beat.
    pub energy_fast: Unipolar,
    /// Energy over about two bars.
    pub energy_slow: Unipolar,
    /// Beat, bar and phrase position.
    pub beat: BeatGrid,
    /// Energy of the passage: calm, groove or peak.
    pub section: Section,
    /// Structural role of the passage.
    pub passage: Passage,
    /// The kind of music, with probabilities.
    pub scene: SceneView,
}

/// Level of the raw input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Level {
    /// Root mean square of the last block; 1 is full scale.
    pub rms: f32,
    /// Largest absolute sample of the last block; 1 is full scale.
    pub peak: f32,
    /// Momentary loudness in LUFS (EBU R128); values below -70 mean silence.
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

/// Beat grid with a constant tempo, which gives the beat phase at any time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct BeatGrid {
    /// Time of beat number `anchor_beat`.
    pub anchor: Seconds,
    /// Tempo of the grid.
    pub tempo: Tempo,
    /// Confidence in the grid, from 0 (no beat) to 1 (certain); the grid is used at [`TRUSTED_CONFIDENCE`] and above.
    pub confidence: Unipolar,
    /// Number of the beat at `anchor`, counted since the grid was found.
    pub anchor_beat: u64,
    /// Beat number of the downbeat, modulo the number of beats in a bar.
    pub downbeat: u64,
    /// Confidence in the downbeat, 0 to 1.
    pub downbeat_confidence: Unipolar,
    /// Number of beats in a bar.
    #[serde(default = "BeatGrid::common_time")]
    pub beats_per_bar: u8,
    /// Beats from the start of the phrase to `anchor`; 0 while the grid is not trusted.
    pub phrase_beats: f32,
    /// Length of the phrase in bars: the shortest of 8, 16 and 32 that is not over yet; 0 while the grid is
    /// not trusted.
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
            beats_per_bar: Self::common_time(),
            phrase_beats: 0.0,
            phrase_bars: 0,
        }
    }
}

/// Minimum confidence at which the beat grid is used.
pub const TRUSTED_CONFIDENCE: f32 = 0.5;

impl BeatGrid {
    /// Returns whether the confidence is high enough to place a cut on a beat.
    pub fn trusted(&self) -> bool {
        self.confidence.get() >= TRUSTED_CONFIDENCE
    }

    /// Returns the number of beats in a bar of common time, four.
    pub const fn common_time() -> u8 {
        4
    }

    /// Returns the position of beat `number` in its bar; 0 is the downbeat.
    pub fn beat_of_bar(&self, number: i64) -> u8 {
        let bar = i64::from(self.beats_per_bar.max(1));
        let downbeat = (self.downbeat % bar as u64) as i64;
        (number.rem_euclid(bar) - downbeat).rem_euclid(bar) as u8
    }

    /// Returns the number of beats from beat 0 to `now`, including the fraction of the current beat.
    pub fn beats_at(&self, now: Seconds) -> f64 {
        self.anchor_beat as f64 + (now.0 - self.anchor.0) / self.tempo.period().0
    }

    /// Returns the beat phase at `now`.
    pub fn at(&self, now: Seconds) -> Phase {
        Phase::new(self.beats_at(now))
    }

    /// Returns the time of the first beat strictly after `now`.
    pub fn next_beat(&self, now: Seconds) -> Seconds {
        let beat = self.beats_at(now).floor() + 1.0;
        Seconds(self.anchor.0 + (beat - self.anchor_beat as f64) * self.tempo.period().0)
    }
}

/// Energy of a passage, as shown on the desk. Does not depend on the beat.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Section {
    /// Low-energy music.
    #[default]
    Calm,
    /// Medium-energy music.
    Groove,
    /// High-energy music.
    Peak,
}

/// Structural role of a passage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Passage {
    /// No change is under way.
    #[default]
    Steady,
    /// Tension is rising.
    Build,
    /// The drums have just returned; lasts about two seconds.
    Drop,
    /// The drums are gone while the music continues.
    Breakdown,
}

/// A kind of music.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scene {
    /// Beatless, slowly evolving music.
    Ambient,
    /// Electronic music with a steady beat.
    Techno,
    /// Live-band music.
    Rock,
    /// No music: silence, speech or noise.
    #[default]
    None,
}

impl Scene {
    /// Every scene, in the order of [`SceneView::probabilities`].
    pub const ALL: [Self; 4] = [Self::Ambient, Self::Techno, Self::Rock, Self::None];

    /// Returns the word used in files and messages.
    pub fn label(self) -> &'static str {
        match self {
            Self::Ambient => "ambient",
            Self::Techno => "techno",
            Self::Rock => "rock",
            Self::None => "none",
        }
    }

    /// Returns the label shown on the desk.
    pub fn title(self) -> &'static str {
        match self {
            Self::Ambient => "Ambient",
            Self::Techno => "Techno",
            Self::Rock => "Rock",
            Self::None => "No music",
        }
    }
}

/// Current scene and the probability of each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SceneView {
    /// The scene after hysteresis.
    pub scene: Scene,
    /// Probability of each scene in the order of [`Scene::ALL`]; sums to 1 after the first decision.
    pub probabilities: [f32; 4],
    /// Time of the last scene change.
    pub since: Seconds,
}

impl SceneView {
    /// Returns the probability of techno or rock, the scenes with a beat.
    pub fn rhythmic(&self) -> f32 {
        let [_, techno, rock, _] = self.probabilities;
        techno + rock
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beats_are_counted_from_the_downbeat_in_any_metre() {
        let grid = BeatGrid { downbeat: 2, beats_per_bar: 3, ..BeatGrid::default() };
        assert_eq!([-1, 0, 1, 2, 3, 5].map(|number| grid.beat_of_bar(number)), [0, 1, 2, 0, 1, 0]);
        let wild = BeatGrid { downbeat: u64::MAX, beats_per_bar: 0, ..BeatGrid::default() };
        assert_eq!(wild.beat_of_bar(i64::MIN), 0);
    }

    #[test]
    fn a_grid_without_a_metre_has_four_beats_in_a_bar() {
        let mut grid = serde_json::to_value(BeatGrid { beats_per_bar: 7, ..BeatGrid::default() }).unwrap();
        assert_eq!(grid["beats_per_bar"], 7);
        grid.as_object_mut().unwrap().remove("beats_per_bar");
        assert_eq!(serde_json::from_value::<BeatGrid>(grid).unwrap(), BeatGrid::default());
    }
}
