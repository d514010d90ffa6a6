//! What a live show was given frame by frame: how long each frame lasted and what was heard in it, as far as choices
//! depend on it. With these in its log a show whose frames had no fixed length can be played again exactly.
//!
//! Written in columns, some frames at a time; a column that stays the same is one value. About 15 MB an hour.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use crate::analysis::{Features, Passage, Scene, Section};
use crate::stage::PictureStats;
use crate::units::{Seconds, Tempo, Unipolar};

/// Frames written together: half a second of them, so that little is lost when the program is stopped.
pub const TOGETHER: usize = 30;
/// Most frames one line may hold when it is read: columns of one value cost nothing to claim.
const MAX_TOGETHER: usize = 256;

/// One frame.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Frame {
    /// Seconds since the frame before.
    pub dt: f64,
    /// What was heard; what no choice depends on is left out.
    pub features: Features,
    /// What a look at the picture told, if there was one.
    pub picture_stats: Option<PictureStats>,
}

/// Values of one kind, frame by frame.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Column<T> {
    /// One for each frame.
    Each(Vec<T>),
    /// The same in all of them.
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

/// A number of frames that one line can hold.
fn believable<'de, D: Deserializer<'de>>(count: D) -> Result<usize, D::Error> {
    let count = usize::deserialize(count)?;
    if count > MAX_TOGETHER {
        return Err(D::Error::custom(format!("{count} frames in one line; the most is {MAX_TOGETHER}")));
    }
    Ok(count)
}

/// Makes the table of columns: name, kind, and the place in [`Features`].
macro_rules! columns {
    ($($name:ident: $kind:ty = $($place:ident).+;)*) => {
        /// Some frames in columns.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        pub struct Frames {
            #[serde(deserialize_with = "believable")]
            count: usize,
            dt: Column<f64>,
            $($name: Column<$kind>,)*
            /// Looks at the picture, with the number of their frame among these.
            #[serde(default, skip_serializing_if = "Vec::is_empty")]
            glances: Vec<(usize, PictureStats)>,
        }

        impl Frames {
            /// These frames.
            pub fn of(frames: &[Frame]) -> Self {
                let glances = frames.iter().enumerate();
                Self {
                    count: frames.len(),
                    dt: Column::of(frames.iter().map(|frame| frame.dt)),
                    $($name: Column::of(frames.iter().map(|frame| frame.features.$($place).+)),)*
                    glances: glances.filter_map(|(at, frame)| Some((at, frame.picture_stats?))).collect(),
                }
            }

            /// The frames one by one; columns that are too short end them.
            pub fn iter(&self) -> impl Iterator<Item = Frame> {
                (0..self.count).map_while(|at| {
                    let mut frame = Frame { dt: self.dt.at(at)?, ..Frame::default() };
                    $(frame.features.$($place).+ = self.$name.at(at)?;)*
                    frame.picture_stats = self.glances.iter().find(|(of, _)| *of == at).map(|(_, stats)| *stats);
                    Some(frame)
                })
            }
        }
    };
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
    fn frames_come_back_to_the_last_bit() {
        let mut rng = Rng::new(3);
        let frames: Vec<Frame> = (0..TOGETHER)
            .map(|at| {
                let mut features = Features { at: Seconds(rng.unit() * 1e4), ..Features::default() };
                features.energy_slow = Unipolar::new(rng.unit_f32());
                features.beat.tempo = Tempo::new(60.0 + 100.0 * rng.unit());
                features.scene.probabilities = [rng.unit_f32(), 0.25, rng.unit_f32(), 0.0];
                features.section = if at < 12 { Section::Calm } else { Section::Peak };
                let picture_stats =
                    (at % 6 == 0).then(|| PictureStats { luma: rng.unit_f32(), ..PictureStats::default() });
                Frame { dt: rng.unit() * 0.1, features, picture_stats }
            })
            .collect();
        let text = serde_json::to_string(&Frames::of(&frames)).expect("plain data");
        let back: Frames = serde_json::from_str(&text).expect("what was written");
        assert_eq!(back.iter().collect::<Vec<_>>(), frames);
        assert!(text.contains(r#""silent":false,"#), "a column of one value: {text}");
    }

    #[test]
    fn a_line_cannot_claim_more_frames_than_it_holds() {
        let text = serde_json::to_string(&Frames::of(&[Frame::default(); 2])).expect("plain data");
        assert!(serde_json::from_str::<Frames>(&text).is_ok());
        let claims = text.replacen("\"count\":2", "\"count\":18446744073709551615", 1);
        assert!(claims != text && serde_json::from_str::<Frames>(&claims).is_err());
    }
}
