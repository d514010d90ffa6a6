//! The set log: one JSON line per event of a show, enough to explain its choices and to replay it.
//!
//! The first line is the [`LogHeader`]; every other line is an [`Entry`]. This module never touches files: lines are
//! returned as text and parsed from text.

mod frames;

use serde::{Deserialize, Serialize};

pub use frames::{FRAMES_PER_ENTRY, Frame, Frames};

use super::{Command, GraphicsEvent, ResumeState, ShowMemory, ShowSettings};
use crate::analysis::Scene;
use crate::facts::PresetId;
use crate::library::StyleOrigin;
use crate::mind::director::{Affinity, Moment, Pool, Rule, Target, Theme};
use crate::mind::macros::Bank;
use crate::mind::taste::Signal;
use crate::pacing::{DroppedSteps, Quality};
use crate::stage::{DeckId, DeckLook, FadeStyle};
use crate::store::BanKind;

/// Format version of the set log.
pub const LOG_VERSION: u32 = 2;

/// The first line: everything that determines the choices, apart from the audio and the commands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogHeader {
    /// Format version of the log.
    pub set_log: u32,
    /// The settings of the show.
    pub settings: ShowSettings,
    /// Whether the frame time was constant and the audio can be read again, so that a replay can repeat the analysis.
    /// The log of a live show contains its frames instead.
    pub steady: bool,
    /// Name of the audio source.
    pub sound: String,
    /// Planned length of the set, in seconds; 0 if unknown.
    pub seconds: f64,
    /// Hash of the library; see [`Catalogue::identity`](crate::library::Catalogue::identity).
    pub library: String,
    /// Number of presets in the library.
    pub presets: usize,
    /// Where the styles of the library come from.
    pub styles: StyleOrigin,
    /// Affinity of each style to each scene; recorded because an audit may change which presets a style
    /// contains.
    #[serde(default)]
    pub affinities: Vec<Affinity>,
    /// Presets that an audit has rejected.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rejected: Vec<PresetId>,
    /// The theme of the night, with the fit of every preset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub theme: Option<Theme>,
    /// The memory at the start of the show.
    pub memory: ShowMemory,
    /// The state of the show that this one resumes; `None` if it resumes none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resumed: Option<ResumeState>,
}

impl LogHeader {
    /// Creates the header of a live show.
    pub fn new(settings: ShowSettings, pool: &Pool, memory: ShowMemory) -> Self {
        let library = &pool.catalogue;
        Self {
            set_log: LOG_VERSION,
            settings,
            steady: false,
            sound: String::new(),
            seconds: 0.0,
            library: library.identity().to_owned(),
            presets: library.entries.len(),
            styles: library.origin,
            affinities: pool.affinities().to_vec(),
            rejected: pool.rejected.keys().copied().collect(),
            theme: pool.theme().cloned(),
            memory,
            resumed: None,
        }
    }
}

/// One line after the header.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Seconds since the start of the show.
    pub at: f64,
    /// Step number, from 0.
    pub step: u64,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

/// An event of a show.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The detected scene changed.
    Scene {
        /// The new scene.
        scene: Scene,
        /// Probability of each scene: ambient, techno, rock, none.
        probabilities: [f32; 4],
    },
    /// The director chose a preset and requested its deck.
    Choice(Box<Chosen>),
    /// A deck became warm.
    Warm {
        /// ID of the deck.
        deck: DeckId,
        /// Parts of the preset that do not work.
        problems: Vec<String>,
        /// The look of the deck's picture; `None` if it was not measured.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        look: Option<DeckLook>,
    },
    /// A preset could not be played and was excluded.
    Failure {
        /// ID of the deck.
        deck: DeckId,
        /// ID of the preset.
        preset: PresetId,
        /// Name of the preset.
        name: String,
        /// Determines the duration of the exclusion.
        #[serde(default)]
        kind: BanKind,
        /// Why it could not be played.
        why: String,
    },
    /// A request failed through no fault of the preset; the show chooses again.
    #[serde(rename = "gave_up")]
    RequestCancelled {
        /// ID of the deck.
        deck: DeckId,
    },
    /// The frames since the previous entry of this kind.
    Frames(Box<Frames>),
    /// The library, its styles or the theme changed.
    Library {
        /// Hash of the library; see [`Catalogue::identity`](crate::library::Catalogue::identity).
        library: String,
        /// Number of presets in the library.
        presets: usize,
        /// Affinity of each style to each scene.
        #[serde(default)]
        affinities: Vec<Affinity>,
        /// Presets that an audit has rejected.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        rejected: Vec<PresetId>,
        /// The theme of the night, with the fit of every preset.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        theme: Option<Theme>,
    },
    /// A preset went on air.
    Cut(Box<Cut>),
    /// Feedback was given on a preset; the taste learns from it if the preset is in the library.
    Learnt {
        /// ID of the preset.
        preset: PresetId,
        /// The feedback that was given.
        signal: Signal,
        /// Time on air, in seconds; 0 if the preset was not on air.
        on_air_secs: f64,
        /// Length of the hold, in seconds; `None` for other signals.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        held_secs: Option<f64>,
    },
    /// The positions of the macros as they act on the picture.
    Macros {
        /// Position of every control.
        bank: Bank,
    },
    /// The performer gave a command.
    Command {
        /// The command that was given.
        command: Command,
    },
    /// An event of the graphics device.
    Graphics {
        /// What happened.
        what: GraphicsEvent,
    },
    /// A message to the performer.
    Message {
        /// Text of the message.
        text: String,
    },
    /// Steps were dropped since the previous entry of this kind; their time was added to the next step.
    Dropped {
        /// The number of dropped steps, by cause.
        steps: DroppedSteps,
    },
    /// The picture quality changed because the computer could no longer keep up, or could keep up again.
    Quality {
        /// The new quality.
        quality: Quality,
    },
    /// The computer was suspended; the show continued where it left off.
    Suspended {
        /// Length of the suspension, in seconds.
        secs: f64,
    },
}

/// A choice with its reasons.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Chosen {
    /// ID of the deck.
    pub deck: DeckId,
    /// ID of the preset.
    pub preset: PresetId,
    /// Name of the preset.
    pub name: String,
    /// Key of the cluster.
    pub cluster: String,
    /// Energy of the preset: `calm`, `groove` or `peak`.
    pub energy: String,
    /// The target that the preset was chosen for.
    pub target: Target,
    /// Base score of the style for the target, without taste.
    pub base: f64,
    /// Learnt part of the expected reward.
    pub taste: f64,
    /// Expected reward of the arm, minus penalties.
    pub score: f64,
    /// Probability with which the arm was drawn, 0 to 1.
    pub probability: f64,
    /// The strictest variety rules that could be satisfied.
    pub rule: Rule,
    /// The reason as shown on the desk.
    #[serde(rename = "words")]
    pub summary: String,
}

/// Why a preset went on air.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// An event in the music.
    Music(Moment),
    /// A request by the performer.
    #[serde(rename = "hand")]
    Performer,
    /// Nothing was on air.
    Start,
    /// A watch took the previous preset off the air.
    Watch,
}

/// A cut to another preset.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cut {
    /// The deck that goes on air.
    pub deck: DeckId,
    /// ID of the preset.
    pub preset: PresetId,
    /// Name of the preset.
    pub name: String,
    /// Why the preset went on air.
    pub cause: Cause,
    /// The scene at the time of the cut.
    pub scene: Scene,
    /// The target that the preset was chosen for; `None` if the director did not choose it.
    pub target: Option<Target>,
    /// Length of the crossfade, in seconds.
    pub fade_secs: f64,
    /// Style of the crossfade.
    pub style: FadeStyle,
    /// Offset from the nearest beat in seconds, negative before it; `None` while the beat is not trusted.
    pub off_beat_secs: Option<f64>,
    /// The other candidates at the time of the cut, soonest first.
    pub candidates: Vec<Candidate>,
}

/// A candidate that could have gone on air.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// ID of the preset.
    pub preset: PresetId,
    /// Name of the preset.
    pub name: String,
    /// Whether its deck was warm.
    pub warm: bool,
}

/// Why a set log could not be parsed.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The log has no lines.
    #[error("the log is empty")]
    Empty,
    /// The first line is not a header.
    #[error("the first line is not a set log header: {0}")]
    Header(#[source] serde_json::Error),
    /// The log has an unsupported version.
    #[error("unsupported set log version {0}, expected {LOG_VERSION}")]
    Version(u32),
    /// A line is not a valid entry.
    #[error("line {number}: {why}")]
    Line {
        /// Line number, from 1.
        number: usize,
        /// Why the line could not be parsed.
        why: String,
    },
}

/// Serialises one line of the log.
pub fn to_line(what: &impl Serialize) -> String {
    serde_json::to_string(what).unwrap_or_else(|error| format!(r#"{{"unwritable":"{error}"}}"#))
}

/// Parses a log. A truncated last line is ignored, because the program may have been stopped while writing it.
///
/// # Errors
/// Returns an error if the log is empty, its version is not [`LOG_VERSION`], or another line cannot be parsed.
pub fn parse(text: &str) -> Result<(LogHeader, Vec<Entry>), LogError> {
    let mut lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let (_, first) = lines.next().ok_or(LogError::Empty)?;
    let header: LogHeader = serde_json::from_str(first).map_err(LogError::Header)?;
    if header.set_log != LOG_VERSION {
        return Err(LogError::Version(header.set_log));
    }
    let whole = text.ends_with('\n');
    let last = text.lines().count().saturating_sub(1);
    let mut entries = Vec::new();
    for (number, line) in lines {
        match serde_json::from_str(line) {
            Ok(entry) => entries.push(entry),
            Err(_) if number == last && !whole => {}
            Err(error) => {
                // JSON errors name the line within the text that was parsed, which is always 1.
                let why = error.to_string().replace(" at line 1 column ", " at column ");
                return Err(LogError::Line { number: number + 1, why });
            }
        }
    }
    Ok((header, entries))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::library::Catalogue;

    fn header() -> LogHeader {
        let settings = ShowSettings { seed: 3, ..ShowSettings::default() };
        let pool = Pool::new(Catalogue::built_in().into());
        LogHeader::new(settings, &pool, ShowMemory::default())
    }

    #[test]
    fn a_log_survives_a_round_trip_and_a_truncated_end() {
        let entry = Entry { at: 1.5, step: 45, event: Event::Command { command: Command::Next } };
        let text = format!("{}\n{}\n{{\"at\":2.0,\"st", to_line(&header()), to_line(&entry));
        assert_eq!(parse(&text).expect("a round trip"), (header(), vec![entry.clone()]));
        let torn_inside = format!("{}\n{{\"at\n{}\n", to_line(&header()), to_line(&entry));
        assert!(parse(&torn_inside).is_err_and(|error| error.to_string().starts_with("line 2")));
        let error = parse(&format!("{}\ngarbage\n", to_line(&header()))).unwrap_err().to_string();
        assert_eq!(error, "line 2: expected value at column 1");
        assert!(parse("").is_err() && parse("{}").is_err());
    }

    #[test]
    fn another_library_has_another_identity() {
        let (library, mut other) = (Catalogue::built_in(), Catalogue::built_in());
        assert_eq!(library.identity(), Catalogue::built_in().identity());
        other.entries[3].cluster += 1;
        assert_ne!(other.identity(), library.identity());
        assert_eq!(library.identity().len(), 32);
    }
}
