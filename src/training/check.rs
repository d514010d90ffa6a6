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
