//! Hears clips, their variants and composed pieces, as the program would, and keeps what a model sees of them.

use std::path::Path;

use anyhow::Context as _;

use super::fit::Window;
use super::{Item, TrainSettings, augment, compose};
use crate::analysis::{Analyser, SUMMARY_SIZE, Scene, SceneEar, ScoreInput};
use crate::audio::{self, HOUSE_RATE_HZ};
use crate::jobs::parallel;
use crate::units::Rng;

/// Looks a second, those of the program.
pub const LOOKS_A_SEC: usize = 2;
/// Length of a composed piece, seconds.
const PIECE_SECS: f32 = 16.0;
/// Windows that began before this much of a clip was heard teach nothing, looks.
const FIRST_LOOK: usize = 9;
/// The same for composed pieces, whose beginnings are as good as any; short views are learnt from them.
const FIRST_COMPOSED: usize = 5;

/// One look at a clip.
pub struct Look {
    /// What was heard; `None` at the beginning.
    pub summary: Option<[f32; SUMMARY_SIZE]>,
    /// Nothing but silence was heard.
    pub silent: bool,
    /// The music just turned.
    pub turned: bool,
}

/// A labelled clip, look by look.
pub struct ClipFeatures {
    /// Which clips it belongs with.
    pub group: String,
    /// What was heard, twice a second from the first half second on.
    pub looks: Vec<Look>,
    /// What the linear scores read at the same looks, when a check was asked for.
    pub scored: Vec<ScoreInput>,
}

/// Hears every clip of `items` and composes pieces; windows of `groups[n]` have the origin `n + 1`.
pub fn all(
    settings: &TrainSettings,
    items: &[(Item, Scene)],
    groups: &[String],
) -> anyhow::Result<(Vec<ClipFeatures>, Vec<Window>)> {
    let rng = Rng::new(settings.seed);
    let jobs = items.len() + settings.pieces * Scene::ALL.len();
    let work = |&clip: &usize| -> anyhow::Result<(Option<ClipFeatures>, Vec<Window>)> {
        let mut rng = rng.fork(clip as u64);
        let (sound, scene, origin, first) = if let Some((item, scene)) = items.get(clip) {
            let name = super::group(item);
            let origin = groups.iter().position(|group| *group == name).map_or(0, |place| place + 1);
            (mono(&settings.folder.join(&item.file))?, *scene, origin, FIRST_LOOK)
        } else {
            let scene = Scene::ALL[clip % Scene::ALL.len()];
            (compose(scene, PIECE_SECS, &mut rng).sound, scene, 0, FIRST_COMPOSED)
        };
        let own = looks(&sound);
        let mut windows = windows(&own, scene, clip, origin, first);
        for _ in 0..settings.variants {
            let varied = looks(&augment::vary(&sound, &mut rng));
            windows.extend(self::windows(&varied, scene, clip, origin, first));
        }
        let heard = items.get(clip).map(|(item, _)| ClipFeatures {
            group: super::group(item),
            looks: own,
            scored: if settings.check { scored(&sound) } else { Vec::new() },
        });
        Ok((heard, windows))
    };
    let (mut clips, mut windows) = (Vec::new(), Vec::new());
    for done in parallel::map(&(0..jobs).collect::<Vec<_>>(), settings.workers, work) {
        let (heard, more) = done?;
        clips.extend(heard);
        windows.extend(more);
    }
    Ok((clips, windows))
}

/// A clip in mono at the house rate.
pub fn mono(path: &Path) -> anyhow::Result<Vec<f32>> {
    let pcm = audio::decode(path).with_context(|| format!("opening the clip {}", path.display()))?;
    Ok(pcm.at_rate(HOUSE_RATE_HZ).frames.iter().map(|[left, right]| 0.5 * (left + right)).collect())
}

/// What is heard of `sound` at every look.
pub fn looks(sound: &[f32]) -> Vec<Look> {
    let mut ear = SceneEar::new();
    let part = HOUSE_RATE_HZ as usize / LOOKS_A_SEC;
    let look = |part: &[f32]| {
        ear.push(part);
        let turned = ear.turned();
        Look { summary: ear.summary(), silent: ear.silent(), turned }
    };
    sound.chunks_exact(part).map(look).collect()
}

/// What the linear scores read at every look.
fn scored(sound: &[f32]) -> Vec<ScoreInput> {
    let mut analyser = Analyser::new();
    let part = HOUSE_RATE_HZ as usize / LOOKS_A_SEC;
    let read = |part: &[f32]| {
        let frames: Vec<[f32; 2]> = part.iter().map(|&sample| [sample; 2]).collect();
        analyser.push(&frames);
        analyser.features().scene_scores()
    };
    sound.chunks_exact(part).map(read).collect()
}

/// One window a second; silence teaches nothing.
fn windows(looks: &[Look], scene: Scene, clip: usize, origin: usize, first: usize) -> Vec<Window> {
    let heard = looks.iter().skip(first).step_by(LOOKS_A_SEC).filter(|look| !look.silent);
    let summaries = heard.filter_map(|look| look.summary);
    summaries.map(|summary| Window { summary, scene, clip, origin }).collect()
}
