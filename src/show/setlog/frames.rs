//! The inputs of a live show, frame by frame: the frame time, the features that choices depend on, and
//! measurements of the picture. With these in its log, a show with variable frame times can be replayed
//! exactly.
//!
//! Serialised in columns, [`FRAMES_PER_ENTRY`] frames at a time; a constant column is a single value. An hour
//! takes about 15 MB.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use crate::analysis::{BeatGrid, Features, Passage, Scene, Section};
use crate::stage::PictureStats;
use crate::units::{Seconds, Tempo, Unipolar};

/// Number of frames per log entry: half a second at 60 Hz, so that no more than that is lost if the program
/// is killed.
pub const FRAMES_PER_ENTRY: usize = 30;
/// Maximum number of frames accepted in one entry; needed because, with constant columns, even a short line could claim
/// to contain any number of frames.
const MAX_FRAMES: usize = 256;

/// The inputs of one frame.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Frame {
    /// Seconds since the previous frame.
    pub dt: f64,
    /// The features of the music; those that no choice depends on are not stored in the log.
    pub features: Features,
    /// A new measurement of the picture, if there was one.
    pub picture_stats: Option<PictureStats>,
}

/// The values of one field in all frames of an entry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Column<T> {
    /// One value per frame.
    Each(Vec<T>),
    /// The same value in all frames.
    Same(T),
}

impl<T: Copy + PartialEq> Column<T> {
    fn of(values: impl Iterator<Item = T>) -> Self {
        let values: Vec<T> = values.collect();
        match values.first() {
            Some(&first) if values.iter().all(|value| *value == first) => Self::Same(first),
            _ => Self::Each(values),
        }
    }

    fn at(&self, frame: usize) -> Option<T> {
        match self {
            Self::Each(values) => values.get(frame).copied(),
            Self::Same(value) => Some(*value),
        }
    }
}

/// Parses the number of frames in an entry; fails if it exceeds [`MAX_FRAMES`].
fn frame_count<'de, D: Deserializer<'de>>(count: D) -> Result<usize, D::Error> {
    let count = usize::deserialize(count)?;
    if count > MAX_FRAMES {
        return Err(D::Error::custom(format!("{count} frames in one line; the maximum is {MAX_FRAMES}")));
    }
    Ok(count)
}

/// Generates [`Frames`] from its columns, each given by its name, its type, and its path in [`Features`].
macro_rules! columns {
    ($($(#[$attribute:meta])* $name:ident: $kind:ty = $($field:ident).+;)*) => {
        /// A series of frames, stored in columns.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        pub struct Frames {
            #[serde(deserialize_with = "frame_count")]
            count: usize,
            dt: Column<f64>,
            $($(#[$attribute])* $name: Column<$kind>,)*
            /// Measurements of the picture, each with the index of its frame.
            #[serde(rename = "glances", default, skip_serializing_if = "Vec::is_empty")]
            picture_stats: Vec<(usize, PictureStats)>,
        }

        impl Frames {
            /// Converts frames to columns.
            pub fn of(frames: &[Frame]) -> Self {
                let numbered = frames.iter().enumerate();
                Self {
                    count: frames.len(),
                    dt: Column::of(frames.iter().map(|frame| frame.dt)),
                    $($name: Column::of(frames.iter().map(|frame| frame.features.$($field).+)),)*
                    picture_stats: numbered.filter_map(|(at, frame)| Some((at, frame.picture_stats?))).collect(),
                }
            }

            /// Iterates over the frames; ends early if a column is too short.
            pub fn iter(&self) -> impl Iterator<Item = Frame> {
                (0..self.count).map_while(|at| {
                    let mut frame = Frame { dt: self.dt.at(at)?, ..Frame::default() };
                    $(frame.features.$($field).+ = self.$name.at(at)?;)*
                    frame.picture_stats = self.picture_stats.iter().find(|(of, _)| *of == at).map(|(_, stats)| *stats);
                    Some(frame)
                })
            }
        }
    };
}

/// Returns the column that logs without a metre stand for.
fn common_time() -> Column<u8> {
    Column::Same(BeatGrid::common_time())
}

columns! {
    heard_at: Seconds = at;
    silent: bool = silent;
    hit: Unipolar = hit;
    onset: Unipolar = onset;
    energy_fast: Unipolar = energy_fast;
    energy_slow: Unipolar = energy_slow;
    anchor: Seconds = beat.anchor;
    tempo: Tempo = beat.tempo;
    confidence: Unipolar = beat.confidence;
    anchor_beat: u64 = beat.anchor_beat;
    downbeat: u64 = beat.downbeat;
    downbeat_confidence: Unipolar = beat.downbeat_confidence;
    phrase_beats: f32 = beat.phrase_beats;
    phrase_bars: u32 = beat.phrase_bars;
    #[serde(default = "common_time")] beats_per_bar: u8 = beat.beats_per_bar;
    section: Section = section;
    passage: Passage = passage;
    scene: Scene = scene.scene;
    probabilities: [f32; 4] = scene.probabilities;
    since: Seconds = scene.since;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Rng;

    #[test]
    fn frames_survive_a_round_trip_bit_for_bit() {
        let mut rng = Rng::new(3);
        let frames: Vec<Frame> = (0..FRAMES_PER_ENTRY)
            .map(|at| {
                let mut features = Features { at: Seconds(rng.unit() * 1e4), ..Features::default() };
                features.energy_slow = Unipolar::new(rng.unit_f32());
                features.beat.tempo = Tempo::new(60.0 + 100.0 * rng.unit());
                features.beat.beats_per_bar = if at < 7 { 4 } else { 3 };
                features.scene.probabilities = [rng.unit_f32(), 0.25, rng.unit_f32(), 0.0];
                features.section = if at < 12 { Section::Calm } else { Section::Peak };
                let picture_stats =
                    (at % 6 == 0).then(|| PictureStats { luma: rng.unit_f32(), ..PictureStats::default() });
                Frame { dt: rng.unit() * 0.1, features, picture_stats }
            })
            .collect();
        let text = serde_json::to_string(&Frames::of(&frames)).expect("plain data");
        let back: Frames = serde_json::from_str(&text).expect("a round trip");
        assert_eq!(back.iter().collect::<Vec<_>>(), frames);
        assert!(text.contains(r#""silent":false,"#), "a column of one value: {text}");
    }

    #[test]
    fn frames_without_a_metre_have_four_beats_in_a_bar() {
        let text = serde_json::to_string(&Frames::of(&[Frame::default()])).expect("plain data");
        let old = text.replace(r#","beats_per_bar":4"#, "");
        assert!(old != text);
        let frames: Frames = serde_json::from_str(&old).expect("a log without the column");
        assert_eq!(frames.iter().next(), Some(Frame::default()));
    }

    #[test]
    fn an_entry_with_too_many_frames_is_rejected() {
        let text = serde_json::to_string(&Frames::of(&[Frame::default(); 2])).expect("plain data");
        assert!(serde_json::from_str::<Frames>(&text).is_ok());
        let claims = text.replacen("\"count\":2", "\"count\":18446744073709551615", 1);
        assert!(claims != text && serde_json::from_str::<Frames>(&claims).is_err());
    }
}
