//! Extracts features from clips, their variants and composed pieces, using the same analysis as the live show.

use std::path::Path;

use anyhow::Context as _;

use super::augment;
use super::compose::{Kind, compose_kind};
use super::dataset::{LabelledClip, TrainSettings};
use super::fit::{Label, Window};
use crate::analysis::{Analyser, SUMMARY_SIZE, Scene, SceneAnalyser, ScoreInput};
use crate::audio::{self, SAMPLE_RATE_HZ};
use crate::jobs::parallel;
use crate::units::Rng;

/// Number of observations per second, as in the live show.
pub const UPDATES_PER_SEC: usize = 2;
/// Length of a composed piece, in seconds.
const PIECE_SECS: f32 = 16.0;
/// Maximum number of backgrounds that are mixed into variants.
const BACKGROUNDS: usize = 48;
/// Number of observations skipped at the start of a clip.
const FIRST_OF_CLIP: usize = 9;
/// Number of observations skipped at the start of a composed piece; fewer, to include short histories in
/// training.
const FIRST_OF_PIECE: usize = 5;

/// State of the analysis at one moment of a clip.
pub struct Observation {
    /// Summary of the last few seconds; `None` at the start.
    pub summary: Option<[f32; SUMMARY_SIZE]>,
    /// Whether the input is silent.
    pub silent: bool,
    /// Whether the music has just changed.
    pub changed: bool,
}

/// Observations of a labelled clip.
pub struct ClipFeatures {
    /// Group with which the clip is held out in cross-validation.
    pub group: String,
    /// Observations, two per second from 0.5 s on.
    pub observations: Vec<Observation>,
    /// Inputs of the linear scores at the same times; empty without cross-validation.
    pub scores: Vec<ScoreInput>,
}

/// Analyses every clip of `items` and all composed pieces; windows of `groups[n]` get the origin `n + 1`.
pub fn all(
    settings: &TrainSettings,
    items: &[(LabelledClip, Scene)],
    groups: &[String],
) -> anyhow::Result<(Vec<ClipFeatures>, Vec<Window>)> {
    let rng = Rng::new(settings.seed);
    let jobs = items.len() + settings.pieces * Scene::ALL.len();
    let backgrounds = backgrounds(settings, |number| rng.fork((jobs + number) as u64));
    let work = |&clip: &usize| -> anyhow::Result<(Option<ClipFeatures>, Vec<Window>)> {
        let mut rng = rng.fork(clip as u64);
        let (sound, label, first) = if let Some((item, scene)) = items.get(clip) {
            let name = item.group();
            let origin = groups.iter().position(|group| *group == name).map_or(0, |place| place + 1);
            (mono(&item.file)?, Label { scene: *scene, kind: None, clip, origin }, FIRST_OF_CLIP)
        } else {
            let scene = Scene::ALL[clip % Scene::ALL.len()];
            let kind = Kind::draw(scene, &mut rng);
            let piece = compose_kind(kind, PIECE_SECS, &mut rng);
            (piece.sound, Label { scene, kind: Some(kind), clip, origin: 0 }, FIRST_OF_PIECE)
        };
        let own = observe(&sound);
        let mut windows = windows(&own, label, first);
        for _ in 0..settings.variants {
            let varied = observe(&augment::vary(&sound, &backgrounds, &mut rng));
            windows.extend(self::windows(&varied, label, first));
        }
        let features = items.get(clip).map(|(item, _)| ClipFeatures {
            group: item.group(),
            observations: own,
            scores: if settings.check { linear_scores(&sound) } else { Vec::new() },
        });
        Ok((features, windows))
    };
    let (mut clips, mut windows) = (Vec::new(), Vec::new());
    for done in parallel::map(&(0..jobs).collect::<Vec<_>>(), settings.workers, work) {
        let (features, more) = done?;
        clips.extend(features);
        windows.extend(more);
    }
    Ok((clips, windows))
}

/// Composes the backgrounds of variants; every second one is a crowd. `rng` returns the random number generator for
/// each background.
fn backgrounds(settings: &TrainSettings, rng: impl Fn(usize) -> Rng + Sync) -> Vec<Vec<f32>> {
    let compose = |&number: &usize| {
        let mut rng = rng(number);
        let kind = match number % 4 {
            0 => Kind::Babble,
            2 => Kind::Venue,
            _ => Kind::draw(Scene::None, &mut rng),
        };
        compose_kind(kind, PIECE_SECS, &mut rng).sound
    };
    let count = settings.pieces.clamp(1, BACKGROUNDS);
    parallel::map(&(0..count).collect::<Vec<_>>(), settings.workers, compose)
}

/// Decodes a clip to mono at [`SAMPLE_RATE_HZ`].
pub fn mono(path: &Path) -> anyhow::Result<Vec<f32>> {
    let pcm = audio::decode(path).with_context(|| format!("opening the clip {}", path.display()))?;
    Ok(pcm.at_rate(SAMPLE_RATE_HZ).frames.iter().map(|[left, right]| 0.5 * (left + right)).collect())
}

/// Returns the observations of `sound`.
pub fn observe(sound: &[f32]) -> Vec<Observation> {
    let mut analyser = SceneAnalyser::new();
    let part = SAMPLE_RATE_HZ as usize / UPDATES_PER_SEC;
    let step = |part: &[f32]| {
        analyser.push(part);
        let changed = analyser.take_change();
        Observation { summary: analyser.summary(), silent: analyser.silent(), changed }
    };
    sound.chunks_exact(part).map(step).collect()
}

/// Returns the inputs of the linear scores at every observation.
fn linear_scores(sound: &[f32]) -> Vec<ScoreInput> {
    let mut analyser = Analyser::new();
    let part = SAMPLE_RATE_HZ as usize / UPDATES_PER_SEC;
    let read = |part: &[f32]| {
        let frames: Vec<[f32; 2]> = part.iter().map(|&sample| [sample; 2]).collect();
        analyser.push(&frames);
        analyser.features().scene_scores()
    };
    sound.chunks_exact(part).map(read).collect()
}

/// Returns one window per second from observation `first` on, skipping silence.
fn windows(observations: &[Observation], label: Label, first: usize) -> Vec<Window> {
    let audible = observations.iter().skip(first).step_by(UPDATES_PER_SEC).filter(|step| !step.silent);
    audible.filter_map(|step| step.summary).map(|summary| Window { summary, label }).collect()
}
