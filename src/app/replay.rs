//! A set played again from its log: the same hands, the same sound, and the question whether the same choices come out.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use serde::Serialize;

use super::performance::{Performance, performed_sound};
use super::{catalogue, open_store};
use crate::audio::Pcm;
use crate::library::Catalogue;
use crate::milk::Heard;
use crate::mind::director::Pool;
use crate::show::setlog::{self, Entry, Event, LogHeader};
use crate::show::{Arrived, Command, PrepareTimes, Show, StepInput};
use crate::stage::DeckId;

/// What is played again.
#[derive(Clone, Debug)]
pub struct ReplaySettings {
    /// The log.
    pub log: PathBuf,
    /// The sound it was performed to.
    pub audio: String,
    /// The presets it was performed with; the built-in ones without.
    pub presets: Option<PathBuf>,
}

/// How much came out the same.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ReplayReport {
    /// Choices and cuts in the log.
    pub choices: usize,
    /// Those that came out the same, at the same moment.
    pub same: usize,
    /// The first that did not, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_difference: Option<String>,
    /// Frames had one fixed length, so that all of them must be the same.
    pub exact: bool,
}

/// Plays a log again without pictures: decks become ready when the log says they did.
pub fn replay(settings: &ReplaySettings) -> anyhow::Result<ReplayReport> {
    let text = std::fs::read_to_string(&settings.log)
        .with_context(|| format!("opening the set log {}", settings.log.display()))?;
    let (header, entries) = setlog::read(&text)
        .map_err(anyhow::Error::msg)
        .with_context(|| format!("reading the set log {}", settings.log.display()))?;
    let (store, notice) = open_store()?;
    let (library, messages) = catalogue(&store, settings.presets.as_deref())?;
    notice.iter().chain(&messages).for_each(|message| log::warn!("{message}"));
    let library = Arc::new(library);
    same_library(&header, &library)?;
    anyhow::ensure!(
        header.steady,
        "this log was written by a live show, whose frames had no fixed length; only a log of 'aivj perform --log' can \
         be played again exactly"
    );
    let sound = performed_sound(&settings.audio, header.seconds)?;
    let show = Show::remembering(header.settings, Arc::new(Pool::new(library)), header.memory.clone());
    let again = rehearse(show, &sound, &header, &entries);
    Ok(compare(&entries, &again))
}

fn same_library(header: &LogHeader, library: &Catalogue) -> anyhow::Result<()> {
    anyhow::ensure!(
        header.library == setlog::identity(library),
        "the log was written with another library ({} presets, this one has {}); name its folder with --presets",
        header.presets,
        library.entries.len()
    );
    Ok(())
}

/// What the log says came from outside in one step.
#[derive(Default)]
struct Outside {
    commands: Vec<Command>,
    arrived: Vec<Arrived>,
    failed: Vec<(DeckId, String)>,
    gave_up: Vec<DeckId>,
}

/// Steps the show through the whole set and returns its log.
fn rehearse(mut show: Show, sound: &Pcm, header: &LogHeader, entries: &[Entry]) -> Vec<Entry> {
    let mut outside = outside(entries);
    let mut performance = Performance::new(sound, header.settings.fps.round() as u32);
    let mut log = Vec::new();
    // Step 0 only asks for decks, before the first frame.
    for step in 0..=performance.frames(header.seconds) {
        let now = outside.remove(&step).unwrap_or_default();
        let (dt, features) = match step {
            0 => (0.0, crate::analysis::Features::default()),
            _ => performance.hear(step - 1),
        };
        show.step(&StepInput {
            dt,
            heard: &Heard::default(),
            features: &features,
            commands: &now.commands,
            arrived: &now.arrived,
            failed: &now.failed,
            glance: None,
        });
        now.gave_up.into_iter().for_each(|deck| show.give_up(deck));
        log.extend(show.take_log());
    }
    log
}

fn outside(entries: &[Entry]) -> BTreeMap<u64, Outside> {
    let mut steps: BTreeMap<u64, Outside> = BTreeMap::new();
    for entry in entries {
        match &entry.event {
            Event::Command { command } => steps.entry(entry.step).or_default().commands.push(command.clone()),
            Event::Warm { deck, problems } => {
                let arrived =
                    Arrived { deck: *deck, problems: problems.clone(), took: PrepareTimes::default() };
                steps.entry(entry.step).or_default().arrived.push(arrived);
            }
            Event::Failure { deck, why, .. } => {
                steps.entry(entry.step).or_default().failed.push((*deck, why.clone()));
            }
            // Told after its step was counted.
            Event::GaveUp { deck } => {
                steps.entry(entry.step.saturating_sub(1)).or_default().gave_up.push(*deck)
            }
            Event::Scene { .. }
            | Event::Choice(_)
            | Event::Cut(_)
            | Event::Learnt { .. }
            | Event::Message { .. } => {}
        }
    }
    steps
}

/// The decisions of a log, in words that name all that must be the same.
fn decisions(entries: &[Entry]) -> Vec<String> {
    let words = |entry: &Entry| match &entry.event {
        Event::Choice(chosen) => Some(format!(
            "step {}: chose {} for deck {} with chance {:.6}",
            entry.step, chosen.name, chosen.deck.0, chosen.probability
        )),
        Event::Cut(cut) => Some(format!(
            "step {}: cut to {} over {:.3} s, {}",
            entry.step,
            cut.name,
            cut.fade_secs,
            cut.cause.words()
        )),
        _ => None,
    };
    entries.iter().filter_map(words).collect()
}

fn compare(before: &[Entry], again: &[Entry]) -> ReplayReport {
    let (before, again) = (decisions(before), decisions(again));
    let same = before.iter().zip(&again).filter(|(before, again)| before == again).count();
    let differ = (0..before.len().max(again.len())).find(|&at| before.get(at) != again.get(at));
    let first_difference = differ.map(|at| {
        let of = |log: &[String]| log.get(at).cloned().unwrap_or_else(|| "nothing more".into());
        format!("the log: {}; now: {}", of(&before), of(&again))
    });
    ReplayReport { choices: before.len(), same, first_difference, exact: true }
}
