//! The set log: one JSON line for everything that happened in a show, enough to read why and to play it again.
//!
//! The first line is the [`LogHeader`]; each further line an [`Entry`]. Never touches files: lines are handed out as
//! text and read from text.

mod frames;

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

pub use frames::{Frame, Frames, TOGETHER};

use super::{Command, ShowMemory, ShowSettings};
use crate::analysis::Scene;
use crate::library::{BanKind, Catalogue, PresetId, StyleOrigin};
use crate::mind::director::{Affinity, Moment, Pool, Rule, Target};
use crate::mind::taste::Signal;
use crate::stage::{DeckId, FadeStyle};

/// Version of the format.
pub const LOG_VERSION: u32 = 2;

/// The first line: all that decides the choices besides sound and hands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogHeader {
    /// Version of the format.
    pub set_log: u32,
    /// How the show ran.
    pub settings: ShowSettings,
    /// Frames had one fixed length and their sound is known: what was heard is found out again. The log of a live show
    /// holds its frames instead.
    pub steady: bool,
    /// What was listened to.
    pub sound: String,
    /// How long the set was meant to be, seconds; 0 when nobody knew.
    pub seconds: f64,
    /// [`identity`] of the library.
    pub library: String,
    /// How many presets it had.
    pub presets: usize,
    /// Where its styles came from.
    pub styles: StyleOrigin,
    /// How well each of its styles suited each scene: an audit may have seen more of its presets since.
    #[serde(default)]
    pub affinities: Vec<Affinity>,
    /// What was remembered when the show began.
    pub memory: ShowMemory,
}

impl LogHeader {
    /// The header of a live show with these settings.
    pub fn new(settings: ShowSettings, pool: &Pool, memory: ShowMemory) -> Self {
        let library = &pool.catalogue;
        Self {
            set_log: LOG_VERSION,
            settings,
            steady: false,
            sound: String::new(),
            seconds: 0.0,
            library: identity(library),
            presets: library.entries.len(),
            styles: library.origin,
            affinities: pool.affinities().to_vec(),
            memory,
        }
    }
}

/// One line after the first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Seconds since the show began.
    pub at: f64,
    /// Number of the step, from 0.
    pub step: u64,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

/// What can happen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The music became of another kind.
    Scene {
        /// The decision.
        scene: Scene,
        /// Probability of each scene: ambient, techno, rock, none.
        probabilities: [f32; 4],
    },
    /// The director chose a preset, and its deck is being made ready.
    Choice(Box<Chosen>),
    /// A deck is ready.
    Warm {
        /// Which deck.
        deck: DeckId,
        /// Parts of its preset that do not work.
        problems: Vec<String>,
    },
    /// A preset could not be made ready; it is not tried again.
    Failure {
        /// Its deck.
        deck: DeckId,
        /// Which preset.
        preset: PresetId,
        /// Its name.
        name: String,
        /// How long it is left out.
        #[serde(default)]
        kind: BanKind,
        /// Why.
        why: String,
    },
    /// The makers of decks had too much to do; the choice is made again.
    GaveUp {
        /// Its deck.
        deck: DeckId,
    },
    /// Frames that have passed, up to this step.
    Frames(Box<Frames>),
    /// Another library is chosen from, or the same one with new styles.
    Library {
        /// [`identity`] of it.
        library: String,
        /// How many presets it has.
        presets: usize,
        /// How well each of its styles suits each scene.
        #[serde(default)]
        affinities: Vec<Affinity>,
    },
    /// A preset went on air.
    Cut(Box<Cut>),
    /// The taste learnt something.
    Learnt {
        /// About which preset.
        preset: PresetId,
        /// What the performer did.
        signal: Signal,
        /// How long it had been on air, seconds; 0 when it was not.
        on_air_secs: f64,
    },
    /// The performer asked for something.
    Command {
        /// What.
        command: Command,
    },
    /// The show has something to say to the performer.
    Message {
        /// In words.
        text: String,
    },
}

/// One choice with its reasons.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Chosen {
    /// The deck it will play on.
    pub deck: DeckId,
    /// Which preset.
    pub preset: PresetId,
    /// Its name.
    pub name: String,
    /// Key of its cluster.
    pub cluster: String,
    /// `calm`, `groove` or `peak`.
    pub energy: String,
    /// What was aimed at.
    pub target: Target,
    /// Score of its style against the target, before taste.
    pub base: f64,
    /// The learnt part of the expected reward.
    pub taste: f64,
    /// The expected reward.
    pub score: f64,
    /// How likely this style was.
    pub probability: f64,
    /// How strict the rules of variety could be.
    pub rule: Rule,
    /// The same in words.
    pub words: String,
}

/// Why a preset went on air.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The music asked for it.
    Music(Moment),
    /// The performer did.
    Hand,
    /// Nothing was on air.
    Start,
}

/// One cut.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cut {
    /// The deck that comes in.
    pub deck: DeckId,
    /// Which preset.
    pub preset: PresetId,
    /// Its name.
    pub name: String,
    /// Why now.
    pub cause: Cause,
    /// The music at this moment.
    pub scene: Scene,
    /// What its choice had aimed at; none for a choice of the performer.
    pub target: Option<Target>,
    /// Length of the crossfade, seconds.
    pub fade_secs: f64,
    /// How the pictures mix.
    pub style: FadeStyle,
    /// Seconds from the nearest beat, before it negative; none while the beat is not trusted.
    pub off_beat_secs: Option<f64>,
    /// What else was ready or on its way.
    pub candidates: Vec<Candidate>,
}

/// What else could have gone on air.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// Which preset.
    pub preset: PresetId,
    /// Its name.
    pub name: String,
    /// It was ready.
    pub warm: bool,
}

/// One line of the log.
pub fn line(what: &impl Serialize) -> String {
    serde_json::to_string(what).unwrap_or_else(|error| format!(r#"{{"unwritable":"{error}"}}"#))
}

/// A log that was written before, or what is wrong with it in words. A last line that was cut off is left out: the
/// program may have been stopped in the middle of it.
pub fn read(text: &str) -> Result<(LogHeader, Vec<Entry>), String> {
    let mut lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let (_, first) = lines.next().ok_or("the log is empty")?;
    let header: LogHeader = serde_json::from_str(first)
        .map_err(|error| format!("the first line is no header of a set log: {error}"))?;
    if header.set_log != LOG_VERSION {
        return Err(format!("the log has version {}; {LOG_VERSION} can be read", header.set_log));
    }
    let whole = text.ends_with('\n');
    let last = text.lines().count().saturating_sub(1);
    let mut entries = Vec::new();
    for (number, line) in lines {
        match serde_json::from_str(line) {
            Ok(entry) => entries.push(entry),
            Err(_) if number == last && !whole => {}
            Err(error) => return Err(format!("line {}: {error}", number + 1)),
        }
    }
    Ok((header, entries))
}

/// A hash of everything about a library that choices depend on.
pub fn identity(library: &Catalogue) -> String {
    let mut hash = Sha256::new();
    for entry in &library.entries {
        hash.update(entry.id.0);
        hash.update(entry.cluster.to_le_bytes());
        hash.update([entry.energy as u8]);
        hash.update(entry.family.to_le_bytes());
    }
    for cluster in &library.clusters {
        hash.update(cluster.key.as_bytes());
        hash.update([0]);
    }
    hash.finalize()[..16].iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> LogHeader {
        let settings = ShowSettings { seed: 3, ..ShowSettings::default() };
        let pool = Pool::new(Catalogue::built_in().into());
        LogHeader::new(settings, &pool, ShowMemory::default())
    }

    #[test]
    fn a_log_reads_back_as_it_was_written_and_forgives_a_torn_end() {
        let entry = Entry { at: 1.5, step: 45, event: Event::Command { command: Command::Next } };
        let text = format!("{}\n{}\n{{\"at\":2.0,\"st", line(&header()), line(&entry));
        assert_eq!(read(&text), Ok((header(), vec![entry.clone()])));
        let torn_inside = format!("{}\n{{\"at\n{}\n", line(&header()), line(&entry));
        assert!(read(&torn_inside).is_err_and(|why| why.starts_with("line 2")));
        assert!(read("").is_err() && read("{}").is_err());
    }

    #[test]
    fn another_library_has_another_identity() {
        let mut library = Catalogue::built_in();
        let before = identity(&library);
        library.entries[3].cluster += 1;
        assert_ne!(identity(&library), before);
        assert_eq!(before.len(), 32);
    }
}
