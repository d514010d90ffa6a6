//! Replays a set log with the same commands and audio, and compares every choice and cut with the log.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use serde::Serialize;

use super::performance::{PerformanceAudio, performed_sound};
use crate::archive::{catalogue, open_store};
use crate::audio::Pcm;
use crate::disk;
use crate::facts::PresetId;
use crate::library::Catalogue;
use crate::milk::PresetAudio;
use crate::mind::director::{Affinity, Pool, Theme};
use crate::show::setlog::{self, Entry, Event, Frame, LogHeader};
use crate::show::{Arrived, Command, Failed, GraphicsEvent, Show, StepInput};
use crate::stage::DeckId;
use crate::units::counted;
use crate::warmup::PrepareTimes;

/// Settings of a replay.
#[derive(Clone, Debug)]
pub struct ReplaySettings {
    /// Path of the set log.
    pub log: PathBuf,
    /// Audio file of the performance, or `demo`; not needed for the log of a live show.
    pub audio: Option<String>,
    /// Preset folder of the show; the built-in presets if `None`.
    pub presets: Option<PathBuf>,
}

/// Result of a replay.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ReplayReport {
    /// Number of choices and cuts in the log.
    pub choices: usize,
    /// Number of choices and cuts that the replay repeated exactly, in the same step.
    pub same: usize,
    /// Description of the first difference, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_difference: Option<String>,
}

/// Replays a log without rendering; decks become ready at the steps recorded in the log.
pub fn replay(settings: &ReplaySettings) -> anyhow::Result<ReplayReport> {
    let text = disk::read_text(&settings.log, disk::limit::LOG)
        .with_context(|| format!("opening the set log {}", settings.log.display()))?;
    let (header, entries) =
        setlog::parse(&text).with_context(|| format!("reading the set log {}", settings.log.display()))?;
    let (store, notice) = open_store()?;
    // The log records which presets were rejected at the time; later audits do not matter.
    let (library, messages) = catalogue(&store, settings.presets.as_deref(), None, true)?;
    notice.iter().chain(&messages).for_each(|message| log::warn!("{message}"));
    // A live show starts with the built-in presets while a new folder is scanned.
    let mut libraries = vec![Arc::new(library)];
    if settings.presets.is_some() && !header.steady {
        libraries.push(Arc::new(crate::library::load_built_in(&store)?));
    }
    let libraries = Libraries::of(libraries);
    let frames = if header.steady {
        let sound = settings.audio.as_deref().context(
            "this log was written by `perform`; use --audio to pass the same audio (a file, or `demo`)",
        )?;
        let valid = (0.0..=86_400.0).contains(&header.seconds);
        anyhow::ensure!(valid, "the length in this log, {} s, is not between 0 and 86400 s", header.seconds);
        frames_from_sound(&performed_sound(sound, header.seconds)?, &header)
    } else {
        let frames = recorded(&entries);
        anyhow::ensure!(!frames.is_empty(), "this log contains no frames and cannot be replayed");
        frames
    };
    run(&libraries, &header, &entries, &frames)
}

/// The available libraries, each with its identity.
struct Libraries(Vec<(String, Arc<Pool>)>);

impl Libraries {
    fn of(libraries: Vec<Arc<Catalogue>>) -> Self {
        let known = |library: Arc<Catalogue>| (library.identity().to_owned(), Arc::new(Pool::new(library)));
        Self(libraries.into_iter().map(known).collect())
    }

    /// Returns the recorded library, with the affinities, rejections and theme of the recorded show.
    fn get(&self, library: &RecordedLibrary) -> anyhow::Result<Arc<Pool>> {
        let RecordedLibrary { identity, presets, affinities, rejected, theme } = library;
        let found = self.0.iter().find(|(known, _)| known == identity).map(|(_, pool)| pool);
        found.map(|pool| Arc::new(pool.as_recorded(affinities, rejected, theme.as_ref()))).with_context(|| {
            let there = self.0.first().map_or(0, |(_, pool)| pool.catalogue.entries.len());
            format!(
                "the log was written with a different library ({}; this one has {there}); pass that library's folder \
                 with --presets",
                counted(*presets, "preset")
            )
        })
    }
}

/// A library, as described by a log.
struct RecordedLibrary {
    identity: String,
    presets: usize,
    affinities: Vec<Affinity>,
    rejected: Vec<PresetId>,
    theme: Option<Theme>,
}

/// Computes the frames of a performance from its audio, preceded by an empty frame that only requests decks.
fn frames_from_sound(sound: &Pcm, header: &LogHeader) -> Vec<Frame> {
    let mut performance = PerformanceAudio::new(sound, header.settings.fps.round() as u32);
    let count = performance.frames(header.seconds);
    let hear = |frame| {
        let (dt, features) = performance.analyse(frame);
        Frame { dt, features, picture_stats: None }
    };
    std::iter::once(Frame::default()).chain((0..count).map(hear)).collect()
}

/// Returns the recorded frames of a live show.
fn recorded(entries: &[Entry]) -> Vec<Frame> {
    let frames = entries.iter().filter_map(|entry| match &entry.event {
        Event::Frames(frames) => Some(frames.iter()),
        _ => None,
    });
    frames.flatten().collect()
}

/// Recorded inputs of one step.
#[derive(Default)]
struct Inputs {
    /// Libraries switched to before the step.
    libraries: Vec<RecordedLibrary>,
    /// Graphics device failures and recoveries before the step.
    graphics: Vec<GraphicsEvent>,
    commands: Vec<Command>,
    arrived: Vec<Arrived>,
    failed: Vec<Failed>,
    gave_up: Vec<DeckId>,
}

/// Steps a show through all frames and compares its decisions with the log.
fn run(
    libraries: &Libraries,
    header: &LogHeader,
    entries: &[Entry],
    frames: &[Frame],
) -> anyhow::Result<ReplayReport> {
    let pool = libraries.get(&RecordedLibrary {
        identity: header.library.clone(),
        presets: header.presets,
        affinities: header.affinities.clone(),
        rejected: header.rejected.clone(),
        theme: header.theme.clone(),
    })?;
    let mut show = Show::with_memory(header.settings, pool, header.memory.clone());
    if let Some(state) = &header.resumed {
        show.resume(state);
    }
    let mut inputs = inputs(entries);
    let mut log = Vec::new();
    for (step, frame) in frames.iter().enumerate() {
        let now = inputs.remove(&(step as u64)).unwrap_or_default();
        for library in &now.libraries {
            show.change_library(libraries.get(library)?);
        }
        now.graphics.iter().for_each(|event| show.graphics_event(*event));
        show.step(&StepInput {
            dt: frame.dt,
            audio: &PresetAudio::default().into(),
            features: &frame.features,
            commands: &now.commands,
            arrived: &now.arrived,
            failed: &now.failed,
            picture_stats: frame.picture_stats,
        });
        now.gave_up.into_iter().for_each(|deck| show.cancel_request(deck));
        log.extend(show.take_log());
    }
    // If a show was stopped abruptly, its log may end with decisions whose frames were not written.
    let of = |entries: &[Entry]| decisions(entries, frames.len() as u64);
    Ok(compare(&of(entries), &of(&log)))
}

fn inputs(entries: &[Entry]) -> BTreeMap<u64, Inputs> {
    let mut steps: BTreeMap<u64, Inputs> = BTreeMap::new();
    for entry in entries {
        match &entry.event {
            Event::Command { command } => steps.entry(entry.step).or_default().commands.push(command.clone()),
            Event::Warm { deck, problems, look } => {
                let (deck, problems, took) = (*deck, problems.clone(), PrepareTimes::default());
                let arrived = Arrived { deck, problems, look: *look, took };
                steps.entry(entry.step).or_default().arrived.push(arrived);
            }
            Event::Failure { deck, kind, why, .. } => {
                let failed = Failed { deck: *deck, kind: *kind, why: why.clone() };
                steps.entry(entry.step).or_default().failed.push(failed);
            }
            // Logged after the step counter was incremented, so it belongs to the previous step.
            Event::RequestCancelled { deck } => {
                steps.entry(entry.step.saturating_sub(1)).or_default().gave_up.push(*deck);
            }
            Event::Graphics { what } => steps.entry(entry.step).or_default().graphics.push(*what),
            Event::Library { library, presets, affinities, rejected, theme } => {
                let library = RecordedLibrary {
                    identity: library.clone(),
                    presets: *presets,
                    affinities: affinities.clone(),
                    rejected: rejected.clone(),
                    theme: theme.clone(),
                };
                steps.entry(entry.step).or_default().libraries.push(library);
            }
            Event::Scene { .. }
            | Event::Frames(_)
            | Event::Choice(_)
            | Event::Cut(_)
            | Event::Learnt { .. }
            | Event::Macros { .. }
            | Event::Message { .. }
            | Event::Dropped { .. }
            | Event::Quality { .. }
            | Event::Suspended { .. } => {}
        }
    }
    steps
}

/// Formats each decision logged before step `before`, with every detail that a replay must reproduce.
fn decisions(entries: &[Entry], before: u64) -> Vec<String> {
    let words = |entry: &Entry| match &entry.event {
        Event::Choice(chosen) => Some(format!(
            "step {}: chose {} for deck {} with probability {:.6}",
            entry.step, chosen.name, chosen.deck.0, chosen.probability
        )),
        Event::Cut(cut) => Some(format!(
            "step {}: switched to {} with a {:.3} s fade, {}",
            entry.step,
            cut.name,
            cut.fade_secs,
            cut.cause.description()
        )),
        _ => None,
    };
    entries.iter().filter(|entry| entry.step < before).filter_map(words).collect()
}

fn compare(before: &[String], again: &[String]) -> ReplayReport {
    let same = before.iter().zip(again).filter(|(before, again)| before == again).count();
    let differ = (0..before.len().max(again.len())).find(|&at| before.get(at) != again.get(at));
    let first_difference = differ.map(|at| {
        let of = |log: &[String]| log.get(at).cloned().unwrap_or_else(|| "nothing".into());
        format!("log: {}; now: {}", of(before), of(again))
    });
    ReplayReport { choices: before.len(), same, first_difference }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{Features, Scene, Section};
    use crate::facts::Tag;
    use crate::find::SearchIndex;
    use crate::show::{ShowMemory, ShowSettings};
    use crate::stage::{DeckLook, PictureStats};
    use crate::store::BanKind;
    use crate::units::{Rng, Seconds, Unipolar};

    /// Returns the log of a live show of almost three minutes: uneven frame times, changing music, decks that
    /// arrive late or never, a black picture, commands from the performer, another library, and then a theme.
    fn live_log(libraries: [&Arc<Catalogue>; 2]) -> String {
        let settings = ShowSettings { seed: 11, record: true, ..ShowSettings::default() };
        let mut show = Show::new(settings, libraries[0].clone());
        let header = LogHeader::new(settings, show.pool(), show.memory());
        let mut rng = Rng::new(5);
        let mut features = Features::default();
        let mut coming: Vec<(u64, DeckId)> = Vec::new();
        let mut lines = vec![setlog::to_line(&header)];
        for step in 0..7000_u64 {
            let dt = if rng.unit() < 0.02 { 0.1 } else { 0.012 + 0.02 * rng.unit() };
            features.at = Seconds(features.at.0 + dt);
            features.energy_fast = Unipolar::new(rng.unit_f32());
            features.energy_slow = Unipolar::new(0.5 + 0.4 * (step as f32 / 300.0).sin());
            features.hit = Unipolar::new(rng.unit_f32());
            features.scene.scene = Scene::ALL[(step / 1700) as usize % 3];
            features.section = [Section::Groove, Section::Peak, Section::Calm][(step / 900) as usize % 3];
            features.beat.confidence = Unipolar::new(if step % 2000 < 1200 { 0.9 } else { 0.1 });
            let commands = match step % 1301 {
                200 => vec![Command::Next],
                500 => vec![Command::Favourite, Command::Adventure(Unipolar::new(0.6))],
                700 => vec![Command::Ban],
                900 => vec![Command::Dwell(0.5), Command::InputDelay(40.0), Command::Back],
                _ => Vec::new(),
            };
            let (ready, later): (Vec<_>, Vec<_>) = coming.iter().copied().partition(|(at, _)| *at <= step);
            coming = later;
            let (failed, arrived): (Vec<_>, Vec<_>) =
                ready.into_iter().partition(|(_, deck)| deck.0 % 9 == 8);
            let arrived: Vec<Arrived> = arrived
                .into_iter()
                .map(|(_, deck)| Arrived {
                    deck,
                    problems: Vec::new(),
                    look: (deck.0 % 7 == 6).then(DeckLook::default), // Black.
                    took: PrepareTimes::default(),
                })
                .collect();
            let failed: Vec<_> = failed
                .into_iter()
                .map(|(_, deck)| Failed { deck, kind: BanKind::Quality, why: "it hangs".to_owned() })
                .collect();
            let black = (3000..3400).contains(&step);
            let picture_stats = (step % 6 == 0).then_some(PictureStats {
                luma: if black { 0.0 } else { 0.4 },
                brightest: if black { 0.0 } else { 0.9 },
                darkest: 0.0,
                change: 0.1,
            });
            let made = show.step(&StepInput {
                dt,
                audio: &PresetAudio::default().into(),
                features: &features,
                commands: &commands,
                arrived: &arrived,
                failed: &failed,
                picture_stats,
            });
            for request in made.requests {
                match rng.below(20) {
                    0 => show.cancel_request(request.deck),
                    late => coming.push((step + 1 + late as u64 * 7, request.deck)),
                }
            }
            lines.extend(show.take_log().iter().map(setlog::to_line));
            if step == 3500 {
                show.change_library(Arc::new(Pool::new(libraries[1].clone())));
            }
            if step == 5000 {
                let mut index = SearchIndex::new(libraries[1].clone(), &std::collections::HashMap::new());
                let (theme, _) = Theme::of("no techno", &mut index);
                let themed = show.pool().with_theme(Some(theme));
                show.change_library(Arc::new(themed));
            }
        }
        lines.join("\n") + "\n"
    }

    #[test]
    fn a_live_show_is_replayed_exactly_from_its_log_alone() {
        let all = Arc::new(Catalogue::built_in());
        let few = Catalogue::new(all.entries[..24].to_vec(), all.clusters.clone(), all.origin);
        let few = Arc::new(few);
        let log = live_log([&all, &few]);
        let (header, entries) = setlog::parse(&log).expect("a log");
        assert!(
            !header.steady
                && header.memory
                    == ShowMemory {
                        macros: header.memory.macros,
                        taste: header.memory.taste.clone(),
                        ..ShowMemory::default()
                    }
        );
        let frames = recorded(&entries);
        assert!(frames.len() > 6900, "{} frames", frames.len());
        let libraries = Libraries::of(vec![few.clone(), all.clone()]);
        let report = run(&libraries, &header, &entries, &frames).expect("played");
        assert_eq!(report.first_difference, None);
        assert!(report.choices > 50 && report.same == report.choices, "{report:?}");
        let kinds = ["\"theme\"", "\"failure\"", "\"gave_up\"", "\"library\"", "skipped", "\"hand\""];
        assert!(kinds.iter().all(|kind| log.contains(kind)), "the log does not contain every kind of entry");

        // A later audit tags and rejects some presets; the replay must use what the log recorded.
        let mut seen = few.as_ref().clone();
        seen.entries.iter_mut().step_by(3).for_each(|entry| entry.tags.insert(Tag::Dark));
        seen.rejected =
            Arc::new(seen.entries.iter().step_by(2).map(|entry| (entry.id, String::new())).collect());
        let libraries_now = Libraries::of(vec![Arc::new(seen), all.clone()]);
        let report = run(&libraries_now, &header, &entries, &frames).expect("played");
        assert_eq!(report.first_difference, None);

        // Different features give a different show.
        let mut other = frames;
        other[1000..].iter_mut().for_each(|frame| frame.features.scene.scene = Scene::Rock);
        let report = run(&libraries, &header, &entries, &other).expect("played");
        assert!(report.first_difference.is_some());
        let unknown = Libraries::of(vec![few]);
        let error = run(&unknown, &header, &entries, &other).expect_err("not the library");
        assert!(error.to_string().contains("a different library"), "{error}");
    }
}
