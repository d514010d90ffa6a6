//! Accuracy of a model on held-out clips, with the same decision filter as the live show.

use super::features::{ClipFeatures, UPDATES_PER_SEC};
use crate::analysis::{Scene, SceneFilter, SceneModel, ScoreInput};
use crate::units::Seconds;

/// Time in a clip from which decisions are scored, in seconds.
const FROM_SECS: usize = 6;

/// Accuracy of a model on one held-out group of clips.
#[derive(Clone, Debug)]
pub struct HeldOutScore {
    /// Name of the held-out group.
    pub group: String,
    /// Number of clips in the group.
    pub clips: usize,
    /// Number of decisions, one per second.
    pub decisions: usize,
    /// Share of correct decisions.
    pub accuracy: f64,
    /// Share of correct decisions by the linear scores, which need no training.
    pub baseline: f64,
}

impl HeldOutScore {
    /// Scores `model` on clips with known scenes.
    pub fn of<'a>(
        group: &str,
        model: &SceneModel,
        clips: impl Iterator<Item = (&'a ClipFeatures, Scene)>,
    ) -> Self {
        let (mut count, mut correct, mut baseline, mut decisions) = (0, 0, 0, 0);
        for (clip, scene) in clips {
            let (known, all) = correct_decisions(model, clip, scene);
            count += 1;
            correct += known;
            baseline += correct_baseline(clip, scene);
            decisions += all;
        }
        let share =
            |part: usize| part as f64 / f64::from(u32::try_from(decisions.max(1)).unwrap_or(u32::MAX));
        Self {
            group: group.to_owned(),
            clips: count,
            decisions,
            accuracy: share(correct),
            baseline: share(baseline),
        }
    }
}

/// Returns the number of correct decisions of a model on a clip, and the number of all decisions, one per
/// second.
pub fn correct_decisions(model: &SceneModel, clip: &ClipFeatures, scene: Scene) -> (usize, usize) {
    let mut filter = SceneFilter::new(Some(model.clone()));
    let (mut known, mut all) = (0, 0);
    for (n, step) in clip.observations.iter().enumerate() {
        if step.changed {
            filter.note_change();
        }
        let view = filter.update(Seconds(0.0), step.silent, step.summary.as_ref(), ScoreInput::default());
        if (n + 1) % UPDATES_PER_SEC == 0 && n + 1 >= FROM_SECS * UPDATES_PER_SEC {
            all += 1;
            known += usize::from(view.scene == scene);
        }
    }
    (known, all)
}

/// Returns the number of seconds in which the correct scene has the largest linear score.
fn correct_baseline(clip: &ClipFeatures, scene: Scene) -> usize {
    let each = clip.scores.iter().skip(FROM_SECS * UPDATES_PER_SEC - 1).step_by(UPDATES_PER_SEC);
    each.filter(|scores| {
        let seen = scores.probabilities();
        (0..4).all(|other| seen[other] <= seen[scene as usize])
    })
    .count()
}

#[cfg(test)]
mod tests {
    use super::super::augment;
    use super::super::compose::{Kind, compose_kind};
    use super::super::features::observe;
    use super::*;
    use crate::jobs::parallel;
    use crate::units::Rng;

    const PIECES: usize = 3;
    const PIECE_SECS: f32 = 14.0;
    /// Required share of correct decisions.
    const REQUIRED: f64 = 0.88;

    /// Checks the decisions of the built-in model on pieces that it was not trained on, clean and heard from the back
    /// of a hall. The share of correct decisions must be at least `each` for each of `kinds`, and at least [`REQUIRED`]
    /// for all of them together.
    fn check(kinds: &[Kind], each: f64) {
        let model = SceneModel::built_in().expect("assets/scene.json matches the summary size");
        let rng = Rng::new(77_777);
        let jobs: Vec<(Kind, usize)> =
            kinds.iter().flat_map(|&kind| (0..PIECES).map(move |piece| (kind, piece))).collect();
        let decisions = parallel::map(&jobs, 4, |&(kind, piece)| {
            let mut rng = rng.fork((kind as usize * PIECES + piece) as u64);
            let clean = compose_kind(kind, PIECE_SECS, &mut rng).sound;
            let mut hall = clean.clone();
            augment::room(&mut hall, 2.5, -9.0, &mut rng);
            [clean, hall].map(|sound| {
                let clip =
                    ClipFeatures { group: String::new(), observations: observe(&sound), scores: Vec::new() };
                correct_decisions(&model, &clip, kind.scene())
            })
        });
        for (condition, name) in ["clean", "hall"].into_iter().enumerate() {
            let (mut known, mut all) = (0, 0);
            for (&kind, pieces) in kinds.iter().zip(decisions.chunks(PIECES)) {
                let of_kind = pieces.iter().map(|piece| piece[condition]);
                let (right, count) =
                    of_kind.fold((0_usize, 0_usize), |sum, next| (sum.0 + next.0, sum.1 + next.1));
                let share = right as f64 / count as f64;
                println!("{kind:?}, {name}: {share:.2}");
                assert!(share >= each, "{kind:?}, {name}: {share:.2}");
                (known, all) = (known + right, all + count);
            }
            let share = known as f64 / all as f64;
            assert!(share >= REQUIRED, "{kinds:?}, {name}: {share:.2}");
        }
    }

    fn kinds_of(scene: Scene) -> Vec<Kind> {
        Kind::ALL.into_iter().filter(|kind| kind.scene() == scene).collect()
    }

    #[test]
    fn speech_crowds_weather_streets_and_machines_are_not_music() {
        check(&kinds_of(Scene::None), 0.5);
    }

    #[test]
    fn every_kind_of_music_belongs_to_its_scene() {
        for scene in [Scene::Ambient, Scene::Techno, Scene::Rock] {
            check(&kinds_of(scene), 0.5);
        }
    }
}
