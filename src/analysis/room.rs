//! Judges how music reaches an input: through a line or through a room, and how far it stands out from the background.
//!
//! On a line, at least some sounds end abruptly. In a room, the reverberation of every sound outlasts it, and in a crowd,
//! voices cover the end. High frequencies show this best, because few low sounds end abruptly.

use super::RATE_HZ;

/// Length of a hop, in frames (10 ms), and the number of hops that are judged (8 s).
const HOP: usize = 441;
const HOPS: usize = 800;
/// Minimum number of hops for a judgement (3 s).
const MIN_HOPS: usize = 300;
/// Cutoff of the high-pass filter, in Hz.
const HIGH_HZ: f32 = 2_000.0;
/// Rise over two hops that is an onset, in dB, and the minimum number of onsets.
const ONSET_DB: f32 = 3.0;
const MIN_ONSETS: usize = 8;
/// Number of hops after an onset in which its level falls, and the fall below which there is a room, in dB. A quarter of
/// the onsets must fall further on a line. Simulated drums fall by 33 dB when dry, and by 9 dB or less in rooms.
const FALL_HOPS: usize = 12;
const ROOM_DB: f32 = 12.0;
/// Mean level below which nothing is judged, in dBFS.
const SILENT_DBFS: f32 = -75.0;
/// Level above the background up to which a number is given, in dB.
const MAX_ABOVE_DB: f32 = 40.0;

/// How an input sounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hearing {
    /// Whether sounds decay as in a room or a crowd rather than as on a line; `None` if there are too few onsets.
    pub room: Option<bool>,
    /// Mean level above that of the quietest tenth, in dB.
    pub above_db: f32,
    /// Whether the beat is trusted.
    pub trusted: bool,
}

impl std::fmt::Display for Hearing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (kind, background) = match self.room {
            Some(true) => ("room sound", "crowd"),
            Some(false) => ("line sound", "noise"),
            None => ("sound without clear onsets", "background"),
        };
        let advice = match (self.trusted, self.room) {
            (true, _) => "beats are trusted from here",
            (false, Some(true)) => {
                "no beat is trusted yet; move closer to a loudspeaker, or use a line input"
            }
            (false, _) => "no beat is trusted yet",
        };
        let (more, above) =
            if self.above_db > MAX_ABOVE_DB { ("more than ", MAX_ABOVE_DB) } else { ("", self.above_db) };
        write!(f, "{kind}, {more}{above:.0} dB above the {background}: {advice}")
    }
}

/// Levels of the last seconds of an input.
pub struct RoomCheck {
    /// State of the high-pass filter of each channel.
    low: [f32; 2],
    /// Sum of the squares since the last hop, of all frequencies and of the high ones.
    squares: [f32; 2],
    frames: usize,
    /// Level of each hop in dBFS, of all frequencies and of the high ones; once full, the oldest is at `at`.
    levels: Vec<[f32; 2]>,
    at: usize,
}

impl Default for RoomCheck {
    fn default() -> Self {
        Self::new()
    }
}

impl RoomCheck {
    /// Builds a check without any sound.
    pub fn new() -> Self {
        Self { low: [0.0; 2], squares: [0.0; 2], frames: 0, levels: Vec::with_capacity(HOPS), at: 0 }
    }

    /// Adds stereo frames at 44.1 kHz, which must be finite.
    pub fn push(&mut self, frames: &[[f32; 2]]) {
        let share = 1.0 - (-std::f32::consts::TAU * HIGH_HZ / RATE_HZ as f32).exp();
        for frame in frames {
            for (sample, low) in frame.iter().zip(&mut self.low) {
                *low += (sample - *low) * share;
                self.squares[0] += sample * sample;
                self.squares[1] += (sample - *low).powi(2);
            }
            self.frames += 1;
            if self.frames == HOP {
                self.frames = 0;
                let squares = std::mem::take(&mut self.squares);
                self.add(squares.map(|square| 10.0 * (square / (2 * HOP) as f32 + 1e-12).log10()));
            }
        }
    }

    fn add(&mut self, levels: [f32; 2]) {
        if self.levels.len() < HOPS {
            self.levels.push(levels);
        } else {
            self.levels[self.at] = levels;
            self.at = (self.at + 1) % HOPS;
        }
    }

    /// Judges the last eight seconds; `trusted` is whether the beat is trusted. Returns `None` for less than three
    /// seconds, and for silence.
    pub fn hearing(&self, trusted: bool) -> Option<Hearing> {
        if self.levels.len() < MIN_HOPS {
            return None;
        }
        let (newer, older) = self.levels.split_at(self.at);
        let levels = || older.iter().chain(newer);
        let mut sorted: Vec<f32> = levels().map(|[all, _]| *all).collect();
        sorted.sort_unstable_by(f32::total_cmp);
        let power: f32 = sorted.iter().map(|level| 10.0_f32.powf(level / 10.0)).sum();
        let mean = 10.0 * (power / sorted.len() as f32).log10();
        let high: Vec<f32> = levels().map(|[_, high]| *high).collect();
        (mean > SILENT_DBFS).then(|| Hearing {
            room: is_room(&high),
            above_db: mean - sorted[sorted.len() / 10],
            trusted,
        })
    }
}

/// Returns whether high frequencies of these levels, in dBFS, decay as in a room; `None` if there are too few onsets.
fn is_room(high: &[f32]) -> Option<bool> {
    let fall = |hops: &[f32]| {
        let (&[before, rising, peak, next], after) = hops.split_first_chunk()?;
        let onset = peak - before >= ONSET_DB && peak >= rising && peak >= next;
        onset.then(|| peak - after.iter().copied().fold(next, f32::min))
    };
    let mut falls: Vec<f32> = high.windows(3 + FALL_HOPS).filter_map(fall).collect();
    falls.sort_unstable_by(f32::total_cmp);
    (falls.len() >= MIN_ONSETS).then(|| falls[falls.len() * 3 / 4] < ROOM_DB)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the judgement of bursts of high noise twice a second that decay by `decay` dB per second, over steady
    /// noise at `background` dBFS.
    fn bursts(decay: f32, background: f32) -> Option<Hearing> {
        let mut rng = crate::units::Rng::new(5);
        let mut check = RoomCheck::new();
        let amplitude = |level: f32| 10.0_f32.powf(level / 20.0);
        for n in 0..9 * RATE_HZ {
            let since = (n % (RATE_HZ / 2)) as f32 / RATE_HZ as f32;
            let level = amplitude(-10.0 - decay * since) + amplitude(background);
            check.push(&[[level * rng.normal() as f32; 2]]);
        }
        check.hearing(true)
    }

    #[test]
    fn a_room_a_crowd_and_a_line_are_told_apart() {
        let room = |decay, background| bursts(decay, background).expect("a judgement").room;
        assert_eq!(room(300.0, -60.0), Some(false), "a line");
        assert_eq!(room(60.0, -60.0), Some(true), "a room in which sound decays in a second");
        assert_eq!(room(300.0, -18.0), Some(true), "a crowd");
        assert_eq!(room(0.0, -60.0), None, "steady noise");
        assert_eq!(RoomCheck::new().hearing(true), None);
        assert_eq!(bursts(300.0, -60.0).map(|hearing| hearing.above_db > 25.0), Some(true));
    }

    #[test]
    fn advice_is_one_sentence() {
        let hearing = Hearing { room: Some(true), above_db: 12.3, trusted: true };
        assert_eq!(hearing.to_string(), "room sound, 12 dB above the crowd: beats are trusted from here");
        let hearing = Hearing { room: Some(false), above_db: 61.0, trusted: false };
        assert_eq!(
            hearing.to_string(),
            "line sound, more than 40 dB above the noise: no beat is trusted yet"
        );
    }
}
