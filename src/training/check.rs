//! How well a model knows clips it was not trained on, decided as the program decides.

use super::features::{ClipFeatures, LOOKS_A_SEC};
use crate::analysis::{Scene, SceneModel, SceneWatch, ScoreInput};
use crate::units::Seconds;

/// Seconds of a clip before decisions count.
const FROM_SECS: usize = 6;

/// How well a model knew a group of clips it was not trained on.
#[derive(Clone, Debug)]
pub struct Check {
    /// What was held out.
    pub group: String,
    /// How many clips those were.
    pub clips: usize,
    /// Decisions, one a second.
    pub decisions: usize,
    /// Share of them that were right.
    pub accuracy: f64,
    /// The same for the three linear scores, which need no training.
    pub baseline: f64,
}

impl Check {
    /// Checks `model` on clips with their scenes.
    pub fn of<'a>(
        group: &str,
        model: &SceneModel,
        clips: impl Iterator<Item = (&'a ClipFeatures, Scene)>,
    ) -> Self {
        let (mut count, mut right_ones, mut scored_ones, mut decisions) = (0, 0, 0, 0);
        for (heard, scene) in clips {
            let (known, all) = right(model, heard, scene);
            count += 1;
            right_ones += known;
            scored_ones += scored(heard, scene);
            decisions += all;
        }
        let share =
            |part: usize| part as f64 / f64::from(u32::try_from(decisions.max(1)).unwrap_or(u32::MAX));
        Self {
            group: group.to_owned(),
            clips: count,
            decisions,
            accuracy: share(right_ones),
            baseline: share(scored_ones),
        }
    }
}

/// Decisions of a model about a clip that are right, and all of them, one a second.
pub fn right(model: &SceneModel, heard: &ClipFeatures, scene: Scene) -> (usize, usize) {
    let mut watch = SceneWatch::new(Some(model.clone()));
    let (mut known, mut all) = (0, 0);
    for (n, look) in heard.looks.iter().enumerate() {
        if look.turned {
            watch.turn();
        }
        let view = watch.look(Seconds(0.0), look.silent, look.summary.as_ref(), ScoreInput::default());
        if (n + 1) % LOOKS_A_SEC == 0 && n + 1 >= FROM_SECS * LOOKS_A_SEC {
            all += 1;
            known += usize::from(view.scene == scene);
        }
    }
    (known, all)
}

/// Looks, one a second, at which the largest linear score is right.
fn scored(heard: &ClipFeatures, scene: Scene) -> usize {
    let each = heard.scored.iter().skip(FROM_SECS * LOOKS_A_SEC - 1).step_by(LOOKS_A_SEC);
    each.filter(|scores| {
        let seen = scores.probabilities();
        (0..4).all(|other| seen[other] <= seen[scene as usize])
    })
    .count()
}
